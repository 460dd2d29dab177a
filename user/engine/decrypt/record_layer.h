/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_layer.h - the protected records of one direction, TLS 1.2 and 1.3: which suites there are,
 * their keys, and a record's plaintext. By OpenSSL's primitives; a record that does not
 * authenticate gives nothing.
 */
#ifndef TDSMON_RECORD_LAYER_H
#define TDSMON_RECORD_LAYER_H

#include "engine/decrypt/key_schedule.h"

#define RECORD_MAX (16384 + 2048) /* RFC 5246 6.2.3 */

enum suite_kind {
	SUITE_CBC,
	SUITE_GCM,
	SUITE_CHACHA20,
	SUITE_CCM,
};

struct suite_keys {
	uint16_t id;
	uint8_t kind;			 /* enum suite_kind */
	uint8_t key, fixed_iv, mac, tag; /* bytes; fixed_iv: of TLS 1.2's nonce */
	const EVP_CIPHER *(*cipher)(void);
	const EVP_MD *(*hash)(void);	 /* of the PRF, or of HKDF */
	const EVP_MD *(*mac_hash)(void); /* CBC */
};

/* NULL: a suite that is not decrypted. */
const struct suite_keys *suite_keys_find(uint16_t id);

/* The keys that protect one direction, and how far they have been used. */
struct record_keys {
	const struct suite_keys *suite; /* NULL: none, records are in clear */
	EVP_CIPHER_CTX *ctx;
	uint64_t seq;
	bool tls13, etm;
	bool guess; /* whether records are under them is not known */
	uint8_t iv[12];
	struct secret mac;
};

/* Keys of TLS 1.2, from both randoms; client: of its records. etm: RFC 7366. False: no memory. */
bool record_keys_12(struct record_keys *k, const struct suite_keys *suite,
		    const struct secret *master, const uint8_t *client_random,
		    const uint8_t *server_random, bool client, bool etm);
/* Keys of TLS 1.3 from a traffic secret, whose length is the suite's hash's. */
bool record_keys_13(struct record_keys *k, const struct suite_keys *suite,
		    const struct secret *secret);
/* Wipe them. */
void record_keys_clear(struct record_keys *k);

/* Bytes that it adds to the plaintext, without padding of TLS 1.3; 0: they vary. */
uint32_t record_overhead(const struct record_keys *k);

struct opened {
	uint8_t type;	  /* of its content: TLS_DATA and the like */
	uint32_t at, len; /* where the plaintext stands in the record's body */
};

/*
 * Decrypt the record in place: its header's 5 bytes, and its body. True, and the next one is the one
 * after it; false: it does not authenticate, or it is malformed, and the body is spoilt.
 */
bool record_open(struct record_keys *k, const uint8_t *header, uint8_t *body, uint32_t len,
		 struct opened *out);

#endif
