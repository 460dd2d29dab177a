/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decrypt.h - reads TLS where a key log gave the secrets: a connection's records, both directions,
 * in the order of the wire, wrapped in PRELOGIN packets or not. Records that it can't read stay
 * hidden: the login room then judges the connection by sizes.
 */
#ifndef TDSMON_DECRYPT_H
#define TDSMON_DECRYPT_H

#include "engine/decrypt/decrypt_stats.h"
#include "engine/protocol/byte_buf.h"
#include "engine/protocol/frame.h"
#include "engine/record.h"

struct secret_line;

/* ---- of the engine: secrets, and the connections that they may decrypt ---- */

struct decryption;

/*
 * places: connections are numbered below it. seed: of the hash, secret. The others outlive it. NULL
 * without memory.
 */
struct decryption *decryption_new(uint32_t places, const uint64_t seed[2], struct pool *pool,
				  struct decrypt_stats *stats);
void decryption_free(struct decryption *dn);
void decryption_secret(struct decryption *dn, const struct secret_line *line);
void decryption_tick(struct decryption *dn, uint64_t now_ns);

struct decrypt;

/* A new connection; NULL without memory. */
struct decrypt *decryption_begin(struct decryption *dn, uint32_t place);
/* The connection of that place; NULL: no connection, or dn is NULL. */
struct decrypt *decryption_of(const struct decryption *dn, uint32_t place);
/* It is over, if there is one: wipes what was kept of it. */
void decryption_end(struct decryption *dn, uint32_t place);

/* ---- of a connection ---- */

/* A record: its header's 5 bytes, its body in parts (data NULL: not captured), its end. */
void decrypt_head(struct decrypt *d, enum side from, const uint8_t *header);
void decrypt_body(struct decrypt *d, enum side from, const uint8_t *data, uint32_t len,
		  uint64_t ts_ns);
void decrypt_end(struct decrypt *d, enum side from, uint64_t ts_ns);
/* Records of this side are missing, nobody knows how many. */
void decrypt_lost(struct decrypt *d, enum side from);

/*
 * Where secrets may come late: does the connection wait for them? *since_ns: the end of its
 * ClientHello. And are there those by which a session is read, of either version?
 */
bool decrypt_waits(const struct decrypt *d, uint64_t *since_ns);
bool decrypt_has_secrets(const struct decrypt *d);
void decrypt_wait_no_more(struct decrypt *d);
/* A record of data was judged from outside: reading does not begin any more. */
void decrypt_missed(struct decrypt *d);

/* Is the connection read? Not before the first protected record was, nor after one was not. */
bool decrypt_reads(const struct decrypt *d);

/*
 * The side's last record, if it was protected and is read: the type of its content, and a message of
 * the handshake or an alert in it. Until the side's next record.
 */
struct decrypted {
	uint8_t type; /* TLS_DATA and the like; 0: the record was in clear, or is hidden */
	const uint8_t *data;
	uint32_t len; /* TLS_DATA: 0, see decrypt_next() */
};
struct decrypted decrypt_record(const struct decrypt *d, enum side from);

/*
 * The next piece of what a side sent inside TLS; false: there is no more for now. Valid until the next
 * call.
 */
struct plain {
	const uint8_t *data; /* NULL: bytes that cannot be read */
	uint32_t len;	     /* then UINT32_MAX: nobody knows how many */
	bool begins;	     /* it is the beginning of a record */
	uint64_t ts_ns;	     /* when it was seen */
};
bool decrypt_next(struct decrypt *d, enum side from, struct plain *out);

/* Where the frames of what a side sent inside TLS are cut. */
struct framer *decrypt_framer(struct decrypt *d, enum side from);
/* The content is not TDS: stop reading the connection. */
void decrypt_refuse(struct decrypt *d);
/* The connection goes on in clear: stop reading. */
void decrypt_close(struct decrypt *d);

#endif
