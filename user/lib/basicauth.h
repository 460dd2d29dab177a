/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * basicauth.h - are these a user's name and password? Against bcrypt hashes, so slowly by intent:
 * what was right once is remembered, and what was not yet is looked at a few times a second only.
 */
#ifndef TDSMON_BASICAUTH_H
#define TDSMON_BASICAUTH_H

#include <stdint.h>

#include "webconfig.h"

struct basicauth;

enum basicauth_answer {
	BASICAUTH_YES,
	BASICAUTH_NO,
	BASICAUTH_LATER, /* too many were looked at already; in a second again */
};

/* config must outlive it. NULL for want of memory or of random numbers. */
struct basicauth *basicauth_new(const struct webconfig *config);
void basicauth_free(struct basicauth *auth);

/* name or password may be NULL: not given. now_ns: CLOCK_MONOTONIC. */
enum basicauth_answer basicauth_check(struct basicauth *auth, const char *name,
				      const char *password, uint64_t now_ns);

#endif
