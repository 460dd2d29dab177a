// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * earlier.c - see earlier.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "earlier.h"
#include "lib/log.h"
#include "report/csv.h"

#define EARLIER_BEGIN 64 /* bytes that show what a file is */

/* No summary: its logins are all that is wanted. */
static void earlier_finish(struct app *app)
{
	(void)app;
}

/* The other process: write the capture's logins as CSV to fd. */
static void __attribute__((noreturn)) earlier_run(const struct app *app, int fd)
{
	struct opts opts = *app->opts;
	struct output *out = malloc(sizeof(*out));
	struct app earlier = {.opts = &opts,
			      .out = out,
			      .messages = app->messages,
			      .stop = app->stop,
			      .reload = app->reload,
			      .finish = earlier_finish};
	int err;

	if (!out)
		_exit(EXIT_FAILURE);
	opts.files = &opts.against;
	opts.file_count = 1;
	opts.output = NULL;
	opts.format = &csv_sink;
	output_init(out, fd);
	err = replay_run(&earlier);
	err = output_close(out) ?: err;
	output_finish(app->messages);
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int earlier_rows(const struct app *app, int fd, struct survey *old)
{
	const char *name = app->opts->against;
	uint64_t row;
	int err = csv_read(fd, old, &row);

	if (err == -EPROTO)
		log_error("%s, row %" PRIu64
			  ": not a login as tdsmon report --format csv writes it",
			  name, row);
	else if (err)
		log_error("cannot read %s: %s", name, strerror(-err));
	return err;
}

static int earlier_capture(const struct app *app, struct survey *old)
{
	int ends[2], status = 0, err;
	pid_t child;

	output_flush(app->messages);
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child) {
		close(ends[0]);
		earlier_run(app, ends[1]);
	}
	err = child < 0 ? -errno : 0;
	close(ends[1]);
	if (err)
		log_error("cannot read %s: %s", app->opts->against, strerror(-err));
	else
		err = earlier_rows(app, ends[0], old);
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!err && status) {
		log_error("%s could not be read to its end: nothing is compared",
			  app->opts->against);
		err = -EIO;
	}
	return err;
}

/* A regular file: CSV or a capture. */
static int earlier_file(const struct app *app, int fd, struct survey *old)
{
	char begin[EARLIER_BEGIN];
	ssize_t len = pread(fd, begin, sizeof(begin), 0);

	if (len > 0 && csv_is(begin, (size_t)len))
		return earlier_rows(app, fd, old);
	if (len > 0 && *begin == '{') {
		log_error("%s looks like JSON: --against reads captures, and the CSV of tdsmon "
			  "report",
			  app->opts->against);
		return -EINVAL;
	}
	return earlier_capture(app, old);
}

int earlier_read(const struct app *app, struct survey *old)
{
	const char *path = app->opts->against;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		log_error("cannot open %s: %s", path, strerror(-err));
	} else if (S_ISDIR(st.st_mode)) {
		err = earlier_capture(app, old);
	} else if (S_ISREG(st.st_mode)) {
		err = earlier_file(app, fd, old);
	} else {
		log_error("--against %s: neither a file nor a directory", path);
		err = -EINVAL;
	}
	if (fd >= 0)
		close(fd);
	return err;
}
