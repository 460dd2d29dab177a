/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * doctor.h - looks at this host and says whether tdsmon can watch it as it is asked to. It attaches
 * nothing and changes nothing; what it may not see without privileges it says.
 */
#ifndef TDSMON_DOCTOR_H
#define TDSMON_DOCTOR_H

#include "doctor/findings.h"
#include "source/live/live.h"

struct doctor_config {
	const struct live_config *live; /* what a run with these options would load and attach */
	const char *const *errorlogs;	/* that the run would follow */
	size_t errorlog_count;
	const char *run_as;  /* NULL: the default user */
	const uint16_t *ask; /* local ports that may be asked for PRELOGIN and TLS */
	size_t ask_count;
};

/* The checks, in the order in which they are printed. */
void doctor_kernel(struct findings *f, const struct doctor_config *config);
void doctor_hooks(struct findings *f, const struct doctor_config *config);
void doctor_servers(struct findings *f, const struct doctor_config *config);
void doctor_host(struct findings *f, const struct doctor_config *config);

/* All of them. */
void doctor_examine(struct findings *f, const struct doctor_config *config);

#endif
