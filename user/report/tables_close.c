// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tables_close.c - those functions of the tables that read how connections ended.
 */
#include <stdio.h>
#include <string.h>

#include "report/tables.h"

#define RESETTER_MAX 32
#define POOL_SHORT   3 /* requests of a session that a pool would have spared */

struct ends {
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];
};

static void ends_of(const struct close_record *rec, struct ends *e)
{
	sink_addr(rec->client.addr, e->client);
	sink_endpoint(&rec->server, e->server);
}

static const char *by_of(const struct close_record *rec)
{
	return rec->by == SIDE_NONE ? "-" : side_name(rec->by);
}

static const char *verdict_of(const struct close_record *rec)
{
	return verdict_name(rec->verdict.id) ?: "-";
}

static uint64_t requests_of(const struct close_record *rec)
{
	uint64_t n = 0;

	for (int i = 0; i < COMMAND_COUNT; i++)
		n += i == COMMAND_ATTENTION ? 0 : rec->commands[i];
	return n;
}

void table_close_endings(struct survey *s, struct groups *g, const struct close_record *rec)
{
	(void)s;
	table_count(g, by_of(rec), close_how_name(rec->how), phase_name(rec->phase),
		    verdict_of(rec), NULL);
}

/* Who sent the RST, and from what distance: the hops of a device are not its side's. */
static void resetter_of(const struct close_record *rec, char out[static RESETTER_MAX])
{
	if (rec->reset_hops == NO_HOPS)
		snprintf(out, RESETTER_MAX, "%s", by_of(rec));
	else
		snprintf(out, RESETTER_MAX, "%s, %d hop%s away", by_of(rec), rec->reset_hops,
			 rec->reset_hops == 1 ? "" : "s");
}

void table_close_resets(struct survey *s, struct groups *g, const struct close_record *rec)
{
	char by[RESETTER_MAX];
	struct ends e;

	(void)s;
	if (rec->how != CLOSE_RST || rec->graceful || rec->phase == PHASE_TCP)
		return;
	ends_of(rec, &e);
	resetter_of(rec, by);
	table_count(g, by, phase_name(rec->phase), verdict_of(rec), e.client, e.server, NULL);
}

void table_close_attentions(struct survey *s, struct groups *g, const struct close_record *rec)
{
	struct group *row;
	struct ends e;

	(void)s;
	if (!rec->commands[COMMAND_ATTENTION])
		return;
	ends_of(rec, &e);
	row = table_count(g, e.client, e.server, NULL);
	row->extra[0] += rec->commands[COMMAND_ATTENTION];
	row->extra[1] += requests_of(rec);
}

/* Sessions that were cut short by the capture say nothing about how many requests they had. */
void table_close_pools(struct survey *s, struct groups *g, const struct close_record *rec)
{
	bool whole = rec->how == CLOSE_FIN || rec->how == CLOSE_RST;
	struct group *row;
	struct ends e;

	(void)s;
	if (rec->phase != PHASE_SESSION || rec->commands_unfollowed)
		return;
	ends_of(rec, &e);
	row = table_count(g, e.client, e.server, NULL);
	row->extra[0] += requests_of(rec);
	row->extra[1] += rec->reset_connections;
	row->extra[2] += whole && rec->has_login && requests_of(rec) <= POOL_SHORT &&
			 !rec->reset_connections;
	row->extra[3] += rec->bytes[SIDE_CLIENT];
	row->extra[4] += rec->bytes[SIDE_SERVER];
}

void table_close_mars(struct survey *s, struct groups *g, const struct close_record *rec)
{
	struct group *row;
	struct ends e;

	(void)s;
	if (!rec->has_mars)
		return;
	ends_of(rec, &e);
	row = table_count(g, e.client, e.server, basis_name(rec->mars_basis), NULL);
	row->extra[0] += rec->mars_sessions;
	row->extra[1] += rec->mars_open;
	row->extra[2] += rec->mars_window_stalls;
}

/* Did it end because nobody was there any more after a silence? */
static bool is_idle_end(const struct close_record *rec)
{
	return rec->verdict.id == V_IDLE_DROPPED || rec->verdict.id == V_KEEPALIVE_DEAD;
}

void table_close_paths(struct survey *s, struct groups *g, const struct close_record *rec)
{
	struct group *row;
	struct ends e;

	(void)s;
	if (is_idle_end(rec) || !rec->unacknowledged.sent)
		return;
	ends_of(rec, &e);
	row = table_count(g, "never acknowledged", e.client, e.server, NULL);
	row->extra[0] += rec->unacknowledged.bytes;
	row->extra[1] += rec->unacknowledged.sent;
}

void table_close_keepalives(struct survey *s, struct groups *g, const struct close_record *rec)
{
	struct group *row;
	struct ends e;

	(void)s;
	if (!is_idle_end(rec))
		return;
	ends_of(rec, &e);
	row = table_count(g, verdict_of(rec), by_of(rec), e.client, e.server, NULL);
	table_least(row, 0, rec->duration_ns == NO_NS ? 0 : rec->duration_ns);
	row->extra[1] += rec->unacknowledged.bytes;
	row->extra[2] += rec->unacknowledged.sent;
}

void table_close_redirects(struct survey *s, struct groups *g, const struct close_record *rec)
{
	struct ends e;

	(void)s;
	ends_of(rec, &e);
	if (rec->has_login && rec->login == OUTCOME_REDIRECTED)
		table_count(g, e.client, e.server, verdict_of(rec), NULL);
}
