/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The server's side of NTLM: MS-NLMP. */
#ifndef SERVER_NTLM_H
#define SERVER_NTLM_H

#include "buf.h"

enum { NTLM_NEGOTIATE = 1, NTLM_CHALLENGE = 2, NTLM_AUTHENTICATE = 3 };

/* The message's type, 0 if it isn't NTLM. */
unsigned ntlm_type(const uint8_t *p, size_t len);

void ntlm_challenge(struct buf *b, const uint8_t challenge[8], const char *domain,
		    const char *computer);

/*
 * Checks an AUTHENTICATE against the user and password (NULL: any): NTLMv2, LMv2 or NTLMv1. The
 * domain is the one that the client says. user gets the name that was sent.
 */
bool ntlm_verify(const uint8_t *p, size_t len, const uint8_t challenge[8], const char *want_user,
		 const char *password, char *user, size_t user_size);

/* What a client would send: a NEGOTIATE, and an AUTHENTICATE that ntlm_verify accepts. */
void ntlm_negotiate(struct buf *b);
void ntlm_authenticate(struct buf *b, const uint8_t challenge[8], const char *domain,
		       const char *user, const char *password);

#endif
