/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * encrypted_session.h - a connection after its login where TLS goes on for as long as it lasts: requests and
 * answers told by the direction of its records, attentions and MARS by their sizes. Whatever it
 * tells is inferred.
 */
#ifndef TDSMON_ENCRYPTED_SESSION_H
#define TDSMON_ENCRYPTED_SESSION_H

#include "engine/stream/flow_table.h"

struct hidden;
struct login;

/* The login l succeeded: what it held of the session that followed is told as the session's. */
void hidden_begin(struct engine *e, struct flow *f, const struct login *l);
void hidden_free(struct hidden *h);

/* A TLS record's head: its 5 bytes; and its last byte. */
void hidden_head(struct engine *e, struct flow *f, enum side from, const uint8_t *header,
		 uint64_t ts_ns);
void hidden_end(struct flow *f, enum side from, uint64_t ts_ns);
/* len bytes of whole records, which the kernel kept to itself: they are of what goes on. */
void hidden_skip(struct flow *f, enum side from, uint32_t len);
/* Bytes are missing, or where records begin is not known any more. */
void hidden_lossy(struct flow *f);
/* The connection is over: tell of the request under way. */
void hidden_close(struct engine *e, struct flow *f);

/* How many MARS sessions were opened, and of them not closed by both sides; false: no MARS. */
bool hidden_mars(const struct hidden *h, uint64_t *sessions, uint64_t *open);

#endif
