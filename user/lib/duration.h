/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * duration.h - times as people write them: 500ms, 2s, 1m, 1h.
 */
#ifndef TDSMON_DURATION_H
#define TDSMON_DURATION_H

#include <stdint.h>

#define DURATION_MAX_MS 3600000u /* an hour */

/* 1 to DURATION_MAX_MS milliseconds; a number without a unit is milliseconds. 0: invalid. */
uint32_t duration_parse_ms(const char *text);

#endif
