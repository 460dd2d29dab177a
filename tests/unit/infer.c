// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * infer.c - what is inferred about a login under TLS. Each row is the messages' sizes and how it
 * ended, and the expected statement: "high" only if no other reading is possible.
 */
#include <stdlib.h>

#include "engine/login/size_inference.h"
#include "unit.h"

#define C(size)                                                                                    \
	{                                                                                          \
		SIDE_CLIENT, size, size                                                            \
	}
#define SRV(size)                                                                                  \
	{                                                                                          \
		SIDE_SERVER, size, size                                                            \
	}
#define BETWEEN(a, b)                                                                              \
	{                                                                                          \
		SIDE_SERVER, a, b                                                                  \
	}
#define MESSAGES_MAX 10

enum end { OPEN, IDLE, BY_CLIENT, BY_SERVER, BY_SERVER_LATE };

struct row {
	const char *name;
	struct {
		uint8_t from;
		uint32_t least, most;
	} messages[MESSAGES_MAX];
	enum end end;
	bool mars, fedauth;
	enum outcome outcome; /* INCOMPLETE: nothing is stated */
	enum confidence confidence;
	enum auth_method method;
	uint32_t final_answer;
};

static void judge_row(struct judgement *j, const struct row *row)
{
	struct infer_context c = {
		.mars = row->mars,
		.fedauth = row->fedauth,
		.left = row->end == BY_CLIENT	? SIDE_CLIENT
			: row->end >= BY_SERVER ? SIDE_SERVER
						: SIDE_NONE,
		.left_ns = row->end == BY_SERVER_LATE ? 3000000000 : 400000,
		.idle = row->end == IDLE,
	};
	struct units u = {.count = 0};

	for (uint32_t i = 0; i < MESSAGES_MAX && row->messages[i].most; i++)
		units_add(&u, (enum side)row->messages[i].from, row->messages[i].least,
			  row->messages[i].most, i + 1);
	infer_judge(j, &u, &c);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		bool failed = unit_case_failed;
		struct judgement j;

		judge_row(&j, row);
		CHECK_INT(j.outcome, row->outcome);
		CHECK_INT(j.method, row->method);
		/* A method inferred from sizes is at most medium, and has its grounds. */
		CHECK_INT(!!j.method_grounds, row->method != AUTH_UNKNOWN);
		if (row->method != AUTH_UNKNOWN)
			CHECK_INT(j.method_confidence, CONFIDENCE_MEDIUM);
		if (row->outcome != OUTCOME_INCOMPLETE) {
			CHECK_INT(j.confidence, row->confidence);
			CHECK_INT(j.final_answer, row->final_answer);
			CHECK(j.first_answer <= j.final_answer && j.grounds);
		}
		/* Nothing inferred is certain. */
		CHECK(j.confidence != CONFIDENCE_CERTAIN);
		if (unit_case_failed && !failed)
			printf("    in: %s\n", row->name);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

#define OK	  OUTCOME_OK
#define REFUSED	  OUTCOME_REFUSED
#define NOTHING	  OUTCOME_INCOMPLETE
#define HIGH	  CONFIDENCE_HIGH
#define MEDIUM	  CONFIDENCE_MEDIUM
#define LOW	  CONFIDENCE_LOW
#define NO_METHOD AUTH_UNKNOWN

UNIT_CASE(too_little_to_say)
{
	static const struct row rows[] = {
		{"nothing", {}, OPEN, 0, 0, NOTHING, LOW, NO_METHOD, 0},
		{"only LOGIN7", {C(200)}, BY_SERVER, 0, 0, NOTHING, LOW, NO_METHOD, 0},
		{"the server first", {SRV(400), C(200)}, OPEN, 0, 0, NOTHING, LOW, NO_METHOD, 0},
		{"an answer, and more may come",
		 {C(200), SRV(400)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"a short answer, and silence: a challenge whose client thinks?",
		 {C(200), SRV(200)},
		 IDLE,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"a challenge or a login, one message on",
		 {C(200), SRV(380), C(300)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(one_answer)
{
	static const struct row rows[] = {
		/* 88 and 2 per letter: 18456 for a user of 10 letters on a server of 5 */
		{"refused, and the server closed",
		 {C(200), SRV(118)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 1},
		/* It might be a challenge whose client gave up. */
		{"refused, and the client left",
		 {C(200), SRV(118)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		/* Login answers of some look-alikes have this size. */
		{"refused or a look-alike's, and the server closed",
		 {C(200), SRV(250)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 1},
		{"refused or a look-alike's, and the client left",
		 {C(200), SRV(250)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		/*
		 * 300 to 340: an error with a long text, a challenge or a redirect: nothing is
		 * stated.
		 */
		{"neither an error nor a login",
		 {C(200), SRV(320)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		/*
		 * 4060 and 18456 together are as large as a small login answer; who closes decides.
		 */
		{"two errors, and the server closed",
		 {C(200), SRV(400)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 1},
		{"two errors or a login, and the client left",
		 {C(200), SRV(400)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"long after its answer the server closed",
		 {C(200), SRV(400)},
		 BY_SERVER_LATE,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"a login answer, then silence",
		 {C(200), SRV(400)},
		 IDLE,
		 0,
		 0,
		 OK,
		 LOW,
		 AUTH_SQL,
		 1},
		/* Azure's errors are as large. */
		{"a large answer, and the client left",
		 {C(200), SRV(600)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"smaller than any error",
		 {C(200), SRV(40)},
		 BY_SERVER,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		/* With padding, it may be on either side of a bound. */
		{"an answer of 330 to 345",
		 {C(200), BETWEEN(330, 345)},
		 IDLE,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"an answer of 330 to 345, closed",
		 {C(200), BETWEEN(330, 345)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 1},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(a_command_after_the_answer)
{
	static const struct row rows[] = {
		/* No client goes on after a refusal. */
		{"an answer and a command",
		 {C(200), SRV(520), C(90)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 AUTH_SQL,
		 1},
		/* But a client that has waited too long may send an ATTENTION just then. */
		{"an answer and an attention",
		 {C(200), SRV(520), C(8)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"an attention, answered",
		 {C(200), SRV(520), C(8), SRV(21)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_SQL,
		 1},
		/*
		 * An SSPI message is never that small; but a server that then closes may have
		 * refused it.
		 */
		{"a tiny command, answered",
		 {C(200), SRV(380), C(40), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_SQL,
		 1},
		{"a small command, answered",
		 {C(200), SRV(380), C(120), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 AUTH_SQL,
		 1},
		/* Whichever of the two was the login's answer, one was. */
		/* NTLMv2 would repeat the challenge's names. */
		{"what is shorter than a challenge",
		 {C(200), SRV(380), C(300), SRV(900)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 AUTH_SQL,
		 1},
		{"a challenge, its answer and a long error, or a login, a command and a result",
		 {C(200), SRV(380), C(500), SRV(900)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"the same, and the client goes on",
		 {C(200), SRV(380), C(500), SRV(900), C(40), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 NO_METHOD,
		 1},
		/* Before the login is complete, packets have 4,096 bytes: MS-TDS 2.2.3.1.3 */
		{"a packet of 8,000",
		 {C(200), SRV(380), C(500), SRV(8000)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_SQL,
		 1},
		/* Larger than a challenge: the first was the login's answer. */
		{"a login answer beyond a challenge",
		 {C(200), SRV(620), C(300), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_SQL,
		 1},
		/* The client's message is too long for SSPI. */
		{"a long command",
		 {C(200), SRV(380), C(1400), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_SQL,
		 1},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(a_round_of_sspi)
{
	static const struct row rows[] = {
		/*
		 * LOGIN7 with an answer too small for a login; the next message may be a command to
		 * a server whose answers are short: medium.
		 */
		{"NTLM",
		 {C(215), SRV(260), C(400), SRV(400), C(40), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_UNKNOWN,
		 3},
		/* Only the second answer may have the size of errors with long texts. */
		{"NTLM, let in or refused",
		 {C(215), SRV(260), C(400), SRV(400)},
		 BY_CLIENT,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"NTLM, refused with a long text",
		 {C(215), SRV(260), C(400), SRV(900)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 AUTH_UNKNOWN,
		 3},
		{"NTLM, refused",
		 {C(215), SRV(260), C(400), SRV(120)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 AUTH_UNKNOWN,
		 3},
		{"NTLM, refused or not",
		 {C(215), SRV(260), C(400), SRV(120)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(kerberos)
{
	static const struct row rows[] = {
		/*
		 * Two messages of the server in a row, without a request: only Kerberos does that.
		 */
		{"token, answer",
		 {C(3000), SRV(196), SRV(400)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"token, refusal",
		 {C(3000), SRV(196), SRV(400)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 2},
		{"token, answer, command",
		 {C(3000), SRV(196), SRV(400), C(300)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 AUTH_KERBEROS,
		 2},
		{"token, answer, command, result",
		 {C(3000), SRV(196), SRV(400), C(300), SRV(90)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_KERBEROS,
		 2},
		{"token, answer, with a LOGIN7 of two packets",
		 {C(4096), C(700), SRV(196), SRV(400), C(300), SRV(90)},
		 OPEN,
		 0,
		 0,
		 OK,
		 HIGH,
		 AUTH_KERBEROS,
		 2},
		/*
		 * A small LOGIN7 has no ticket; then the same two messages have no known meaning.
		 */
		{"too small for a ticket",
		 {C(300), SRV(196), SRV(300)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		/* In one record the two cannot be separated: Kerberos, or a token in LOGIN7. */
		{"both in one record",
		 {C(3000), SRV(600), C(90), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 NO_METHOD,
		 1},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(federated)
{
	static const struct row rows[] = {
		{"a long token after a short answer",
		 {C(300), SRV(240), C(4096), C(900), SRV(700), C(90), SRV(60)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 AUTH_FEDAUTH,
		 3},
		{"a long token after a short answer, refused",
		 {C(300), SRV(240), C(4096), C(900), SRV(700)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 3},
		{"a token in LOGIN7",
		 {C(3000), SRV(600), C(90), SRV(60)},
		 OPEN,
		 0,
		 1,
		 OK,
		 HIGH,
		 AUTH_FEDAUTH,
		 1},
		/* With federated authentication agreed, a small LOGIN7 is not SQL's. */
		{"agreed, but not in LOGIN7",
		 {C(300), SRV(600), C(90)},
		 OPEN,
		 0,
		 1,
		 OK,
		 MEDIUM,
		 NO_METHOD,
		 1},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(mars)
{
	static const struct row rows[] = {
		{"an SMP session", {C(200), SRV(380), C(16)}, OPEN, 1, 0, OK, HIGH, NO_METHOD, 1},
		{"after a round of SSPI",
		 {C(215), SRV(260), C(400), SRV(380), C(16)},
		 OPEN,
		 1,
		 0,
		 OK,
		 HIGH,
		 NO_METHOD,
		 3},
		/* Padding: it may be 16 bytes, or not. */
		{"15 to 30 bytes",
		 {C(200), SRV(380), {SIDE_CLIENT, 15, 30}},
		 OPEN,
		 1,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
	};

	CHECK_ROWS(rows);
}

UNIT_CASE(more_turns_than_a_login_has)
{
	static const struct row rows[] = {
		{"six turns",
		 {C(200), SRV(200), C(200), SRV(200), C(200), SRV(200)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 NO_METHOD,
		 1},
		{"five turns",
		 {C(200), SRV(200), C(200), SRV(200), C(200)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
	};

	CHECK_ROWS(rows);
}

/*
 * Over all sizes near the bounds: "high" for a login that went well must not be said where an NTLM
 * login that is refused has the same messages, nor "refused" with "high" where one that goes well
 * has. A refused NTLM login is LOGIN7 of 168 to 850, a challenge of 79 to 339, an AUTHENTICATE of
 * 150 to 1000 and an error of 92 to 300 (MS-NLMP 2.2.1 and MS-TDS 2.2.7.10, computed).
 */
UNIT_CASE(a_refused_ntlm_login_is_never_surely_a_success)
{
	for (uint32_t challenge = 79; challenge < 340; challenge += 9) {
		for (uint32_t message = 150; message <= 1000; message += 50) {
			for (uint32_t error = 92; error <= 300; error += 13) {
				struct row row = {.messages = {C(215), SRV(challenge), C(message),
							       SRV(error)}};
				struct judgement j;

				judge_row(&j, &row);
				CHECK(j.outcome != OK || j.confidence > HIGH);
				row.end = BY_SERVER;
				judge_row(&j, &row);
				CHECK_INT(j.outcome, REFUSED);
				CHECK_INT(j.confidence, MEDIUM);
			}
		}
	}
}

/* A refused SQL login: LOGIN7 and an error, and the server or the client closes. */
UNIT_CASE(a_refused_sql_login_is_never_a_success)
{
	for (uint32_t letters = 0; letters <= 2047; letters++) {
		for (int how = OPEN; how <= BY_SERVER_LATE; how++) {
			struct row row = {.messages = {C(200), SRV(88 + 2 * letters)},
					  .end = (enum end)how};
			struct judgement j;

			if (how == IDLE)
				continue; /* after an error the server closes */
			judge_row(&j, &row);
			CHECK(j.outcome != OK);
			CHECK(how != BY_SERVER || j.outcome == REFUSED);
		}
	}
}

/* And after a challenge, or a Kerberos token: with a text of any length, whoever closes. */
UNIT_CASE(a_refused_windows_login_is_never_a_success)
{
	for (uint32_t letters = 0; letters <= 2047; letters++) {
		for (int how = OPEN; how <= BY_SERVER_LATE; how++) {
			uint32_t error = 88 + 2 * letters;
			struct row ntlm = {.messages = {C(215), SRV(390), C(500), SRV(error)},
					   .end = (enum end)how};
			struct row kerberos = {.messages = {C(3000), SRV(196), SRV(error)},
					       .end = (enum end)how};
			struct judgement j;

			if (how == IDLE)
				continue;
			judge_row(&j, &ntlm);
			CHECK(j.outcome != OK);
			judge_row(&j, &kerberos);
			CHECK(j.outcome != OK);
		}
	}
}

/* A successful login: LOGIN7, 340 to 600, a command of 40 or more and its response. */
UNIT_CASE(a_login_that_goes_well_is_never_refused)
{
	for (uint32_t answer = 340; answer <= 600; answer += 5) {
		for (uint32_t command = 40; command <= 4000; command += 99) {
			for (uint32_t result = 21; result <= 4000; result += 97) {
				for (int how = OPEN; how <= BY_SERVER; how++) {
					struct row row = {.messages = {C(200), SRV(answer),
								       C(command), SRV(result)},
							  .end = (enum end)how};
					struct judgement j;

					judge_row(&j, &row);
					CHECK(j.outcome != REFUSED);
				}
			}
		}
	}
}

/* Messages with two readings: a login answer and a command, or a challenge and a refusal. */
UNIT_CASE(what_has_two_readings)
{
	static const struct row rows[] = {
		{"a challenge of 380, refused?",
		 {C(215), SRV(380), C(400), SRV(120)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"the same, and the server closed",
		 {C(215), SRV(380), C(400), SRV(120)},
		 BY_SERVER,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"LOGIN7's last record is of 16 bytes",
		 {C(512), C(512), C(16), SRV(120)},
		 OPEN,
		 1,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"LOGIN7 of two records, 4060",
		 {C(1800), C(200), SRV(400)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 2},
		{"a record of one byte first",
		 {C(3000), SRV(1), SRV(420)},
		 BY_SERVER,
		 0,
		 0,
		 REFUSED,
		 MEDIUM,
		 NO_METHOD,
		 2},
		{"LOGIN7 with a record of one byte first",
		 {C(1), C(3000), SRV(600), C(90)},
		 OPEN,
		 0,
		 0,
		 OK,
		 MEDIUM,
		 NO_METHOD,
		 1},
		{"FEDAUTHINFO, and the server closed",
		 {C(300), SRV(240)},
		 BY_SERVER,
		 0,
		 1,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
		{"refused, then an attention",
		 {C(200), SRV(120), C(12)},
		 OPEN,
		 0,
		 0,
		 NOTHING,
		 LOW,
		 NO_METHOD,
		 0},
	};

	CHECK_ROWS(rows);
}

/* A server that accepted others with 385 and 389 bytes, and refused with 118, closing at once. */
static void know(struct answers *a, struct endpoint *server)
{
	*server = (struct endpoint){.port = 1433};
	for (int i = 0; i < 3; i++)
		answers_note(a, server, ANSWER_REFUSED, (struct answer_size){118, 118}, 400000);
	answers_note(a, server, ANSWER_ACCEPTED, (struct answer_size){385, 385}, NO_NS);
	answers_note(a, server, ANSWER_ACCEPTED, (struct answer_size){389, 389}, NO_NS);
}

UNIT_CASE(by_the_server_s_other_answers)
{
	static const struct {
		uint32_t first, client, second; /* client 0: one answer only */
		uint64_t left_ns;
		enum outcome outcome;
	} rows[] = {
		{385, 0, 0, 400000, OK},
		{389, 0, 0, 400000, OK},
		{387, 0, 0, 400000, NOTHING},
		{570, 0, 0, 400000, NOTHING}, /* Azure's 40613 */
		{570, 0, 0, 300000000, OK},   /* the server would have closed */
		{126, 0, 0, 400000, REFUSED},
		{126, 0, 0, 300000000, NOTHING},
		{250, 0, 0, 400000, NOTHING},
		{385, 500, 600, 400000, NOTHING}, /* challenges may be as large */
		{385, 300, 600, 400000, OK},
		{260, 500, 385, 400000, OK},
		{260, 500, 570, 400000, NOTHING},
		/* another login's size, or a response to a request */
		{260, 500, 118, 400000, NOTHING},
	};
	struct answers *a = calloc(1, sizeof(*a));
	struct endpoint server;

	know(a, &server);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct infer_context c = {
			.left = SIDE_CLIENT,
			.left_ns = rows[i].left_ns,
			.known = answers_of(a, &server),
		};
		struct units u = {.count = 0};
		struct judgement j;

		units_add(&u, SIDE_CLIENT, 200, 200, 1);
		units_add(&u, SIDE_SERVER, rows[i].first, rows[i].first, 2);
		if (rows[i].client) {
			units_add(&u, SIDE_CLIENT, rows[i].client, rows[i].client, 3);
			units_add(&u, SIDE_SERVER, rows[i].second, rows[i].second, 4);
		}
		infer_judge(&j, &u, &c);
		CHECK_INT(j.outcome, rows[i].outcome);
		CHECK_INT(j.confidence, rows[i].outcome == NOTHING ? LOW : MEDIUM);
	}
	free(a);
}

/* That a server closes after refusals is at most likely, until it was seen to. */
UNIT_CASE(what_stays_open)
{
	static const struct {
		uint32_t answer;
		enum outcome outcome;
		enum confidence unknown, known;
	} rows[] = {
		{385, OK, LOW, MEDIUM},
		{570, OK, LOW, MEDIUM},
		{250, NOTHING, LOW, LOW},
		{118, NOTHING, LOW, LOW},
	};
	struct answers *a = calloc(1, sizeof(*a));
	struct endpoint server;

	know(a, &server);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct infer_context c = {.left = SIDE_NONE, .idle = true};
		struct units u = {.count = 0};
		struct judgement j;

		units_add(&u, SIDE_CLIENT, 200, 200, 1);
		units_add(&u, SIDE_SERVER, rows[i].answer, rows[i].answer, 2);
		infer_judge(&j, &u, &c);
		CHECK_INT(j.outcome, rows[i].outcome);
		CHECK_INT(j.confidence, rows[i].unknown);
		c.known = answers_of(a, &server);
		infer_judge(&j, &u, &c);
		CHECK_INT(j.outcome, rows[i].outcome);
		CHECK_INT(j.confidence, rows[i].known);
	}
	free(a);
}

UNIT_CASE(messages_of_several_records)
{
	struct units u = {.count = 0};

	units_add(&u, SIDE_CLIENT, 4096, 4096, 10);
	units_add(&u, SIDE_CLIENT, 4096, 4096, 11);
	units_add(&u, SIDE_CLIENT, 100, 110, 12);
	CHECK_INT(u.count, 1);
	CHECK_INT(u.at[0].least, 8292);
	CHECK_INT(u.at[0].most, 8302);
	CHECK_INT(u.at[0].first_ns, 10);
	CHECK_INT(u.at[0].last_ns, 12);
	/* A short record ended the message: the next one begins another. */
	units_add(&u, SIDE_CLIENT, 50, 50, 13);
	CHECK_INT(u.count, 2);
	/* The other side's turn ends it, too. */
	units_add(&u, SIDE_CLIENT, 4096, 4096, 14);
	units_add(&u, SIDE_SERVER, 10, 10, 15);
	units_add(&u, SIDE_CLIENT, 20, 20, 16);
	CHECK_INT(u.count, 5);
	CHECK_INT(u.at[4].least, 20);
}

UNIT_CASE(no_more_messages_than_there_is_room_for)
{
	struct units u = {.count = 0};

	for (int i = 0; i < UNITS_MAX; i++)
		units_add(&u, i & 1 ? SIDE_SERVER : SIDE_CLIENT, 10, 10, 1);
	CHECK(!u.more);
	units_add(&u, SIDE_CLIENT, 10, 10, 1);
	CHECK(u.more);
	CHECK_INT(u.count, UNITS_MAX);
	CHECK_INT(u.at[UNITS_MAX - 1].least, 10);
	/* Records from the same side as the last one belong to its message. */
	units_add(&u, SIDE_SERVER, 20, 25, 2);
	CHECK_INT(u.count, UNITS_MAX);
	CHECK_INT(u.at[UNITS_MAX - 1].least, 30);
	CHECK_INT(u.at[UNITS_MAX - 1].most, 35);
	CHECK_INT(u.at[UNITS_MAX - 1].last_ns, 2);
}

int main(void)
{
	RUN(too_little_to_say);
	RUN(one_answer);
	RUN(a_command_after_the_answer);
	RUN(a_round_of_sspi);
	RUN(kerberos);
	RUN(federated);
	RUN(mars);
	RUN(more_turns_than_a_login_has);
	RUN(a_refused_ntlm_login_is_never_surely_a_success);
	RUN(a_refused_sql_login_is_never_a_success);
	RUN(a_refused_windows_login_is_never_a_success);
	RUN(a_login_that_goes_well_is_never_refused);
	RUN(what_has_two_readings);
	RUN(by_the_server_s_other_answers);
	RUN(what_stays_open);
	RUN(messages_of_several_records);
	RUN(no_more_messages_than_there_is_room_for);
	return unit_status();
}
