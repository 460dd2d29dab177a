// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * frame.c - the framer: each kind of frame whole, byte by byte and split in two at every place;
 * mixes of kinds; missing bytes; bytes that are not a frame, and how it resynchronises.
 */
#include "engine/protocol/frame.h"
#include "bytes.h"
#include "guard.h"
#include "unit.h"

#define FRAMES_MAX 16

struct frames {
	uint32_t heads, ends, losses;
	struct {
		uint8_t kind, type;
		uint32_t length; /* whole */
		uint32_t body;	 /* bytes of it that could be read */
		uint32_t missing;
		uint64_t head_ns, end_ns;
	} at[FRAMES_MAX];
	uint8_t data[4096]; /* all bodies, one after the other */
	uint32_t have;
};

static void on_head(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct frames *t = ctx;

	if (t->heads == FRAMES_MAX)
		return;
	t->at[t->heads].kind = f->kind;
	t->at[t->heads].type = f->header[0];
	t->at[t->heads].length = f->have + f->left;
	t->at[t->heads++].head_ns = ts_ns;
}

static void on_body(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct frames *t = ctx;

	(void)f, (void)ts_ns;
	if (!data) {
		t->at[t->heads - 1].missing += len;
		return;
	}
	t->at[t->heads - 1].body += len;
	if (t->have + len > sizeof(t->data))
		return;
	memcpy(t->data + t->have, data, len);
	t->have += len;
}

static void on_end(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	struct frames *t = ctx;

	(void)f;
	if (t->ends < FRAMES_MAX)
		t->at[t->ends++].end_ns = ts_ns;
}

static void on_lost(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns)
{
	struct frames *t = ctx;

	(void)f, (void)data, (void)len, (void)ts_ns;
	t->losses++;
}

static const struct frame_ops ops = {on_head, on_body, on_end, on_lost};

static void feed(struct framer *f, struct frames *t, const void *data, uint32_t len, uint64_t ts)
{
	frame_feed(f, &ops, t, data ? guarded(data, len) : NULL, len, ts);
}

static const struct example {
	const char *name;
	const uint8_t *data;
	uint32_t len;
	uint32_t count;
	struct {
		uint8_t kind, type;
		uint32_t length;
	} frames[2];
} examples[] = {
#define EXAMPLE(bytes) #bytes, bytes, sizeof(bytes)
	{EXAMPLE(prelogin_request), 1, {{FRAME_TDS, 0x12, 47}}},
	{EXAMPLE(prelogin_reply), 1, {{FRAME_TDS, 0x04, 43}}},
	{EXAMPLE(tls_hello_carried), 1, {{FRAME_TDS, 0x12, 80}}},
	{EXAMPLE(tls_hello_strict), 1, {{FRAME_TLS, 0x16, 93}}},
	{EXAMPLE(server_flight_cut), 2, {{FRAME_TDS, 0x12, 23}, {FRAME_TDS, 0x12, 14}}},
	{EXAMPLE(alert_carried), 1, {{FRAME_TDS, 0x12, 15}}},
	{EXAMPLE(login7_sql), 1, {{FRAME_TDS, 0x10, 146}}},
	{EXAMPLE(login7_ntlm), 1, {{FRAME_TDS, 0x10, 168}}},
	{EXAMPLE(ntlm_challenge), 1, {{FRAME_TDS, 0x04, 79}}},
	{EXAMPLE(ntlm_authenticate), 1, {{FRAME_TDS, 0x11, 150}}},
	{EXAMPLE(login_success), 1, {{FRAME_TDS, 0x04, 100}}},
	{EXAMPLE(login_failure), 1, {{FRAME_TDS, 0x04, 98}}},
	{EXAMPLE(login_redirect), 1, {{FRAME_TDS, 0x04, 95}}},
	{EXAMPLE(fedauth_info), 1, {{FRAME_TDS, 0x04, 39}}},
	{EXAMPLE(fedauth_token), 1, {{FRAME_TDS, 0x08, 20}}},
	{EXAMPLE(attention_and_ack), 2, {{FRAME_TDS, 0x06, 8}, {FRAME_TDS, 0x04, 21}}},
	{EXAMPLE(batch_after_reset), 1, {{FRAME_TDS, 0x01, 32}}},
	{EXAMPLE(smp_syn), 1, {{FRAME_SMP, 0x53, 16}}},
	{EXAMPLE(smp_data_attention), 1, {{FRAME_SMP, 0x53, 24}}},
	{EXAMPLE(smp_ack), 1, {{FRAME_SMP, 0x53, 16}}},
#undef EXAMPLE
};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static uint32_t header_of(uint8_t kind)
{
	return kind == FRAME_TDS ? 8 : kind == FRAME_TLS ? 5 : 16;
}

