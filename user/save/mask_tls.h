/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_tls.h - TLS records of one direction, byte by byte: all stays but a client's certificate.
 * Internal to save/.
 */
#ifndef TDSMON_MASK_TLS_H
#define TDSMON_MASK_TLS_H

#include <stdbool.h>
#include <stdint.h>

struct mask_tls {
	bool client;
	bool unsure;   /* the framing was lost before: only alerts in clear stay */
	bool begun;    /* a Hello came */
	bool encrypts; /* ChangeCipherSpec came */
	uint8_t have;  /* bytes of the record's head; 0: between records */
	uint8_t type;
	uint16_t length, left; /* of the record's body */
	uint8_t message_have;  /* bytes of a handshake message's head */
	uint8_t message_type;
	uint32_t message_left;
};

/* Take a byte. True: it stays. */
bool mask_tls_byte(struct mask_tls *t, uint8_t byte);

#endif
