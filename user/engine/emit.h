/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * emit.h - complete a record by what other connections tell, remember it for theirs, and hand it to
 * the engine's owner.
 */
#ifndef TDSMON_EMIT_H
#define TDSMON_EMIT_H

#include "engine/stream/flow_table.h"

/* The flow's login is decided. */
void login_emit(struct engine *e, struct flow *f);
/* The connection is over. proven: its bytes are known to be TDS, so its end has a verdict. */
void close_emit(struct engine *e, const struct flow *f, bool proven);

#endif
