// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opts_table.c - the table of options, and the functions that set their values.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/http_host.h"
#include "lib/duration.h"
#include "lib/log.h"
#include "lib/number.h"
#include "opts_int.h"
#include "ports.h"
#include "source/errorlog/follow.h"
#include "tunnels.h"
#include "sink/formats.h"

#define OPTS_RING_MIB	 1024u /* most */
#define OPTS_SOCKET_PATH 108   /* unix(7) */
#define OPTS_SAVE_FILES	 100000u
#define OPTS_SAVE_MIB	 (1u << 20)  /* a TiB */
#define OPTS_CONNECTIONS (16u << 20) /* most; each may take kilobytes */

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

int opts_set_config(struct opts *opts, const char *value)
{
	opts->config = value;
	return 0;
}

static int set_run_as(struct opts *opts, const char *value)
{
	opts->run_as = value;
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
	opts_error(opts, "'%s' is not a format: use text, json or otlp", value);
	return -EINVAL;
}

static int set_hook(struct opts *opts, const char *value)
{
	opts->hook = strcmp(value, "xdp") ? LIVE_HOOK_TC : LIVE_HOOK_XDP;
	if (!strcmp(value, "tc") || !strcmp(value, "xdp"))
		return 0;
	opts_error(opts, "'%s' is not a hook: use tc or xdp", value);
	return -EINVAL;
}

static int set_witness(struct opts *opts, const char *value)
{
	static const char *const ways[] = {[SOCKETS_AUTO] = "auto",
					   [SOCKETS_BPF] = "bpf",
					   [SOCKETS_DIAG] = "diag",
					   [SOCKETS_OFF] = "off"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		opts->witness = (enum sockets_way)i;
		if (!strcmp(ways[i], value))
			return 0;
	}
	opts_error(opts, "'%s' is no way to look at sockets: use auto, bpf, diag or off", value);
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
	opts_error(opts, "'%s' is not a number of connections: use 1 to %u", value,
		   OPTS_CONNECTIONS);
	return -EINVAL;
}

static int set_listen(struct opts *opts, const char *value)
{
	opts->listen = value ? value : OPTS_LISTEN_DEFAULT;
	return 0;
}

static int set_socket(struct opts *opts, const char *value)
{
	opts->socket = value ? value : OPTS_SOCKET_DEFAULT;
	if (strlen(opts->socket) < OPTS_SOCKET_PATH && *opts->socket == '/')
		return 0;
	opts_error(opts, "'%s' is no path for a socket: use an absolute one of at most %d bytes",
		   opts->socket, OPTS_SOCKET_PATH - 1);
	return -EINVAL;
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
	opts_error(opts, "'%s' is not a size: use MiB, a power of two from 1 to %u", value,
		   OPTS_RING_MIB);
	return -EINVAL;
}

static int set_allowed_host(struct opts *opts, const char *value)
{
	if (!http_host_is_name(value)) {
		opts_error(opts,
			   "'%s' is not a host name: use letters, digits, - and ., without a port",
			   value);
		return -EINVAL;
	}
	if (opts->allowed_hosts_from != opts->source)
		opts->allowed_host_count = 0;
	opts->allowed_hosts_from = opts->source;
	return opts_append(&opts->allowed_hosts, &opts->allowed_host_count, value);
}

static int set_errorlog(struct opts *opts, const char *value)
{
	if (opts->errorlogs_from != opts->source)
		opts->errorlog_count = 0;
	opts->errorlogs_from = opts->source;
	if (opts->errorlog_count == FOLLOW_MOST) {
		opts_error(opts, "more than %d error logs: watch fewer servers in one run",
			   FOLLOW_MOST);
		return -EINVAL;
	}
	return opts_append(&opts->errorlogs, &opts->errorlog_count, value);
}

static int set_dir(struct opts *opts, const char **dir, const char *value)
{
	*dir = value;
	if (*value)
		return 0;
	opts_error(opts, "'' is not a directory: name one that exists, . for the current one");
	return -EINVAL;
}

static int set_state_dir(struct opts *opts, const char *value)
{
	return set_dir(opts, &opts->state_dir, value);
}

static int set_textfile(struct opts *opts, const char *value)
{
	opts->textfile = value;
	return 0;
}

