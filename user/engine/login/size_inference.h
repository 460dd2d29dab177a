/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * size_inference.h - concludes from sizes, order and closes how a login went that TLS hides. Gives
 * a confidence and grounds with every conclusion, and reports unknown rather than guess.
 */
#ifndef TDSMON_SIZE_INFERENCE_H
#define TDSMON_SIZE_INFERENCE_H

#include "engine/login/answers.h"

#define UNITS_MAX 16

/* A message as seen under TLS: one direction, and the plaintext's size between two bounds. */
struct unit {
	uint64_t first_ns, last_ns;
	uint32_t least, most;
	uint8_t from; /* enum side */
	bool open;    /* its last record was a full packet: more may follow */
	bool large;   /* one of its records is larger than any packet before the login is over */
};

struct units {
	uint32_t count;
	bool more; /* more messages than fit: the last one stands for the rest of its side */
	struct unit at[UNITS_MAX];
};

/* Add one protected record of `from` whose plaintext is least..most bytes. */
void units_add(struct units *u, enum side from, uint32_t least, uint32_t most, uint64_t ts_ns);

struct judgement {
	enum outcome outcome; /* OUTCOME_INCOMPLETE: no conclusion yet */
	enum confidence confidence;
	enum auth_method method;
	enum confidence method_confidence;
	const char *grounds;		     /* of the outcome */
	const char *method_grounds;	     /* NULL: method unknown */
	uint32_t first_answer, final_answer; /* indices of units */
	uint32_t last;		   /* the login's last, if it took as many messages as possible */
	struct answer_size answer; /* of the final answer; most 0: not known which one it is */
};

struct infer_context {
	bool mars;			    /* agreed in PRELOGIN, as far as it could be read */
	bool fedauth;			    /* FEDAUTHREQUIRED both ways */
	bool idle;			    /* open, and silent for five seconds */
	enum side left;			    /* the side that ended it, by TLS or TCP; SIDE_NONE:
					     * still open */
	uint64_t left_ns;		    /* how long after the last message */
	const struct answers_server *known; /* NULL: nothing is known */
};

/* Judge the login from its units; u->at[0] is LOGIN7. */
void infer_judge(struct judgement *j, const struct units *u, const struct infer_context *c);

#endif
