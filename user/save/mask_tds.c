/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mask_tds.c - see mask.h: what a client sends to log in. MS-TDS 2.2.6, MS-NLMP 2.2.1.
 */
#include <string.h>

#include "engine/protocol/der.h"
#include "engine/protocol/sspi.h"
#include "lib/wire_int.h"
#include "save/mask.h"

#define PRELOGIN_OPTION 5 /* bytes: token, offset, length */
#define PRELOGIN_END	0xff

/* The most bytes of each option's data, by its token (MS-TDS 2.2.6.5); an instance name is short. */
static const uint8_t prelogin_most[] = {6, 1, 64, 4, 1, 36, 1, 32};

void mask_mark(const struct mask_message *m, uint32_t from, uint32_t count, enum mask_fill fill)
{
	for (uint32_t i = from; i < m->len && count; i++, count--)
		m->fill[m->at[i]] = (uint8_t)fill;
}

void mask_prelogin(const struct mask_message *m)
{
	struct tds_prelogin prelogin;
	bool is = tds_prelogin_parse(&prelogin, m->data, m->len) >= 0;
	uint32_t end = 0; /* of the options; their data follow */

	tds_prelogin_release(&prelogin);
	if (!is)
		return;
	for (; end < m->len && m->data[end] < sizeof(prelogin_most); end += PRELOGIN_OPTION)
		mask_mark(m, end, PRELOGIN_OPTION, MASK_SHOW);
	if (end < m->len && m->data[end] == PRELOGIN_END)
		mask_mark(m, end, 1, MASK_SHOW);
	for (uint32_t i = 0; i < end && i + PRELOGIN_OPTION <= m->len; i += PRELOGIN_OPTION) {
		uint32_t offset = be16_at(m->data + i + 1), len = be16_at(m->data + i + 3);

		if (offset >= end && len <= prelogin_most[m->data[i]])
			mask_mark(m, offset, len, MASK_SHOW);
	}
}

/* ---- LOGIN7 ---- */

/* A text's field is at `at`. Hidden letters remain UTF-16. */
static void login7_text(const struct mask_message *m, uint32_t at, bool shown)
{
	uint32_t from, len;

	if (at + 4 > m->len)
		return;
	from = le16_at(m->data + at);
	len = le16_at(m->data + at + 2) * 2u;
	mask_mark(m, from, len, shown ? MASK_SHOW : MASK_LETTER);
	for (uint32_t i = 1; !shown && i < len; i += 2)
		mask_mark(m, from + i, 1, MASK_ZERO);
}

/* Features' ids and lengths stay, and of FEDAUTH the byte that names the library. */
static void login7_features(const struct mask_message *m)
{
	uint32_t at, left;

	if (le16_at(m->data + L7_EXTENSION) + 4u > m->len)
		return;
	mask_mark(m, le16_at(m->data + L7_EXTENSION), 4, MASK_SHOW);
	at = le32_at(m->data + le16_at(m->data + L7_EXTENSION));
	while (at < m->len && m->data[at] != L7_FEATURE_END && m->len - at >= 5) {
		left = le32_at(m->data + at + 1);
		mask_mark(m, at, 5, MASK_SHOW);
		mask_mark(m, at + 5, left, MASK_ZERO);
		if (m->data[at] == L7_FEATURE_FEDAUTH && left)
			mask_mark(m, at + 5, 1, MASK_SHOW);
		if (left > m->len - at - 5)
			return;
		at += 5 + left;
	}
	if (at < m->len && m->data[at] == L7_FEATURE_END)
		mask_mark(m, at, 1, MASK_SHOW);
}

/* Is the first byte that of a token of GSS-API or SPNEGO? */
static bool is_gss(const uint8_t *p, uint32_t len)
{
	return len && (*p == 0x60 || *p == 0xa0 || *p == 0xa1);
}

/* Some clients send the next SSPI token in a message of LOGIN7's type: is it that, and only that? */
static bool is_sspi_only(const struct mask_message *m)
{
	const uint8_t *p = m->data, *end = m->data + m->len;
	struct der token;

	return (m->len >= 8 && !memcmp(m->data, "NTLMSSP", 8)) ||
	       (is_gss(m->data, m->len) && der_next(&p, end, &token) && p == end);
}

uint32_t mask_login7(const struct mask_message *m)
{
	static const uint8_t shown[] = {L7_HOST,    L7_APP,	 L7_SERVER,
					L7_LIBRARY, L7_LANGUAGE, L7_DATABASE};
	struct tds_login7 login;
	bool is = tds_login7_parse(&login, m->data, m->len) > 0;
	uint32_t version = login.version, fixed, sspi = login.sspi_len;
	uint32_t sspi_at = login.sspi ? (uint32_t)(login.sspi - m->data) : 0;

	tds_login7_release(&login);
	if (!is) {
		if (is_sspi_only(m))
			mask_sspi(m, 0, m->len);
		return 0;
	}
	for (size_t i = 0; i < sizeof(shown); i++)
		login7_text(m, shown[i], true);
	if (m->data[L7_HOST - 9] & 0x10) /* OptionFlags3: fExtension */
		login7_features(m);
	login7_text(m, L7_USER, m->identities);
	/* Whatever the fields above claim: from here on, hidden stays hidden. */
	mask_sspi(m, sspi_at, sspi);
	login7_text(m, L7_PASSWORD, false);
	login7_text(m, L7_FILE, false);
	fixed = le16_at(m->data + L7_HOST);
	fixed = fixed < L7_FIXED ? L7_FIXED : fixed > L7_FIXED_LONG ? L7_FIXED_LONG : fixed;
	if (fixed >= L7_SSPI_LONG)
		login7_text(m, L7_CHANGE_PASSWORD, false);
	mask_mark(m, 0, fixed, MASK_SHOW);
	mask_mark(m, L7_CLIENT_ID, L7_SSPI - L7_CLIENT_ID, MASK_ZERO);
	return version;
}

