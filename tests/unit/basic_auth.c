// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * basic_auth.c - what is remembered of names and passwords, and what a change of the configuration
 * forgets.
 */
#include <crypt.h>
#include <stdlib.h>

#include "http/basic_auth.h"
#include "unit.h"

/* bcrypt of "secret", with the fewest rounds and two salts. */
static char hash[64], other_hash[64];

static struct web_config_user users[] = {{"ann", hash}, {"bob", hash}};
static const struct web_config config = {.users = users, .user_count = 2};

UNIT_CASE(a_check_is_remembered)
{
	struct basic_auth *auth = basic_auth_new(&config, NULL);

	CHECK_INT(basic_auth_look(auth, "ann", "secret"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_check(auth, "ann", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_look(auth, "ann", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_look(auth, "ann", "wrong"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_check(auth, "ann", "wrong"), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_look(auth, "ann", "wrong"), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_check(auth, "ann", "wrong"), BASIC_AUTH_NO);
	/* Another name, and one that differs only in where it ends. */
	CHECK_INT(basic_auth_look(auth, "bob", "secret"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_look(auth, "an", "nsecret"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_check(auth, "eve", "secret"), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_look(auth, "eve", "secret"), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_look(auth, NULL, NULL), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_look(auth, "ann", NULL), BASIC_AUTH_NO);
	basic_auth_free(auth);
}

/* However many were wrong since. */
UNIT_CASE(what_was_right_stays_so)
{
	struct basic_auth *auth = basic_auth_new(&config, NULL);
	char wrong[16];

	CHECK_INT(basic_auth_check(auth, "ann", "secret"), BASIC_AUTH_YES);
	for (int i = 0; i < 200; i++) {
		snprintf(wrong, sizeof(wrong), "wrong%d", i);
		CHECK_INT(basic_auth_check(auth, "ann", wrong), BASIC_AUTH_NO);
	}
	CHECK_INT(basic_auth_look(auth, "ann", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_look(auth, "ann", "wrong199"), BASIC_AUTH_NO);
	CHECK_INT(basic_auth_look(auth, "ann", "wrong0"), BASIC_AUTH_UNKNOWN);
	basic_auth_free(auth);
}

UNIT_CASE(another_configuration)
{
	struct web_config_user fewer[] = {{"ann", hash}},
			       changed[] = {{"ann", other_hash}, {"bob", hash}};
	const struct web_config without_bob = {.users = fewer, .user_count = 1};
	const struct web_config new_hash = {.users = changed, .user_count = 2};
	struct basic_auth *auth = basic_auth_new(&config, NULL), *after;

	CHECK_INT(basic_auth_check(auth, "ann", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_check(auth, "bob", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_check(auth, "bob", "later"), BASIC_AUTH_NO);
	after = basic_auth_new(&without_bob, auth);
	CHECK_INT(basic_auth_look(after, "ann", "secret"), BASIC_AUTH_YES);
	CHECK_INT(basic_auth_look(after, "bob", "secret"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_check(after, "bob", "secret"), BASIC_AUTH_NO);
	basic_auth_free(after);
	after = basic_auth_new(&new_hash, auth);
	CHECK_INT(basic_auth_look(after, "ann", "secret"), BASIC_AUTH_UNKNOWN);
	CHECK_INT(basic_auth_look(after, "bob", "secret"), BASIC_AUTH_YES);
	/* A password that was wrong may be right by now. */
	CHECK_INT(basic_auth_look(after, "bob", "later"), BASIC_AUTH_UNKNOWN);
	basic_auth_free(after);
	basic_auth_free(auth);
}

/* A client that gave up waiting and comes again keeps its place. */
UNIT_CASE(a_place_is_kept)
{
	const uint64_t s = 1000000000;
	struct basic_auth *auth = basic_auth_new(&config, NULL);
	char wrong[16];

	CHECK_INT(basic_auth_waits_since(auth, "ann", "secret", 10 * s), 10 * s);
	for (int i = 0; i < 200; i++) {
		snprintf(wrong, sizeof(wrong), "wrong%d", i);
		CHECK_INT(basic_auth_waits_since(auth, "ann", wrong, 11 * s), 11 * s);
	}
	CHECK_INT(basic_auth_waits_since(auth, "ann", "secret", 70 * s), 10 * s);
	CHECK_INT(basic_auth_waits_since(auth, "bob", "secret", 70 * s), 70 * s);
	CHECK_INT(basic_auth_waits_since(auth, "ann", "secret", 300 * s), 300 * s);
	basic_auth_free(auth);
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
