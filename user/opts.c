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
#include "http/http_host.h"
#include "lib/log.h"
#include "lib/number.h"
#include "opts.h"
#include "ports.h"
#include "tunnels.h"

#define OPTS_COLUMNS	 80
#define OPTS_HELP_INDENT 28
#define OPTS_MAX	 48	     /* rows, and what getopt_long() needs of them */
#define OPTS_MS		 3600000u    /* an hour */
#define OPTS_RING_MIB	 1024u	     /* most */
#define OPTS_CONNECTIONS (16u << 20) /* most; each may take kilobytes */
#define OPTS_MESSAGE	 512

/* struct opt's traits */
#define LIVE 0x01 /* of no use with files */
#define LINE 0x02 /* for the command line alone */
#define LONE 0x04 /* may stand without its value */
#define NO   0x08 /* unsets its flag */
#define MANY 0x10 /* further values may follow the first */

struct opt {
	const char *name;
	char letter; /* or 0 */
	uint8_t traits;
	const char *arg; /* its name in the help; NULL: the option takes none */
	/* 0, or -EINVAL with the reason logged; or NULL and the offset of a bool to set. */
	int (*set)(struct opts *opts, const char *value);
	size_t flag;
	const char *help;
};

/* Why a setting is not taken: where it stands, or where to read more. */
static void __attribute__((format(printf, 2, 3)))
opts_error(const struct opts *opts, const char *fmt, ...)
{
	char text[OPTS_MESSAGE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (opts && opts->line)
		log_error("%s:%u: %s", opts->config, opts->line, text);
	else
		log_error("%s; see tdsmon --help", text);
}

static int opts_append(const char ***list, size_t *count, const char *value)
{
	const char **grown = realloc(*list, (*count + 1) * sizeof(*grown));

	if (!grown) {
		log_error("out of memory");
		return -ENOMEM;
	}
	*list = grown;
	grown[(*count)++] = value;
	return 0;
}

static int set_interface(struct opts *opts, const char *value)
{
	if (opts->interfaces_from != opts->source)
		opts->interface_count = 0;
	opts->interfaces_from = opts->source;
	return opts_append(&opts->interfaces, &opts->interface_count, value);
}

static int set_file(struct opts *opts, const char *value)
{
	return opts_append(&opts->files, &opts->file_count, value);
}

static int set_config(struct opts *opts, const char *value)
{
	opts->config = value;
	return 0;
}

static int set_user(struct opts *opts, const char *value)
{
	opts->user = value;
	return 0;
}

static int set_port(struct opts *opts, const char *value)
{
	char why[PORTS_WHY];

	if (opts->ports_from != opts->source)
		memset(&opts->ports, 0, sizeof(opts->ports));
	opts->ports_from = opts->source;
	if (!ports_parse(&opts->ports, value, why))
		return 0;
	opts_error(opts, "%s", why);
	return -EINVAL;
}

static int set_format(struct opts *opts, const char *value)
{
	opts->format = sink_find(value);
	if (opts->format)
		return 0;
	opts_error(opts, "'%s' is no format: text or json", value);
	return -EINVAL;
}

static int set_hook(struct opts *opts, const char *value)
{
	opts->hook = strcmp(value, "xdp") ? LIVE_HOOK_TC : LIVE_HOOK_XDP;
	if (!strcmp(value, "tc") || !strcmp(value, "xdp"))
		return 0;
	opts_error(opts, "'%s' is no hook: tc or xdp", value);
	return -EINVAL;
}

static int set_decap(struct opts *opts, const char *value)
{
	char why[TUNNELS_WHY];

	if (opts->decap_from != opts->source)
		memset(&opts->decap, 0, sizeof(opts->decap));
	opts->decap_from = opts->source;
	if (!tunnels_parse(&opts->decap, value, why))
		return 0;
	opts_error(opts, "%s", why);
	return -EINVAL;
}

static int set_max_connections(struct opts *opts, const char *value)
{
	char *end;

	opts->max_connections = (uint32_t)number_parse(value, OPTS_CONNECTIONS, &end);
	if (opts->max_connections && !*end)
		return 0;
	opts_error(opts, "'%s' is no number of connections: 1 to %u", value, OPTS_CONNECTIONS);
	return -EINVAL;
}

static int set_listen(struct opts *opts, const char *value)
{
	opts->listen = value ? value : OPTS_LISTEN_DEFAULT;
	return 0;
}

static int set_web_config(struct opts *opts, const char *value)
{
	opts->web_config = value;
	return 0;
}

static int set_ring_size(struct opts *opts, const char *value)
{
	char *end;

	opts->ring_mib = (uint32_t)number_parse(value, OPTS_RING_MIB, &end);
	if (opts->ring_mib && !*end && !(opts->ring_mib & (opts->ring_mib - 1)))
		return 0;
	opts_error(opts, "'%s' is no size: MiB, a power of two from 1 to %u", value, OPTS_RING_MIB);
	return -EINVAL;
}

static int set_allowed_host(struct opts *opts, const char *value)
{
	if (!http_host_is_name(value)) {
		opts_error(opts, "'%s' is no host name: letters, digits, - and ., without a port",
			   value);
		return -EINVAL;
	}
	if (opts->allowed_hosts_from != opts->source)
		opts->allowed_host_count = 0;
	opts->allowed_hosts_from = opts->source;
	return opts_append(&opts->allowed_hosts, &opts->allowed_host_count, value);
}

static int set_textfile(struct opts *opts, const char *value)
{
	opts->textfile = value;
	return 0;
}

static int set_top_clients(struct opts *opts, const char *value)
{
	char *end;

	opts->top_clients = (uint32_t)number_parse(value, SINK_TOP_CLIENTS_MAX, &end);
	if ((opts->top_clients || !strcmp(value, "0")) && !*end)
		return 0;
	opts_error(opts, "'%s' is no number of clients: 0 to %u", value, SINK_TOP_CLIENTS_MAX);
	return -EINVAL;
}

static int set_ms(const struct opts *opts, uint32_t *ms, const char *value)
{
	char *end;

	*ms = (uint32_t)number_parse(value, OPTS_MS, &end);
	if (*ms && !*end)
		return 0;
	opts_error(opts, "'%s' is no time: milliseconds, 1 to %u", value, OPTS_MS);
	return -EINVAL;
}

static int set_slow_prelogin(struct opts *opts, const char *value)
{
	return set_ms(opts, &opts->slow_prelogin_ms, value);
}

static int set_slow_login(struct opts *opts, const char *value)
{
	return set_ms(opts, &opts->slow_login_ms, value);
}

#define FLAG(member) offsetof(struct opts, member)

static const struct opt table[] = {
	{"interface", 'i', LIVE, "NAME", set_interface, 0,
	 "watch this interface; may be repeated (default: all that are up, loopback included)"},
	{"read", 'r', LINE | MANY, "FILE", set_file, 0,
	 "read captures instead, in the order of time: pcap or pcapng files, also as .gz or .zst; "
	 "directories of them; - for standard input"},
	{"port", 'p', 0, "PORTS", set_port, 0,
	 "the servers' ports, like 1433,1500-1510; may be repeated (default: 1433)"},
	{"any-port", 0, 0, NULL, NULL, FLAG(any_port),
	 "besides, recognise TDS on every port by a connection's first bytes"},
	{"browser", 0, 0, NULL, NULL, FLAG(browser),
	 "besides, the ports of instances that SQL Server Browser names (default)"},
	{"no-browser", 0, NO, NULL, NULL, FLAG(browser),
	 "watch the ports of -p alone, whatever SQL Server Browser names"},
	{"format", 0, 0, "FORMAT", set_format, 0,
	 "text, for people (default), or json, one object per line"},
	{"commands", 0, 0, NULL, NULL, FLAG(commands),
	 "tell of every command, too: kind, time, size"},
	{"sql", 0, 0, NULL, NULL, FLAG(sql),
	 "and what it says, where that is in clear: passwords masked, 4096 characters"},
	{"identities", 0, 0, NULL, NULL, FLAG(identities),
	 "show user, domain and workstation names where they can be read"},
	{"explain", 0, 0, NULL, NULL, FLAG(explain),
	 "text: show each login's steps, grounds and times as SqlClient would word them"},
	{"problems", 0, 0, NULL, NULL, FLAG(problems),
	 "of logins and closes, write those that failed, were slow or cut off; all are counted"},
	{"slow-login", 0, 0, "MS", set_slow_login, 0,
	 "a login that takes longer is slow (default: 2000)"},
	{"slow-prelogin", 0, 0, "MS", set_slow_prelogin, 0,
	 "so is one that takes longer for tcp, prelogin and tls (default: 1000)"},
	{"mirror", 0, LIVE, NULL, NULL, FLAG(mirror),
	 "the interface is a mirror port: both directions come in"},
	{"decap", 0, LIVE, "TUNNELS", set_decap, 0,
	 "look into tunnels on the interfaces of -i: vxlan[:PORT], geneve[:PORT], gre, erspan"},
	{"hook", 0, LIVE, "HOOK", set_hook, 0,
	 "where the kernel hands packets over: tc (default) or xdp"},
	{"max-connections", 0, 0, "N", set_max_connections, 0,
	 "connections followed at once; beyond, the oldest is forgotten (default: 65536)"},
	{"ring-size", 0, LIVE, "MIB", set_ring_size, 0,
	 "what the kernel hands over waits in so much memory, a power of two (default: 16)"},
	{"listen", 0, LIVE | LONE, "[ADDR:PORT]", set_listen, 0,
	 "serve by HTTP a live page and metrics for Prometheus (without a "
	 "value: " OPTS_LISTEN_DEFAULT ")"},
	{"web-config", 0, LIVE, "FILE", set_web_config, 0,
	 "TLS and users for --listen, as Prometheus exporters have them in a file"},
	{"allowed-host", 0, LIVE, "NAME", set_allowed_host, 0,
	 "a name that --listen is asked by, beside this host's own; may be repeated"},
	{"textfile", 0, 0, "FILE", set_textfile, 0,
	 "write the metrics to this file, every 15 s and at the end"},
	{"top-clients", 0, 0, "N", set_top_clients, 0,
	 "count the N clients that log in most by themselves in the metrics (default: 0)"},
	{"config", 0, LINE, "FILE", set_config, 0,
	 "read options from this file, too: lines \"name = value\"; SIGHUP has it read anew"},
	{"user", 0, LIVE, "NAME", set_user, 0,
	 "started as root: go on as this user once everything is attached (default: tdsmon if "
	 "there is one, else nobody)"},
	{"verbose", 'v', 0, NULL, NULL, FLAG(verbose), "say more about what is being done"},
	{"version", 'V', LINE, NULL, NULL, 0, "print the versions"},
	{"help", 'h', LINE, NULL, NULL, 0, "print this"},
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
		longs[i] = (struct option){.name = table[i].name,
					   .has_arg = table[i].traits & LONE ? optional_argument
						      : table[i].arg	     ? required_argument
									     : no_argument,
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
static void opts_complain(const struct opts *opts, int answer, const char *word)
{
	const struct opt *row = optopt ? opts_row(optopt) : NULL;

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
	const struct opt *row = opts_row(answer);

	if (!row) {
		opts_complain(opts, answer, word);
		return OPTS_USAGE;
	}
	if (!strcmp(row->name, "help"))
		return OPTS_HELP;
	if (!strcmp(row->name, "version"))
		return OPTS_VERSION;
	if (row->traits & LIVE)
		opts->live_only = row->name;
	if (row->set)
		return row->set(opts, optarg) ? OPTS_USAGE : OPTS_RUN;
	*opts_flag(opts, row) = !(row->traits & NO);
	return OPTS_RUN;
}

/* A line of the configuration file; config_read()'s callback. */
static int opts_config_line(void *ctx, unsigned line, const char *name, const char *value)
{
	const struct opt *row = NULL;
	struct opts *opts = ctx;

	opts->line = line;
	for (size_t i = 0; i < TABLE_SIZE && !row; i++)
		if (!strcmp(table[i].name, name) && !(table[i].traits & LINE))
			row = &table[i];
	if (!row)
		opts_error(opts, "'%s' is no option of this file", name);
	else if (row->set && !value && !(row->traits & LONE))
		opts_error(opts, "'%s' needs a value: %s = %s", name, name, row->arg);
	else if (row->set)
		return row->set(opts, value);
	else if (value && strcmp(value, "yes") && strcmp(value, "no"))
		opts_error(opts, "'%s' is neither yes nor no", value);
	else {
		*opts_flag(opts, row) = (!value || !strcmp(value, "yes")) != !!(row->traits & NO);
		return 0;
	}
	return -EINVAL;
}

/* What holds between options. */
static enum opts_result opts_check(struct opts *opts, const char *rest)
{
	if (rest) {
		opts_error(opts,
			   "'%s' stands alone: -r %s reads a capture, -i %s watches an interface",
			   rest, rest, rest);
		return OPTS_USAGE;
	}
	if (opts->file_count && opts->live_only) {
		opts_error(opts, "--%s is for watching live, it can't go with --read",
			   opts->live_only);
		return OPTS_USAGE;
	}
	if (opts->decap_from != OPTS_FROM_NOWHERE && !opts->interface_count && !opts->file_count) {
		opts_error(opts,
			   "--decap is for the interfaces of -i, and none is given: add -i NAME "
			   "for each where tunnels come in");
		return OPTS_USAGE;
	}
	if (opts->web_config && !opts->listen && !opts->file_count) {
		opts_error(opts, "--web-config is for --listen, which is not there");
		return OPTS_USAGE;
	}
	opts->commands |= opts->sql;
	if (opts->ports_from == OPTS_FROM_NOWHERE)
		port_set_add(&opts->ports, OPTS_PORT_DEFAULT);
	return OPTS_RUN;
}

/*
 * getopt_long(), but a value that may be left out may also be a word of its own, and after an
 * option that takes many the *more words before argv[optind] are values, too.
 */
static int opts_next(int argc, char **argv, const char *shorts, const struct option *longs,
		     int *more)
{
	int answer = getopt_long(argc, argv, shorts, longs, NULL);
	const struct opt *row = answer == -1 ? NULL : opts_row(answer);

	*more = 0;
	if (row && row->traits & LONE && !optarg && optind < argc && argv[optind][0] != '-')
		optarg = argv[optind++];
	for (; row && row->traits & MANY && optind < argc; optind++, ++*more)
		if (argv[optind][0] == '-' && argv[optind][1])
			break;
	return answer;
}

/* Read the file that the command line names last, if one. Wrong options are found later. */
static int opts_config(struct opts *opts, int argc, char **argv, const char *shorts,
		       const struct option *longs, int config_fd)
{
	int answer, more, err = 0;

	while ((answer = opts_next(argc, argv, shorts, longs, &more)) != -1) {
		const struct opt *row = opts_row(answer);

		if (row && row->set == set_config)
			set_config(opts, optarg);
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

enum opts_result opts_parse_again(struct opts *opts, int argc, char **argv, int config_fd)
{
	struct option longs[OPTS_MAX];
	char shorts[3 * OPTS_MAX];
	int answer, more;

	*opts = (struct opts){.format = sink_formats[0], .hook = LIVE_HOOK_TC, .browser = true};
	opts_getopt_tables(longs, shorts);
	optind = 0; /* glibc: start anew, also where a test parses again */
	opterr = 0;
	if (opts_config(opts, argc, argv, shorts, longs, config_fd))
		return OPTS_USAGE;
	optind = 0;
	while ((answer = opts_next(argc, argv, shorts, longs, &more)) != -1) {
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

void opts_release(struct opts *opts)
{
	free(opts->interfaces);
	free(opts->files);
	free(opts->allowed_hosts);
	free(opts->text);
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
		"  tdsmon -r /var/captures *.pcap.gz       many, in the order of time\n"
		"  ssh host tcpdump -U -w - port 1433 | tdsmon -r -\n"
		"\n"
		"Records go to standard output, messages and the summary to standard error.\n"
		"Exit status: 0 done, 1 something failed, 2 wrong usage. Watching live needs\n"
		"root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON.\n");
}
