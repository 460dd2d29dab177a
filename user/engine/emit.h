/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * emit.h - complete a record with what other connections show, remember it for theirs, and pass it
 * to the engine's owner.
 */
#ifndef TDSMON_EMIT_H
#define TDSMON_EMIT_H

#include "engine/stream/flow_table.h"

/* The flow's login is decided: report it. */
void login_emit(struct engine *e, struct flow *f);
/*
 * The connection is over: report it. proven: its bytes are known to be TDS, so its end has a
 * verdict.
 */
void close_emit(struct engine *e, const struct flow *f, bool proven);

#endif
