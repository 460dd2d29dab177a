// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * page.c - see page.h. In a flood of logins, some are shown and all are counted: the number sent
 * per second is bounded, and failures have a bound of their own.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/page/page_stats.h"
#include "sink/failover.h"
#include "sink/json.h"
#include "lib/json_writer.h"
#include "sink/page/page.h"
#include "sink/waiting.h"
#include "lib/units.h"

#define PAGE_PER_S   50		/* logins shown per second; and as many failures */
#define PAGE_BACKLOG 1000	/* events kept for browsers that connect later */
#define PAGE_BYTES   (4u << 20) /* most bytes of them: 200 of the longest possible */
#define PAGE_STREAM  (2u << 20) /* bytes that a client may be behind */
#define PAGE_POLICY  512
#define PAGE_WAIT_NS (5 * NS_PER_S) /* a login that has waited so long is shown */
#define PAGE_EVENTS  20		    /* failovers kept for browsers that connect later */

#define PAGE_STALE "event: stale\ndata: {}\n\n" /* the browser is to ask for /history again */

struct page_event {
	char *text; /* NULL: not kept */
	size_t len;
};

struct page {
	struct sink_config config;
	/* without a descriptor: the event being built; too long ones are dropped */
	struct output text;
	void *json;
	struct page_stats *stats;
	struct login_history *history;
	struct failover *failover;
	struct failover_event failovers[PAGE_EVENTS]; /* by id; id 0: none */
	uint32_t failovers_changed;		      /* bits: since the last tick */
	struct http_stream *stream;		      /* NULL: not served */
	uint64_t run; /* identifies this run to browsers that reconnect */
	uint64_t shown, not_shown;
	uint32_t good, bad; /* shown in this second */
	uint64_t ticked_ns;
	struct page_watched watched; /* as of the last tick; its strings are the caller's */
	struct waiting waiting;	     /* since the last tick */
	bool has_waiting;	     /* browsers show some */
	struct page_event backlog[PAGE_BACKLOG]; /* by id */
	uint64_t oldest;			 /* id of the first one kept */
	size_t kept;				 /* bytes of those kept */
	char policy[PAGE_POLICY];
};

/* The document, in one piece: its style and its script are files of their own. */
#define PAGE_PART(file) ".incbin \"user/sink/page/" file "\"\n"
__asm__(".section .rodata\n"
	"page_html:\n" PAGE_PART("page_head.html") PAGE_PART("page.css") PAGE_PART("page_body.html")
		PAGE_PART("page_base.js") PAGE_PART("page_login.js") PAGE_PART("page_chart.js")
			PAGE_PART("page_view.js") PAGE_PART("page_list.js")
				PAGE_PART("page_live.js")
					PAGE_PART("page_tail.html") "page_html_end: .byte 0\n"
								    ".previous\n");
/* Hidden: an address from the GOT would be that of the section, as arm64's linker drops the addend. */
extern const char page_html[], page_html_end[] __attribute__((visibility("hidden")));

/* 'sha256-...' of the text between open and close (CSP 3, 8.4). */
static void policy_hash(char *text, size_t size, const char *open, const char *close)
{
	const char *from = strstr(page_html, open), *to = strstr(page_html, close);
	unsigned char digest[32], base64[48]; /* 44 characters and a NUL */

	from += strlen(open);
	EVP_Digest(from, (size_t)(to - from), digest, NULL, EVP_sha256(), NULL);
	EVP_EncodeBlock(base64, digest, sizeof(digest));
	snprintf(text, size, "'sha256-%.44s'", (char *)base64);
}

static void policy_make(struct page *page)
{
	char style[96], script[96];

	policy_hash(style, sizeof(style), "<style>", "</style>");
	policy_hash(script, sizeof(script), "<script>", "</script>");
	/* A style that a script sets on an element needs no hash, and is allowed. */
	snprintf(page->policy, sizeof(page->policy),
		 "default-src 'none'; style-src %s; script-src %s; connect-src 'self'; img-src "
		 "data:; "
		 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		 style, script);
}

