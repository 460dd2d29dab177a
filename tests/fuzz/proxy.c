// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * proxy.c - the PROXY protocol's header, whole and in parts, with the same result. Input: u8 size
 * of a part, then a client's first bytes.
 */
#include "fuzz.h"
#include "engine/protocol/proxy_header.h"

/* Feed it in parts of n bytes. Returns how many belong to the header. */
static uint32_t feed(struct proxy *p, const uint8_t *data, uint32_t size, uint32_t n)
{
	uint32_t used = 0, at, took;

	*p = (struct proxy){0};
	for (at = 0; at < size && p->state != PROXY_OVER; at += n) {
		struct fuzz in = {data + at, data + size};
		uint32_t len;
		uint8_t *part = fuzz_bytes(&in, n, &len);

		took = proxy_feed(p, part, len);
		FUZZ_ASSERT(took <= len);
		FUZZ_ASSERT(took == len || p->state == PROXY_OVER);
		used += took;
		free(part);
	}
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy whole, parts;
	uint32_t n, used;

	if (size < 2)
		return 0;
	n = data[0] ? data[0] : 1;
	used = feed(&whole, data + 1, (uint32_t)size - 1, (uint32_t)size);
	FUZZ_ASSERT(feed(&parts, data + 1, (uint32_t)size - 1, n) == used);
	FUZZ_ASSERT(whole.state == parts.state && whole.seen == parts.seen);
	FUZZ_ASSERT(whole.have == parts.have && !memcmp(whole.held, parts.held, whole.have));
	FUZZ_ASSERT(whole.has_client == parts.has_client);
	FUZZ_ASSERT(!whole.has_client || whole.seen);
	FUZZ_ASSERT(!memcmp(&whole.client, &parts.client, sizeof(whole.client)));
	/* Bytes that are not a header are returned unchanged. */
	if (whole.state == PROXY_OVER && !whole.seen)
		FUZZ_ASSERT(used == whole.have && !memcmp(whole.held, data + 1, used));
	return 0;
}