/* t holds e's frames, and f is at a boundary after them. */
static void check_example(const struct example *e, const struct framer *f, const struct frames *t)
{
	uint32_t bodies = 0, at = 0;

	CHECK_INT(t->heads, e->count);
	CHECK_INT(t->ends, e->count);
	CHECK_INT(t->losses, 0);
	CHECK_INT(f->kind, FRAME_NONE);
	CHECK_INT(f->have, 0);
	for (uint32_t i = 0; i < e->count && i < t->heads; i++) {
		uint32_t header = header_of(e->frames[i].kind), body = e->frames[i].length - header;

		CHECK_INT(t->at[i].kind, e->frames[i].kind);
		CHECK_INT(t->at[i].type, e->frames[i].type);
		CHECK_INT(t->at[i].length, e->frames[i].length);
		CHECK_INT(t->at[i].body, body);
		if (bodies + body <= t->have)
			CHECK(!memcmp(t->data + bodies, e->data + at + header, body));
		bodies += body;
		at += e->frames[i].length;
	}
	CHECK_INT(at, e->len);
	CHECK_INT(t->have, bodies);
	if (unit_case_failed)
		printf("    in %s\n", e->name);
}

UNIT_CASE(every_example_whole)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		struct framer f = {0};
		struct frames t = {0};

		feed(&f, &t, examples[i].data, examples[i].len, 1);
		check_example(&examples[i], &f, &t);
	}
}

UNIT_CASE(every_example_byte_by_byte)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *e = &examples[i];
		struct framer f = {0};
		struct frames t = {0};

		for (uint32_t at = 0; at < e->len; at++)
			feed(&f, &t, e->data + at, 1, at + 1);
		check_example(e, &f, &t);
		/* The times are those of the bytes that completed them. */
		CHECK_INT(t.at[0].head_ns, header_of(e->frames[0].kind));
		CHECK_INT(t.at[0].end_ns, e->frames[0].length);
	}
}

UNIT_CASE(every_example_cut_in_two_anywhere)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *e = &examples[i];

		for (uint32_t cut = 1; cut < e->len; cut++) {
			struct framer f = {0};
			struct frames t = {0};

			feed(&f, &t, e->data, cut, 1);
			feed(&f, &t, e->data + cut, e->len - cut, 2);
			check_example(e, &f, &t);
		}
	}
}

UNIT_CASE(a_frame_cut_short_does_not_end)
{
	for (size_t i = 0; i < EXAMPLES; i++) {
		const struct example *e = &examples[i];

		for (uint32_t len = 0; len < e->len; len++) {
			uint32_t last = e->count - 1,
				 before = e->count == 2 ? e->frames[0].length : 0;
			struct framer f = {0};
			struct frames t = {0};

			feed(&f, &t, e->data, len, 1);
			CHECK_INT(t.losses, 0);
			CHECK_INT(t.ends, e->count == 2 && len >= before);
			CHECK_INT(t.heads,
				  len < before + header_of(e->frames[last].kind)
					  ? (e->count == 2 && len >= header_of(e->frames[0].kind))
					  : e->count);
		}
	}
}

