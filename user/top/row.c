// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * row.c - see row.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_pick.h"
#include "lib/units.h"
#include "top/row.h"

#define ROW_SIDES 3 /* that a login waits on */

static const char *const fields[ROW_FIELDS] = {
	[ROW_CLIENT] = "client",   [ROW_SERVER] = "server",	[ROW_APP] = "app",
	[ROW_DRIVER] = "driver",   [ROW_DATABASE] = "database", [ROW_HOST] = "host",
	[ROW_USER] = "user",	   [ROW_OUTCOME] = "outcome",	[ROW_CLASS] = "class",
	[ROW_VERDICT] = "verdict", [ROW_ERROR] = "error",	[ROW_WAITS] = "waits",
};

/* What a row needs of a record: the fields that are texts first, by enum row_field. */
enum row_pick {
	PICK_ID = ROW_FIELDS,
	PICK_TIME,
	PICK_CLIENT_PORT,
	PICK_SERVER, /* the object */
	PICK_SERVER_ADDR,
	PICK_SERVER_PORT,
	PICK_TOTAL,
	PICK_PHASES,
	PICK_WAITS = PICK_PHASES + ROW_PHASES,
	PICK_TEXT = PICK_WAITS + ROW_SIDES,
	PICK_NEEDS,
	PICK_REST, /* not used */
	PICKS
};

static const struct json_want client[] = {
	JSON_WANT("addr", ROW_CLIENT, NULL), JSON_WANT("port", PICK_CLIENT_PORT, NULL), {0}};
static const struct json_want server[] = {
	JSON_WANT("addr", PICK_SERVER_ADDR, NULL), JSON_WANT("port", PICK_SERVER_PORT, NULL), {0}};
static const struct json_want tds[] = {JSON_WANT("driver", ROW_DRIVER, NULL),
				       JSON_WANT("app", ROW_APP, NULL),
				       JSON_WANT("host", ROW_HOST, NULL),
				       JSON_WANT("database", ROW_DATABASE, NULL),
				       {0}};
static const struct json_want auth[] = {JSON_WANT("user", ROW_USER, NULL), {0}};
static const struct json_want error[] = {JSON_WANT("number", ROW_ERROR, NULL), {0}};
static const struct json_want phases[] = {JSON_WANT("tcp_ns", PICK_PHASES, NULL),
					  JSON_WANT("prelogin_ns", PICK_PHASES + 1, NULL),
					  JSON_WANT("tls_ns", PICK_PHASES + 2, NULL),
					  JSON_WANT("login_ns", PICK_PHASES + 3, NULL),
					  JSON_WANT("auth_ns", PICK_PHASES + 4, NULL),
					  {0}};
static const struct json_want waits[] = {JSON_WANT("server_ns", PICK_WAITS, NULL),
					 JSON_WANT("client_ns", PICK_WAITS + 1, NULL),
					 JSON_WANT("network_ns", PICK_WAITS + 2, NULL),
					 {0}};
static const struct json_want verdict[] = {JSON_WANT("name", ROW_VERDICT, NULL),
					   JSON_WANT("class", ROW_CLASS, NULL),
					   JSON_WANT("text", PICK_TEXT, NULL),
					   {0}};
static const struct json_want login[] = {
	JSON_WANT("id", PICK_ID, NULL),		  JSON_WANT("time", PICK_TIME, NULL),
	JSON_WANT("client", PICK_REST, client),	  JSON_WANT("server", PICK_SERVER, server),
	JSON_WANT("tds", PICK_REST, tds),	  JSON_WANT("auth", PICK_REST, auth),
	JSON_WANT("outcome", ROW_OUTCOME, NULL),  JSON_WANT("error", PICK_REST, error),
	JSON_WANT("total_ns", PICK_TOTAL, NULL),  JSON_WANT("phases", PICK_REST, phases),
	JSON_WANT("waits", PICK_REST, waits),	  JSON_WANT("dependencies", PICK_NEEDS, NULL),
	JSON_WANT("verdict", PICK_REST, verdict), {0}};

