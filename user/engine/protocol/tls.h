/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tls.h - follows a TLS handshake in both directions, record by record, without decrypting: the
 * readable fields, and when the handshake is over.
 */
#ifndef TDSMON_TLS_H
#define TDSMON_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/protocol/byte_buf.h"
#include "engine/protocol/x509.h"
#include "engine/record.h"
#include "lib/cursor.h"

/* Record types, RFC 5246 6.2.1 */
enum {
	TLS_CCS = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_DATA = 23,
};

/* Handshake messages, RFC 5246 7.4 */
enum {
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_ENCRYPTED_EXTENSIONS = 8,
	TLS_CERTIFICATE = 11,
	TLS_SERVER_HELLO_DONE = 14,
	TLS_FINISHED = 20,
};

#define TLS_1_0 0x0301
#define TLS_1_3 0x0304

struct tls_side {
	struct buf handshake; /* clear handshake bytes not yet parsed */
	uint32_t skip;	      /* bytes of a handshake message that is too long to hold */
	uint16_t len;	      /* of the current record */
	uint8_t type;
	uint8_t have;	 /* bytes of a clear alert held */
	uint8_t padding; /* bytes that the side adds to each record of TLS 1.3 */
	uint8_t alert[2];
	bool ccs;      /* the bytes after it are protected (up to TLS 1.2) */
	bool finished; /* its Finished was seen, as far as can be inferred */
	bool read_any; /* a record was complete */
};

struct tls {
	struct tls_side side[2];
	uint16_t version, client_version; /* client_version: the highest that it offers */
	uint16_t cipher;
	bool client_hello, server_hello, retry, hello_done, certificate_seen;
	bool resumed;
	bool done;	/* both sides' Finished were seen */
	bool client_13; /* TLS 1.3: a protected record of the client was seen */
	uint8_t session_id_len;
	uint8_t session_id[32];
	char *sni, *alpn_offer, *alpn_chosen;
	bool alpn_tds8; /* the client offers tds/8.0 */
	struct {
		enum side from;
		uint8_t level, description;
	} alert;
	const struct cert *cert;  /* NULL: none read */
	struct cert_cache *certs; /* set by the owner, to share certificates; NULL: not shared */
};

void tls_init(struct tls *t);
void tls_release(struct tls *t);

/* One record: its header's 5 bytes, its body in parts (data NULL: not captured), its end. */
void tls_record_head(struct tls *t, enum side from, const uint8_t *header);
void tls_record_body(struct tls *t, enum side from, const uint8_t *data, uint32_t len);
void tls_record_end(struct tls *t, enum side from);
/* Take a protected record that was decrypted: its content. data is not used for TLS_DATA. */
void tls_record_plain(struct tls *t, enum side from, uint8_t type, const uint8_t *data,
		      uint32_t len);

/*
 * The next extension of a hello's list (RFC 8446 4.2). False: there are no more, or the list is
 * malformed.
 */
bool tls_extension_next(struct cursor *list, uint16_t *type, struct cursor *body);

/* Is the server's flight of the handshake over, so that the client has to send? */
bool tls_server_flight_over(const struct tls *t);

/* Bytes that the suite adds to a record's plaintext: *least and *most. RFC 5246 6.2.3, RFC 8446
 * 5.2 */
void tls_overhead(const struct tls *t, enum side from, uint32_t *least, uint32_t *most);

/* Is the side's last record an alert? TLS 1.3 hides the type, but no TDS data is two bytes long. */
bool tls_is_alert(const struct tls *t, enum side from);

/* Fill the record's view. Strings live as long as t; names of unknown codes are in scratch. */
struct tls_names {
	char cipher[16], alert[16];
};
void tls_facts(const struct tls *t, struct tls_facts *facts, struct tls_names *scratch);

#endif
