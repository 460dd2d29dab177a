// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tds.c - the messages of a login: PRELOGIN, LOGIN7 and the token stream of its answer; whole, cut
 * short at every byte, and with wrong lengths and offsets.
 */
#include <errno.h>

#include "bytes.h"
#include "guard.h"
#include "engine/protocol/tds.h"
#include "unit.h"

#define HEADER 8 /* of a packet; the messages follow it */

/* A message put together from parts. */
struct message {
	uint8_t data[8192];
	uint32_t len;
};

static void add(struct message *m, const void *data, uint32_t n)
{
	if (m->len + n > sizeof(m->data))
		abort();
	memcpy(m->data + m->len, data, n);
	m->len += n;
}

#define ADD(m, text) add(m, text, sizeof(text) - 1)

/* ---- PRELOGIN ---- */

static int prelogin(struct tds_prelogin *p, const void *data, uint32_t len)
{
	return tds_prelogin_parse(p, guarded(data, len), len);
}

UNIT_CASE(prelogin_of_a_client)
{
	struct tds_prelogin p;

	CHECK_INT(prelogin(&p, prelogin_request + HEADER, 39), 1);
	CHECK_STR(p.version, "5.2.3000");
	CHECK_INT(p.major, 5);
	CHECK_INT(p.encryption, ENCRYPT_OFF);
	CHECK(!p.instance); /* empty */
	CHECK_INT(p.mars, 0);
	CHECK_INT(p.fedauth, -1);
	CHECK(!p.connection_id && !p.activity_id);
	tds_prelogin_release(&p);
}

UNIT_CASE(prelogin_of_a_server)
{
	struct tds_prelogin p;

	CHECK_INT(prelogin(&p, prelogin_reply + HEADER, 35), 1);
	CHECK_STR(p.version, "16.0.4135");
	CHECK_INT(p.major, 16);
	CHECK_INT(p.encryption, ENCRYPT_OFF);
	CHECK_INT(p.mars, 0);
	tds_prelogin_release(&p);
}

UNIT_CASE(prelogin_with_every_option)
{
	/* offsets count from the table's start; the table is 8 * 5 + 1 bytes */
	static const char options[] =
		"\0\0\x29\0\6\1\0\x2f\0\1\2\0\x30\0\5\3\0\x35\0\4\4\0\x39\0\1\5\0\x3a\0\x24"
		"\6\0\x5e\0\1\7\0\x5f\0\0\xff"
		"\5\1\4\xd2\0\0"			     /* 5.1.1234 */
		"\1"					     /* encryption on */
		"INST\0"				     /* instance */
		"\0\0\x10\x20"				     /* thread */
		"\1"					     /* MARS */
		"\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10" /* connection */
		"\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20" /* activity */
		"\0\0\0\1"
		"\1"; /* federated authentication */
	struct tds_prelogin p;

	CHECK_INT(prelogin(&p, options, sizeof(options) - 1), 1);
	CHECK_STR(p.version, "5.1.1234");
	CHECK_INT(p.encryption, ENCRYPT_ON);
	CHECK_STR(p.instance, "INST");
	CHECK_INT(p.mars, 1);
	CHECK_INT(p.fedauth, 1);
	CHECK_STR(p.connection_id, "04030201-0605-0807-090a-0b0c0d0e0f10");
	CHECK_STR(p.activity_id, "14131211-1615-1817-191a-1b1c1d1e1f20");
	tds_prelogin_release(&p);
}

UNIT_CASE(encryption_values)
{
	static const struct {
		uint8_t value;
		enum encrypt_option want;
	} cases[] = {
		{0x00, ENCRYPT_OFF},	  {0x01, ENCRYPT_ON},  {0x02, ENCRYPT_NOT_SUP},
		{0x03, ENCRYPT_REQ},	  {0x20, ENCRYPT_OFF}, {0x80, ENCRYPT_OFF},
		{0x81, ENCRYPT_ON},	  {0x83, ENCRYPT_REQ}, {0x04, ENCRYPT_NOT_SEEN},
		{0xff, ENCRYPT_NOT_SEEN},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t data[39];
		struct tds_prelogin p;

		memcpy(data, prelogin_request + HEADER, sizeof(data));
		data[0x20] = cases[i].value;
		CHECK_INT(prelogin(&p, data, sizeof(data)), 1);
		CHECK_INT(p.encryption, cases[i].want);
		tds_prelogin_release(&p);
	}
}

