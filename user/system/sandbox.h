/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sandbox.h - give up what is not needed any more: the user, capabilities, system calls. What is
 * given up is gone for good, for what is executed later too.
 */
#ifndef TDSMON_SANDBOX_H
#define TDSMON_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* CONFINE_BIT(CAP_BPF) | ...: <linux/capability.h> */
#define CONFINE_BIT(capability) (1ull << (capability))

/* As whom to go on. */
enum confine_user {
	CONFINE_USER_SAME,
	CONFINE_USER_DEFAULT, /* root: as tdsmon, else as nobody, where that is possible */
	CONFINE_USER_NAMED,   /* fails where that is not possible */
};

/*
 * Go on as this user with its group alone, and with the capabilities in keep, of those there are.
 * user: the name where who is CONFINE_USER_NAMED. 0, or -errno with the reason logged; then little
 * can be relied on.
 */
int confine_privileges(enum confine_user who, const char *user, uint64_t keep);

/* Whether call(ctx) works without these capabilities, which are there again afterwards. */
bool confine_works_without(uint64_t without, bool (*call)(void *ctx), void *ctx);

/* Who is confined, as bits: a process may be several. */
enum confine_role {
	CONFINE_WATCHER = 1, /* what it uses is open: it opens no file and no socket */
	CONFINE_OPENER = 2,  /* opens files for reading, and passes them on */
	CONFINE_WRITER = 4,  /* makes, renames and removes files */
};

/* Descriptors with rules of their own; -1: there is none. */
struct confine_descriptors {
	/* A datagram socket that only write() sends by: other calls can name another receiver. */
	int connected;
	int duplicated; /* may be duplicated; others may not, so that the rule above holds */
};

/*
 * From now on system calls other than those of these roles (enum confine_role) fail with EPERM, and
 * the kernel logs them. No role executes a program, starts a process, connects, signals another
 * process, sets limits, or makes a BPF object or executable memory. 0, or -errno: the kernel has no
 * such filters.
 */
int confine_syscalls(unsigned int roles, const struct confine_descriptors *fds);

#endif
