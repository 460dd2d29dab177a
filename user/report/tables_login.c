// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tables_login.c - those functions of the tables that read logins.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/ip_addr.h"
#include "report/tables.h"

#define TABLE_PORT_MAPS 1024 /* 8 KiB each */
#define TABLE_DATE	16
#define TABLE_EXAMPLE	1024
#define PORTS		65536
/* MSS that an MTU of 1500 allows: RFC 9293 3.7.1 */
#define TABLE_MSS_IP4 1460
#define TABLE_MSS_IP6 1440

static struct group *table_row(struct groups *g, const char *const *parts)
{
	struct group_key key = {.len = 0};

	while (*parts)
		group_key_add(&key, *parts++);
	return group_table_get(g, &key);
}

struct group *table_count_parts(struct groups *g, const char *const *parts)
{
	struct group *row = table_row(g, parts);

	row->count++;
	return row;
}

void table_least(struct group *row, int extra, uint64_t value)
{
	if (value && (!row->extra[extra] || value < row->extra[extra]))
		row->extra[extra] = value;
}

struct group *table_login_parts(struct groups *g, const struct login_record *rec,
				const char *const *parts)
{
	struct group *row = table_count_parts(g, parts);

	row->failed += sink_failed(rec);
	row->slow += rec->verdict.class == VERDICT_SLOW;
	if (sink_timed(rec) && rec->total_ns != NO_NS)
		groups_add_time(g, row, rec->total_ns);
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

void table_causes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	if (is_trouble(rec))
		causes_example(s, table_login(g, rec, or_dash(verdict_name(rec->verdict.id)), NULL),
			       rec);
}

void table_causes_of_clients(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX];

	(void)s;
	if (is_trouble(rec))
		table_login(g, rec, or_dash(verdict_name(rec->verdict.id)),
			    client_addr(rec, client), NULL);
}

void table_servers(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX];

	(void)s;
	table_login(g, rec, sink_endpoint(&rec->server, server), NULL);
}

void table_clients(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX];

	(void)s;
	table_login(g, rec, client_addr(rec, client), NULL);
}

void table_apps(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	table_login(g, rec, rec->tds.app ? rec->tds.app : "(not seen)", NULL);
}

void table_databases(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tds.database && *rec->tds.database)
		table_login(g, rec, rec->tds.database, NULL);
}

void table_drivers(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tds.driver || rec->tds.version)
		table_login(g, rec, or_dash(rec->tds.driver), or_dash(rec->tds.client_version),
			    or_dash(rec->tds.version), NULL);
}

void table_processes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	const struct host_facts *host = rec->host;

	(void)s;
	if (host && (host->process || host->container || host->pod))
		table_login(g, rec, side_name(host->side), or_dash(host->process),
			    or_dash(host->pod ? host->pod : host->container), NULL);
}

void table_methods(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->outcome == OUTCOME_OK || rec->auth.method != AUTH_UNKNOWN)
		table_login(g, rec, auth_method_name(rec->auth.method), basis_name(rec->auth.basis),
			    NULL);
}

void table_encryptions(struct survey *s, struct groups *g, const struct login_record *rec)
{
	(void)s;
	if (rec->tls.seen || rec->encryption.effective != ENCRYPTION_UNKNOWN)
		table_login(g, rec, encryption_name(rec->encryption.effective),
			    or_dash(rec->tls.seen ? rec->tls.version : NULL),
			    or_dash(rec->tls.seen ? rec->tls.cipher : NULL), NULL);
}

/* RFC 8996 deprecates TLS 1.0 and 1.1. */
void table_weak(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_certificates(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char server[SINK_ENDPOINT_MAX], ends[TABLE_DATE], left[32];

	if (rec->tls.seen && rec->tls.cert.subject)
		table_count(g, sink_endpoint(&rec->server, server), rec->tls.cert.subject,
			    rec->tls.cert.self_signed ? "itself" : or_dash(rec->tls.cert.issuer),
			    date(rec->tls.cert.not_after_s, ends), days_left(s, rec, left), NULL);
}

void table_alerts(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->tls.seen && rec->tls.alert.from != SIDE_NONE)
		table_count(g, side_name(rec->tls.alert.from), or_dash(rec->tls.alert.level),
			    or_dash(rec->tls.alert.description), client_addr(rec, client),
			    sink_endpoint(&rec->server, server), NULL);
}

void table_errors(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_unanswered(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->outcome == OUTCOME_UNANSWERED || rec->outcome == OUTCOME_REJECTED)
		table_count(g,
			    rec->outcome == OUTCOME_UNANSWERED ? "no answer" : "refused by a RST",
			    client_addr(rec, client), sink_endpoint(&rec->server, server), NULL)
			->extra[0] += rec->tcp.syn_retransmits;
}

void table_late(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->verdict.id == V_ANSWER_TOO_LATE)
		table_login(g, rec, client_addr(rec, client), sink_endpoint(&rec->server, server),
			    or_dash(rec->tds.app), NULL);
}

void table_probes(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->verdict.class == VERDICT_ENDED)
		table_count(g, or_dash(verdict_name(rec->verdict.id)), client_addr(rec, client),
			    sink_endpoint(&rec->server, server), NULL);
}

void table_redirects(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_dead_first(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_instances(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_browser_unanswered(struct survey *s, struct groups *g, const struct browser_record *rec)
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

void table_dependencies(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_waits(struct survey *s, struct groups *g, const struct login_record *rec)
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
void table_packets(struct survey *s, struct groups *g, const struct login_record *rec)
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

void table_paths(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];

	(void)s;
	if (rec->verdict.id == V_PATH_DEAD)
		table_count(g, verdict_name(rec->verdict.id), client_addr(rec, client),
			    sink_endpoint(&rec->server, server), NULL);
}

/* Does the SYN of a side state less than Ethernet's MTU allows? */
static bool is_small_mss(const struct login_record *rec)
{
	uint16_t most = ip_is_v4(rec->server.addr) ? TABLE_MSS_IP4 : TABLE_MSS_IP6;

	for (int side = 0; side < 2; side++)
		if (rec->tcp.mss[side] && rec->tcp.mss[side] < most)
			return true;
	return false;
}

void table_mtu(struct survey *s, struct groups *g, const struct login_record *rec)
{
	char client[SINK_ADDR_MAX], server[SINK_ENDPOINT_MAX];
	bool lost = rec->verdict.id == V_MTU;
	struct group *row;

	(void)s;
	if (!lost && !is_small_mss(rec))
		return;
	row = table_count(g, sink_addr(rec->client.addr, client),
			  sink_endpoint(&rec->server, server),
			  lost ? side_name(rec->tcp.unacknowledged.side) : "", NULL);
	table_least(row, 0, rec->tcp.mss[SIDE_CLIENT]);
	table_least(row, 1, rec->tcp.mss[SIDE_SERVER]);
	if (!lost)
		return;
	row->extra[2] += rec->tcp.unacknowledged.sent;
	table_least(row, 3, rec->tcp.unacknowledged.shortest);
}

void table_ports(struct survey *s, struct groups *g, const struct login_record *rec)
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
