// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tables.c - the tables of a report, see tables.h, and those of its functions that read logins.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report/tables.h"

#define TABLE_PORT_MAPS 1024 /* 8 KiB each */
#define TABLE_DATE	16
#define TABLE_EXAMPLE	1024
#define PORTS		65536

static struct group *table_row(struct groups *g, va_list parts)
{
	struct group_key key = {.len = 0};
	const char *part;

	while ((part = va_arg(parts, const char *)))
		group_key_add(&key, part);
	return groups_get(g, &key);
}

struct group *table_count(struct groups *g, ...)
{
	struct group *row;
	va_list parts;

	va_start(parts, g);
	row = table_row(g, parts);
	va_end(parts);
	row->count++;
	return row;
}

struct group *table_login(struct groups *g, const struct login_record *rec, ...)
{
	struct group *row;
	va_list parts;

	va_start(parts, rec);
	row = table_row(g, parts);
	va_end(parts);
	row->count++;
	row->failed += sink_failed(rec);
	row->slow += rec->verdict.class == VERDICT_SLOW;
	if (!sink_timed(rec) || rec->total_ns == NO_NS)
		return row;
	if (!row->times)
		row->times = calloc(1, sizeof(*row->times));
	if (row->times)
		spread_add(row->times, rec->total_ns);
	return row;
}

/* Parts may not be NULL, since that ends them. */
static const char *or_dash(const char *text)
{
	return text ? text : "";
}

static bool is_trouble(const struct login_record *rec)
{
	return sink_failed(rec) || rec->verdict.class == VERDICT_SLOW;
}

static const char *client_addr(const struct login_record *rec, char text[SINK_ADDR_MAX])
{
	return sink_addr(login_record_client(rec)->addr, text);
}

/* "10.0.0.1:50000 to 10.0.0.2:1433 (app), 2026-11-22 17:06:05, 15.0s, id" */
static void causes_example(const struct survey *s, struct group *row,
			   const struct login_record *rec)
{
	char client[SINK_ENDPOINT_MAX], server[SINK_ENDPOINT_MAX], when[CLOCK_TEXT],
		id[SINK_ID_MAX], length[CLOCK_TEXT], text[TABLE_EXAMPLE];
	uint64_t ns = rec->total_ns == NO_NS ? 0 : rec->total_ns;

	if (!group_example_wanted(row, ns))
		return;
	clock_rfc3339(wallclock_ns(s->clock, rec->start_ns), when);
	when[10] = ' ';
	snprintf(text, sizeof(text), "%s to %s%s%s%s, %.19s%s%s, %s",
		 sink_endpoint(login_record_client(rec), client),
		 sink_endpoint(&rec->server, server), rec->tds.app ? " (" : "",
		 rec->tds.app ? rec->tds.app : "", rec->tds.app ? ")" : "", when, ns ? ", " : "",
		 ns ? clock_duration(ns, length) : "", sink_id(rec->id, id));
	group_example_add(row, text, or_dash(rec->verdict.text), ns);
}

static void causes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	if (is_trouble(rec))
		causes_example(s, table_login(g, rec, or_dash(rec->verdict.name), NULL), rec);
}

static void causes_of_clients(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX];

	(void)s;
	if (is_trouble(rec))
		table_login(g, rec, or_dash(rec->verdict.name), client_addr(rec, client), NULL);
}

static void servers(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX];

	(void)s;
	table_login(g, rec, sink_endpoint(&rec->server, server), NULL);
}

static void clients(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX];

	(void)s;
	table_login(g, rec, client_addr(rec, client), NULL);
}

static void apps(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	table_login(g, rec, rec->tds.app ? rec->tds.app : "(not seen)", NULL);
}

static void databases(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tds.database && *rec->tds.database)
		table_login(g, rec, rec->tds.database, NULL);
}

static void drivers(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tds.driver || rec->tds.version)
		table_login(g, rec, or_dash(rec->tds.driver), or_dash(rec->tds.client_version),
			    or_dash(rec->tds.version), NULL);
}

static void processes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	const struct host_facts *host = rec->host;

	(void)s;
	if (host && (host->process || host->container || host->pod))
		table_login(g, rec, side_name(host->side), or_dash(host->process),
			    or_dash(host->pod ? host->pod : host->container), NULL);
}

static void methods(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->outcome == OUTCOME_OK || rec->auth.method != AUTH_UNKNOWN)
		table_login(g, rec, auth_method_name(rec->auth.method), basis_name(rec->auth.basis),
			    NULL);
}