UNIT_CASE(half_a_prelogin_states_nothing)
{
	for (uint32_t len = 0; len < 39; len++) {
		struct tds_prelogin p;

		CHECK_INT(prelogin(&p, prelogin_request + HEADER, len), 0);
		CHECK(!*p.version && !p.instance);
		CHECK_INT(p.encryption, ENCRYPT_NOT_SEEN);
		CHECK_INT(p.mars, -1);
		tds_prelogin_release(&p);
	}
}

UNIT_CASE(what_is_no_prelogin)
{
	struct tds_prelogin p;
	struct message m = {.len = 0};

	/* VERSION must be first; a pre-7.0 server answers with an ERROR token; TLS begins 0x16 */
	CHECK_INT(prelogin(&p, "\1\0\6\0\1\xff\0", 7), -EPROTO);
	CHECK_INT(prelogin(&p, "\xaa\4\0", 3), -EPROTO);
	CHECK_INT(prelogin(&p, "\x16\3\1", 3), -EPROTO);
	/* data cannot begin within the first option */
	CHECK_INT(prelogin(&p, "\0\0\5\0\6\xff\0\0\0\0\0\0", 12), -EPROTO);
	/* no table is that long */
	for (int i = 0; i < 40; i++)
		ADD(&m, "\0\0\0\0\0");
	CHECK_INT(prelogin(&p, m.data, m.len), -EPROTO);
}

UNIT_CASE(prelogin_offsets_that_lie)
{
	struct tds_prelogin p;

	/* beyond the end: not complete, so far */
	CHECK_INT(prelogin(&p, "\0\0\6\0\7\xff\1\2\3\4\5\6", 12), 0);
	CHECK_INT(prelogin(&p, "\0\xff\xff\xff\xff\xff", 6), 0);
	CHECK(!*p.version);
	/* a VERSION of five bytes, an empty ENCRYPTION, GUIDs too short: as if missing */
	CHECK_INT(prelogin(&p, "\0\0\x15\0\5\1\0\0\0\0\4\0\0\0\0\5\0\x15\0\5\xff\1\2\3\4\5", 26),
		  1);
	CHECK(!*p.version && !p.connection_id);
	CHECK_INT(p.encryption, ENCRYPT_NOT_SEEN);
	CHECK_INT(p.mars, -1);
	tds_prelogin_release(&p);
	/* an option twice, and unknown ones: the last one counts, and nothing is lost */
	CHECK_INT(prelogin(&p,
			   "\0\0\x15\0\6\0\0\x1b\0\6\x99\0\x15\0\6\x99\0\x15\0\6\xff"
			   "\1\0\0\1\0\0\2\0\0\2\0\0",
			   33),
		  1);
	CHECK_STR(p.version, "2.0.2");
	tds_prelogin_release(&p);
}

/* ---- LOGIN7 ---- */

static int login7(struct tds_login7 *l, const void *data, uint32_t len)
{
	return tds_login7_parse(l, guarded(data, len), len);
}

UNIT_CASE(login7_with_a_password)
{
	struct tds_login7 l;
	const char *const *text;

	CHECK_INT(login7(&l, login7_sql + HEADER, 138), 1);
	CHECK_INT(l.version, 0x74000004);
	CHECK_STR(tds_version_name(l.version), "7.4");
	CHECK_INT(l.packet_size, 4096);
	CHECK_STR(l.host, "W1");
	CHECK_STR(l.user, "u1");
	CHECK_STR(l.app, "app");
	CHECK_STR(l.driver, "drv");
	CHECK_STR(l.database, "d1");
	CHECK(!l.integrated && !l.read_only && !l.change_password);
	CHECK_INT(l.sspi_len, 0);
	CHECK_INT(l.fedauth_library, -1);
	/* The password (a2 a5 b6 a5 obfuscated, "p1" in clear) is in none of them. */
	text = (const char *const[]){l.host, l.user, l.app, l.driver, l.database, NULL};
	for (; *text; text++) {
		CHECK(!strstr(*text, "\xea\x96\xa2") && !strstr(*text, "\xea\x96\xb6"));
		CHECK(!strstr(*text, "p1"));
	}
	tds_login7_release(&l);
	CHECK(!l.user);
}

