// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * web_config.c - the web configuration file, by libyaml.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "http/web_config.h"

#define CONFIG_MAX (1u << 20)
#define PEM_MAX	   (1u << 20)
#define BCRYPT_LEN 60
/* 2^12 rounds take a quarter of a second, during which nothing else is done. */
#define BCRYPT_COSTS 12
#define TLS_FIRST    12 /* the exporter toolkit's lowest version */
#define TLS_LAST     13

struct reader {
	const char *path;
	yaml_document_t *doc;
	struct web_config *config;
	struct web_config_names names;
	web_config_open_fn *open_fn; /* NULL: open files by their paths */
	void *open_ctx;
	bool has_tls;
	int err; /* of the last file */
};

/* One key of a section. */
struct key {
	const char *name;
	int (*set)(struct reader *r, const char *name, yaml_node_t *value);
};

static int fail_key(const struct reader *r, const char *name, const char *why)
{
	log_error("%s: %s: %s", r->path, name, why);
	return -EINVAL;
}

/* The text of a scalar; NULL with the reason logged. */
static const char *scalar_text(const struct reader *r, const char *name, const yaml_node_t *value)
{
	if (value->type == YAML_SCALAR_NODE &&
	    strlen((const char *)value->data.scalar.value) == value->data.scalar.length)
		return (const char *)value->data.scalar.value;
	fail_key(r, name, "expected a single value");
	return NULL;
}

/* Read a mapping's keys by their table. section is for messages; "" at the top. */
static int read_keys(struct reader *r, const char *section, yaml_node_t *map,
		     const struct key *keys)
{
	int err = 0;

	if (map->type != YAML_MAPPING_NODE)
		return fail_key(r, *section ? section : "the file",
				"expected a mapping, key: value");
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     !err && p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
		const char *text = scalar_text(r, *section ? section : "a key", name);
		const struct key *key = keys;
		char full[256];

		if (!text)
			return -EINVAL;
		snprintf(full, sizeof(full), "%s%s%s", section, *section ? "." : "", text);
		while (key->name && strcmp(key->name, text))
			key++;
		err = key->name ? key->set(r, full, value)
				: fail_key(r, full, "this key is not supported");
	}
	return err;
}

static char **path_of(struct reader *r, enum web_config_file file)
{
	return &r->names.path[file - WEB_CONFIG_CERT];
}

static int set_path(struct reader *r, const char *name, const yaml_node_t *value,
		    enum web_config_file file)
{
	char **path = path_of(r, file);
	const char *text = scalar_text(r, name, value), *slash = strrchr(r->path, '/');
	int n;

	if (!text)
		return -EINVAL;
	free(*path);
	*path = NULL;
	if (!*text)
		return 0;
	/* A path is relative to the file that names it, as in other exporters. */
	if (*text == '/' || !slash)
		n = asprintf(path, "%s", text);
	else
		n = asprintf(path, "%.*s/%s", (int)(slash - r->path), r->path, text);
	return n < 0 ? -ENOMEM : 0;
}

static int set_cert_file(struct reader *r, const char *name, yaml_node_t *value)
{
	return set_path(r, name, value, WEB_CONFIG_CERT);
}

static int set_key_file(struct reader *r, const char *name, yaml_node_t *value)
{
	return set_path(r, name, value, WEB_CONFIG_KEY);
}

static int set_client_ca_file(struct reader *r, const char *name, yaml_node_t *value)
{
	return set_path(r, name, value, WEB_CONFIG_CLIENT_CA);
}

static int set_client_auth(struct reader *r, const char *name, yaml_node_t *value)
{
	static const char *const types[] = {
		[WEB_CONFIG_NO_CLIENT_CERT] = "NoClientCert",
		[WEB_CONFIG_VERIFY_CLIENT_CERT_IF_GIVEN] = "VerifyClientCertIfGiven",
		[WEB_CONFIG_REQUIRE_AND_VERIFY_CLIENT_CERT] = "RequireAndVerifyClientCert",
	};
	const char *text = scalar_text(r, name, value);

	for (size_t i = 0; text && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i], text))
			continue;
		r->config->client_auth = (enum web_config_client_auth)i;
		return 0;
	}
	return text ? fail_key(r, name,
			       "expected NoClientCert, VerifyClientCertIfGiven or "
			       "RequireAndVerifyClientCert; a certificate that is not verified is "
			       "not asked for")
		    : -EINVAL;
}

