// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * source_find.c - see source_find.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "top/source_find.h"

#define FIND_SOCKET "/run/tdsmon/tdsmon.sock" /* opts.h: OPTS_SOCKET_DEFAULT */
#define FIND_PORT   9433		      /* opts.h: OPTS_LISTEN_DEFAULT */
#define FIND_URL    "http://127.0.0.1:9433"
#define FIND_SECRET 1024u /* bytes of the file with the password */

/* 0: somebody answers there. */
static int try_connect(int family, const void *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = connect(fd, addr, len) ? -errno : 0;
	close(fd);
	return err;
}

static int try_socket(void)
{
	const struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = FIND_SOCKET};

	return try_connect(AF_UNIX, &addr, sizeof(addr));
}

static int try_port(void)
{
	const struct sockaddr_in addr = {.sin_family = AF_INET,
					 .sin_port = htons(FIND_PORT),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return try_connect(AF_INET, &addr, sizeof(addr));
}

/* Start a tdsmon: with the captures, or to watch. */
static int find_child(struct found_source *found, const struct top_opts *opts)
{
	static char *const head[] = {"tdsmon", "--format", "json"};
	int n = 0;

	found->argv =
		calloc((size_t)(opts->file_count + opts->rest_count) + 8, sizeof(*found->argv));
	if (!found->argv)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		found->argv[n++] = head[i];
	if (!opts->file_count)
		found->argv[n++] = "--heartbeat";
	for (int i = 0; i < opts->rest_count; i++)
		found->argv[n++] = opts->rest[i];
	for (int i = 0; i < opts->file_count; i++) {
		if (!i)
			found->argv[n++] = "-r";
		if (!strcmp(opts->files[i], "-"))
			found->intake.stdin_is_file = true;
		found->argv[n++] = opts->files[i];
	}
	found->intake.argv = found->argv;
	found->capture = opts->file_count;
	if (opts->file_count > 1)
		snprintf(found->name, sizeof(found->name), "%d captures", opts->file_count);
	else
		snprintf(found->name, sizeof(found->name), "%.150s",
			 opts->file_count ? opts->files[0] : "watching this host");
	return 0;
}

/* NAME:PASSWORD, the first line of a file. */
static int read_user(struct found_source *found, const char *path)
{
	int fd = regular_open(path), err = fd < 0 ? fd : 0;
	size_t len = 0;

	if (!err) {
		found->user = regular_text(fd, FIND_SECRET, &len);
		err = found->user ? 0 : -errno;
		close(fd);
	}
	if (err) {
		log_error("cannot read %s: %s", path, regular_error(err));
		return err;
	}
	found->user[strcspn(found->user, "\r\n")] = '\0';
	if (strchr(found->user, ':'))
		return 0;
	log_error("%s: its first line is not NAME:PASSWORD", path);
	return -EINVAL;
}

static int find_url(struct found_source *found, const struct top_opts *opts)
{
	size_t len = strlen(opts->url);

	snprintf(found->name, sizeof(found->name), "%.150s", opts->url);
	if (opts->url[0] == '/') {
		found->intake.socket = opts->url;
		return 0;
	}
	if (strncasecmp(opts->url, "http://", 7) && strncasecmp(opts->url, "https://", 8)) {
		log_error("'%s' is no URL of a tdsmon: use https://HOST:PORT, http://HOST:PORT or "
			  "a socket's path",
			  opts->url);
		return -EINVAL;
	}
	if (opts->user_file && strncasecmp(opts->url, "https://", 8)) {
		log_error("a password goes only to an https URL: %s would show it on the network",
			  opts->url);
		return -EINVAL;
	}
	while (len && opts->url[len - 1] == '/')
		len--;
	found->url = strndup(opts->url, len);
	found->intake.url = found->url;
	found->intake.ca_file = opts->ca_file;
	if (!found->url)
		return -ENOMEM;
	return opts->user_file ? read_user(found, opts->user_file) : 0;
}

static int find_running(struct found_source *found, const struct top_opts *opts)
{
	int err = try_socket();

	if (!err) {
		found->intake.socket = FIND_SOCKET;
		snprintf(found->name, sizeof(found->name), "%s", FIND_SOCKET);
		return 0;
	}
	if (!try_port()) {
		found->intake.url = FIND_URL;
		snprintf(found->name, sizeof(found->name), "%s", FIND_URL);
		return 0;
	}
	if (err == -EACCES) {
		log_error("cannot connect to %s: join its group, or be root", FIND_SOCKET);
		return err;
	}
	return find_child(found, opts);
}

int source_find(struct found_source *found, const struct top_opts *opts)
{
	int err;

	*found = (struct found_source){0};
	if (opts->file_count || opts->rest_count)
		err = find_child(found, opts);
	else
		err = opts->url ? find_url(found, opts) : find_running(found, opts);
	found->intake.user = found->user;
	if (err == -ENOMEM)
		log_error("out of memory");
	return err;
}

void source_release(struct found_source *found)
{
	free(found->argv);
	free(found->user);
	free(found->url);
}
