/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * guard.h - bytes that end where a page does that must not be touched: who reads one byte too many
 * dies of it.
 */
#ifndef TDSMON_UNIT_GUARD_H
#define TDSMON_UNIT_GUARD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_ROOM 65536

/* A copy of n bytes, valid until the next call. n: at most GUARD_ROOM. */
static inline const uint8_t *guarded(const void *data, size_t n)
{
	static uint8_t *end;

	if (!end) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		uint8_t *room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (room == MAP_FAILED || mprotect(room + GUARD_ROOM, page, PROT_NONE))
			abort();
		end = room + GUARD_ROOM;
	}
	if (n)
		memcpy(end - n, data, n);
	return end - n;
}

#endif
