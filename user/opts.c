// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opts.c - the command line: one table of options, from which parsing and help come.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "opts.h"

#define OPTS_COLUMNS	 80
#define OPTS_HELP_INDENT 28
#define OPTS_MAX	 32	     /* rows, and what getopt_long() needs of them */
#define OPTS_MS		 3600000u    /* an hour */
#define OPTS_CONNECTIONS (16u << 20) /* most; each may take kilobytes */
#define OPTS_SEE_HELP	 "; see tdsmon --help"

struct opt {
	const char *name;
	char letter;	 /* or 0 */
	bool live_only;	 /* of no use with files */
	const char *arg; /* its name in the help; NULL: the option takes none */
	/* 0, or -EINVAL with the reason logged; or NULL and the offset of a bool to set. */
	int (*set)(struct opts *opts, const char *value);
	size_t flag;
	const char *help;
};

static int set_interface(struct opts *opts, const char *value)
{
	opts->interfaces[opts->interface_count++] = value;
	return 0;
}

static int set_file(struct opts *opts, const char *value)
{
	opts->files[opts->file_count++] = value;
	return 0;
}

/* Digits alone, within 1 and max; *end is what follows. 0 where it is no such number. */
static unsigned long opts_number(const char *s, unsigned long max, char **end)
{
	unsigned long n;

	*end = (char *)s;
	if (!isdigit((unsigned char)*s))
		return 0;
	errno = 0;
	n = strtoul(s, end, 10);
	return errno || n > max ? 0 : n;
}

/* One port or range, all of item. */
static int opts_port_range(struct port_set *ports, const char *item)
{
	char *end;
	unsigned long first = opts_number(item, 65535, &end), last = first;

	if (first && *end == '-')
		last = opts_number(end + 1, 65535, &end);
	if (!first || !last || *end) {
		log_error("'%s' is no port: a number from 1 to 65535, or a range like "
			  "1500-1510" OPTS_SEE_HELP,
			  item);
		return -EINVAL;
	}
	if (last < first) {
		log_error("'%s' is no port range: it ends before it begins" OPTS_SEE_HELP, item);
		return -EINVAL;
	}
	for (unsigned long port = first; port <= last; port++)
		port_set_add(ports, (uint16_t)port);
	return 0;
}

int opts_ports(struct port_set *ports, const char *list)
{
	char *copy = strdup(list), *rest = copy, *item;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (item = strsep(&rest, ",")))
		err = opts_port_range(ports, item);
	free(copy);
	return err;
}

static int set_port(struct opts *opts, const char *value)
{
	opts->has_ports = true;
	return opts_ports(&opts->ports, value);
}

static int set_format(struct opts *opts, const char *value)
{
	opts->format = sink_find(value);
	if (opts->format)
		return 0;
	log_error("'%s' is no format: text or json" OPTS_SEE_HELP, value);
	return -EINVAL;
}

static int set_hook(struct opts *opts, const char *value)
{
	opts->hook = strcmp(value, "xdp") ? LIVE_HOOK_TC : LIVE_HOOK_XDP;
	if (!strcmp(value, "tc") || !strcmp(value, "xdp"))
		return 0;
	log_error("'%s' is no hook: tc or xdp" OPTS_SEE_HELP, value);
	return -EINVAL;
}

static int set_max_connections(struct opts *opts, const char *value)
{
	char *end;

	opts->max_connections = (uint32_t)opts_number(value, OPTS_CONNECTIONS, &end);
	if (opts->max_connections && !*end)
		return 0;
	log_error("'%s' is no number of connections: 1 to %u" OPTS_SEE_HELP, value,
		  OPTS_CONNECTIONS);
	return -EINVAL;
}

static int set_ms(uint32_t *ms, const char *value)
{
	char *end;

	*ms = (uint32_t)opts_number(value, OPTS_MS, &end);
	if (*ms && !*end)
		return 0;
	log_error("'%s' is no time: milliseconds, 1 to %u" OPTS_SEE_HELP, value, OPTS_MS);
	return -EINVAL;
}

static int set_slow_prelogin(struct opts *opts, const char *value)
{
	return set_ms(&opts->slow_prelogin_ms, value);
}

static int set_slow_login(struct opts *opts, const char *value)
{
	return set_ms(&opts->slow_login_ms, value);
}

