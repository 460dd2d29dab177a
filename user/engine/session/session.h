/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.h - a connection after its login: counts commands and follows MARS sessions, using only
 * frame heads.
 */
#ifndef TDSMON_SESSION_H
#define TDSMON_SESSION_H

#include "engine/protocol/sql_text.h"
#include "engine/session/session_env.h"

/* The size of a TLS record's content: between two bounds, as padding hides it. */
struct session_size {
	uint32_t least, most;
};

/* A session's beginning, as its login found it. */
struct session_start {
	enum sql_width width; /* of the letters of requests' texts */
	bool encrypted;	      /* TLS goes on after the login, and is not decrypted */
	bool mars;	      /* both sides agreed on it */
	/* If it is encrypted: */
	bool strict;			 /* TDS 8 */
	bool split;			 /* TLS 1.0: first bytes may come in records of their own */
	struct session_size overhead[2]; /* of a side's records; most 0: the suite is not known */
};

void session_head(struct session_env *env, struct flow *f, enum side from,
		  const struct framer *frame, uint64_t ts_ns);
void session_body(struct session_env *env, struct flow *f, enum side from,
		  const struct framer *frame, const uint8_t *data, uint32_t len, uint64_t ts_ns);
void session_end(struct session_env *env, struct flow *f, enum side from,
		 const struct framer *frame, uint64_t ts_ns);
/* The login succeeded. */
void session_begin(struct session_env *env, struct flow *f, const struct session_start *start);
/*
 * A TLS record of an encrypted session, with a content of this size, that came before session_begin():
 * when it was not yet clear that the login was over.
 */
void session_past_record(struct session_env *env, struct flow *f, enum side from,
			 struct session_size size, uint64_t first_ns, uint64_t last_ns);
/*
 * The kernel kept len bytes of whole frames to itself. If commands are reported, they belong to the
 * current message; else there may be any messages among them.
 */
void session_skip(struct session_env *env, struct flow *f, enum side from, uint32_t len);
/* Called before bytes of any frames that the kernel kept to itself. */
void session_kept(struct session_env *env, struct flow *f);
/* Bytes are missing, or the position of the next frame is not known any more. */
void session_lossy(struct flow *f);
/* Free all that belongs to the flow. */
void session_free(struct session_env *env, struct flow *f);
/* The connection is over: report the requests that were never answered. */
void session_close(struct session_env *env, struct flow *f);

/* Fill in a close record's MARS fields. */
void session_mars(const struct flow *f, struct close_record *r);

#endif
