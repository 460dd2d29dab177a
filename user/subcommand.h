/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * subcommand.h - the words that may come before the options: tdsmon WORD [OPTION]... Without one,
 * tdsmon watches or reads as its options say. To add one, write its file and name its row in
 * subcommand.c.
 */
#ifndef TDSMON_SUBCOMMAND_H
#define TDSMON_SUBCOMMAND_H

#include <signal.h>

#include "lib/output.h"

#define EXIT_USAGE 2

/* The program's own, which outlive the run. */
struct subcommand_io {
	struct output *out, *messages; /* standard output and standard error */
	/* A signal asks the run to end (SIGINT, SIGTERM, SIGHUP), or to read its settings again. */
	volatile sig_atomic_t *stop, *reload;
};

struct subcommand {
	const char *name;
	const char *usage; /* its arguments, for the help: "-r FILE... [-o FILE]" */
	const char *help;  /* what it does, a clause */
	/*
	 * argv[0] is the name. Returns the exit status: EXIT_SUCCESS, EXIT_FAILURE or EXIT_USAGE, the
	 * reason logged. The caller closes the outputs and reports errors of writing.
	 */
	int (*run)(const struct subcommand_io *io, int argc, char **argv);
};

/* Ends with a row whose name is NULL. */
extern const struct subcommand subcommands[];

/* NULL: the word is not one. */
const struct subcommand *subcommand_find(const char *word);

#endif
