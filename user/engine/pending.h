/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pending.h - logins that wait, reported while they wait: after 5, 15, 30 and 60 s of one wait. A
 * wheel of slots holds them by the time of their next check, so a tick checks only those that are
 * due.
 */
#ifndef TDSMON_PENDING_H
#define TDSMON_PENDING_H

#include "engine/login/login_waits.h"

#define PENDING_SLOTS 32 /* of a quarter of a second: more than from one check to the next */

struct engine;

struct pending {
	struct wait slots[PENDING_SLOTS]; /* heads of circular lists */
	uint64_t slot;			  /* checked up to here */
	uint64_t second;		  /* in this second ... */
	uint32_t reported, half_open;	  /* ... so many records were made, and so many of half-open
					   * ones */
};

void pending_init(struct pending *p);
/* A login begins. Does nothing if nobody asked for pending logins. */
void pending_add(struct engine *e, struct flow *f);
/* The login is over; it need not have been added. */
void pending_remove(struct login *l);
/*
 * Is a login in progress, as far as known, and since when does it wait for what it waits for now?
 */
bool pending_is_in_progress(const struct flow *f);
uint64_t pending_since(const struct flow *f);
/* Report what is due by now. */
void pending_tick(struct engine *e);

#endif
