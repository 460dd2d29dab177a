/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_host.h - for which host a request was meant. A page of another site can have its name
 * resolve to this host (DNS rebinding) and read the answers; its requests name that other host.
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
 * localhost, the names of this host (its host name, its other names in /etc/hosts, and the name
 * with the resolver's first domain), and those allowed beside them. Nothing is asked of a name
 * server. 0 or -ENOMEM; http_hosts_release() is due after either.
 */
int http_hosts_init(struct http_hosts *hosts, const char *const *allowed, size_t count);
void http_hosts_release(struct http_hosts *hosts);

/* Whether "name", "name:port", an IPv4 address or an IPv6 address in brackets is one of them. */
bool http_host_is_ours(const struct http_hosts *hosts, const char *host);

/* Whether it can be a host's name: letters, digits, '-', '_' and '.'. */
bool http_host_is_name(const char *name);

/*
 * A request's target into its path; host is for what an absolute target (RFC 9112 3.2.2) names, ""
 * where it is none. NULL: the target is neither.
 */
const char *http_target(const char *target, char host[HTTP_HOST_MAX]);

#endif
