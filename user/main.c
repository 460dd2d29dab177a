// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main.c - options, signals, which kind of run, and the exit status.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "app.h"
#include "lib/log.h"
#include "subcommand.h"

/* Too big for the stack; only main.c has globals. */
static struct output out, messages;
static volatile sig_atomic_t stop, reload, report_now;

/*
 * The first signal ends the run in an orderly way, with the summary. A second one ends it at once,
 * in case that hangs, as on a pipe whose reader does not read.
 */
static void on_signal(int sig)
{
	if (stop)
		_exit(128 + sig);
	stop = sig;
}

static void on_hangup(int sig)
{
	reload = sig;
}

static void on_report(int sig)
{
	report_now = sig;
}

/*
 * No SA_RESTART: a signal must interrupt a read from a pipe. The loop's tick covers all races.
 * Without a file to read again, SIGHUP means that the terminal is gone, and may be ignored (nohup).
 */
static void signals_init(bool reloads)
{
	struct sigaction end = {.sa_handler = on_signal}, hangup = {.sa_handler = on_hangup}, was;

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGHUP, NULL, &was);
	if (reloads)
		sigaction(SIGHUP, &hangup, NULL);
	else if (was.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &end, NULL);
}

/*
 * If a standard descriptor is closed, the next file or map that is opened would get its number, and
 * output would be written into it. Open /dev/null in its place, in the mode in which use fails.
 */
static void descriptors_init(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static void print_version(void)
{
	output_printf(&out, "tdsmon %s (libbpf %s, zlib %s, libzstd %s)\n", TDSMON_VERSION,
		      libbpf_version_string(), zlibVersion(), ZSTD_versionString());
}

/* The final check of the output: every write error is reported. */
static int finish_output(void)
{
	int err = output_close(&out);

	if (err == -EPIPE)
		log_error("output closed by its reader, stopped");
	else if (err == -ETIMEDOUT)
		log_error("output is not complete: its reader has stopped");
	else if (err)
		log_error("cannot write output: %s", strerror(-err));
	return err;
}

static int run_mode(const struct opts *opts, int argc, char **argv)
{
	struct app app = {.opts = opts,
			  .argc = argc,
			  .argv = argv,
			  .out = &out,
			  .messages = &messages,
			  .stop = &stop,
			  .reload = &reload,
			  .report_now = &report_now};
	struct sigaction report = {.sa_handler = on_report};

	if (opts->verbose)
		log_set_level(opts->verbose > 1 ? LOG_LEVEL_TRACE : LOG_LEVEL_DEBUG);
	if (opts->report)
		sigaction(SIGUSR1, &report, NULL);
	signals_init((opts->config || opts->web_config) && !opts->file_count);
	return opts->file_count ? replay_run(&app) : watch_run(&app);
}

/* Watch live or read files, as the options say. Returns the exit status. */
static int run_options(int argc, char **argv)
{
	struct opts opts;
	int err = 0;

	switch (opts_parse(&opts, argc, argv)) {
	case OPTS_USAGE:
		opts_release(&opts);
		return EXIT_USAGE;
	case OPTS_HELP:
		opts_help(&out);
		break;
	case OPTS_VERSION:
		print_version();
		break;
	case OPTS_RUN:
		err = run_mode(&opts, argc, argv);
		break;
	}
	opts_release(&opts);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_subcommand(const struct subcommand *word, int argc, char **argv)
{
	const struct subcommand_io io = {
		.out = &out, .messages = &messages, .stop = &stop, .reload = &reload};

	signals_init(false);
	return word->run(&io, argc, argv);
}

int main(int argc, char **argv)
{
	const struct subcommand *word = argc > 1 ? subcommand_find(argv[1]) : NULL;
	int status;

	descriptors_init();
	output_init(&out, STDOUT_FILENO);
	output_init(&messages, STDERR_FILENO);
	log_init(&messages);
	status = word ? run_subcommand(word, argc - 1, argv + 1) : run_options(argc, argv);
	if (status == EXIT_USAGE)
		return status;
	if (finish_output())
		status = EXIT_FAILURE;
	output_finish(&messages);
	return status;
}
