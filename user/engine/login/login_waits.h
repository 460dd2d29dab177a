/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * login_waits.h - a login's places in lists that its owner keeps. They are in the login's memory, so that
 * a million idle connections have none.
 */
#ifndef TDSMON_LOGIN_WAITS_H
#define TDSMON_LOGIN_WAITS_H

#include <stdbool.h>
#include <stdint.h>

struct flow;
struct login;
struct logwaits;

/* In the wheel of logins that wait: pending.h. All zero: not in the wheel. */
struct wait {
	struct wait *prev, *next;
	struct flow *flow;
	uint64_t since_ns; /* start of the wait whose marks are counted */
	uint8_t marks;	   /* so many of them have passed */
	bool reported;	   /* a record was made of this login */
};

/* Among those that wait for the error log: logwait.h. All zero: it has no place. */
struct logwait {
	struct login *prev, *next;
	struct flow *flow;
	uint64_t until_ns;	/* 0: it has not begun to wait */
	struct logwaits *waits; /* that it stands in; NULL: none */
};

#endif
