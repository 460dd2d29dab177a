/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * other_protocol.c - see other_protocol.h.
 */
#include <string.h>

#include "engine/protocol/other_protocol.h"

static const struct {
	const char *name, *begins;
	uint8_t len;
} protocols[] = {
	{"HTTP", "GET ", 4},	 {"HTTP", "POST ", 5},	    {"HTTP", "HEAD ", 5},
	{"HTTP", "OPTIONS ", 8}, {"HTTP", "CONNECT ", 8},   {"HTTP", "PUT ", 4},
	{"HTTP", "HTTP/", 5},	 {"HTTP/2", "PRI * HT", 8}, {"SSH", "SSH-", 4},
	{"RDP", "\3\0\0", 3},	 {"SMB", "\0\0\0", 3},	    {"FTP or mail", "220", 3},
	{"TLS", "\26\3", 2},
};

const char *other_protocol(const uint8_t *p, size_t len, size_t *shown)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (len < protocols[i].len || memcmp(p, protocols[i].begins, protocols[i].len))
			continue;
		if (shown)
			*shown = protocols[i].len;
		return protocols[i].name;
	}
	return NULL;
}
