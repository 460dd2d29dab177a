/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * encrypted_session.h - a connection after its login if TLS lasts as long as the connection. Finds
 * requests and responses by the direction of the records, attentions and MARS by their sizes. All
 * of its results are inferred.
 */
#ifndef TDSMON_ENCRYPTED_SESSION_H
#define TDSMON_ENCRYPTED_SESSION_H

#include "engine/session/session.h"

/* The login succeeded; a record that came before that was clear: see session.h. */
void hidden_begin(const struct session_env *env, struct flow *f, const struct session_start *start);
void hidden_past(struct session_env *env, struct flow *f, enum side from, struct session_size size,
		 uint64_t first_ns, uint64_t last_ns);
void hidden_free(struct hidden *h);

/* A TLS record's head: its 5 bytes; and its last byte. */
void hidden_head(struct session_env *env, struct flow *f, enum side from, const uint8_t *header,
		 uint64_t ts_ns);
void hidden_end(struct flow *f, enum side from, uint64_t ts_ns);
/* The kernel kept len bytes of whole records to itself: they belong to the message in progress. */
void hidden_skip(struct flow *f, enum side from, uint32_t len);
/* Bytes are missing, or the position of the next record is not known any more. */
void hidden_lossy(struct flow *f);
/* The connection is over: report the request in progress. */
void hidden_close(struct session_env *env, struct flow *f);

/*
 * How many MARS sessions were opened, and how many of them both sides have not closed; false: no
 * MARS.
 */
bool hidden_mars(const struct hidden *h, uint64_t *sessions, uint64_t *open);

#endif
