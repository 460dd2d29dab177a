/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * infer.c - see infer.h. The sizes are those of SQL Server's own messages; where they come from:
 * a login answer is 329 bytes and 4 for each letter of the database's and the server's name
 * (computed from its tokens, and so on the wire from SQL Server 2000 to 2022); error 18456 is 88
 * bytes and 2 for each letter of user and server; a LOGIN7 that carries a Kerberos ticket or a
 * federated token is the larger by it. Whoever is right about sizes can still be wrong about a
 * server that words its answers otherwise, so size alone is never more than medium.
 */
#include "infer.h"

#define ANSWER_LEAST	      340 /* a login answer is no smaller */
#define ANSWER_SURE	      500 /* no error, challenge or redirect is larger in practice */
#define ERROR_LEAST	      79
#define ERROR_SURE	      190 /* no login answer is as small */
#define ERROR_MOST	      300 /* 18456 alone */
#define CHALLENGE_LEAST	      79  /* NTLM CHALLENGE in an SSPI token */
#define CHALLENGE_MOST	      420
#define AUTHENTICATE_LEAST    150
#define COMMAND_SURE	      64 /* no message of an authentication is smaller */
#define AUTHENTICATE_MOST     1000
#define KERBEROS_LOGIN7_LEAST 1500
#define KERBEROS_TOKEN_MOST   320
#define TOKEN_LEAST	      2500 /* a federated token */
#define SQL_LOGIN7_MOST	      500  /* too small for a ticket or a token */
#define PACKET_FULL	      4096 /* before login no packet is larger: MS-TDS 2.2.3.1.3 */
#define SMP_CONTROL	      16   /* MC-SMP 2.2.1 */
#define TDS_BARE	      8	   /* an ATTENTION */

/* Consecutive units of one side. */
struct group {
	uint32_t least, most;
	uint32_t first, last; /* indices of units */
};

#define GROUPS_MAX 6

struct groups {
	struct group at[GROUPS_MAX];
	uint32_t count;
};

void units_add(struct units *u, enum side from, uint32_t least, uint32_t most, uint64_t ts_ns)
{
	struct unit *last = u->count ? &u->at[u->count - 1] : NULL;
	/* TLS 1.0 may cut off a first record of one byte. */
	bool more =
		last && last->from == from && (last->open || (u->count == 1 && last->least <= 1));

	if (!more && u->count == UNITS_MAX) {
		u->more = true;
		if (last->from != from)
			return;
		more = true;
	}
	if (more) {
		last->least += least;
		last->most += most;
		last->last_ns = ts_ns;
	} else {
		last = &u->at[u->count++];
		*last = (struct unit){ts_ns, ts_ns, least, most, (uint8_t)from, false};
	}
	last->open = most >= PACKET_FULL;
}

static void group(struct groups *g, const struct units *u)
{
	g->count = 0;
	for (uint32_t i = 0; i < u->count; i++) {
		struct group *last = g->count ? &g->at[g->count - 1] : NULL;

		if (!last || u->at[last->last].from != u->at[i].from) {
			if (g->count == GROUPS_MAX)
				return;
			last = &g->at[g->count++];
			*last = (struct group){.first = i};
		}
		last->last = i;
		last->least += u->at[i].least;
		last->most += u->at[i].most;
	}
}

static bool within(const struct group *g, uint32_t least, uint32_t most)
{
	return g->most >= least && g->least <= most;
}

static void say(struct judgement *j, enum outcome outcome, enum confidence confidence,
		const char *grounds)
{
	j->outcome = outcome;
	j->confidence = confidence;
	j->grounds = grounds;
}

static void say_method(struct judgement *j, enum auth_method method, const char *grounds)
{
	j->method = method;
	j->method_confidence = CONFIDENCE_MEDIUM;
	j->method_grounds = grounds;
}

/* The first answer was the last: what LOGIN7's size leaves open. */
static void method_of_login7(struct judgement *j, const struct groups *g,
			     const struct infer_context *c)
{
	const struct group *a = &g->at[0]; /* all its records */

	if (c->fedauth && a->least >= TOKEN_LEAST)
		say_method(j, AUTH_FEDAUTH,
			   "both PRELOGINs ask for federated authentication and LOGIN7 is large "
			   "enough to carry the token");
	else if (!c->fedauth && a->most <= SQL_LOGIN7_MOST)
		say_method(j, AUTH_SQL,
			   "LOGIN7 is too small for a ticket or token and was answered at once");
}

