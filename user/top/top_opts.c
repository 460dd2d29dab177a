// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * top_opts.c - see top_opts.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/duration.h"
#include "lib/log.h"
#include "lib/number.h"
#include "top/groups.h"
#include "top/top_opts.h"
#include "top/ui.h"

#define TOP_DELAY_MS	1000
#define OPTS_TOP_SOCKET "/run/tdsmon/tdsmon.sock" /* opts.h: OPTS_SOCKET_DEFAULT */
#define TOP_WIDEST	1000
#define TOP_LINES	100000

static int wrong(const char *fmt, const char *value)
{
	log_error(fmt, value);
	log_error("see 'tdsmon top --help'");
	return -EINVAL;
}

static int set_delay(struct top_opts *opts, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	/* As top(1) has it: a plain number is seconds. */
	opts->delay_ms = end > value && !*end
				 ? (seconds > 0 && seconds <= 3600 ? (uint32_t)(seconds * 1000) : 0)
				 : duration_parse_ms(value);
	return opts->delay_ms >= 100
		       ? 0
		       : wrong("'%s' is no delay: use seconds, from 0.1 to 3600", value);
}

static int set_number(int *number, const char *value, unsigned long most)
{
	char *end;

	*number = (int)number_parse(value, most, &end);
	return *number && !*end ? 0 : wrong("'%s' is no number from 1 on", value);
}

static int set_view(struct top_opts *opts, const char *value)
{
	opts->view = value;
	return ui_view_find(value) >= 0 ? 0
					: wrong("'%s' is no view: use newest, worst, pending, "
						"servers, clients, apps, drivers, causes, "
						"dependencies or group",
						value);
}

static int set_filter(struct top_opts *opts, const char *value)
{
	char why[FILTER_WHY];

	opts->filter = value;
	filter_free(filter_parse(value, why));
	return *why ? wrong("%s", why) : 0;
}

static int set_group(struct top_opts *opts, const char *value)
{
	struct group_by by;
	char why[FILTER_WHY];

	opts->group = value;
	return group_by_parse(&by, value, why) ? 0 : wrong("%s", why);
}

/* The captures: the option's value, and the words after it. */
static void take_files(struct top_opts *opts, int argc, char **argv)
{
	opts->files[opts->file_count++] = optarg;
	while (optind < argc && (argv[optind][0] != '-' || !argv[optind][1]))
		opts->files[opts->file_count++] = argv[optind++];
}

static const struct option longs[] = {{"read", required_argument, NULL, 'r'},
				      {"url", required_argument, NULL, 'u'},
				      {"user-file", required_argument, NULL, 'U'},
				      {"ca-file", required_argument, NULL, 'C'},
				      {"filter", required_argument, NULL, 'f'},
				      {"group", required_argument, NULL, 'g'},
				      {"view", required_argument, NULL, 'V'},
				      {"delay", required_argument, NULL, 'd'},
				      {"batch", no_argument, NULL, 'b'},
				      {"count", required_argument, NULL, 'n'},
				      {"width", required_argument, NULL, 'w'},
				      {"lines", required_argument, NULL, 'l'},
				      {"ascii", no_argument, NULL, 'A'},
				      {"help", no_argument, NULL, 'h'},
				      {0}};

static int parse_one(struct top_opts *opts, int letter, int argc, char **argv)
{
	int count = 0, err = 0;

	switch (letter) {
	case 'r':
		take_files(opts, argc, argv);
		return 0;
	case 'u':
		opts->url = optarg;
		return 0;
	case 'U':
		opts->user_file = optarg;
		return 0;
	case 'C':
		opts->ca_file = optarg;
		return 0;
	case 'f':
		return set_filter(opts, optarg);
	case 'g':
		return set_group(opts, optarg);
	case 'V':
		return set_view(opts, optarg);
	case 'd':
		return set_delay(opts, optarg);
	case 'n':
		err = set_number(&count, optarg, INT32_MAX);
		opts->count = (uint32_t)count;
		return err;
	case 'w':
		return set_number(&opts->width, optarg, TOP_WIDEST);
	case 'l':
		return set_number(&opts->lines, optarg, TOP_LINES);
	case 'b':
		opts->batch = true;
		return 0;
	case 'A':
		opts->ascii = true;
		return 0;
	case 'h':
		opts->help = true;
		return 0;
	default:
		return wrong(letter == ':' ? "%s needs a value" : "unknown option %s",
			     argv[optind - 1]);
	}
}