/* ---- the login record of TDS 4.2 and 5.0, MS-SSTDS 2.2.6.3 ---- */

uint32_t mask_login_old(const struct mask_message *m)
{
	/* A text and the byte after it, its length. Passwords lie in between. */
	static const struct {
		uint16_t at, len;
	} shown[] = {
		{0, 31},   /* host */
		{61, 1},   /* length of the user's name */
		{140, 31}, /* app */
		{171, 31}, /* server */
		{458, 4},  /* version */
		{462, 11}, /* library */
		{480, 31}, /* language */
		{514, 1},  /* security */
		{557, 7},  /* packet size */
	};
	struct tds_login7 login;
	uint32_t version = 0;

	if (tds_login_old_parse(&login, m->data, m->len) > 0)
		version = login.version;
	tds_login7_release(&login);
	if (!version)
		return 0;
	mask_mark(m, 0, m->len, MASK_ZERO);
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		mask_mark(m, shown[i].at, shown[i].len, MASK_SHOW);
	mask_mark(m, 31, 30, m->identities ? MASK_SHOW : MASK_LETTER);
	return version;
}

/* ---- SSPI ---- */

#define NTLM_CHALLENGE 24  /* where the challenge stands, 8 bytes */
#define GSS_SEARCH     512 /* as far as sspi.c looks */

static const uint8_t oids[][11] = {
	{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02},
	{0x06, 0x09, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02},
};

/* NTLM's {u16 length, u16 size, u32 offset} at `at` of the message at `from`. */
static void ntlm_field(const struct mask_message *m, uint32_t from, uint32_t len, uint32_t at,
		       enum mask_fill fill)
{
	uint32_t offset, count;

	if (at + 8 > len)
		return;
	count = le16_at(m->data + from + at);
	offset = le32_at(m->data + from + at + 4);
	if (offset < len)
		mask_mark(m, from + offset, count < len - offset ? count : len - offset, fill);
}

/* The head stays, which tells the kind, the flags and lengths; a name may; no response does. */
static void mask_ntlm(const struct mask_message *m, uint32_t from, uint32_t len)
{
	static const uint8_t responses[] = {12, 20, 52}; /* LM, NT, and the session key */
	uint32_t type = len >= 12 ? le32_at(m->data + from + 8) : 0;

	if (type == 3) {
		for (uint32_t at = 28; m->identities && at <= 44; at += 8)
			ntlm_field(m, from, len, at, MASK_SHOW);
		for (size_t i = 0; i < sizeof(responses); i++)
			ntlm_field(m, from, len, responses[i], MASK_ZERO);
		mask_mark(m, from, len < 64 ? len : 64, MASK_SHOW);
	} else if (type == 2) { /* names of the server and its domain; not the challenge */
		mask_mark(m, from, len, MASK_SHOW);
		mask_mark(m, from + NTLM_CHALLENGE, len < NTLM_CHALLENGE + 8 ? 0 : 8, MASK_ZERO);
	} else { /* of a kind that is not known only the kind */
		uint32_t shown = type == 1 ? 32 : 12;

		mask_mark(m, from, len < shown ? len : shown, MASK_SHOW);
	}
}

/* The end of the last object identifier of Kerberos, and of the token's kind after it. */
static uint32_t gss_head(const uint8_t *p, uint32_t len)
{
	uint32_t n = len < GSS_SEARCH ? len : GSS_SEARCH, end = 0;

	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++)
		for (uint32_t at = 0; at + sizeof(oids[i]) <= n; at++)
			if (!memcmp(p + at, oids[i], sizeof(oids[i])) && at + sizeof(oids[i]) > end)
				end = at + (uint32_t)sizeof(oids[i]);
	return end && end + 3 <= len ? end + 3 : end;
}

void mask_sspi(const struct mask_message *m, uint32_t from, uint32_t len)
{
	const uint8_t *p = m->data + from, *ntlm;
	bool gss;

	if (from >= m->len)
		return;
	if (len > m->len - from)
		len = m->len - from;
	mask_mark(m, from, len, MASK_ZERO);
	gss = is_gss(p, len);
	ntlm = memmem(p, len < GSS_SEARCH ? len : GSS_SEARCH, "NTLMSSP", 8);
	if (ntlm && (gss || ntlm == p)) {
		mask_mark(m, from, (uint32_t)(ntlm - p) < 128 ? (uint32_t)(ntlm - p) : 1,
			  MASK_SHOW);
		mask_ntlm(m, from + (uint32_t)(ntlm - p), len - (uint32_t)(ntlm - p));
	} else if (gss) {
		uint32_t head = gss_head(p, len);

		mask_mark(m, from, head ? head : 1, MASK_SHOW);
	}
}

void mask_fedauth_token(const struct mask_message *m)
{
	mask_mark(m, 0, m->len, MASK_ZERO);
	mask_mark(m, 0, 8, MASK_SHOW); /* two lengths: MS-TDS 2.2.6.3 */
}
