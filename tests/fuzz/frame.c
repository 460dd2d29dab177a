// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * frame.c - the framer. Input: u8 (0: compare whole against cut), then the stream. Until sync is
 * lost the frames must not depend on how the stream is cut; after it, nothing is promised but that
 * every byte is accounted for.
 */
#include "engine/protocol/frame.h"
#include "fuzz.h"

struct told {
	uint64_t hash;
	uint64_t bytes; /* headers and bodies */
	uint32_t left;
	bool in_frame, lost;
};

static void mix(struct told *t, uint64_t v)
{
	t->hash = (t->hash ^ v) * 0xff51afd7ed558ccdull;
	t->hash ^= t->hash >> 29;
}

static void head(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct told *t = ctx;

	(void)ts_ns;
	FUZZ_ASSERT(!t->in_frame);
	FUZZ_ASSERT(f->kind == FRAME_TDS || f->kind == FRAME_TLS || f->kind == FRAME_SMP);
	FUZZ_ASSERT(f->have == frame_header_length((enum frame_kind)f->kind));
	FUZZ_ASSERT(f->left + f->have == frame_length((enum frame_kind)f->kind, f->header));
	FUZZ_ASSERT(frame_classify(f->header, f->have) == (enum frame_kind)f->kind);
	t->in_frame = true;
	t->left = f->left;
	t->bytes += f->have;
	if (!t->lost)
		mix(t, 1 + f->kind + ((uint64_t)f->left << 8));
}

static void body(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	struct told *t = ctx;

	(void)ts_ns;
	FUZZ_ASSERT(t->in_frame && len && len <= t->left);
	t->left -= len;
	t->bytes += len;
	FUZZ_ASSERT(t->left == f->left);
	for (uint32_t i = 0; data && i < len && !t->lost; i++)
		mix(t, data[i]);
}

static void end(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct told *t = ctx;

	(void)ts_ns;
	FUZZ_ASSERT(t->in_frame && !t->left && !f->left && f->kind != FRAME_NONE);
	t->in_frame = false;
	if (!t->lost)
		mix(t, 0x100);
}

static void lost(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	struct told *t = ctx;

	(void)data, (void)len, (void)ts_ns;
	FUZZ_ASSERT(!t->in_frame && f->kind == FRAME_LOST);
	t->lost = true;
}

static const struct frame_ops ops = {head, body, end, lost};

static struct told feed(const uint8_t *data, size_t size, uint8_t step, bool gaps)
{
	struct framer f = {0};
	struct told t = {0};
	uint32_t n;

	for (size_t at = 0; at < size; at += n) {
		bool gap = gaps && at % 7 == 3;

		n = step && size - at > step ? step : (uint32_t)(size - at);
		frame_feed(&f, &ops, &t, gap ? NULL : data + at, n, at);
	}
	FUZZ_ASSERT(t.bytes <= size);
	FUZZ_ASSERT(t.lost || t.bytes + (f.kind == FRAME_NONE ? f.have : 0) == size);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	uint8_t step = fuzz_u8(&in);
	struct told whole, cut;

	whole = feed(in.p, (size_t)(in.end - in.p), 0, false);
	cut = feed(in.p, (size_t)(in.end - in.p), step & 0x7f, step & 0x80);
	if (!(step & 0x80)) {
		FUZZ_ASSERT(whole.lost == cut.lost);
		FUZZ_ASSERT(whole.hash == cut.hash);
	}
	return 0;
}