UNIT_CASE(kinds_may_be_mixed)
{
	/* Login-only encryption: PRELOGIN, a bare TLS record, TDS again, then MARS. */
	static const uint8_t stream[] = {
		0x12, 1, 0, 9,	  0,  0, 0, 0, 0xff,			  /* TDS */
		0x17, 3, 3, 0,	  2,  7, 8,				  /* TLS */
		0x11, 1, 0, 8,	  0,  0, 1, 0,				  /* TDS without a body */
		0x53, 1, 0, 0,	  16, 0, 0, 0, 0,    0, 0, 0, 4, 0, 0, 0, /* SMP */
		0x15, 3, 0, 0,	  0,					  /* TLS without a body */
		0x01, 9, 0, 0x0a, 0,  0, 1, 0, 1,    2,			  /* TDS */
	};
	static const uint8_t kinds[] = {FRAME_TDS, FRAME_TLS, FRAME_TDS,
					FRAME_SMP, FRAME_TLS, FRAME_TDS};

	for (uint32_t step = 1; step <= sizeof(stream); step++) {
		struct framer f = {0};
		struct frames t = {0};

		for (uint32_t at = 0; at < sizeof(stream); at += step)
			feed(&f, &t, stream + at,
			     sizeof(stream) - at < step ? sizeof(stream) - at : step, 1);
		CHECK_INT(t.heads, 6);
		CHECK_INT(t.ends, 6);
		CHECK_INT(t.losses, 0);
		for (uint32_t i = 0; i < 6; i++)
			CHECK_INT(t.at[i].kind, kinds[i]);
		CHECK_INT(t.have, 5);
		CHECK(!memcmp(t.data, "\xff\7\x8\1\2", 5));
	}
}

static enum frame_kind classify(const char *bytes, uint32_t n)
{
	return frame_classify(guarded(bytes, n), n);
}

UNIT_CASE(what_begins_a_frame)
{
	static const uint8_t types[] = {0x01, 0x02, 0x03, 0x04, 0x06, 0x07,
					0x08, 0x0e, 0x0f, 0x10, 0x11, 0x12};
	uint8_t header[8] = {0, 1, 0, 8};

	CHECK_INT(classify("", 0), FRAME_NONE);
	for (int first = 0; first < 256; first++) {
		bool tds = memchr(types, first, sizeof(types));
		bool other = (first >= 0x14 && first <= 0x18) || first == 0x53;

		header[0] = (uint8_t)first;
		CHECK_INT(classify((char *)header, 1), tds || other ? FRAME_NONE : FRAME_LOST);
		if (tds) {
			CHECK_INT(classify((char *)header, 7), FRAME_NONE);
			CHECK_INT(classify((char *)header, 8), FRAME_TDS);
		}
	}
}