static int set_version(struct reader *r, const char *name, const yaml_node_t *value,
		       unsigned *version)
{
	const char *text = scalar_text(r, name, value);

	if (!text)
		return -EINVAL;
	if (strlen(text) != 5 || strncmp(text, "TLS1", 4) || text[4] < '0' || text[4] > '3')
		return fail_key(r, name, "expected TLS10, TLS11, TLS12 or TLS13");
	*version = 10 + (unsigned)(text[4] - '0');
	return 0;
}

static int set_min_version(struct reader *r, const char *name, yaml_node_t *value)
{
	return set_version(r, name, value, &r->config->min_version);
}

static int set_max_version(struct reader *r, const char *name, yaml_node_t *value)
{
	return set_version(r, name, value, &r->config->max_version);
}

static int set_tls(struct reader *r, const char *name, yaml_node_t *value)
{
	static const struct key keys[] = {
		{"cert_file", set_cert_file},
		{"key_file", set_key_file},
		{"client_auth_type", set_client_auth},
		{"client_ca_file", set_client_ca_file},
		{"min_version", set_min_version},
		{"max_version", set_max_version},
		{0},
	};

	r->has_tls = true;
	return read_keys(r, name, value, keys);
}

/* This permits HTTP/2, but the server only speaks HTTP/1.1. */
static int set_http2(struct reader *r, const char *name, yaml_node_t *value)
{
	const char *text = scalar_text(r, name, value);

	if (!text)
		return -EINVAL;
	return !strcmp(text, "true") || !strcmp(text, "false")
		       ? 0
		       : fail_key(r, name, "expected true or false");
}

static int set_http(struct reader *r, const char *name, yaml_node_t *value)
{
	static const struct key keys[] = {{"http2", set_http2}, {0}};

	return read_keys(r, name, value, keys);
}

/* "$2y$10$" and 53 characters; crypt(5) */
static int check_hash(const struct reader *r, const char *name, const char *hash)
{
	unsigned cost;

	if (strlen(hash) != BCRYPT_LEN || hash[0] != '$' || hash[1] != '2' ||
	    !strchr("aby", hash[2]) || hash[3] != '$' || !isdigit((unsigned char)hash[4]) ||
	    !isdigit((unsigned char)hash[5]) || hash[6] != '$')
		return fail_key(r, name,
				"the password must be a bcrypt hash, as made by htpasswd -nB");
	cost = (unsigned)(hash[4] - '0') * 10 + (unsigned)(hash[5] - '0');
	if (cost < 4 || cost > BCRYPT_COSTS)
		return fail_key(r, name,
				"the cost of the hash must be 4 to 12; set it with htpasswd -C");
	return 0;
}

static int set_users(struct reader *r, const char *name, yaml_node_t *value)
{
	struct web_config *config = r->config;
	size_t count;

	if (value->type != YAML_MAPPING_NODE)
		return fail_key(r, name, "expected a mapping, user: hash");
	count = (size_t)(value->data.mapping.pairs.top - value->data.mapping.pairs.start);
	if (config->users)
		return fail_key(r, name, "is given twice");
	config->users = calloc(count + 1, sizeof(*config->users));
	if (!config->users)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const yaml_node_pair_t *p = &value->data.mapping.pairs.start[i];
		const char *user = scalar_text(r, name, yaml_document_get_node(r->doc, p->key));
		const char *hash =
			user ? scalar_text(r, name, yaml_document_get_node(r->doc, p->value))
			     : NULL;
		char full[256];

		if (!hash)
			return -EINVAL;
		snprintf(full, sizeof(full), "%s.%s", name, user);
		if (check_hash(r, full, hash))
			return -EINVAL;
		config->users[i].name = strdup(user);
		config->users[i].hash = strdup(hash);
		config->user_count++;
		if (!config->users[i].name || !config->users[i].hash)
			return -ENOMEM;
	}
	return 0;
}

/* Read a whole file; NULL with the reason logged. name: the key, "" for the file itself. */
static char *read_file(struct reader *r, enum web_config_file file, const char *name,
		       const char *path, size_t max)
{
	int fd = r->open_fn ? r->open_fn(r->open_ctx, file) : regular_open(path);
	char *text = NULL;
	size_t len = 0;

	r->err = fd < 0 ? fd : 0;
	if (fd >= 0) {
		text = regular_text(fd, max, &len);
		r->err = text ? 0 : -errno;
		close(fd);
	}
	if (!r->err && memchr(text, 0, len))
		r->err = -EILSEQ;
	if (!r->err)
		return text;
	log_error("%s%s%s%scannot read %s: %s", *name ? r->path : "", *name ? ": " : "", name,
		  *name ? ": " : "", path,
		  r->err == -EFBIG ? "it is larger than 1 MiB" : regular_error(r->err));
	free(text);
	return NULL;
}

