/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask.h - hides secrets in packets that are saved. No length changes. Only bytes stay that were
 * parsed, and are neither a secret nor, unless names were asked for, a user's name: all others are
 * overwritten. TLS records stay, unless the framing was lost before them. Internal to save/.
 */
#ifndef TDSMON_MASK_H
#define TDSMON_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/protocol/tds.h"
#include "save/packets.h"

/* What becomes of a byte. */
enum mask_fill {
	MASK_LETTER, /* it is overwritten by MASK_BYTE */
	MASK_ZERO,   /* ... by 0 */
	MASK_SHOW,   /* it stays */
};
#define MASK_BYTE 'x' /* begins no TDS packet, TLS record or SMP packet */

/* A message, whose bytes lie in a stream. */
struct mask_message {
	const uint8_t *data;
	uint32_t len;
	const uint32_t *at; /* where each byte stands in fill */
	uint8_t *fill;	    /* enum mask_fill; all MASK_LETTER at first */
	bool identities;    /* users' names stay */
};

/* mask_tds.c: mark what stays of a whole message, or of the part of it that was captured. */
void mask_prelogin(const struct mask_message *m);
/* Returns the login's version, 0: it is no LOGIN7, and all of it is hidden. */
uint32_t mask_login7(const struct mask_message *m);
uint32_t mask_login_old(const struct mask_message *m); /* of TDS 4.2 and 5.0 */
void mask_sspi(const struct mask_message *m, uint32_t from, uint32_t len);
void mask_fedauth_token(const struct mask_message *m);

/* Mark count bytes from there on, as far as the message has them. */
void mask_mark(const struct mask_message *m, uint32_t from, uint32_t count, enum mask_fill fill);

/* mask_answer.c: the tokens of a server's message. */
void mask_answer(const struct mask_message *m, enum tds_era era);

/* mask_stream.c: mask a login's packets, which the client and the server sent. */
void mask_login(struct packets *packets, const struct endpoint *client, bool identities);

/* mask_service.c: mask a packet to or from a service, by what the records rest on. */
void mask_service(struct packet *packet);

#endif
