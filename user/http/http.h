/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http.h - a small HTTP server on the program's event loop: a table of routes, GET and HEAD alone;
 * answers made at once, and streams of server-sent events. By libmicrohttpd, without a thread.
 */
#ifndef TDSMON_HTTP_H
#define TDSMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"
#include "lib/strbuf.h"
#include "http/web_config.h"

struct http;
struct http_stream;

/* What a handler is told of the request. Strings live until it returns; "" is not given. */
struct http_request {
	const char *path;
	const char *accept;
	const char *last_event_id; /* of a stream's client that comes again */
	void *connection;	   /* for http_query() */
};

/* The value of a parameter in the query, percent signs decoded; NULL: not given. */
const char *http_query(const struct http_request *req, const char *name);

/*
 * What a stream's client gets between an answer's body and what is published from then on, piece by
 * piece: next() is called when the client has taken the last, and adds the next one, from *from up
 * to to, to out. It moves *from on, and adds nothing when that was all.
 */
struct http_backlog {
	void (*next)(void *ctx, uint64_t *from, uint64_t to, struct strbuf *out);
	void *ctx;
	uint64_t from, to;
};

/* A text that several answers send at the same time. The last who lets go frees it. */
struct http_body;

/* Takes text over; NULL, and text stays, where memory is used up. One holder: the caller. */
struct http_body *http_body_new(struct strbuf *text);
void http_body_hold(struct http_body *body);
void http_body_release(struct http_body *body); /* accepts NULL */
/* Whether nobody holds it but the caller. */
bool http_body_is_mine(const struct http_body *body);
/* Its text, to be made again where it is the caller's. */
struct strbuf *http_body_text(struct http_body *body);

/* What a handler answers; preset to status 200, text/plain and an empty body. */
struct http_reply {
	unsigned status;
	const char *type;   /* Content-Type */
	const char *policy; /* Content-Security-Policy; preset: nothing is allowed */
	struct strbuf body; /* becomes the server's; compressed where the client takes gzip */
	const char *fixed;  /* or, instead of it, what outlives the server */
	size_t fixed_len;
	struct http_body *shared;    /* or what others are sent, too: held for this answer */
	struct http_stream *stream;  /* after the body what is published there, without end */
	struct http_backlog backlog; /* before that */
};

typedef void http_handler(void *ctx, const struct http_request *req, struct http_reply *reply);

struct http_route {
	const char *path;
	http_handler *handle; /* called on the loop; what it does, everything else waits for */
	void *ctx;
	bool any_host; /* answered whatever host the request names */
};

struct http_config {
	const char *listen;	     /* "127.0.0.1:9433", "[::1]:9433", ":9433" (every
					  * address), "9433" (127.0.0.1); port 0: any */
	const char *web_config;	     /* web configuration file; NULL: neither TLS nor users */
	web_config_open_fn *open_fn; /* opens it and what it names at http_reload(), or NULL */
	void *open_ctx;
	const struct http_route *routes; /* outlives the server */
	size_t route_count;
	const char *const *allowed_hosts; /* names of this server beside those of its host */
	size_t allowed_host_count;
	const char *allow_hint; /* said to a request for another host: how to allow its name */
	uint64_t request_ns;	/* in which a request has to come, and its answer to go; 0: 10 s */
};

/* All of them only grow, but for those marked as now. */
struct http_stats {
	uint64_t requests;
	uint64_t unauthorized;	  /* answered 401 or 429 */
	uint64_t refused;	  /* answered 404, 405 or 421, 503 where a stream had no memory */
	uint64_t displaced;	  /* connections closed to make room for others */
	uint64_t timed_out;	  /* requests not whole, or answers not taken, in time */
	uint64_t connections;	  /* now */
	uint64_t streams;	  /* now */
	uint64_t streams_dropped; /* clients too slow for what was published, or that stopped */
};

/*
 * Listen, and serve from loop's rounds. NULL on failure, *err then -errno and the reason logged.
 * The loop must live on, without a round, until http_close().
 */
struct http *http_open(const struct http_config *config, struct loop *loop, int *err);
void http_close(struct http *http);

/*
 * Read the web configuration, and the certificates it names, again. Connections are closed. On
 * failure, logged, what was goes on: -errno.
 */
int http_reload(struct http *http);

/* "http://127.0.0.1:9433/", with the port that was got. */
const char *http_url(const struct http *http);

/* The listening socket, of which http_reload() makes a duplicate. */
int http_listener(const struct http *http);

const struct http_stats *http_stats(const struct http *http);

/*
 * A stream's memory: the last `size` bytes published, shared by all its clients, which each have a
 * place in it. One that has fallen behind by more is dropped. NULL for want of memory.
 * To be freed after http_close().
 */
struct http_stream *http_stream_new(struct http *http, size_t size);
void http_stream_free(struct http_stream *stream);

/* Append whole events; more than the stream's size is left out. Goes out in the loop's rounds. */
void http_stream_publish(struct http_stream *stream, const char *data, size_t len);

/* Clients now: with none, there is no need to publish. */
size_t http_stream_clients(const struct http_stream *stream);

#endif
