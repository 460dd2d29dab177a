/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report.h - turns a decided login into its record. Pure: it reads the login and changes nothing.
 */
#ifndef TDSMON_REPORT_H
#define TDSMON_REPORT_H

#include "engine/login/login.h"

/* A mark becomes at most two steps; TCP's three come before them. */
#define STEPS_MAX (2 * LOGIN_MARKS + 8)

struct tiling {
	struct step steps[STEPS_MAX];
	size_t count;
	uint32_t phases; /* those that have a step, as bits */
	uint64_t phase_ns[PHASE_SESSION], wait_ns[SIDE_NONE];
	uint64_t share_ns[2]; /* the network's share of a step that waits for that side */
	uint64_t start_ns, at_ns;
};

/* The parts of a record that the login does not know. */
struct report_env {
	uint64_t id;
	uint32_t tunnel;
	enum vantage vantage; /* VANTAGE_UNKNOWN: a capture, so it is estimated */
	const char *instance; /* from SQL Server Browser; NULL: not known */
	bool identities;      /* fill in user, domain, workstation */
};

/* A record, and the memory that it points to in addition to the login's. */
struct report {
	struct login_record record;
	struct tiling tiling;
	struct tls_names names;
	struct errorlog_entry errorlog;
};

/*
 * Report f->login, which is decided. The record's `before`, dependencies, parts, host and verdict
 * stay empty: they depend on other logins, see emit.c.
 */
void report_login(const struct report_env *env, const struct flow *f, struct report *report);

#endif
