/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.h - a connection after its login: counts commands and follows MARS sessions, using only
 * frame heads.
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
 * The kernel kept len bytes of whole frames to itself. If commands are reported, they belong to the
 * current message; else there may be any messages among them.
 */
void session_skip(struct engine *e, struct flow *f, enum side from, uint32_t len);
/* Called before bytes of any frames that the kernel kept to itself. */
void session_kept(struct engine *e, struct flow *f);
/* Bytes are missing, or the position of the next frame is not known any more. */
void session_lossy(struct flow *f);
/* Free all that belongs to the flow. */
void session_free(struct engine *e, struct flow *f);
/* The connection is over: report the requests that were never answered. */
void session_close(struct engine *e, struct flow *f);

/* Fill in a close record's MARS fields. */
void session_mars(const struct flow *f, struct close_record *r);

#endif
