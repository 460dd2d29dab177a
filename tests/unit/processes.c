// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * processes.c - a socket's process by a real opener, and what becomes of an answer that nobody comes
 * back for.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/units.h"
#include "processes.h"
#include "unit.h"

#define WAIT_MS	     5000
#define AT_ONCE_MOST 8 /* of the opener's requests */

static struct opener *opener_begin(void)
{
	const struct opener_config config = {.processes = true};
	int err;
	struct opener *opener = opener_start(&config, &err);

	CHECK_INT(err, 0);
	CHECK(opener);
	return opener;
}

static uint32_t inode_of(int fd)
{
	struct stat st = {0};

	CHECK(!fstat(fd, &st));
	return (uint32_t)st.st_ino;
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Do so many requests find room at the same time? Their answers are taken. */
static bool has_room(struct opener *opener, int most)
{
	int tickets[AT_ONCE_MOST], count = 0;

	while (count < most) {
		tickets[count] = opener_send(opener, OPENER_CGROUP, (uint32_t)getpid(), "");
		if (tickets[count] < 0)
			break;
		count++;
	}
	for (int i = 0; i < count; i++) {
		int fd = opener_take_within(opener, tickets[i], WAIT_MS * 1000000ull);

		if (fd > 0)
			close(fd);
	}
	return count == most;
}

UNIT_CASE(a_sockets_process)
{
	struct opener *opener = opener_begin();
	struct processes *p = processes_new(opener);
	int fd = socket(AF_INET, SOCK_STREAM, 0),
	    ms = geteuid() ? WAIT_MS : 0; /* only root finds out */
	struct process_state state = {0};

	while (!processes_find(p, inode_of(fd), 0, clock_now_ns(), &state) && ms++ < WAIT_MS)
		usleep(1000);
	CHECK(geteuid() || state.who);
	if (state.who)
		CHECK_INT((int)state.who->pid, getpid());
	close(fd);
	processes_free(p);
	opener_stop(opener);
}

/* Eight logins wait, are looked at once, and wait no longer. */
UNIT_CASE(answers_that_nobody_comes_back_for)
{
	struct opener *opener = opener_begin();
	struct processes *p = processes_new(opener);
	uint64_t now_ns = clock_now_ns();
	int fds[AT_ONCE_MOST], before;
	struct process_state state;

	for (int i = 0; i < AT_ONCE_MOST; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	before = open_files();
	for (int i = 0; i < AT_ONCE_MOST; i++)
		CHECK(!processes_find(p, inode_of(fds[i]), 0, now_ns, &state));
	CHECK(!has_room(opener, 1));
	for (int s = 1; s <= 5; s++) {
		usleep(100000);
		processes_sweep(p, now_ns + (uint64_t)s * NS_PER_S);
	}
	CHECK(has_room(opener, AT_ONCE_MOST));
	/* All are of this process, which has one set of files, until nobody asked for a minute. */
	CHECK(open_files() <= before + 3);
	processes_sweep(p, now_ns + 70 * NS_PER_S);
	CHECK_INT(open_files(), before);
	for (int i = 0; i < AT_ONCE_MOST; i++)
		close(fds[i]);
	processes_free(p);
	opener_stop(opener);
}

int main(void)
{
	RUN(a_sockets_process);
	RUN(answers_that_nobody_comes_back_for);
	return unit_status();
}