static void encryptions(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tls.seen || rec->encryption.effective != ENCRYPTION_UNKNOWN)
		table_login(g, rec, encryption_name(rec->encryption.effective),
			    or_dash(rec->tls.seen ? rec->tls.version : NULL),
			    or_dash(rec->tls.seen ? rec->tls.cipher : NULL), NULL);
}

/* RFC 8996 deprecates TLS 1.0 and 1.1. */
static void weak(struct survey *s, struct groups *g, const struct login_record *rec)
{
	const char *version = rec->tls.seen ? rec->tls.version : NULL, *what = NULL;
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->encryption.effective == ENCRYPTION_NONE)
		what = "the login is not encrypted";
	else if (version && !strcmp(version, "1.0"))
		what = "TLS 1.0";
	else if (version && !strcmp(version, "1.1"))
		what = "TLS 1.1";
	if (what)
		table_login(g, rec, what, client_addr(rec, client),
			    sink_endpoint(&rec->server, server), or_dash(rec->tds.app), NULL);
}

static const char *date(int64_t unix_s, char text[TABLE_DATE])
{
	time_t t = unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(text, TABLE_DATE, "%Y-%m-%d", &tm))
		snprintf(text, TABLE_DATE, "?");
	return text;
}

/* "in 12 days", as seen from the login; a day that has begun counts. */
static const char *days_left(const struct survey *s, const struct login_record *rec, char text[32])
{
	int64_t now_s = (int64_t)(wallclock_ns(s->clock, rec->start_ns) / 1000000000ull);
	int64_t left = rec->tls.cert.not_after_s - now_s;

	if (left < 0)
		snprintf(text, 32, "%s", "ended");
	else if (left < 90 * 86400)
		snprintf(text, 32, "%s", left < 30 * 86400 ? "within 30 days" : "within 90 days");
	else
		snprintf(text, 32, "%s", "later than 90 days");
	return text;
}

static void certificates(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX], ends[TABLE_DATE], left[32];

	if (rec->tls.seen && rec->tls.cert.subject)
		table_count(g, sink_endpoint(&rec->server, server), rec->tls.cert.subject,
			    rec->tls.cert.self_signed ? "itself" : or_dash(rec->tls.cert.issuer),
			    date(rec->tls.cert.not_after_s, ends), days_left(s, rec, left), NULL);
}

static void alerts(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->tls.seen && rec->tls.alert.from != SIDE_NONE)
		table_count(g, side_name(rec->tls.alert.from), or_dash(rec->tls.alert.level),
			    or_dash(rec->tls.alert.description), client_addr(rec, client),
			    sink_endpoint(&rec->server, server), NULL);
}

static void errors(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char number[16] = "", state[8] = "";
	const char *message = "encrypted: number and text cannot be read";

	(void)s;
	if (!rec->has_error && rec->outcome != OUTCOME_REFUSED)
		return;
	if (rec->has_error) {
		snprintf(number, sizeof(number), "%" PRId32, rec->error.number);
		snprintf(state, sizeof(state), "%u", rec->error.state);
		message = or_dash(rec->error.message);
	}
	table_login(g, rec, number, state, message,
		    or_dash(rec->errorlog ? rec->errorlog->reason : NULL), NULL);
}

static void unanswered(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->outcome == OUTCOME_UNANSWERED || rec->outcome == OUTCOME_REJECTED)
		table_count(g,
			    rec->outcome == OUTCOME_UNANSWERED ? "no answer" : "refused by a RST",
			    client_addr(rec, client), sink_endpoint(&rec->server, server), NULL)
			->extra[0] += rec->tcp.syn_retransmits;
}

static void late(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->verdict.name && !strcmp(rec->verdict.name, "answer_too_late"))
		table_login(g, rec, client_addr(rec, client), sink_endpoint(&rec->server, server),
			    or_dash(rec->tds.app), NULL);
}

static void probes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->verdict.class == VERDICT_ENDED)
		table_count(g, or_dash(rec->verdict.name), client_addr(rec, client),
			    sink_endpoint(&rec->server, server), NULL);
}

static void redirects(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX], port[8] = "";

	(void)s;
	if (rec->outcome != OUTCOME_REDIRECTED)
		return;
	if (rec->redirect_host)
		snprintf(port, sizeof(port), "%u", rec->redirect_port);
	table_count(g, sink_endpoint(&rec->server, server),
		    or_dash(rec->redirect_host ? rec->redirect_host : "encrypted"), port, NULL);
}

