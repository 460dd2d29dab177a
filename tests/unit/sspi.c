// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sspi.c - the kind of an SSPI token: NTLM's three messages, Kerberos, SPNEGO with and without a
 * choice, and tokens that are wrong or truncated.
 */
#include "bytes.h"
#include "guard.h"
#include "engine/protocol/sspi.h"
#include "unit.h"

#define TOKEN(text) text, sizeof(text) - 1

#define OID_SPNEGO	"\x06\x06\x2b\x06\x01\x05\x05\x02"
#define OID_KERBEROS	"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define OID_MS_KERBEROS "\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
#define OID_NTLM	"\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"

static void parse(struct sspi_token *t, const void *data, uint32_t len)
{
	sspi_parse(t, guarded(data, len), len);
}

UNIT_CASE(ntlm_negotiate)
{
	struct sspi_token t;

	parse(&t, login7_ntlm + 0x80, 40);
	CHECK_INT(t.mech, SSPI_NTLM);
	CHECK_INT(t.ntlm_type, 1);
	CHECK(!t.user && !t.domain && !t.workstation && !t.anonymous);
	sspi_release(&t);
}

UNIT_CASE(ntlm_challenge_message)
{
	struct sspi_token t;

	parse(&t, ntlm_challenge + 11, 68);
	CHECK_INT(t.mech, SSPI_NTLM);
	CHECK_INT(t.ntlm_type, 2);
	CHECK(!t.user && !t.domain);
	sspi_release(&t);
}

UNIT_CASE(ntlm_authenticate_message)
{
	struct sspi_token t;

	parse(&t, ntlm_authenticate + 8, 142);
	CHECK_INT(t.mech, SSPI_NTLM);
	CHECK_INT(t.ntlm_type, 3);
	CHECK_STR(t.user, "u");
	CHECK_STR(t.domain, "D");
	CHECK_STR(t.workstation, "W");
	CHECK(!t.anonymous);
	sspi_release(&t);
	CHECK(!t.user);
}

UNIT_CASE(ntlm_authenticate_in_oem_characters)
{
	uint8_t data[142];
	struct sspi_token t;

	memcpy(data, ntlm_authenticate + 8, sizeof(data));
	data[60] = 0x14; /* not NTLMSSP_NEGOTIATE_UNICODE */
	data[0x58] = 0xe4;
	data[0x59] = 'x';
	parse(&t, data, sizeof(data));
	CHECK_STR(t.domain, "\u00e4x");
	CHECK_STR(t.user, "u"); /* up to its NUL */
	sspi_release(&t);
}

UNIT_CASE(ntlm_anonymous)
{
	uint8_t data[142];
	struct sspi_token t;

	memcpy(data, ntlm_authenticate + 8, sizeof(data));
	/* MS-NLMP 3.2.5.1.2: no user, no NT response, and an LM response of one NUL */
	data[20] = data[22] = 0;
	data[36] = data[38] = 0;
	data[12] = data[14] = 1;
	parse(&t, data, sizeof(data));
	CHECK(t.anonymous);
	CHECK(!t.user);
	CHECK_STR(t.domain, "D");
	sspi_release(&t);
	/* A user without a response, or a response without a user, is not it. */
	data[36] = 2;
	parse(&t, data, sizeof(data));
	CHECK(!t.anonymous);
	sspi_release(&t);
	data[36] = 0;
	data[20] = 24;
	parse(&t, data, sizeof(data));
	CHECK(!t.anonymous);
	sspi_release(&t);
}

UNIT_CASE(ntlm_offsets_that_lie)
{
	static const uint8_t fields[] = {12, 20, 28, 36, 44};

	for (size_t i = 0; i < sizeof(fields); i++) {
		for (int what = 0; what < 3; what++) {
			uint8_t data[142];
			struct sspi_token t;

			memcpy(data, ntlm_authenticate + 8, sizeof(data));
			if (what == 0) /* the length */
				memset(data + fields[i], 0xff, 2);
			else if (what == 1) /* the offset, all ones */
				memset(data + fields[i] + 4, 0xff, 4);
			else /* the offset, one byte too high: the text ends beyond the token */
				data[fields[i] + 4] = 141;
			parse(&t, data, sizeof(data));
			CHECK_INT(t.ntlm_type, 3);
			CHECK(!t.anonymous);
			CHECK_INT(!t.domain, fields[i] == 28);
			CHECK_INT(!t.user, fields[i] == 36);
			CHECK_INT(!t.workstation, fields[i] == 44);
			sspi_release(&t);
		}
	}
}

UNIT_CASE(ntlm_types_that_are_none)
{
	struct sspi_token t;

	parse(&t, TOKEN("NTLMSSP\0\4\0\0\0"));
	CHECK_INT(t.mech, SSPI_NTLM);
	CHECK_INT(t.ntlm_type, 0);
	parse(&t, TOKEN("NTLMSSP\0\3\0\0\1"));
	CHECK_INT(t.ntlm_type, 0);
	parse(&t, TOKEN("NTLMSSP\0\0\0\0\0"));
	CHECK_INT(t.ntlm_type, 0);
}

