/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top.h - tdsmon top: shows logins on a terminal as they come.
 */
#ifndef TDSMON_TOP_H
#define TDSMON_TOP_H

#include <signal.h>

#include "lib/output.h"

/* *stop: a signal asks it to end. Returns the exit status: 0, 1, or 2 for wrong usage. */
int top_run(struct output *out, const volatile sig_atomic_t *stop, int argc, char **argv);

#endif
