/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * earlier.h - the earlier period that a report is compared with: a capture, or the CSV of a report.
 */
#ifndef TDSMON_EARLIER_H
#define TDSMON_EARLIER_H

#include "app.h"
#include "report/survey.h"

/*
 * Add the logins of opts->against to the survey. A capture is read by another process, so that it
 * can do no harm here, with the options of this run. 0, or -errno with the reason logged.
 */
int earlier_read(const struct app *app, struct survey *old);

#endif