static void dead_first(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	for (uint32_t i = 0; i < rec->before.count && i < BEFORE_MOST; i++) {
		uint64_t ns = rec->before.attempts[i].ns;
		struct group *row =
			table_count(g, client_addr(rec, client),
				    sink_endpoint(&rec->before.attempts[i].server, server),
				    outcome_name(rec->before.attempts[i].outcome), NULL);

		if (ns != NO_NS && ns > row->extra[0])
			row->extra[0] = ns;
	}
}

static void instances(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX];
	struct group *row;

	(void)s;
	if (!rec->browser.seen && !rec->tds.instance)
		return;
	row = table_login(g, rec, sink_endpoint(&rec->server, server), or_dash(rec->tds.instance),
			  NULL);
	row->extra[0] += rec->browser.seen;
	row->extra[1] += rec->browser.seen ? rec->browser.retries : 0;
	if (rec->browser.seen && rec->browser.waited_ns != NO_NS &&
	    rec->browser.waited_ns > row->extra[2])
		row->extra[2] = rec->browser.waited_ns;
}

static void browser_unanswered(struct survey *s, struct groups *g, const struct browser_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ADDR_MAX];
	struct group *row;

	(void)s;
	row = table_count(g, sink_addr(rec->client.addr, client),
			  sink_addr(rec->server.addr, server),
			  rec->instance ? rec->instance : "all instances", NULL);
	row->extra[0] += rec->questions;
	if (rec->waited_ns != NO_NS && rec->waited_ns > row->extra[1])
		row->extra[1] = rec->waited_ns;
}

static void dependencies(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char peer[SINK_ENDPOINT_MAX];

	(void)s;
	for (size_t i = 0; i < rec->dependency_count; i++) {
		const struct dependency *d = &rec->dependencies[i];
		struct group *row =
			table_count(g, side_name(d->side), dependency_kind_name(d->kind),
				    sink_endpoint(&d->peer, peer), or_dash(d->operation),
				    or_dash(d->result), NULL);

		row->extra[0] += d->requests;
		row->extra[1] += d->unanswered;
		if (d->ns != NO_NS && d->ns > row->extra[2])
			row->extra[2] = d->ns;
		if (d->rtt_ns != NO_NS && (!row->extra[3] || d->rtt_ns < row->extra[3]))
			row->extra[3] = d->rtt_ns;
		if (d->in_flight_most > row->extra[4])
			row->extra[4] = d->in_flight_most;
	}
}

static void waits(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	for (size_t i = 0; i < rec->part_count; i++) {
		const struct step_part *part = &rec->parts[i];
		struct group *row;

		if (part->step >= rec->step_count)
			continue;
		row = table_count(g, side_name(rec->steps[part->step].waits_on),
				  wait_part_name(part->part), basis_name(part->basis), NULL);
		row->extra[0] += part->ns;
		if (part->ns > row->extra[1])
			row->extra[1] = part->ns;
	}
}

/* Clients differ in what they lose; a server's own losses show in many of their rows. */
static void packets(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];
	struct group *row;

	(void)s;
	if (!rec->tcp.syn_retransmits && !rec->tcp.retransmits && !rec->tcp.out_of_order &&
	    !rec->tcp.zero_windows && !rec->tcp.missing_bytes)
		return;
	row = table_count(g, client_addr(rec, client), sink_endpoint(&rec->server, server), NULL);
	row->extra[0] += rec->tcp.syn_retransmits;
	row->extra[1] += rec->tcp.retransmits;
	row->extra[2] += rec->tcp.out_of_order;
	row->extra[3] += rec->tcp.zero_windows;
	row->extra[4] += rec->tcp.missing_bytes;
}

static void paths(struct survey *s, struct groups *g, const struct login_record *rec)
{
	const char *name = rec->verdict.name;
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (name && (!strcmp(name, "mtu") || !strcmp(name, "path_dead")))
		table_count(g, name, client_addr(rec, client), sink_endpoint(&rec->server, server),
			    NULL);
}

static void ports(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX];
	struct group *row = table_count(g, sink_addr(rec->client.addr, client), NULL);
	uint16_t port = rec->client.port;

	if (row != &g->other && !row->bits && s->port_maps < TABLE_PORT_MAPS) {
		row->bits = calloc(1, PORTS / 8);
		s->port_maps += row->bits != NULL;
	}
	if (row->bits)
		row->bits[port / 8] |= (uint8_t)(1 << port % 8);
}