UNIT_CASE(login7_with_ntlm)
{
	struct tds_login7 l;
	const uint8_t *data = guarded(login7_ntlm + HEADER, 160);

	CHECK_INT(tds_login7_parse(&l, data, 160), 1);
	CHECK(l.integrated);
	CHECK(!l.user);
	CHECK_STR(l.host, "W1");
	CHECK_STR(l.app, "app");
	CHECK_STR(l.driver, "drv");
	CHECK_STR(l.database, "d1");
	CHECK_INT(l.sspi - data, 0x78);
	CHECK_INT(l.sspi_len, 40);
	CHECK(!memcmp(l.sspi, "NTLMSSP\0\1\0\0\0", 12));
	tds_login7_release(&l);
}

/* Two bytes, little-endian, changed in a copy of example 8. */
static struct message ntlm_with(uint32_t at, uint16_t value)
{
	struct message m = {.len = 0};

	add(&m, login7_ntlm + HEADER, 160);
	m.data[at] = (uint8_t)value;
	m.data[at + 1] = (uint8_t)(value >> 8);
	return m;
}

UNIT_CASE(login7_with_a_large_ticket)
{
	/* cbSSPI 0xffff: the true length is in cbSSPILong; 0 there: it is 0xffff. */
	struct message m = ntlm_with(80, 0xffff);
	struct tds_login7 l;

	m.data[90] = 40;
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.sspi_len, 40);
	tds_login7_release(&l);
	m.data[90] = 0;
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.sspi_len, 40); /* as much of it as is present */
	tds_login7_release(&l);
	m.data[90] = m.data[91] = m.data[92] = m.data[93] = 0xff;
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.sspi_len, 40);
	tds_login7_release(&l);
}

UNIT_CASE(login7_with_lies)
{
	static const uint32_t fields[] = {36, 40, 48, 60, 68, 78};
	struct tds_login7 l;
	struct message m;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		m = ntlm_with(fields[i], 0xffff); /* the offset */
		m.data[fields[i] + 2] = 2;
		CHECK_INT(login7(&l, m.data, m.len), 1);
		CHECK(fields[i] == 36 ? !l.host : !!l.host);
		CHECK(fields[i] == 48 ? !l.app : !!l.app);
		CHECK(fields[i] == 78 ? !l.sspi_len : l.sspi_len == 40);
		tds_login7_release(&l);
		m = ntlm_with(fields[i] + 2, 0xffff); /* the length */
		CHECK_INT(login7(&l, m.data, m.len), 1);
		CHECK(fields[i] == 36 ? !l.host : !!l.host);
		CHECK(fields[i] == 68 ? !l.database : !!l.database);
		tds_login7_release(&l);
	}
	m = ntlm_with(7, 0); /* version 0x000?.... */
	m.data[4] = 0;
	CHECK_INT(login7(&l, m.data, m.len), -EPROTO);
}

UNIT_CASE(login7_with_a_federated_token)
{
	/* Example 7 whose feature list is FEDAUTH (library 2: MSAL, echo bit set), 5 bytes. */
	struct message m = {.len = 0};
	struct tds_login7 l;

	add(&m, login7_sql + HEADER, 0x84);
	ADD(&m, "\2\1\0\0\0\5\x0a\0\0\0\0\xff");
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.fedauth_library, 2);
	tds_login7_release(&l);
	/* a list without its end, an item longer than the message, a list beyond it */
	CHECK_INT(login7(&l, m.data, m.len - 1), 1);
	CHECK_INT(l.fedauth_library, 2);
	tds_login7_release(&l);
	memset(m.data + 0x85, 0xff, 4);
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.fedauth_library, -1);
	tds_login7_release(&l);
	memset(m.data + 0x76, 0xff, 4);
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK_INT(l.fedauth_library, -1);
	tds_login7_release(&l);
}

UNIT_CASE(login7_flags)
{
	struct message m = ntlm_with(25, 0x2083); /* OptionFlags2, TypeFlags: read-only intent */
	struct tds_login7 l;

	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK(l.integrated && l.read_only && !l.change_password);
	tds_login7_release(&l);
	m = ntlm_with(26, 0x0100); /* OptionFlags3: fChangePassword */
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK(l.change_password && !l.read_only);
	tds_login7_release(&l);
}

