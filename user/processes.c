// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * processes.c - see processes.h. Finding the process of a socket means looking through the
 * descriptors of all: so a server's connections are taken for its listener's process, once one of
 * them was found there.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_path.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "processes.h"
#include "lib/units.h"

#define SOCKETS_MOST   64
#define PROCESSES_MOST 16
#define FILE_MAX       8192	       /* bytes of a file that is read */
#define HOLDS_NS       (60 * NS_PER_S) /* no socket is passed on, nor its number used again, sooner */
#define AGAIN_NS       5000000000ull   /* a socket that was not found is not searched for sooner */
#define READ_NS	       10000000ull     /* a process is not read more often */
#define SEARCHES_PER_S 10
#define IDLE_NS	       (60 * NS_PER_S) /* the files of a process that nobody asked for are closed */

enum search {
	SEARCH_NONE,	/* the place is free */
	SEARCH_WANTED,	/* too many were under way */
	SEARCH_GOES_ON, /* the opener was asked */
	SEARCH_FOUND,
	SEARCH_FAILED,
};

/* A process that has sockets, its files open. */
struct owner {
	uint32_t pid; /* 0: the place is free */
	int stat_fd, cpu_fd, freezer_fd;
	int cgroup_ticket, cpu_ticket, freezer_ticket; /* -EBUSY: to be sent; -1: answered */
	uint64_t used_ns, read_ns;
	struct witness_process who;
	enum witness_answer stopped;
	bool frozen;
	bool has_throttled;
	uint64_t throttled_ns;
};

struct socket {
	enum search state;
	uint32_t inode, hint;
	int ticket;
	uint64_t since_ns; /* when that state began */
	uint64_t used_ns;
	struct owner *process;
	bool keeps_connections; /* a listener: one that it accepted was found at its process */
};

struct processes {
	struct opener *opener;
	uint64_t second;
	uint32_t searches; /* in that second */
	uint64_t swept_ns;
	struct socket sockets[SOCKETS_MOST];
	struct owner at[PROCESSES_MOST];
};

struct processes *processes_new(struct opener *opener)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (p)
		p->opener = opener;
	return p;
}

static void process_release(struct processes *p, struct owner *process)
{
	int *const tickets[] = {&process->cgroup_ticket, &process->cpu_ticket,
				&process->freezer_ticket};

	if (!process->pid)
		return;
	for (size_t i = 0; i < SOCKETS_MOST; i++)
		if (p->sockets[i].process == process)
			p->sockets[i] = (struct socket){0};
	for (size_t i = 0; i < sizeof(tickets) / sizeof(tickets[0]); i++)
		if (*tickets[i] >= 0)
			opener_forget(p->opener, *tickets[i]);
	fd_close(process->stat_fd);
	fd_close(process->cpu_fd);
	fd_close(process->freezer_fd);
	process->pid = 0;
}

static void socket_release(struct processes *p, struct socket *socket)
{
	if (socket->state == SEARCH_GOES_ON)
		opener_forget(p->opener, socket->ticket);
	*socket = (struct socket){0};
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < SOCKETS_MOST; i++)
		socket_release(p, &p->sockets[i]);
	for (size_t i = 0; i < PROCESSES_MOST; i++)
		process_release(p, &p->at[i]);
	free(p);
}

/* ---- what files say ---- */

