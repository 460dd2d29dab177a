/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * errorlogs.h - the error logs of --errorlog in a run: their entries go to the engine.
 */
#ifndef TDSMON_ERRORLOGS_H
#define TDSMON_ERRORLOGS_H

#include "app.h"

/*
 * Open what the options name, before anything is confined; live: to follow it. 0, also where there is
 * nothing to open, or -errno with the reason logged.
 */
int errorlogs_open(struct app *app, bool live);
void errorlogs_close(struct app *app);

/* Hand over the entries that have come, live; else those up to until_ns on the source's clock. */
void errorlogs_read(struct app *app, uint64_t until_ns);

/* At the end: with -v how much was of use, and of each log whether it was one. */
void errorlogs_summary(const struct app *app);

#endif
