// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * keylog.c - see keylog.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keylog.h"
#include "lib/log.h"

#define READ_PIECE 4096

struct keylog {
	const char *path;
	int fd;
	bool failed; /* reading did: it is said once */
	struct keylog_lines lines;
};

/* ---- lines ---- */

static void line_over(struct keylog_lines *lines, struct engine *engine)
{
	if (!lines->too_long && lines->have)
		lines->secrets += engine_secret(engine, lines->held, lines->have);
	explicit_bzero(lines->held, sizeof(lines->held));
	lines->have = 0;
	lines->too_long = false;
}

void keylog_feed(struct keylog_lines *lines, struct engine *engine, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			line_over(lines, engine);
		else if (lines->have < KEYLOG_LINE)
			lines->held[lines->have++] = (char)data[i];
		else
			lines->too_long = true;
	}
}

void keylog_ends(struct keylog_lines *lines, struct engine *engine)
{
	line_over(lines, engine);
}

/* ---- a file ---- */

static struct keylog *open_failed(const char *path, int fd, int *err)
{
	log_error("cannot read the key log %s: %s", path, strerror(-*err));
	if (fd >= 0)
		close(fd);
	return NULL;
}

struct keylog *keylog_open(const char *path, int *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct keylog *k;
	struct stat st;

	*err = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		*err = -errno;
	else if (S_ISDIR(st.st_mode))
		*err = -EISDIR;
	else if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		*err = -EINVAL;
	if (*err)
		return open_failed(path, fd, err);
	k = calloc(1, sizeof(*k));
	if (!k) {
		*err = -ENOMEM;
		return open_failed(path, fd, err);
	}
	k->path = path;
	k->fd = fd;
	return k;
}

void keylog_read(struct keylog *k, struct engine *engine)
{
	uint8_t piece[READ_PIECE];
	ssize_t n;

	if (!k)
		return;
	do {
		n = read(k->fd, piece, sizeof(piece));
		if (n > 0)
			keylog_feed(&k->lines, engine, piece, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 && errno != EAGAIN && !k->failed) {
		log_error("cannot read the key log %s: %s", k->path, strerror(errno));
		k->failed = true;
	}
	explicit_bzero(piece, sizeof(piece));
}

void keylog_read_whole(struct keylog *k, struct engine *engine)
{
	if (!k)
		return;
	keylog_read(k, engine);
	keylog_ends(&k->lines, engine);
	if (!k->lines.secrets)
		log_warn("the key log %s holds no TLS secret so far", k->path);
}

void keylog_close(struct keylog *k)
{
	if (!k)
		return;
	close(k->fd);
	explicit_bzero(k, sizeof(*k));
	free(k);
}
