/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http.h - a small HTTP server on the program's event loop: a table of routes, only GET and HEAD,
 * immediate answers, and streams of server-sent events. Uses libmicrohttpd without threads.
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

/* A request, as its handler sees it. Strings live until the handler returns; "": not given. */
struct http_request {
	const char *path;
	const char *accept;
	const char *last_event_id; /* from a stream's client that reconnects */
	void *connection;	   /* for http_query() */
};

/* The value of a query parameter, percent-decoded; NULL: not given. */
const char *http_query(const struct http_request *req, const char *name);

/*
 * Earlier events for a stream's new client, sent piece by piece between the answer's body and the
 * events published from then on. next() is called when the client has received the last piece. It
 * appends the next one, between *from and to, to out and advances *from; it appends nothing at the
 * end.
 */
struct http_backlog {
	void (*next)(void *ctx, uint64_t *from, uint64_t to, struct strbuf *out);
	void *ctx;
	uint64_t from, to;
};

/* A text that several responses can send at the same time. The last holder frees it. */
struct http_body;

/* Takes over text; its only holder is the caller. NULL, with text unchanged: out of memory. */
struct http_body *http_body_new(struct strbuf *text);
void http_body_hold(struct http_body *body);
void http_body_release(struct http_body *body); /* accepts NULL */
/* Is the caller its only holder? */
bool http_body_is_mine(const struct http_body *body);
/* Its text. The caller may write it again if it is the only holder. */
struct strbuf *http_body_text(struct http_body *body);

/* A handler's answer; initially status 200, text/plain and an empty body. */
struct http_reply {
	unsigned status;
	const char *type;   /* Content-Type */
	const char *policy; /* Content-Security-Policy; initially everything is forbidden */
	struct strbuf body; /* the server takes it over */
	const char *fixed;  /* or a body that outlives the server */
	size_t fixed_len;
	struct http_body *shared;    /* or a body shared with other responses; held for this one */
	struct http_stream *stream;  /* after the body: its events, without end */
	struct http_backlog backlog; /* sent before those events; without a stream: the body, piece
				      * by piece */
};

typedef void http_handler(void *ctx, const struct http_request *req, struct http_reply *reply);

struct http_route {
	const char *path;
	http_handler *handle; /* called on the loop, which waits for it */
	void *ctx;
	bool any_host; /* answered whatever host the request names */
};

struct http_config {
	const char *listen;	     /* "127.0.0.1:9433", "[::1]:9433", ":9433" (every
					  * address), "9433" (127.0.0.1); port 0: any */
	const char *socket;	     /* or the path of a UNIX socket, mode 0660; listen is NULL */
	const char *socket_group;    /* its group, if that exists and may be given */
	const char *web_config;	     /* web configuration file; NULL: neither TLS nor users */
	web_config_open_fn *open_fn; /* opens files at http_reload(); or NULL */
	void *open_ctx;
	const struct http_route *routes; /* outlives the server */
	size_t route_count;
	const char *const *allowed_hosts; /* names of this server, in addition to the host's own */
	size_t allowed_host_count;
	const char *allow_hint; /* sent to clients that name another host */
	uint64_t request_ns;	/* limit for a request, and for its answer; 0: 10 s */
};

/* Counters that only grow, except those marked "now". */
struct http_stats {
	uint64_t requests;
	uint64_t unauthorized;	  /* answered 401 or 429 */
	uint64_t refused;	  /* answered 404, 405 or 421, or 503 if a stream had no memory */
	uint64_t displaced;	  /* connections closed to make room for others */
	uint64_t timed_out;	  /* requests not complete, or answers not received, in time */
	uint64_t connections;	  /* now */
	uint64_t streams;	  /* now */
	uint64_t streams_dropped; /* clients that were too slow, or stopped */
};

/*
 * Listen, and serve in the loop's rounds. NULL on failure, *err then -errno and the reason logged.
 * The loop must exist until http_close(), but not run after it.
 */
struct http *http_open(const struct http_config *config, struct loop *loop, int *err);
void http_close(struct http *http);

/*
 * Read the web configuration and its certificates again. Connections are closed. On failure, which
 * is logged, the old ones stay: -errno.
 */
int http_reload(struct http *http);

/* "http://127.0.0.1:9433/", with the actual port; or the UNIX socket's path. */
const char *http_url(const struct http *http);

/* The listening socket. http_reload() duplicates it. */
int http_listener(const struct http *http);

const struct http_stats *http_stats(const struct http *http);

/*
 * A stream keeps the last `size` bytes published, shared by its clients, each of which has a
 * position in them. A client that falls further behind is dropped. NULL: out of memory. Free it
 * after http_close().
 */
struct http_stream *http_stream_new(struct http *http, size_t size);
void http_stream_free(struct http_stream *stream);

/* Publish whole events; more than the stream's size is discarded. Sent in the loop's rounds. */
void http_stream_publish(struct http_stream *stream, const char *data, size_t len);

/* Current clients; without any there is no need to publish. */
size_t http_stream_clients(const struct http_stream *stream);

#endif
