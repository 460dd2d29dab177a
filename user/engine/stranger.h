/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * stranger.h - TDS on ports that are not watched: the first bytes of a client tell. With any_port a
 * connection is taken up by them; without, the ports are kept in mind, to be named to the user who
 * looks in the wrong place.
 */
#ifndef TDSMON_STRANGER_H
#define TDSMON_STRANGER_H

#include <stdbool.h>

#include "engine/engine.h"

struct strangers {
	uint16_t ports[ENGINE_STRANGERS];
	uint32_t count;
};

/* Is this a PRELOGIN packet's beginning? payload holds seg->cap_len bytes. */
bool stranger_speaks_tds(const struct seg *seg, const uint8_t *payload);

/* A client spoke TDS to this port. */
void stranger_note(struct strangers *s, uint16_t port);

#endif
