// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * counters.c - everything that can be lost or skipped, as tables over the rooms' statistics.
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
#define ENGINE(member, name, text) ROW(struct engine_stats, member, name, text)
#define FILES(member, name, text)  ROW(struct capture_stats, member, name, text)
#define TAP(index, name, text)                                                                     \
	{                                                                                          \
		name, text, (index) * sizeof(uint64_t)                                             \
	}

#define MALFORMED  "packets cut short or malformed before the end of the TCP or UDP header"
#define FRAGMENTED "IP fragments after the first; fragments are not reassembled"
#define NESTED	   "packets in more than four nested tunnels; not unwrapped"

static const struct row engine_rows[] = {
	ENGINE(missing_bytes, "missing_bytes",
	       "bytes missing: packets were lost before tdsmon saw them; such logins are "
	       "incomplete"),
	ENGINE(flows_evicted, "connections_evicted",
	       "connections forgotten early: more than --max-connections at once"),
	ENGINE(buffer_evicted, "stream_buffers_evicted",
	       "streams given up: reassembly memory was used up"),
	ENGINE(messages_refused, "messages_refused",
	       "messages not read or MARS sessions not followed: memory for them was used up"),
	ENGINE(clock_steps, "clock_steps", "jumps of a capture's clock"),
	ENGINE(one_sided, "connections_one_sided",
	       "connections of which only one direction was captured"),
	ENGINE(lost_sync, "streams_desynchronized",
	       "streams that stopped making sense as TDS, TLS or SMP"),
	ENGINE(out_of_window, "segments_out_of_window",
	       "segments ignored: their sequence number is too far off"),
	ENGINE(pending_suppressed, "pending_records_suppressed",
	       "waiting logins not reported while they waited: too many at once"),
	ENGINE(duplicates, "packets_duplicated", "packets seen twice; counted once"),
	ENGINE(decrypt.missing, "tls_keys_missing",
	       "encrypted connections not decrypted: the key log has no key for them"),
	ENGINE(decrypt.wrong, "tls_keys_wrong",
	       "encrypted connections not decrypted: the key does not fit, or a record is damaged"),
	ENGINE(decrypt.unsupported, "tls_decryptions_unsupported",
	       "encrypted connections not decrypted: this TLS version or cipher suite is not read"),
	ENGINE(decrypt.broken, "tls_decryptions_broken",
	       "encrypted connections decrypted in part: packets are missing, or memory was used "
	       "up"),
	ENGINE(decrypt.evicted, "tls_secrets_evicted",
	       "TLS keys dropped before they were used: too many at once"),
	ENGINE(instances_evicted, "sql_browser_instances_evicted",
	       "instances forgotten: SQL Server Browser announced too many"),
	ENGINE(browser_evicted, "sql_browser_requests_evicted",
	       "requests to SQL Server Browser forgotten: too many at once"),
	ENGINE(browser_malformed, "sql_browser_datagrams_malformed",
	       "datagrams on UDP 1434 that are not SQL Server Browser's"),
	ENGINE(browser_cut, "sql_browser_responses_truncated",
	       "responses of SQL Server Browser cut short: fragments, or the snap length"),
};

static const struct row file_rows[] = {
	FILES(malformed, "packets_malformed", MALFORMED),
	FILES(truncated, "segments_truncated",
	      "segments whose payload the capture cut short (snap length)"),
	FILES(fragments, "packets_fragmented", FRAGMENTED),
	FILES(nested, "packets_nested", NESTED),
};

static const struct row tap_rows[] = {
	TAP(TAP_CNT_LOST, "packets_lost", "packets lost: the ring buffer was full"),
	TAP(TAP_CNT_SHORT, "packets_malformed", MALFORMED),
	TAP(TAP_CNT_FRAGMENT, "packets_fragmented", FRAGMENTED),
	TAP(TAP_CNT_EXT_HEADERS, "packets_ext_headers",
	    "IPv6 packets with too many extension headers; not read"),
	TAP(TAP_CNT_NESTED, "packets_nested", NESTED),
	TAP(TAP_CNT_FLOW_MISS, "packets_flow_map_full",
	    "packets of connections that did not fit into the kernel's flow table; still seen"),
	TAP(TAP_CNT_BUDGET, "packets_payload_skipped",
	    "packets whose payload was not copied: their login had used up its budget"),
	TAP(TAP_CNT_FLOOD, "sql_browser_datagrams_skipped",
	    "datagrams of SQL Server Browser skipped: more than 1,024 a second on a CPU"),
	TAP(TAP_CNT_DEPENDENCY_SKIPPED, "dependency_packets_skipped",
	    "packets to and from DNS, domain controllers and other services skipped: more than "
	    "2,000 a second on a CPU"),
	TAP(TAP_CNT_SYNS, "unanswered_syns_unreported",
	    "unanswered or refused SYNs beyond the reporting limit: a SYN flood, or the server is "
	    "down"),
	TAP(TAP_CNT_HALF_OPEN, "half_open_connections_unreported",
	    "half-open connections beyond the reporting limit: a SYN flood with forged addresses"),
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
	out[0] = (struct counter){"allocation_failures",
				  "allocations that failed: logins, records or facts are missing",
				  memory_failures()};
	return 1;
}
