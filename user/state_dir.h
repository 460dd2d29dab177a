/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * state_dir.h - keeps the page's logins over time in a file over restarts: --state-dir, or the directory
 * that the service manager made. Only with --listen.
 */
#ifndef TDSMON_STATE_DIR_H
#define TDSMON_STATE_DIR_H

#include "app.h"
#include "lib/loop.h"

#define STATE_PATH 4096 /* with the NUL */

/* The file's path, or NULL: none is kept. Returns text. */
const char *state_dir_path(const struct opts *opts, char text[STATE_PATH]);

/*
 * Read the file, which this process may not do later, and write it every minute from now on. One that
 * cannot be read or understood is logged, and replaced by the next writing. 0 or -errno.
 */
int state_dir_open(struct app *app, struct loop *loop);

/* Write it, unless nothing changed. A failure is logged once until it is over. */
void state_dir_save(struct app *app);

#endif
