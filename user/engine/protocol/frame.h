/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frame.h - cuts one direction of a connection into TDS packets, TLS records and SMP packets. These
 * may be mixed, and segments may cut them anywhere. Their first bytes never coincide, so no state
 * is needed to recognise the kind at a frame boundary.
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
	FRAME_LOST, /* no boundary known: looking for one at the start of segments */
};

#define FRAME_HEADER_MAX SMP_HEADER /* the longest header */

/* Packed, because each connection has two of them. */
struct framer {
	uint32_t left;	  /* body bytes still to come */
	uint8_t kind : 3; /* enum frame_kind */
	uint8_t have : 5; /* header bytes held */
	uint8_t header[FRAME_HEADER_MAX];
} __attribute__((packed));

struct frame_ops {
	/* A header is complete: its kind and bytes are in f. The body of f->left bytes follows. */
	void (*head)(void *ctx, const struct framer *f, uint64_t ts_ns);
	/* Part of the body. data NULL: these bytes were not captured. */
	void (*body)(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		     uint64_t ts_ns);
	/* The frame's last byte was seen. */
	void (*end)(void *ctx, const struct framer *f, uint64_t ts_ns);
	/* Framing is lost. first: no frame came before, and this is the connection's first data. */
	void (*lost)(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		     uint64_t ts_ns);
};

/*
 * The kind of the frame that begins with these n bytes. FRAME_NONE: more bytes are needed.
 * FRAME_LOST: it is not a frame.
 */
enum frame_kind frame_classify(const uint8_t *p, uint32_t n);

/* Length in bytes of the whole frame whose header is p. kind must be TDS, TLS or SMP. */
uint32_t frame_length(enum frame_kind kind, const uint8_t *p);
uint32_t frame_header_length(enum frame_kind kind);

/* Take len bytes of one segment, in order. data NULL: the bytes were not captured. */
void frame_feed(struct framer *f, const struct frame_ops *ops, void *ctx, const uint8_t *data,
		uint32_t len, uint64_t ts_ns);

/*
 * Step over len bytes that were not captured. They may contain whole frames, which does not lose
 * the framing. to_head: a frame begins after them.
 */
void frame_skip(struct framer *f, const struct frame_ops *ops, void *ctx, uint32_t len,
		bool to_head, uint64_t ts_ns);

#endif
