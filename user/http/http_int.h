/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_int.h - what the HTTP server's files share.
 */
#ifndef TDSMON_HTTP_INT_H
#define TDSMON_HTTP_INT_H

#include <microhttpd.h>

#include "http/basic_auth.h"
#include "http/http.h"
#include "http/http_host.h"
#include "http/web_config.h"

#define HTTP_CONNECTIONS	64
#define HTTP_CLOSING		32 /* more, that are closed to make room and not gone yet */
#define HTTP_CONNECTIONS_PER_IP 24 /* a browser opens six, and each page has a stream */
#define HTTP_STREAMS		24
#define HTTP_MEMORY		16384 /* a connection's: request line and headers must fit */
#define HTTP_REQUEST_NS		10000000000ull
#define HTTP_IDLE_NS		65000000000ull /* kept for the next request: a minute's scrape */
#define HTTP_TICK_NS		500000000ull
#define HTTP_STALL_NS		45000000000ull /* three heartbeats that a client does not take */
#define HTTP_HEARTBEAT_NS	15000000000ull /* proxies give up on a stream that is silent */
#define HTTP_AUTH_SERVED	64	       /* parties that had a password checked last */
#define HTTP_TEXT		64	       /* of an address, or of an URL */

struct http_listener;

/* What a connection does now: the first are the first to make room. */
enum http_peer_state {
	HTTP_PEER_ASKING, /* no whole request has come */
	HTTP_PEER_IDLE,	  /* between two requests */
	HTTP_PEER_STREAM,
	HTTP_PEER_ANSWER, /* the answer is under way */
	HTTP_PEER_ANY,	  /* none of them: where states are asked for */
};

/* A connection. */
struct http_peer {
	struct http_peer *prev, *next;
	struct MHD_Connection *connection;
	int fd;
	enum http_peer_state state;
	uint64_t since_ns;    /* it has been in this state */
	uint64_t deadline_ns; /* UINT64_MAX: a stream's */
	bool closing;
	uint64_t waits_since_ns;	/* its place among those that wait */
	bool waits;			/* suspended, for its password to be checked */
	enum basic_auth_answer auth;	/* what came of that, for the request being served */
	uint8_t party[16];		/* its address, or what that belongs to */
	struct http_listener *listener; /* of a stream's */
};

/* A stream's client. */
struct http_listener {
	struct http_listener *next;
	struct http_stream *stream;
	struct http_peer *peer;
	struct strbuf first; /* goes out before what is published: a piece */
	size_t first_sent;
	struct http_backlog backlog; /* what makes the next piece; no function: that was all */
	uint64_t at;		     /* of all that was ever published, the byte that is next */
	uint64_t taken_ns;	     /* when the client was last given something */
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
	char data[]; /* byte n of what was published is at n % size */
};

/* Whose password was checked, and when. */
struct http_served {
	uint8_t party[16];
	uint64_t at_ns;
};

struct http {
	struct http_config config;
	struct web_config web;
	struct basic_auth *auth;			  /* NULL: everybody is let in */
	struct http_served auth_served[HTTP_AUTH_SERVED]; /* a ring */
	size_t auth_served_next;
	uint64_t auth_next_ns; /* no password is checked before */
	int auth_timer;	       /* a timerfd for then */
	struct http_hosts hosts;
	struct MHD_Daemon *daemon;
	int daemon_fd; /* the daemon's epoll descriptor */
	int listener;
	int epoll; /* around daemon_fd and again: one descriptor for the loop, for good */
	int again; /* an eventfd: the daemon has more to do at once */
	struct http_peer *peers;
	struct http_stream *streams;
	struct http_stats stats;
	bool ending;
	char url[HTTP_TEXT];
};

/* http_socket.c: a listening socket for "ADDR:PORT"; -errno, logged, on failure. */
int http_socket_open(const char *listen);
/* "http://127.0.0.1:9433/" of it. */
void http_socket_url(int fd, bool tls, char url[HTTP_TEXT]);

/* http_reply.c: queue the answer, taking its body over. */
enum MHD_Result http_reply_queue(struct http *http, struct http_peer *peer,
				 struct http_reply *reply);
enum MHD_Result http_reply_unauthorized(struct http_peer *peer, enum basic_auth_answer answer);

/*
 * http_peers.c: a new connection, the first of its requests being waited for; NULL where memory is
 * used up, and without a connection of its own where nothing is known of it.
 */
struct http_peer *http_peer_new(struct http *http, struct MHD_Connection *connection);
void http_peer_free(struct http *http, struct http_peer *peer);
void http_peer_set(struct http_peer *peer, enum http_peer_state state, uint64_t deadline_ns);
void http_peer_close(struct http_peer *peer);
/* Close another connection (HTTP_PEER_ANY) or stream (_STREAM) if newcomer is one too many. */
void http_peers_make_room(struct http *http, struct http_peer *newcomer,
			  enum http_peer_state which);

/*
 * http_auth.c: whether the request may be served. BASIC_AUTH_UNKNOWN: its connection is suspended
 * until that is known, and on_request() is then called again.
 */
enum basic_auth_answer http_auth(struct http *http, struct http_peer *peer);
/* Check a password, if that is due and one waits. */
void http_auth_turn(struct http *http);
/* Where it waits, it waits no longer: later. */
void http_auth_give_up(struct http_peer *peer);

/* http_stream.c: a response that never ends, for a stream's new client; NULL: out of memory. */
struct MHD_Response *http_stream_join(struct http_peer *peer, struct http_reply *reply);
/* Its connection is to be closed: wake it, so that the daemon does. */
void http_listener_end(struct http_listener *l);
/* What is due by the clock: heartbeats, and a look at whose client has left. */
void http_stream_tick(struct http_stream *stream, uint64_t now_ns);
/* Let go of every client that waits, so that its connection can be closed. */
void http_stream_wake(struct http_stream *stream);

#endif
