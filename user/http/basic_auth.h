/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * basic_auth.h - are these a user's name and password? Against bcrypt hashes, which are slow by
 * intent: what was right or wrong before is remembered, and the caller decides when another
 * password is checked.
 */
#ifndef TDSMON_BASIC_AUTH_H
#define TDSMON_BASIC_AUTH_H

#include <stdint.h>

#include "http/web_config.h"

struct basic_auth;

enum basic_auth_answer {
	BASIC_AUTH_UNKNOWN, /* has to be checked */
	BASIC_AUTH_YES,
	BASIC_AUTH_NO,
	BASIC_AUTH_LATER, /* the caller's: it could not be checked in time */
};

/*
 * config must outlive it. before, or NULL: what was right with it is so at once, where name and
 * hash are still the same. NULL where memory is used up, or there are no random numbers.
 */
struct basic_auth *basic_auth_new(const struct web_config *config, const struct basic_auth *before);
void basic_auth_free(struct basic_auth *auth);

/* At once. name or password may be NULL: not given, which is NO. */
enum basic_auth_answer basic_auth_look(const struct basic_auth *auth, const char *name,
				       const char *password);

/*
 * Since when this has waited to be checked: now_ns, unless it came before and its client gave up
 * waiting. It has its place in the queue again then.
 */
uint64_t basic_auth_waits_since(struct basic_auth *auth, const char *name, const char *password,
				uint64_t now_ns);

/* YES or NO; this takes up to a quarter of a second (a hash of cost 12). */
enum basic_auth_answer basic_auth_check(struct basic_auth *auth, const char *name,
					const char *password);

#endif
