// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * listeners.c - see listeners.h: proc_pid_net(5) and proc_pid_fd(5).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/listeners.h"
#include "lib/ip_addr.h"

#define STATE_LISTEN 0x0a
#define LISTEN_MOST  65536 /* sockets */

void listeners_release(struct listeners *l)
{
	free(l->all);
	*l = (struct listeners){0};
}

bool listening_anywhere(const struct listening *l)
{
	static const uint8_t none[16];

	return !memcmp(l->addr + IP_V4_AT, none, 4) &&
	       (ip_is_v4(l->addr) || !memcmp(l->addr, none, IP_V4_AT));
}

static void listeners_add(struct listeners *l, const struct listening *one)
{
	struct listening *grown;

	if (l->count == LISTEN_MOST)
		return;
	grown = realloc(l->all, (l->count + 1) * sizeof(*grown));
	if (!grown) {
		l->failed = true;
		return;
	}
	l->all = grown;
	grown[l->count++] = *one;
}

/* The kernel prints addresses as 32-bit words of this machine's byte order. */
static bool listening_addr(uint8_t addr[16], const char *hex)
{
	uint32_t words[4];
	size_t n = strlen(hex) / 8;

	if (n != 1 && n != 4)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sscanf(hex + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	if (n == 1)
		ip_map_v4(addr, words);
	else
		memcpy(addr, words, sizeof(words));
	return true;
}

/* A line of /proc/PID/net/tcp or tcp6; false: it is no listener. */
static bool listening_line(struct listening *one, const char *line)
{
	unsigned port, state;
	char hex[33];

	*one = (struct listening){0};
	if (sscanf(line, "%*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %" SCNu64,
		   hex, &port, &state, &one->inode) != 4)
		return false;
	one->port = (uint16_t)port;
	return state == STATE_LISTEN && listening_addr(one->addr, hex);
}

static int listeners_table(struct listeners *l, const char *path)
{
	struct listening one;
	char line[512];
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (listening_line(&one, line))
			listeners_add(l, &one);
	fclose(f);
	return 0;
}

/* Without IPv6 there is no tcp6. */
static int listeners_tables(struct listeners *l, const char *of)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%s/net/tcp", of);
	err = listeners_table(l, path);
	snprintf(path, sizeof(path), "/proc/%s/net/tcp6", of);
	listeners_table(l, path);
	return err;
}

static void process_name(uint32_t pid, char name[LISTENER_PROCESS])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	*name = '\0';
	f = fopen(path, "re");
	if (f && fgets(name, LISTENER_PROCESS, f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static bool same_network(uint32_t pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return stat("/proc/self/ns/net", &own) || stat(path, &its) || own.st_ino == its.st_ino;
}

/* Which of the listeners from `from` on does the process have? */
static void process_has(struct listeners *l, size_t from, uint32_t pid, const char *name)
{
	char path[64], found[64];
	struct dirent *entry;
	uint64_t inode;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	l->blind |= !dir && errno == EACCES;
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, found, sizeof(found) - 1);

		found[n > 0 ? n : 0] = '\0';
		if (sscanf(found, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (size_t i = from; i < l->count; i++)
			/* Init keeps the sockets that it passes to services. */
			if (l->all[i].inode == inode && (!l->all[i].pid || l->all[i].pid == 1)) {
				l->all[i].pid = pid;
				snprintf(l->all[i].process, LISTENER_PROCESS, "%s", name);
			}
	}
	if (dir)
		closedir(dir);
}

/* The listeners that the process itself has in another network namespace. */
static void process_elsewhere(struct listeners *l, uint32_t pid, const char *name)
{
	size_t from = l->count, kept = l->count;
	char of[16];

	snprintf(of, sizeof(of), "%u", pid);
	listeners_tables(l, of);
	process_has(l, from, pid, name);
	for (size_t i = from; i < l->count; i++)
		if (l->all[i].pid == pid) {
			l->all[i].elsewhere = true;
			l->all[kept++] = l->all[i];
		}
	l->count = kept;
}

static int by_port(const void *a, const void *b)
{
	const struct listening *x = a, *y = b;

	return x->port != y->port ? (x->port > y->port) - (x->port < y->port)
				  : memcmp(x->addr, y->addr, sizeof(x->addr));
}

int listeners_read(struct listeners *l, const char *server)
{
	char name[LISTENER_PROCESS];
	struct dirent *entry;
	size_t own;
	DIR *dir;
	int err;

	*l = (struct listeners){0};
	err = listeners_tables(l, "self");
	dir = err ? NULL : opendir("/proc");
	own = l->count;
	while (dir && (entry = readdir(dir))) {
		unsigned long pid = strtoul(entry->d_name, NULL, 10);

		if (!pid || pid > INT_MAX)
			continue;
		process_name((uint32_t)pid, name);
		if (same_network((uint32_t)pid)) {
			size_t all = l->count;

			l->count = own;
			process_has(l, 0, (uint32_t)pid, name);
			l->count = all;
		} else if (!strcmp(name, server)) {
			process_elsewhere(l, (uint32_t)pid, name);
		}
	}
	if (dir)
		closedir(dir);
	if (l->count)
		qsort(l->all, l->count, sizeof(*l->all), by_port);
	return err;
}
