/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unacked_time.h - the times in which what a login's side had sent did not reach the other side's
 * TCP: it was sent again, or bytes before it were missing, and no ACK came. The path or a host is
 * the reason, not a program: docs/TCP.md.
 */
#ifndef TDSMON_UNACKED_TIME_H
#define TDSMON_UNACKED_TIME_H

#include <stdint.h>

#define UNACKED_TIMES_MOST 8 /* of one login; later ones are not kept */

struct unacked_times {
	struct {
		uint64_t from_ns, to_ns; /* to_ns UINT64_MAX: no ACK ever came */
	} at[UNACKED_TIMES_MOST];
	uint32_t count;
};

/* Keep a time, if it is not empty and there is room. */
void unacked_times_add(struct unacked_times *u, uint64_t from_ns, uint64_t to_ns);

/*
 * Bytes were sent at first_ns, again at last_ns, and acknowledged at ack_ns (0: not known when). Until
 * when is it sure that no ACK had come? A sender that had none sends again before long: if it did not, the ACK is
 * missing from the capture.
 */
uint64_t unacked_until(uint64_t first_ns, uint64_t last_ns, uint64_t ack_ns);

#endif
