// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ssrp.c - requests to SQL Server Browser and its responses: valid ones, also cut short at every
 * byte before a page that cannot be read, and malformed ones.
 */
#include <errno.h>

#include "guard.h"
#include "engine/protocol/ssrp.h"
#include "unit.h"

#define BYTES(text) text, sizeof(text) - 1

/* docs/PROTOCOL.md 12 */
static const char one[] = "\x05\x4e\0ServerName;H;InstanceName;INST1;IsClustered;No;"
			  "Version;16.0.1000.6;tcp;51234;;";

static const char three[] = "\x05\xf9\0"
			    "ServerName;H;InstanceName;MSSQLSERVER;IsClustered;No;Version;"
			    "15.0.2000.5;tcp;1433;np;\\\\H\\pipe\\sql\\query;;"
			    "ServerName;H;InstanceName;QUIET;IsClustered;No;Version;10.0.1600.22;;"
			    "ServerName;H;InstanceName;DEV;IsClustered;Yes;Version;9.00;"
			    "tcp;65535;bv;x;;";

static int question(struct ssrp_question *q, const void *data, size_t len)
{
	return ssrp_question(q, guarded(data, len), len);
}

static int answer(struct ssrp_answer *a, const void *data, size_t len)
{
	return ssrp_answer(a, guarded(data, len), len);
}

UNIT_CASE(questions)
{
	static const struct {
		const char *bytes;
		size_t len;
		int result;
		enum ssrp_kind kind;
		const char *name;
	} cases[] = {
		{BYTES("\x02"), 1, SSRP_BROADCAST, ""},
		{BYTES("\x03"), 1, SSRP_LIST, ""},
		{BYTES("\x03trailing"), 1, SSRP_LIST, ""},
		{BYTES("\x04INST1\0"), 7, SSRP_INSTANCE, "INST1"},
		{BYTES("\x04INST1"), 6, SSRP_INSTANCE, "INST1"}, /* some omit the NUL */
		{BYTES("\x04\xdcnit\xe9\0"), 7, SSRP_INSTANCE, "\xc3\x9cnit\xc3\xa9"},
		{BYTES("\x0f\x01INST1\0"), 8, SSRP_DAC, "INST1"},
		{BYTES("\x04"
		       "12345678901234567890123456789012\0"),
		 34, SSRP_INSTANCE, "12345678901234567890123456789012"},
		/* longer than a name can be: how the worm of 2003 came */
		{BYTES("\x04"
		       "123456789012345678901234567890123\0"),
		 -EPROTO, 0, NULL},
		{BYTES("\x04\0"), -EPROTO, 0, NULL},
		{BYTES("\x0f\x02INST1\0"), -EPROTO, 0, NULL},
		{BYTES("\x05\0\0"), -EPROTO, 0, NULL},
		{BYTES("\0"), -EPROTO, 0, NULL},
		{BYTES(""), 0, 0, NULL},
		{BYTES("\x04"), 0, 0, NULL},
		{BYTES("\x0f"), 0, 0, NULL},
		{BYTES("\x0f\x01"), 0, 0, NULL},
	};
	struct ssrp_question q;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int result = question(&q, cases[i].bytes, cases[i].len);

		if (result != cases[i].result)
			UNIT_FAIL("case %zu: %d, not %d", i, result, cases[i].result);
		if (result <= 0)
			continue;
		if (q.kind != cases[i].kind || strcmp(q.name, cases[i].name))
			UNIT_FAIL("case %zu: kind %d, name %s", i, q.kind, q.name);
	}
}

UNIT_CASE(one_instance)
{
	struct ssrp_instance i;
	struct ssrp_answer a;

	CHECK_INT(answer(&a, BYTES(one)), 81);
	CHECK(!a.cut && !a.dac_port);
	CHECK(ssrp_instance(&a, &i));
	CHECK_STR(i.name, "INST1");
	CHECK_INT(i.port, 51234);
	CHECK(!ssrp_instance(&a, &i));
}

UNIT_CASE(several_instances)
{
	struct ssrp_instance i;
	struct ssrp_answer a;

	CHECK_INT(answer(&a, BYTES(three)), 252);
	CHECK(!a.cut);
	CHECK(ssrp_instance(&a, &i));
	CHECK_STR(i.name, "MSSQLSERVER");
	CHECK_INT(i.port, 1433);
	CHECK(ssrp_instance(&a, &i));
	CHECK_STR(i.name, "QUIET");
	CHECK_INT(i.port, 0);
	CHECK(ssrp_instance(&a, &i));
	CHECK_STR(i.name, "DEV");
	CHECK_INT(i.port, 65535);
	CHECK(!ssrp_instance(&a, &i));
}

