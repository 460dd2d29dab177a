// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_reply.c - the HTTP server's responses: headers, and bodies, plain or gzipped.
 */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "http/http_int.h"

#define GZIP_LEAST   1024      /* shorter bodies are not worth it */
#define GZIP_BLOCK   32768     /* compressed bytes for the daemon at a time */
#define GZIP_SLICE   (1 << 17) /* bytes compressed in one round, in less than 1 ms */
#define GZIP_WINDOW  (15 + 16) /* the largest one; a gzip header, not zlib's */
#define GZIP_MEMORY  8	       /* zlib's default: 256 KiB for each body under way */
#define PIECES_BLOCK 32768
#define HEADER_ITEMS 32

/* A body that is being compressed. */
struct gzip {
	z_stream z;
	struct http_body *body;
	bool complete; /* the last compressed byte is out */
};

static void gzip_free(void *cls)
{
	struct gzip *g = cls;

	deflateEnd(&g->z);
	http_body_release(g->body);
	free(g);
}

/*
 * Fill buf. The daemon asks for more in the loop's next round. It would not wait if this returned
 * 0, so input is compressed until there is output.
 */
static ssize_t gzip_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct gzip *g = cls;
	const struct strbuf *text = http_body_text(g->body);

	(void)pos;
	if (g->complete)
		return MHD_CONTENT_READER_END_OF_STREAM;
	g->z.next_out = (uint8_t *)buf;
	g->z.avail_out = (uInt)max;
	do {
		size_t rest = (size_t)((uint8_t *)text->data + text->len - g->z.next_in);
		int result;

		g->z.avail_in = (uInt)(rest <= GZIP_SLICE ? rest : GZIP_SLICE);
		result = deflate(&g->z, rest <= GZIP_SLICE ? Z_FINISH : Z_NO_FLUSH);
		if (result == Z_STREAM_ERROR)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		g->complete = result == Z_STREAM_END;
	} while (!g->complete && g->z.avail_out == max);
	return (ssize_t)(max - g->z.avail_out);
}

static ssize_t no_bytes(void *cls, uint64_t pos, char *buf, size_t max)
{
	(void)cls;
	(void)pos;
	(void)buf;
	(void)max;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/*
 * The answer to a HEAD, where that to a GET has a body of unknown length. libmicrohttpd 0.9.75 sends
 * the last chunk of a chunked body after the headers, though a HEAD has no body (RFC 9110 9.3.2): the
 * connection's next answer would begin with it. So this answer is not chunked, and ends the connection.
 */
static struct MHD_Response *head_response(void)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, no_bytes, NULL, NULL);

	if (response)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return response;
}

static struct MHD_Response *gzip_body(struct http_body *body)
{
	struct gzip *g = calloc(1, sizeof(*g));
	struct MHD_Response *response;

	if (g && deflateInit2(&g->z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			      Z_DEFAULT_STRATEGY) != Z_OK) {
		free(g);
		g = NULL;
	}
	if (!g)
		return NULL;
	http_body_hold(body);
	g->body = body;
	g->z.next_in = (uint8_t *)http_body_text(body)->data;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, GZIP_BLOCK, gzip_read, g,
						     gzip_free);
	if (!response)
		gzip_free(g);
	return response;
}

static struct MHD_Response *gzip_response(struct http_body *body, bool head)
{
	struct MHD_Response *response = head ? head_response() : gzip_body(body);

	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return response;
}

/* RFC 9110 12.5.3: gzip, x-gzip or *, but not with weight 0. */
static bool takes_gzip(struct MHD_Connection *connection)
{
	const char *at = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						     MHD_HTTP_HEADER_ACCEPT_ENCODING);
	bool any = false;

	while (at && *at) {
		size_t len, name;
		const char *q;

		at += strspn(at, " \t");
		len = strcspn(at, ",");
		name = strcspn(at, ";, \t");
		q = memmem(at, len, "q=", 2);
		if ((name == 4 && !strncasecmp(at, "gzip", 4)) ||
		    (name == 6 && !strncasecmp(at, "x-gzip", 6)))
			return !q || strtod(q + 2, NULL) > 0;
		if (name == 1 && *at == '*')
			any = !q || strtod(q + 2, NULL) > 0;
		at += len;
		at += *at == ',';
	}
	return any;
}

static void body_sent(void *cls)
{
	http_body_release(cls);
}

