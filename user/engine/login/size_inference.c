/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * size_inference.c - see size_inference.h. An answer's size proves nothing by itself: a refusal may
 * have a text of any length. The messages after it prove more: only a client that was let in sends
 * requests and gets answers, and a server closes at once after a refusal (MS-TDS 3.3.5.5). Sizes
 * separate requests from the other messages of a login: SSPI or federated messages. The sizes are
 * those of SQL Server's and the drivers' own messages. A login answer is 329 bytes and 4 for each
 * letter of the database's and the server's name (computed from its tokens, and so on the wire from
 * SQL Server 2000 to 2022), but look-alikes send as little as 212. An NTLM challenge and the answer
 * to it grow with the domain's names (MS-NLMP 2.2.1).
 */
#include "engine/login/size_inference.h"
#include "lib/units.h"

#define ANSWER_LEAST	      340 /* no login answer of SQL Server is smaller */
#define ERROR_LEAST	      79
#define DONE_LEAST	      17  /* no answer at all is smaller: MS-TDS 2.2.7.6 */
#define CHALLENGE_LEAST	      79  /* NTLM CHALLENGE in an SSPI token */
#define CHALLENGE_MOST	      600 /* with five names of 60 letters */
#define AUTHENTICATE_LEAST    150
#define AUTHENTICATE_MOST     1300
#define COMMAND_SURE	      72 /* AUTHENTICATE begins with so many: MS-NLMP 2.2.1.3 */
#define KERBEROS_LOGIN7_LEAST 1500
#define KERBEROS_TOKEN_MOST   320
#define TOKEN_LEAST	      2500 /* a federated token */
#define FEDAUTHINFO_LEAST     150
#define FEDAUTHINFO_MOST      350
#define SQL_LOGIN7_MOST	      500      /* too small for a ticket or a token */
#define PACKET_FULL	      4096     /* before login no packet is larger: MS-TDS 2.2.3.1.3 */
#define SMP_CONTROL	      16       /* MC-SMP 2.2.1 */
#define TDS_BARE	      8	       /* an ATTENTION */
#define LARGE		      4500     /* a packet of 4096; larger than any refusal or challenge */
#define AT_ONCE_NS	      NS_PER_S /* a server that closes later had other reasons */

/* Consecutive units of one side. */
struct group {
	uint32_t least, most;
	uint32_t first, last; /* indices of units */
	bool large;
};

#define GROUPS_MAX 6

struct groups {
	struct group at[GROUPS_MAX];
	uint32_t count;
};

void units_add(struct units *u, enum side from, uint32_t least, uint32_t most, uint64_t ts_ns)
{
	struct unit *last = u->count ? &u->at[u->count - 1] : NULL;
	/* TLS 1.0 may split off a first record of one byte. */
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
		*last = (struct unit){ts_ns, ts_ns, least, most, (uint8_t)from, false, false};
	}
	last->large |= least > LARGE;
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
		last->large |= u->at[i].large;
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

/* The first answer was the last: conclude the method from LOGIN7's size. */
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
		if (i == 2)
			j->answer = (struct answer_size){u->at[1].least, u->at[1].most};
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "MARS was agreed and an SMP session opened, which only follows a login");
		return true;
	}
	return false;
}

/* ---- how it ended, and what the server's other answers say ---- */

/* The final answer is group g, or only its unit `unit`. */
static void answered_by(struct judgement *j, const struct group *g, uint32_t first)
{
	j->first_answer = first;
	j->final_answer = g->last;
	j->answer = (struct answer_size){g->least, g->most};
}

/*
 * A server closes after a refusal: if it keeps the connection open, it let the client in. The
 * confidence depends on whether it was seen to close after refusals.
 */
static enum confidence stays_open(const struct infer_context *c)
{
	return answers_closes(c->known) ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
}

/*
 * Nothing came after the final answer. The server closed at once, or the connection stays open, or
 * the client left; in that case the server's other answers may decide.
 */
