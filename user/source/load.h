/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * load.h - the tap's programs and maps into the kernel, and in words what keeps it from it.
 */
#ifndef TDSMON_LOAD_H
#define TDSMON_LOAD_H

#include <linux/types.h>

#include "key.h"
#include "live.h"
#include "tap.skel.h"

/* A value of the map "flows"; struct flow of bpf/flow.h. */
struct tap_flow {
	__u8 level;
	__u8 closing;
	__u16 beat;
	__u32 bytes;
	struct {
		__u32 next, end;
		__u8 state, have;
		__u8 flags; /* TAP_WALK_SEEN */
		__u8 pad;
	} walk[2];
	__u64 sent_ns, first_ns, last_ns;
	__u32 counts[6];
	__u16 server;
	__u8 client;
	__u8 turn;
	__u8 kind;
	__u8 sealed;
	__u8 spent;
	__u8 reset;
};
_Static_assert(sizeof(struct tap_flow) == 88, "bpf/flow.h");

#define TAP_WALK_SEEN 0x01 /* WALK_SEEN of bpf/tap.h */

/* A slot of the map "halves", which is mapped into memory; struct half of bpf/half.h. */
struct tap_half {
	struct tap_key key;
	__u32 state; /* TAP_HALF_* */
	struct seg syn;
};
_Static_assert(sizeof(struct tap_half) == 88, "bpf/half.h");

#define TAP_HALF_SYN	  0x01 /* the SYN is there, and was not handed over */
#define TAP_HALF_ANSWERED 0x10

/* 0 and *tap, to be destroyed by tap_bpf__destroy(); else -errno, and the reason is logged. */
int tap_load(struct tap_bpf **tap, const struct live_config *config);

#endif
