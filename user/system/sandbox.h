/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sandbox.h - gives up what is no longer needed: the user, capabilities, system calls. It is gone
 * for good, also for programs executed later.
 */
#ifndef TDSMON_SANDBOX_H
#define TDSMON_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* SANDBOX_BIT(CAP_BPF) | ...: <linux/capability.h> */
#define SANDBOX_BIT(capability) (1ull << (capability))

/* The user to continue as. */
enum sandbox_user {
	SANDBOX_USER_SAME,
	SANDBOX_USER_DEFAULT, /* root: as tdsmon or else nobody, if possible */
	SANDBOX_USER_NAMED,   /* fails if that is not possible */
};

/*
 * Continue as this user with only its group, and with those capabilities in keep that the process
 * has. user: its name for SANDBOX_USER_NAMED. 0, or -errno with the reason logged; then the process
 * should end.
 */
int sandbox_privileges(enum sandbox_user who, const char *user, uint64_t keep);

/* Is this capability permitted to the process? CAP_*: <linux/capability.h> */
bool sandbox_has(int capability);

/* Does call(ctx) work without these capabilities? They are restored afterwards. */
bool sandbox_works_without(uint64_t without, bool (*call)(void *ctx), void *ctx);

/* The tasks of a process, as bits: it may have several. */
enum sandbox_role {
	SANDBOX_WATCHER = 1, /* uses what is open: opens no file and no socket */
	SANDBOX_OPENER = 2,  /* opens files for reading, and passes them on */
	SANDBOX_WRITER = 4,  /* creates, renames and removes files */
	SANDBOX_LOOKER = 8,  /* lists folders, and reads where links lead */
};

/* Descriptors with rules of their own; -1: none. */
struct sandbox_descriptors {
	/* A datagram socket, only for write(), because other calls can name another receiver. */
	int connected;
	int duplicated; /* may be duplicated; a copy of another one could evade the rule above */
};

/*
 * From now on, system calls other than those of these roles (enum sandbox_role) fail with EPERM,
 * and the kernel logs them. No role executes a program, starts a process, connects, signals another
 * process, sets limits, or creates a BPF object or executable memory. 0, or -errno: the kernel has
 * no such filters.
 */
int sandbox_syscalls(unsigned int roles, const struct sandbox_descriptors *fds);

#endif