static int set_report(struct opts *opts, const char *value)
{
	size_t len = strlen(value);

	opts->report = value;
	if (len < 4 || strcasecmp(value + len - 4, ".csv"))
		return 0;
	opts_error(opts,
		   "'%s': a live report is HTML, or text if its name ends in .txt; --format "
		   "json has a line for each login",
		   value);
	return -EINVAL;
}

static int set_keylog(struct opts *opts, const char *value)
{
	opts->keylog = value;
	return 0;
}

static int set_save(struct opts *opts, const char *value)
{
	return set_dir(opts, &opts->save, value);
}

static int set_save_files(struct opts *opts, const char *value)
{
	char *end;

	opts->save_files = (uint32_t)number_parse(value, OPTS_SAVE_FILES, &end);
	if (opts->save_files && !*end)
		return 0;
	opts_error(opts, "'%s' is not a number of files: use 1 to %u", value, OPTS_SAVE_FILES);
	return -EINVAL;
}

static int set_save_size(struct opts *opts, const char *value)
{
	char *end;

	opts->save_mib = (uint32_t)number_parse(value, OPTS_SAVE_MIB, &end);
	if (opts->save_mib && !*end)
		return 0;
	opts_error(opts, "'%s' is not a size: use MiB, from 1 to %u", value, OPTS_SAVE_MIB);
	return -EINVAL;
}

static int set_top_clients(struct opts *opts, const char *value)
{
	char *end;

	opts->top_clients = (uint32_t)number_parse(value, SINK_TOP_CLIENTS_MAX, &end);
	if ((opts->top_clients || !strcmp(value, "0")) && !*end)
		return 0;
	opts_error(opts, "'%s' is not a number of clients: use 0 to %u", value,
		   SINK_TOP_CLIENTS_MAX);
	return -EINVAL;
}

