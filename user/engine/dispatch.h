/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * dispatch.h - finds each segment's connection, begins new ones, and passes the segment on.
 */
#ifndef TDSMON_DISPATCH_H
#define TDSMON_DISPATCH_H

#include "engine/engine_private.h"

/* Take a segment whose time is settled. payload as in engine_segment(). */
void dispatch(struct engine *e, const struct seg *seg, const uint8_t *payload);

#endif
