/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * page.h - the live page at /: a sink that sends records and statistics to browsers as server-sent
 * events. The document is self-contained and requests nothing but /events and /history.
 */
#ifndef TDSMON_PAGE_H
#define TDSMON_PAGE_H

#include "lib/counter.h"
#include "http/http.h"
#include "sink/page/login_history.h"
#include "sink/sink.h"

extern const struct sink_ops page_sink;

/* Handlers for the routes "/", "/events" and "/history"; ctx is the sink. */
void page_document(void *sink, const struct http_request *req, struct http_reply *reply);
void page_events(void *sink, const struct http_request *req, struct http_reply *reply);
void page_history(void *sink, const struct http_request *req, struct http_reply *reply);

/* The logins over time, which /history serves; to be kept over a restart. */
struct login_history *page_logins(void *sink);

/* Use this server, which is closed before the sink is freed. 0 or -errno. */
int page_serve(void *sink, struct http *http);

/* Is a browser connected? */
bool page_is_watched(const void *sink);

/* engine_in_progress_fn: add a login in progress, which the next page_tick() sends. */
void page_waiting(void *sink, const struct pending_record *rec);

/* The interfaces and ports, and what was seen on them so far. */
struct page_watched {
	const char *where; /* "eth0" */
	const char *ports; /* "1433,1500-1510" */
	bool any_port;
	uint64_t segments;    /* examined so far */
	uint64_t connections; /* followed now */
};

/*
 * Send the statistics and the waiting logins. Call it about once a second. now_ns is on the
 * source's clock; counters are those of everything lost or skipped so far.
 */
void page_tick(void *sink, uint64_t now_ns, const struct page_watched *watched,
	       const struct counter *counters, size_t count);

/* The document's Content-Security-Policy: allows its own style and script, and /events. */
const char *page_policy(const void *sink);

#endif