static int check(const struct top_opts *opts)
{
	if (opts->url && (opts->file_count || opts->rest_count))
		return wrong("--url shows a tdsmon that runs: leave out %s",
			     opts->file_count ? "-r" : "what follows --");
	if ((opts->user_file || opts->ca_file) && !opts->url)
		return wrong("%s needs --url", opts->user_file ? "--user-file" : "--ca-file");
	if ((opts->count || opts->width || opts->lines) && !opts->batch)
		return wrong("%s is for batch mode: add -b", opts->count   ? "-n"
							     : opts->width ? "-w"
									   : "-l");
	return 0;
}

int top_opts_parse(struct top_opts *opts, int argc, char **argv)
{
	int letter, err = 0;

	*opts = (struct top_opts){.delay_ms = TOP_DELAY_MS};
	opts->files = calloc((size_t)argc + 1, sizeof(*opts->files));
	if (!opts->files) {
		log_error("out of memory");
		return -ENOMEM;
	}
	optind = 0; /* glibc: start again */
	opterr = 0;
	while (!err &&
	       (letter = getopt_long(argc, argv, "+:r:u:f:g:V:d:bn:w:l:h", longs, NULL)) != -1)
		err = parse_one(opts, letter, argc, argv);
	if (!err && optind < argc && strcmp(argv[optind - 1], "--"))
		return wrong("'%s' has no option before it: -r FILE shows a capture", argv[optind]);
	opts->rest = argv + optind;
	opts->rest_count = err ? 0 : argc - optind;
	return err ?: check(opts);
}

void top_opts_help(struct output *out)
{
	output_printf(
		out,
		"usage: tdsmon top [OPTION]...\n"
		"       tdsmon top -r FILE... [OPTION]...\n"
		"       tdsmon top [OPTION]... -- TDSMON-OPTION...\n"
		"\n"
		"Shows logins as they come: how many, how fast, which wait, and why they fail.\n"
		"Without -r or --url it shows the tdsmon that runs on this host (its "
		"socket\n" OPTS_TOP_SOCKET ", else http://127.0.0.1:9433); if none runs it\n"
		"watches by itself, with the options after --. Press ? for the keys.\n"
		"\n"
		"  -r, --read FILE...        show captures\n"
		"  -u, --url URL             show the tdsmon at this URL, or at this socket's "
		"path\n"
		"      --user-file FILE      its first line is NAME:PASSWORD, for --url\n"
		"      --ca-file FILE        certificates to trust (default: the system's)\n"
		"  -V, --view NAME           begin with this view: newest, worst, pending, "
		"servers,\n"
		"                            clients, apps, drivers, causes, dependencies, group\n"
		"  -f, --filter TEXT         show only logins that match, as by the key /\n"
		"  -g, --group FIELDS        group by these fields, as by the key g\n"
		"  -d, --delay SECONDS       between two pages (default: 1)\n"
		"  -b, --batch               print pages to standard output, use no terminal\n"
		"  -n, --count N             batch: end after N pages (of a capture: 1)\n"
		"  -w, --width N             batch: columns (default: COLUMNS, else 132)\n"
		"  -l, --lines N             batch: rows of the table (default: 40)\n"
		"      --ascii               draw with ASCII characters only\n"
		"  -h, --help                print this help\n"
		"\n"
		"NO_COLOR in the environment turns colours off.\n");
}
