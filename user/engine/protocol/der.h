/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * der.h - steps through DER and BER with definite lengths, for certificates, Kerberos and LDAP.
 * OpenSSL reads the heads.
 */
#ifndef TDSMON_DER_H
#define TDSMON_DER_H

#include <stdbool.h>
#include <stdint.h>

/* One element. Its content is from p to end, as far as it was captured. */
struct der {
	const uint8_t *p, *end;
	int tag, class; /* OpenSSL's values: V_ASN1_ */
	bool cut;	/* the content continues beyond end */
};

/*
 * Read the element at *p, of the bytes before end, and step over it. False: no element begins
 * there.
 */
bool der_next(const uint8_t **p, const uint8_t *end, struct der *out);

/* The content of the SEQUENCE that in holds. False: in holds no SEQUENCE. */
bool der_sequence(const struct der *in, struct der *out);

#endif
