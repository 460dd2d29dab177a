/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * confine.h - give up what is not needed any more: the user, capabilities, system calls. What is
 * given up is gone for good, for what is executed later too.
 */
#ifndef TDSMON_CONFINE_H
#define TDSMON_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* CONFINE_BIT(CAP_BPF) | ...: <linux/capability.h> */
#define CONFINE_BIT(capability) (1ull << (capability))

/*
 * Go on as this user with its group alone, and with the capabilities in keep, of those there are.
 * user NULL: the one we are. 0, or -errno with the reason logged; then little can be relied on.
 */
int confine_privileges(const char *user, uint64_t keep);

/* Whether call(ctx) works without these capabilities, which are there again afterwards. */
bool confine_works_without(uint64_t without, bool (*call)(void *ctx), void *ctx);

enum {
	CONFINE_WRITE = 1, /* files are made and renamed */
};

/*
 * From now on system calls other than those that a running tdsmon makes fail with EPERM, and the
 * kernel logs them. No program is executed, no process or thread started, no connection opened, no
 * BPF program or map made, no memory made executable; files are opened for reading alone, but for
 * CONFINE_WRITE in need. 0, or -errno: the kernel has no such filters.
 */
int confine_syscalls(unsigned int need);

#endif
