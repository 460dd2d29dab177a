/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * basic_auth.h - checks a user's name and password against bcrypt hashes, which are slow by design.
 * Earlier results are remembered, and the caller decides when to check a new password.
 */
#ifndef TDSMON_BASIC_AUTH_H
#define TDSMON_BASIC_AUTH_H

#include <stdint.h>

#include "http/web_config.h"

struct basic_auth;

enum basic_auth_answer {
	BASIC_AUTH_UNKNOWN, /* must be checked */
	BASIC_AUTH_YES,
	BASIC_AUTH_NO,
	BASIC_AUTH_LATER, /* set by the caller: it could not be checked in time */
};

/*
 * config must outlive it. before: what was correct with it is accepted at once if name and hash are
 * unchanged; or NULL. Returns NULL if there is no memory or no random number.
 */
struct basic_auth *basic_auth_new(const struct web_config *config, const struct basic_auth *before);
void basic_auth_free(struct basic_auth *auth);

/* Answers at once. name or password may be NULL (not given), which is NO. */
enum basic_auth_answer basic_auth_look(const struct basic_auth *auth, const char *name,
				       const char *password);

/*
 * Since when this name and password have been waiting to be checked: now_ns, or an earlier time if
 * a client gave up waiting and came again, which keeps its place in the queue.
 */
uint64_t basic_auth_waits_since(struct basic_auth *auth, const char *name, const char *password,
				uint64_t now_ns);

/* YES or NO. Takes up to a quarter of a second (a hash of cost 12). */
enum basic_auth_answer basic_auth_check(struct basic_auth *auth, const char *name,
					const char *password);

#endif