UNIT_CASE(lengths_have_bounds)
{
	/* TDS: 8 to 32767 bytes, including the header */
	CHECK_INT(classify("\4\1\0\7\0\0\1\0", 8), FRAME_LOST);
	CHECK_INT(classify("\4\1\0\10\0\0\1\0", 8), FRAME_TDS);
	CHECK_INT(classify("\4\1\x7f\xff\0\0\1\0", 8), FRAME_TDS);
	CHECK_INT(classify("\4\1\x80\0\0\0\1\0", 8), FRAME_LOST);
	/* TLS: version 3.0 to 3.4; at most 2^14 + 2048 */
	CHECK_INT(classify("\x16\2", 2), FRAME_LOST);
	CHECK_INT(classify("\x16\3\5", 3), FRAME_LOST);
	CHECK_INT(classify("\x16\3\4\0", 4), FRAME_NONE);
	CHECK_INT(classify("\x16\3\4\0\0", 5), FRAME_TLS);
	CHECK_INT(classify("\x17\3\3\x48\0", 5), FRAME_TLS);
	CHECK_INT(classify("\x17\3\3\x48\1", 5), FRAME_LOST);
	/* SMP: one flag of four, at least its header */
	CHECK_INT(classify("S\3", 2), FRAME_LOST);
	CHECK_INT(classify("S\0", 2), FRAME_LOST);
	CHECK_INT(classify("S\x10", 2), FRAME_LOST);
	CHECK_INT(classify("S\4\0\0\20\0\0\0\0\0\0\0\0\0\0", 15), FRAME_NONE);
	CHECK_INT(classify("S\4\0\0\20\0\0\0\0\0\0\0\0\0\0\0", 16), FRAME_SMP);
	CHECK_INT(classify("S\x8\0\0\17\0\0\0\0\0\0\0\0\0\0\0", 16), FRAME_LOST);
	CHECK_INT(classify("S\x8\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 16), FRAME_LOST);
}

UNIT_CASE(status_bits_do_not_count)
{
	/* Unknown bits are to be ignored (MS-TDS 2.2.3.1.2); only after a loss are they checked. */
	CHECK_INT(classify("\4\xff\0\10\0\0\1\377", 8), FRAME_TDS);
}

UNIT_CASE(sync_is_lost_at_a_boundary_alone)
{
	static const uint8_t stream[] = {0x04, 1, 0, 10, 0, 0, 1, 0, 'G', 'E', 'G', 'E', 'T'};
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, stream, sizeof(stream), 1);
	CHECK_INT(t.ends, 1);
	CHECK_INT(t.losses, 1);
	CHECK_INT(f.kind, FRAME_LOST);
	/* It is reported once. */
	feed(&f, &t, "more", 4, 2);
	CHECK_INT(t.losses, 1);
	CHECK_INT(t.heads, 1);
}

/* A framer that has lost sync. */
static struct framer lost_framer(void)
{
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, "GET /", 5, 1);
	CHECK_INT(t.losses, 1);
	return f;
}

UNIT_CASE(the_way_back_is_a_segment_of_whole_frames)
{
	struct framer f = lost_framer();
	struct frames t = {0};

	feed(&f, &t, login_success, sizeof(login_success), 2);
	CHECK_INT(t.ends, 1);
	CHECK_INT(f.kind, FRAME_NONE);
	feed(&f, &t, batch_after_reset, sizeof(batch_after_reset), 3);
	CHECK_INT(t.ends, 2);
	CHECK_INT(t.losses, 0);
}

UNIT_CASE(no_way_back_in_the_midst_of_a_segment)
{
	uint8_t segment[sizeof(login_success) + 1];
	struct framer f = lost_framer();
	struct frames t = {0};

	segment[0] = 'x';
	memcpy(segment + 1, login_success, sizeof(login_success));
	feed(&f, &t, segment, sizeof(segment), 2);
	CHECK_INT(t.heads, 0);
	CHECK_INT(f.kind, FRAME_LOST);
}

UNIT_CASE(no_way_back_by_what_hardly_looks_like_a_frame)
{
	static const uint8_t status[] = {0x04, 0x81, 0, 9, 0, 0, 1, 0, 0};
	static const uint8_t window[] = {0x04, 0x01, 0, 9, 0, 0, 1, 1, 0};
	static const uint8_t beyond[] = {0x04, 0x01, 0, 90, 0, 0, 1, 0, 0};
	struct framer f = lost_framer();
	struct frames t = {0};

	feed(&f, &t, status, sizeof(status), 2);
	feed(&f, &t, window, sizeof(window), 2);
	feed(&f, &t, beyond, sizeof(beyond), 2); /* one frame, and not all of it */
	feed(&f, &t, NULL, 100, 2);
	CHECK_INT(t.heads, 0);
	CHECK_INT(f.kind, FRAME_LOST);
}

