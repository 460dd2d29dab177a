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

struct basicauth;

enum basicauth_answer {
	BASICAUTH_UNKNOWN, /* has to be checked */
	BASICAUTH_YES,
	BASICAUTH_NO,
	BASICAUTH_LATER, /* the caller's: it could not be checked in time */
};

/*
 * config must outlive it. before, or NULL: what was right with it is so at once, where name and
 * hash are still the same. NULL where memory is used up, or there are no random numbers.
 */
struct basicauth *basicauth_new(const struct web_config *config, const struct basicauth *before);
void basicauth_free(struct basicauth *auth);

/* At once. name or password may be NULL: not given, which is NO. */
enum basicauth_answer basicauth_look(const struct basicauth *auth, const char *name,
				     const char *password);

/*
 * Since when this has waited to be checked: now_ns, unless it came before and its client gave up
 * waiting. It has its place in the queue again then.
 */
uint64_t basicauth_waits_since(struct basicauth *auth, const char *name, const char *password,
			       uint64_t now_ns);

/* YES or NO; this takes up to a quarter of a second (a hash of cost 12). */
enum basicauth_answer basicauth_check(struct basicauth *auth, const char *name,
				      const char *password);

#endif