const char *page_policy(const void *sink)
{
	const struct page *page = sink;

	return page->policy;
}

static void page_free(void *sink)
{
	struct page *page = sink;

	if (!page)
		return;
	for (int i = 0; i < PAGE_BACKLOG; i++)
		free(page->backlog[i].text);
	http_stream_free(page->stream);
	page_stats_free(page->stats);
	login_history_free(page->history);
	failover_free(page->failover);
	json_sink.free(page->json);
	free(page);
}

/* Complete the event. Returns its length, 0 if it did not fit. The next event overwrites it. */
static size_t event_end(struct page *page)
{
	size_t len;

	output_write(&page->text, "\n", 1);
	len = page->text.err ? 0 : page->text.used;
	output_init(&page->text, -1);
	return len;
}

static size_t failover_event(struct page *page, const struct failover_event *event)
{
	char text[FAILOVER_TEXT], server[SINK_ENDPOINT_MAX], to[SINK_ENDPOINT_MAX],
		time[CLOCK_TEXT];
	struct json_writer w = {&page->text, false};
	uint64_t begin_ns = wallclock_ns(page->config.clock, event->begin_ns);

	output_printf(&page->text, "event: failover\ndata: ");
	json_writer_object(&w, NULL);
	json_writer_uint(&w, "id", event->id);
	json_writer_text(&w, "time", clock_rfc3339(begin_ns, time));
	json_writer_bool(&w, "inferred", event->kind != FAILOVER_CLOSED);
	json_writer_text(&w, "server", sink_endpoint(&event->server, server));
	json_writer_text(&w, "to",
			 event->kind == FAILOVER_ELSEWHERE ? sink_endpoint(&event->to, to) : NULL);
	json_writer_uint(&w, "closed", event->closed);
	json_writer_uint(&w, "failed", event->failed);
	if (event->login_ns == NO_NS)
		json_writer_null(&w, "login_ns");
	else
		json_writer_uint(&w, "login_ns", event->login_ns);
	json_writer_bool(&w, "over", event->over);
	json_writer_text(&w, "text", failover_text(event, text));
	json_writer_object_end(&w);
	output_write(&page->text, "\n", 1);
	return event_end(page);
}

/* It is sent by the next page_tick(). */
static void page_failover(void *ctx, const struct failover_event *event)
{
	struct page *page = ctx;

	page->failovers[event->id % PAGE_EVENTS] = *event;
	page->failovers_changed |= 1u << event->id % PAGE_EVENTS;
}

static void *page_open(const struct sink_config *config)
{
	struct page *page = calloc(1, sizeof(*page));
	struct sink_config json = *config;

	if (!page)
		return NULL;
	page->config = *config;
	output_init(&page->text, -1);
	page->oldest = 1;
	json.out = &page->text;
	page->json = json_sink.open(&json);
	page->stats = page_stats_new(config->clock);
	page->run = page->ticked_ns = clock_now_ns();
	page->waiting.most = WAITING_MAX;
	page->history = login_history_new();
	page->failover = failover_new(page_failover, page);
	if (!page->json || !page->stats || !page->history || !page->failover) {
		page_free(page);
		return NULL;
	}
	policy_make(page);
	return page;
}

int page_serve(void *sink, struct http *http)
{
	struct page *page = sink;

	page->stream = http_stream_new(http, PAGE_STREAM);
	return page->stream ? 0 : -ENOMEM;
}

void page_document(void *sink, const struct http_request *req, struct http_reply *reply)
{
	(void)req;
	reply->type = "text/html; charset=utf-8";
	reply->policy = page_policy(sink);
	reply->fixed = page_html;
	reply->fixed_len = (size_t)(page_html_end - page_html);
}

static void forget_oldest(struct page *page)
{
	struct page_event *event = &page->backlog[page->oldest++ % PAGE_BACKLOG];

	page->kept -= event->len;
	free(event->text);
	*event = (struct page_event){0};
}

