/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * der.h - steps through DER and BER with definite lengths: Kerberos and LDAP. OpenSSL reads the
 * heads.
 */
#ifndef TDSMON_DER_H
#define TDSMON_DER_H

#include <stdbool.h>
#include <stdint.h>

/* One element: its content from p to end, as far as it is there. */
struct der {
	const uint8_t *p, *end;
	int tag, class; /* as OpenSSL names them: V_ASN1_ */
	bool cut;	/* the content goes on beyond what is there */
};

/* The element at *p, of the bytes before end; steps over it. False: there is none. */
bool der_next(const uint8_t **p, const uint8_t *end, struct der *out);

/* The content of the SEQUENCE that in holds. False: it holds none. */
bool der_sequence(const struct der *in, struct der *out);

#endif