UNIT_CASE(kerberos_alone)
{
	struct sspi_token t;

	/* The token's beginning is enough: the ticket is 2048 bytes. */
	parse(&t, token_kerberos, sizeof(token_kerberos));
	CHECK_INT(t.mech, SSPI_KERBEROS);
	CHECK_INT(t.ntlm_type, 0);
}

UNIT_CASE(kerberos_in_spnego)
{
	/* NegTokenInit whose mechToken is an AP-REQ; NegTokenResp with an AP-REP */
	static const char init[] =
		"\x60\x50" OID_SPNEGO "\xa0\x46\x30\x44\xa0\x0d\x30\x0b" OID_MS_KERBEROS
		"\xa2\x33\x04\x31\x60\x2f" OID_KERBEROS "\1\0\x6e\x22\x30";
	static const char resp[] =
		"\xa1\x40\x30\x3e\xa0\3\x0a\1\0\xa2\x37\4\x35\x60\x33" OID_KERBEROS "\2\0\x6f\x26";
	struct sspi_token t;

	parse(&t, TOKEN(init));
	CHECK_INT(t.mech, SSPI_KERBEROS);
	parse(&t, TOKEN(resp));
	CHECK_INT(t.mech, SSPI_KERBEROS);
}

UNIT_CASE(ntlm_in_spnego)
{
	static const char init[] = "\x60\x40" OID_SPNEGO "\xa0\x36\x30\x34\xa0\x0e\x30\x0c" OID_NTLM
				   "\xa2\x22\x04\x20NTLMSSP\0\1\0\0\0";
	struct sspi_token t;

	parse(&t, TOKEN(init));
	CHECK_INT(t.mech, SSPI_NTLM);
	CHECK_INT(t.ntlm_type, 1);
}

UNIT_CASE(spnego_that_leaves_it_open)
{
	struct sspi_token t;

	/* Mechanisms offered without a token: Kerberos is named, but not chosen. */
	parse(&t, token_spnego, sizeof(token_spnego));
	CHECK_INT(t.mech, SSPI_SPNEGO);
	/* accept-incomplete, no mechanism */
	parse(&t, TOKEN("\xa1\x07\x30\x05\xa0\3\x0a\1\1"));
	CHECK_INT(t.mech, SSPI_SPNEGO);
}

UNIT_CASE(spnego_whose_acceptor_chose)
{
	struct sspi_token t;

	parse(&t, TOKEN("\xa1\x14\x30\x12\xa0\3\x0a\1\1\xa1\x0b" OID_MS_KERBEROS));
	CHECK_INT(t.mech, SSPI_KERBEROS);
	parse(&t, TOKEN("\xa1\x14\x30\x12\xa0\3\x0a\1\1\xa1\x0b" OID_KERBEROS));
	CHECK_INT(t.mech, SSPI_KERBEROS);
}

UNIT_CASE(what_is_no_token)
{
	struct sspi_token t;

	parse(&t, TOKEN(""));
	CHECK_INT(t.mech, SSPI_UNKNOWN);
	parse(&t, TOKEN("\x60"));
	CHECK_INT(t.mech, SSPI_UNKNOWN);
	parse(&t, TOKEN("NTLMSSQ\0\1\0\0\0"));
	CHECK_INT(t.mech, SSPI_UNKNOWN);
	parse(&t, TOKEN("xNTLMSSP\0\1\0\0\0"));
	CHECK_INT(t.mech, SSPI_UNKNOWN);
	parse(&t, TOKEN("\4\x10\0\0\0\0\0\0"));
	CHECK_INT(t.mech, SSPI_UNKNOWN);
}

UNIT_CASE(tokens_cut_short)
{
	struct sspi_token t;

	for (uint32_t len = 0; len < 142; len++) {
		parse(&t, ntlm_authenticate + 8, len);
		CHECK_INT(t.mech, len >= 8 ? SSPI_NTLM : SSPI_UNKNOWN);
		CHECK_INT(t.ntlm_type, len >= 12 ? 3 : 0);
		CHECK_INT(!!t.user, len >= 0x5c);
		CHECK(!t.anonymous);
		sspi_release(&t);
	}
	for (uint32_t len = 0; len < sizeof(token_kerberos); len++) {
		parse(&t, token_kerberos, len);
		CHECK(t.mech == (len < 2 ? SSPI_UNKNOWN : len < 18 ? SSPI_SPNEGO : SSPI_KERBEROS));
	}
	for (uint32_t len = 0; len < sizeof(token_spnego); len++) {
		parse(&t, token_spnego, len);
		CHECK(t.mech == (len < 2 ? SSPI_UNKNOWN : SSPI_SPNEGO));
	}
}

int main(void)
{
	RUN(ntlm_negotiate);
	RUN(ntlm_challenge_message);
	RUN(ntlm_authenticate_message);
	RUN(ntlm_authenticate_in_oem_characters);
	RUN(ntlm_anonymous);
	RUN(ntlm_offsets_that_lie);
	RUN(ntlm_types_that_are_none);
	RUN(kerberos_alone);
	RUN(kerberos_in_spnego);
	RUN(ntlm_in_spnego);
	RUN(spnego_that_leaves_it_open);
	RUN(spnego_whose_acceptor_chose);
	RUN(what_is_no_token);
	RUN(tokens_cut_short);
	return unit_status();
}
