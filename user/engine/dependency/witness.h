/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * witness.h - the kernel's view of a socket on a side's host while a login waits for that side: was
 * the connection accepted, are bytes unread, was the process stopped or throttled. The source
 * samples the socket, the engine turns the samples into parts of the wait: docs/CAUSES.md.
 */
#ifndef TDSMON_WITNESS_H
#define TDSMON_WITNESS_H

#include <linux/types.h>

#include "engine/record.h"
#include "segment.h"

#define WITNESS_FIRST_NS 20000000ull  /* a wait older than this is sampled */
#define WITNESS_MOST_NS	 500000000ull /* the longest time between two looks */
#define WITNESS_SHARE	 16	      /* else the time is the wait so far, divided by this */

enum witness_answer {
	WITNESS_UNKNOWN = -1,
	WITNESS_NO,
	WITNESS_YES,
};

/* The process that holds a socket, and where it runs; "": not known. */
struct witness_process {
	uint32_t pid;
	char name[16];
	char cgroup[256];
	char container[65];
	char pod[37];
};

/* A sample of one socket at one time. */
struct witness_sample {
	uint64_t ts_ns;	     /* the source's clock */
	struct flow_key key; /* the connection */
	uint8_t end;	     /* index of the key's end that has the socket */
	/*
	 * The process had read everything at exactly ts_ns: nothing else is set. If false, this is
	 * a look.
	 */
	bool is_read;
	enum witness_answer here; /* is the socket on this host? If not, it is not sampled again */
	enum witness_answer accepted; /* by its process; always for a client */
	enum witness_answer stopped;  /* is its process stopped, or frozen with its cgroup? */
	bool frozen;		      /* stopped: it is frozen */
	bool has_unread, has_received, has_received_bytes, has_queue, has_throttled;
	uint32_t unread;		       /* bytes that TCP holds for the process */
	uint32_t received;		       /* the next sequence number that TCP expects */
	uint64_t received_bytes;	       /* in total; a FIN counts as one byte */
	uint32_t queue_length, queue_limit;    /* of the listener's accept queue */
	uint64_t throttled_ns;		       /* total of its cgroup so far: it only grows */
	const struct witness_process *process; /* copied; NULL: not known */
};

struct witness;

/* The witness of a login that waits. NULL: out of memory, or w is NULL. */
struct witness *witness_new(void);
void witness_free(struct witness *w);

/*
 * A wait for a side began at since_ns and has lasted until now_ns. Is its socket worth a sample, as
 * far as is known? If so, *due_ns is the time of the next look.
 */
bool witness_is_wanted(const struct witness *w, enum side side, uint64_t since_ns,
		       uint64_t *due_ns);

/* Take a sample of that wait. Its times never run backwards. */
void witness_note(struct witness *w, enum side side, uint64_t since_ns,
		  const struct witness_sample *sample);

/* Bytes that the side had not read at the last look of that wait, as far as is known. */
uint32_t witness_unread(const struct witness *w, enum side side, uint64_t since_ns);

/* The side's host, as far as it is known; NULL: nothing is known. */
const struct host_facts *witness_host(const struct witness *w, enum side side);

#endif
