// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cgroup_path.c - see cgroup_path.h. Container runtimes name a cgroup by the container's id:
 * docker-<64 hex>.scope, libpod-..., cri-containerd-..., crio-..., or just the id; the kubelet names
 * pods by their UID, ...-pod<uid>.slice or /pod<uid>/, with _ for - under systemd.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_path.h"

#define CONTAINER_LEN 64
#define UID_LEN	      36

static size_t hex_run(const char *at)
{
	size_t n = 0;

	while (isdigit((unsigned char)at[n]) || (at[n] >= 'a' && at[n] <= 'f'))
		n++;
	return n;
}

/* The innermost one of the path. */
static void read_container(struct witness_process *process, const char *path)
{
	for (const char *at = path; *at;) {
		size_t n = hex_run(at);

		if (n == CONTAINER_LEN) {
			memcpy(process->container, at, CONTAINER_LEN);
			process->container[CONTAINER_LEN] = '\0';
		}
		at += n ? n : 1;
	}
}

/* 8-4-4-4-12 hexadecimal digits, parted by - or _. */
static bool is_uid(const char *at)
{
	static const size_t groups[] = {8, 4, 4, 4, 12};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (i && *at != '-' && *at != '_')
			return false;
		at += !!i;
		if (hex_run(at) != groups[i])
			return false;
		at += groups[i];
	}
	return true;
}

static void read_pod(struct witness_process *process, const char *path)
{
	for (const char *at = strstr(path, "pod"); at; at = strstr(at + 1, "pod")) {
		if (!is_uid(at + 3))
			continue;
		for (size_t i = 0; i < UID_LEN; i++)
			process->pod[i] = at[3 + i] == '_' ? '-' : at[3 + i];
		process->pod[UID_LEN] = '\0';
	}
}

/* How much a line's path says: the more the better. */
static int rank(const char *controllers, const char *path)
{
	struct witness_process found = {0};

	read_container(&found, path);
	read_pod(&found, path);
	if (*found.container || *found.pod)
		return 4;
	if (!strcmp(path, "/"))
		return 1;
	if (!strncmp(controllers, "cpu", 3) && (!controllers[3] || controllers[3] == ','))
		return 3;
	return *controllers ? 2 : 3;
}

void cgroup_path_read(struct witness_process *process, const char *text)
{
	char line[4096 + 64];
	int best = 0;

	for (const char *at = text; *at;) {
		size_t n = strcspn(at, "\n");
		char *controllers, *path;

		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		at += n + !!at[n];
		controllers = strchr(line, ':');
		path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		if (rank(controllers + 1, path) <= best)
			continue;
		best = rank(controllers + 1, path);
		*process->container = *process->pod = '\0';
		read_container(process, path);
		read_pod(process, path);
		snprintf(process->cgroup, sizeof(process->cgroup), "%s", path);
	}
	for (char *c = process->cgroup; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}