UNIT_CASE(the_way_back_by_a_large_frame_that_goes_on)
{
	uint8_t segment[512] = {0x04, 0x01, 0x10, 0, 0, 0, 1, 0};
	struct framer f = lost_framer();
	struct frames t = {0};

	feed(&f, &t, segment, sizeof(segment) - 1, 2);
	CHECK_INT(t.heads, 0);
	feed(&f, &t, segment, sizeof(segment), 3);
	CHECK_INT(t.heads, 1);
	CHECK_INT(t.at[0].length, 4096);
	CHECK_INT(f.left, 4096 - 512);
}

UNIT_CASE(a_gap_inside_a_body_is_stepped_over)
{
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, login_success, 30, 1);
	feed(&f, &t, NULL, 50, 2);
	feed(&f, &t, login_success + 80, 20, 3);
	CHECK_INT(t.ends, 1);
	CHECK_INT(t.losses, 0);
	CHECK_INT(t.at[0].body, 42);
	CHECK_INT(t.at[0].missing, 50);
	CHECK_INT(t.at[0].end_ns, 3);
	CHECK_INT(f.kind, FRAME_NONE);
}

UNIT_CASE(a_gap_up_to_the_boundary_loses_nothing)
{
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, login_success, 8, 1);
	feed(&f, &t, NULL, 92, 2);
	CHECK_INT(t.ends, 1);
	CHECK_INT(f.kind, FRAME_NONE);
	feed(&f, &t, login_failure, sizeof(login_failure), 3);
	CHECK_INT(t.ends, 2);
	CHECK_INT(t.losses, 0);
}

UNIT_CASE(a_gap_across_a_boundary_loses_sync)
{
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, login_success, 8, 1);
	feed(&f, &t, NULL, 93, 2);
	CHECK_INT(t.ends, 1);
	CHECK_INT(t.losses, 1);
	CHECK_INT(f.kind, FRAME_LOST);
	/* the next segment that begins with a frame resynchronises it */
	feed(&f, &t, login_failure, sizeof(login_failure), 3);
	CHECK_INT(t.ends, 2);
}

UNIT_CASE(a_gap_in_a_header_loses_sync)
{
	for (uint32_t have = 0; have < 8; have++) {
		struct framer f = {0};
		struct frames t = {0};

		feed(&f, &t, login_success, have, 1);
		feed(&f, &t, NULL, 1, 2);
		CHECK_INT(t.losses, 1);
		CHECK_INT(t.heads, 0);
		CHECK_INT(f.kind, FRAME_LOST);
	}
}

UNIT_CASE(nothing_is_fed_by_nothing)
{
	struct framer f = {0};
	struct frames t = {0};

	feed(&f, &t, "", 0, 1);
	feed(&f, &t, NULL, 0, 1);
	CHECK_INT(t.heads + t.losses, 0);
	CHECK_INT(f.kind, FRAME_NONE);
}

int main(void)
{
	RUN(every_example_whole);
	RUN(every_example_byte_by_byte);
	RUN(every_example_cut_in_two_anywhere);
	RUN(a_frame_cut_short_does_not_end);
	RUN(kinds_may_be_mixed);
	RUN(what_begins_a_frame);
	RUN(lengths_have_bounds);
	RUN(status_bits_do_not_count);
	RUN(sync_is_lost_at_a_boundary_alone);
	RUN(the_way_back_is_a_segment_of_whole_frames);
	RUN(no_way_back_in_the_midst_of_a_segment);
	RUN(no_way_back_by_what_hardly_looks_like_a_frame);
	RUN(the_way_back_by_a_large_frame_that_goes_on);
	RUN(a_gap_inside_a_body_is_stepped_over);
	RUN(a_gap_up_to_the_boundary_loses_nothing);
	RUN(a_gap_across_a_boundary_loses_sync);
	RUN(a_gap_in_a_header_loses_sync);
	RUN(nothing_is_fed_by_nothing);
	return unit_status();
}
