/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * witness.h - what the kernel of a side's host says of its socket while a login waits for that side:
 * was the connection accepted, do bytes lie unread, was its process stopped or throttled. The source
 * looks, the engine turns its samples into parts of the wait: docs/CAUSES.md.
 */
#ifndef TDSMON_WITNESS_H
#define TDSMON_WITNESS_H

#include <linux/types.h>

#include "engine/record.h"
#include "segment.h"

#define WITNESS_FIRST_NS 20000000ull  /* a wait is looked at from here on */
#define WITNESS_MOST_NS	 500000000ull /* no longer from one look to the next */
#define WITNESS_SHARE	 16	      /* else so long: the wait so far, divided by this */

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

/* One socket at one moment. */
struct witness_sample {
	uint64_t ts_ns;	     /* the source's clock */
	struct flow_key key; /* the connection */
	uint8_t end;	     /* which of the key's ends the socket is of */
	/*
	 * The process read all that had come, at exactly ts_ns: nothing else is set. Else this is a
	 * look.
	 */
	bool is_read;
	enum witness_answer here; /* is the socket on this host? If not, it is not asked again */
	enum witness_answer accepted; /* by its process; of a client: always */
	enum witness_answer stopped;  /* is its process? */
	bool has_unread, has_received, has_received_bytes, has_queue, has_throttled;
	uint32_t unread;		       /* bytes that TCP holds for the process */
	uint32_t received;		       /* the next sequence number that TCP waits for */
	uint64_t received_bytes;	       /* in all, a FIN counted as one byte */
	uint32_t queue_length, queue_limit;    /* of the listener's accept queue */
	uint64_t throttled_ns;		       /* of its cgroup, so far in all: it only grows */
	const struct witness_process *process; /* copied; NULL: not known */
};

struct witness;

/* Of a login that waits. NULL: out of memory, or w is NULL. */
struct witness *witness_new(void);
void witness_free(struct witness *w);

/*
 * A wait for a side, which began at since_ns, has gone on until now_ns. May its socket be asked, as
 * far as is known? If so *due_ns is when to look next.
 */
bool witness_is_wanted(const struct witness *w, enum side side, uint64_t since_ns,
		       uint64_t *due_ns);

/* Take a sample of that wait; its times never run backwards. */
void witness_note(struct witness *w, enum side side, uint64_t since_ns,
		  const struct witness_sample *sample);

/* The side's host, as far as it is known; NULL: nothing is. */
const struct host_facts *witness_host(const struct witness *w, enum side side);

#endif
