// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * answers.c - what a server's other answers say about one, which clients guess passwords, and where
 * a client went after an answer.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/login/answers.h"
#include "unit.h"

#define S  1000000000ull
#define MS 1000000ull

static struct answers *fresh(void)
{
	return calloc(1, sizeof(struct answers));
}

static struct endpoint end(uint8_t host, uint16_t port)
{
	return (struct endpoint){.addr = {[10] = 0xff, [11] = 0xff, 10, 0, 0, host}, .port = port};
}

static void note(struct answers *a, enum answer_kind kind, uint32_t bytes, uint64_t closed_ns)
{
	struct endpoint server = end(1, 1433);

	answers_note(a, &server, kind, (struct answer_size){bytes, bytes}, closed_ns);
}

static enum answer_kind compare(const struct answers *a, uint32_t bytes, uint64_t open_ns)
{
	struct endpoint server = end(1, 1433);
	const char *grounds = NULL;
	enum answer_kind kind = answers_compare(
		answers_of(a, &server), (struct answer_size){bytes, bytes}, open_ns, &grounds);

	CHECK(!grounds == (kind == ANSWER_UNKNOWN));
	return kind;
}

UNIT_CASE(nothing_is_said_before_both_kinds_are_known)
{
	struct answers *a = fresh();

	CHECK_INT(compare(a, 385, 0), ANSWER_UNKNOWN);
	note(a, ANSWER_ACCEPTED, 385, NO_NS);
	CHECK_INT(compare(a, 385, 0), ANSWER_UNKNOWN);
	note(a, ANSWER_REFUSED, 118, 1 * MS);
	CHECK_INT(compare(a, 385, 0), ANSWER_ACCEPTED);
	CHECK_INT(compare(a, 118, 0), ANSWER_REFUSED);
	free(a);
}

UNIT_CASE(sizes_between_are_not_told)
{
	struct answers *a = fresh();

	note(a, ANSWER_ACCEPTED, 385, NO_NS);
	note(a, ANSWER_REFUSED, 118, 1 * MS);
	/* Another name, up to 20 letters longer. */
	CHECK_INT(compare(a, 158, 0), ANSWER_REFUSED);
	CHECK_INT(compare(a, 160, 0), ANSWER_UNKNOWN);
	CHECK_INT(compare(a, 570, 0), ANSWER_UNKNOWN);
	CHECK_INT(compare(a, 387, 0), ANSWER_UNKNOWN);
	/* A refusal as large as a login answer: neither can be inferred. */
	note(a, ANSWER_REFUSED, 380, 1 * MS);
	CHECK_INT(compare(a, 385, 0), ANSWER_UNKNOWN);
	free(a);
}

UNIT_CASE(padding_leaves_a_range)
{
	struct answers *a = fresh();
	struct endpoint server = end(1, 1433);
	const struct answers_server *s;
	const char *grounds;

	note(a, ANSWER_REFUSED, 118, 1 * MS);
	answers_note(a, &server, ANSWER_ACCEPTED, (struct answer_size){380, 395}, NO_NS);
	s = answers_of(a, &server);
	CHECK_INT(answers_compare(s, (struct answer_size){390, 405}, 0, &grounds), ANSWER_ACCEPTED);
	CHECK_INT(answers_compare(s, (struct answer_size){396, 411}, 0, &grounds), ANSWER_UNKNOWN);
	CHECK(answers_has(s, ANSWER_ACCEPTED, (struct answer_size){365, 380}));
	CHECK(!answers_has(s, ANSWER_REFUSED, (struct answer_size){365, 380}));
	CHECK_INT(answers_least(s), 380);
	CHECK_INT(answers_least(NULL), UINT32_MAX);
	free(a);
}

