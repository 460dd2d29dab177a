/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cgroup_path.h - what the path of a cgroup says: which container, which pod.
 */
#ifndef TDSMON_CGROUP_PATH_H
#define TDSMON_CGROUP_PATH_H

#include "engine/engine.h"

/*
 * Fill in cgroup, container and pod from the text of /proc/PID/cgroup: the path that names a
 * container, else that of version 2 or of the CPU controller. Characters that could mean something
 * to a terminal become '?'.
 */
void cgroup_path_read(struct witness_process *process, const char *text);

#endif
