/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_load.h - loads the tap's programs and maps, and explains failures.
 */
#ifndef TDSMON_TAP_LOAD_H
#define TDSMON_TAP_LOAD_H

#include <linux/types.h>
#include <string.h>

#include "tap_abi.h"
#include "source/live/live.h"
#include "tap.skel.h"

/*
 * The struct seg at the start of a ring buffer record, of which head bytes are present: SEG_PLAIN
 * from the tap that unwraps no tunnels, otherwise all. The payload follows them. A partial one is
 * copied to *room.
 */
static inline const struct seg *tap_record(const void *record, size_t head, struct seg *room)
{
	if (head == sizeof(*room))
		return record;
	memcpy(room, record, SEG_PLAIN);
	room->tunnel = TUNNEL_NONE;
	room->mss = room->pad = 0;
	return room;
}

/* From now on libbpf writes its messages to the log, where only -vv shows them. */
void tap_messages(void);

/* Open the tap, or the tap that unwraps tunnels. NULL with errno set. */
struct tap_bpf *tap_skeleton(bool decap);

/* About as many bytes of kernel memory as the tap takes. */
uint64_t tap_memory(const struct live_config *config);

/* 0 and *tap, which tap_bpf__destroy() releases; otherwise -errno with the reason logged. */
int tap_load(struct tap_bpf **tap, const struct live_config *config);

#endif
