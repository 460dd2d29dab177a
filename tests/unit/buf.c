// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * buf.c - growable buffers, each with its limit, and the one that many of them share.
 */
#include "engine/protocol/byte_buf.h"
#include "unit.h"

static uint8_t bytes[100000];

UNIT_CASE(a_limit_of_its_own)
{
	struct buf b = {0};

	buf_append(&b, bytes, 300, 1000);
	CHECK_INT(b.len, 300);
	CHECK_INT(b.cap, 512);
	buf_append(&b, bytes, 600, 1000);
	CHECK_INT(b.len, 900);
	CHECK_INT(b.cap, 1000); /* no more than the limit */
	CHECK(!b.cut);
	buf_append(&b, bytes, 101, 1000);
	CHECK_INT(b.len, 1000);
	CHECK(b.cut);
	buf_append(&b, bytes, 1, 2000); /* once cut, it stays cut */
	CHECK_INT(b.len, 1000);
	buf_release(&b);
	CHECK(!b.data && !b.cap);
}

UNIT_CASE(a_limit_that_is_shared)
{
	uint64_t refused = 0;
	struct pool pool = {.max = 100000, .refused = &refused};
	struct buf a = {.pool = &pool}, b = {.pool = &pool};

	buf_append(&a, bytes, 60000, 65536);
	CHECK_INT(pool.used, 65536);
	buf_append(&b, bytes, 30000, 65536);
	CHECK_INT(pool.used, 65536 + 32768);
	CHECK_INT(refused, 0);
	/* The next step of its growth does not fit: nothing is added. */
	buf_append(&b, bytes, 5000, 65536);
	CHECK(b.cut);
	CHECK_INT(b.len, 30000);
	CHECK_INT(refused, 1);
	CHECK_INT(pool.used, 65536 + 32768);
	buf_release(&a);
	CHECK_INT(pool.used, 32768);
	CHECK(a.pool == &pool);
	buf_release(&b);
	CHECK_INT(pool.used, 0);
}

UNIT_CASE(what_is_empty_gives_its_room_back)
{
	uint64_t refused = 0;
	struct pool pool = {.max = 100000, .refused = &refused};
	struct buf b = {.pool = &pool};

	buf_append(&b, bytes, 3000, 65536);
	buf_consume(&b, 3000);
	CHECK_INT(pool.used, 4096); /* kept for later buffers */
	buf_append(&b, bytes, 50000, 65536);
	buf_consume(&b, 49999);
	CHECK_INT(b.len, 1);
	CHECK_INT(pool.used, 65536);
	buf_consume(&b, 1);
	CHECK_INT(pool.used, 0);
	buf_append(&b, bytes, 5000, 65536);
	b.cut = true;
	buf_clear(&b);
	CHECK(!b.cut && !b.len);
	CHECK_INT(pool.used, 0);
	buf_release(&b);
}

int main(void)
{
	RUN(a_limit_of_its_own);
	RUN(a_limit_that_is_shared);
	RUN(what_is_empty_gives_its_room_back);
	return unit_status();
}
