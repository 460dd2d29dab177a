// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * process.c - the resources this process uses, from proc(5).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/fd.h"
#include "system/process.h"
#include "lib/units.h"

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t open_fds(DIR *dir)
{
	uint64_t n = 0;

	if (!dir)
		return 0;
	rewinddir(dir);
	while (readdir(dir))
		n++;
	return n > 2 ? n - 2 : 0; /* "." and ".." */
}

/* When the process started: field 22 of /proc/self/stat, in clock ticks since boot. */
static uint64_t start_ns(void)
{
	uint64_t since_boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME), ticks = 0;
	FILE *f = fopen("/proc/self/stat", "re");
	char line[1024], *name_end;

	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f) && (name_end = strrchr(line, ')')))
		sscanf(name_end + 1,
		       " %*c"					  /* 3 */
		       " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s" /* 13 */
		       " %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
		       &ticks);
	fclose(f);
	return since_boot_ns + ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

void process_open(struct process *process)
{
	*process = (struct process){
		.start_ns = start_ns(),
		.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
		.fds = opendir("/proc/self/fd"),
	};
}

void process_close(struct process *process)
{
	fd_close(process->statm);
	if (process->fds)
		closedir(process->fds);
	*process = (struct process){.statm = -1};
}

void process_usage(const struct process *process, struct process_usage *usage)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), all = 0, resident = 0;
	struct rlimit fds = {0};
	char line[128];
	ssize_t len = process->statm < 0 ? 0 : pread(process->statm, line, sizeof(line) - 1, 0);

	line[len > 0 ? len : 0] = '\0';
	if (sscanf(line, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
		all = resident = 0;
	getrlimit(RLIMIT_NOFILE, &fds);
	*usage = (struct process_usage){.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
					.start_ns = process->start_ns,
					.resident_bytes = resident * page,
					.virtual_bytes = all * page,
					.open_fds = open_fds(process->fds),
					.max_fds = fds.rlim_cur};
}
