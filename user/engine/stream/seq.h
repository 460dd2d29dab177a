/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* seq.h - sequence numbers of TCP. */
#ifndef TDSMON_SEQ_H
#define TDSMON_SEQ_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "segment.h"

/* Sequence numbers compare as signed differences: RFC 9293 3.4. */
static inline int32_t tcp_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/* RFC 7323 2.3: no segment is further than this from its stream's position. */
static inline bool tcp_believable(int32_t diff)
{
	return diff > -(1 << 30) && diff < 1 << 30;
}

/* Sequence number of a segment's payload: a SYN takes one number. */
static inline uint32_t tcp_data_seq(const struct seg *seg)
{
	return seg->seq + !!(seg->flags & SEG_SYN);
}

/* Does it advance its stream, with payload, a SYN or a FIN? Only such a segment can count twice. */
static inline bool tcp_takes_numbers(const struct seg *seg)
{
	return seg->len || seg->flags & (SEG_SYN | SEG_FIN);
}

#endif
