/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_host.h - checks the host to which a request was sent. A page of another site can have its
 * name resolve to this host (DNS rebinding) and read the answers, but its requests name that other
 * host.
 */
#ifndef TDSMON_HTTP_HOST_H
#define TDSMON_HTTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HOST_MAX 256 /* a name, with its NUL: RFC 1035 2.3.4 */

struct http_hosts {
	char **names;
	size_t count;
};

/*
 * The accepted hosts: localhost, the names of this host (its host name, its other names in
 * /etc/hosts, and the name with the resolver's first domain), and the allowed ones. No name server
 * is queried. 0 or -ENOMEM; call http_hosts_release() in both cases.
 */
int http_hosts_init(struct http_hosts *hosts, const char *const *allowed, size_t count);
void http_hosts_release(struct http_hosts *hosts);

/* Is "name", "name:port", an IPv4 address or an IPv6 address in brackets one of them? */
bool http_host_is_ours(const struct http_hosts *hosts, const char *host);

/* Can it be a host's name: letters, digits, '-', '_' and '.'? */
bool http_host_is_name(const char *name);

/*
 * The path of a request's target. host is filled with the host of an absolute target (RFC 9112
 * 3.2.2), or "". NULL: the target is neither a path nor absolute.
 */
const char *http_target(const char *target, char host[HTTP_HOST_MAX]);

#endif
