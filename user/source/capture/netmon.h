/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netmon.h - captures of Microsoft's Network Monitor, by way of Wireshark's editcap.
 */
#ifndef TDSMON_NETMON_H
#define TDSMON_NETMON_H

#include <stdbool.h>

/* Whether the file, of which nothing is consumed, begins as such a capture does. */
bool netmon_is(int fd);

/*
 * Have editcap write the file as pcapng: a descriptor of that, a file without a name; or -errno
 * with the reason logged, and how to go on. fd stays the caller's. It starts a process, so it is
 * for the time before system calls are confined.
 */
int netmon_convert(int fd, const char *name);

#endif