static void judge_end(struct judgement *j, const struct infer_context *c)
{
	const char *grounds = NULL;

	if (c->left == SIDE_SERVER && c->left_ns <= AT_ONCE_NS && j->answer.least >= ERROR_LEAST) {
		say(j, OUTCOME_REFUSED, CONFIDENCE_MEDIUM,
		    "the server closed at once after its answer");
	} else if (c->left == SIDE_CLIENT) {
		switch (answers_compare(c->known, j->answer, c->left_ns, &grounds)) {
		case ANSWER_ACCEPTED:
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM, grounds);
			return;
		case ANSWER_REFUSED:
			say(j, OUTCOME_REFUSED, CONFIDENCE_MEDIUM, grounds);
			return;
		default:
			return;
		}
	} else if (c->left == SIDE_NONE && c->idle &&
		   !answers_has(c->known, ANSWER_REFUSED, j->answer)) {
		if (answers_has(c->known, ANSWER_ACCEPTED, j->answer))
			say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
			    "the answer has the size of this server's other login answers, and the "
			    "connection stays open");
		else if (j->answer.least >= ANSWER_LEAST)
			say(j, OUTCOME_OK, stays_open(c),
			    "the answer may be a login's, and the connection stays open");
	}
}

/* One answer, and the connection is over or silent. */
static void judge_one_answer(struct judgement *j, const struct groups *g,
			     const struct infer_context *c)
{
	const struct group *s1 = &g->at[1];

	answered_by(j, s1, s1->last);
	/* Or FEDAUTHINFO, and nobody sent the token. */
	if (c->fedauth && g->at[0].least < TOKEN_LEAST &&
	    within(s1, FEDAUTHINFO_LEAST, FEDAUTHINFO_MOST))
		return;
	judge_end(j, c);
	if (j->outcome == OUTCOME_OK)
		method_of_login7(j, g, c);
}

/* ---- what followed an answer ---- */

/* Is the client's message after its first answer a part of the login? */
enum leg {
	LEG_NO,
	LEG_UNLIKELY, /* only an NTLM message that is old or has no names */
	LEG_MAYBE,
};

static enum leg leg_of(const struct groups *g, const struct infer_context *c)
{
	const struct group *s1 = &g->at[1], *c1 = &g->at[2];

	/* The token was in LOGIN7: no second token and no SSPI follows. */
	if (c1->most < COMMAND_SURE || (c->fedauth && g->at[0].least >= TOKEN_LEAST))
		return LEG_NO;
	if (c1->least >= TOKEN_LEAST && s1->least <= FEDAUTHINFO_MOST)
		return LEG_MAYBE;
	if (s1->least > CHALLENGE_MOST || s1->most < CHALLENGE_LEAST ||
	    c1->least > AUTHENTICATE_MOST)
		return LEG_NO;
	/* NTLMv2 repeats the challenge's names: MS-NLMP 2.2.2.7 */
	if (c1->most < AUTHENTICATE_LEAST || c1->most < s1->least)
		return LEG_UNLIKELY;
	return LEG_MAYBE;
}

/*
 * A client's message that is not a part of any login: nobody sends a request after a refusal. A
 * possible ATTENTION counts once it is answered, for it can cross a refusal.
 */
static bool is_command(const struct groups *g, uint32_t i)
{
	const struct group *c;
	bool answered = i + 1 < g->count;

	if (i >= g->count)
		return false;
	c = &g->at[i];
	if (answered && g->at[i + 1].large)
		return true;
	return c->most < COMMAND_SURE &&
	       (c->least > SMP_CONTROL ||
		(answered && c->least >= TDS_BARE && g->at[i + 1].most >= DONE_LEAST));
}

/* Did this server let others in with an answer like the first? */
static bool first_is_known(const struct groups *g, const struct infer_context *c)
{
	struct answer_size first = {g->at[1].least, g->at[1].most};

	return answers_has(c->known, ANSWER_ACCEPTED, first) &&
	       !answers_has(c->known, ANSWER_REFUSED, first);
}

