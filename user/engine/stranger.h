/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * stranger.h - TDS on ports that are not watched, recognised by a client's first bytes. With
 * any_port they make the engine follow the connection. Without it the ports are remembered, to be
 * named to a user who looks in the wrong place.
 */
#ifndef TDSMON_STRANGER_H
#define TDSMON_STRANGER_H

#include <stdbool.h>

#include "engine/engine.h"

struct strangers {
	uint16_t ports[ENGINE_STRANGERS];
	uint32_t count;
};

/* Is this the beginning of a PRELOGIN packet? payload holds seg->cap_len bytes. */
bool stranger_speaks_tds(const struct seg *seg, const uint8_t *payload);

/* Note that a client spoke TDS to this port. */
void stranger_note(struct strangers *s, uint16_t port);

#endif
