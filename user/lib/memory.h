/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memory.h - counts failed allocations in the whole program. What needed the memory is left out,
 * and this count says that something is missing.
 */
#ifndef TDSMON_MEMORY_H
#define TDSMON_MEMORY_H

#include <stdint.h>

/* How many allocations failed so far. */
uint64_t memory_failures(void);

#endif
