/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text_cause.h - sentences of the text format on why a login waited: the parts of a step, and the
 * requests that its hosts made meanwhile.
 */
#ifndef TDSMON_TEXT_CAUSE_H
#define TDSMON_TEXT_CAUSE_H

#include "engine/record.h"

/* Both return a line without a newline, which the caller frees. NULL: out of memory. */

/* "dc_queue 387.5 ms (inferred), 10.77.0.10:49152: earlier logins' calls ..." */
char *text_cause_part(const struct step_part *part);

/* "the server asked 10.77.0.10:49152: netlogon SamLogon, 1 request, 202.1 ms, ok" */
char *text_cause_dependency(const struct dependency *d);

#endif
