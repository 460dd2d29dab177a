// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * servers.c - which servers of this host listen where, whether they are watched, and what those that
 * may be asked answer.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "doctor/doctor.h"
#include "doctor/listeners.h"
#include "doctor/server_probe.h"
#include "lib/ip_addr.h"

#define SERVER_PROCESS "sqlservr" /* SQL Server's, on Linux */
#define PORT_SQL       1433
#define PORT_DAC       1434 /* the dedicated administrator connection of a default instance */
#define EXPIRES_SOON_S (30 * 86400)

/* Ports on which SQL Server listens for others than clients. */
static const struct {
	uint16_t port;
	const char *what;
} server_others[] = {
	{135, "RPC"},
	{5022, "the usual port of the mirroring endpoint"},
	{51000, "the distributed transaction coordinator"},
};

static const char *servers_addr(const struct listening *one, char text[INET6_ADDRSTRLEN])
{
	bool v4 = ip_is_v4(one->addr);

	if (listening_anywhere(one))
		return "every address";
	return inet_ntop(v4 ? AF_INET : AF_INET6, one->addr + (v4 ? IP_V4_AT : 0), text,
			 INET6_ADDRSTRLEN);
}

static bool servers_is_sql(const struct listening *one)
{
	return !strcmp(one->process, SERVER_PROCESS);
}

/* NULL: it may well be for clients. */
static const char *servers_other(const struct listening *one)
{
	for (size_t i = 0; i < sizeof(server_others) / sizeof(server_others[0]); i++)
		if (server_others[i].port == one->port)
			return server_others[i].what;
	if (one->port == PORT_DAC && ip_is_loopback(one->addr))
		return "the dedicated administrator connection, of this host only";
	return NULL;
}

static void servers_one(struct findings *f, const struct listening *one, bool watched, bool any)
{
	char subject[FINDING_SUBJECT], addr[INET6_ADDRSTRLEN], who[64] = "a process not seen";
	const char *other = servers_is_sql(one) ? servers_other(one) : NULL;

	snprintf(subject, sizeof(subject), "port %u", one->port);
	if (one->pid)
		snprintf(who, sizeof(who), "%s (process %u)", one->process, one->pid);
	findings_add(f, "server", subject);
	findings_say(f, watched || any || other ? FINDING_OK : FINDING_MEND, "%s listens on %s%s%s%s",
		     who, servers_addr(one, addr),
		     one->elsewhere ? " in another network namespace (a container)" : "",
		     watched  ? ", and is watched"
		     : any    ? ": watched, if a connection begins with TDS (--any-port)"
		     : other  ? ", and is not watched: "
			      : ", and is not watched",
		     watched || any ? "" : other ?: "");
	if (!watched && !any && !other)
		findings_act(f, "add -p %u%s", one->port,
			     one->elsewhere ? ", and watch every interface, or the host's end of "
					      "that container's"
					    : "");
	if (!watched && !any && other)
		findings_act(f, "if clients log in there after all: add -p %u", one->port);
}

/* IPv4 and IPv6 sockets of one process on one port are one server. */
static bool servers_again(const struct listeners *l, size_t at)
{
	const struct listening *one = &l->all[at];

	for (size_t i = 0; i < at; i++)
		if (l->all[i].port == one->port && l->all[i].pid == one->pid &&
		    l->all[i].elsewhere == one->elsewhere && listening_anywhere(&l->all[i]) &&
		    listening_anywhere(one))
			return true;
	return false;
}

static void servers_list(struct findings *f, const struct listeners *l,
			 const struct live_config *live)
{
	size_t found = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct listening *one = &l->all[i];
		bool watched = port_set_has(live->ports, one->port);

		if (!watched && one->port != PORT_SQL && !servers_is_sql(one))
			continue;
		if (!servers_again(l, i))
			servers_one(f, one, watched, live->any_port);
		found++;
	}
	if (found)
		return;
	findings_add(f, "server", NULL);
	findings_say(
		f, FINDING_NOTE,
		"nothing on this host listens on a watched port, or is called " SERVER_PROCESS);
	findings_act(f, "fine on a client's host, a gateway or behind a mirror port; else name the "
			"server's port: -p PORT");
}

/* ---- asking ---- */