static void logged_in_first(struct judgement *j, const struct groups *g,
			    const struct infer_context *c, enum confidence confidence,
			    const char *grounds)
{
	answered_by(j, &g->at[1], g->at[1].last);
	say(j, OUTCOME_OK, confidence, grounds);
	method_of_login7(j, g, c);
}

/*
 * Either the first answer was the login's and a request was answered, or the first was a challenge
 * and the second is the login's. The steps follow the more likely case; neither size is remembered.
 */
static void logged_in_either(struct judgement *j, const struct groups *g,
			     enum confidence confidence, const char *grounds)
{
	const struct group *s1 = &g->at[1], *s2 = &g->at[3];

	j->first_answer = j->final_answer = s1->last;
	if (s1->most < ANSWER_LEAST && s2->least >= ANSWER_LEAST)
		j->final_answer = s2->last;
	else if (g->at[2].most >= AUTHENTICATE_LEAST)
		j->last = s2->last;
	say(j, OUTCOME_OK, confidence, grounds);
}

/* Nothing followed the second answer: was it a refusal after a challenge? */
static void judge_second_end(struct judgement *j, const struct groups *g,
			     const struct infer_context *c)
{
	const struct group *s1 = &g->at[1], *s2 = &g->at[3];
	/* A look-alike lets clients in with short answers: the first may have been the login's. */
	bool challenge = s1->most < ANSWER_LEAST && answers_least(c->known) >= ANSWER_LEAST;

	answered_by(j, s2, s1->last);
	j->last = s2->last;
	judge_end(j, c);
	/* Only its size is like a refusal's: it may as well be a request's answer. */
	if (j->outcome == OUTCOME_REFUSED && (!challenge || c->left != SIDE_SERVER))
		say(j, OUTCOME_INCOMPLETE, CONFIDENCE_LOW, NULL);
}

/*
 * The client's message may be an SSPI message, or a token, and was answered: so far nothing is
 * certain.
 */
static void judge_leg(struct judgement *j, const struct groups *g, const struct infer_context *c)
{
	const struct group *s1 = &g->at[1], *s2 = &g->at[3];
	bool login_answer = s1->least >= ANSWER_LEAST || s2->least >= ANSWER_LEAST;

	if (g->count > 4) {
		const struct group *c2 = &g->at[4];

		if (is_command(g, 4))
			logged_in_either(j, g, CONFIDENCE_HIGH,
					 "after its answers the client sent what is too small for "
					 "an authentication message, and was answered");
		else if (g->count > 5 || (c2->least > SMP_CONTROL &&
					  (login_answer || c2->most < AUTHENTICATE_LEAST)))
			logged_in_either(j, g, CONFIDENCE_MEDIUM,
					 "after two answers the client went on");
	} else if (c->left == SIDE_NONE && c->idle && login_answer) {
		logged_in_either(j, g, stays_open(c),
				 "one of the answers may be a login's, and the connection stays "
				 "open");
	} else if (s2->most < ERROR_LEAST && s2->most >= DONE_LEAST) {
		logged_in_first(j, g, c, CONFIDENCE_MEDIUM,
				"the second answer is too small for a login's: it answers a "
				"command");
	} else {
		judge_second_end(j, g, c);
	}
	if (g->at[2].least >= TOKEN_LEAST && j->outcome == OUTCOME_OK && s1->most < ANSWER_LEAST &&
	    !j->method_grounds)
		say_method(j, AUTH_FEDAUTH,
			   "after a short answer the client sent as much as a federated token is");
}