/* Example 7's list, longer: ids with names, one without, and their acknowledgements. */
UNIT_CASE(features)
{
	static const uint8_t ack[] = "\xad\x0a\0\1\x74\0\0\4\0\x10\0\0\0" /* LOGINACK */
				     "\xae\2\0\0\0\0\x0a\1\0\0\0\1\xff";
	struct message m = {.len = 0};
	struct tds_login7 l;
	struct tds_answer a;

	CHECK_INT(login7(&l, login7_sql + HEADER, 138), 1);
	CHECK(l.features.known);
	CHECK_INT(l.features.count, 1);
	CHECK_STR(feature_name(l.features.ids[0]), "utf8");
	tds_login7_release(&l);
	add(&m, login7_sql + HEADER, 132);
	ADD(&m, "\1\0\0\0\0\x99\2\0\0\0ab\x10\0\0\0\0\xff");
	CHECK_INT(login7(&l, m.data, m.len), 1);
	CHECK(l.features.known);
	CHECK_INT(l.features.count, 3);
	CHECK_STR(feature_name(l.features.ids[0]), "sessionrecovery");
	CHECK_INT(l.features.ids[1], 0x99);
	CHECK(!feature_name(0x99) && !feature_name(0) && !feature_name(3));
	CHECK_STR(feature_name(l.features.ids[2]), "useragent");
	tds_login7_release(&l);
	/* A list without its end is unknown; so is a missing one. */
	CHECK_INT(login7(&l, m.data, m.len - 1), 1);
	CHECK(!l.features.known);
	tds_login7_release(&l);
	CHECK_INT(login7(&l, login7_ntlm + HEADER, 160), 1);
	CHECK(l.features.known);
	CHECK_INT(l.features.count, 0);
	tds_login7_release(&l);
	tds_answer_parse(&a, guarded(ack, sizeof(ack) - 1), sizeof(ack) - 1, TDS_ERA_72);
	CHECK(a.features.known);
	CHECK_INT(a.features.count, 2);
	CHECK_STR(feature_name(a.features.ids[0]), "fedauth");
	CHECK_STR(feature_name(a.features.ids[1]), "utf8");
	tds_answer_release(&a);
	tds_answer_parse(&a, guarded(ack, sizeof(ack) - 2), sizeof(ack) - 2, TDS_ERA_72);
	CHECK(!a.features.known);
	tds_answer_release(&a);
}

UNIT_CASE(login7_cut_short)
{
	for (uint32_t len = 0; len < 160; len++) {
		struct tds_login7 l;
		int err = login7(&l, login7_ntlm + HEADER, len);

		/*
		 * The fixed part (86 bytes before TDS 7.2) must be complete, the rest may end
		 * anywhere.
		 */
		CHECK_INT(err, len < 86 ? -EPROTO : 1);
		CHECK_INT(!!l.host, len >= 0x62);
		CHECK_INT(!!l.app, len >= 0x68);
		CHECK_INT(!!l.driver, len >= 0x74);
		CHECK_INT(!!l.database, len >= 0x78);
		CHECK_INT(l.sspi_len, len > 0x78 ? len - 0x78 : 0);
		tds_login7_release(&l);
	}
	for (uint32_t len = 0; len < 138; len++) {
		struct tds_login7 l;

		login7(&l, login7_sql + HEADER, len);
		tds_login7_release(&l);
	}
}

/* ---- the answer ---- */

static void answer(struct tds_answer *a, const void *data, uint32_t len)
{
	tds_answer_parse(a, guarded(data, len), len, TDS_ERA_72);
}

UNIT_CASE(answer_of_a_challenge)
{
	const uint8_t *data = guarded(ntlm_challenge + HEADER, 71);
	struct tds_answer a;

	tds_answer_parse(&a, data, 71, TDS_ERA_72);
	CHECK(a.sspi && a.walked);
	CHECK(!a.loginack && !a.has_error && !a.done && !a.fedauth_info);
	CHECK_INT(a.sspi_token - data, 3);
	CHECK_INT(a.sspi_len, 68);
	CHECK_INT(a.packet_size, -1);
	tds_answer_release(&a);
}

UNIT_CASE(answer_of_success)
{
	struct tds_answer a;

	answer(&a, login_success + HEADER, 92);
	CHECK(a.loginack && a.done && a.walked);
	CHECK(!a.has_error && !a.sspi && !a.redirect_host && !a.attention_ack);
	CHECK_INT(a.version, 0x74000004);
	CHECK_STR(a.program, "Microsoft SQL Server");
	CHECK_STR(a.server_version, "16.0.4135");
	CHECK_INT(a.packet_size, 8000);
	CHECK(!a.database);
	tds_answer_release(&a);
}