/* A connection left open for longer than after any refusal was not refused, whatever the size. */
UNIT_CASE(a_server_that_always_closes_after_refusals)
{
	struct answers *a = fresh();

	note(a, ANSWER_ACCEPTED, 219, NO_NS);
	note(a, ANSWER_REFUSED, 116, 1 * MS);
	note(a, ANSWER_REFUSED, 116, 2 * MS);
	CHECK_INT(compare(a, 410, 200 * MS), ANSWER_UNKNOWN);
	note(a, ANSWER_REFUSED, 118, 1 * MS);
	CHECK_INT(compare(a, 410, 200 * MS), ANSWER_ACCEPTED);
	CHECK_INT(compare(a, 410, 49 * MS), ANSWER_UNKNOWN);
	/* Then an answer that looks like a refusal cannot be classified. */
	CHECK_INT(compare(a, 120, 200 * MS), ANSWER_UNKNOWN);
	CHECK_INT(compare(a, 120, 1 * MS), ANSWER_REFUSED);
	/* It may take its time. */
	note(a, ANSWER_REFUSED, 118, 41 * MS);
	CHECK_INT(compare(a, 410, 200 * MS), ANSWER_UNKNOWN);
	CHECK_INT(compare(a, 410, 205 * MS), ANSWER_ACCEPTED);
	free(a);
}

UNIT_CASE(the_oldest_is_forgotten)
{
	struct answers *a = fresh();
	struct endpoint server = end(1, 1433);

	for (uint32_t i = 0; i < ANSWERS_SIZES; i++)
		note(a, ANSWER_ACCEPTED, 300 + i, NO_NS);
	CHECK(answers_has(answers_of(a, &server), ANSWER_ACCEPTED, (struct answer_size){300, 300}));
	note(a, ANSWER_ACCEPTED, 900, NO_NS);
	CHECK(!answers_has(answers_of(a, &server), ANSWER_ACCEPTED,
			   (struct answer_size){300, 300}));
	CHECK(answers_has(answers_of(a, &server), ANSWER_ACCEPTED, (struct answer_size){900, 900}));
	for (uint32_t port = 2000; port < 2000 + 16 * ANSWERS_SETS * ANSWERS_WAYS; port++) {
		struct endpoint other = end(2, (uint16_t)port);

		answers_note(a, &other, ANSWER_ACCEPTED, (struct answer_size){400, 400}, NO_NS);
		CHECK(answers_of(a, &other) != NULL);
	}
	CHECK(!answers_of(a, &server));
	free(a);
}

static uint32_t guesses(const struct answers *a, uint32_t login7, uint64_t start_ns)
{
	struct endpoint client = end(9, 40000), server = end(1, 1433);

	return answers_guesses(a, &client, &server, login7, start_ns);
}

static void refuse(struct answers *a, uint32_t count, uint64_t ts_ns)
{
	struct endpoint server = end(1, 1433);

	for (uint32_t i = 0; i < count; i++) {
		struct endpoint client = end(9, (uint16_t)(50000 + i));

		answers_refused(a, &client, &server, ts_ns + i * MS);
	}
}

UNIT_CASE(refusals_in_a_row)
{
	struct answers *a = fresh();
	struct endpoint client = end(9, 41000), server = end(1, 1433), other = end(8, 41000);

	CHECK_INT(guesses(a, 200, 1 * S), 0);
	refuse(a, 25, 1 * S);
	CHECK_INT(guesses(a, 200, 2 * S), 25);
	CHECK_INT(answers_guesses(a, &other, &server, 200, 2 * S), 0);
	CHECK_INT(guesses(a, 200, 62 * S), 0); /* long ago */
	/*
	 * Two logins that began before either was accepted belong to that series; a later one does
	 * not.
	 */
	answers_accepted(a, &client, &server, 200, 3 * S);
	CHECK_INT(guesses(a, 204, 2 * S), 25);
	CHECK_INT(guesses(a, 204, 4 * S), 0);
	/* A new series. */
	refuse(a, 2, 5 * S);
	CHECK_INT(guesses(a, 204, 6 * S), 2);
	refuse(a, 1, 70 * S);
	CHECK_INT(guesses(a, 204, 71 * S), 1);
	free(a);
}

/* A service with an old password does not turn other programs on its host into guessers. */
UNIT_CASE(who_was_let_in_before_does_not_guess)
{
	struct answers *a = fresh();
	struct endpoint client = end(9, 41000), server = end(1, 1433);

	answers_accepted(a, &client, &server, 310, 1 * S);
	refuse(a, 25, 2 * S);
	CHECK_INT(guesses(a, 310, 3 * S), 0);
	CHECK_INT(guesses(a, 312, 3 * S), 25);
	/* A login accepted only after the refusals is no alibi. */
	answers_accepted(a, &client, &server, 312, 3 * S);
	CHECK_INT(guesses(a, 312, 3 * S), 25);
	free(a);
}

