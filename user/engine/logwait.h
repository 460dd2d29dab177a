/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * logwait.h - logins that are decided and wait for the server's error log: for a second, so that the
 * entry has come, and every other login that it may be about.
 */
#ifndef TDSMON_LOGWAIT_H
#define TDSMON_LOGWAIT_H

#include "engine/login/login_waits.h"

#define LOGWAIT_MOST 1024 /* logins that wait; one more does not */

struct engine;

/* In the order in which their waits end. */
struct logwaits {
	struct login *first, *last;
	uint32_t count;
};

/* Is this login's record to be held back for now? Begins the wait. */
bool logwait_holds(struct engine *e, struct flow *f);
/* The login is freed; it need not wait. */
void logwait_remove(struct login *l);
/* The next connection whose login's wait is over, which ends it; NULL: none is due. */
struct flow *logwait_due(struct engine *e);
/* A login is about to be reported: join the entry that is its own, if there is one. */
void logwait_join(struct engine *e, const struct flow *f);

#endif
