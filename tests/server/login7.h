/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The LOGIN7 message, read: MS-TDS 2.2.6.4 */
#ifndef SERVER_LOGIN7_H
#define SERVER_LOGIN7_H

#include "buf.h"

enum { FEATURE_FEDAUTH = 0x02, FEATURE_UTF8 = 0x0a };
enum { FEDAUTH_TOKEN = 1, FEDAUTH_MSAL = 2 }; /* libraries of feature FEDAUTH */

struct login7 {
	uint32_t version, packet_size;
	char user[400], password[400], database[400], app[400], host[400];
	const uint8_t *sspi; /* points into the message */
	size_t sspi_len;
	bool fedauth, utf8; /* features that were offered */
	uint8_t fedauth_library;
};

/* Returns false if the message is not a LOGIN7. */
bool login7_parse(struct login7 *l, const uint8_t *p, size_t len);

#endif