static bool connects(struct answers *a, uint8_t host, uint8_t server, uint16_t port, uint64_t ts_ns)
{
	struct endpoint client = end(host, 60000), to = end(server, port), from = end(9, 50000),
			gateway = end(1, 1433);
	const struct answers_left *left;

	answers_connected(a, &client, &to, ts_ns);
	left = answers_left(a, &from, &gateway);
	return left && left->target_ns;
}

static void ended(struct answers *a, uint16_t port, uint64_t ts_ns, bool by_server)
{
	struct endpoint client = end(9, port), server = end(1, 1433);

	answers_end(a, &client, &server, ts_ns, by_server);
}

UNIT_CASE(where_a_redirected_client_goes)
{
	struct answers *a = fresh();
	struct endpoint client = end(9, 50000), server = end(1, 1433);

	CHECK(!answers_left(a, &client, &server));
	CHECK(!answers_open(NULL, 0));
	ended(a, 50000, 10 * S, false);
	CHECK(answers_open(answers_left(a, &client, &server), 11 * S));
	CHECK(!answers_open(answers_left(a, &client, &server), 15 * S));
	CHECK(!connects(a, 8, 2, 11003, 11 * S)); /* another client */
	CHECK(!connects(a, 9, 2, 10999, 11 * S));
	CHECK(!connects(a, 9, 2, 12000, 11 * S));
	CHECK(connects(a, 9, 2, 11003, 11 * S));
	CHECK(!answers_open(answers_left(a, &client, &server), 11 * S));
	CHECK_INT(answers_left(a, &client, &server)->target.port, 11003);
	CHECK_INT(answers_left(a, &client, &server)->target_ns - 10 * S, 1 * S);
	free(a);
}

UNIT_CASE(a_client_that_comes_back)
{
	struct answers *a = fresh();
	struct endpoint client = end(9, 50000), server = end(1, 1433);

	/* To the same server, which had closed: a retry. */
	ended(a, 50000, 10 * S, true);
	CHECK(!connects(a, 9, 1, 1433, 10 * S + 1));
	CHECK(!answers_open(answers_left(a, &client, &server), 10 * S + 2));
	CHECK(!connects(a, 9, 2, 11003, 11 * S));
	/* If the client had closed, for a while it may be another of its threads. */
	ended(a, 50000, 20 * S, false);
	CHECK(!connects(a, 9, 1, 1433, 20 * S + 1));
	CHECK(answers_open(answers_left(a, &client, &server), 20 * S + 2));
	CHECK(!answers_open(answers_left(a, &client, &server), 21 * S));
	CHECK(connects(a, 9, 2, 11003, 20 * S + 3));
	free(a);
}

UNIT_CASE(of_two_the_one_that_its_client_ended)
{
	struct answers *a = fresh();
	struct endpoint server = end(1, 1433), refused = end(9, 50001), first = end(9, 50000),
			second = end(9, 50002);

	ended(a, 50001, 10 * S, true);
	ended(a, 50000, 10 * S + 1, false);
	ended(a, 50002, 10 * S + 2, false);
	CHECK(connects(a, 9, 2, 11003, 11 * S));
	CHECK(answers_left(a, &first, &server)->target_ns);
	CHECK(!answers_left(a, &refused, &server)->target_ns);
	CHECK(!answers_left(a, &second, &server)->target_ns);
	connects(a, 9, 2, 11004, 11 * S);
	CHECK_INT(answers_left(a, &second, &server)->target.port, 11004);
	free(a);
}

int main(void)
{
	RUN(nothing_is_said_before_both_kinds_are_known);
	RUN(sizes_between_are_not_told);
	RUN(padding_leaves_a_range);
	RUN(a_server_that_always_closes_after_refusals);
	RUN(the_oldest_is_forgotten);
	RUN(refusals_in_a_row);
	RUN(who_was_let_in_before_does_not_guess);
	RUN(where_a_redirected_client_goes);
	RUN(a_client_that_comes_back);
	RUN(of_two_the_one_that_its_client_ended);
	return unit_status();
}
