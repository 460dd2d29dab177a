/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handshake.h - what decryption needs to know of handshake messages, in clear or decrypted: the
 * randoms, the version and suite that were chosen, and the messages after which keys change.
 */
#ifndef TDSMON_HANDSHAKE_H
#define TDSMON_HANDSHAKE_H

#include "engine/protocol/byte_buf.h"
#include "engine/decrypt/secrets.h"

/* RFC 8446 4 */
enum {
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_FINISHED = 20,
	MESSAGE_KEY_UPDATE = 24,
};

struct handshake {
	uint8_t client_random[TLS_RANDOM], server_random[TLS_RANDOM];
	uint16_t version, suite;
	bool has_client, has_server;
	bool etm;	 /* encrypt-then-MAC, RFC 7366 */
	bool compressed; /* up to TLS 1.2 */
};

/* One side's messages, which records cut anywhere. */
struct handshake_stream {
	struct buf held; /* of a message that is not complete */
	uint32_t skip;	 /* bytes of one that is too long to hold */
};

/* A message of this type is complete, and *h is up to date. */
typedef void handshake_fn(void *ctx, uint8_t type);

/* More of a side's messages. They change *h; fn is called for each. */
void handshake_feed(struct handshake *h, struct handshake_stream *s, bool client,
		    const uint8_t *data, uint32_t len, handshake_fn *fn, void *ctx);

#endif
