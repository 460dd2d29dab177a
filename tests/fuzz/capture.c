// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - reads a capture file into the whole engine, as tdsmon -r does. Input: the file.
 */
#include "records.h"
#include "temporary.h"

#define PACKETS_MAX 20000 /* compressed, a few bytes may hold millions */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in replay.c: only the packets' times decide what is late. */
	const struct engine_config config = {
		.any_port = size & 1,
		.browser = true,
		.identities = size & 2,
		.max_flows = 256, /* allocated in advance: more would take time */
		.reorder_ns = UINT64_MAX,
	};
	struct capture *capture = temporary_open(data, size, NULL);
	const uint8_t *payload;
	struct checked c;
	struct seg seg;
	int most = PACKETS_MAX;

	if (!capture) {
		temporary_close(NULL);
		return 0;
	}
	checked_begin(&c, &config);
	while (most-- && capture_next(capture, &seg, &payload) == 1)
		checked_segment(&c, &seg, payload);
	checked_end(&c);
	temporary_close(capture);
	return 0;
}
