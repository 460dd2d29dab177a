/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * secrets.h - the TLS secrets that a key log gave, by the client random of their connection. A
 * bounded table: the oldest makes room. What a connection has used is wiped some time after, for
 * the same connection may be seen twice, on both sides of a proxy or inside a tunnel; what is left
 * is wiped at the end.
 */
#ifndef TDSMON_SECRETS_H
#define TDSMON_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_RANDOM	32
#define SECRET_MAX	48 /* bytes: a master secret, or an output of SHA-384 */
#define SECRETS_DEFAULT 65536

enum secret_kind {
	SECRET_MASTER, /* up to TLS 1.2 */
	SECRET_CLIENT_HANDSHAKE,
	SECRET_SERVER_HANDSHAKE,
	SECRET_CLIENT_DATA,
	SECRET_SERVER_DATA,
	SECRET_KINDS,
};

struct secret {
	uint8_t len; /* 0: not given */
	uint8_t bytes[SECRET_MAX];
};

struct secret_set {
	struct secret of[SECRET_KINDS];
};

/* One line of a key log. */
struct secret_line {
	uint8_t random[TLS_RANDOM];
	enum secret_kind kind;
	struct secret secret;
};

/*
 * Read a line of the SSLKEYLOGFILE format, without its line end. False: it is a comment, or of a
 * kind that is not needed, or malformed. The caller wipes *out.
 */
bool secret_line_parse(struct secret_line *out, const char *line, size_t len);

struct secrets;

/* room: connections. seed: of the hash, secret. NULL without memory. */
struct secrets *secrets_new(uint32_t room, const uint64_t seed[2]);
void secrets_free(struct secrets *s);

/* True: the oldest connection's secrets had to go for it, and had not been used. */
bool secrets_add(struct secrets *s, const struct secret_line *line);

/* A connection's secrets, until the next call; NULL: none. used_ns: now, on the source's clock. */
const struct secret_set *secrets_use(struct secrets *s, const uint8_t random[TLS_RANDOM],
				     uint64_t now_ns);

/* Are those known by which both sides of a session are read? Counts as no use. */
bool secrets_complete(const struct secrets *s, const uint8_t random[TLS_RANDOM]);

/* Wipe what was used long ago: a part of the table with each call. */
void secrets_tick(struct secrets *s, uint64_t now_ns);

#endif