#define FLAG(member) offsetof(struct opts, member)

static const struct opt table[] = {
	{"interface", 'i', true, "NAME", set_interface, 0,
	 "watch this interface; may be repeated (default: all that are up, loopback included)"},
	{"read", 'r', false, "FILE", set_file, 0,
	 "read a pcap or pcapng file instead, - for standard input; may be repeated, in the order "
	 "of time"},
	{"port", 'p', false, "PORTS", set_port, 0,
	 "the servers' ports, like 1433,1500-1510; may be repeated (default: 1433)"},
	{"any-port", 0, false, NULL, NULL, FLAG(any_port),
	 "besides, recognise TDS on every port by a connection's first bytes"},
	{"format", 0, false, "FORMAT", set_format, 0,
	 "text, for people (default), or json, one object per line"},
	{"commands", 0, false, NULL, NULL, FLAG(commands),
	 "tell of every command, too: kind, time, size"},
	{"identities", 0, false, NULL, NULL, FLAG(identities),
	 "show user, domain and workstation names where they can be read"},
	{"explain", 0, false, NULL, NULL, FLAG(explain),
	 "text: show each login's steps, grounds and times as SqlClient words them"},
	{"slow-login", 0, false, "MS", set_slow_login, 0,
	 "a login that takes longer is slow (default: 2000)"},
	{"slow-prelogin", 0, false, "MS", set_slow_prelogin, 0,
	 "so is one that takes longer for tcp, prelogin and tls (default: 1000)"},
	{"mirror", 0, true, NULL, NULL, FLAG(mirror),
	 "the interface is a mirror port: both directions come in"},
	{"hook", 0, true, "HOOK", set_hook, 0,
	 "where the kernel hands packets over: tc (default) or xdp"},
	{"max-connections", 0, false, "N", set_max_connections, 0,
	 "connections followed at once; beyond, the oldest is forgotten (default: 65536)"},
	{"verbose", 'v', false, NULL, NULL, FLAG(verbose), "say more about what is being done"},
	{"version", 'V', false, NULL, NULL, 0, "print the versions"},
	{"help", 'h', false, NULL, NULL, 0, "print this"},
};

#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

/* getopt_long() answers with the row: those without a letter get a number beyond all letters. */
#define ROW_BASE 256

static void opts_getopt_tables(struct option longs[OPTS_MAX], char shorts[3 * OPTS_MAX])
{
	char *s = shorts;

	_Static_assert(TABLE_SIZE < OPTS_MAX, "room for the end mark");
	*s++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		longs[i] =
			(struct option){.name = table[i].name,
					.has_arg = table[i].arg ? required_argument : no_argument,
					.val = ROW_BASE + (int)i};
		if (!table[i].letter)
			continue;
		*s++ = table[i].letter;
		if (table[i].arg)
			*s++ = ':';
	}
	longs[TABLE_SIZE] = (struct option){0};
	*s = '\0';
}

static const struct opt *opts_row(int answer)
{
	if (answer >= ROW_BASE)
		return &table[answer - ROW_BASE];
	for (size_t i = 0; i < TABLE_SIZE; i++)
		if (table[i].letter == answer)
			return &table[i];
	return NULL;
}

/* Why getopt_long() answered ':' or '?'. */
static void opts_complain(int answer, const char *word)
{
	const struct opt *row = optopt ? opts_row(optopt) : NULL;

	if (answer == ':' && row)
		log_error("--%s needs a value: %s" OPTS_SEE_HELP, row->name, row->arg);
	else if (row)
		log_error("--%s takes no value" OPTS_SEE_HELP, row->name);
	else if (optopt)
		log_error("unknown option -%c" OPTS_SEE_HELP, optopt);
	else
		log_error("unknown or ambiguous option %s" OPTS_SEE_HELP, word);
}

static enum opts_result opts_one(struct opts *opts, int answer, const char *word)
{
	const struct opt *row = opts_row(answer);

	if (!row) {
		opts_complain(answer, word);
		return OPTS_USAGE;
	}
	if (!strcmp(row->name, "help"))
		return OPTS_HELP;
	if (!strcmp(row->name, "version"))
		return OPTS_VERSION;
	if (row->live_only)
		opts->live_only = row->name;
	if (row->set)
		return row->set(opts, optarg) ? OPTS_USAGE : OPTS_RUN;
	*(bool *)((char *)opts + row->flag) = true;
	return OPTS_RUN;
}

