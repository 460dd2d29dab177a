/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn_tap.h - a connection and its source: how much it hands over, and what it knows by itself.
 */
#ifndef TDSMON_CONN_TAP_H
#define TDSMON_CONN_TAP_H

#include "engine/decrypt/decrypt.h"
#include "engine/engine_private.h"

/* The flow's decryption, or NULL. */
static inline struct decrypt *conn_decrypt(const struct engine *e, const struct flow *f)
{
	return e->decryption ? decryption_of(e->decryption, flow_place(&e->flows, f)) : NULL;
}

/* The source hands over this much from now on. */
void conn_set_level(struct engine *e, const struct flow *f, enum tap_level level);
/*
 * The level to hand over after a login: all for a session that is decrypted, or in clear if the
 * text of requests is wanted; else only heads.
 */
enum tap_level conn_session_level(const struct engine *e, const struct flow *f);
/* The connection is over: the source need not follow it any longer. */
void conn_over(struct engine *e, const struct flow *f);
/* The source hands over more than the engine asked for: it has forgotten the flow. */
void conn_tap_again(struct engine *e, const struct flow *f);

/* Take the counts of commands that the source has just reported. */
void conn_counts(struct flow *f, const struct tap_counts *counts);
/*
 * The connection did not end and is about to be given up: first ask what the source knows of it and
 * has not reported.
 */
void conn_ask(struct engine *e, struct flow *f);

#endif
