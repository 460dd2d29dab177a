/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ssrp.h - SQL Server Resolution Protocol: the questions of clients to SQL Server Browser, and its
 * answers. A message is a datagram (MC-SQLR 2.2).
 */
#ifndef TDSMON_SSRP_H
#define TDSMON_SSRP_H

#include "lib/cursor.h"

#define SSRP_NAME      32		   /* bytes of an instance's name, MC-SQLR 2.2.3 */
#define SSRP_NAME_TEXT (2 * SSRP_NAME + 1) /* the same as UTF-8, and a NUL */

enum ssrp_kind {
	SSRP_BROADCAST, /* CLNT_BCAST_EX: all instances of every host that receives it */
	SSRP_LIST,	/* CLNT_UCAST_EX: all instances of one host */
	SSRP_INSTANCE,	/* CLNT_UCAST_INST: one instance */
	SSRP_DAC,	/* CLNT_UCAST_DAC: one instance's port for administrators */
};

struct ssrp_question {
	enum ssrp_kind kind;
	char name[SSRP_NAME_TEXT]; /* empty for SSRP_BROADCAST and SSRP_LIST */
};

struct ssrp_answer {
	struct cursor text; /* for ssrp_instance() */
	uint16_t dac_port;  /* 0: not an answer to SSRP_DAC */
	bool cut;	    /* shorter than its length says: a fragment, or not fully captured */
};

struct ssrp_instance {
	char name[SSRP_NAME_TEXT];
	uint16_t port; /* 0: not reachable over TCP */
};

/*
 * Each takes a whole datagram, or as much of it as is there. Returns the bytes consumed, 0 if more
 * are needed, or -EPROTO if it is not such a message. Bytes after the message's end are ignored.
 */
int ssrp_question(struct ssrp_question *q, const uint8_t *data, size_t len);
int ssrp_answer(struct ssrp_answer *a, const uint8_t *data, size_t len);

/* The answer's next instance that has a name. False: there is no further one. */
bool ssrp_instance(struct ssrp_answer *a, struct ssrp_instance *i);

#endif
