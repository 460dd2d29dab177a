// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * file.c - the capture source: pcap, pcapng, and what compressed files hold. Input: the file. What
 * its segments say of their payload must be there to be read, and so must comments and secrets.
 */
#include "fuzz.h"
#include "source/capture/capture.h"
#include "temporary.h"

#define PACKETS_MAX 100000 /* compressed, millions may be in a few bytes */

static volatile uint8_t sum;

static void touch(const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = sum + ((const uint8_t *)data)[i];
}

static void on_comment(void *ctx, const struct capture_comment *comment)
{
	(void)ctx;
	touch(comment->text, comment->len);
}

static void on_secrets(void *ctx, const struct capture_secrets *secrets)
{
	(void)ctx;
	FUZZ_ASSERT(secrets->offset + secrets->len <= secrets->total);
	touch(secrets->data, secrets->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct capture_hooks hooks = {.comment = on_comment, .secrets = on_secrets};
	struct capture *capture = temporary_open(data, size, &hooks);
	const uint8_t *payload;
	struct capture_stats stats;
	int err = 0, most = PACKETS_MAX;
	struct seg seg;

	if (!capture) {
		temporary_close(NULL);
		return 0;
	}
	while (most-- && (err = capture_next(capture, &seg, &payload)) == 1) {
		FUZZ_ASSERT(seg.cap_len <= seg.len);
		FUZZ_ASSERT((seg.cap_len < seg.len) == !!(seg.rec_flags & SEG_F_TRUNC));
		touch(payload, seg.cap_len);
	}
	FUZZ_ASSERT(err <= 0 || most < 0);
	stats = *capture_stats(capture);
	FUZZ_ASSERT(stats.packets == stats.segments + stats.other + stats.malformed +
					     stats.fragments + stats.nested);
	FUZZ_ASSERT(stats.truncated <= stats.segments);
	temporary_close(capture);
	return 0;
}
