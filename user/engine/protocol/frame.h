/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frame.h - cuts one direction of a connection into TDS packets, TLS records and SMP packets,
 * which may be mixed and cut anywhere. The first bytes of the three never coincide, so that a
 * frame boundary needs no state to be told apart.
 */
#ifndef TDSMON_FRAME_H
#define TDSMON_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "frame_head.h"

enum frame_kind {
	FRAME_NONE, /* at a boundary */
	FRAME_TDS,
	FRAME_TLS,
	FRAME_SMP,
	FRAME_LOST, /* not at a boundary that we know: looking for one at the start of segments */
};

#define FRAME_HEADER_MAX SMP_HEADER /* the longest */

/* Packed, for each connection has two of them. */
struct framer {
	uint32_t left;	  /* body bytes still to come */
	uint8_t kind : 3; /* enum frame_kind */
	uint8_t have : 5; /* header bytes held */
	uint8_t header[FRAME_HEADER_MAX];
} __attribute__((packed));

struct frame_ops {
	/* A header is complete: kind and bytes in f. The body, f->left bytes, follows. */
	void (*head)(void *ctx, const struct framer *f, uint64_t ts_ns);
	/* Part of the body; data NULL: these bytes were not captured. */
	void (*body)(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		     uint64_t ts_ns);
	/* The frame's last byte was seen. */
	void (*end)(void *ctx, const struct framer *f, uint64_t ts_ns);
	/* Framing is lost; first: nothing had framed before, here is how it begins. */
	void (*lost)(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		     uint64_t ts_ns);
};

/* Which kind a frame that begins with these n bytes is; FRAME_NONE: more are needed to tell,
 * FRAME_LOST: none. */
enum frame_kind frame_classify(const uint8_t *p, uint32_t n);

/* Length of the whole frame whose header is p. kind must be TDS, TLS or SMP. */
uint32_t frame_length(enum frame_kind kind, const uint8_t *p);
uint32_t frame_header_length(enum frame_kind kind);

/* len bytes of one segment, in order. data NULL: len bytes that are not there to be read. */
void frame_feed(struct framer *f, const struct frame_ops *ops, void *ctx, const uint8_t *data,
		uint32_t len, uint64_t ts_ns);

/*
 * len bytes that are not there, and whole frames may be among them: which is no loss. to_head: a
 * frame begins after them.
 */
void frame_skip(struct framer *f, const struct frame_ops *ops, void *ctx, uint32_t len,
		bool to_head, uint64_t ts_ns);

#endif
