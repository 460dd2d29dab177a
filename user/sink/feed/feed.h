/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * feed.h - /records: a sink that sends records as JSON lines to HTTP clients as they come, with a
 * heartbeat every second. `tdsmon top` reads it.
 */
#ifndef TDSMON_FEED_H
#define TDSMON_FEED_H

#include "http/http.h"
#include "lib/counter.h"
#include "sink/sink.h"

#define FEED_DOORS 2 /* servers that have the route: TCP and a UNIX socket */

extern const struct sink_ops feed_sink;

/* The context of the route "/records" at server number `at`, below FEED_DOORS. */
void *feed_door(void *sink, unsigned at);
void feed_records(void *door, const struct http_request *req, struct http_reply *reply);

/* Use this server, which is closed before the sink is freed. 0 or -errno. */
int feed_serve(void *door, struct http *http);

/* Is a client connected? */
bool feed_is_watched(const void *sink);

/* engine_in_progress_fn: a login in progress, which the next feed_tick() sends. */
void feed_waiting(void *sink, const struct pending_record *rec);

/*
 * Send the heartbeat. Call it about once a second. now_ns is on the source's clock; counters are
 * those of everything lost or skipped so far.
 */
void feed_tick(void *sink, uint64_t now_ns, const struct counter *counters, size_t count);

#endif
