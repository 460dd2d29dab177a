// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * explain_command.c - see explain_command.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "explain/explain.h"
#include "explain_command.h"
#include "lib/columns.h"
#include "lib/json_writer.h"
#include "lib/log.h"

#define EXPLAIN_ROWS	4   /* that are named: one in full, and what else fits */
#define EXPLAIN_COLUMNS 100 /* of a pipe or a file */
#define EXPLAIN_INDENT	11
#define EXPLAIN_VERSION 1

static void explain_help(struct output *out)
{
	output_printf(
		out,
		"usage: tdsmon explain \"TEXT\" [--format json]\n"
		"       tdsmon explain \"TEXT\" -r FILE... [OPTION]...\n"
		"       tdsmon explain \"TEXT\" - < RECORDS\n"
		"\n"
		"Says what the text of a client's error means on the wire, which verdicts go with\n"
		"it, and what to do. It knows what SqlClient, ODBC, JDBC, FreeTDS, jTDS,\n"
		"go-mssqldb, tedious and python-tds say, and the server's error numbers in any\n"
		"language.\n"
		"\n"
		"With -r it then reads captures and writes the logins that have one of these\n"
		"verdicts; all options of tdsmon -r apply. With - it reads JSON records from\n"
		"standard input, as tdsmon --format json writes them, and writes those.\n"
		"\n"
		"Exit status: 0 done, 1 the text is not known (the nearest are named) or "
		"something\n"
		"failed, 2 wrong usage.\n");
}

/* ---- the explanation ---- */

static void explain_part(struct output *out, unsigned width, const char *label, const char *text)
{
	output_printf(out, "%-*s", EXPLAIN_INDENT, label);
	columns_paragraph(out, text, EXPLAIN_INDENT, width, COLUMNS_FIRST_AS_IT_IS);
}

static void explain_text(struct output *out, unsigned width, const struct explain_row *const *rows,
			 size_t count)
{
	const struct explain_row *row = rows[0];

	explain_part(out, width, "meaning", row->meaning);
	explain_part(out, width, "wire", row->wire);
	explain_part(out, width, "verdicts",
		     *row->verdicts ? row->verdicts : "none: no login is involved");
	explain_part(out, width, "do", row->act);
	for (size_t i = 1; i < count; i++)
		explain_part(out, width, i == 1 ? "also" : "", rows[i]->meaning);
	output_printf(out, "\n");
}

static void explain_words(struct json_writer *w, const char *key, const char *words)
{
	json_writer_array(w, key);
	while (*words) {
		size_t len = strcspn(words, " ");
		char *word = strndup(words, len);

		json_writer_text(w, NULL, word);
		free(word);
		words += len + (words[len] == ' ');
	}
	json_writer_array_end(w);
}

static void explain_json(struct output *out, const struct explain_row *const *rows, size_t count,
			 bool known)
{
	struct json_writer w = {.out = out};

	json_writer_object(&w, NULL);
	json_writer_text(&w, "type", "explanation");
	json_writer_uint(&w, "v", EXPLAIN_VERSION);
	json_writer_bool(&w, "known", known);
	json_writer_array(&w, known ? "fits" : "nearest");
	for (size_t i = 0; i < count; i++) {
		json_writer_object(&w, NULL);
		json_writer_text(&w, "name", rows[i]->name);
		json_writer_text(&w, "meaning", rows[i]->meaning);
		json_writer_text(&w, "wire", rows[i]->wire);
		explain_words(&w, "verdicts", rows[i]->verdicts);
		json_writer_text(&w, "do", rows[i]->act);
		json_writer_object_end(&w);
	}
	json_writer_array_end(&w);
	json_writer_object_end(&w);
	output_printf(out, "\n");
}

static int explain_unknown(struct output *out, unsigned width, const char *text, bool json)
{
	const struct explain_row *near[EXPLAIN_NEAREST];
	size_t count = explain_nearest(text, near);

	log_error(
		"this text is not known: quote the whole message, in English, or its error number");
	if (json)
		explain_json(out, near, count, false);
	else if (count)
		output_printf(out, "nearest to it:\n");
	for (size_t i = 0; i < count && !json; i++)
		explain_part(out, width, "", near[i]->meaning);
	return EXIT_FAILURE;
}

/* ---- the logins ---- */

/* After that key, "name" and its value: as tdsmon writes it, and jq -c. */
static bool line_has(const char *line, const char *key, const char *words)
{
	char want[128];

	while (*words) {
		size_t len = strcspn(words, " ");

		snprintf(want, sizeof(want), "%s%.*s\"", key, (int)len, words);
		if (strstr(line, want))
			return true;
		words += len + (words[len] == ' ');
	}
	return false;
}