static struct MHD_Response *body_response(struct http_body *body)
{
	const struct strbuf *text = http_body_text(body);
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
		text->len, text->data, body_sent, body);

	if (response)
		http_body_hold(body);
	return response;
}

static struct MHD_Response *fixed_response(const struct http_reply *reply)
{
	return MHD_create_response_from_buffer(reply->fixed_len, (void *)reply->fixed,
					       MHD_RESPMEM_PERSISTENT);
}

static void pieces_free(void *cls)
{
	struct http_pieces *p = cls;

	strbuf_release(&p->piece);
	free(p);
}

static ssize_t pieces_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_pieces *p = cls;
	size_t len = p->piece.failed ? 0 : http_pieces_read(p, buf, max);

	(void)pos;
	if (p->piece.failed)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return len ? (ssize_t)len : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *pieces_response(const struct http_backlog *backlog)
{
	struct http_pieces *p = calloc(1, sizeof(*p));
	struct MHD_Response *response;

	if (!p)
		return NULL;
	p->backlog = *backlog;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECES_BLOCK, pieces_read, p,
						     pieces_free);
	if (!response)
		pieces_free(p);
	return response;
}

/* The response to everything except a stream. */
static struct MHD_Response *plain_response(struct http_reply *reply, struct http_peer *peer)
{
	struct MHD_Response *response = NULL;

	if (reply->fixed)
		return fixed_response(reply);
	if (reply->backlog.next)
		return peer->head ? head_response() : pieces_response(&reply->backlog);
	if (!reply->shared)
		reply->shared = http_body_new(&reply->body);
	if (!reply->shared)
		return NULL;
	if (http_body_text(reply->shared)->len >= GZIP_LEAST && takes_gzip(peer->connection))
		response = gzip_response(reply->shared, peer->head);
	return response ?: body_response(reply->shared);
}

/* Pages name hosts and failures, so they must not be cached, framed or read by other sites. */
static void add_headers(struct MHD_Response *response, const struct http_reply *reply)
{
	static const char *const headers[][2] = {
		{MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	MHD_add_response_header(response, "Content-Security-Policy",
				reply->policy ? reply->policy
					      : "default-src 'none'; frame-ancestors 'none'");
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

enum MHD_Result http_reply_queue(struct http *http, struct http_peer *peer,
				 struct http_reply *reply)
{
	struct MHD_Response *response = NULL;
	enum MHD_Result result;

	http->stats.refused += reply->status == MHD_HTTP_NOT_FOUND ||
			       reply->status == MHD_HTTP_METHOD_NOT_ALLOWED ||
			       reply->status == MHD_HTTP_MISDIRECTED_REQUEST;
	if (reply->body.failed) {
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		strbuf_release(&reply->body);
	}
	if (reply->stream) {
		response = peer->head ? head_response() : http_stream_join(peer, reply);
		if (!response) {
			reply->status = MHD_HTTP_SERVICE_UNAVAILABLE;
			http->stats.refused++;
		}
	}
	if (!response)
		response = plain_response(reply, peer);
	if (response) {
		add_headers(response, reply);
		if (!reply->stream)
			MHD_add_response_header(response, MHD_HTTP_HEADER_VARY,
						"Accept, Accept-Encoding");
		result = MHD_queue_response(peer->connection, reply->status, response);
		MHD_destroy_response(response);
	} else {
		result = MHD_NO;
	}
	strbuf_release(&reply->body);
	http_body_release(reply->shared);
	return result;
}

enum MHD_Result http_reply_unauthorized(struct http_peer *peer, enum basic_auth_answer answer)
{
	struct http_reply reply = {.status = MHD_HTTP_UNAUTHORIZED, .type = "text/plain"};
	struct MHD_Response *response;
	enum MHD_Result result;

	reply.fixed = "Unauthorized\n";
	if (answer == BASIC_AUTH_LATER) {
		reply.status = MHD_HTTP_TOO_MANY_REQUESTS;
		reply.fixed = "Too many attempts\n";
	}
	reply.fixed_len = strlen(reply.fixed);
	response = fixed_response(&reply);
	if (!response)
		return MHD_NO;
	add_headers(response, &reply);
	if (answer == BASIC_AUTH_LATER)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	else
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
					"Basic realm=\"tdsmon\", charset=\"UTF-8\"");
	result = MHD_queue_response(peer->connection, reply.status, response);
	MHD_destroy_response(response);
	return result;
}
