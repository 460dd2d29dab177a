// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_socket.c - the HTTP server's listening socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http_int.h"
#include "lib/log.h"

#define BACKLOG	 64
#define LOOPBACK "127.0.0.1"

static bool all_digits(const char *s)
{
	return *s && strlen(s) == strspn(s, "0123456789");
}

/*
 * Split copy: "ADDR:PORT", "[ADDR]:PORT", ":PORT" (host is "": all addresses) or "PORT" (loopback).
 * False: none of these.
 */
static bool split_address(char *copy, char **host, char **port)
{
	char *colon = strrchr(copy, ':');

	if (!colon && all_digits(copy)) {
		*host = LOOPBACK;
		*port = copy;
		return true;
	}
	if (!colon || !all_digits(colon + 1))
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = copy;
	if (*copy != '[')
		return !strchr(copy, ':'); /* an IPv6 address needs its brackets */
	if (colon[-1] != ']')
		return false;
	colon[-1] = '\0';
	*host = copy + 1;
	return true;
}

static int listen_on(const struct addrinfo *addr)
{
	int fd = socket(addr->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, addr->ai_addr, addr->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	one = -errno;
	close(fd);
	return one;
}

int http_socket_open(const char *listen)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *all = NULL;
	char copy[256], *host, *port;
	int err, fd = -EADDRNOTAVAIL;

	if (strlen(listen) >= sizeof(copy) || !split_address(strcpy(copy, listen), &host, &port) ||
	    strtoul(port, NULL, 10) > 65535) {
		log_error("cannot listen on '%s': use PORT, ADDR:PORT, [IPv6]:PORT or :PORT",
			  listen);
		return -EINVAL;
	}
	err = getaddrinfo(*host ? host : NULL, port, &hints, &all);
	if (err) {
		log_error("cannot listen on %s: %s", listen, gai_strerror(err));
		return -EADDRNOTAVAIL;
	}
	/* Without an address: IPv6's wildcard, which also accepts IPv4, if the host has IPv6. */
	for (int family = AF_INET6; fd < 0; family = AF_INET) {
		for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next)
			if (a->ai_family == family)
				fd = listen_on(a);
		if (family == AF_INET)
			break;
	}
	freeaddrinfo(all);
	if (fd < 0)
		log_error("cannot listen on %s: %s", listen, strerror(-fd));
	return fd;
}

void http_socket_url(int fd, bool tls, char url[HTTP_TEXT])
{
	struct sockaddr_storage addr = {0};
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&addr;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&addr;
	socklen_t len = sizeof(addr);
	char host[INET6_ADDRSTRLEN] = "";
	bool is_v6;

	getsockname(fd, (struct sockaddr *)&addr, &len);
	is_v6 = addr.ss_family == AF_INET6;
	inet_ntop(addr.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
		  sizeof(host));
	snprintf(url, HTTP_TEXT, is_v6 ? "http%s://[%s]:%u/" : "http%s://%s:%u/", tls ? "s" : "",
		 host, ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}
