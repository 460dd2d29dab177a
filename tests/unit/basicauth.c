// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * basicauth.c - what is remembered of names and passwords, and what another configuration forgets.
 */
#include <crypt.h>
#include <stdlib.h>

#include "http/basic_auth.h"
#include "unit.h"

/* bcrypt of "secret", with the least of rounds and two salts. */
static char hash[64], other_hash[64];

static struct web_config_user users[] = {{"ann", hash}, {"bob", hash}};
static const struct web_config config = {.users = users, .user_count = 2};

UNIT_CASE(a_check_is_remembered)
{
	struct basicauth *auth = basicauth_new(&config, NULL);

	CHECK_INT(basicauth_look(auth, "ann", "secret"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_check(auth, "ann", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_look(auth, "ann", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_look(auth, "ann", "wrong"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_check(auth, "ann", "wrong"), BASICAUTH_NO);
	CHECK_INT(basicauth_look(auth, "ann", "wrong"), BASICAUTH_NO);
	CHECK_INT(basicauth_check(auth, "ann", "wrong"), BASICAUTH_NO);
	/* Another name, and one that differs by where it ends. */
	CHECK_INT(basicauth_look(auth, "bob", "secret"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_look(auth, "an", "nsecret"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_check(auth, "eve", "secret"), BASICAUTH_NO);
	CHECK_INT(basicauth_look(auth, "eve", "secret"), BASICAUTH_NO);
	CHECK_INT(basicauth_look(auth, NULL, NULL), BASICAUTH_NO);
	CHECK_INT(basicauth_look(auth, "ann", NULL), BASICAUTH_NO);
	basicauth_free(auth);
}

/* However many were wrong since. */
UNIT_CASE(what_was_right_stays_so)
{
	struct basicauth *auth = basicauth_new(&config, NULL);
	char wrong[16];

	CHECK_INT(basicauth_check(auth, "ann", "secret"), BASICAUTH_YES);
	for (int i = 0; i < 200; i++) {
		snprintf(wrong, sizeof(wrong), "wrong%d", i);
		CHECK_INT(basicauth_check(auth, "ann", wrong), BASICAUTH_NO);
	}
	CHECK_INT(basicauth_look(auth, "ann", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_look(auth, "ann", "wrong199"), BASICAUTH_NO);
	CHECK_INT(basicauth_look(auth, "ann", "wrong0"), BASICAUTH_UNKNOWN);
	basicauth_free(auth);
}

UNIT_CASE(another_configuration)
{
	struct web_config_user fewer[] = {{"ann", hash}},
			       changed[] = {{"ann", other_hash}, {"bob", hash}};
	const struct web_config without_bob = {.users = fewer, .user_count = 1};
	const struct web_config new_hash = {.users = changed, .user_count = 2};
	struct basicauth *auth = basicauth_new(&config, NULL), *after;

	CHECK_INT(basicauth_check(auth, "ann", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_check(auth, "bob", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_check(auth, "bob", "later"), BASICAUTH_NO);
	after = basicauth_new(&without_bob, auth);
	CHECK_INT(basicauth_look(after, "ann", "secret"), BASICAUTH_YES);
	CHECK_INT(basicauth_look(after, "bob", "secret"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_check(after, "bob", "secret"), BASICAUTH_NO);
	basicauth_free(after);
	after = basicauth_new(&new_hash, auth);
	CHECK_INT(basicauth_look(after, "ann", "secret"), BASICAUTH_UNKNOWN);
	CHECK_INT(basicauth_look(after, "bob", "secret"), BASICAUTH_YES);
	/* What was wrong may be right by now. */
	CHECK_INT(basicauth_look(after, "bob", "later"), BASICAUTH_UNKNOWN);
	basicauth_free(after);
	basicauth_free(auth);
}

/* Who gave up waiting, and comes again, has its place. */
UNIT_CASE(a_place_is_kept)
{
	const uint64_t s = 1000000000;
	struct basicauth *auth = basicauth_new(&config, NULL);
	char wrong[16];

	CHECK_INT(basicauth_waits_since(auth, "ann", "secret", 10 * s), 10 * s);
	for (int i = 0; i < 200; i++) {
		snprintf(wrong, sizeof(wrong), "wrong%d", i);
		CHECK_INT(basicauth_waits_since(auth, "ann", wrong, 11 * s), 11 * s);
	}
	CHECK_INT(basicauth_waits_since(auth, "ann", "secret", 70 * s), 10 * s);
	CHECK_INT(basicauth_waits_since(auth, "bob", "secret", 70 * s), 70 * s);
	CHECK_INT(basicauth_waits_since(auth, "ann", "secret", 300 * s), 300 * s);
	basicauth_free(auth);
}

int main(void)
{
	snprintf(hash, sizeof(hash), "%s", crypt("secret", "$2b$04$abcdefghijklmnopqrstuu"));
	snprintf(other_hash, sizeof(other_hash), "%s",
		 crypt("secret", "$2b$04$bbcdefghijklmnopqrstuu"));
	RUN(a_check_is_remembered);
	RUN(what_was_right_stays_so);
	RUN(another_configuration);
	RUN(a_place_is_kept);
	return unit_status();
}