UNIT_CASE(dac)
{
	struct ssrp_instance i;
	struct ssrp_answer a;

	CHECK_INT(answer(&a, BYTES("\x05\x06\0\x01\x23\xc8")), 6);
	CHECK_INT(a.dac_port, 51235);
	CHECK(!ssrp_instance(&a, &i));
	CHECK_INT(answer(&a, BYTES("\x05\x06\0\x01\x23")), 0);
	CHECK_INT(answer(&a, BYTES("\x05\x06\0\x01\0\0")), -EPROTO);
	CHECK(!a.dac_port);
}

/* An incomplete instance is not reported, and none is invented. */
UNIT_CASE(cut_at_every_byte)
{
	static const char *const names[] = {"MSSQLSERVER", "QUIET", "DEV"};
	static const size_t ends[] = {108, 177, 252}; /* of each in the datagram */
	struct ssrp_instance i;
	struct ssrp_answer a;

	for (size_t cut = 0; cut < sizeof(three) - 1; cut++) {
		int result = answer(&a, three, cut);
		size_t told = 0, whole = 0;

		CHECK_INT(result, cut < 3 ? 0 : (int)cut);
		CHECK(cut < 3 || a.cut);
		while (whole < 3 && ends[whole] <= cut)
			whole++;
		for (; result > 0 && ssrp_instance(&a, &i); told++)
			if (told < 3)
				CHECK_STR(i.name, names[told]);
		if (told != whole)
			UNIT_FAIL("%zu bytes: %zu instances, not %zu", cut, told, whole);
	}
}

UNIT_CASE(odd_answers)
{
	static const struct {
		const char *text;
		const char *name; /* of the first one; NULL: none */
		uint16_t port;
	} cases[] = {
		{"", NULL, 0},
		{";", NULL, 0},
		{";;;;;;", NULL, 0},
		{"tcp;1433;;", NULL, 0},
		{"InstanceName;;tcp;1433;;", NULL, 0},
		{"InstanceName;A;tcp;;", "A", 0},
		{"InstanceName;A;tcp;0;;", "A", 0},
		{"InstanceName;A;tcp;65536;;", "A", 0},
		{"InstanceName;A;tcp;99999;;", "A", 0},
		{"InstanceName;A;tcp;001433;;", "A", 0},
		{"InstanceName;A;tcp;14a3;;", "A", 0},
		{"InstanceName;A;tcp;-143;;", "A", 0},
		{"InstanceName;A;tcp; 143;;", "A", 0},
		{"instancename;a;TCP;1433;;", "a", 1433}, /* keys are case-insensitive */
		{"InstanceName;A;tcp;1433", "A", 1433},	  /* the end of the text ends it */
		{"InstanceName;A;tcp;1433;", "A", 1433},
		{"InstanceName;A;tcp", "A", 0},
		{"tcp;1433;InstanceName;A;;", "A", 1433},
		{"InstanceName;A;np;tcp;1433;;", "A", 0}, /* a value that looks like a key */
		{"ServerName;tcp;InstanceName;A;;", "A", 0},
		{"InstanceName;A;tcp;1;InstanceName;B;tcp;2;;", "B", 2}, /* the last value counts */
		{";;InstanceName;A;tcp;1433;;", "A", 1433},
		{"InstanceName;123456789012345678901234567890123;tcp;1433;;", NULL, 0},
	};
	uint8_t data[128];
	struct ssrp_instance i;
	struct ssrp_answer a;

	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		size_t len = strlen(cases[n].text);
		bool told;

		data[0] = 5;
		data[1] = (uint8_t)len;
		data[2] = 0;
		memcpy(data + 3, cases[n].text, len);
		CHECK_INT(answer(&a, data, len + 3), (int)len + 3);
		told = ssrp_instance(&a, &i);
		if (told != !!cases[n].name ||
		    (told && (strcmp(i.name, cases[n].name) || i.port != cases[n].port)))
			UNIT_FAIL("%s: %d %s %u", cases[n].text, told, i.name, i.port);
	}
}

UNIT_CASE(not_an_answer)
{
	struct ssrp_instance i;
	struct ssrp_answer a;

	CHECK_INT(answer(&a, BYTES("\x04INST1\0")), -EPROTO);
	CHECK_INT(answer(&a, BYTES("\x05\x05\0InstanceName;A;tcp;1433;;")), 8);
	CHECK(!ssrp_instance(&a, &i)); /* bytes beyond its size are not read */
}

int main(void)
{
	RUN(questions);
	RUN(one_instance);
	RUN(several_instances);
	RUN(dac);
	RUN(cut_at_every_byte);
	RUN(odd_answers);
	RUN(not_an_answer);
	return unit_status();
}
