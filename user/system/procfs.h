/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * procfs.h - find the process that has a socket, and open its files in /proc and the cgroup file
 * systems. It runs in the opener: only that may see other users' processes.
 */
#ifndef TDSMON_PROCFS_H
#define TDSMON_PROCFS_H

#include <stdint.h>

/*
 * /proc/PID/stat of the process that has a descriptor of the socket with that inode in sockfs. hint:
 * a process that is tried first, and init last; 0: none. Reading goes on to be of this process, and
 * fails with ESRCH when it is gone. -ENOENT: none has it, or none that we may look into.
 */
int procfs_open_stat(uint32_t inode, uint32_t hint);

/* /proc/PID/cgroup. */
int procfs_open_cgroup(uint32_t pid);

/*
 * cpu.stat of the nearest cgroup around a process that has a CPU limit, or of its own where none
 * has: of version 1 (throttled_time, in ns) or 2 (throttled_usec). -ENOENT: it is not mounted here.
 */
int procfs_open_cpu_stat(uint32_t pid);

/*
 * The file that says whether its cgroup is frozen, be it by one around it: cgroup.events of version 2
 * ("frozen 1"), or freezer.state of version 1 ("FROZEN"). -ENOENT: it is not mounted here, or the
 * cgroup is the root.
 */
int procfs_open_freezer(uint32_t pid);

#endif
