/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * listeners.h - the TCP ports that this host listens on, and which process does.
 */
#ifndef TDSMON_LISTENERS_H
#define TDSMON_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENER_PROCESS 16 /* a process's name and a NUL, as the kernel keeps it */

struct listening {
	uint8_t addr
		[16]; /* as in struct endpoint; all zeroes: any of IPv6, ::ffff:0.0.0.0 of IPv4 */
	uint16_t port;
	uint64_t inode;
	uint32_t pid; /* 0: not known */
	char process[LISTENER_PROCESS];
	bool elsewhere; /* in another network namespace, as of a container */
};

struct listeners {
	struct listening *all;
	size_t count;
	bool blind;  /* some processes belong to others, and we may not look into them */
	bool failed; /* memory ran out */
};

/*
 * Those of this network namespace, and those that processes of this name have in others. They are
 * sorted by port. 0, or -errno: /proc cannot be read.
 */
int listeners_read(struct listeners *l, const char *server);
void listeners_release(struct listeners *l);

/* Any address: 0.0.0.0 or ::. */
bool listening_anywhere(const struct listening *l);

#endif
