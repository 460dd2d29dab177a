/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.h - a connection after its login: counts commands and follows MARS sessions, from
 * frame heads alone.
 */
#ifndef TDSMON_SESSION_H
#define TDSMON_SESSION_H

#include "engine/stream/flow_table.h"

void session_head(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  uint64_t ts_ns);
void session_body(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  const uint8_t *data, uint32_t len, uint64_t ts_ns);
void session_end(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		 uint64_t ts_ns);
/* The login l succeeded. */
void session_begin(struct engine *e, struct flow *f, const struct login *l);
/*
 * len bytes of whole frames, which the kernel kept to itself: where commands are told they are
 * of the message, else there may be any messages among them.
 */
void session_skip(struct engine *e, struct flow *f, enum side from, uint32_t len);
/* Before bytes that the kernel kept to itself, of whatever frames. */
void session_kept(struct engine *e, struct flow *f);
/* Bytes are missing, or it is not known any more where frames begin. */
void session_lossy(struct flow *f);
/* Free what hangs on the flow. */
void session_free(struct engine *e, struct flow *f);
/* The connection is over: tell of the requests that were never answered. */
void session_close(struct engine *e, struct flow *f);

/* Fill in what a close record says of MARS. */
void session_mars(const struct flow *f, struct close_record *r);

#endif