/* The client's message is not a part of a login, or hardly. */
static void judge_request(struct judgement *j, const struct groups *g,
			  const struct infer_context *c, enum leg leg)
{
	/*
	 * SQL Server's login answers are not smaller: so it may be NTLM without a name after all.
	 */
	bool likely = g->at[1].least >= ANSWER_LEAST || first_is_known(g, c);

	if (g->count == 3) {
		/* Nobody sends a request after a refusal; but an ATTENTION may cross it. */
		if (g->at[2].least > SMP_CONTROL &&
		    (leg == LEG_NO ||
		     (likely && g->at[2].most < AUTHENTICATE_LEAST && c->left != SIDE_SERVER)))
			logged_in_first(j, g, c, CONFIDENCE_MEDIUM,
					"after the answer the client sent what is no "
					"authentication message");
	} else if (g->at[3].most < DONE_LEAST) {
		return; /* the first byte of an answer */
	} else if (leg == LEG_NO || is_command(g, 4)) {
		logged_in_first(j, g, c, CONFIDENCE_HIGH,
				"after the answer the client sent what is no authentication "
				"message, and was answered");
	} else if (g->count > 4 || (likely && c->left != SIDE_SERVER)) {
		logged_in_first(j, g, c, CONFIDENCE_MEDIUM,
				"after the answer the client sent what is hardly an "
				"authentication message, and was answered");
	} else if (c->left == SIDE_SERVER) {
		judge_second_end(j, g, c);
	}
}

/* The client sent a message after the first answer: a command, or a leg of the authentication? */
static void judge_two_turns(struct judgement *j, const struct groups *g,
			    const struct infer_context *c)
{
	enum leg leg = leg_of(g, c);

	j->first_answer = j->final_answer = g->at[1].last;
	/* Neither a login's answer nor a refusal: SSPI that has only begun. */
	if (g->at[1].most < ERROR_LEAST) {
		if (g->count == GROUPS_MAX)
			logged_in_either(j, g, CONFIDENCE_MEDIUM,
					 "client and server took more turns than a login usually "
					 "has");
		return;
	}
	if (is_command(g, 2))
		logged_in_first(j, g, c, CONFIDENCE_HIGH,
				"after the answer the client sent what is too small for an "
				"authentication message, or got more than a login's answer is");
	else if (leg == LEG_MAYBE && g->count > 3)
		judge_leg(j, g, c);
	else if (leg != LEG_MAYBE)
		judge_request(j, g, c, leg);
}

/*
 * The server sent two messages in a row after a large LOGIN7: the Kerberos token, then the answer.
 * A request follows. False: it is not that pattern.
 */
static bool judge_kerberos(struct judgement *j, const struct units *u, const struct groups *g,
			   const struct infer_context *c)
{
	uint32_t token = g->at[1].first;
	const struct unit *answer = &u->at[token + 1];

	/* A token is longer than the first record of a 1/n-1 split. */
	if (g->at[1].last != token + 1 || g->at[0].least < KERBEROS_LOGIN7_LEAST ||
	    u->at[token].least < CHALLENGE_LEAST || u->at[token].most > KERBEROS_TOKEN_MOST ||
	    answer->least < ERROR_LEAST)
		return false;
	j->first_answer = token;
	j->final_answer = token + 1;
	j->answer = (struct answer_size){answer->least, answer->most};
	if (g->count > 3 && g->at[2].least >= TDS_BARE && g->at[3].most >= DONE_LEAST)
		say(j, OUTCOME_OK, CONFIDENCE_HIGH,
		    "a large LOGIN7 was answered by a short message and, unasked, another, and "
		    "then the client asked and was answered");
	else if (g->count == 3 && g->at[2].least > SMP_CONTROL)
		say(j, OUTCOME_OK, CONFIDENCE_MEDIUM,
		    "a large LOGIN7 was answered by a short message and, unasked, another, and "
		    "the client went on");
	else if (g->count == 2)
		judge_end(j, c);
	if (j->outcome == OUTCOME_OK)
		say_method(j, AUTH_KERBEROS,
			   "a large LOGIN7 was answered by a short token and, unasked, a login "
			   "answer");
	return true;
}

void infer_judge(struct judgement *j, const struct units *u, const struct infer_context *c)
{
	struct groups g;

	*j = (struct judgement){.outcome = OUTCOME_INCOMPLETE, .confidence = CONFIDENCE_LOW};
	group(&g, u);
	if (g.count < 2 || u->at[0].from != SIDE_CLIENT)
		return;
	if (judge_mars(j, u, c) || judge_kerberos(j, u, &g, c))
		return;
	if (g.count == 2)
		judge_one_answer(j, &g, c);
	else
		judge_two_turns(j, &g, c);
}