/* SMP begins after the login and not before: MC-SMP, MS-TDS 3.2.5 */
static bool judge_mars(struct judgement *j, const struct units *u, const struct infer_context *c)
{
	for (uint32_t i = 2; c->mars && i < u->count; i++) {
		const struct unit *unit = &u->at[i];

		if (unit->from != SIDE_CLIENT || u->at[i - 1].from != SIDE_SERVER ||
		    unit->least != SMP_CONTROL || unit->most != SMP_CONTROL)
			continue;
		j->first_answer = 1;
		j->final_answer = i - 1;
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "MARS was agreed and an SMP session opened, which only follows a login");
		return true;
	}
	return false;
}

/* Server's two messages in a row after a large LOGIN7: the Kerberos token, then the answer. */
static bool judge_kerberos(struct judgement *j, const struct units *u, const struct groups *g)
{
	uint32_t token = g->at[1].first;

	/* A token is not as short as the first record of a 1/n-1 split. */
	if (g->at[1].last == token || g->at[0].least < KERBEROS_LOGIN7_LEAST ||
	    u->at[token].least < CHALLENGE_LEAST || u->at[token].most > KERBEROS_TOKEN_MOST ||
	    u->at[token + 1].least < ANSWER_LEAST)
		return false;
	j->first_answer = token;
	j->final_answer = token + 1;
	say(j, OUTCOME_OK, CONFIDENCE_HIGH,
	    "a large LOGIN7 was answered by a short message and, unasked, a login answer");
	say_method(j, AUTH_KERBEROS,
		   "a large LOGIN7 was answered by a short token and, unasked, a login answer");
	return true;
}

/* One answer, and the connection is over or silent. */
static void judge_one_answer(struct judgement *j, const struct groups *g,
			     const struct infer_context *c)
{
	const struct group *s1 = &g->at[1];

	j->first_answer = j->final_answer = s1->last;
	if (c->closed_by == SIDE_NONE) {
		if (c->idle && s1->least >= ANSWER_LEAST) {
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
			    "the answer has a login answer's size and the connection stays open");
			method_of_login7(j, g, c);
		}
		return;
	}
	if (s1->least >= ANSWER_SURE) {
		say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
		    "the answer is larger than a refusal is, though nothing was asked after it");
		method_of_login7(j, g, c);
		return;
	}
	if (!within(s1, ERROR_LEAST, ERROR_MOST) || s1->most >= ANSWER_LEAST)
		return;
	/* Or FEDAUTHINFO, and the server did not wait for the token. */
	if (c->closed_by == SIDE_SERVER && c->fedauth)
		return;
	/* A look-alike's login answer may be this small: then who closed tells. */
	if (c->closed_by == SIDE_SERVER)
		say(j, OUTCOME_REFUSED,
		    s1->most <= ERROR_SURE ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM,
		    "the answer has an error's size and the server closed after it");
	else if (s1->most <= ERROR_SURE)
		say(j, OUTCOME_REFUSED, CONFIDENCE_MEDIUM,
		    "the answer is too small for a login answer and the client left at once");
}

/* How far the login may go where its answers don't tell: a short message is no part of it. */
static uint32_t leg_end(const struct group *c1, const struct group *s2)
{
	return c1->most < AUTHENTICATE_LEAST ? 0 : s2->last;
}

