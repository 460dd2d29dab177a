// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * subcommand.c - the table of subcommands.
 */
#include <string.h>

#include "doctor_command.h"
#include "explain_command.h"
#include "report_command.h"
#include "subcommand.h"

const struct subcommand subcommands[] = {
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