/* The whole of a short file from its start, as of now. False: it cannot be read. */
static bool file_read(int fd, char text[FILE_MAX])
{
	ssize_t n = fd < 0 ? -1 : pread(fd, text, FILE_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* "PID (NAME) STATE ...": NAME can hold anything. False: it is gone. */
static bool read_stat(struct owner *process)
{
	char text[FILE_MAX], *open, *close;
	size_t len;

	if (!file_read(process->stat_fd, text))
		return false;
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open || close[1] != ' ')
		return false;
	process->pid = process->who.pid = (uint32_t)strtoul(text, NULL, 10);
	len = (size_t)(close - open) - 1;
	if (len >= sizeof(process->who.name))
		len = sizeof(process->who.name) - 1;
	memcpy(process->who.name, open + 1, len);
	process->who.name[len] = '\0';
	for (char *c = process->who.name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	process->stopped = close[2] == 'T' || close[2] == 't' ? WITNESS_YES : WITNESS_NO;
	return process->pid && close[2] != 'Z' && close[2] != 'X';
}

/* cpu.stat of version 1 counts ns, that of version 2 microseconds. */
static void read_cpu_stat(struct owner *process)
{
	char text[FILE_MAX];
	const char *v1, *v2;
	uint64_t value;

	process->has_throttled = false;
	if (!file_read(process->cpu_fd, text))
		return;
	v1 = strstr(text, "throttled_time ");
	v2 = strstr(text, "throttled_usec ");
	if (!v1 && !v2)
		return;
	value = strtoull((v1 ? v1 : v2) + strlen("throttled_time "), NULL, 10);
	process->has_throttled = true;
	process->throttled_ns = v1 ? value : value * 1000;
}

/* The process runs no more than a stopped one; its state does not show it. */
static void read_freezer(struct owner *process)
{
	char text[FILE_MAX];

	process->frozen = file_read(process->freezer_fd, text) &&
			  (strstr(text, "frozen 1") || !strncmp(text, "FROZEN", 6));
}

static void read_cgroup(struct owner *process, int fd)
{
	char text[FILE_MAX];

	if (file_read(fd, text))
		cgroup_path_read(&process->who, text);
	fd_close(fd);
}

/* ---- processes ---- */

static struct owner *process_place(struct processes *p)
{
	struct owner *oldest = &p->at[0];

	for (size_t i = 0; i < PROCESSES_MOST; i++) {
		if (!p->at[i].pid)
			return &p->at[i];
		if (p->at[i].used_ns < oldest->used_ns)
			oldest = &p->at[i];
	}
	process_release(p, oldest);
	return oldest;
}

static void process_ask(struct processes *p, struct owner *process)
{
	if (process->cgroup_ticket == -EBUSY)
		process->cgroup_ticket = opener_send(p->opener, OPENER_CGROUP, process->pid, "");
	if (process->cpu_ticket == -EBUSY)
		process->cpu_ticket = opener_send(p->opener, OPENER_CPU_STAT, process->pid, "");
	if (process->freezer_ticket == -EBUSY)
		process->freezer_ticket = opener_send(p->opener, OPENER_FREEZER, process->pid, "");
}

/* Take a process whose stat the opener opened. If it is known already, the known one is returned. */
static struct owner *process_begin(struct processes *p, int stat_fd, uint64_t now_ns)
{
	struct owner new = {.stat_fd = stat_fd,
			    .cpu_fd = -1,
			    .freezer_fd = -1,
			    .cgroup_ticket = -EBUSY,
			    .cpu_ticket = -EBUSY,
			    .freezer_ticket = -EBUSY,
			    .used_ns = now_ns,
			    .read_ns = now_ns},
		     *place;

	if (!read_stat(&new)) {
		close(stat_fd);
		return NULL;
	}
	for (size_t i = 0; i < PROCESSES_MOST; i++) {
		/* A process that has ended may have had the same number. */
		if (p->at[i].pid != new.pid || !read_stat(&p->at[i]))
			continue;
		close(stat_fd);
		return &p->at[i];
	}
	place = process_place(p);
	*place = new;
	process_ask(p, place);
	return place;
}

/* The answer to a ticket, once; -EAGAIN: not yet, or no ticket. */
static int ticket_take(struct processes *p, int *ticket)
{
	int result = *ticket < 0 ? -EAGAIN : opener_take(p->opener, *ticket);

	if (result != -EAGAIN)
		*ticket = -1;
	return result;
}

/* Take the files that the opener has opened meanwhile. False: it has opened none. */
static bool process_collect(struct processes *p, struct owner *process)
{
	int cgroup = ticket_take(p, &process->cgroup_ticket);
	int cpu = ticket_take(p, &process->cpu_ticket);
	int freezer = ticket_take(p, &process->freezer_ticket);

	process_ask(p, process);
	if (cpu >= 0)
		process->cpu_fd = cpu;
	if (freezer >= 0)
		process->freezer_fd = freezer;
	if (cgroup >= 0)
		read_cgroup(process, cgroup);
	return cgroup >= 0 || cpu >= 0 || freezer >= 0;
}

/* Read its files again. They are valid only if the process still exists. False: it has ended. */
static bool process_update(struct processes *p, struct owner *process, uint64_t now_ns)
{
	bool more = process_collect(p, process);

	process->used_ns = now_ns;
	if (!more && now_ns - process->read_ns < READ_NS)
		return true;
	process->read_ns = now_ns;
	read_cpu_stat(process);
	read_freezer(process);
	if (read_stat(process))
		return true;
	process_release(p, process);
	return false;
}

/* ---- sockets ---- */

static struct socket *socket_find(struct processes *p, uint32_t inode)
{
	for (size_t i = 0; i < SOCKETS_MOST; i++)
		if (p->sockets[i].state != SEARCH_NONE && p->sockets[i].inode == inode)
			return &p->sockets[i];
	return NULL;
}

static void socket_set(struct socket *socket, enum search state, uint64_t now_ns)
{
	socket->state = state;
	socket->since_ns = now_ns;
}

static void socket_search(struct processes *p, struct socket *socket, uint64_t now_ns)
{
	char hint[16];

	if (p->second != now_ns / NS_PER_S) {
		p->second = now_ns / NS_PER_S;
		p->searches = 0;
	}
	socket_set(socket, SEARCH_WANTED, now_ns);
	if (p->searches == SEARCHES_PER_S)
		return;
	p->searches++;
	snprintf(hint, sizeof(hint), "%" PRIu32, socket->hint);
	socket->ticket = opener_send(p->opener, OPENER_SOCKET_STAT, socket->inode, hint);
	if (socket->ticket >= 0)
		socket->state = SEARCH_GOES_ON;
	else if (socket->ticket != -EBUSY)
		socket->state = SEARCH_FAILED;
}

static void socket_answer(struct processes *p, struct socket *socket, uint64_t now_ns)
{
	int result = opener_take(p->opener, socket->ticket);

	if (result == -EAGAIN)
		return;
	socket->process = result > 0 ? process_begin(p, result, now_ns) : NULL;
	socket_set(socket, socket->process ? SEARCH_FOUND : SEARCH_FAILED, now_ns);
	if (result <= 0)
		log_debug("the process of socket %" PRIu32 " is not known: %s", socket->inode,
			  strerror(-result));
}

/* Answers for logins that wait no longer are taken here, since their places are few. */
void processes_sweep(struct processes *p, uint64_t now_ns)
{
	if (now_ns < p->swept_ns + NS_PER_S)
		return;
	p->swept_ns = now_ns;
	for (size_t i = 0; i < SOCKETS_MOST; i++)
		if (p->sockets[i].state == SEARCH_GOES_ON)
			socket_answer(p, &p->sockets[i], now_ns);
	for (size_t i = 0; i < PROCESSES_MOST; i++) {
		if (!p->at[i].pid)
			continue;
		if (p->at[i].used_ns + IDLE_NS < now_ns)
			process_release(p, &p->at[i]);
		else
			process_collect(p, &p->at[i]);
	}
}

/* Move on with the search for a socket's process. */
static struct socket *socket_follow(struct processes *p, uint32_t inode, uint32_t hint,
				    uint64_t now_ns)
{
	struct socket *socket = socket_find(p, inode), *oldest = &p->sockets[0];

	if (!socket) {
		for (size_t i = 0; i < SOCKETS_MOST && oldest->state != SEARCH_NONE; i++)
			if (p->sockets[i].state == SEARCH_NONE ||
			    p->sockets[i].used_ns < oldest->used_ns)
				oldest = &p->sockets[i];
		socket_release(p, oldest);
		socket = oldest;
		*socket = (struct socket){.state = SEARCH_WANTED, .inode = inode, .hint = hint};
	}
	socket->used_ns = now_ns;
	if ((socket->state == SEARCH_FOUND && now_ns - socket->since_ns > HOLDS_NS) ||
	    (socket->state == SEARCH_FAILED && now_ns - socket->since_ns > AGAIN_NS)) {
		socket->process = NULL;
		socket->keeps_connections = false;
		socket->state = SEARCH_WANTED;
	}
	if (socket->state == SEARCH_GOES_ON)
		socket_answer(p, socket, now_ns);
	if (socket->state == SEARCH_WANTED)
		socket_search(p, socket, now_ns);
	return socket;
}

static struct owner *find(struct processes *p, uint32_t inode, uint32_t listener, uint64_t now_ns)
{
	struct socket *server = listener ? socket_follow(p, listener, 0, now_ns) : NULL, *own;
	struct owner *owner = server ? server->process : NULL;

	if (!inode || (server && server->keeps_connections))
		return owner;
	/* Its listener's process is tried first, so that has to be known. */
	if (server && (server->state == SEARCH_WANTED || server->state == SEARCH_GOES_ON))
		return NULL;
	own = socket_follow(p, inode, owner ? owner->pid : 0, now_ns);
	if (!own->process)
		return NULL;
	server = listener ? socket_find(p, listener) : NULL; /* places were used again */
	if (server && server->process == own->process)
		server->keeps_connections = true;
	return own->process;
}

bool processes_find(struct processes *p, uint32_t inode, uint32_t listener, uint64_t now_ns,
		    struct process_state *out)
{
	struct owner *process;

	if (!p->opener || (!inode && !listener))
		return false;
	process = find(p, inode, listener, now_ns);
	if (!process || !process_update(p, process, now_ns))
		return false;
	*out = (struct process_state){&process->who, process->stopped, process->frozen,
				      process->has_throttled, process->throttled_ns};
	return true;
}
