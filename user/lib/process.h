/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * process.h - what this process uses of the machine.
 */
#ifndef TDSMON_PROCESS_H
#define TDSMON_PROCESS_H

#include <stdint.h>

struct process_usage {
	uint64_t cpu_ns;
	uint64_t start_ns; /* wall time, ns since 1970 */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
};

/* What can't be read stays 0. */
void process_usage(struct process_usage *usage);

#endif
