// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * der.c - see der.h.
 */
#include <openssl/asn1.h>
#include <openssl/err.h>

#include "engine/protocol/der.h"

bool der_next(const uint8_t **p, const uint8_t *end, struct der *out)
{
	const unsigned char *at = *p;
	long len = 0;
	int form;

	if (at >= end)
		return false;
	ERR_set_mark();
	form = ASN1_get_object(&at, &len, &out->tag, &out->class, end - *p);
	ERR_pop_to_mark();
	/*
	 * 0x80 is any error: a length beyond the end is one, but the head was read. 0x01: no
	 * length.
	 */
	if (at == *p || at > end || len < 0 || form & 0x01)
		return false;
	out->p = at;
	out->cut = len > end - at;
	out->end = out->cut ? end : at + len;
	*p = out->end;
	return true;
}

bool der_sequence(const struct der *in, struct der *out)
{
	const uint8_t *p = in->p;

	return der_next(&p, in->end, out) && out->tag == V_ASN1_SEQUENCE &&
	       out->class == V_ASN1_UNIVERSAL;
}
