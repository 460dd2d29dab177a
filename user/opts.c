// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opts.c - see opts.h.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config.h"
#include "lib/log.h"
#include "opts_int.h"
#include "sink/formats.h"

#define OPTS_OWN 16 /* most options that a subcommand has for itself */
/* Rows for getopt_long(), with the terminating one. */
#define OPTS_MAX     (OPTS_OWN + OPTS_COUNT + OPTS_OLD_COUNT + 1)
#define OPTS_MESSAGE 512

/* Log why a setting is rejected, and where it is, or where to read more. */
void opts_error(const struct opts *opts, const char *fmt, ...)
{
	char text[OPTS_MESSAGE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (opts && opts->line)
		log_error("%s:%u: %s", opts->config, opts->line, text);
	else if (opts && opts->words)
		log_error("%s; see tdsmon %s --help", text, opts->words->subcommand);
	else
		log_error("%s; see tdsmon --help", text);
}

static const struct opt *opts_of_table(const char *name)
{
	for (size_t i = 0; i < OPTS_COUNT; i++)
		if (!strcmp(opts_table[i].name, name))
			return &opts_table[i];
	return NULL;
}

const struct opt *opts_at(const struct opts_words *words, size_t i)
{
	if (!words)
		return i < OPTS_COUNT ? &opts_table[i] : NULL;
	if (i < words->own_count)
		return &words->own[i];
	for (size_t k = words->own_count; words->shared[k - words->own_count]; k++)
		if (k == i)
			return opts_of_table(words->shared[k - words->own_count]);
	return NULL;
}

/* The option of that name; NULL: none. */
static const struct opt *opts_find(const struct opts_words *words, const char *name)
{
	const struct opt *row;

	for (size_t i = 0; (row = opts_at(words, i)); i++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

/* The option whose former name this is; NULL: none. */
static const struct opt_old *opts_find_old(const char *name)
{
	for (size_t i = 0; i < OPTS_OLD_COUNT; i++)
		if (!strcmp(opts_old[i].name, name))
			return &opts_old[i];
	return NULL;
}

static void opts_renamed(const struct opts *opts, const struct opt_old *old)
{
	if (opts->line)
		log_info("%s:%u: '%s' is now '%s'", opts->config, opts->line, old->name, old->now);
	else
		log_info("--%s is now --%s", old->name, old->now);
}

/*
 * getopt_long() returns the row's index, and then the former name's. Options without a letter have
 * numbers above all letters.
 */
#define ROW_BASE 256
#define OLD_BASE (ROW_BASE + OPTS_OWN + OPTS_COUNT)

static struct option opts_long(const struct opt *row, const char *name, int answer)
{
	int has_arg = row->traits & OPT_LONE ? optional_argument
		      : row->arg	     ? required_argument
					     : no_argument;

	return (struct option){.name = name, .has_arg = has_arg, .val = answer};
}

static void opts_getopt_tables(const struct opts_words *words, struct option longs[OPTS_MAX],
			       char shorts[3 * OPTS_MAX])
{
	const struct opt *row;
	char *s = shorts;

	*s++ = ':'; /* distinguishes a missing argument from an unknown option */
	for (int i = 0; (row = opts_at(words, (size_t)i)); i++) {
		*longs++ = opts_long(row, row->name, ROW_BASE + i);
		if (!row->letter)
			continue;
		*s++ = row->letter;
		if (row->arg)
			*s++ = ':';
	}
	for (int i = 0; i < OPTS_OLD_COUNT; i++) {
		row = opts_find(words, opts_old[i].now);
		if (row)
			*longs++ = opts_long(row, opts_old[i].name, OLD_BASE + i);
	}
	*longs = (struct option){0};
	*s = '\0';
}

static const struct opt *opts_row(const struct opts_words *words, int answer)
{
	const struct opt *row;

	if (answer >= OLD_BASE)
		return opts_find(words, opts_old[answer - OLD_BASE].now);
	if (answer >= ROW_BASE)
		return opts_at(words, (size_t)(answer - ROW_BASE));
	for (size_t i = 0; (row = opts_at(words, i)); i++)
		if (row->letter == answer)
			return row;
	return NULL;
}

/* Log why getopt_long() returned ':' or '?'. */
static void opts_complain(const struct opts *opts, int answer, const char *word)
{
	const struct opt *row = optopt ? opts_row(opts->words, optopt) : NULL;

	if (answer == ':' && row)
		opts_error(opts, "--%s needs a value: %s", row->name, row->arg);
	else if (row)
		opts_error(opts, "--%s takes no value", row->name);
	else if (optopt)
		opts_error(opts, "unknown option -%c", optopt);
	else
		opts_error(opts, "unknown or ambiguous option %s", word);
}

static bool *opts_flag(struct opts *opts, const struct opt *row)
{
	return (bool *)((char *)opts + row->flag);
}

static enum opts_result opts_one(struct opts *opts, int answer, const char *word)
{
	const struct opt *row = opts_row(opts->words, answer);

	if (!row) {
		opts_complain(opts, answer, word);
		return OPTS_USAGE;
	}
	if (answer >= OLD_BASE && !opts->again)
		opts_renamed(opts, &opts_old[answer - OLD_BASE]);
	if (!strcmp(row->name, "help"))
		return OPTS_HELP;
	if (!strcmp(row->name, "version"))
		return OPTS_VERSION;
	if (row->traits & OPT_LIVE)
		opts->live_only = row->name;
	if (row->set)
		return row->set(opts, optarg) ? OPTS_USAGE : OPTS_RUN;
	*opts_flag(opts, row) = !(row->traits & OPT_NO);
	return OPTS_RUN;
}

/* A line of the configuration file; config_read()'s callback. */
static int opts_config_line(void *ctx, unsigned line, const char *name, const char *value)
{
	const struct opt_old *old = opts_find_old(name);
	const struct opt *row = opts_find(NULL, old ? old->now : name);
	struct opts *opts = ctx;

	opts->line = line;
	if (old && !opts->again)
		opts_renamed(opts, old);
	if (!row || row->traits & OPT_LINE)
		opts_error(opts, "'%s' is not an option of this file", name);
	else if (row->set && row->arg && !value && !(row->traits & OPT_LONE))
		opts_error(opts, "'%s' needs a value: %s = %s", name, name, row->arg);
	else if (row->set)
		return row->set(opts, value);
	else if (value && strcmp(value, "yes") && strcmp(value, "no"))
		opts_error(opts, "'%s' is neither yes nor no", value);
	else {
		*opts_flag(opts, row) =
			(!value || !strcmp(value, "yes")) != !!(row->traits & OPT_NO);
		return 0;
	}
	return -EINVAL;
}

/* Check rules that involve several options. */
static enum opts_result opts_check(struct opts *opts, const char *rest)
{
	if (rest && opts->words) {
		opts_error(opts, "'%s' has no option before it: -r %s reads a capture", rest, rest);
		return OPTS_USAGE;
	}
	if (rest) {
		opts_error(opts,
			   "'%s' has no option before it: -r %s reads a capture, -i %s watches an "
			   "interface",
			   rest, rest, rest);
		return OPTS_USAGE;
	}
	if (opts->file_count && opts->live_only) {
		opts_error(opts, "--%s is only for watching live: leave it out with --read",
			   opts->live_only);
		return OPTS_USAGE;
	}
	if (opts->decap_from != OPTS_FROM_NOWHERE && !opts->interface_count && !opts->file_count) {
		opts_error(
			opts,
			"--decap needs -i: add -i NAME for each interface where tunnels come in");
		return OPTS_USAGE;
	}
	if (opts->web_config && !opts->listen && !opts->file_count) {
		opts_error(opts, "--web-config needs --listen: add it, or leave --web-config out");
		return OPTS_USAGE;
	}
	if ((opts->save_files || opts->save_mib) && !opts->save) {
		opts_error(opts, "--save-%s needs --save: add it, or leave --save-%s out",
			   opts->save_files ? "files" : "size",
			   opts->save_files ? "files" : "size");
		return OPTS_USAGE;
	}
	if (opts->heartbeat && strcmp(opts->format->name, "json")) {
		opts_error(opts, "--heartbeat writes JSON records: add --format json");
		return OPTS_USAGE;
	}
	if ((opts->commands || opts->sql) && !opts->format->command) {
		opts_error(opts,
			   "--format %s has no commands: leave %s out, or take another format",
			   opts->format->name, opts->sql ? "--sql" : "--commands");
		return OPTS_USAGE;
	}
	if (opts->one_line && opts->explain) {
		opts_error(opts, "--explain takes several lines: leave it out, or --one-line");
		return OPTS_USAGE;
	}
	if (opts->by.count && strcmp(opts->format->name, "text")) {
		opts_error(opts, "--by writes tables for people: leave --format out");
		return OPTS_USAGE;
	}
	if (opts->every_ms && (!opts->by.count || opts->every_ms < 1000)) {
		opts_error(opts,
			   "--every takes 1s to 1h, and needs --by: add it, or leave --every out");
		return OPTS_USAGE;
	}
	opts->commands |= opts->sql;
	if (opts->ports_from == OPTS_FROM_NOWHERE)
		port_set_add(&opts->ports, OPTS_PORT_DEFAULT);
	return OPTS_RUN;
}

/*
 * getopt_long(), except that an optional value may be a separate word, and that after an option
 * with several values the *more words before argv[optind] are values, too.
 */
static int opts_next(const struct opts_words *words, int argc, char **argv, const char *shorts,
		     const struct option *longs, int *more)
{
	int answer = getopt_long(argc, argv, shorts, longs, NULL);
	const struct opt *row = answer == -1 ? NULL : opts_row(words, answer);

	*more = 0;
	if (row && row->traits & OPT_LONE && !optarg && optind < argc && argv[optind][0] != '-')
		optarg = argv[optind++];
	for (; row && row->traits & OPT_MANY && optind < argc; optind++, ++*more)
		if (argv[optind][0] == '-' && argv[optind][1])
			break;
	return answer;
}

/* Read the last configuration file that the command line names. Wrong options are found later. */
static int opts_config(struct opts *opts, int argc, char **argv, const char *shorts,
		       const struct option *longs, int config_fd)
{
	int answer, more, err = 0;

	while ((answer = opts_next(NULL, argc, argv, shorts, longs, &more)) != -1) {
		const struct opt *row = opts_row(NULL, answer);

		if (row && row->set == opts_set_config)
			opts_set_config(opts, optarg);
	}
	if (opts->config) {
		opts->source = OPTS_FROM_FILE;
		err = config_read(config_fd, opts->config, &opts->text, opts_config_line, opts);
		opts->line = 0;
	}
	opts->source = OPTS_FROM_LINE;
	return err;
}

enum opts_result opts_parse(struct opts *opts, int argc, char **argv)
{
	return opts_parse_again(opts, argc, argv, CONFIG_BY_PATH);
}

static void opts_defaults(struct opts *opts)
{
	*opts = (struct opts){.format = sink_formats[0],
			      .hook = LIVE_HOOK_TC,
			      .sql_browser = true,
			      .dependencies = true,
			      .local = true};
}

/* Everything on the command line. */
static enum opts_result opts_line(struct opts *opts, int argc, char **argv, const char *shorts,
				  const struct option *longs)
{
	int answer, more;

	optind = 0; /* glibc: start again, for each parse */
	opterr = 0;
	opts->source = OPTS_FROM_LINE;
	while ((answer = opts_next(opts->words, argc, argv, shorts, longs, &more)) != -1) {
		enum opts_result result = opts_one(opts, answer, argv[optind - 1]);

		for (; result == OPTS_RUN && more; more--) {
			optarg = argv[optind - more];
			result = opts_one(opts, answer, optarg);
		}
		if (result != OPTS_RUN)
			return result;
	}
	return opts_check(opts, argv[optind]);
}

enum opts_result opts_parse_again(struct opts *opts, int argc, char **argv, int config_fd)
{
	struct option longs[OPTS_MAX];
	char shorts[3 * OPTS_MAX];

	opts_defaults(opts);
	opts->again = config_fd != CONFIG_BY_PATH;
	opts_getopt_tables(NULL, longs, shorts);
	optind = 0;
	opterr = 0;
	if (opts_config(opts, argc, argv, shorts, longs, config_fd))
		return OPTS_USAGE;
	return opts_line(opts, argc, argv, shorts, longs);
}

enum opts_result opts_parse_words(struct opts *opts, const struct opts_words *words, int argc,
				  char **argv)
{
	struct option longs[OPTS_MAX];
	char shorts[3 * OPTS_MAX];

	opts_defaults(opts);
	opts->words = words;
	opts_getopt_tables(words, longs, shorts);
	return opts_line(opts, argc, argv, shorts, longs);
}

void opts_release(struct opts *opts)
{
	free(opts->interfaces);
	free(opts->files);
	free(opts->allowed_hosts);
	free(opts->errorlogs);
	filter_release(&opts->filter);
	free(opts->text);
}
