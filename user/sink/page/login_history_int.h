/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * login_history_int.h - a history's slots, for login_history.c and login_history_file.c.
 */
#ifndef TDSMON_LOGIN_HISTORY_INT_H
#define TDSMON_LOGIN_HISTORY_INT_H

#include "sink/page/login_history.h"

#define LOGIN_HISTORY_CAUSES 8 /* verdicts counted of a slot; the rest is counted as V_NONE */
#define LOGIN_HISTORY_CHANGED                                                                      \
	128 /* slots that may change between two calls of login_history_changed() */
#define LOGIN_HISTORY_SLOTS (LOGIN_HISTORY_MINUTES + LOGIN_HISTORY_SECONDS)

struct login_history_cause {
	uint32_t verdict, count; /* 0: the place is free */
};

struct login_history_slot {
	uint64_t start_s; /* since 1970; 0: the slot is free */
	uint32_t logins, failed, slow, ended;
	bool changed; /* it is among login_history.changed */
	struct login_history_cause causes[LOGIN_HISTORY_CAUSES];
	uint32_t buckets[LOGIN_HISTORY_BUCKETS];
};

/* The minutes, then the seconds, each by start_s / period modulo their count. */
struct login_history {
	uint64_t now_s;
	struct login_history_slot slots[LOGIN_HISTORY_SLOTS];
	uint16_t changed[LOGIN_HISTORY_CHANGED];
	unsigned changed_count;
	bool changed_more; /* others changed, too */
	bool unsaved;
};
_Static_assert(sizeof(struct login_history) < LOGIN_HISTORY_BYTES, "fits");

static inline unsigned login_history_period(size_t slot)
{
	return slot < LOGIN_HISTORY_MINUTES ? 60 : 1;
}

/* The slot of a time, whatever it holds. */
static inline size_t login_history_index(uint64_t wall_s, unsigned period)
{
	return period == 1 ? LOGIN_HISTORY_MINUTES + wall_s % LOGIN_HISTORY_SECONDS
			   : wall_s / 60 % LOGIN_HISTORY_MINUTES;
}

/* Count problems of a verdict. */
void login_history_add_cause(struct login_history_slot *slot, uint32_t verdict, uint32_t count);

#endif
