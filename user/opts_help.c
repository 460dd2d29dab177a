// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opts_help.c - the text of --help.
 */
#include <stdio.h>
#include <string.h>

#include "opts_int.h"
#include "subcommand.h"

#define OPTS_COLUMNS	 80
#define OPTS_HELP_INDENT 28

/* Print text from column OPTS_HELP_INDENT on, where the cursor is, broken at blanks. */
static void opts_help_text(struct output *out, const char *text)
{
	const size_t room = OPTS_COLUMNS - OPTS_HELP_INDENT;

	while (strlen(text) > room) {
		size_t len = room;

		while (len && text[len] != ' ')
			len--;
		output_printf(out, "%.*s\n%*s", (int)len, text, OPTS_HELP_INDENT, "");
		text += len + 1;
	}
	output_printf(out, "%s\n", text);
}

static void opts_help_options(struct output *out, const struct opts_words *words)
{
	char left[OPTS_HELP_INDENT + 16];
	const struct opt *o;

	for (size_t i = 0; (o = opts_at(words, i)); i++) {
		char letter[5] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "  %s--%s %s", letter, o->name, o->arg ? o->arg : "");
		output_printf(out, "%-*s", OPTS_HELP_INDENT, left);
		opts_help_text(out, o->help);
	}
}

void opts_help_words(struct output *out, const struct opts_words *words)
{
	const struct subcommand *s = subcommand_find(words->subcommand);

	output_printf(out, "usage: tdsmon %s %s\n\n%s\n", words->subcommand, s ? s->usage : "",
		      words->about);
	opts_help_options(out, words);
	output_printf(out,
		      "\nexamples:\n%s\nExit status: 0 done, 1 something failed, 2 wrong usage.\n",
		      words->examples);
}

static void opts_help_subcommands(struct output *out)
{
	char left[OPTS_HELP_INDENT + 16];

	if (subcommands->name)
		output_printf(out, "subcommands, each with its own --help:\n");
	for (const struct subcommand *s = subcommands; s->name; s++) {
		snprintf(left, sizeof(left), "  tdsmon %s", s->name);
		output_printf(out, "%-*s", OPTS_HELP_INDENT, left);
		opts_help_text(out, s->help);
	}
	if (subcommands->name)
		output_printf(out, "\n");
}

void opts_help(struct output *out)
{
	output_printf(
		out,
		"usage: tdsmon [-i NAME]... [-p PORTS]... [OPTION]...\n"
		"       tdsmon -r FILE...          [-p PORTS]... [OPTION]...\n"
		"\n"
		"Watches logins to Microsoft SQL Server on the wire and reports how long each\n"
		"phase took, which side was waited for, and why a login failed. Packets pass\n"
		"unchanged.\n"
		"\n");
	opts_help_subcommands(out);
	opts_help_options(out, NULL);
	output_printf(
		out, "\n"
		     "examples:\n"
		     "  tdsmon                                  every interface, port 1433\n"
		     "  tdsmon -i eth0 -p 1433,50000-50010      a server with named instances\n"
		     "  tdsmon --any-port --format json | jq .  all details, for programs\n"
		     "  tdsmon -r trace.pcapng                  a capture file\n"
		     "  tdsmon -r /var/captures *.pcap.gz       many files, in the order of time\n"
		     "  ssh host tcpdump -U -w - port 1433 | tdsmon -r -\n"
		     "\n"
		     "Records go to standard output, messages and the summary to standard error.\n"
		     "Exit status: 0 done, 1 something failed, 2 wrong usage. Watching live needs\n"
		     "root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON.\n");
}
