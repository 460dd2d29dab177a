/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The server's own word on each connection, which tests compare with what tdsmon says of it. */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A connection, as the server saw it. */
struct facts {
	char app[400], host[400], database[400]; /* of LOGIN7, as the client wrote them */
	const char *tls;			 /* "TLSv1.2" and the like; NULL: none */
	const char *auth;			 /* NULL: no LOGIN7 came */
	const char *outcome;			 /* NULL: the login was not answered */
	uint32_t version, packet_size;		 /* of LOGIN7 */
	int error;				 /* the first of a refused login; 0: none */
	uint32_t answer;			 /* bytes of the tokens that ended the login */
	uint32_t commands, rekeyed;
	bool resumed;
};

/* A line of JSON. Lines of several threads do not mix. */
void log_facts(FILE *log, const struct facts *f, unsigned client_port);

#endif
