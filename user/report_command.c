// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report_command.c - see report_command.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "earlier.h"
#include "lib/log.h"
#include "lib/regular.h"
#include "lib/replace.h"
#include "report/csv.h"
#include "report_command.h"
#include "report_options.h"
#include "report_write.h"

struct report_run {
	struct app app;
	struct survey *old;	 /* the earlier period; NULL: none */
	char *path;		 /* of the report's file, links resolved */
	struct replace file;	 /* the file, until it is complete a temporary one */
	bool replaces;		 /* it is one; else a device or a pipe */
	struct output *file_out; /* NULL: standard output */
	bool written;		 /* the report is */
};

/* The file that path leads to; the caller frees it. NULL: out of memory. */
static char *report_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real || errno == ENOMEM ? real : strdup(path);
}

/* Returns a descriptor, or -errno. A device is written to, a file is replaced when complete. */
static int report_create(struct report_run *run)
{
	struct stat st;
	int err, fd;

	run->path = report_path(run->app.opts->output);
	if (!run->path)
		return -ENOMEM;
	if (!stat(run->path, &st) && !S_ISREG(st.st_mode)) {
		fd = open(run->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return fd < 0 ? -errno : fd;
	}
	err = replace_open(&run->file, run->path) ?: replace_try(&run->file);
	run->replaces = true;
	return err ?: replace_begin(&run->file);
}

static int report_open(struct report_run *run)
{
	int fd;

	run->file.dir = -1;
	if (!run->app.opts->output)
		return 0;
	run->file_out = malloc(sizeof(*run->file_out));
	fd = run->file_out ? report_create(run) : -ENOMEM;
	if (fd < 0) {
		replace_refused(run->app.opts->output, fd);
		free(run->file_out);
		run->file_out = NULL;
		return fd;
	}
	output_init(run->file_out, fd);
	run->app.out = run->file_out;
	return 0;
}

/* Close the file, and put it in the old one's place if it is complete. */
static int report_close(struct report_run *run, int err)
{
	int failed = run->file_out ? output_close(run->file_out) : 0;

	if (run->file_out && run->replaces && (failed || !run->written))
		replace_drop(&run->file);
	else if (run->file_out && run->replaces)
		failed = replace_commit(&run->file);
	if (failed)
		log_error("cannot write %s: %s", run->app.opts->output, regular_error(failed));
	replace_close(&run->file);
	free(run->file_out);
	free(run->path);
	return failed ?: err;
}

static void report_finish(struct app *app)
{
	struct report_run *run = app->finish_ctx;

	if (app->opts->format == &survey_sink)
		report_write(app, app->listeners[0].sink, app->opts->report_format, run->old,
			     app->out);
	run->written = true;
}

static int report_against(struct report_run *run)
{
	static const struct wallclock wall; /* the CSV has wall time */

	if (!run->app.opts->against)
		return 0;
	run->old = survey_new(&wall);
	if (run->old)
		return earlier_read(&run->app, run->old);
	log_error("out of memory");
	return -ENOMEM;
}

static int report_run(struct report_run *run)
{
	int err = report_against(run) ?: report_open(run);

	if (!err)
		err = report_close(run, replay_run(&run->app));
	survey_free(run->old);
	return err;
}

int report_command(const struct subcommand_io *io, int argc, char **argv)
{
	int status = EXIT_SUCCESS;
	struct opts opts;
	struct report_run run = {.app = {.opts = &opts,
					 .out = io->out,
					 .messages = io->messages,
					 .stop = io->stop,
					 .reload = io->reload,
					 .finish = report_finish}};

	run.app.finish_ctx = &run;
	switch (opts_parse_words(&opts, &report_words, argc, argv)) {
	case OPTS_HELP:
		opts_help_words(io->out, &report_words);
		break;
	case OPTS_RUN:
		if (report_options_check(&opts)) {
			status = EXIT_USAGE;
			break;
		}
		if (opts.verbose)
			log_set_level(LOG_LEVEL_DEBUG);
		opts.format = opts.report_format == OPTS_REPORT_CSV ? &csv_sink : &survey_sink;
		status = report_run(&run) ? EXIT_FAILURE : EXIT_SUCCESS;
		break;
	default:
		status = EXIT_USAGE;
	}
	opts_release(&opts);
	return status;
}
