// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * login_history.c - see login_history.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log_histogram.h"
#include "lib/units.h"
#include "sink/page/login_history_int.h"
#include "sink/sink.h"

#define LOGIN_HISTORY_PIECE 64 /* slots in a piece of the document */

struct login_history *login_history_new(void)
{
	return calloc(1, sizeof(struct login_history));
}

void login_history_free(struct login_history *history)
{
	free(history);
}

void login_history_add_cause(struct login_history_slot *slot, uint32_t verdict, uint32_t count)
{
	struct login_history_cause *last = &slot->causes[LOGIN_HISTORY_CAUSES - 1],
				   *c = slot->causes;

	while (c < last && c->count && c->verdict != verdict)
		c++;
	if (c == last)
		verdict = V_NONE;
	c->verdict = verdict;
	c->count += count;
}

static unsigned time_bucket(uint64_t ns)
{
	unsigned first = log_bucket(1ull << LOGIN_HISTORY_LEAST, LOGIN_HISTORY_BITS);
	unsigned bucket = log_bucket(ns, LOGIN_HISTORY_BITS);

	if (bucket < first)
		return 0;
	bucket = bucket - first + 1;
	return bucket < LOGIN_HISTORY_BUCKETS ? bucket : LOGIN_HISTORY_BUCKETS - 1;
}

/*
 * The slot of a time, emptied if it held another one. NULL: the time is too old, the slot holds a later
 * one. A later one that is still to come is left from before the clock was set back.
 */
static struct login_history_slot *slot_at(struct login_history *history, uint64_t wall_s,
					  unsigned period)
{
	size_t index = login_history_index(wall_s, period);
	struct login_history_slot *slot = &history->slots[index];
	uint64_t start_s = wall_s - wall_s % period;
	bool changed = slot->changed;

	if (slot->start_s > start_s && slot->start_s <= history->now_s)
		return NULL;
	if (slot->start_s != start_s)
		*slot = (struct login_history_slot){.start_s = start_s, .changed = changed};
	if (slot->changed)
		return slot;
	if (history->changed_count == LOGIN_HISTORY_CHANGED) {
		history->changed_more = true;
		return slot;
	}
	slot->changed = true;
	history->changed[history->changed_count++] = (uint16_t)index;
	return slot;
}

static void slot_add(struct login_history_slot *slot, const struct login_record *rec)
{
	if (!slot)
		return;
	if (rec->verdict.class == VERDICT_ENDED) {
		slot->ended++;
		return;
	}
	slot->logins++;
	slot->failed += sink_failed(rec);
	slot->slow += rec->verdict.class == VERDICT_SLOW;
	if (sink_is_problem(rec))
		login_history_add_cause(slot, rec->verdict.id, 1);
	if (sink_timed(rec) && rec->total_ns != NO_NS)
		slot->buckets[time_bucket(rec->total_ns)]++;
}

void login_history_tick(struct login_history *history, uint64_t wall_ns)
{
	history->now_s = wall_ns / NS_PER_S;
}

void login_history_add(struct login_history *history, uint64_t wall_ns,
		       const struct login_record *rec)
{
	uint64_t wall_s = wall_ns / NS_PER_S;

	slot_add(slot_at(history, wall_s, 60), rec);
	slot_add(slot_at(history, wall_s, 1), rec);
	history->unsaved = true;
}

/* Pairs of numbers, of which the second one is not 0. */
static void pair_write(struct strbuf *out, const char **comma, uint64_t a, uint64_t b)
{
	strbuf_adds(out, *comma);
	strbuf_addu(out, a);
	strbuf_adds(out, ",");
	strbuf_addu(out, b);
	*comma = ",";
}

static void slot_write(const struct login_history_slot *slot, unsigned period, struct strbuf *out)
{
	const uint64_t numbers[] = {period,	  slot->start_s, slot->logins,
				    slot->failed, slot->slow,	 slot->ended};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		strbuf_adds(out, i ? "," : "[");
		strbuf_addu(out, numbers[i]);
	}
	strbuf_adds(out, ",[");
	for (unsigned i = 0; i < LOGIN_HISTORY_CAUSES; i++)
		if (slot->causes[i].count)
			pair_write(out, &comma, slot->causes[i].verdict, slot->causes[i].count);
	strbuf_adds(out, "],[");
	comma = "";
	for (unsigned i = 0; i < LOGIN_HISTORY_BUCKETS; i++)
		if (slot->buckets[i])
			pair_write(out, &comma, i, slot->buckets[i]);
	strbuf_adds(out, "]]");
}

int login_history_changed(struct login_history *history, struct strbuf *out)
{
	int count = (int)history->changed_count;
	bool more = history->changed_more;

	for (int i = 0; i < count; i++) {
		size_t index = history->changed[i];

		history->slots[index].changed = false;
		if (more)
			continue;
		strbuf_adds(out, i ? "," : "");
		slot_write(&history->slots[index], login_history_period(index), out);
	}
	history->changed_count = 0;
	history->changed_more = false;
	return more ? -1 : count;
}

static void piece_begin(uint64_t now_s, struct strbuf *out)
{
	strbuf_addf(out,
		    "{\"v\":1,\"now\":%llu,\"bits\":%d,\"least\":%d,\"buckets\":%d,\"verdicts\":[",
		    (unsigned long long)now_s, LOGIN_HISTORY_BITS, LOGIN_HISTORY_LEAST,
		    LOGIN_HISTORY_BUCKETS);
	for (int i = 0; i < VERDICT_COUNT; i++)
		strbuf_addf(out, "%s\"%s\"", i ? "," : "", verdict_name((enum verdict)i) ?: "");
	strbuf_adds(out, "],\"slots\":[null"); /* so that every slot follows a comma */
}

/* Only what the document's time has: a clock that was set back leaves slots of times to come. */
static bool slot_is_within(const struct login_history_slot *slot, size_t index, uint64_t now_s)
{
	uint64_t span = index < LOGIN_HISTORY_MINUTES ? 60ull * LOGIN_HISTORY_MINUTES
						      : LOGIN_HISTORY_SECONDS;

	return slot->start_s && slot->start_s <= now_s && now_s - slot->start_s < span;
}

void login_history_piece(const struct login_history *history, uint64_t *from, uint64_t now_s,
			 struct strbuf *out)
{
	unsigned count = 0;

	if (!*from)
		piece_begin(now_s, out);
	/* The slots' places are 1 to LOGIN_HISTORY_SLOTS. */
	*from += !*from;
	while (*from <= LOGIN_HISTORY_SLOTS && count < LOGIN_HISTORY_PIECE) {
		size_t index = (*from)++ - 1;
		const struct login_history_slot *slot = &history->slots[index];

		if (!slot_is_within(slot, index, now_s))
			continue;
		strbuf_adds(out, ",");
		slot_write(slot, login_history_period(index), out);
		count++;
	}
	if (*from == LOGIN_HISTORY_SLOTS + 1 && !count) {
		strbuf_adds(out, "]}\n");
		(*from)++;
	}
}

bool login_history_is_unsaved(const struct login_history *history)
{
	return history->unsaved;
}
