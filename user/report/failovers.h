/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * failovers.h - the failovers of a report: what sink/failover.h finds, one row for each event.
 */
#ifndef TDSMON_FAILOVERS_H
#define TDSMON_FAILOVERS_H

#include "lib/clock.h"
#include "sink/failover.h"

#define FAILOVERS_MOST 200 /* events kept; of further ones only the number */

struct failovers {
	struct failover *finder;
	struct failover_event events[FAILOVERS_MOST]; /* in the order in which they were found */
	uint64_t found;				      /* how many there were */
	uint64_t tick_ns; /* records' time: when the finder hears of it next */
};

struct writer;

/* False: out of memory. */
bool failovers_init(struct failovers *f);
void failovers_release(struct failovers *f);

void failovers_login(struct failovers *f, const struct login_record *rec);
void failovers_close(struct failovers *f, const struct close_record *rec);

/* The section, if there was an event. */
void failovers_write(struct writer *w, const struct failovers *f, const struct wallclock *clock);

#endif
