// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report_options.c - see report_options.h.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "opts_int.h"
#include "report_options.h"

static int set_output(struct opts *opts, const char *value)
{
	opts->output = strcmp(value, "-") ? value : NULL;
	return 0;
}

static int set_against(struct opts *opts, const char *value)
{
	opts->against = value;
	return 0;
}

static int set_format(struct opts *opts, const char *value)
{
	static const char *const names[] = {[OPTS_REPORT_HTML] = "html",
					    [OPTS_REPORT_TEXT] = "text",
					    [OPTS_REPORT_CSV] = "csv"};

	for (int i = OPTS_REPORT_HTML; i <= OPTS_REPORT_CSV; i++) {
		opts->report_format = (enum opts_report)i;
		if (!strcmp(names[i], value))
			return 0;
	}
	opts_error(opts, "'%s' is not a format of a report: use html, text or csv", value);
	return -EINVAL;
}

static const struct opt report_own[] = {
	{"output", 'o', 0, "FILE", set_output, 0,
	 "write the report to this file (default: standard output)"},
	{"format", 0, 0, "FORMAT", set_format, 0,
	 "html, text, or csv: a row for each login (default: as the file's name ends, else html)"},
	{"against", 0, 0, "OLD", set_against, 0,
	 "also say what became slower or fails more since OLD: an earlier capture, a directory of "
	 "captures, or the CSV of an earlier report"},
};

static const char *const report_shared[] = {"read",
					    "port",
					    "any-port",
					    "sql-browser",
					    "no-sql-browser",
					    "dependencies",
					    "no-dependencies",
					    "keylog",
					    "errorlog",
					    "show-identities",
					    "slow-login",
					    "slow-prelogin",
					    "max-connections",
					    "verbose",
					    "help",
					    NULL};

const struct opts_words report_words = {
	.subcommand = "report",
	.about = "Reads captures and writes what they show: first the finding, then what was seen\n"
		 "and what was not, logins over time, causes, servers, clients and applications,\n"
		 "the slowest logins, and more. The HTML is one file that needs nothing else.\n",
	.examples = "  tdsmon report -r trace.pcapng -o report.html\n"
		    "  tdsmon report -r today.pcapng --against yesterday.pcapng -o report.html\n"
		    "  tdsmon report -r trace.pcapng --format text | less\n"
		    "  tdsmon report -r trace.pcapng -o logins.csv\n",
	.own = report_own,
	.own_count = sizeof(report_own) / sizeof(report_own[0]),
	.shared = report_shared,
};

enum opts_report report_format_of(enum opts_report format, const char *path)
{
	static const struct {
		const char *end;
		enum opts_report format;
	} ends[] = {{".txt", OPTS_REPORT_TEXT}, {".csv", OPTS_REPORT_CSV}};
	size_t len = path ? strlen(path) : 0;

	if (format != OPTS_REPORT_BY_NAME)
		return format;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i].end);

		if (len > end && !strcasecmp(path + len - end, ends[i].end))
			return ends[i].format;
	}
	return OPTS_REPORT_HTML;
}

int report_options_check(struct opts *opts)
{
	opts->report_format = report_format_of(opts->report_format, opts->output);
	if (!opts->file_count)
		opts_error(opts, "no capture is named: add -r FILE");
	else if (opts->report_format == OPTS_REPORT_HTML && !opts->output && isatty(STDOUT_FILENO))
		opts_error(opts, "HTML is not for a terminal: -o report.html writes it to a file, "
				 "--format text shows the report here");
	else if (opts->report_format == OPTS_REPORT_CSV && opts->against)
		opts_error(opts, "the CSV of logins compares nothing: leave out --against, or use "
				 "--format html or text");
	else
		return 0;
	return -EINVAL;
}