#define LOGINS(id_, title_, note_, function, ...)                                                  \
	{                                                                                          \
		.id = id_, .title = title_, .note = note_, .parts = {__VA_ARGS__},                 \
		.order = group_by_count, .login = function                                         \
	}

const struct survey_table survey_tables[] = {
	[TABLE_CAUSES] = {.id = "causes",
			  .parts = {"cause"},
			  .order = group_by_count,
			  .login = causes},
	[TABLE_CAUSE_CLIENT] = {.parts = {"cause", "client"},
				.order = group_by_count,
				.login = causes_of_clients},
	[TABLE_SERVERS] = {.id = "servers",
			   .title = "Servers",
			   .parts = {"server"},
			   .order = group_by_trouble,
			   .login = servers},
	[TABLE_CLIENTS] = {.id = "clients",
			   .title = "Clients",
			   .parts = {"client"},
			   .order = group_by_trouble,
			   .login = clients},
	[TABLE_APPS] = {.id = "apps",
			.title = "Applications",
			.note = "The name is the client's own; encryption hides it.",
			.parts = {"application"},
			.order = group_by_trouble,
			.login = apps},
	LOGINS("databases", "Databases", "As the client asked for them; encryption hides them.",
	       databases, "database"),
	LOGINS("processes", "Processes on this host", "Those whose sockets slow logins waited for.",
	       processes, "side", "process", "pod or container"),
	LOGINS("errors", "Refusals by error", "The reason is the server's own, from its error log.",
	       errors, "error", "state", "message", "reason"),
	{.id = "unanswered",
	 .title = "SYNs unanswered or refused",
	 .parts = {"what", "client", "server"},
	 .count = "attempts",
	 .figures = FIGURES_COUNT,
	 .extras = {{"SYNs repeated", UNIT_COUNT}},
	 .order = group_by_count,
	 .login = unanswered},
	{.id = "dead-first",
	 .title = "Addresses tried in vain before a login",
	 .note = "Inferred from the same client's connections.",
	 .parts = {"client", "address", "outcome"},
	 .count = "attempts",
	 .figures = FIGURES_COUNT,
	 .extras = {{"longest", UNIT_NS}},
	 .order = group_by_count,
	 .login = dead_first},
	LOGINS("late", "Answers that came too late", "The client had left before the answer came.",
	       late, "client", "server", "application"),
	{.id = "waits",
	 .title = "Where long waits went",
	 .note = "Parts of steps of 20 ms and more, where something is known about them.",
	 .parts = {"waited for", "part", "basis"},
	 .count = "waits",
	 .figures = FIGURES_COUNT,
	 .extras = {{"sum", UNIT_NS}, {"longest", UNIT_NS}},
	 .order = group_by_count,
	 .login = waits},
	{.id = "dependencies",
	 .title = "DNS, Kerberos, domain controllers and others",
	 .note = "Requests that overlap a login's wait of 20 ms and more.",
	 .parts = {"asked by", "kind", "peer", "operation", "result"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .extras = {{"requests", UNIT_COUNT},
		    {"unanswered", UNIT_COUNT},
		    {"longest", UNIT_NS},
		    {"distance", UNIT_NS},
		    {"at once", UNIT_COUNT}},
	 .order = group_by_count,
	 .login = dependencies},
	LOGINS("auth", "Authentication", NULL, methods, "method", "basis"),
	LOGINS("weak", "Logins without encryption, or with an old TLS", NULL, weak, "what",
	       "client", "server", "application"),
	LOGINS("encryption", "Encryption", NULL, encryptions, "encrypted", "TLS", "cipher suite"),
	{.id = "certificates",
	 .title = "Certificates",
	 .note = "TLS 1.3 hides the certificate. The time left counts from the login.",
	 .parts = {"server", "subject", "issued by", "ends", "time left"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .login = certificates},
	{.id = "alerts",
	 .title = "TLS alerts",
	 .parts = {"from", "level", "alert", "client", "server"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .login = alerts},
	LOGINS("drivers", "Drivers", NULL, drivers, "driver", "version", "TDS"),
	{.id = "redirects",
	 .title = "Redirects",
	 .parts = {"from", "to", "port"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .login = redirects},
	{.id = "stranded",
	 .title = "After a redirect",
	 .note = "Inferred from the client's next connection.",
	 .parts = {"client", "redirected by", "what followed"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .close = table_close_redirects},
	{.id = "instances",
	 .title = "Named instances",
	 .parts = {"server", "instance"},
	 .extras = {{"asked Browser", UNIT_COUNT},
		    {"asked again", UNIT_COUNT},
		    {"longest wait", UNIT_NS}},
	 .order = group_by_count,
	 .login = instances},
	{.id = "browser",
	 .title = "SQL Server Browser did not answer",
	 .parts = {"client", "server", "instance"},
	 .count = "requests",
	 .figures = FIGURES_COUNT,
	 .extras = {{"datagrams", UNIT_COUNT}, {"longest wait", UNIT_NS}},
	 .order = group_by_count,
	 .browser = browser_unanswered},
	{.id = "pools",
	 .title = "Sessions and connection pools",
	 .note = "Short sessions had at most three requests: many of them, and no resets, mean "
		 "that "
		 "connections are opened for each piece of work and not pooled.",
	 .parts = {"client", "server"},
	 .count = "sessions",
	 .figures = FIGURES_COUNT,
	 .extras = {{"requests", UNIT_COUNT},
		    {"pool resets", UNIT_COUNT},
		    {"short sessions", UNIT_COUNT},
		    {"bytes sent", UNIT_BYTES},
		    {"bytes received", UNIT_BYTES}},
	 .order = group_by_count,
	 .close = table_close_pools},
	{.id = "endings",
	 .title = "How connections ended",
	 .parts = {"by", "how", "phase", "verdict"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .close = table_close_endings},
	{.id = "resets",
	 .title = "Resets",
	 .note = "Those after the TCP handshake that cut something off. reset_by_device: the RST "
		 "came from another "
		 "distance "
		 "than its side's other packets (inferred).",
	 .parts = {"by", "in phase", "verdict", "client", "server"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .close = table_close_resets},
	{.id = "attentions",
	 .title = "Attentions",
	 .note = "A request was cancelled, mostly by the client's command time-out. Some drivers "
		 "send "
		 "them as a matter of routine.",
	 .parts = {"client", "server"},
	 .count = "sessions",
	 .figures = FIGURES_COUNT,
	 .extras = {{"attentions", UNIT_COUNT}, {"requests", UNIT_COUNT}},
	 .order = group_by_count,
	 .close = table_close_attentions},
	{.id = "mars",
	 .title = "MARS",
	 .parts = {"client", "server", "basis"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .extras = {{"sessions", UNIT_COUNT},
		    {"left open", UNIT_COUNT},
		    {"window stalls", UNIT_COUNT}},
	 .order = group_by_count,
	 .close = table_close_mars},
	{.id = "paths",
	 .title = "Paths that lose, and keep-alives without an answer",
	 .note = "mtu: only full-size segments were lost. Live, keep-alive probes are not seen.",
	 .parts = {"what", "client", "server"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .extras = {{"bytes never acknowledged", UNIT_BYTES}, {"times sent", UNIT_COUNT}},
	 .order = group_by_count,
	 .login = paths,
	 .close = table_close_paths},
	{.id = "packets",
	 .title = "Lost, repeated and disordered packets of logins",
	 .parts = {"client", "server"},
	 .count = "logins",
	 .figures = FIGURES_COUNT,
	 .extras = {{"SYNs repeated", UNIT_COUNT},
		    {"segments repeated", UNIT_COUNT},
		    {"out of order", UNIT_COUNT},
		    {"windows closed", UNIT_COUNT},
		    {"bytes not seen", UNIT_BYTES}},
	 .order = group_by_count,
	 .login = packets},
	{.id = "ports",
	 .title = "Ephemeral ports of clients",
	 .note = "Windows has some 16,000, and keeps one for minutes after its connection ended. A "
		 "client that uses thousands opens connections without a pool.",
	 .parts = {"client"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .extras = {{"ports used", UNIT_PORTS}},
	 .order = group_by_count,
	 .login = ports},
	{.id = "probes",
	 .title = "Connections without a login",
	 .note = "Health checks, scanners, and the losers of parallel attempts.",
	 .parts = {"what", "client", "server"},
	 .count = "connections",
	 .figures = FIGURES_COUNT,
	 .order = group_by_count,
	 .login = probes},
};

const size_t survey_table_count = sizeof(survey_tables) / sizeof(survey_tables[0]);
