/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * save_name.h - names of saved files: TIME-SERVER-CLIENT-VERDICT.pcapng. An address is followed by
 * its port, after a dot; for the colons of IPv6 there are underscores.
 */
#ifndef TDSMON_SAVE_NAME_H
#define TDSMON_SAVE_NAME_H

#include <stdbool.h>

#include "engine/record.h"
#include "lib/clock.h"

#define SAVE_NAME 192 /* bytes, with its NUL */

/* The name of a login's file. Returns text. */
const char *save_name(const struct login_record *rec, const struct wallclock *clock,
		      char text[SAVE_NAME]);

/* Has a file that tdsmon saved such a name? */
bool save_name_is(const char *name);

#endif
