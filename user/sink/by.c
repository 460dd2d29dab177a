// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * by.c - see by.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/columns.h"
#include "lib/utf8.h"
#include "sink/by.h"

#define BY_TEXT	  256 /* bytes of a group's words */
#define BY_COLUMN 22  /* columns of a key, but for the last one */

static const char *by_client(const struct login_record *rec, char text[SINK_ENDPOINT_MAX])
{
	return sink_addr(login_record_client(rec)->addr, text);
}

static const char *by_server(const struct login_record *rec, char text[SINK_ENDPOINT_MAX])
{
	return sink_endpoint(&rec->server, text);
}

#define BY_FACT(name, fact)                                                                        \
	static const char *by_##name(const struct login_record *rec, char text[SINK_ENDPOINT_MAX]) \
	{                                                                                          \
		(void)text;                                                                        \
		return fact;                                                                       \
	}

BY_FACT(app, rec->tds.app)
BY_FACT(driver, rec->tds.driver)
BY_FACT(database, rec->tds.database)
BY_FACT(host, rec->tds.host)
BY_FACT(outcome, outcome_name(rec->outcome))
BY_FACT(verdict, verdict_name(rec->verdict.id))
BY_FACT(auth, auth_method_name(rec->auth.method))
BY_FACT(encryption, encryption_name(rec->encryption.effective))

static const struct {
	const char *name;
	const char *(*of)(const struct login_record *rec, char text[SINK_ENDPOINT_MAX]);
} by_rows[] = {
	{"client", by_client},	       {"server", by_server},	  {"app", by_app},
	{"driver", by_driver},	       {"database", by_database}, {"host", by_host},
	{"outcome", by_outcome},       {"verdict", by_verdict},	  {"auth", by_auth},
	{"encryption", by_encryption},
};

#define BY_ROWS (sizeof(by_rows) / sizeof(by_rows[0]))

struct by_group {
	char *words; /* the key of the tree */
	uint64_t logins, failed, slow, timed;
	uint64_t sum_ns, max_ns; /* of those whose times count */
};

struct by {
	struct sink_config config;
	void *tree; /* of groups, by their words: tsearch(3) */
	struct by_group *groups[BY_MOST];
	size_t count;
	struct by_group other;
	uint64_t logins;
};

int by_parse(struct by_keys *by, const char *list, char why[BY_WHY])
{
	by->count = 0;
	do {
		size_t len = strcspn(list, ","), i = 0;

		while (i < BY_ROWS &&
		       (strlen(by_rows[i].name) != len || strncmp(by_rows[i].name, list, len)))
			i++;
		if (i == BY_ROWS) {
			snprintf(why, BY_WHY,
				 "'%.*s' is no key: use client, server, app, driver, database, "
				 "host, "
				 "outcome, verdict, auth or encryption",
				 (int)(len < 24 ? len : 24), list);
			return -EINVAL;
		}
		if (by->count == BY_KEYS) {
			snprintf(why, BY_WHY, "more than %d keys", BY_KEYS);
			return -EINVAL;
		}
		by->keys[by->count++] = (uint8_t)i;
		list += len;
	} while (*list++ == ',');
	return 0;
}

static void *by_open(const struct sink_config *config)
{
	struct by *by = calloc(1, sizeof(*by));

	if (by)
		by->config = *config;
	return by;
}

static int by_compare(const void *a, const void *b)
{
	return strcmp(((const struct by_group *)a)->words, ((const struct by_group *)b)->words);
}

static void by_clear(struct by *by)
{
	for (size_t i = 0; i < by->count; i++) {
		tdelete(by->groups[i], &by->tree, by_compare);
		free(by->groups[i]->words);
		free(by->groups[i]);
	}
	by->count = 0;
	by->logins = 0;
	by->other = (struct by_group){0};
}

static void by_free(void *ctx)
{
	if (ctx)
		by_clear(ctx);
	free(ctx);
}

/* Each but the last one in a column of its own. */
static void by_words(const struct by *by, const struct login_record *rec, char text[BY_TEXT])
{
	const struct by_keys *keys = by->config.by;
	char room[SINK_ENDPOINT_MAX];
	size_t len = 0;

	*text = '\0';
	for (unsigned i = 0; i < keys->count && len < BY_TEXT - 1; i++) {
		const char *word = by_rows[keys->keys[i]].of(rec, room);
		unsigned columns = columns_count(word ?: "?");
		int pad =
			i + 1 < keys->count && columns < BY_COLUMN ? (int)(BY_COLUMN - columns) : 0;

		len += (size_t)snprintf(text + len, BY_TEXT - len, "%s%s%*s", i ? " " : "",
					word ?: "?", pad, "");
	}
}

