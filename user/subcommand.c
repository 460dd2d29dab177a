// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * subcommand.c - the table of subcommands.
 */
#include <string.h>

#include "doctor_command.h"
#include "explain_command.h"
#include "report_command.h"
#include "subcommand.h"
#include "top/top.h"

static int run_top(const struct subcommand_io *io, int argc, char **argv)
{
	return top_run(io->out, io->stop, argc, argv);
}

const struct subcommand subcommands[] = {
	{"top", "[-r FILE...] [OPTION]...",
	 "show logins on the terminal as they come, sorted, filtered and grouped", run_top},
	{"report", "-r FILE... [-o FILE] [OPTION]...",
	 "what captures show, as one HTML file, text or CSV", report_command},
	{"doctor", "[OPTION]... [--ask PORT]...",
	 "says whether a live run with these options works on this host, and what to mend",
	 doctor_command},
	{"explain", "\"TEXT\" [-r FILE...] [OPTION]...",
	 "says what the text of a client's error means, and finds its logins", explain_command},
	{0},
};

const struct subcommand *subcommand_find(const char *word)
{
	for (const struct subcommand *s = subcommands; s->name; s++)
		if (!strcmp(s->name, word))
			return s;
	return NULL;
}
