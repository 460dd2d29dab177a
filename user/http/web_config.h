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

/* How client certificates are checked; the names are the file's (Go's crypto/tls). */
enum web_config_client_auth {
	WEB_CONFIG_NO_CLIENT_CERT,
	WEB_CONFIG_VERIFY_CLIENT_CERT_IF_GIVEN,
	WEB_CONFIG_REQUIRE_AND_VERIFY_CLIENT_CERT,
};

struct web_config_user {
	char *name, *hash; /* hash: bcrypt, "$2y$10$..." */
};

struct web_config {
	char *cert, *key, *client_ca; /* PEM text; cert NULL: no TLS */
	enum web_config_client_auth client_auth;
	unsigned min_version, max_version; /* 10 to 13, for TLS 1.0 to 1.3 */
	struct web_config_user *users;
	size_t user_count; /* 0: no authentication */
};

/* The files that are read. */
enum web_config_file {
	WEB_CONFIG_FILE, /* the web configuration itself */
	WEB_CONFIG_CERT, /* and those that it names */
	WEB_CONFIG_KEY,
	WEB_CONFIG_CLIENT_CA,
};
#define WEB_CONFIG_NAMED 3 /* number of files that it can name */

/* Opens a file for a process that may not: returns a descriptor or -errno. */
typedef int web_config_open_fn(void *ctx, enum web_config_file file);

/*
 * Read path and the files that it names, opened by open_fn, or by their paths if that is NULL. 0,
 * or -errno with the reason logged, which names the file and the key. Call web_config_release() in
 * both cases.
 */
int web_config_read(struct web_config *config, const char *path, web_config_open_fn *open_fn,
		    void *ctx);
void web_config_release(struct web_config *config);

/* The files that a web configuration names, from WEB_CONFIG_CERT on; NULL: none. */
struct web_config_names {
	char *path[WEB_CONFIG_NAMED];
};

/* Names are read as far as possible. path: names are relative to its directory. */
void web_config_names_read(struct web_config_names *names, int fd, const char *path);
void web_config_names_release(struct web_config_names *names);

#endif
