/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * server_probe.h - asks a server of this host for PRELOGIN, and for TLS as a client would. It sends
 * no login. The server may note a connection that was broken off in its error log.
 */
#ifndef TDSMON_SERVER_PROBE_H
#define TDSMON_SERVER_PROBE_H

#include "engine/record.h"

#define PROBE_TEXT 128

struct server_probe {
	bool prelogin; /* it answered PRELOGIN */
	bool strict;   /* it speaks TDS 8: TLS comes first */
	char version[24];
	enum encrypt_option encryption; /* its word in PRELOGIN */
	bool tls;			/* the handshake was completed */
	bool tls_old;			/* by TLS 1.1 or older */
	char tls_words[PROBE_TEXT];	/* version and cipher */
	char subject[PROBE_TEXT];	/* of its certificate; "": none */
	bool self_signed;
	int64_t not_after_s;  /* of the certificate, Unix time */
	char why[PROBE_TEXT]; /* the reason for what is missing */
};

/* False: it does not speak TDS, and why says what happened. Takes a few seconds at most. */
bool server_probe(const struct endpoint *server, struct server_probe *out);

#endif