static char *read_pem(struct reader *r, enum web_config_file file, const char *name)
{
	char *text = read_file(r, file, name, *path_of(r, file), PEM_MAX);

	if (!text || *text)
		return text;
	log_error("%s: %s: %s is empty", r->path, name, *path_of(r, file));
	free(text);
	return NULL;
}

static int read_tls_files(struct reader *r)
{
	static const char section[] = "tls_server_config";
	struct web_config *config = r->config;

	if (!r->has_tls)
		return 0;
	if (!*path_of(r, WEB_CONFIG_CERT) || !*path_of(r, WEB_CONFIG_KEY))
		return fail_key(r, section, "cert_file and key_file are both needed");
	if (config->client_auth && !*path_of(r, WEB_CONFIG_CLIENT_CA))
		return fail_key(r, section, "this client_auth_type needs client_ca_file");
	if (*path_of(r, WEB_CONFIG_CLIENT_CA) && !config->client_auth)
		return fail_key(r, section, "client_ca_file needs a client_auth_type that uses it");
	if (config->min_version > config->max_version)
		return fail_key(r, section, "min_version is above max_version");
	config->cert = read_pem(r, WEB_CONFIG_CERT, "tls_server_config.cert_file");
	if (config->cert)
		config->key = read_pem(r, WEB_CONFIG_KEY, "tls_server_config.key_file");
	if (!config->key)
		return -EINVAL;
	if (!*path_of(r, WEB_CONFIG_CLIENT_CA))
		return 0;
	config->client_ca = read_pem(r, WEB_CONFIG_CLIENT_CA, "tls_server_config.client_ca_file");
	return config->client_ca ? 0 : -EINVAL;
}

static int read_document(struct reader *r)
{
	static const struct key keys[] = {
		{"tls_server_config", set_tls},
		{"http_server_config", set_http},
		{"basic_auth_users", set_users},
		{0},
	};
	yaml_node_t *root = yaml_document_get_root_node(r->doc);

	/* An empty file is valid, and sets nothing. */
	return root ? read_keys(r, "", root, keys) : 0;
}

static int read_yaml(struct reader *r, const char *text)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	int err;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	if (!yaml_parser_load(&parser, &doc)) {
		log_error("%s: line %zu: not valid YAML: %s", r->path, parser.problem_mark.line + 1,
			  parser.problem ? parser.problem : "unreadable");
		yaml_parser_delete(&parser);
		return -EINVAL;
	}
	r->doc = &doc;
	err = read_document(r);
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return err;
}

static const struct web_config defaults = {.min_version = TLS_FIRST, .max_version = TLS_LAST};

int web_config_read(struct web_config *config, const char *path, web_config_open_fn *open_fn,
		    void *ctx)
{
	struct reader r = {.path = path, .config = config, .open_fn = open_fn, .open_ctx = ctx};
	char *text;
	int err;

	*config = defaults;
	text = read_file(&r, WEB_CONFIG_FILE, "", path, CONFIG_MAX);
	err = text ? read_yaml(&r, text) : r.err;
	if (!err)
		err = read_tls_files(&r);
	if (err == -ENOMEM)
		log_error("out of memory");
	free(text);
	web_config_names_release(&r.names);
	return err;
}

void web_config_names_read(struct web_config_names *names, int fd, const char *path)
{
	struct web_config config = defaults;
	struct reader r = {.path = path, .config = &config};
	size_t len;
	char *text = regular_text(fd, CONFIG_MAX, &len);

	if (text)
		read_yaml(&r, text);
	free(text);
	web_config_release(&config);
	*names = r.names;
}

void web_config_names_release(struct web_config_names *names)
{
	for (size_t i = 0; i < WEB_CONFIG_NAMED; i++)
		free(names->path[i]);
	*names = (struct web_config_names){0};
}

void web_config_release(struct web_config *config)
{
	for (size_t i = 0; i < config->user_count; i++) {
		free(config->users[i].name);
		free(config->users[i].hash);
	}
	free(config->users);
	free(config->cert);
	free(config->key);
	free(config->client_ca);
	*config = (struct web_config){0};
}
