/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sspi.h - identifies an SSPI token: NTLM, Kerberos, or SPNEGO that carries one of them.
 */
#ifndef TDSMON_SSPI_H
#define TDSMON_SSPI_H

#include <stdbool.h>
#include <stdint.h>

enum sspi_mech {
	SSPI_UNKNOWN,
	SSPI_NTLM,
	SSPI_KERBEROS,
	SSPI_SPNEGO, /* a negotiation; the token does not determine the mechanism */
};

struct sspi_token {
	enum sspi_mech mech;
	uint8_t ntlm_type; /* 1 NEGOTIATE, 2 CHALLENGE, 3 AUTHENTICATE; 0: not NTLM */
	bool anonymous;	   /* AUTHENTICATE with neither user nor response */
	/* Allocated, for free(); from AUTHENTICATE only */
	char *user, *domain, *workstation;
};

/*
 * Never fails: a token that it can't identify is SSPI_UNKNOWN. MS-NLMP 2.2.1, RFC 4178 4.2, RFC
 * 4121 4.1.
 */
void sspi_parse(struct sspi_token *t, const uint8_t *data, uint32_t len);
void sspi_release(struct sspi_token *t);

#endif
