/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * screen.h - the terminal, by ncurses: shows cells and reads keys. Whatever ends the program, the
 * terminal is as it was before.
 */
#ifndef TDSMON_SCREEN_H
#define TDSMON_SCREEN_H

#include <stdbool.h>

#include "top/cells.h"

struct screen;

/* NULL, with the reason logged: standard output is no terminal that ncurses knows. */
struct screen *screen_open(void);
void screen_close(struct screen *screen); /* accepts NULL */

/* The descriptor that keys come from, for poll(). */
int screen_fd(const struct screen *screen);

/* The next key, as ui.h has them; 0: none has been pressed. The size may have changed meanwhile. */
int screen_key(struct screen *screen);

/* Make cells as large as the screen. 0 or -ENOMEM. */
int screen_fit(struct screen *screen, struct cells *cells);
void screen_show(struct screen *screen, const struct cells *cells);

/* Has a signal asked the program to end? */
bool screen_asked_to_end(void);

#endif
