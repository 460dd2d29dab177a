/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mars.h - MARS in clear, or decrypted: SMP's packets, and the sessions that they belong to (MC-SMP).
 */
#ifndef TDSMON_MARS_H
#define TDSMON_MARS_H

#include "engine/session/session_env.h"

/* MARS was agreed on, or SMP seen: follow its sessions. */
void mars_begin(const struct session_env *env, struct flow *f);
/* An SMP packet's head, 16 bytes; its payload. */
void mars_head(struct session_env *env, struct flow *f, enum side from, const uint8_t *header);
void mars_body(struct session_env *env, struct flow *f, enum side from, const uint8_t *data,
	       uint32_t len, uint64_t ts_ns);
/* Bytes are missing. */
void mars_lossy(struct mars *m);
/* The connection is over: report the requests that were never answered. */
void mars_close(struct session_env *env, struct flow *f);
/* m may be NULL. */
void mars_free(struct session_env *env, struct mars *m);

/* The sessions seen, in a close record. */
void mars_report(const struct mars *m, struct close_record *r);

#endif
