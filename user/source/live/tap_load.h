/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_load.h - the tap's programs and maps into the kernel, and in words what keeps it from it.
 */
#ifndef TDSMON_TAP_LOAD_H
#define TDSMON_TAP_LOAD_H

#include <linux/types.h>
#include <string.h>

#include "tap_abi.h"
#include "source/live/live.h"
#include "tap.skel.h"

/*
 * A record of the ring buffer that begins with head bytes of a struct seg: SEG_PLAIN of a tap that
 * unwraps nothing, else all. The payload is behind these. Where they are not all, *room is filled.
 */
static inline const struct seg *tap_record(const void *record, size_t head, struct seg *room)
{
	if (head == sizeof(*room))
		return record;
	memcpy(room, record, SEG_PLAIN);
	room->tunnel = TUNNEL_NONE;
	room->pad = 0;
	return room;
}

/* The tap, or the one that unwraps tunnels, as libbpf opens it. NULL and errno. */
struct tap_bpf *tap_skeleton(bool decap);

/* 0 and *tap, to be destroyed by tap_bpf__destroy(); else -errno, and the reason is logged. */
int tap_load(struct tap_bpf **tap, const struct live_config *config);

#endif