/* The client spoke after the first answer: a command, or a leg of the authentication? */
static void judge_two_turns(struct judgement *j, const struct groups *g,
			    const struct infer_context *c)
{
	const struct group *s1 = &g->at[1], *c1 = &g->at[2];
	const struct group *s2 = g->count > 3 ? &g->at[3] : NULL;

	j->first_answer = j->final_answer = s1->last;
	if (s1->least >= ANSWER_SURE ||
	    (s1->least >= ANSWER_LEAST && c1->most <= SMP_CONTROL && c1->least >= TDS_BARE)) {
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "after an answer of a login answer's size the client went on with a command");
		method_of_login7(j, g, c);
		return;
	}
	/* Either of the two answers was the login's: no refusal is as large as the second. */
	if (s2 && s2->least >= ANSWER_SURE && s1->least >= ANSWER_LEAST) {
		j->last = leg_end(c1, s2);
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "two answers of a login answer's size, with a message of the client between");
		return;
	}
	if (!s2) {
		if (c->closed_by != SIDE_NONE && s1->least > CHALLENGE_MOST) {
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
			    "the answer has a login answer's size and the client went on");
			method_of_login7(j, g, c);
		} else if ((c->closed_by == SIDE_CLIENT || c->idle) && s1->least >= ERROR_LEAST &&
			   c1->least >= TDS_BARE && c1->most < AUTHENTICATE_LEAST) {
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
			    "after the answer the client sent what is too small for an "
			    "authentication message");
			method_of_login7(j, g, c);
		}
		return;
	}
	if (c1->least >= TOKEN_LEAST && s1->most < ANSWER_LEAST && s2->least >= ANSWER_LEAST) {
		j->final_answer = s2->last;
		say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
		    "the first answer was short, the client sent a long token, and the next answer "
		    "has a login answer's size");
		say_method(j, AUTH_FEDAUTH,
			   "after a short answer the client sent as much as a federated token is");
		return;
	}
	/* What the client sent is too small for an SSPI message: it was a command. */
	if (c1->most < AUTHENTICATE_LEAST && !(c->closed_by == SIDE_SERVER && g->count == 4)) {
		bool sure = c1->most < COMMAND_SURE || s2->least >= ANSWER_SURE;

		say(j, OUTCOME_OK, sure ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM,
		    "after the answer the client sent what is too small for an authentication "
		    "message, and was answered");
		method_of_login7(j, g, c);
		return;
	}
	/* A long challenge, its answer and a refusal have the sizes of login, command and result.
	 */
	if (within(s1, CHALLENGE_LEAST, CHALLENGE_MOST) &&
	    within(c1, AUTHENTICATE_LEAST, AUTHENTICATE_MOST) && s1->most >= ANSWER_LEAST &&
	    within(s2, ERROR_LEAST, ERROR_MOST)) {
		j->last = s2->last;
		if (c->closed_by != SIDE_SERVER && g->count > 4)
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
			    "an answer of a login answer's size was followed by more of a "
			    "conversation");
		return;
	}
	if (s1->least >= ANSWER_LEAST && s2->most < ANSWER_LEAST) {
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "after an answer of a login answer's size the client asked and was answered");
		method_of_login7(j, g, c);
		return;
	}
	/* An SSPI exchange, or a look-alike's short login answer and a first command: the method
	 * stays open. */
	if (s1->most < ANSWER_LEAST && s2->least >= ANSWER_LEAST &&
	    within(s1, CHALLENGE_LEAST, CHALLENGE_MOST) &&
	    within(c1, AUTHENTICATE_LEAST, AUTHENTICATE_MOST)) {
		j->final_answer = s2->last;
		say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
		    "a first answer too small for a login answer, a client's message and an answer "
		    "of a login answer's size");
		return;
	}
	if (s1->most < ANSWER_LEAST && within(s2, ERROR_LEAST, ERROR_MOST) &&
	    c->closed_by == SIDE_SERVER && within(c1, AUTHENTICATE_LEAST, AUTHENTICATE_MOST)) {
		j->final_answer = s2->last;
		say(j, OUTCOME_REFUSED, CONFIDENCE_MEDIUM,
		    "a challenge's size, an SSPI message's, an error's, and the server closed");
		return;
	}
	/* Both could be login answers: that one of them was is all that can be said. */
	j->last = leg_end(c1, s2);
	if (s1->least >= ANSWER_LEAST || s2->least >= ANSWER_LEAST)
		say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
		    "an answer of a login answer's size was followed by more of a conversation");
}

void infer_judge(struct judgement *j, const struct units *u, const struct infer_context *c)
{
	struct groups g;

	*j = (struct judgement){.outcome = OUTCOME_INCOMPLETE, .confidence = CONFIDENCE_LOW};
	group(&g, u);
	if (g.count < 2 || u->at[0].from != SIDE_CLIENT)
		return;
	if (judge_mars(j, u, c) || judge_kerberos(j, u, &g))
		return;
	if (g.count == 2) {
		judge_one_answer(j, &g, c);
		return;
	}
	judge_two_turns(j, &g, c);
	if (j->outcome != OUTCOME_INCOMPLETE || g.count < GROUPS_MAX)
		return;
	/* Few logins go on for so long: whatever the sizes, it had likely succeeded by then. */
	say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
	    "client and server took more turns than a login usually has");
	j->first_answer = j->final_answer = g.at[1].last;
	j->last = leg_end(&g.at[2], &g.at[3]);
}
