/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_slow.c - see verdict_row.h: logins that succeeded, in good time or late, and whom they
 * waited for.
 */
#include <string.h>

#include "text.h"
#include "verdict_row.h"

#define REDIRECT_NS (5 * NS_PER_S) /* a redirect is followed within this time */
#define BROWSER_NS  NS_PER_S	   /* from when SQL Server Browser is called slow */

static const struct step *longest_step(const struct login_record *r)
{
	const struct step *longest = NULL;

	for (size_t i = 0; i < r->step_count; i++) {
		if (!longest || r->steps[i].ns > longest->ns)
			longest = &r->steps[i];
	}
	return longest;
}

/* Tried before all that follow: a login that succeeded in good time is none of them. */
static bool is_fine(const struct login *l, const struct login_record *r)
{
	uint64_t before = 0;

	for (int i = PHASE_TCP; i <= PHASE_TLS; i++)
		before += r->phase_ns[i] == NO_NS ? 0 : r->phase_ns[i];
	return r->outcome == OUTCOME_OK && before <= l->limits->slow_prelogin_ns &&
	       r->total_ns <= l->limits->slow_login_ns;
}

static bool is_slow_browser(const struct login *l, const struct login_record *r)
{
	return is_fine(l, r) && r->browser.seen && r->browser.waited_ns >= BROWSER_NS;
}

static char *slow_browser_text(const struct login *l, const struct login_record *r)
{
	const struct lookup *b = &r->browser;

	(void)l;
	return text_format(
		"the login took %.3f ms, but before it the client waited %.3f s for SQL Server "
		"Browser, which %s: see UDP 1434 on the way, the Browser service, and the other "
		"addresses that the server's name has, or give the port in the connection string",
		(double)r->total_ns / 1e6, verdict_seconds(b->waited_ns),
		b->ns == NO_NS ? "did not answer"
		: b->retries   ? "had to be asked again"
			       : "was slow to answer");
}

static char *fine_text(const struct login *l, const struct login_record *r)
{
	const struct endpoint *by =
		history_sent_by(l->history, &r->client, &r->server, r->start_ns, REDIRECT_NS);

	if (by)
		return text_format("logged in after %.3f ms, sent here by the server on port %u "
				   "(redirect followed)",
				   (double)r->total_ns / 1e6, by->port);
	return text_after_ms("logged in after ", r->total_ns);
}

/* Is the longest step of this phase, ended by this message (NULL: any) and waited on that side? */
static bool slow_in(const struct login_record *r, enum phase phase, const char *name,
		    enum side waits_on)
{
	const struct step *s = longest_step(r);

	return s && s->phase == phase && s->waits_on == waits_on &&
	       (!name || !strcmp(s->name, name));
}

static double longest_s(const struct login_record *r)
{
	const struct step *s = longest_step(r);

	return s ? verdict_seconds(s->ns) : 0;
}

static bool is_slow_syn(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_TCP, "syn_retransmit", SIDE_SERVER) ||
	       slow_in(r, PHASE_TCP, "syn_retransmit", SIDE_NETWORK);
}

static char *slow_syn_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"%.3f s went by until one of %u SYNs was answered: %s", longest_s(r), l->syns,
		r->vantage == VANTAGE_SERVER
			? "they reached this host, so its listen queue was full"
			: "SYNs were lost on the way, or the server's listen queue was full");
}

static bool is_slow_network(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->wait_ns[SIDE_NETWORK] > r->total_ns / 2 ||
	       (r->tcp.retransmits && longest_s(r) < 1.0);
}

static char *slow_network_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"logged in after %.3f s, %.3f s of it on the network (%u retransmissions): "
		"see the path, not the server",
		verdict_seconds(r->total_ns), verdict_seconds(r->wait_ns[SIDE_NETWORK]),
		r->tcp.retransmits);
}

static bool is_slow_prelogin_server(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_PRELOGIN, NULL, SIDE_SERVER);
}

static char *slow_prelogin_server_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"the server took %.3f s to answer PRELOGIN, which costs it nothing: it is "
		"short of worker threads or CPU, or was just starting",
		longest_s(r));
}

static bool is_slow_tls(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_TLS, NULL, SIDE_SERVER) || slow_in(r, PHASE_TLS, NULL, SIDE_CLIENT);
}

static char *slow_tls_text(const struct login *l, const struct login_record *r)
{
	const struct step *s = longest_step(r);

	(void)l;
	return text_format("the %s took %.3f s in the TLS handshake (%s): %s",
			   side_name(s->waits_on), verdict_seconds(s->ns), s->name,
			   s->waits_on == SIDE_CLIENT
				   ? "a client that looks up certificate revocation does that"
				   : "the server is short of CPU or worker threads");
}

static bool is_slow_ticket(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_LOGIN, "login7", SIDE_CLIENT) &&
	       (r->auth.method == AUTH_KERBEROS || r->auth.method == AUTH_WINDOWS ||
		r->auth.method == AUTH_NTLM);
}

static char *slow_ticket_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the client took %.3f s before it sent LOGIN7, as it does to get its "
			   "ticket: see its domain controller (KDC) and its DNS",
			   longest_s(r));
}

static bool is_slow_token(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_AUTH, NULL, SIDE_CLIENT) && r->auth.method == AUTH_FEDAUTH;
}

static char *slow_token_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the client took %.3f s to get its federated token: see its way to the "
			   "token service",
			   longest_s(r));
}

static bool is_slow_domain(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_AUTH, NULL, SIDE_SERVER) && r->auth.method != AUTH_FEDAUTH;
}

static char *slow_domain_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"the server took %.3f s over the client's authentication message: it asks "
		"its domain controller then, which is slow, far away or overrun",
		longest_s(r));
}

static bool is_slow_login_server(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_in(r, PHASE_LOGIN, NULL, SIDE_SERVER);
}

static char *slow_login_server_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the server took %.3f s to answer LOGIN7: see its worker threads, logon "
			   "triggers, the database's state and, for Windows logins, its domain "
			   "controller",
			   longest_s(r));
}

static bool is_slow(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_OK && r->step_count;
}

static char *slow_text(const struct login *l, const struct login_record *r)
{
	const struct step *s = longest_step(r);

	(void)l;
	return text_format("logged in after %.3f s, of which %.3f s were spent in phase %s waiting "
			   "for the %s (%s)",
			   verdict_seconds(r->total_ns), verdict_seconds(s->ns),
			   phase_name(s->phase), side_name(s->waits_on), s->name);
}

static bool always(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return true;
}

const struct verdict verdict_slow[] = {
	{"slow_browser", is_slow_browser, slow_browser_text},
	{"ok", is_fine, fine_text},
	{"slow_connect", is_slow_syn, slow_syn_text},
	{"slow_network", is_slow_network, slow_network_text},
	{"slow_prelogin", is_slow_prelogin_server, slow_prelogin_server_text},
	{"slow_tls", is_slow_tls, slow_tls_text},
	{"slow_ticket", is_slow_ticket, slow_ticket_text},
	{"slow_token", is_slow_token, slow_token_text},
	{"slow_domain_controller", is_slow_domain, slow_domain_text},
	{"slow_login", is_slow_login_server, slow_login_server_text},
	{"slow", is_slow, slow_text},
	{"ok", always, fine_text},
	{NULL, NULL, NULL},
};
