/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_tls.c - see mask_tls.h. RFC 5246 6.2.1 and 7.4.
 */
#include "save/mask_tls.h"

enum {
	RECORD_HEAD = 5,
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	ALERT_CLEAR = 2,	     /* bytes of an alert in clear */
	CHANGE_CIPHER_SPEC_BODY = 1, /* bytes */
	MESSAGE_HEAD = 4,
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_CERTIFICATE = 11,
};

/*
 * Does the handshake begin with a Hello that fills its record? Without it, the bytes may lie within
 * anything, and only look like a record.
 */
static bool hello_begins(const struct mask_tls *t)
{
	return t->message_type == (t->client ? MESSAGE_CLIENT_HELLO : MESSAGE_SERVER_HELLO) &&
	       (t->client ? t->message_left == t->left - 1u : t->message_left < t->left);
}

/* A byte of handshake messages in clear. They need not end with their records. */
static bool handshake_byte(struct mask_tls *t, uint8_t byte)
{
	if (t->message_have == MESSAGE_HEAD) {
		if (!--t->message_left)
			t->message_have = 0;
		return !t->client || t->message_type != MESSAGE_CERTIFICATE;
	}
	if (!t->message_have) {
		t->message_type = byte;
		t->message_left = 0;
	} else {
		t->message_left = t->message_left << 8 | byte;
	}
	if (++t->message_have < MESSAGE_HEAD)
		return true;
	if (!t->begun && !hello_begins(t)) {
		t->unsure = true;
		return false;
	}
	t->begun = true;
	if (!t->message_left)
		t->message_have = 0;
	return true;
}

static bool body_byte(struct mask_tls *t, uint8_t byte)
{
	if (t->type == RECORD_ALERT && t->length <= ALERT_CLEAR)
		return true;
	if (t->unsure)
		return false;
	switch (t->type) {
	case RECORD_CHANGE_CIPHER_SPEC:
		t->encrypts = t->begun && t->length == CHANGE_CIPHER_SPEC_BODY;
		return t->encrypts;
	case RECORD_HANDSHAKE:
		return t->encrypts || handshake_byte(t, byte);
	case RECORD_DATA:
		return t->begun;
	default:
		return t->encrypts;
	}
}

bool mask_tls_byte(struct mask_tls *t, uint8_t byte)
{
	if (t->have == RECORD_HEAD) {
		bool shown = body_byte(t, byte);

		if (!--t->left)
			t->have = 0;
		return shown;
	}
	if (!t->have)
		t->type = byte;
	else if (t->have >= RECORD_HEAD - 2)
		t->left = (uint16_t)(t->left << 8 | byte);
	if (++t->have < RECORD_HEAD)
		return true;
	t->length = t->left;
	if (!t->left)
		t->have = 0;
	return true;
}
