/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * answers.h - how each server answered earlier logins: the sizes of answers that let a client in
 * and of those that refused it, how soon the server closed after a refusal, and whose logins were
 * refused many times in a row. Fixed memory: the least recently used entry is dropped.
 */
#ifndef TDSMON_ANSWERS_H
#define TDSMON_ANSWERS_H

#include "engine/record.h"

#define ANSWERS_SIZES 8	  /* of each kind, for one server */
#define ANSWERS_SETS  128 /* a server or client has its place in one of these ... */
#define ANSWERS_WAYS  4	  /* ... with so many places */
#define ANSWERS_KNOWN 4	  /* sizes of LOGIN7 that succeeded, for one client */
#define ANSWERS_LEFT  64

/* A redirected client's next connection comes within this time. */
#define ANSWERS_NEXT_NS	 5000000000ull
#define AZURE_PORT_LEAST 11000 /* the gateway of Azure SQL sends clients on to ports from here */
#define AZURE_PORT_MOST	 11999

enum answer_kind {
	ANSWER_UNKNOWN, /* no statement is possible */
	ANSWER_ACCEPTED,
	ANSWER_REFUSED,
};

/* The TDS bytes of an answer: between two bounds, as padding hides the size. */
struct answer_size {
	uint32_t least, most; /* most 0: not known, or free */
};

struct answer_sizes {
	uint32_t next; /* the place to fill next */
	struct answer_size at[ANSWERS_SIZES];
};

/* The known facts of one server. */
struct answers_server {
	struct endpoint server;
	uint64_t used; /* last use, as a count; 0: free */
	struct answer_sizes accepted, refused;
	uint32_t closed_count;	 /* refusals after which the server closed */
	uint64_t closed_most_ns; /* the longest time that it took to close */
};

/* Logins of one client to one server. */
struct answers_client {
	struct endpoint client, server; /* the client's port is 0 */
	uint64_t used;
	uint64_t first_ns, last_ns; /* of the refusals in a row */
	uint64_t accepted_ns;	    /* of the first successful login after them; 0: none yet */
	uint32_t refused;	    /* so many in a row */
	uint32_t next_known;
	struct {
		uint32_t login7; /* bytes; 0: free */
		uint64_t at_ns;
	} known[ANSWERS_KNOWN]; /* logins that succeeded */
};

/* A connection that ended after one hidden answer: where does its client go next? */
struct answers_left {
	struct endpoint client, server, target;
	uint64_t at_ns;	    /* of the answer; 0: free */
	uint64_t target_ns; /* of the SYN to the target; 0: none yet */
	uint64_t back_ns;   /* of the first SYN to the same server after it; 0: none yet */
	bool by_server;	    /* the server closed it */
};

struct answers {
	uint64_t uses;
	struct answers_server servers[ANSWERS_SETS][ANSWERS_WAYS];
	struct answers_client clients[ANSWERS_SETS][ANSWERS_WAYS];
	struct answers_left left[ANSWERS_LEFT];
	uint32_t next_left;
};

/* ---- sizes ---- */

/*
 * Note that a login's outcome is known, and its last answer had this size. closed_ns: how long
 * after a refusal the server closed, or NO_NS if that was not seen.
 */
void answers_note(struct answers *a, const struct endpoint *server, enum answer_kind kind,
		  struct answer_size size, uint64_t closed_ns);

/* NULL: nothing is known of this server. */
const struct answers_server *answers_of(const struct answers *a, const struct endpoint *server);

/*
 * Did this server let in, or refuse, with an answer of this size before? s NULL: no answer is
 * known.
 */
bool answers_has(const struct answers_server *s, enum answer_kind kind, struct answer_size size);

/* Does the server close after its refusals, as far as any were seen? */
bool answers_closes(const struct answers_server *s);

/* The smallest answer with which it let a client in; UINT32_MAX: no such answer is known. */
uint32_t answers_least(const struct answers_server *s);

/*
 * The client left open_ns after an answer: which of the server's earlier answers is it like?
 * Unknown until answers of both kinds are known. *grounds: why.
 */
enum answer_kind answers_compare(const struct answers_server *s, struct answer_size size,
				 uint64_t open_ns, const char **grounds);

/* ---- guesses ---- */

void answers_refused(struct answers *a, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns);
/* login7: the size of the client's LOGIN7; 0: not known. */
void answers_accepted(struct answers *a, const struct endpoint *client,
		      const struct endpoint *server, uint32_t login7, uint64_t ts_ns);
/*
 * A login that began at start_ns succeeded: after how many refusals in a row? Also 0 if the client
 * had logged in before them with a LOGIN7 of this size.
 */
uint32_t answers_guesses(const struct answers *a, const struct endpoint *client,
			 const struct endpoint *server, uint32_t login7, uint64_t start_ns);

/* ---- redirects ---- */

/* The connection ended at ts_ns after a hidden answer that may have sent the client on. */
void answers_end(struct answers *a, const struct endpoint *client, const struct endpoint *server,
		 uint64_t answer_ns, bool by_server);
/* A client's SYN. */
void answers_connected(struct answers *a, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns);
/*
 * Where its client went next, as far as known, by the connection's two ends. NULL: not remembered.
 */
const struct answers_left *answers_left(const struct answers *a, const struct endpoint *client,
					const struct endpoint *server);
/* Is it worth waiting, at now_ns, for the client's next connection? */
bool answers_open(const struct answers_left *left, uint64_t now_ns);

#endif