static void keep_event(struct page *page, uint64_t id, size_t len)
{
	struct page_event *event = &page->backlog[id % PAGE_BACKLOG];

	while (page->oldest < id &&
	       (id - page->oldest >= PAGE_BACKLOG || page->kept + len > PAGE_BYTES))
		forget_oldest(page);
	event->text = malloc(len);
	if (!event->text)
		return;
	memcpy(event->text, page->text.buf, len);
	event->len = len;
	page->kept += len;
}

static void page_login(void *sink, const struct login_record *rec)
{
	struct page *page = sink;
	bool problem = page_stats_login(page->stats, rec);
	uint32_t *share = problem ? &page->bad : &page->good;
	size_t len;

	login_history_add(page->history, wallclock_ns(page->config.clock, rec->end_ns), rec);
	failover_login(page->failover, rec);
	if (*share >= PAGE_PER_S) {
		page->not_shown++;
		return;
	}
	(*share)++;
	output_printf(&page->text,
		      "id: %llu\nevent: %s\ndata: ", (unsigned long long)(page->shown + 1),
		      problem ? "problem" : "login");
	json_sink.login(page->json, rec); /* a single line */
	len = event_end(page);
	if (!len) {
		page->not_shown++;
		return;
	}
	keep_event(page, ++page->shown, len);
	if (page->stream)
		http_stream_publish(page->stream, page->text.buf, len);
}

static void page_close(void *sink, const struct close_record *rec)
{
	struct page *page = sink;

	failover_close(page->failover, rec);
}

static size_t stats_event(struct page *page, uint64_t now_ns, bool all)
{
	struct json_writer w = {&page->text, false};
	char started[CLOCK_TEXT];

	output_printf(&page->text, "event: stats\ndata: ");
	json_writer_object(&w, NULL);
	json_writer_uint(&w, "now", wallclock_ns(page->config.clock, now_ns) / NS_PER_S);
	json_writer_text(&w, "started",
			 clock_rfc3339(wallclock_ns(page->config.clock, page->run), started));
	json_writer_uint(&w, "not_shown", page->not_shown);
	if (page->watched.where) {
		json_writer_object(&w, "watched");
		json_writer_text(&w, "where", page->watched.where);
		json_writer_text(&w, "ports", page->watched.ports);
		json_writer_bool(&w, "any_port", page->watched.any_port);
		json_writer_uint(&w, "segments", page->watched.segments);
		json_writer_uint(&w, "connections", page->watched.connections);
		json_writer_object_end(&w);
	}
	page_stats_write(page->stats, &w, now_ns, all);
	json_writer_object_end(&w);
	output_write(&page->text, "\n", 1);
	return event_end(page);
}

/* The next login that a browser has not seen, except those that were forgotten meanwhile. */
static void next_event(void *sink, uint64_t *from, uint64_t to, struct strbuf *out)
{
	const struct page *page = sink;

	if (*from < page->oldest)
		*from = page->oldest;
	while (*from <= to && !out->len) {
		const struct page_event *event = &page->backlog[(*from)++ % PAGE_BACKLOG];

		if (event->text)
			strbuf_add(out, event->text, event->len);
	}
}

/*
 * A browser first gets the run's id, the statistics, the failovers, and the logins that it has not
 * seen.
 */
void page_events(void *sink, const struct http_request *req, struct http_reply *reply)
{
	struct page *page = sink;
	uint64_t seen = strtoull(req->last_event_id, NULL, 10);
	size_t len;

	reply->type = "text/event-stream";
	reply->stream = page->stream;
	strbuf_addf(&reply->body, "event: begin\ndata: {\"run\":%llu}\n\n",
		    (unsigned long long)page->run);
	len = stats_event(page, page->ticked_ns, true);
	strbuf_add(&reply->body, page->text.buf, len);
	for (uint64_t i = 0; i < PAGE_EVENTS; i++) {
		if (!page->failovers[i].id)
			continue;
		len = failover_event(page, &page->failovers[i]);
		strbuf_add(&reply->body, page->text.buf, len);
	}
	if (seen > page->shown)
		seen = 0; /* an id of another run */
	reply->backlog = (struct http_backlog){next_event, page, seen + 1, page->shown};
}

