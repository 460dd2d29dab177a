/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_control.h - sets the tap level of connections in the kernel. Many connections share one
 * system call, because a call costs as much as reading a whole login.
 */
#ifndef TDSMON_TAP_CONTROL_H
#define TDSMON_TAP_CONTROL_H

#include "source/live/tap_load.h"

struct tap_control {
	int program;	/* the tap's tap_steer */
	uint32_t count; /* of packet.at */
	struct tap_steers packet;
};

/* program: file descriptor of the tap's program tap_steer. */
void tap_control_init(struct tap_control *control, int program);

/* Queue one change. A full queue (TAP_STEERS) is flushed at once. */
void tap_control_add(struct tap_control *control, const struct tap_steer *one);

/* Pass the queued changes to the kernel, which ignores those of flows that it does not track. */
void tap_control_flush(struct tap_control *control);

#endif
