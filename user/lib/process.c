// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * process.c - what this process uses of the machine, from proc(5).
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define NS_PER_S 1000000000ull

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n > 3 ? n - 3 : 0; /* "." and "..", and the folder's own */
}

/* Field 22 of /proc/self/stat: the start, in clock ticks since boot. */
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

void process_usage(struct process_usage *usage)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), all = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	struct rlimit fds = {0};

	if (f) {
		if (fscanf(f, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
			all = resident = 0;
		fclose(f);
	}
	getrlimit(RLIMIT_NOFILE, &fds);
	*usage = (struct process_usage){.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
					.start_ns = start_ns(),
					.resident_bytes = resident * page,
					.virtual_bytes = all * page,
					.open_fds = open_fds(),
					.max_fds = fds.rlim_cur};
}
