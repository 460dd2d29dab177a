/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session.h - a connection after its login: counts commands and follows MARS sessions, from
 * frame heads alone.
 */
#ifndef TDSMON_SESSION_H
#define TDSMON_SESSION_H

#include "flow.h"

void session_head(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  uint64_t ts_ns);
void session_body(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		  const uint8_t *data, uint32_t len, uint64_t ts_ns);
void session_end(struct engine *e, struct flow *f, enum side from, const struct framer *frame,
		 uint64_t ts_ns);
/* len bytes of whole TDS packets, which the kernel kept to itself: they are of the message. */
void session_skip(struct flow *f, enum side from, uint32_t len);
/* The connection is over: tell of the requests that were never answered. */
void session_close(struct engine *e, struct flow *f);

/* MARS was agreed on, or SMP seen: keep account of its sessions. */
void mars_begin(struct flow *f);
void mars_free(struct mars *m);
void mars_counts(const struct mars *m, uint64_t *sessions, uint64_t *open, uint64_t *stalls);

#endif
