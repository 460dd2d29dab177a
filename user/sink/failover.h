/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * failover.h - finds in logins and closes that a server closed most of its sessions at once, and where
 * their clients logged in next. A failover of an availability group looks so; nothing on the wire says
 * that it is one, so that is inferred, and only if
 *
 * - the server's side ended FAILOVER_LEAST sessions or more, at most 2 s between one and the next, and
 *   they were three quarters of those that were seen to log in and were open; and
 * - the clients that lost them then logged in FAILOVER_MOVED times or more to one other server, to
 *   which none of them had logged in before; or
 * - logins to the server itself failed, before one succeeded again.
 *
 * Otherwise the event says what was observed: that the sessions were closed. A session ends with its
 * close record: by a reset at once, by the server's FIN when the client has closed its side, too.
 */
#ifndef TDSMON_FAILOVER_H
#define TDSMON_FAILOVER_H

#include "engine/record.h"
#include "lib/clock.h"

#define FAILOVER_LEAST 5
#define FAILOVER_MOVED 3

enum failover_kind {
	FAILOVER_CLOSED,    /* observed: many sessions were closed at once */
	FAILOVER_SAME,	    /* inferred: a failover behind the same address, or a restart */
	FAILOVER_ELSEWHERE, /* inferred: a failover, and to is the server that took over */
};

struct failover_event {
	uint64_t id; /* from 1 on; an event that goes on comes again */
	enum failover_kind kind;
	struct endpoint server, to;
	uint64_t begin_ns;     /* source's clock: the first session that was closed */
	uint64_t close_ns;     /* from then to the last one */
	uint64_t login_ns;     /* from then to the first good login's end; NO_NS: none so far */
	uint32_t closed, open; /* sessions: closed, of those that had been open */
	uint32_t clients;      /* addresses that lost sessions, at most FAILOVER_CLIENTS */
	uint32_t failed;       /* logins to the server that failed in between */
	bool over;	       /* nothing more will come */
};

#define FAILOVER_CLIENTS 32

typedef void failover_fn(void *ctx, const struct failover_event *event);

struct failover;

/* fn is called whenever an event is found, and when it changes. NULL: out of memory. */
struct failover *failover_new(failover_fn *fn, void *ctx);
void failover_free(struct failover *failover); /* accepts NULL */

void failover_login(struct failover *failover, const struct login_record *rec);
void failover_close(struct failover *failover, const struct close_record *rec);
/* About once a second; now_ns on the source's clock. */
void failover_tick(struct failover *failover, uint64_t now_ns);

/* An event in a few words: "failover", "failover behind the same address, or restart", "sessions closed". */
const char *failover_kind_text(enum failover_kind kind);

#define FAILOVER_TEXT 320

/* The event in a sentence. Returns text. */
const char *failover_text(const struct failover_event *event, char text[FAILOVER_TEXT]);

#endif
