/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * processes.h - the processes that have sockets: who they are, whether they are stopped or frozen, for how long
 * their cgroups were throttled. The opener finds them and opens their files; nothing here waits for
 * it: an answer counts from the next look on.
 */
#ifndef TDSMON_PROCESSES_H
#define TDSMON_PROCESSES_H

#include "engine/engine.h"
#include "opener.h"

struct processes;

/* NULL: out of memory. opener must outlive it; it may be NULL: then no process is known. */
struct processes *processes_new(struct opener *opener);
void processes_free(struct processes *p);

/* One process as of now; valid until the next call. */
struct process_state {
	const struct witness_process *who;
	enum witness_answer stopped;
	bool frozen; /* with its cgroup */
	bool has_throttled;
	uint64_t throttled_ns;
};

/*
 * The process of a socket: inode is its own in sockfs, listener that of its listener; 0: it has none.
 * A connection that was not accepted is its listener's. False: not known, or not yet.
 */
bool processes_find(struct processes *p, uint32_t inode, uint32_t listener, uint64_t now_ns,
		    struct process_state *out);

/*
 * Take the opener's answers that nobody came back for, and close the files of processes that nobody
 * asked for in the last minute, so that a process or cgroup that has ended is not held. Does
 * something once a second at most.
 */
void processes_sweep(struct processes *p, uint64_t now_ns);

#endif