/* What holds between options. */
static enum opts_result opts_check(struct opts *opts, const char *rest)
{
	if (rest) {
		log_error("'%s' stands alone: -r %s reads a capture, -i %s watches an "
			  "interface" OPTS_SEE_HELP,
			  rest, rest, rest);
		return OPTS_USAGE;
	}
	if (opts->file_count && opts->live_only) {
		log_error("--%s is for watching live, it can't go with --read" OPTS_SEE_HELP,
			  opts->live_only);
		return OPTS_USAGE;
	}
	if (!opts->has_ports)
		port_set_add(&opts->ports, OPTS_PORT_DEFAULT);
	return OPTS_RUN;
}

enum opts_result opts_parse(struct opts *opts, int argc, char **argv)
{
	struct option longs[OPTS_MAX];
	char shorts[3 * OPTS_MAX];
	int answer;

	*opts = (struct opts){.format = sink_formats[0], .hook = LIVE_HOOK_TC};
	opts->interfaces = calloc((size_t)argc, sizeof(*opts->interfaces));
	opts->files = calloc((size_t)argc, sizeof(*opts->files));
	if (!opts->interfaces || !opts->files) {
		log_error("out of memory");
		return OPTS_USAGE;
	}
	opts_getopt_tables(longs, shorts);
	optind = 0; /* glibc: start anew, also where a test parses again */
	opterr = 0;
	while ((answer = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		enum opts_result result = opts_one(opts, answer, argv[optind - 1]);

		if (result != OPTS_RUN)
			return result;
	}
	return opts_check(opts, argv[optind]);
}

void opts_release(struct opts *opts)
{
	free(opts->interfaces);
	free(opts->files);
}

/* Text from column OPTS_HELP_INDENT on, broken at blanks; the cursor is there already. */
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

void opts_help(struct output *out)
{
	char left[OPTS_HELP_INDENT + 16];

	output_printf(
		out,
		"usage: tdsmon [-i NAME]... [-p PORTS]... [OPTION]...\n"
		"       tdsmon -r FILE...          [-p PORTS]... [OPTION]...\n"
		"\n"
		"Watches logins to Microsoft SQL Server on the wire: how long each part took,\n"
		"who was waited for, and why a login failed. Changes nothing on its way.\n"
		"\n");
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		const struct opt *o = &table[i];
		char letter[5] = "    ";

		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "  %s--%s %s", letter, o->name, o->arg ? o->arg : "");
		output_printf(out, "%-*s", OPTS_HELP_INDENT, left);
		opts_help_text(out, o->help);
	}
	output_printf(
		out,
		"\n"
		"examples:\n"
		"  tdsmon                                  every interface, port 1433\n"
		"  tdsmon -i eth0 -p 1433,50000-50010      a server with named instances\n"
		"  tdsmon --any-port --format json | jq .  all there is to know, for programs\n"
		"  tdsmon -r trace.pcapng                  a capture file\n"
		"  ssh host tcpdump -U -w - port 1433 | tdsmon -r -\n"
		"\n"
		"Records go to standard output, messages and the summary to standard error.\n"
		"Exit status: 0 done, 1 something failed, 2 wrong usage. Watching live needs\n"
		"root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON.\n");
}

/* The end of the run of ports that begins at first. */
static unsigned opts_run_end(const struct port_set *ports, unsigned first)
{
	unsigned last = first;

	while (last < 65535 && port_set_has(ports, (uint16_t)(last + 1)))
		last++;
	return last;
}

const char *opts_ports_text(const struct port_set *ports, char text[OPTS_PORTS_TEXT])
{
	const size_t room = OPTS_PORTS_TEXT - sizeof(", 65535-65535, ...");
	size_t used = 0;

	text[0] = '\0';
	for (unsigned first = 1, last; first <= 65535; first = last + 1) {
		last = first;
		if (!port_set_has(ports, (uint16_t)first))
			continue;
		last = opts_run_end(ports, first);
		if (used > room) {
			strcpy(text + used, ", ...");
			break;
		}
		used += (size_t)sprintf(text + used, last > first ? "%s%u-%u" : "%s%u",
					used ? ", " : "", first, last);
	}
	return text;
}
