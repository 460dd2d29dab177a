/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * config.h - configuration files: lines "name = value" or only "name", blank lines, and comments,
 * which begin with # at the start of a line.
 */
#ifndef TDSMON_CONFIG_H
#define TDSMON_CONFIG_H

#define CONFIG_SIZE_MAX (1u << 20) /* bytes; longer files are rejected */

/* value: NULL if the line is only a name. A negative result ends the reading, and is returned. */
typedef int config_fn(void *ctx, unsigned line, const char *name, const char *value);

#define CONFIG_BY_PATH (-1000000) /* neither a descriptor nor -errno: open the path */

/*
 * Read a regular file and call fn for each setting, in order. fd: its descriptor, which stays the
 * caller's, or the -errno of opening it, or CONFIG_BY_PATH. Names and values point into *text,
 * which the caller frees; NULL if reading failed. Returns 0, fn's result, or -errno with the reason
 * logged.
 */
int config_read(int fd, const char *path, char **text, config_fn *fn, void *ctx);

#endif
