/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frame.c - see frame.h.
 */
#include <string.h>

#include "engine/protocol/frame.h"

uint32_t frame_header_length(enum frame_kind kind)
{
	switch (kind) {
	case FRAME_TDS:
		return TDS_HEADER;
	case FRAME_TLS:
		return TLS_HEADER;
	case FRAME_SMP:
		return SMP_HEADER;
	case FRAME_NONE:
	case FRAME_LOST:
		break;
	}
	return 1;
}

uint32_t frame_length(enum frame_kind kind, const uint8_t *p)
{
	switch (kind) {
	case FRAME_TDS:
		return frame_tds_len(p);
	case FRAME_TLS:
		return frame_tls_len(p);
	case FRAME_SMP:
		return frame_smp_len(p);
	case FRAME_NONE:
	case FRAME_LOST:
		break;
	}
	return 0;
}

/* A frame's kind; of FRAME_TDS, FRAME_TLS and FRAME_SMP also the bytes of header and body. */
struct frame_head {
	enum frame_kind kind;
	uint32_t header, body;
};

static struct frame_head frame_head_of(enum frame_kind kind, uint32_t header, uint32_t length)
{
	return (struct frame_head){kind, header, length - header};
}

/* As frame_classify(). */
static inline struct frame_head frame_read_head(const uint8_t *p, uint32_t n)
{
	const struct frame_head none = frame_head_of(FRAME_NONE, 0, 0),
				lost = frame_head_of(FRAME_LOST, 0, 0);
	uint32_t length;

	if (!n)
		return none;
	if (frame_is_tls_type(p[0])) {
		if (!frame_tls_version_valid(p, n))
			return lost;
		if (n < TLS_HEADER)
			return none;
		length = frame_tls_len(p);
		return frame_tls_len_valid(length) ? frame_head_of(FRAME_TLS, TLS_HEADER, length)
						   : lost;
	}
	if (p[0] == SMP_SMID) {
		if (n > 1 && !frame_smp_flags_valid(p))
			return lost;
		if (n < SMP_HEADER)
			return none;
		length = frame_smp_len(p);
		return frame_smp_len_valid(length) ? frame_head_of(FRAME_SMP, SMP_HEADER, length)
						   : lost;
	}
	if (!frame_is_tds_type(p[0]))
		return lost;
	if (n < TDS_HEADER)
		return none;
	length = frame_tds_len(p);
	return frame_tds_len_valid(length) ? frame_head_of(FRAME_TDS, TDS_HEADER, length) : lost;
}

enum frame_kind frame_classify(const uint8_t *p, uint32_t n)
{
	return frame_read_head(p, n).kind;
}

/*
 * Does the segment begin at a frame boundary? Frames must chain from there to the segment's end,
 * and the checkable fields of the first must be as real peers write them.
 */
static bool frame_chain(const uint8_t *p, uint32_t n)
{
	uint32_t at = 0, frames = 0;

	while (at < n) {
		enum frame_kind kind = frame_classify(p + at, n - at);

		if (kind == FRAME_LOST)
			return false;
		if (kind == FRAME_NONE)
			return frames > 1;
		if (kind == FRAME_TDS && !frame_tds_is_typical(p + at))
			return false;
		at += frame_length(kind, p + at);
		frames++;
	}
	/* One frame that reaches beyond the segment proves little, unless it fills the segment. */
	return at == n || frames > 1 || n >= 512;
}

static void frame_begin(struct framer *f, struct frame_head head)
{
	f->kind = head.kind;
	f->left = head.body;
}

/* Read a header in place if all of it is there. Nearly all are. */
static bool frame_header_whole(struct framer *f, const uint8_t **data, uint32_t *len)
{
	struct frame_head head = {.kind = FRAME_NONE};

	if (!f->have)
		head = frame_read_head(*data, *len);
	if (head.kind == FRAME_NONE || head.kind == FRAME_LOST)
		return false;
	f->have = (uint8_t)head.header;
	if (*len >= FRAME_HEADER_MAX) /* a length that the compiler knows; the excess is not read */
		memcpy(f->header, *data, FRAME_HEADER_MAX);
	else
		memcpy(f->header, *data, head.header);
	frame_begin(f, head);
	*data += head.header;
	*len -= head.header;
	return true;
}

/* Take the bytes that the header still needs. True: it is complete and valid. */
static bool frame_header(struct framer *f, const uint8_t **data, uint32_t *len)
{
	if (frame_header_whole(f, data, len))
		return true;
	while (*len) {
		struct frame_head head;

		f->header[f->have++] = *(*data)++;
		(*len)--;
		head = frame_read_head(f->header, f->have);
		if (head.kind == FRAME_NONE)
			continue;
		frame_begin(f, head);
		return head.kind != FRAME_LOST;
	}
	return false;
}

static void frame_lose(struct framer *f, const struct frame_ops *ops, void *ctx,
		       const uint8_t *data, uint32_t len, uint64_t ts_ns)
{
	f->kind = FRAME_LOST;
	ops->lost(ctx, f, data, len, ts_ns);
	f->have = 0;
	f->left = 0;
}

static void frame_finish(struct framer *f, const struct frame_ops *ops, void *ctx, uint64_t ts_ns)
{
	ops->end(ctx, f, ts_ns);
	f->kind = FRAME_NONE;
	f->have = 0;
}

void frame_feed(struct framer *f, const struct frame_ops *ops, void *ctx, const uint8_t *data,
		uint32_t len, uint64_t ts_ns)
{
	if (f->kind == FRAME_LOST) {
		if (!data || !frame_chain(data, len))
			return;
		f->kind = FRAME_NONE;
		f->have = 0;
	}
	while (len) {
		uint32_t n;

		if (f->kind == FRAME_NONE) {
			if (!data) {
				frame_lose(f, ops, ctx, NULL, 0, ts_ns);
				return;
			}
			if (!frame_header(f, &data, &len)) {
				if (f->kind == FRAME_LOST)
					frame_lose(f, ops, ctx, data, len, ts_ns);
				return;
			}
			ops->head(ctx, f, ts_ns);
			if (!f->left)
				frame_finish(f, ops, ctx, ts_ns);
			if (!len || f->kind == FRAME_NONE)
				continue;
		}
		n = len < f->left ? len : f->left;
		f->left -= n;
		ops->body(ctx, f, data, n, ts_ns);
		if (data)
			data += n;
		len -= n;
		if (!f->left)
			frame_finish(f, ops, ctx, ts_ns);
	}
}

void frame_skip(struct framer *f, const struct frame_ops *ops, void *ctx, uint32_t len,
		bool to_head, uint64_t ts_ns)
{
	uint32_t rest = len < f->left ? len : f->left;

	if (rest)
		frame_feed(f, ops, ctx, NULL, rest, ts_ns);
	if (len > rest || to_head) {
		f->kind = to_head ? FRAME_NONE : FRAME_LOST;
		f->have = 0;
		f->left = 0;
	}
}
