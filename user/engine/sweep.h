/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sweep.h - the engine's time: what is due as it advances.
 */
#ifndef TDSMON_SWEEP_H
#define TDSMON_SWEEP_H

#include "engine/engine_private.h"

/* Advance the time to now_ns. Every quarter of a second: give up, evict and report what is due. */
void sweep_tick(struct engine *e, uint64_t now_ns);

#endif
