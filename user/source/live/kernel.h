/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * kernel.h - the features of the kernel that tdsmon uses: which of them this kernel has, and what
 * happens without each. INSTALL.md has the same table.
 */
#ifndef TDSMON_KERNEL_H
#define TDSMON_KERNEL_H

#include <stdbool.h>

enum kernel_feature {
	KERNEL_RING_BUFFER,
	KERNEL_BTF,
	KERNEL_TCX,
	KERNEL_XDP,
	KERNEL_XDP_FRAGS,
	KERNEL_SOCKET_BPF,
	KERNEL_SOCK_DIAG,
	KERNEL_READ_TRACE,
	KERNEL_MEMCG,
	KERNEL_OPENAT2,
	KERNEL_FEATURES /* their number */
};

struct kernel_fact {
	const char *name;    /* for the tests: lib/without.h */
	const char *since;   /* the first upstream version */
	const char *what;    /* the feature */
	const char *without; /* what happens without it; for a needed one, what to do */
	bool needed;	     /* tdsmon does not watch without it; it still reads captures */
};

const struct kernel_fact *kernel_fact(enum kernel_feature feature);

/* A test denies it (lib/without.h). No system call, so that a confined process may ask. */
bool kernel_denied(enum kernel_feature feature);

/*
 * Whether this kernel has the feature, and it is not denied. Asks the kernel: takes the capabilities
 * that watching takes, and a process that is not confined.
 */
bool kernel_has(enum kernel_feature feature);

#endif
