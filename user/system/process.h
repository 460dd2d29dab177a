/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * process.h - the resources this process uses.
 */
#ifndef TDSMON_PROCESS_H
#define TDSMON_PROCESS_H

#include <dirent.h>
#include <stdint.h>

/* Files of proc(5) that stay open, because a confined process cannot open any. */
struct process {
	uint64_t start_ns; /* wall time, ns since 1970 */
	int statm;	   /* -1: not available */
	DIR *fds;	   /* NULL: not available */
};

struct process_usage {
	uint64_t cpu_ns;
	uint64_t start_ns;
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
};

void process_open(struct process *process);
void process_close(struct process *process);

/* Values that cannot be read stay 0. */
void process_usage(const struct process *process, struct process_usage *usage);

#endif
