/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * web_config.h - the web configuration file that Prometheus exporters share: TLS and the users of
 * basic authentication.
 * https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
 */
#ifndef TDSMON_WEB_CONFIG_H
#define TDSMON_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* What a client certificate is wanted for; the names are the file's (Go's crypto/tls). */
enum webconfig_client_auth {
	WEBCONFIG_NO_CLIENT_CERT,
	WEBCONFIG_VERIFY_CLIENT_CERT_IF_GIVEN,
	WEBCONFIG_REQUIRE_AND_VERIFY_CLIENT_CERT,
};

struct webconfig_user {
	char *name, *hash; /* hash: bcrypt, "$2y$10$..." */
};

struct webconfig {
	char *cert, *key, *client_ca; /* PEM text; cert NULL: no TLS */
	enum webconfig_client_auth client_auth;
	unsigned min_version, max_version; /* 10 to 13, for TLS 1.0 to 1.3 */
	struct webconfig_user *users;
	size_t user_count; /* 0: no authentication */
};

/* The files. */
enum webconfig_file {
	WEBCONFIG_FILE, /* the web configuration itself */
	WEBCONFIG_CERT, /* and those that it names */
	WEBCONFIG_KEY,
	WEBCONFIG_CLIENT_CA,
};
#define WEBCONFIG_NAMED 3 /* of these files it names so many */

/* Opens a file in place of webconfig_read(), which may not: a descriptor or -errno. */
typedef int webconfig_open_fn(void *ctx, enum webconfig_file file);

/*
 * Read path and the files that it names; they are opened by open_fn, or by their paths where it is
 * NULL. 0, or -errno with the reason logged, naming the file and the key. webconfig_release() is
 * due after either.
 */
int webconfig_read(struct webconfig *config, const char *path, webconfig_open_fn *open_fn,
		   void *ctx);
void webconfig_release(struct webconfig *config);

/* Which files a web configuration names, from WEBCONFIG_CERT on; NULL: none. */
struct webconfig_names {
	char *path[WEBCONFIG_NAMED];
};

/* As far as it can be read; path is what relative names are relative to. */
void webconfig_names_read(struct webconfig_names *names, int fd, const char *path);
void webconfig_names_release(struct webconfig_names *names);

#endif
