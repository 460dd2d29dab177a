// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * doctor_command.c - see doctor_command.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "doctor/doctor.h"
#include "doctor_command.h"
#include "lib/columns.h"
#include "lib/log.h"
#include "lib/number.h"

#define DOCTOR_ASK	 16  /* ports at most */
#define DOCTOR_COLUMNS	 100 /* of a pipe or a file */
#define DOCTOR_NARROWEST 60
#define DOCTOR_WIDEST	 120

struct doctor_line {
	uint16_t ask[DOCTOR_ASK];
	size_t ask_count;
	char **argv; /* the other words, for opts_parse() */
	int argc;
};

static void doctor_help(struct output *out)
{
	output_printf(
		out,
		"usage: tdsmon doctor [-i NAME]... [-p PORTS]... [OPTION]... [--ask PORT]...\n"
		"\n"
		"Says whether tdsmon can watch this host with these options, and what to mend.\n"
		"It takes every option of a live run, also --config FILE and --format json,\n"
		"loads the kernel part once and attaches nothing. Without root it says what it\n"
		"could not see.\n"
		"\n"
		"  --ask PORT   also ask the server on this port of this host for PRELOGIN and\n"
		"               TLS; repeatable. It logs in nowhere, but the server may note a\n"
		"               broken connection in its error log\n"
		"  --help       print this help\n"
		"\n"
		"Exit status: 0 nothing to mend, 1 something to mend, 2 wrong usage.\n");
}

static int doctor_ask(struct doctor_line *line, const char *value)
{
	char *end;
	unsigned long port = number_parse(value ?: "", UINT16_MAX, &end);

	if (!port || *end) {
		log_error(
			"--ask: '%s' is not a port of this host: use a number from 1 to 65535; see "
			"tdsmon doctor --help",
			value ?: "");
		return EXIT_USAGE;
	}
	if (line->ask_count == DOCTOR_ASK) {
		log_error("--ask: more than %d ports: ask for them in several runs", DOCTOR_ASK);
		return EXIT_USAGE;
	}
	line->ask[line->ask_count++] = (uint16_t)port;
	return 0;
}

/* Take the doctor's own options out. Returns EXIT_USAGE, or 0. */
static int doctor_split(struct doctor_line *line, int argc, char **argv)
{
	int err = 0;

	for (int i = 0; i < argc && !err; i++) {
		if (i && !strcmp(argv[i], "--ask")) {
			err = doctor_ask(line, i + 1 < argc ? argv[i + 1] : NULL);
			i++;
		} else if (i && !strncmp(argv[i], "--ask=", 6)) {
			err = doctor_ask(line, argv[i] + 6);
		} else {
			line->argv[line->argc++] = argv[i];
		}
	}
	return err;
}

static int doctor_report(const struct subcommand_io *io, const struct opts *opts,
			 const struct doctor_line *line)
{
	struct live_config live = watch_live_config(opts);
	const struct doctor_config config = {
		.live = &live,
		.errorlogs = opts->errorlogs,
		.errorlog_count = opts->errorlog_count,
		.run_as = opts->run_as,
		.ask = line->ask,
		.ask_count = line->ask_count,
	};
	struct findings f = {0};
	int status;

	if (opts->verbose)
		log_set_level(opts->verbose > 1 ? LOG_LEVEL_TRACE : LOG_LEVEL_DEBUG);
	doctor_examine(&f, &config);
	if (!strcmp(opts->format->name, "json"))
		findings_json(&f, io->out);
	else
		findings_text(&f, io->out,
			      columns_of(STDOUT_FILENO, DOCTOR_NARROWEST, DOCTOR_WIDEST)
				      ?: DOCTOR_COLUMNS);
	status = findings_count(&f, FINDING_MEND) || f.failed ? EXIT_FAILURE : EXIT_SUCCESS;
	if (f.failed)
		log_error("out of memory: not all was checked");
	findings_release(&f);
	return status;
}

static int doctor_options(const struct subcommand_io *io, const struct doctor_line *line)
{
	int status = EXIT_USAGE;
	struct opts opts;

	switch (opts_parse(&opts, line->argc, line->argv)) {
	case OPTS_USAGE:
		break;
	case OPTS_HELP:
		doctor_help(io->out);
		status = EXIT_SUCCESS;
		break;
	case OPTS_VERSION:
		log_error("doctor has no --version: tdsmon --version prints it");
		break;
	case OPTS_RUN:
		if (opts.file_count)
			log_error("doctor looks at this host: leave --read out");
		else
			status = doctor_report(io, &opts, line);
		break;
	}
	opts_release(&opts);
	return status;
}

int doctor_command(const struct subcommand_io *io, int argc, char **argv)
{
	struct doctor_line line = {.argv = calloc((size_t)argc + 1, sizeof(char *))};
	int status;

	if (!line.argv) {
		log_error("out of memory");
		return EXIT_FAILURE;
	}
	status = doctor_split(&line, argc, argv);
	if (!status)
		status = doctor_options(io, &line);
	free(line.argv);
	return status;
}