UNIT_CASE(answer_of_failure)
{
	struct tds_answer a;

	answer(&a, login_failure + HEADER, 90);
	CHECK(!a.loginack && a.has_error && a.done && a.walked);
	CHECK_INT(a.error.number, 18456);
	CHECK_INT(a.error.state, 1);
	CHECK_INT(a.error.class_, 14);
	CHECK_STR(a.error.message, "Login failed for user 'u1'.");
	tds_answer_release(&a);
}

UNIT_CASE(answer_of_redirection)
{
	struct tds_answer a;

	answer(&a, login_redirect + HEADER, 87);
	CHECK(a.loginack && a.walked);
	CHECK_STR(a.server_version, "12.0.2000");
	CHECK_STR(a.redirect_host, "r1");
	CHECK_INT(a.redirect_port, 11003);
	tds_answer_release(&a);
}

UNIT_CASE(answer_that_wants_a_token)
{
	struct tds_answer a;

	answer(&a, fedauth_info + HEADER, 31);
	CHECK(a.fedauth_info && a.walked);
	CHECK(!a.loginack && !a.done);
	tds_answer_release(&a);
}

UNIT_CASE(answer_to_an_attention)
{
	struct tds_answer a;

	answer(&a, attention_and_ack + 16, 13);
	CHECK(a.done && a.attention_ack && a.walked);
	tds_answer_release(&a);
}

#define TOKEN_DONE	 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0"
#define TOKEN_DONEINPROC "\xff\1\0\0\0\0\0\0\0\0\0\0\0"
/* class 16, "db"; class 14, "no"; class 10, "hi" */
#define TOKEN_ERROR_4060  "\xaa\x12\0\xdc\x0f\0\0\1\x10\2\0d\0b\0\0\0\1\0\0\0"
#define TOKEN_ERROR_18456 "\xaa\x12\0\x18\x48\0\0\1\x0e\2\0n\0o\0\0\0\1\0\0\0"
#define TOKEN_ERROR_5701  "\xaa\x12\0\x45\x16\0\0\2\x0a\2\0h\0i\0\0\0\1\0\0\0"
#define TOKEN_INFO_5701	  "\xab\x12\0\x45\x16\0\0\2\x0a\2\0h\0i\0\0\0\1\0\0\0"

UNIT_CASE(the_first_error_is_the_reason)
{
	static const char two[] = TOKEN_ERROR_4060 TOKEN_ERROR_18456 TOKEN_DONE;
	static const char mild[] =
		TOKEN_INFO_5701 TOKEN_ERROR_5701 TOKEN_ERROR_18456 TOKEN_ERROR_4060 TOKEN_DONE;
	struct tds_answer a;

	answer(&a, two, sizeof(two) - 1);
	CHECK_INT(a.error.number, 4060);
	CHECK_STR(a.error.message, "db");
	CHECK(a.walked);
	tds_answer_release(&a);
	/* Below class 11 it is information, and an error takes precedence. */
	answer(&a, mild, sizeof(mild) - 1);
	CHECK_INT(a.error.number, 18456);
	CHECK_INT(a.error.class_, 14);
	CHECK_STR(a.error.message, "no");
	tds_answer_release(&a);
}

UNIT_CASE(information_is_no_error)
{
	static const char info[] = TOKEN_INFO_5701 TOKEN_DONE;
	struct tds_answer a;

	answer(&a, info, sizeof(info) - 1);
	CHECK(!a.has_error && a.walked);
	tds_answer_release(&a);
}

UNIT_CASE(tokens_of_every_kind_are_stepped_over)
{
	/* DONEINPROC, RETURNSTATUS, ORDER, SESSIONSTATE, FEATUREEXTACK, a database change */
	static const char before[] = TOKEN_DONEINPROC "\x79\0\0\0\0"
						      "\xa9\2\0\1\0"
						      "\xe4\5\0\0\0\1\2\3\4\5"
						      "\xae\x0a\1\0\0\0\1\4\0\0\0\0\xff"
						      "\xe3\x07\0\1\2d\0b\0\0";
	struct message m = {.len = 0};
	struct tds_answer a;

	ADD(&m, before);
	add(&m, login_success + HEADER, 92);
	answer(&a, m.data, m.len);
	CHECK(a.loginack && a.walked);
	CHECK_STR(a.database, "db");
	CHECK_STR(a.server_version, "16.0.4135");
	CHECK_INT(a.packet_size, 8000);
	tds_answer_release(&a);
}

