/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sandbox.h - give up what is not needed any more: the user, capabilities, system calls. What is
 * given up is gone for good, for what is executed later too.
 */
#ifndef TDSMON_SANDBOX_H
#define TDSMON_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* SANDBOX_BIT(CAP_BPF) | ...: <linux/capability.h> */
#define SANDBOX_BIT(capability) (1ull << (capability))

/* As whom to go on. */
enum sandbox_user {
	SANDBOX_USER_SAME,
	SANDBOX_USER_DEFAULT, /* root: as tdsmon, else as nobody, where that is possible */
	SANDBOX_USER_NAMED,   /* fails where that is not possible */
};

/*
 * Go on as this user with its group alone, and with the capabilities in keep, of those there are.
 * user: the name where who is SANDBOX_USER_NAMED. 0, or -errno with the reason logged; then little
 * can be relied on.
 */
int sandbox_privileges(enum sandbox_user who, const char *user, uint64_t keep);

/* Whether call(ctx) works without these capabilities, which are there again afterwards. */
bool sandbox_works_without(uint64_t without, bool (*call)(void *ctx), void *ctx);

/* Who is confined, as bits: a process may be several. */
enum sandbox_role {
	SANDBOX_WATCHER = 1, /* what it uses is open: it opens no file and no socket */
	SANDBOX_OPENER = 2,  /* opens files for reading, and passes them on */
	SANDBOX_WRITER = 4,  /* makes, renames and removes files */
};

/* Descriptors with rules of their own; -1: there is none. */
struct sandbox_descriptors {
	/* A datagram socket that only write() sends by: other calls can name another receiver. */
	int connected;
	int duplicated; /* may be duplicated; others may not, so that the rule above holds */
};

/*
 * From now on system calls other than those of these roles (enum sandbox_role) fail with EPERM, and
 * the kernel logs them. No role executes a program, starts a process, connects, signals another
 * process, sets limits, or makes a BPF object or executable memory. 0, or -errno: the kernel has no
 * such filters.
 */
int sandbox_syscalls(unsigned int roles, const struct sandbox_descriptors *fds);

#endif
