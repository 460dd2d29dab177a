// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * config.c - see config.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#define BLANKS " \t\r"

/* The whole file, or NULL with errno set. The size is not asked for: it may be a pipe. */
static char *config_load(int fd)
{
	char *text = malloc(CONFIG_SIZE_MAX + 1);
	size_t len = 0;
	ssize_t n;

	if (!text)
		return NULL;
	do {
		n = read(fd, text + len, CONFIG_SIZE_MAX + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len <= CONFIG_SIZE_MAX);
	if (n < 0 || len > CONFIG_SIZE_MAX || memchr(text, 0, len)) {
		if (n >= 0)
			errno = len > CONFIG_SIZE_MAX ? EFBIG : EILSEQ;
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

/* The text without the blanks around it; cuts it in place. */
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

int config_read(const char *path, char **text, config_fn *fn, void *ctx)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
	unsigned number = 0;
	char *rest, *line;

	*text = NULL;
	if (!err) {
		*text = config_load(fd);
		err = *text ? 0 : -errno;
		close(fd);
	}
	if (err) {
		log_error("cannot read %s: %s", path, strerror(-err));
		return err;
	}
	rest = *text;
	while (!err && (line = strsep(&rest, "\n")))
		err = config_line(line, ++number, fn, ctx);
	return err;
}
