/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service_ports.h - the ports of services that a login may depend on (IANA), for kernel and user
 * space. Other RPC services than EPM listen on ports that are learned.
 */
#ifndef TDSMON_SERVICE_PORTS_H
#define TDSMON_SERVICE_PORTS_H

enum service_port {
	SERVICE_DNS = 53,
	SERVICE_HTTP = 80,
	SERVICE_KERBEROS = 88,
	SERVICE_EPM = 135,
	SERVICE_NETBIOS = 139, /* SMB over NetBIOS */
	SERVICE_LDAP = 389,
	SERVICE_HTTPS = 443,
	SERVICE_SMB = 445,
	SERVICE_LDAPS = 636,
	SERVICE_GC = 3268, /* LDAP of the global catalog */
	SERVICE_GCS = 3269,
};

#define SERVICE_PORTS(X)                                                                           \
	X(SERVICE_DNS)                                                                             \
	X(SERVICE_HTTP)                                                                            \
	X(SERVICE_KERBEROS)                                                                        \
	X(SERVICE_EPM)                                                                             \
	X(SERVICE_NETBIOS)                                                                         \
	X(SERVICE_LDAP)                                                                            \
	X(SERVICE_HTTPS)                                                                           \
	X(SERVICE_SMB)                                                                             \
	X(SERVICE_LDAPS)                                                                           \
	X(SERVICE_GC)                                                                              \
	X(SERVICE_GCS)

#define SERVICE_INLINE static inline __attribute__((always_inline))

/* Is the TCP port one of those? */
SERVICE_INLINE int service_is_fixed(__u16 port)
{
#define SERVICE_CASE(name) case name:
	switch (port) {
		SERVICE_PORTS(SERVICE_CASE)
		return 1;
	}
#undef SERVICE_CASE
	return 0;
}

/* Services that are asked by datagrams, too. */
SERVICE_INLINE int service_is_udp(__u16 port)
{
	return port == SERVICE_DNS || port == SERVICE_KERBEROS || port == SERVICE_LDAP;
}

/* Its connections may carry files. */
SERVICE_INLINE int service_is_bulk(__u16 port)
{
	return port == SERVICE_HTTP || port == SERVICE_HTTPS || port == SERVICE_SMB ||
	       port == SERVICE_NETBIOS;
}

/* Of its connections only the start is looked at. */
SERVICE_INLINE int service_is_start_only(__u16 port)
{
	return port == SERVICE_HTTPS;
}

#endif
