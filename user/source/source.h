/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * source.h - common to all sources: the function that receives their segments.
 */
#ifndef TDSMON_SOURCE_H
#define TDSMON_SOURCE_H

#include "engine/engine.h"

/* payload: seg->cap_len bytes, or a struct tap_counts (SEG_F_COUNTS); valid during the call. */
typedef void segment_fn(void *ctx, const struct seg *seg, const uint8_t *payload);

#endif
