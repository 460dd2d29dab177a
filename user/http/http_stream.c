// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_stream.c - server-sent events: a ring of the last ones, shared by all clients. A client that
 * has received everything sleeps (its connection is suspended) until the next event.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "http/http_int.h"

#define STREAM_BLOCK  16384
#define STREAM_BUFFER (1 << 20) /* of a UNIX socket; the system may allow less */

struct http_stream *http_stream_new(struct http *http, size_t size)
{
	struct http_stream *stream = calloc(1, sizeof(*stream) + size);

	if (!stream)
		return NULL;
	stream->http = http;
	stream->size = size;
	stream->published_ns = clock_now_ns();
	stream->next = http->streams;
	http->streams = stream;
	return stream;
}

void http_stream_free(struct http_stream *stream)
{
	free(stream);
}

size_t http_stream_clients(const struct http_stream *stream)
{
	return stream->clients;
}

static void listener_wake(struct http_listener *l)
{
	if (!l->suspended)
		return;
	l->suspended = false;
	l->taken_ns = clock_now_ns();
	MHD_resume_connection(l->peer->connection);
}

void http_listener_end(struct http_listener *l)
{
	l->over = true;
	listener_wake(l);
}

static void listener_drop(struct http_listener *l)
{
	if (l->over)
		return;
	l->stream->http->stats.streams_dropped++;
	/* Its socket may be full, and then the daemon would not call us. */
	http_peer_close(l->peer);
}

/* The next piece, once the last one is sent. */
static void pieces_next(struct http_pieces *p)
{
	p->piece.len = p->sent = 0;
	if (p->backlog.next)
		p->backlog.next(p->backlog.ctx, &p->backlog.from, p->backlog.to, &p->piece);
	if (p->piece.len)
		return;
	p->backlog.next = NULL;
	if (!p->piece.failed) /* that has to be seen */
		strbuf_release(&p->piece);
}

size_t http_pieces_read(struct http_pieces *p, char *buf, size_t max)
{
	size_t len;

	if (p->sent == p->piece.len)
		pieces_next(p);
	len = p->piece.len - p->sent;
	len = len < max ? len : max;
	if (len)
		memcpy(buf, p->piece.data + p->sent, len);
	p->sent += len;
	return len;
}

static void stream_put(struct http_stream *stream, const char *data, size_t len)
{
	size_t at = stream->published % stream->size;
	size_t head = len < stream->size - at ? len : stream->size - at;

	memcpy(stream->data + at, data, head);
	memcpy(stream->data, data + head, len - head);
	stream->published += len;
}

void http_stream_publish(struct http_stream *stream, const char *data, size_t len)
{
	if (!len || len > stream->size || !stream->clients)
		return;
	stream_put(stream, data, len);
	stream->published_ns = clock_now_ns();
	for (struct http_listener *l = stream->listeners; l; l = l->next) {
		if (stream->published - l->at > stream->size)
			listener_drop(l);
		listener_wake(l);
	}
}

static ssize_t listener_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_listener *l = cls;
	struct http_stream *stream = l->stream;
	size_t len, at, head;

	(void)pos;
	if (l->over || stream->http->ending)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	l->taken_ns = clock_now_ns();
	len = http_pieces_read(&l->first, buf, max);
	if (len)
		return (ssize_t)len;
	len = (size_t)(stream->published - l->at);
	if (!len) {
		l->suspended = true;
		MHD_suspend_connection(l->peer->connection);
		return 0;
	}
	len = len < max ? len : max;
	at = l->at % stream->size;
	head = len < stream->size - at ? len : stream->size - at;
	memcpy(buf, stream->data + at, head);
	memcpy(buf + head, stream->data, len - head);
	l->at += len;
	return (ssize_t)len;
}

static void listener_free(void *cls)
{
	struct http_listener *l = cls, **at = &l->stream->listeners;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->stream->clients--;
	l->stream->http->stats.streams--;
	if (l->peer)
		l->peer->listener = NULL;
	strbuf_release(&l->first.piece);
	free(l);
}

/* TCP's buffer grows by itself, a UNIX socket's holds 200 KiB: little, if its reader has to wait for a CPU. */
static void widen_buffer(int fd)
{
	int domain, size = STREAM_BUFFER;
	socklen_t len = sizeof(domain);

	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

struct MHD_Response *http_stream_join(struct http_peer *peer, struct http_reply *reply)
{
	struct http_listener *l = calloc(1, sizeof(*l));
	struct http_stream *stream = reply->stream;
	struct MHD_Response *response;

	if (!l)
		return NULL;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, listener_read,
						     l, listener_free);
	if (!response) {
		free(l);
		return NULL;
	}
	l->stream = stream;
	l->peer = peer;
	l->first = (struct http_pieces){.piece = reply->body, .backlog = reply->backlog};
	reply->body = (struct strbuf){0};
	l->taken_ns = clock_now_ns();
	l->at = stream->published;
	l->next = stream->listeners;
	stream->listeners = l;
	if (!stream->clients++)
		stream->published_ns = clock_now_ns(); /* nothing was owed to nobody */
	stream->http->stats.streams++;
	peer->listener = l;
	widen_buffer(peer->fd);
	http_peer_set(peer, HTTP_PEER_STREAM, UINT64_MAX);
	http_peers_make_room(stream->http, peer, HTTP_PEER_STREAM);
	return response;
}

/*
 * Nobody else watches a suspended connection, so a client that left would stay. One that is not
 * suspended but receives nothing has stopped.
 */
static void listener_look(struct http_listener *l, uint64_t now_ns)
{
	struct pollfd p = {.fd = l->peer->fd, .events = POLLRDHUP};

	if (!l->suspended && now_ns - l->taken_ns >= HTTP_STALL_NS)
		listener_drop(l);
	else if (l->suspended && poll(&p, 1, 0) > 0)
		http_listener_end(l);
}

/* The heartbeat is a comment: clients ignore it, and proxies see traffic. */
void http_stream_tick(struct http_stream *stream, uint64_t now_ns)
{
	for (struct http_listener *l = stream->listeners; l; l = l->next)
		listener_look(l, now_ns);
	if (now_ns - stream->published_ns >= HTTP_HEARTBEAT_NS)
		http_stream_publish(stream, ":\n\n", 3);
}

void http_stream_wake(struct http_stream *stream)
{
	for (struct http_listener *l = stream->listeners; l; l = l->next)
		listener_wake(l);
}
