// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * file.c - the capture file source. Input: the file. What its segments say of their payload must be
 * there to be read.
 */
#include "fuzz.h"
#include "source/file.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *payload;
	struct file *file = temporary_open(data, size);
	struct file_stats stats;
	volatile uint8_t sum = 0;
	struct seg seg;
	int err = 0;

	if (!file)
		return 0;
	while ((err = file_next(file, &seg, &payload)) == 1) {
		FUZZ_ASSERT(seg.cap_len <= seg.len);
		FUZZ_ASSERT((seg.cap_len < seg.len) == !!(seg.note & SEG_NOTE_TRUNC));
		for (uint32_t i = 0; i < seg.cap_len; i++)
			sum = sum + payload[i];
	}
	FUZZ_ASSERT(err <= 0);
	stats = *file_stats(file);
	FUZZ_ASSERT(stats.packets ==
		    stats.segments + stats.other + stats.malformed + stats.fragments);
	FUZZ_ASSERT(stats.truncated <= stats.segments);
	file_close(file);
	return 0;
}
