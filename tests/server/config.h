/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The server's settings. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include <openssl/ssl.h>

#include "tds.h"

/* The server's steps on a connection. Each can be delayed or left out. */
enum phase {
	PHASE_ACCEPT,
	PHASE_PRELOGIN,
	PHASE_TLS,
	PHASE_LOGIN,
	PHASE_AUTH,
	PHASE_BATCH,
	PHASES
};

enum action { ACT_ANSWER, ACT_DROP, ACT_RESET, ACT_SILENT };

/* The server's column in the table of MS-TDS 2.2.6.5; strict is TDS 8.0. */
enum encrypt { ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUPPORTED, ENCRYPT_STRICT };

enum { MAX_DATABASES = 16 };

struct config {
	SSL_CTX *tls; /* NULL: encryption is not supported */
	enum encrypt encrypt;
	struct {
		enum action action;
		unsigned delay_ms;
	} phase[PHASES];
	const char *user, *password;	      /* NULL: any is accepted */
	const char *databases[MAX_DATABASES]; /* none: any is accepted */
	const char *server_name, *product;
	const char *redirect_host; /* NULL: no redirect */
	struct message error;	   /* number 0: none */
	uint32_t product_version;
	uint32_t packet_size; /* the largest that is accepted */
	uint16_t redirect_port;
	bool ntlm, kerberos, fedauth, mars;
	bool rekey; /* new keys before the answer to each command */
};

#endif
