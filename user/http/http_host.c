// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_host.c - see http_host.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/http_host.h"

static int hosts_add(struct http_hosts *hosts, const char *name)
{
	char **grown = realloc(hosts->names, (hosts->count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	hosts->names = grown;
	grown[hosts->count] = strdup(name);
	if (!grown[hosts->count])
		return -ENOMEM;
	hosts->count++;
	return 0;
}

static bool entry_has(const struct hostent *entry, const char *name)
{
	bool has = !strcasecmp(entry->h_name, name);

	for (char **alias = entry->h_aliases; !has && *alias; alias++)
		has = !strcasecmp(*alias, name);
	return has;
}

/* Add all names on the lines of /etc/hosts that have this one, perhaps with "localhost". */
static int hosts_add_file(struct http_hosts *hosts, const char *name)
{
	const struct hostent *entry;
	int err = 0;

	sethostent(0);
	while (!err && (entry = gethostent())) {
		if (!entry_has(entry, name))
			continue;
		err = hosts_add(hosts, entry->h_name);
		for (char **alias = entry->h_aliases; !err && *alias; alias++)
			err = hosts_add(hosts, *alias);
	}
	endhostent();
	return err;
}

/* "sql1" is also "sql1.corp.example" if that is the first domain in /etc/resolv.conf. */
static int hosts_add_domain(struct http_hosts *hosts, const char *name)
{
	struct __res_state resolver = {0};
	char full[2 * HTTP_HOST_MAX];
	int err = 0;

	if (strchr(name, '.') || res_ninit(&resolver))
		return 0;
	if (resolver.dnsrch[0] && *resolver.dnsrch[0]) {
		snprintf(full, sizeof(full), "%s.%s", name, resolver.dnsrch[0]);
		err = hosts_add(hosts, full);
	}
	res_nclose(&resolver);
	return err;
}

int http_hosts_init(struct http_hosts *hosts, const char *const *allowed, size_t count)
{
	char own[HTTP_HOST_MAX] = "";
	int err;

	*hosts = (struct http_hosts){0};
	err = hosts_add(hosts, "localhost");
	for (size_t i = 0; !err && i < count; i++)
		err = hosts_add(hosts, allowed[i]);
	if (err || gethostname(own, sizeof(own) - 1) || !*own)
		return err;
	err = hosts_add(hosts, own);
	if (!err)
		err = hosts_add_file(hosts, own);
	return err ?: hosts_add_domain(hosts, own);
}

void http_hosts_release(struct http_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->names[i]);
	free(hosts->names);
	*hosts = (struct http_hosts){0};
}

/* Strip the port, brackets and a trailing dot. An IPv6 address must be in brackets. */
static bool host_name(const char *host, char name[HTTP_HOST_MAX])
{
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port = host + len;

	if (len > strlen(host) || len >= HTTP_HOST_MAX ||
	    (*port && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1))))
		return false;
	if (*host == '[') {
		host++;
		len -= 2;
	}
	memcpy(name, host, len);
	name[len] = '\0';
	if (len > 1 && name[len - 1] == '.')
		name[--len] = '\0';
	return len;
}

bool http_host_is_ours(const struct http_hosts *hosts, const char *host)
{
	char name[HTTP_HOST_MAX];
	struct in6_addr addr;

	if (!host_name(host, name))
		return false;
	if (*host == '[')
		return inet_pton(AF_INET6, name, &addr) == 1;
	if (inet_pton(AF_INET, name, &addr) == 1)
		return true;
	for (size_t i = 0; i < hosts->count; i++)
		if (!strcasecmp(hosts->names[i], name))
			return true;
	return false;
}

bool http_host_is_name(const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return *name && strlen(name) < HTTP_HOST_MAX && name[strspn(name, good)] == '\0' &&
	       *name != '-' && *name != '.';
}

const char *http_target(const char *target, char host[HTTP_HOST_MAX])
{
	const char *at = !strncasecmp(target, "http://", 7)    ? target + 7
			 : !strncasecmp(target, "https://", 8) ? target + 8
							       : NULL;
	size_t len;

	*host = '\0';
	if (!at)
		return *target == '/' ? target : NULL;
	len = strcspn(at, "/?");
	if (!len || len >= HTTP_HOST_MAX || memchr(at, '@', len))
		return NULL;
	memcpy(host, at, len);
	host[len] = '\0';
	return at[len] == '/' ? at + len : "/";
}