UNIT_CASE(what_is_no_token_ends_the_walk)
{
	struct message m = {.len = 0};
	struct tds_answer a;

	add(&m, login_success + HEADER, 92);
	ADD(&m, "\x81\1\0" TOKEN_ERROR_18456); /* COLMETADATA: not part of a login */
	answer(&a, m.data, m.len);
	CHECK(a.loginack && !a.walked && !a.has_error);
	tds_answer_release(&a);
}

UNIT_CASE(kerberos_token_and_login_answer_in_one)
{
	struct message m = {.len = 0};
	struct tds_answer a;

	ADD(&m, "\xed\4\0\xa1\2\0\0");
	add(&m, login_success + HEADER, 92);
	answer(&a, m.data, m.len);
	CHECK(a.sspi && a.loginack && a.walked);
	CHECK_INT(a.sspi_len, 4);
	tds_answer_release(&a);
}

UNIT_CASE(answers_before_tds72_are_shorter)
{
	/* DONE without the upper half of its count; LOGINACK of 7.1 */
	static const char old[] = "\xfd\0\0\0\0\0\0\0\0"
				  "\xfd\x20\0\0\0\0\0\0\0";
	struct tds_answer a;

	tds_answer_parse(&a, guarded(old, sizeof(old) - 1), sizeof(old) - 1, TDS_ERA_70);
	CHECK(a.done && a.attention_ack && a.walked);
	tds_answer_release(&a);
}

UNIT_CASE(login_of_tds5)
{
	/* LOGINACK: status 5 success, 6 failure; version and name with one byte per character */
	static const char ok[] = "\xad\x0e\0\5\5\0\0\0\4srv\0\x0f\0\0\7\xfd\0\0\0\0\0\0\0\0";
	char no[sizeof(ok)];
	struct tds_answer a;

	tds_answer_parse(&a, guarded(ok, sizeof(ok) - 1), sizeof(ok) - 1, TDS_ERA_OLD);
	CHECK(a.loginack && a.walked);
	CHECK_STR(a.program, "srv");
	CHECK_STR(a.server_version, "15.0.7");
	CHECK_STR(tds_version_name(a.version), "5.0");
	tds_answer_release(&a);
	memcpy(no, ok, sizeof(ok));
	no[3] = 6;
	tds_answer_parse(&a, guarded(no, sizeof(no) - 1), sizeof(no) - 1, TDS_ERA_OLD);
	CHECK(!a.loginack && !a.program);
	CHECK_INT(a.version, 0);
	tds_answer_release(&a);
}

UNIT_CASE(answers_cut_short)
{
	for (uint32_t len = 0; len < 92; len++) {
		struct tds_answer a;

		answer(&a, login_success + HEADER, len);
		/* ENVCHANGE is 22 bytes, LOGINACK 57, DONE 13. */
		CHECK_INT(a.packet_size, len < 22 ? -1 : 8000);
		CHECK_INT(a.loginack, len >= 79);
		CHECK_INT(a.done, 0);
		CHECK_INT(a.walked, len == 0 || len == 22 || len == 79);
		tds_answer_release(&a);
		answer(&a, login_failure + HEADER, len < 90 ? len : 90);
		CHECK_INT(a.has_error, len >= 77);
		tds_answer_release(&a);
		answer(&a, login_redirect + HEADER, len < 87 ? len : 87);
		CHECK_INT(!!a.redirect_host, len >= 74);
		tds_answer_release(&a);
		answer(&a, ntlm_challenge + HEADER, len < 71 ? len : 71);
		CHECK_INT(a.sspi, len >= 71);
		tds_answer_release(&a);
		answer(&a, fedauth_info + HEADER, len < 31 ? len : 31);
		CHECK_INT(a.fedauth_info, len >= 31);
		tds_answer_release(&a);
	}
}