static int set_ms(const struct opts *opts, uint32_t *ms, const char *value)
{
	*ms = duration_parse_ms(value);
	if (*ms)
		return 0;
	opts_error(opts, "'%s' is not a time from 1ms to 1h: use 500ms, 2s, 1m or milliseconds",
		   value);
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

static int set_filter(struct opts *opts, enum filter_kind kind, const char *value)
{
	char why[FILTER_WHY];

	if (opts->filter_from[kind] != opts->source)
		filter_clear(&opts->filter, kind);
	opts->filter_from[kind] = opts->source;
	if (!filter_add(&opts->filter, kind, value, why))
		return 0;
	opts_error(opts, "--%s: %s", filter_kind_name(kind), why);
	return -EINVAL;
}

static int set_by(struct opts *opts, const char *value)
{
	char why[BY_WHY];

	if (!by_parse(&opts->by, value, why))
		return 0;
	opts_error(opts, "--by: %s", why);
	return -EINVAL;
}

static int set_every(struct opts *opts, const char *value)
{
	return set_ms(opts, &opts->every_ms, value);
}

#define SET_FILTER(name, kind)                                                                     \
	static int set_##name(struct opts *opts, const char *value)                                \
	{                                                                                          \
		return set_filter(opts, kind, value);                                              \
	}

SET_FILTER(client, FILTER_CLIENT)
SET_FILTER(server, FILTER_SERVER)
SET_FILTER(app, FILTER_APP)
SET_FILTER(driver, FILTER_DRIVER)
SET_FILTER(outcome, FILTER_OUTCOME)
SET_FILTER(verdict, FILTER_VERDICT)
SET_FILTER(slower, FILTER_SLOWER)

/* On the command line it has no value; in the configuration file it may have. */
static int set_verbose(struct opts *opts, const char *value)
{
	if (value && strcmp(value, "yes") && strcmp(value, "no")) {
		opts_error(opts, "'%s' is neither yes nor no", value);
		return -EINVAL;
	}
	opts->verbose = value && !strcmp(value, "no") ? 0 : opts->verbose + 1;
	return 0;
}

#define FLAG(member) offsetof(struct opts, member)

const struct opt opts_table[OPTS_COUNT] = {
	{"interface", 'i', OPT_LIVE, "NAME", set_interface, 0,
	 "watch this interface; repeatable (default: every interface that is up, loopback "
	 "included)"},
	{"read", 'r', OPT_LINE | OPT_MANY, "FILE", set_file, 0,
	 "read captures instead, in the order of time: pcap or pcapng, also compressed by gzip or "
	 "zstd; a directory stands for its captures, - for standard input"},
	{"port", 'p', 0, "PORTS", set_port, 0,
	 "ports of the servers, such as 1433,1500-1510; repeatable (default: 1433)"},
	{"any-port", 0, 0, NULL, NULL, FLAG(any_port),
	 "also detect TDS on all other ports, from a connection's first bytes"},
	{"sql-browser", 0, 0, NULL, NULL, FLAG(sql_browser),
	 "also watch the ports that SQL Server Browser announces (default)"},
	{"no-sql-browser", 0, OPT_NO, NULL, NULL, FLAG(sql_browser),
	 "ignore SQL Server Browser and watch only the ports of -p"},
	{"dependencies", 0, 0, NULL, NULL, FLAG(dependencies),
	 "also follow what hosts ask of DNS, KDCs, domain controllers and the like: why a login "
	 "waited (default)"},
	{"no-dependencies", 0, OPT_NO, NULL, NULL, FLAG(dependencies),
	 "follow connections to SQL Server only"},
	{"format", 0, 0, "FORMAT", set_format, 0,
	 "text for people (default); json: one object per line; or otlp: spans of OpenTelemetry"},
	{"heartbeat", 0, OPT_LIVE, NULL, NULL, FLAG(heartbeat),
	 "json: also write every second what was lost, and the logins that wait"},
	{"commands", 0, 0, NULL, NULL, FLAG(commands),
	 "also write a record for each command: kind, times, sizes"},
	{"sql", 0, 0, NULL, NULL, FLAG(sql),
	 "--commands, and the text of unencrypted commands: up to 4096 characters, passwords "
	 "masked"},
	{"keylog", 0, 0, "FILE", set_keylog, 0,
	 "decrypt TLS with the keys in this file, in the SSLKEYLOGFILE format; read as it grows"},
	{"show-identities", 0, 0, NULL, NULL, FLAG(show_identities),
	 "show user, domain and workstation names where they can be read"},
	{"errorlog", 0, 0, "FILE", set_errorlog, 0,
	 "also read SQL Server's error log, which says why a login was refused, and follow it "
	 "live; "
	 "repeatable"},
	{"explain", 0, 0, NULL, NULL, FLAG(explain),
	 "text: add each login's steps, the grounds of conclusions, and its times in SqlClient's "
	 "words"},
	{"one-line", 0, 0, NULL, NULL, FLAG(one_line),
	 "text: everything of a record on one line, for grep and awk"},
	{"only-problems", 0, 0, NULL, NULL, FLAG(only_problems),
	 "write only logins that failed or were slow, and sessions that were cut off; all are "
	 "counted"},
	{"client", 0, 0, "ADDR", set_client, 0,
	 "write only logins of this client: 10.0.0.5, 10.0.0.0/24, fd00::/8; filters are "
	 "repeatable, and all logins are counted"},
	{"server", 0, 0, "ADDR", set_server, 0,
	 "write only logins to this server: also 10.0.0.5:1433 or [fd00::5]:1433"},
	{"app", 0, 0, "NAME", set_app, 0,
	 "write only logins of this app; a shell pattern, such as 'sales*', will do"},
	{"driver", 0, 0, "NAME", set_driver, 0, "write only logins by this driver, or a pattern"},
	{"outcome", 0, 0, "NAME", set_outcome, 0,
	 "write only logins with this outcome: ok, refused, timed_out ..., or a pattern"},
	{"verdict", 0, 0, "NAME", set_verdict, 0,
	 "write only logins with this verdict, or a pattern: 'dc_*'"},
	{"slower", 0, 0, "TIME", set_slower, 0, "write only logins that took longer: 500ms, 2s"},
	{"by", 0, 0, "KEYS", set_by, 0,
	 "count logins by group instead of writing each: client,verdict and the like"},
	{"every", 0, OPT_LIVE, "TIME", set_every, 0, "with --by: how often (default: 10s)"},
	{"slow-login", 0, 0, "TIME", set_slow_login, 0,
	 "a login that takes longer is slow: 500ms, 2s, 1m, or milliseconds (default: 2s)"},
	{"slow-prelogin", 0, 0, "TIME", set_slow_prelogin, 0,
	 "a login is also slow if tcp, prelogin and tls together take longer (default: 1s)"},
	{"mirror", 0, OPT_LIVE, NULL, NULL, FLAG(mirror),
	 "the interfaces are mirror ports: both directions come in"},
	{"decap", 0, OPT_LIVE, "TUNNELS", set_decap, 0,
	 "look into tunnels on the interfaces of -i: vxlan[:PORT], geneve[:PORT], gre, erspan"},
	{"hook", 0, OPT_LIVE, "HOOK", set_hook, 0,
	 "where the kernel sees incoming packets: tc (default) or xdp"},
	{"socket-witness", 0, OPT_LIVE, "WAY", set_witness, 0,
	 "how to look at the sockets of this host that a login waits for: auto (default), bpf, "
	 "diag, or "
	 "off"},
	{"max-connections", 0, 0, "N", set_max_connections, 0,
	 "follow at most N connections and forget the oldest first (default: 65536)"},
	{"ring-size", 0, OPT_LIVE, "MIB", set_ring_size, 0,
	 "size of the ring buffer between kernel and user space, a power of two (default: 16)"},
	{"listen", 0, OPT_LIVE | OPT_LONE, "[ADDR:PORT]", set_listen, 0,
	 "serve a live page and metrics for Prometheus by HTTP; PORT listens on 127.0.0.1, :PORT "
	 "on every address (without a value: " OPTS_LISTEN_DEFAULT ")"},
	{"socket", 0, OPT_LIVE | OPT_LONE, "[PATH]", set_socket, 0,
	 "serve the records to programs of this host, such as tdsmon top, by a UNIX socket "
	 "(without a value: " OPTS_SOCKET_DEFAULT "; the service does so by default)"},
	{"no-socket", 0, OPT_LIVE | OPT_NO, NULL, NULL, FLAG(local),
	 "serve no UNIX socket, also as a service"},
	{"web-config", 0, OPT_LIVE, "FILE", set_web_config, 0,
	 "TLS and passwords for --listen, in the file format that Prometheus exporters share"},
	{"allowed-host", 0, OPT_LIVE, "NAME", set_allowed_host, 0,
	 "a name that --listen answers to, in addition to this host's own; repeatable"},
	{"state-dir", 0, OPT_LIVE, "DIR", set_state_dir, 0,
	 "with --listen: keep the page's history in this directory over restarts (the service "
	 "does so by default, in /var/lib/tdsmon)"},
	{"textfile", 0, 0, "FILE", set_textfile, 0,
	 "write the metrics to this file every 15 s and at the end"},
	{"report", 0, OPT_LIVE, "FILE", set_report, 0,
	 "write a report of the run to this file at the end, and on SIGUSR1: HTML, or text if its "
	 "name ends in .txt"},
	{"save", 0, 0, "DIR", set_save, 0,
	 "save the packets of each login that failed or was slow to a file of its own in this "
	 "directory: pcapng, secrets masked"},
	{"save-files", 0, 0, "N", set_save_files, 0,
	 "with --save: keep at most N files, and remove the oldest (default: 1000)"},
	{"save-size", 0, 0, "MIB", set_save_size, 0,
	 "with --save: keep at most so many MiB (default: 1024)"},
	{"top-clients", 0, 0, "N", set_top_clients, 0,
	 "in the metrics, count the N clients with the most logins one by one (default: 0)"},
	{"config", 0, OPT_LINE, "FILE", opts_set_config, 0,
	 "also read options from this file: lines \"name = value\"; SIGHUP reads it again"},
	{"run-as", 0, OPT_LIVE, "NAME", set_run_as, 0,
	 "started as root, continue as this user once attached (default: tdsmon if that user "
	 "exists, else nobody)"},
	{"verbose", 'v', 0, NULL, set_verbose, 0,
	 "log more of what tdsmon does; -vv: and of what libbpf does"},
	{"version", 'V', OPT_LINE, NULL, NULL, 0, "print the versions"},
	{"help", 'h', OPT_LINE, NULL, NULL, 0, "print this help"},
};

const struct opt_old opts_old[OPTS_OLD_COUNT] = {
	{"browser", "sql-browser"},
	{"no-browser", "no-sql-browser"},
	{"identities", "show-identities"},
	{"problems", "only-problems"},
	{"user", "run-as"},
};
