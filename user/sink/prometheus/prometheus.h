/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * prometheus.h - records as metrics. The sink counts, and makes the page when it is requested.
 * Every label has a bounded number of values, whatever the traffic.
 */
#ifndef TDSMON_PROMETHEUS_H
#define TDSMON_PROMETHEUS_H

#include "lib/counter.h"
#include "lib/fixed_histogram.h"
#include "sink/prometheus/bounds.h"
#include "sink/prometheus/exposition.h"
#include "system/process.h"
#include "sink/sink.h"

extern const struct sink_ops prometheus_sink;

#define PROMETHEUS_QUEUES 64 /* most ports with an accept queue; more are left out */

/* The fullest accept queue among the listeners on a port. */
struct prometheus_queue {
	uint16_t port;
	uint32_t length, limit;
};

/* Facts on the page that do not come from records. */
struct prometheus_facts {
	const struct dependency_total *dependencies;
	size_t dependency_count;
	const struct prometheus_queue *queues;
	size_t queue_count;
	const struct counter *counters; /* "packets_lost" becomes tdsmon_packets_lost_total */
	size_t counter_count;
	const struct counter *gauges; /* the same, without _total */
	size_t gauge_count;
	uint64_t connections[3];	     /* in a login, in a session, over */
	uint64_t page_ns;		     /* longest time that making a page took; 0: left out */
	const struct process_usage *process; /* NULL: left out */
};

/* Commands that a source counted itself, in addition to the command records. */
struct prometheus_commands {
	struct endpoint server; /* port 0: all other servers */
	enum command_kind kind;
	struct fixed_histogram times; /* in prometheus_command_bounds; since the beginning */
};

/* Before a page: clear what was added for the last one, then add the source's current counts. */
void prometheus_clear_commands(void *sink);
void prometheus_add_commands(void *sink, const struct prometheus_commands *commands);

/* The same for logins in progress. */
void prometheus_clear_progress(void *sink);
void prometheus_add_progress(void *sink, const struct pending_record *rec);

/* Append the page to out. sink: from prometheus_sink.open(). */
void prometheus_page(void *sink, const struct prometheus_facts *facts,
		     enum exposition_format format, struct strbuf *out);

#endif
