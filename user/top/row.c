// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * row.c - see row.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/units.h"
#include "top/row.h"

static const char *const fields[ROW_FIELDS] = {
	[ROW_CLIENT] = "client",   [ROW_SERVER] = "server",	[ROW_APP] = "app",
	[ROW_DRIVER] = "driver",   [ROW_DATABASE] = "database", [ROW_HOST] = "host",
	[ROW_USER] = "user",	   [ROW_OUTCOME] = "outcome",	[ROW_CLASS] = "class",
	[ROW_VERDICT] = "verdict", [ROW_ERROR] = "error",	[ROW_WAITS] = "waits",
};

/* Fields that are a text of the record. */
static const char *const paths[ROW_FIELDS] = {
	[ROW_CLIENT] = "client.addr",	[ROW_APP] = "tds.app",
	[ROW_DRIVER] = "tds.driver",	[ROW_DATABASE] = "tds.database",
	[ROW_HOST] = "tds.host",	[ROW_USER] = "auth.user",
	[ROW_OUTCOME] = "outcome",	[ROW_CLASS] = "verdict.class",
	[ROW_VERDICT] = "verdict.name",
};

static const char *const phases[ROW_PHASES] = {
	"phases.tcp_ns", "phases.prelogin_ns", "phases.tls_ns", "phases.login_ns", "phases.auth_ns",
};

static const char *const classes[] = {[ROW_OK] = "ok",
				      [ROW_SLOW] = "slow",
				      [ROW_FAILED] = "failed",
				      [ROW_ENDED] = "ended",
				      [ROW_UNKNOWN] = "unknown"};

const char *row_field_name(enum row_field field)
{
	return fields[field];
}

const char *row_text(const struct row *row, enum row_field field)
{
	return row->field[field] ? row->field[field]->text : "";
}

const json_t *row_path(const json_t *value, const char *path)
{
	while (value && *path) {
		size_t len = strcspn(path, ".");
		char key[64];

		if (!len || len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		value = json_is_array(value) ? json_array_get(value, (size_t)strtoul(key, NULL, 10))
					     : json_object_get(value, key);
		path += len + (path[len] == '.');
	}
	return value;
}

const char *row_string(const json_t *value, const char *path)
{
	return json_string_value(row_path(value, path));
}

uint64_t row_ns(const json_t *value, const char *path)
{
	const json_t *number = row_path(value, path);

	return json_is_integer(number) && json_integer_value(number) >= 0
		       ? (uint64_t)json_integer_value(number)
		       : ROW_NO_NS;
}

uint64_t row_time_ns(const char *text)
{
	struct tm tm = {0};
	char zone = 0;
	unsigned long ns = 0;

	if (!text ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9lu%c", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ns, &zone) != 8 ||
	    zone != 'Z' || tm.tm_year < 1970)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (uint64_t)timegm(&tm) * NS_PER_S + ns;
}

const char *row_endpoint(const json_t *value, char text[ROW_ENDPOINT])
{
	const char *addr = row_string(value, "addr") ?: "?";

	snprintf(text, ROW_ENDPOINT, strchr(addr, ':') ? "[%.46s]:%u" : "%.46s:%u", addr,
		 (unsigned)json_integer_value(json_object_get(value, "port")));
	return text;
}

static uint8_t class_of(const char *name)
{
	for (uint8_t i = 0; name && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (!strcmp(classes[i], name))
			return i;
	return ROW_UNKNOWN;
}

/* As in the page's percentiles: health checks would make everything look fast. */
static bool is_timed(const char *outcome)
{
	static const char *const timed[] = {"ok",	  "refused",   "redirected", "timed_out",
					    "tls_failed", "abandoned", "dropped"};

	for (size_t i = 0; i < sizeof(timed) / sizeof(timed[0]); i++)
		if (!strcmp(timed[i], outcome))
			return true;
	return false;
}

static void read_waits(struct row *row, const json_t *record, struct name_table *names)
{
	static const char *const sides[] = {"server", "client", "network"};
	const char *most = NULL;

	row->wait_ns = 0;
	for (int i = 0; i < 3; i++) {
		char path[32];
		uint64_t ns;

		snprintf(path, sizeof(path), "waits.%s_ns", sides[i]);
		ns = row_ns(record, path);
		if (ns == ROW_NO_NS || ns <= row->wait_ns)
			continue;
		row->wait_ns = ns;
		most = sides[i];
	}
	row->field[ROW_WAITS] = name_hold(names, most);
}

static void read_needs(struct row *row, const json_t *list, struct name_table *names)
{
	size_t count = json_array_size(list);

	count = count < ROW_NEEDS ? count : ROW_NEEDS;
	row->needs = count ? calloc(count, sizeof(*row->needs)) : NULL;
	for (size_t i = 0; row->needs && i < count; i++) {
		const json_t *need = json_array_get(list, i);
		char peer[ROW_ENDPOINT], text[ROW_ENDPOINT + 16];
		struct row_need *n = &row->needs[row->need_count];
		uint64_t ns = row_ns(need, "ns");

		snprintf(text, sizeof(text), "%.12s %s", row_string(need, "kind") ?: "other",
			 row_endpoint(json_object_get(need, "peer"), peer));
		n->peer = name_hold(names, text);
		n->ns = ns == ROW_NO_NS ? 0 : ns;
		n->requests = (uint32_t)json_integer_value(json_object_get(need, "requests"));
		n->unanswered = (uint32_t)json_integer_value(json_object_get(need, "unanswered"));
		row->need_count += n->peer != NULL;
	}
}

bool row_read(struct row *row, const json_t *record, struct name_table *names)
{
	const json_t *server = json_object_get(record, "server"),
		     *error = row_path(record, "error.number");
	const char *id = row_string(record, "id"), *outcome = row_string(record, "outcome");
	char text[ROW_ENDPOINT];

	memset(row, 0, sizeof(*row));
	row->start_ns = row_time_ns(row_string(record, "time"));
	if (!row->start_ns || !outcome || !json_is_object(server))
		return false;
	row->id = id ? strtoull(id, NULL, 16) : 0;
	row->total_ns = row_ns(record, "total_ns");
	row->end_ns = row->start_ns + (row->total_ns == ROW_NO_NS ? 0 : row->total_ns);
	for (int i = 0; i < ROW_PHASES; i++)
		row->phase_ns[i] = row_ns(record, phases[i]);
	for (int i = 0; i < ROW_FIELDS; i++)
		if (paths[i])
			row->field[i] = name_hold(names, row_string(record, paths[i]));
	row->field[ROW_SERVER] = name_hold(names, row_endpoint(server, text));
	if (json_is_integer(error)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(error));
		row->field[ROW_ERROR] = name_hold(names, text);
	}
	row->client_port = (uint16_t)json_integer_value(row_path(record, "client.port"));
	row->class = class_of(row_text(row, ROW_CLASS));
	row->timed = is_timed(outcome);
	row->sentence = strndup(row_string(record, "verdict.text") ?: "", ROW_SENTENCE);
	read_waits(row, record, names);
	read_needs(row, json_object_get(record, "dependencies"), names);
	return true;
}

void row_release(struct row *row, struct name_table *names)
{
	for (int i = 0; i < ROW_FIELDS; i++)
		name_release(names, row->field[i]);
	for (int i = 0; i < row->need_count; i++)
		name_release(names, row->needs[i].peer);
	free(row->needs);
	free(row->sentence);
	free(row->line);
	memset(row, 0, sizeof(*row));
}
