/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * config.h - configuration files: lines "name = value" or "name" alone, blank lines, and comments
 * that begin with # at a line's start.
 */
#ifndef TDSMON_CONFIG_H
#define TDSMON_CONFIG_H

#define CONFIG_SIZE_MAX (1u << 20) /* bytes; longer files are turned away */

/* value: NULL where the name stands alone. A negative answer ends the reading with it. */
typedef int config_fn(void *ctx, unsigned line, const char *name, const char *value);

#define CONFIG_BY_PATH (-1000000) /* no descriptor and no -errno: the path is to be opened */

/*
 * Read a regular file and call fn on each line that holds something, in order. fd: its descriptor,
 * the caller's, or the -errno that opening it gave; CONFIG_BY_PATH: it is opened here. *text is
 * what the names and values point into, to be freed by the caller when they are no longer needed;
 * NULL on failure to read. 0, fn's answer, or -errno with the reason logged.
 */
int config_read(int fd, const char *path, char **text, config_fn *fn, void *ctx);

#endif
