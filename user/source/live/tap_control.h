/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_control.h - what the kernel is told of connections, many by one system call: it takes as long as
 * reading a login does.
 */
#ifndef TDSMON_TAP_CONTROL_H
#define TDSMON_TAP_CONTROL_H

#include "source/live/tap_load.h"

struct steer {
	int program; /* the tap's tap_steer */
	uint32_t count;
	struct tap_steers packet;
};

void steer_init(struct steer *steer, int program);

/* Take note of it; where there is no more room, all is told at once. */
void steer_add(struct steer *steer, const struct tap_steer *one);

/* Tell the kernel. Of flows that it does not follow, or no longer, nothing is to be said. */
void steer_flush(struct steer *steer);

#endif
