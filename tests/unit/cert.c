// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cert.c - what is read of a certificate, and that logins share it.
 */
#include <stdlib.h>

#include "engine/protocol/x509.h"
#include "unit.h"

/* The part of a certificate that is read, RFC 5280 4.1: subject CN=x, issuer CN=CA. */
#define CERT                                                                                       \
	"\x30\x51\x30\x47"                                                                         \
	"\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x00"                                                 \
	"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"                                     \
	"CA"                                                                                       \
	"\x30\x1e\x17\x0d"                                                                         \
	"210101000000Z"                                                                            \
	"\x17\x0d"                                                                                 \
	"260101000000Z"                                                                            \
	"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"                                     \
	"x"                                                                                        \
	"\x03\x06\x00"                                                                             \
	"12345"
#define CERT_LEN  83
#define CERT_NAME 74 /* offset of the subject's "x" */
#define SIGNATURE 78 /* offset of the signature's last bytes */
#define LONG_LEN  12288

static struct cert_cache cache;

UNIT_CASE(names_and_times_are_read)
{
	const struct cert *c = cert_get(NULL, (const uint8_t *)CERT, CERT_LEN);

	CHECK(c);
	if (!c)
		return;
	CHECK_STR(c->subject, "CN=x");
	CHECK_STR(c->issuer, "CN=CA");
	CHECK_INT(c->not_after_s, 1767225600);
	CHECK(!c->self_signed);
	cert_put(c);
}

UNIT_CASE(what_is_cut_short_is_not_read)
{
	for (uint32_t len = 0; len < CERT_LEN; len++) {
		uint8_t *der = malloc(len + 1);

		memcpy(der, CERT, len);
		CHECK(!cert_get(&cache, der, len));
		free(der);
	}
	cert_cache_release(&cache);
}

UNIT_CASE(the_same_one_is_shared)
{
	const struct cert *a = cert_get(&cache, (const uint8_t *)CERT, CERT_LEN), *b;
	uint8_t *again = malloc(CERT_LEN);

	memcpy(again, CERT, CERT_LEN);
	b = cert_get(&cache, again, CERT_LEN);
	CHECK(a && a == b);
	cert_put(b);
	cert_cache_release(&cache);
	CHECK_STR(a->subject, "CN=x"); /* its holder keeps it */
	cert_put(a);
	free(again);
}

/* Two with one signature: a forgery, or made to be mistaken for each other. */
UNIT_CASE(another_with_the_same_end_is_another)
{
	const struct cert *a = cert_get(&cache, (const uint8_t *)CERT, CERT_LEN), *b;
	uint8_t der[CERT_LEN];

	memcpy(der, CERT, CERT_LEN);
	der[CERT_NAME] = 'y';
	b = cert_get(&cache, der, CERT_LEN);
	CHECK(a && b && a != b);
	CHECK_STR(b->subject, "CN=y");
	CHECK_STR(a->subject, "CN=x");
	cert_put(a);
	cert_put(b);
	cert_cache_release(&cache);
}

UNIT_CASE(no_more_are_kept_than_there_is_room_for)
{
	uint8_t der[CERT_LEN];
	int kept = 0;

	memcpy(der, CERT, CERT_LEN);
	for (int i = 0; i < 10 * CERT_CACHE; i++) {
		der[SIGNATURE] = (uint8_t)i;
		der[SIGNATURE + 1] = (uint8_t)(i >> 8);
		cert_put(cert_get(&cache, der, CERT_LEN));
	}
	for (int i = 0; i < CERT_CACHE; i++)
		kept += cache.at[i] && cache.at[i]->users == 1;
	CHECK_INT(kept, CERT_CACHE);
	cert_cache_release(&cache);
}

UNIT_CASE(a_long_one_is_read_and_not_kept)
{
	static uint8_t der[LONG_LEN];
	const struct cert *c;

	memcpy(der, CERT, CERT_LEN);
	/* the same in a longer frame: 30 82 LLLL */
	memmove(der + 4, der + 2, CERT_LEN - 2);
	memcpy(der, "\x30\x82\x2f\xfc", 4);
	c = cert_get(&cache, der, sizeof(der));
	CHECK(c && c->users == 1 && !c->len);
	cert_put(c);
	cert_cache_release(&cache);
}

int main(void)
{
	RUN(names_and_times_are_read);
	RUN(what_is_cut_short_is_not_read);
	RUN(the_same_one_is_shared);
	RUN(another_with_the_same_end_is_another);
	RUN(no_more_are_kept_than_there_is_room_for);
	RUN(a_long_one_is_read_and_not_kept);
	return unit_status();
}