bool page_is_watched(const void *sink)
{
	const struct page *page = sink;

	return page->stream && http_stream_clients(page->stream);
}

void page_waiting(void *sink, const struct pending_record *rec)
{
	struct page *page = sink;

	if (rec->ns >= PAGE_WAIT_NS)
		waiting_add(&page->waiting, rec);
}

/* Publish how many logins wait, and a record of each of the longest; 0 is published once. */
static void waiting_publish(struct page *page)
{
	const struct waiting *w = &page->waiting;
	size_t len;

	if (!w->total && !page->has_waiting)
		return;
	page->has_waiting = w->total > 0;
	output_printf(&page->text, "event: waiting\ndata: {\"count\":%llu,\"shown\":%u}\n",
		      (unsigned long long)w->total, w->count);
	len = event_end(page);
	http_stream_publish(page->stream, page->text.buf, len);
	for (unsigned i = 0; i < w->count; i++) {
		output_printf(&page->text, "event: pending\ndata: ");
		json_sink.pending(page->json, &w->longest[i]);
		len = event_end(page);
		http_stream_publish(page->stream, page->text.buf, len);
	}
}

/* Publish the history's slots that changed; browsers ask for all if those are too many. */
static void slots_publish(struct page *page)
{
	struct strbuf text = {0};
	int count;

	strbuf_adds(&text, "event: slots\ndata: [");
	count = login_history_changed(page->history, &text);
	strbuf_adds(&text, "]\n\n");
	if (count && page_is_watched(page) && !text.failed)
		http_stream_publish(page->stream, text.data, text.len);
	if (count < 0 && page_is_watched(page))
		http_stream_publish(page->stream, PAGE_STALE, strlen(PAGE_STALE));
	strbuf_release(&text);
}

static void failovers_publish(struct page *page)
{
	for (uint64_t i = 0; i < PAGE_EVENTS; i++) {
		size_t len;

		if (!(page->failovers_changed & 1u << i))
			continue;
		len = failover_event(page, &page->failovers[i]);
		http_stream_publish(page->stream, page->text.buf, len);
	}
}

void page_tick(void *sink, uint64_t now_ns, const struct page_watched *watched,
	       const struct counter *counters, size_t count)
{
	struct page *page = sink;
	size_t len;

	page->good = page->bad = 0;
	page->ticked_ns = now_ns;
	page->watched = *watched;
	page_stats_tick(page->stats, now_ns, counters, count);
	login_history_tick(page->history, wallclock_ns(page->config.clock, now_ns));
	failover_tick(page->failover, now_ns);
	slots_publish(page);
	if (page_is_watched(page)) {
		len = stats_event(page, now_ns, false);
		http_stream_publish(page->stream, page->text.buf, len);
		waiting_publish(page);
		failovers_publish(page);
	}
	page->failovers_changed = 0;
	page->waiting.total = page->waiting.count = 0;
}

struct login_history *page_logins(void *sink)
{
	struct page *page = sink;

	return page->history;
}

static void next_piece(void *history, uint64_t *from, uint64_t now_s, struct strbuf *out)
{
	login_history_piece(history, from, now_s, out);
}

/* Piece by piece, so that a reader costs only the piece that it receives. */
void page_history(void *sink, const struct http_request *req, struct http_reply *reply)
{
	struct page *page = sink;
	uint64_t now_ns = wallclock_ns(page->config.clock, page->ticked_ns);

	(void)req;
	reply->type = "application/json";
	reply->backlog = (struct http_backlog){next_piece, page->history, 0, now_ns / NS_PER_S};
}

const struct sink_ops page_sink = {
	.name = "page",
	.open = page_open,
	.login = page_login,
	.close = page_close,
	.free = page_free,
};
