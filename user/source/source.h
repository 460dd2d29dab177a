/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * source.h - what every source has in common: where its segments go.
 */
#ifndef TDSMON_SOURCE_H
#define TDSMON_SOURCE_H

#include "engine/engine.h"

/* payload holds seg->cap_len bytes, or struct tap_counts (SEG_F_COUNTS), during the call. */
typedef void segment_fn(void *ctx, const struct seg *seg, const uint8_t *payload);

#endif
