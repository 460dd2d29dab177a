/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memory.h - counts the allocations that failed, wherever in the program: what needed one is left
 * out there and then, and this says that something is missing.
 */
#ifndef TDSMON_MEMORY_H
#define TDSMON_MEMORY_H

#include <stdint.h>

/* How many allocations failed so far. */
uint64_t memory_failures(void);

#endif
