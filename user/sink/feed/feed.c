// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * feed.c - see feed.h. Clients get every record. While none is connected, only so many logins a
 * second are written as are kept for the next one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/feed/feed.h"
#include "sink/heartbeat.h"
#include "sink/json.h"

#define FEED_STREAM                                                                                \
	(16u << 20)	  /* bytes that a client may be behind: 2,000 logins a second for 2.5 s */
#define FEED_BACKLOG 1000 /* logins kept for clients that connect later */
#define FEED_BYTES   (4u << 20) /* most bytes of them */
#define FEED_PER_S   50		/* with no client: logins kept per second; and as many problems */

struct feed_line {
	char *text; /* NULL: not kept */
	size_t len;
};

struct feed;

struct feed_door {
	struct feed *feed;
	struct http_stream *stream; /* NULL: not served */
};

struct feed {
	struct output text; /* without a descriptor: the line being built */
	void *json;
	struct heartbeat *beat;
	struct feed_door doors[FEED_DOORS];
	uint32_t good, bad;			/* kept in this second */
	struct feed_line backlog[FEED_BACKLOG]; /* by number */
	uint64_t oldest, next; /* number of the first one kept, and of the next one */
	size_t kept;	       /* bytes of those kept */
};

static void feed_free(void *sink)
{
	struct feed *feed = sink;

	if (!feed)
		return;
	for (int i = 0; i < FEED_BACKLOG; i++)
		free(feed->backlog[i].text);
	for (int i = 0; i < FEED_DOORS; i++)
		http_stream_free(feed->doors[i].stream);
	heartbeat_free(feed->beat);
	json_sink.free(feed->json);
	free(feed);
}

static void *feed_open(const struct sink_config *config)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	struct sink_config json = *config;

	if (!feed)
		return NULL;
	output_init(&feed->text, -1);
	json.out = &feed->text;
	feed->json = json_sink.open(&json);
	feed->beat = heartbeat_new(&json);
	for (int i = 0; i < FEED_DOORS; i++)
		feed->doors[i].feed = feed;
	if (feed->json && feed->beat)
		return feed;
	feed_free(feed);
	return NULL;
}

void *feed_door(void *sink, unsigned at)
{
	struct feed *feed = sink;

	return &feed->doors[at];
}

int feed_serve(void *ctx, struct http *http)
{
	struct feed_door *door = ctx;

	door->stream = http_stream_new(http, FEED_STREAM);
	return door->stream ? 0 : -ENOMEM;
}

bool feed_is_watched(const void *sink)
{
	const struct feed *feed = sink;

	for (int i = 0; i < FEED_DOORS; i++)
		if (feed->doors[i].stream && http_stream_clients(feed->doors[i].stream))
			return true;
	return false;
}

static void feed_forget_oldest(struct feed *feed)
{
	struct feed_line *line = &feed->backlog[feed->oldest++ % FEED_BACKLOG];

	feed->kept -= line->len;
	free(line->text);
	*line = (struct feed_line){0};
}

static void feed_keep(struct feed *feed)
{
	struct feed_line *line;
	size_t len = feed->text.used;

	while (feed->oldest < feed->next &&
	       (feed->next - feed->oldest >= FEED_BACKLOG || feed->kept + len > FEED_BYTES))
		feed_forget_oldest(feed);
	line = &feed->backlog[feed->next++ % FEED_BACKLOG];
	line->text = malloc(len);
	if (!line->text)
		return;
	memcpy(line->text, feed->text.buf, len);
	line->len = len;
	feed->kept += len;
}

/* Send the line that was built. The next one overwrites it; one that did not fit is left out. */
static void feed_publish(void *ctx)
{
	struct feed *feed = ctx;

	for (int i = 0; i < FEED_DOORS && !feed->text.err; i++)
		if (feed->doors[i].stream && http_stream_clients(feed->doors[i].stream))
			http_stream_publish(feed->doors[i].stream, feed->text.buf, feed->text.used);
	output_init(&feed->text, -1);
}

static void feed_login(void *sink, const struct login_record *rec)
{
	struct feed *feed = sink;
	uint32_t *share = sink_is_problem(rec) ? &feed->bad : &feed->good;
	bool keep = *share < FEED_PER_S;

	if (!keep && !feed_is_watched(feed))
		return;
	json_sink.login(feed->json, rec);
	if (keep && !feed->text.err) {
		(*share)++;
		feed_keep(feed);
	}
	feed_publish(feed);
}

static void feed_close(void *sink, const struct close_record *rec)
{
	struct feed *feed = sink;

	if (!feed_is_watched(feed))
		return;
	json_sink.close(feed->json, rec);
	feed_publish(feed);
}

static void feed_next(void *ctx, uint64_t *from, uint64_t to, struct strbuf *out)
{
	const struct feed *feed = ctx;

	if (*from < feed->oldest)
		*from = feed->oldest;
	while (*from < to && !out->len) {
		const struct feed_line *line = &feed->backlog[(*from)++ % FEED_BACKLOG];

		if (line->text)
			strbuf_add(out, line->text, line->len);
	}
}

void feed_records(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct feed_door *door = ctx;
	struct feed *feed = door->feed;

	(void)req;
	reply->type = "application/x-ndjson";
	reply->stream = door->stream;
	reply->backlog = (struct http_backlog){feed_next, feed, feed->oldest, feed->next};
}

void feed_waiting(void *sink, const struct pending_record *rec)
{
	struct feed *feed = sink;

	heartbeat_waiting(feed->beat, rec);
}

void feed_tick(void *sink, uint64_t now_ns, const struct counter *counters, size_t count)
{
	struct feed *feed = sink;

	feed->good = feed->bad = 0;
	if (feed_is_watched(feed))
		heartbeat_write(feed->beat, now_ns, counters, count, feed_publish, feed);
}

const struct sink_ops feed_sink = {
	.name = "feed",
	.open = feed_open,
	.login = feed_login,
	.close = feed_close,
	.free = feed_free,
};
