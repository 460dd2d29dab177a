// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - a capture file through the whole engine, as tdsmon -r does it. Input: the file.
 */
#include "records.h"
#include "temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As in main.c for files: packets alone decide what is late. */
	const struct engine_config config = {
		.any_port = size & 1,
		.browser = true,
		.identities = size & 2,
		.max_flows = 256, /* room is reserved: more would take time */
		.reorder_ns = UINT64_MAX,
	};
	struct file *file = temporary_open(data, size);
	const uint8_t *payload;
	struct checked c;
	struct seg seg;

	if (!file)
		return 0;
	checked_begin(&c, &config);
	while (file_next(file, &seg, &payload) == 1)
		checked_segment(&c, &seg, payload);
	checked_end(&c);
	file_close(file);
	return 0;
}
