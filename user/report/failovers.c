// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * failovers.c - see failovers.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "report/failovers.h"
#include "report/writer.h"
#include "sink/sink.h"

#define FAILOVERS_CELL 64

enum failovers_column {
	AT_BEGIN,
	AT_SERVER,
	AT_KIND,
	AT_BASIS,
	AT_TO,
	AT_CLOSED,
	AT_OPEN,
	AT_CLIENTS,
	AT_WITHIN,
	AT_FAILED,
	AT_LOGIN,
	AT_COLUMNS
};

/* An event that goes on comes again, with the same number. */
static void failovers_on_event(void *ctx, const struct failover_event *event)
{
	struct failovers *f = ctx;

	if (event->id > f->found)
		f->found = event->id;
	if (event->id <= FAILOVERS_MOST)
		f->events[event->id - 1] = *event;
}

bool failovers_init(struct failovers *f)
{
	f->finder = failover_new(failovers_on_event, f);
	return f->finder;
}

void failovers_release(struct failovers *f)
{
	failover_free(f->finder);
}

/* Records have the time of what they are about; the finder's tick comes about once a second of it. */
static void failovers_tick(struct failovers *f, uint64_t now_ns)
{
	if (now_ns < f->tick_ns)
		return;
	failover_tick(f->finder, now_ns);
	f->tick_ns = now_ns + NS_PER_S;
}

void failovers_login(struct failovers *f, const struct login_record *rec)
{
	failovers_tick(f, rec->end_ns);
	failover_login(f->finder, rec);
}

void failovers_close(struct failovers *f, const struct close_record *rec)
{
	failovers_tick(f, rec->time_ns);
	failover_close(f->finder, rec);
}

static const char *count_text(uint64_t n, char text[FAILOVERS_CELL])
{
	snprintf(text, FAILOVERS_CELL, "%" PRIu64, n);
	return text;
}

static const char *begin_text(const struct failover_event *event, const struct wallclock *clock,
			      char text[FAILOVERS_CELL])
{
	char time[CLOCK_TEXT];

	clock_rfc3339(wallclock_ns(clock, event->begin_ns), time);
	time[10] = ' ';
	snprintf(text, FAILOVERS_CELL, "%.23s", time);
	return text;
}

static const char *to_text(const struct failover_event *event, char text[FAILOVERS_CELL])
{
	if (event->login_ns == NO_NS)
		return "";
	return event->kind == FAILOVER_ELSEWHERE ? sink_endpoint(&event->to, text)
						 : "the same address";
}

static void write_row(const struct failover_event *event, const struct wallclock *clock,
		      char *cells[AT_COLUMNS])
{
	char text[FAILOVERS_CELL];

	cells[AT_BEGIN] = strdup(begin_text(event, clock, text));
	cells[AT_SERVER] = strdup(sink_endpoint(&event->server, text));
	cells[AT_KIND] = strdup(failover_kind_text(event->kind));
	cells[AT_BASIS] = strdup(
		basis_name(event->kind == FAILOVER_CLOSED ? BASIS_OBSERVED : BASIS_INFERRED));
	cells[AT_TO] = strdup(to_text(event, text));
	cells[AT_CLOSED] = strdup(count_text(event->closed, text));
	cells[AT_OPEN] = strdup(count_text(event->open, text));
	cells[AT_CLIENTS] = strdup(count_text(event->clients, text));
	cells[AT_WITHIN] = strdup(clock_duration(event->close_ns, text));
	cells[AT_FAILED] = strdup(count_text(event->failed, text));
	cells[AT_LOGIN] = strdup(event->login_ns == NO_NS ? "none was seen"
							  : clock_duration(event->login_ns, text));
}

void failovers_write(struct writer *w, const struct failovers *f, const struct wallclock *clock)
{
	struct writer_table t = {.columns = AT_COLUMNS,
				 .column = {[AT_BEGIN] = {"began (UTC)", false, MOOD_NONE},
					    [AT_SERVER] = {"server", false, MOOD_NONE},
					    [AT_KIND] = {"what it looks like", false, MOOD_NONE},
					    [AT_BASIS] = {"basis", false, MOOD_NONE},
					    [AT_TO] = {"next good login at", false, MOOD_NONE},
					    [AT_CLOSED] = {"sessions closed", true, MOOD_BAD},
					    [AT_OPEN] = {"of", true, MOOD_NONE},
					    [AT_CLIENTS] = {"clients", true, MOOD_NONE},
					    [AT_WITHIN] = {"within", true, MOOD_NONE},
					    [AT_FAILED] = {"logins failed", true, MOOD_BAD},
					    [AT_LOGIN] = {"good login after", true, MOOD_NONE}},
				 .rows = f->found < FAILOVERS_MOST ? f->found : FAILOVERS_MOST};
	char more[80];

	if (!f->found)
		return;
	if (t.rows > w->rows_most)
		t.rows = w->rows_most;
	snprintf(more, sizeof(more), "%" PRIu64 " further events are not shown.",
		 f->found - t.rows);
	t.more = f->found > t.rows ? more : NULL;
	w->ops->section(w, "failovers", "Failovers",
			"A server closed three quarters of its sessions or more, at most 2 s "
			"between one and the next. What it looks like is inferred from where "
			"their clients logged in next.");
	t.cells = calloc(t.rows * t.columns, sizeof(*t.cells));
	for (size_t i = 0; t.cells && i < t.rows; i++)
		write_row(&f->events[i], clock, t.cells + i * t.columns);
	if (t.cells)
		w->ops->table(w, &t);
	for (size_t i = 0; t.cells && i < t.rows * t.columns; i++)
		free(t.cells[i]);
	free(t.cells);
}