/* Of a dependency. */
enum need_pick {
	NEED_KIND,
	NEED_ADDR,
	NEED_PORT,
	NEED_NS,
	NEED_REQUESTS,
	NEED_UNANSWERED,
	NEED_REST, /* not used */
	NEED_PICKS
};

static const struct json_want need_peer[] = {
	JSON_WANT("addr", NEED_ADDR, NULL), JSON_WANT("port", NEED_PORT, NULL), {0}};
static const struct json_want need[] = {JSON_WANT("kind", NEED_KIND, NULL),
					JSON_WANT("peer", NEED_REST, need_peer),
					JSON_WANT("ns", NEED_NS, NULL),
					JSON_WANT("requests", NEED_REQUESTS, NULL),
					JSON_WANT("unanswered", NEED_UNANSWERED, NULL),
					{0}};

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

/* A number of exactly count digits, 10 at most; *text moves past it and the character after it. */
static unsigned long digits(const char **text, int count, char after, bool *good)
{
	unsigned long n = 0;

	for (int i = 0; *good && i < count; i++) {
		*good = **text >= '0' && **text <= '9';
		n = n * 10 + (unsigned long)(**text - '0');
		(*text)++;
	}
	*good = *good && **text == after;
	if (*good)
		(*text)++;
	return n;
}

uint64_t row_time_ns(const char *text)
{
	struct tm tm = {0};
	unsigned long ns;
	bool good = text != NULL;

	tm.tm_year = (int)digits(&text, 4, '-', &good);
	tm.tm_mon = (int)digits(&text, 2, '-', &good);
	tm.tm_mday = (int)digits(&text, 2, 'T', &good);
	tm.tm_hour = (int)digits(&text, 2, ':', &good);
	tm.tm_min = (int)digits(&text, 2, ':', &good);
	tm.tm_sec = (int)digits(&text, 2, '.', &good);
	ns = digits(&text, 9, 'Z', &good);
	if (!good || tm.tm_year < 1970)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (uint64_t)timegm(&tm) * NS_PER_S + ns;
}

static const char *endpoint_text(const char *addr, unsigned port, char text[ROW_ENDPOINT])
{
	snprintf(text, ROW_ENDPOINT, strchr(addr, ':') ? "[%.46s]:%u" : "%.46s:%u", addr, port);
	return text;
}

