/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sspi.c - see sspi.h. GSS tokens are recognised by the object identifiers near their start. Their
 * ASN.1 is not parsed.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cursor.h"
#include "engine/protocol/sspi.h"
#include "engine/protocol/wire_text.h"

#define NTLM_SIGNATURE	       "NTLMSSP" /* with its NUL, 8 bytes; MS-NLMP 2.2.1 */
#define NTLM_NEGOTIATE_UNICODE 0x0001	 /* MS-NLMP 2.2.2.5 */
#define GSS_SEARCH	       512 /* bytes searched: the mechanisms are near the start of a token */

static const uint8_t oid_kerberos[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
				       0xf7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t oid_ms_kerberos[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x82,
					  0xf7, 0x12, 0x01, 0x02, 0x02};

static const uint8_t *find(const uint8_t *p, uint32_t n, const void *what, uint32_t len)
{
	return n ? memmem(p, n, what, len) : NULL;
}

/* The bytes that a {length, size, offset} triple of an NTLM message refers to. MS-NLMP 2.2.1 */
static struct cursor ntlm_field(const uint8_t *msg, uint32_t len, uint32_t at)
{
	struct cursor c = cursor_init(msg, len), data = cursor_init(msg, len);
	uint32_t size, offset;

	cursor_skip(&c, at);
	size = cursor_le16(&c);
	cursor_skip(&c, 2);
	offset = cursor_le32(&c);
	if (c.bad)
		return (struct cursor){.bad = true};
	cursor_skip(&data, offset);
	return cursor_sub(&data, size);
}

static char *ntlm_text(const uint8_t *msg, uint32_t len, uint32_t at, bool unicode)
{
	struct cursor c = ntlm_field(msg, len, at);
	size_t n = cursor_left(&c);

	if (!n)
		return NULL;
	return unicode ? text_name(c.p, n) : text_latin1(c.p, n);
}

static void ntlm_parse(struct sspi_token *t, const uint8_t *msg, uint32_t len)
{
	struct cursor c = cursor_init(msg, len), user, response;
	uint32_t type, flags;
	bool unicode;

	t->mech = SSPI_NTLM;
	cursor_skip(&c, 8);
	type = cursor_le32(&c);
	if (c.bad || type < 1 || type > 3)
		return;
	t->ntlm_type = (uint8_t)type;
	if (type != 3)
		return;
	cursor_skip(&c, 60 - 12);
	flags = cursor_le32(&c);
	unicode = !c.bad && flags & NTLM_NEGOTIATE_UNICODE;
	t->domain = ntlm_text(msg, len, 28, unicode);
	t->user = ntlm_text(msg, len, 36, unicode);
	t->workstation = ntlm_text(msg, len, 44, unicode);
	user = ntlm_field(msg, len, 36);
	response = ntlm_field(msg, len, 20);
	t->anonymous = !user.bad && !response.bad && !cursor_left(&user) && !cursor_left(&response);
}

/* Is this a GSS token with the Kerberos OID and a token id after it? RFC 4121 4.1 */
static bool kerberos_inner(const uint8_t *p, uint32_t n)
{
	const uint8_t *at = p;

	while ((at = find(at, n - (uint32_t)(at - p), oid_kerberos, sizeof(oid_kerberos)))) {
		const uint8_t *id = at + sizeof(oid_kerberos);

		/* AP-REQ 01 00, AP-REP 02 00, KRB-ERROR 03 00; then an ASN.1 application tag */
		if (id + 3 <= p + n && id[0] >= 1 && id[0] <= 3 && !id[1] && (id[2] & 0xe0) == 0x60)
			return true;
		at++;
	}
	return false;
}

void sspi_parse(struct sspi_token *t, const uint8_t *data, uint32_t len)
{
	uint32_t n = len < GSS_SEARCH ? len : GSS_SEARCH;
	const uint8_t *ntlm;

	memset(t, 0, sizeof(*t));
	if (len < 2)
		return;
	if (len >= 8 && !memcmp(data, NTLM_SIGNATURE, 8)) {
		ntlm_parse(t, data, len);
		return;
	}
	if (data[0] != 0x60 && data[0] != 0xa0 && data[0] != 0xa1)
		return;
	ntlm = find(data, n, NTLM_SIGNATURE, 8);
	if (ntlm) {
		ntlm_parse(t, ntlm, len - (uint32_t)(ntlm - data));
		return;
	}
	if (kerberos_inner(data, n)) {
		t->mech = SSPI_KERBEROS;
		return;
	}
	t->mech = SSPI_SPNEGO;
	/* A NegTokenResp names the one mechanism that the acceptor chose: RFC 4178 4.2.2 */
	if (data[0] == 0xa1 && (find(data, n, oid_kerberos, sizeof(oid_kerberos)) ||
				find(data, n, oid_ms_kerberos, sizeof(oid_ms_kerberos))))
		t->mech = SSPI_KERBEROS;
}

void sspi_release(struct sspi_token *t)
{
	free(t->user);
	free(t->domain);
	free(t->workstation);
	memset(t, 0, sizeof(*t));
}