/* A quotation mark within a value is escaped, so that the keys occur as keys only. */
static int explain_records(const struct subcommand_io *io, const char *verdicts)
{
	static const char spaced[] = "\"verdict\": {\"name\": \"",
			  tight[] = "\"verdict\":{\"name\":\"";
	unsigned long records = 0, found = 0;
	char *line = NULL;
	size_t room = 0;

	while (!*io->stop && !io->out->err && getline(&line, &room, stdin) > 0) {
		records += *line == '{';
		if (!line_has(line, tight, verdicts) && !line_has(line, spaced, verdicts))
			continue;
		found++;
		output_printf(io->out, "%s", line);
		output_record_end(io->out);
	}
	free(line);
	log_info("%lu of %lu records have one of these verdicts", found, records);
	if (!ferror(stdin) && records)
		return EXIT_SUCCESS;
	log_error("standard input %s", records ? "cannot be read"
					       : "has no JSON record in a line: write them by "
						 "tdsmon --format json");
	return EXIT_FAILURE;
}

/* --verdict for each of the row's, unless the user wants others. */
static int explain_filter(struct opts *opts, const struct explain_row *row, char *verdicts)
{
	char why[FILTER_WHY];

	if (opts->filter.kinds & 1u << FILTER_VERDICT)
		return 0;
	strcpy(verdicts, row->verdicts);
	for (char *save, *word = strtok_r(verdicts, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		if (filter_add(&opts->filter, FILTER_VERDICT, word, why)) {
			log_error("%s", why);
			return EXIT_FAILURE;
		}
	return EXIT_SUCCESS;
}

static int explain_captures(const struct subcommand_io *io, struct opts *opts,
			    const struct explain_row *row, int argc, char **argv)
{
	struct app app = {.opts = opts,
			  .argc = argc,
			  .argv = argv,
			  .out = io->out,
			  .messages = io->messages,
			  .stop = io->stop,
			  .reload = io->reload};
	char *verdicts = malloc(strlen(row->verdicts) + 1);
	int status = EXIT_FAILURE;

	if (!verdicts)
		log_error("out of memory");
	else if (!*row->verdicts)
		log_info("no capture is read: nothing of this is on the wire");
	else if (!explain_filter(opts, row, verdicts))
		status = replay_run(&app) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (verdicts && !*row->verdicts)
		status = EXIT_SUCCESS;
	free(verdicts);
	return status;
}

/* ---- the command line ---- */

static int explain_run(const struct subcommand_io *io, struct opts *opts, const char *text,
		       bool records, int argc, char **argv)
{
	unsigned width = columns_of(STDOUT_FILENO, 60, 120) ?: EXPLAIN_COLUMNS;
	const struct explain_row *rows[EXPLAIN_ROWS];
	bool json = !strcmp(opts->format->name, "json");
	size_t count = explain_find(text, rows, EXPLAIN_ROWS);

	if (opts->verbose)
		log_set_level(opts->verbose > 1 ? LOG_LEVEL_TRACE : LOG_LEVEL_DEBUG);
	if (!count)
		return explain_unknown(io->out, width, text, json);
	if (json)
		explain_json(io->out, rows, count, true);
	else
		explain_text(io->out, width, rows, count);
	output_flush(io->out);
	if (records)
		return explain_records(io, rows[0]->verdicts);
	return opts->file_count ? explain_captures(io, opts, rows[0], argc, argv) : EXIT_SUCCESS;
}

static int explain_options(const struct subcommand_io *io, const char *text, bool records, int argc,
			   char **argv)
{
	int status = EXIT_USAGE;
	struct opts opts;

	switch (opts_parse(&opts, argc, argv)) {
	case OPTS_HELP:
		explain_help(io->out);
		status = EXIT_SUCCESS;
		break;
	case OPTS_RUN:
		if (records && opts.file_count)
			log_error("- and --read exclude each other: leave one out");
		else if (opts.live_only)
			log_error("--%s is only for watching live: explain reads captures",
				  opts.live_only);
		else
			status = explain_run(io, &opts, text, records, argc, argv);
		break;
	case OPTS_VERSION:
		log_error("explain has no --version: tdsmon --version prints it");
		break;
	case OPTS_USAGE:
		break;
	}
	opts_release(&opts);
	return status;
}

int explain_command(const struct subcommand_io *io, int argc, char **argv)
{
	bool records = argc > 2 && !strcmp(argv[2], "-");
	int skip = records ? 2 : 1;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		explain_help(io->out);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || *argv[1] == '-' || !argv[1][strspn(argv[1], " \t\r\n")]) {
		log_error("explain needs the text of a client's error, in quotation marks, before "
			  "its "
			  "options; see tdsmon explain --help");
		return EXIT_USAGE;
	}
	/* opts_parse() takes argv[0] for the program: what comes before the options goes there. */
	return explain_options(io, argv[1], records, argc - skip, argv + skip);
}