const char *row_endpoint(const json_t *value, char text[ROW_ENDPOINT])
{
	return endpoint_text(row_string(value, "addr") ?: "?",
			     (unsigned)json_integer_value(json_object_get(value, "port")), text);
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

/* ---- of what was picked ---- */

static int64_t integer_of(struct json_text value)
{
	int64_t n;

	return picked_integer(value, &n) ? n : 0;
}

static uint64_t ns_of(struct json_text value)
{
	int64_t n;

	return picked_integer(value, &n) && n >= 0 ? (uint64_t)n : ROW_NO_NS;
}

static struct name *name_of(struct json_text value, struct name_table *names)
{
	char text[NAME_MAX_LEN + 8]; /* a character more than a name keeps */

	return picked_string(value, text, sizeof(text)) ? name_hold(names, text) : NULL;
}

static const char *endpoint_of(struct json_text addr, struct json_text port,
			       char text[ROW_ENDPOINT])
{
	char host[ROW_ENDPOINT];

	return endpoint_text(picked_string(addr, host, sizeof(host)) ? host : "?",
			     (unsigned)integer_of(port), text);
}

static void read_waits(struct row *row, const struct json_text *picked, struct name_table *names)
{
	static const char *const sides[ROW_SIDES] = {"server", "client", "network"};
	const char *most = NULL;

	row->wait_ns = 0;
	for (int i = 0; i < ROW_SIDES; i++) {
		uint64_t ns = ns_of(picked[PICK_WAITS + i]);

		if (ns == ROW_NO_NS || ns <= row->wait_ns)
			continue;
		row->wait_ns = ns;
		most = sides[i];
	}
	row->field[ROW_WAITS] = name_hold(names, most);
}

static void read_need(struct row *row, struct json_text text, struct name_table *names)
{
	struct row_need *n = &row->needs[row->need_count];
	struct json_text picked[NEED_PICKS] = {0};
	char kind[13], peer[ROW_ENDPOINT], name[ROW_ENDPOINT + 16];
	uint64_t ns;

	json_pick(text.at, text.len, need, picked);
	ns = ns_of(picked[NEED_NS]);
	snprintf(name, sizeof(name), "%s %s",
		 picked_string(picked[NEED_KIND], kind, sizeof(kind)) ? kind : "other",
		 endpoint_of(picked[NEED_ADDR], picked[NEED_PORT], peer));
	n->peer = name_hold(names, name);
	n->ns = ns == ROW_NO_NS ? 0 : ns;
	n->requests = (uint32_t)integer_of(picked[NEED_REQUESTS]);
	n->unanswered = (uint32_t)integer_of(picked[NEED_UNANSWERED]);
	row->need_count += n->peer != NULL;
}

static void read_needs(struct row *row, struct json_text list, struct name_table *names)
{
	struct json_text one;
	size_t at = 0;

	if (!picked_next(list, &at, &one))
		return;
	row->needs = calloc(ROW_NEEDS, sizeof(*row->needs));
	if (!row->needs)
		return;
	do
		read_need(row, one, names);
	while (row->need_count < ROW_NEEDS && picked_next(list, &at, &one));
}

static void read_fields(struct row *row, const struct json_text *picked, struct name_table *names)
{
	char text[ROW_ENDPOINT];
	int64_t number;

	for (int i = 0; i < ROW_FIELDS; i++)
		row->field[i] = name_of(picked[i], names);
	row->field[ROW_SERVER] = name_hold(
		names, endpoint_of(picked[PICK_SERVER_ADDR], picked[PICK_SERVER_PORT], text));
	if (picked_integer(picked[ROW_ERROR], &number)) {
		snprintf(text, sizeof(text), "%lld", (long long)number);
		row->field[ROW_ERROR] = name_hold(names, text);
	}
	read_waits(row, picked, names);
}

bool row_read(struct row *row, const char *line, size_t len, struct name_table *names)
{
	struct json_text picked[PICKS] = {0};
	char text[ROW_SENTENCE + 1];

	memset(row, 0, sizeof(*row));
	if (!json_pick(line, len, login, picked) || !picked[PICK_SERVER].at ||
	    *picked[PICK_SERVER].at != '{')
		return false;
	if (picked_string(picked[PICK_ID], text, sizeof(text)))
		row->id = strtoull(text, NULL, 16);
	picked_string(picked[PICK_TIME], text, sizeof(text));
	row->start_ns = row_time_ns(text);
	if (!row->start_ns || !picked_string(picked[ROW_OUTCOME], text, sizeof(text)))
		return false;
	row->timed = is_timed(text);
	row->total_ns = ns_of(picked[PICK_TOTAL]);
	row->end_ns = row->start_ns + (row->total_ns == ROW_NO_NS ? 0 : row->total_ns);
	for (int i = 0; i < ROW_PHASES; i++)
		row->phase_ns[i] = ns_of(picked[PICK_PHASES + i]);
	row->client_port = (uint16_t)integer_of(picked[PICK_CLIENT_PORT]);
	read_fields(row, picked, names);
	row->class = class_of(row_text(row, ROW_CLASS));
	picked_string(picked[PICK_TEXT], text, sizeof(text));
	row->sentence = strdup(text);
	read_needs(row, picked[PICK_NEEDS], names);
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
