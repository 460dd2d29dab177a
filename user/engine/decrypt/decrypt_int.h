/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decrypt_int.h - what the files of this room share; others include decrypt.h.
 */
#ifndef TDSMON_DECRYPT_INT_H
#define TDSMON_DECRYPT_INT_H

#include "engine/decrypt/decrypt.h"
#include "engine/decrypt/handshake.h"
#include "engine/decrypt/record_layer.h"
#include "engine/protocol/tls.h"

#define ARRIVALS 16 /* segments of one record whose times are kept; 16 KB are 12 of 1,460 bytes */

#define TLS_1_2	    0x0303
#define GAP_UNKNOWN UINT32_MAX /* bytes that nobody can count */

/* A byte position, and when the bytes before it, back to the entry before, were seen. */
struct arrival {
	uint32_t end;
	bool begins; /* the first of them is the first of a record */
	uint64_t ts_ns;
};

struct arrivals {
	struct arrival at[ARRIVALS];
	uint32_t count;
};

enum epoch {
	EPOCH_CLEAR,
	EPOCH_HANDSHAKE, /* TLS 1.3, from the ServerHello to the side's Finished */
	EPOCH_DATA,
};

/* What one side sends. */
struct direction {
	uint8_t header[TLS_HEADER]; /* of the record in progress */
	uint8_t epoch;		    /* enum epoch */
	bool cut;		    /* a part of the record in progress was not captured */
	bool switches;		    /* the next record has new keys */
	bool lost;		    /* an unknown number of records is missing before the next */
	struct buf body;	    /* of the record in progress */
	struct arrivals body_came;
	struct decrypted record; /* the last one */
	struct handshake_stream handshake;
	struct record_keys keys; /* no suite: their secret is not known yet */
	struct secret secret;	 /* TLS 1.3: keys stem from it */
	uint64_t passed;	 /* records under keys that are not known yet */

	struct buf inner; /* decrypted TLS_DATA that was not taken yet */
	struct arrivals inner_came;
	uint32_t taken; /* bytes of inner */
	uint32_t gap;	/* bytes before inner that cannot be read; GAP_UNKNOWN */
	uint64_t gap_ns;
	struct framer framer; /* of what stands inside */
};

struct decrypt {
	struct decryption *dn;
	struct handshake handshake;
	bool reads;	   /* a protected record was decrypted */
	bool over;	   /* none will be any more */
	bool waits;	   /* for secrets, since hello_ns */
	uint64_t hello_ns; /* the ClientHello's end */
	uint32_t tried;	   /* bytes decrypted in search of a record's number */
	struct direction side[2];
};

struct decryption {
	struct secrets *secrets;
	struct decrypt **at; /* by place */
	uint32_t places;
	struct pool *pool;
	struct decrypt_stats *stats;
	uint64_t now_ns;
};

/* Wipe a direction's keys and what it holds, but for what was decrypted. */
void direction_clear(struct direction *s);
/*
 * Stop reading the connection, for the reason that this counts. Frees nothing: the caller may be
 * parsing what a record holds.
 */
static inline void decrypt_give_up(struct decrypt *d, uint64_t *count)
{
	*count += !d->over;
	d->over = true;
	d->waits = false;
}

/* ---- keys.c ---- */

/* The side's keys of now. False: their secret is not known, or the connection was given up. */
bool keys_ready(struct decrypt *d, enum side from);
/* A ChangeCipherSpec up to TLS 1.2. */
void keys_change(struct decrypt *d, enum side from);
/* Handshake messages, in clear or decrypted, of a record that ended at ts_ns. */
void keys_messages(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len,
		   uint64_t ts_ns);
/* TLS 1.3 without the handshake's secret: a record of the session was decrypted. */
void keys_skip_handshake(struct decrypt *d, enum side from);

#endif