/* The group of these words; the other one if there is no room for it. */
static struct by_group *by_group_of(struct by *by, char *words)
{
	struct by_group probe = {.words = words}, *group;
	void *found = tfind(&probe, &by->tree, by_compare);

	if (found)
		return *(struct by_group **)found;
	group = by->count < BY_MOST ? calloc(1, sizeof(*group)) : NULL;
	if (!group)
		return &by->other;
	group->words = strdup(words);
	if (!group->words || !tsearch(group, &by->tree, by_compare)) {
		free(group->words);
		free(group);
		return &by->other;
	}
	by->groups[by->count++] = group;
	return group;
}

static void by_login(void *ctx, const struct login_record *rec)
{
	struct by *by = ctx;
	struct by_group *group;
	char words[BY_TEXT];

	by_words(by, rec, words);
	group = by_group_of(by, words);
	by->logins++;
	group->logins++;
	group->failed += sink_failed(rec);
	group->slow += rec->verdict.class == VERDICT_SLOW;
	if (!sink_timed(rec) || rec->total_ns == NO_NS)
		return;
	group->timed++;
	group->sum_ns += rec->total_ns;
	group->max_ns = rec->total_ns > group->max_ns ? rec->total_ns : group->max_ns;
}

static int by_size(const void *a, const void *b)
{
	const struct by_group *x = *(struct by_group *const *)a, *y = *(struct by_group *const *)b;

	if (x->logins != y->logins)
		return x->logins < y->logins ? 1 : -1;
	return strcmp(x->words, y->words);
}

static void by_line(const struct by *by, const struct by_group *group, const char *words)
{
	char mean[CLOCK_TEXT] = "-", most[CLOCK_TEXT] = "-", *copy = utf8_printable(words);

	if (group->timed) {
		clock_duration(group->sum_ns / group->timed, mean);
		clock_duration(group->max_ns, most);
	}
	/* printf() counts bytes, and "µ" has two. */
	output_printf(by->config.out, "%8" PRIu64 " %7" PRIu64 " %7" PRIu64 " %*s %*s  %s\n",
		      group->logins, group->failed, group->slow, 8 + (strstr(mean, "µ") != NULL),
		      mean, 8 + (strstr(most, "µ") != NULL), most, copy ?: "");
	free(copy);
}

static void by_add(struct by_group *sum, const struct by_group *group)
{
	sum->logins += group->logins;
	sum->failed += group->failed;
	sum->slow += group->slow;
	sum->timed += group->timed;
	sum->sum_ns += group->sum_ns;
	sum->max_ns = group->max_ns > sum->max_ns ? group->max_ns : sum->max_ns;
}

static void by_header(const struct by *by, unsigned seconds)
{
	const struct by_keys *keys = by->config.by;
	struct output *out = by->config.out;

	output_printf(out, "%" PRIu64 " login%s", by->logins, by->logins == 1 ? "" : "s");
	if (seconds)
		output_printf(out, " in %u s", seconds);
	output_printf(out, "\n%8s %7s %7s %8s %8s  ", "logins", "failed", "slow", "mean", "max");
	for (unsigned i = 0; i < keys->count; i++)
		output_printf(out, "%s%-*s", i ? " " : "", i + 1 < keys->count ? BY_COLUMN : 0,
			      by_rows[keys->keys[i]].name);
	output_printf(out, "\n");
}

void by_print(void *ctx, unsigned seconds)
{
	struct by *by = ctx;

	by_header(by, seconds);
	if (by->count)
		qsort(by->groups, by->count, sizeof(by->groups[0]), by_size);
	for (size_t i = 0; i < by->count; i++)
		if (i < BY_SHOWN)
			by_line(by, by->groups[i], by->groups[i]->words);
		else
			by_add(&by->other, by->groups[i]);
	if (by->other.logins)
		by_line(by, &by->other, "other");
	output_printf(by->config.out, "\n");
	output_record_end(by->config.out);
	by_clear(by);
}

const struct sink_ops by_sink = {
	.name = "by",
	.open = by_open,
	.login = by_login,
	.free = by_free,
};
