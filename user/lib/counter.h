/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * counter.h - a count with its name and meaning, so that code that shows counters need not know
 * their origin.
 */
#ifndef TDSMON_COUNTER_H
#define TDSMON_COUNTER_H

#include <stdint.h>

struct counter {
	const char *name; /* metric style: "packets_lost" */
	const char *text; /* one line for people, printed after the number */
	uint64_t value;
};

#endif
