// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * config.c - see config.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/regular.h"

#define BLANKS " \t\r"

/* Strip the blanks around the text, in place. */
static char *config_trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	len = strlen(s);
	while (len && strchr(BLANKS, s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

static int config_line(char *line, unsigned number, config_fn *fn, void *ctx)
{
	char *name = config_trim(line), *value = strchr(name, '=');

	if (!*name || *name == '#')
		return 0;
	if (!value)
		return fn(ctx, number, name, NULL);
	*value++ = '\0';
	return fn(ctx, number, config_trim(name), config_trim(value));
}

static int config_load(int fd, char **text)
{
	size_t len = 0;

	*text = regular_text(fd, CONFIG_SIZE_MAX, &len);
	if (!*text)
		return -errno;
	if (!memchr(*text, 0, len))
		return 0;
	free(*text);
	*text = NULL;
	return -EILSEQ;
}

int config_read(int fd, const char *path, char **text, config_fn *fn, void *ctx)
{
	int own = fd == CONFIG_BY_PATH ? regular_open(path) : -1, err;
	unsigned number = 0;
	char *rest, *line;

	*text = NULL;
	if (fd == CONFIG_BY_PATH)
		fd = own;
	err = fd < 0 ? fd : config_load(fd, text);
	fd_close(own);
	if (err) {
		log_error("cannot read %s: %s", path, regular_error(err));
		return err;
	}
	rest = *text;
	while (!err && (line = strsep(&rest, "\n")))
		err = config_line(line, ++number, fn, ctx);
	return err;
}
