// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * counters.c - the ways to lose or skip something, as tables over the rooms' statistics.
 */
#include "counters.h"
#include "lib/memory.h"

/* One counter of a structure of uint64_t's. */
struct row {
	const char *name, *text;
	size_t offset;
};

#define ROW(type, member, name, text)                                                              \
	{                                                                                          \
		name, text, offsetof(type, member)                                                 \
	}
#define ENGINE(member, text) ROW(struct engine_stats, member, #member, text)
#define FILES(member, text)  ROW(struct capture_stats, member, "file_" #member, text)
#define TAP(index, name, text)                                                                     \
	{                                                                                          \
		name, text, (index) * sizeof(uint64_t)                                             \
	}

static const struct row engine_rows[] = {
	ENGINE(missing_bytes, "bytes missing: packets lost on the way to us; such logins are "
			      "incomplete"),
	ENGINE(flows_evicted, "connections forgotten early: more than --max-connections at once"),
	ENGINE(buffer_evicted, "streams given up: reassembly memory was used up"),
	ENGINE(messages_refused, "messages left unread or MARS sessions not followed: memory for "
				 "them was used up"),
	ENGINE(clock_steps, "times that a capture's clock jumped"),
	ENGINE(one_sided, "connections of which only one direction was captured"),
	ENGINE(lost_sync, "streams that stopped making sense as TDS, TLS or SMP"),
	ENGINE(out_of_window, "segments too far out of sequence to be believed"),
	ENGINE(pending_suppressed,
	       "waiting logins not reported while they waited: too many at once"),
	ENGINE(duplicates, "packets seen twice; counted once"),
	ENGINE(instances_evicted, "instances forgotten: SQL Server Browser told of too many"),
	ENGINE(browser_evicted, "questions to SQL Server Browser forgotten: too many at once"),
	ENGINE(browser_malformed, "datagrams on UDP 1434 that are none of SQL Server Browser's"),
	ENGINE(browser_cut,
	       "answers of SQL Server Browser cut short: fragments, or the snap length"),
};

static const struct row file_rows[] = {
	FILES(malformed, "packets cut short or malformed before the end of the TCP or UDP header"),
	FILES(truncated, "segments whose payload the capture cut short (snap length)"),
	FILES(fragments, "IP fragments other than the first; not put together"),
	FILES(nested, "packets in more than four tunnels, one within another; not unwrapped"),
};

static const struct row tap_rows[] = {
	TAP(TAP_CNT_LOST, "packets_lost",
	    "packets lost: the ring buffer was full, we were too slow"),
	TAP(TAP_CNT_SHORT, "packets_malformed",
	    "packets cut short or malformed before the end of the TCP or UDP header"),
	TAP(TAP_CNT_FRAGMENT, "packets_fragmented",
	    "IP fragments other than the first; not put together"),
	TAP(TAP_CNT_EXT_HEADERS, "packets_ext_headers",
	    "IPv6 packets with more extension headers than are walked"),
	TAP(TAP_CNT_NESTED, "packets_nested",
	    "packets in more than four tunnels, one within another; not unwrapped"),
	TAP(TAP_CNT_FLOW_MISS, "flow_map_full",
	    "packets of flows the kernel's map had no room for; seen nevertheless"),
	TAP(TAP_CNT_BUDGET, "budget_exceeded",
	    "packets whose payload was not copied: the login had used up its budget"),
	TAP(TAP_CNT_FLOOD, "browser_flood",
	    "datagrams of SQL Server Browser left out: more than 1,024 a second on a CPU"),
	TAP(TAP_CNT_SYNS, "syns_untold",
	    "SYNs that nobody answered or that were refused, too many to list: a flood, or a "
	    "server that is not there"),
	TAP(TAP_CNT_HALF_OPEN, "half_open",
	    "half-open connections, too many to list: a SYN flood with made-up addresses"),
};

static size_t counters_fill(const struct row *rows, size_t count, const void *stats,
			    struct counter *out)
{
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)stats + rows[i].offset;

		out[i] = (struct counter){rows[i].name, rows[i].text, *(const uint64_t *)at};
	}
	return count;
}

#define COUNTERS_FILL(rows, stats, out)                                                            \
	counters_fill(rows, sizeof(rows) / sizeof((rows)[0]), stats, out)

size_t counters_engine(const struct engine_stats *stats, struct counter *out)
{
	return COUNTERS_FILL(engine_rows, stats, out);
}

size_t counters_file(const struct capture_stats *stats, struct counter *out)
{
	return COUNTERS_FILL(file_rows, stats, out);
}

size_t counters_tap(const uint64_t counts[TAP_CNT_MAX], struct counter *out)
{
	return COUNTERS_FILL(tap_rows, counts, out);
}

size_t counters_output(const struct output *out, const struct output *messages,
		       struct counter *counters)
{
	counters[0] = (struct counter){
		"output_lines_lost", "lines of output lost: their reader was too slow, or stopped",
		output_lost(out)};
	counters[1] = (struct counter){"message_lines_lost",
				       "lines of messages (standard error) lost: their reader was "
				       "too slow, or stopped",
				       output_lost(messages)};
	return 2;
}

size_t counters_memory(struct counter *out)
{
	out[0] = (struct counter){"out_of_memory",
				  "times that memory was used up: what needed it is missing",
				  memory_failures()};
	return 1;
}
