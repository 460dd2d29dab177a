/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * netmon.h - converts captures of Microsoft's Network Monitor with Wireshark's editcap.
 */
#ifndef TDSMON_NETMON_H
#define TDSMON_NETMON_H

#include <stdbool.h>

/* Does the file begin like such a capture? Consumes nothing of it. */
bool netmon_is(int fd);

/*
 * Let editcap write the file as pcapng. Returns a descriptor of the result, a file without a name,
 * or -errno with the reason and a remedy logged. fd stays the caller's. This starts a process, so
 * call it before system calls are restricted.
 */
int netmon_convert(int fd, const char *name);

#endif
