/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_int.h - shared by the HTTP server's files.
 */
#ifndef TDSMON_HTTP_INT_H
#define TDSMON_HTTP_INT_H

#include <microhttpd.h>

#include "http/basic_auth.h"
#include "http/http.h"
#include "http/http_host.h"
#include "http/web_config.h"
#include "lib/units.h"

#define HTTP_CONNECTIONS	64
#define HTTP_CLOSING		32 /* additional ones that are being closed to make room */
#define HTTP_CONNECTIONS_PER_IP 24 /* a browser opens six, and each page has a stream */
#define HTTP_STREAMS		24
#define HTTP_MEMORY		16384 /* of a connection: request line and headers must fit */
#define HTTP_REQUEST_NS		(10 * NS_PER_S)
#define HTTP_IDLE_NS		65000000000ull /* to the next request: more than a minute */
#define HTTP_TICK_NS		500000000ull
#define HTTP_STALL_NS		45000000000ull /* a client that misses three heartbeats */
#define HTTP_HEARTBEAT_NS	15000000000ull /* proxies close a silent stream */
#define HTTP_AUTH_SERVED	64	       /* the latest parties that had a password checked */
#define HTTP_TEXT		128	       /* of an address, an URL or a socket's path */

struct http_listener;

/* A connection's state. The first states are the first to make room. */
enum http_peer_state {
	HTTP_PEER_ASKING, /* no complete request has arrived */
	HTTP_PEER_IDLE,	  /* between requests */
	HTTP_PEER_STREAM,
	HTTP_PEER_ANSWER, /* the answer is being sent */
	HTTP_PEER_ANY,	  /* not a state: matches all of them */
};

/* A connection. */
struct http_peer {
	struct http_peer *prev, *next;
	struct MHD_Connection *connection;
	int fd;
	enum http_peer_state state;
	uint64_t since_ns;    /* start of this state */
	uint64_t deadline_ns; /* UINT64_MAX for a stream */
	bool closing;
	bool head;			/* the request is a HEAD: only headers are sent */
	uint64_t waits_since_ns;	/* its place in the queue */
	bool waits;			/* suspended until its password is checked */
	enum basic_auth_answer auth;	/* result of that check, for the current request */
	uint8_t party[16];		/* its address, or the network that contains it */
	struct http_listener *listener; /* for a stream */
};

/* A text that is sent piece by piece, as fast as the client takes it. */
struct http_pieces {
	struct strbuf piece;
	size_t sent;		     /* of the piece */
	struct http_backlog backlog; /* makes the next piece; next is NULL at the end */
};

/* The next bytes, at most max. 0: they have ended, or memory is short: piece.failed. */
size_t http_pieces_read(struct http_pieces *p, char *buf, size_t max);

/* A stream's client. */
struct http_listener {
	struct http_listener *next;
	struct http_stream *stream;
	struct http_peer *peer;
	struct http_pieces first; /* sent before the published events */
	uint64_t at;		  /* position of the next byte, of all bytes ever published */
	uint64_t taken_ns;	  /* when bytes were last given to the client */
	bool suspended;
	bool over; /* the client is gone, or was dropped */
};

struct http_stream {
	struct http_stream *next;
	struct http *http;
	struct http_listener *listeners;
	size_t clients;
	uint64_t published; /* bytes, ever */
	uint64_t published_ns;
	size_t size;
	char data[]; /* byte n of the stream is at n % size */
};

/* A party whose password was checked, and when. */
struct http_served {
	uint8_t party[16];
	uint64_t at_ns;
};

struct http {
	struct http_config config;
	struct web_config web;
	struct basic_auth *auth;			  /* NULL: no authentication */
	struct http_served auth_served[HTTP_AUTH_SERVED]; /* a ring */
	size_t auth_served_next;
	uint64_t auth_next_ns; /* no password is checked before */
	int auth_timer;	       /* a timerfd for that time */
	struct http_hosts hosts;
	struct MHD_Daemon *daemon;
	int daemon_fd; /* the daemon's epoll descriptor */
	int listener;
	int epoll; /* contains daemon_fd and again: the loop's one permanent descriptor */
	int again; /* an eventfd: the daemon has more to do at once */
	struct http_peer *peers;
	struct http_stream *streams;
	struct http_stats stats;
	bool ending;
	char url[HTTP_TEXT];
};

/* http_socket.c: a listening socket for "ADDR:PORT"; -errno on failure, logged. */
int http_socket_open(const char *listen);
/* http_local.c: the same for a UNIX socket, as http_config has it. */
int http_local_open(const char *path, const char *group);
/* Its URL: "http://127.0.0.1:9433/". */
void http_socket_url(int fd, bool tls, char url[HTTP_TEXT]);

/* http_reply.c: queue the answer, and take over its body. */
enum MHD_Result http_reply_queue(struct http *http, struct http_peer *peer,
				 struct http_reply *reply);
enum MHD_Result http_reply_unauthorized(struct http_peer *peer, enum basic_auth_answer answer);

/*
 * http_peers.c: a new connection, whose first request is due. NULL if there is no memory; with
 * connection NULL if libmicrohttpd has no information about it.
 */
struct http_peer *http_peer_new(struct http *http, struct MHD_Connection *connection);
void http_peer_free(struct http *http, struct http_peer *peer);
void http_peer_set(struct http_peer *peer, enum http_peer_state state, uint64_t deadline_ns);
void http_peer_close(struct http_peer *peer);
/* If newcomer is one too many, close another connection (HTTP_PEER_ANY) or stream (_STREAM). */
void http_peers_make_room(struct http *http, struct http_peer *newcomer,
			  enum http_peer_state which);

/*
 * http_auth.c: may the request be served? BASIC_AUTH_UNKNOWN: the connection is suspended until the
 * password is checked; then on_request() is called again.
 */
enum basic_auth_answer http_auth(struct http *http, struct http_peer *peer);
/* Check the next waiting password, if a check is due. */
void http_auth_turn(struct http *http);
/* If the request is waiting, resume it with BASIC_AUTH_LATER. */
void http_auth_give_up(struct http_peer *peer);

/* http_stream.c: a response without end for a stream's new client; NULL: out of memory. */
struct MHD_Response *http_stream_join(struct http_peer *peer, struct http_reply *reply);
/* Mark its connection for closing, and wake it so that the daemon closes it. */
void http_listener_end(struct http_listener *l);
/* Send a heartbeat if one is due, and find clients that have left. */
void http_stream_tick(struct http_stream *stream, uint64_t now_ns);
/* Wake all waiting clients, so that their connections can be closed. */
void http_stream_wake(struct http_stream *stream);

#endif
