/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * freed.h - free() and realloc() that hand each block to look() before the memory is given back;
 * realloc() always moves. The program that includes it defines look().
 */
#ifndef TDSMON_UNIT_FREED_H
#define TDSMON_UNIT_FREED_H

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void __libc_free(void *data);

static void look(void *data);

void free(void *data)
{
	if (data)
		look(data);
	__libc_free(data);
}

void *realloc(void *data, size_t size)
{
	void *moved = __libc_malloc(size);
	size_t had = data ? malloc_usable_size(data) : 0;

	if (moved && data)
		memcpy(moved, data, had < size ? had : size);
	if (moved)
		free(data);
	return moved;
}

#endif