static void servers_said(struct findings *f, const struct server_probe *p)
{
	if (p->strict)
		findings_say(f, FINDING_OK, "TDS 8 (strict): %s", p->tls_words);
	else if (p->encryption == ENCRYPT_NOT_SUP)
		findings_say(f, FINDING_NOTE,
			     "SQL Server %s has no encryption: names and passwords pass in clear",
			     p->version);
	else if (p->tls)
		findings_say(f, FINDING_OK, "SQL Server %s, encryption %s: %s", p->version,
			     encrypt_option_name(p->encryption) ?: "not named", p->tls_words);
	else
		findings_say(f, FINDING_MEND, "SQL Server %s, encryption %s, but %s", p->version,
			     encrypt_option_name(p->encryption) ?: "not named", p->why);
	if (!p->strict && p->encryption == ENCRYPT_NOT_SUP)
		findings_act(f, "give the server a certificate");
	else if (!p->strict && !p->tls)
		findings_act(f, "see the server's error log, and whether it may read its "
				"certificate's key");
	else if (p->tls_old)
		findings_act(f, "TLS before 1.2 is refused by today's clients: update the server");
}

static void servers_certificate(struct findings *f, const char *subject,
				const struct server_probe *p)
{
	int64_t left = p->not_after_s - (int64_t)time(NULL);
	time_t end = (time_t)p->not_after_s;
	char day[32];
	struct tm tm;

	if (!p->tls || !*p->subject)
		return;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&end, &tm));
	findings_add(f, "certificate", subject);
	if (left < 0) {
		findings_say(f, FINDING_MEND, "%s ended on %s", p->subject, day);
		findings_act(f, "renew it: clients that check certificates refuse this server");
	} else if (left < EXPIRES_SOON_S) {
		findings_say(f, FINDING_NOTE, "%s ends on %s", p->subject, day);
		findings_act(f, "renew it in time");
	} else if (p->self_signed) {
		findings_say(f, FINDING_NOTE, "%s, signed by itself, until %s", p->subject, day);
		findings_act(f, "clients that check certificates refuse it unless they trust it");
	} else {
		findings_say(f, FINDING_OK, "%s, until %s", p->subject, day);
	}
}

/* Only now is it known that this port is a server's. */
static void servers_unwatched(struct findings *f, const char *subject,
			      const struct live_config *live, const struct listening *one)
{
	if (port_set_has(live->ports, one->port) || live->any_port || one->port == PORT_SQL ||
	    servers_is_sql(one))
		return;
	findings_add(f, "server", subject);
	findings_say(f, FINDING_MEND, "it speaks TDS, and is not watched");
	findings_act(f, "add -p %u", one->port);
}

static void servers_ask(struct findings *f, const struct listeners *l,
			const struct live_config *live, uint16_t port)
{
	const struct listening *one = NULL;
	struct endpoint server = {.port = port};
	struct server_probe probe;
	char subject[FINDING_SUBJECT];

	snprintf(subject, sizeof(subject), "port %u", port);
	for (size_t i = 0; i < l->count && !one; i++)
		if (l->all[i].port == port && !l->all[i].elsewhere)
			one = &l->all[i];
	findings_add(f, "endpoint", subject);
	if (!one) {
		findings_say(f, FINDING_MEND, "not asked: nothing on this host listens there");
		findings_act(f, "name a port of a server on this host: others are not asked");
		return;
	}
	memcpy(server.addr, one->addr, sizeof(server.addr));
	if (listening_anywhere(one))
		server.addr[15] = 1; /* ::1 */
	if (listening_anywhere(one) && ip_is_v4(one->addr))
		server.addr[IP_V4_AT] = 127;
	if (!server_probe(&server, &probe)) {
		findings_say(f, FINDING_MEND, "it does not speak TDS: %s", probe.why);
		findings_act(f, "see whether that port is SQL Server's");
		return;
	}
	servers_said(f, &probe);
	servers_unwatched(f, subject, live, one);
	servers_certificate(f, subject, &probe);
}

void doctor_servers(struct findings *f, const struct doctor_config *config)
{
	struct listeners l;
	int err = listeners_read(&l, SERVER_PROCESS);

	if (err) {
		findings_add(f, "server", NULL);
		findings_unseen(f, "this host's ports cannot be listed: %s", strerror(-err));
		return;
	}
	servers_list(f, &l, config->live);
	if (l.blind) {
		findings_add(f, "server", NULL);
		findings_unseen(f, "the processes of other users: a server on a port that is not "
				   "watched was not found, without root");
	}
	for (size_t i = 0; i < config->ask_count; i++)
		servers_ask(f, &l, config->live, config->ask[i]);
	f->failed |= l.failed;
	listeners_release(&l);
}