UNIT_CASE(answers_with_lies)
{
	/* Lengths inside a token that reach beyond it: the token states nothing. */
	static const char error[] = "\xaa\x0a\0\x18\x48\0\0\1\x0e\xff\xff"
				    "a\0" TOKEN_DONE;
	static const char ack[] = "\xad\x09\0\1\x74\0\0\4\xff"
				  "a\0\1\2" TOKEN_DONE;
	static const char route[] = "\xe3\x08\0\x14\xff\xff\0\x99\5\1\0" TOKEN_DONE;
	static const char features[] = "\xae\1\xff\xff\xff\xff";
	static const char size[] = "\xe3\x0a\0\4\4"
				   "9\0"
				   "x\0"
				   "9\0"
				   "9\0" TOKEN_DONE;
	struct tds_answer a;

	answer(&a, error, sizeof(error) - 1);
	CHECK(!a.has_error);
	tds_answer_release(&a);
	answer(&a, ack, sizeof(ack) - 1);
	CHECK(!a.loginack && !a.program);
	CHECK_INT(a.version, 0);
	tds_answer_release(&a);
	answer(&a, route, sizeof(route) - 1);
	CHECK(!a.redirect_host && a.done);
	tds_answer_release(&a);
	answer(&a, features, sizeof(features) - 1);
	CHECK(!a.walked);
	tds_answer_release(&a);
	answer(&a, size, sizeof(size) - 1);
	CHECK_INT(a.packet_size, 9); /* as far as it is a number */
	tds_answer_release(&a);
}

/* Tokens as "token from len width whole", one line each. */
static void on_token(void *ctx, const struct tds_token *t)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%u+%u w%u%s%s\n", t->from, t->len, t->width,
		t->whole ? "" : " cut", t->old ? " old" : "");
}

UNIT_CASE(tokens_and_where_they_are)
{
	static const uint8_t data[] = "\xe3\x03\0\2\0\0" /* a change, of nothing */
				      "\xaa\x10\0\x18\x48\0\0\1\x0e\1\0\x41\0\0\0\1\0\0\0"
				      "\xfd\0\0\0\0\0\0\0\0\0\0\0\0"
				      "\xab\x05\0\1"; /* information, cut */
	char text[200] = "";

	tds_tokens(data, sizeof(data) - 1, TDS_ERA_72, on_token, text);
	CHECK_STR(text, "0+6 w2\n6+19 w2\n25+13 w2\n38+4 w2 cut\n");
	*text = '\0';
	tds_tokens((const uint8_t *)"\x01", 1, TDS_ERA_OLD, on_token, text); /* no token */
	CHECK_STR(text, "0+1 w1 cut old\n");
}

UNIT_CASE(version_names)
{
	CHECK_STR(tds_version_name(0x70000000), "7.0");
	CHECK_STR(tds_version_name(0x71000001), "7.1");
	CHECK_STR(tds_version_name(0x72090002), "7.2");
	CHECK_STR(tds_version_name(0x730b0003), "7.3");
	CHECK_STR(tds_version_name(0x74000004), "7.4");
	CHECK_STR(tds_version_name(0x08000000), "8.0");
	CHECK_STR(tds_version_name(0x05000000), "5.0");
	CHECK_STR(tds_version_name(0x04020000), "4.2");
	CHECK_STR(tds_version_name(0x07000000), "7.0");
	CHECK(!tds_version_name(0));
	CHECK(!tds_version_name(0x75000000));
	CHECK(!tds_version_name(0xffffffff));
}

int main(void)
{
	RUN(prelogin_of_a_client);
	RUN(prelogin_of_a_server);
	RUN(prelogin_with_every_option);
	RUN(encryption_values);
	RUN(half_a_prelogin_states_nothing);
	RUN(what_is_no_prelogin);
	RUN(prelogin_offsets_that_lie);
	RUN(login7_with_a_password);
	RUN(login7_with_ntlm);
	RUN(login7_with_a_large_ticket);
	RUN(login7_with_lies);
	RUN(login7_with_a_federated_token);
	RUN(login7_flags);
	RUN(features);
	RUN(login7_cut_short);
	RUN(answer_of_a_challenge);
	RUN(answer_of_success);
	RUN(answer_of_failure);
	RUN(answer_of_redirection);
	RUN(answer_that_wants_a_token);
	RUN(answer_to_an_attention);
	RUN(the_first_error_is_the_reason);
	RUN(information_is_no_error);
	RUN(tokens_of_every_kind_are_stepped_over);
	RUN(what_is_no_token_ends_the_walk);
	RUN(kerberos_token_and_login_answer_in_one);
	RUN(answers_before_tds72_are_shorter);
	RUN(login_of_tds5);
	RUN(answers_cut_short);
	RUN(answers_with_lies);
	RUN(tokens_and_where_they_are);
	RUN(version_names);
	return unit_status();
}
