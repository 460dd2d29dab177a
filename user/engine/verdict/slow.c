/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * slow.c - see rule.h: logins that succeeded, in good time or late, and the side that they waited
 * for.
 */
#include <string.h>

#include "engine/protocol/wire_text.h"
#include "engine/verdict/recent.h"
#include "engine/verdict/rule.h"

#define RTO_NS (NS_PER_S / 5) /* no retransmission comes sooner: RFC 6298 and Linux's least */

static const struct step *longest_step(const struct login_record *r)
{
	const struct step *longest = NULL;

	for (size_t i = 0; i < r->step_count; i++) {
		if (!longest || r->steps[i].ns > longest->ns)
			longest = &r->steps[i];
	}
	return longest;
}

static double longest_s(const struct login_record *r)
{
	const struct step *s = longest_step(r);

	return s ? verdict_seconds(s->ns) : 0;
}

/* ---- in good time ---- */

static bool is_error_after(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && l->answer.loginack && l->answer.has_error &&
	       l->answer.error.class_ > 10;
}

static char *error_after_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("logged in, but with error %d, severity %u, in the same answer: see "
			   "whether the client can work with what it got",
			   l->answer.error.number, l->answer.error.class_);
}

/* Tried before all that follow: they do not fit a login that succeeded in good time. */
static bool is_fine(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && verdict_in_time(l, r);
}

static bool is_slow_browser(const struct login *l, const struct login_record *r)
{
	return is_fine(l, r) && r->browser.seen && r->browser.waited_ns >= l->env->slow_prelogin_ns;
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
		history_sent_by(l->env->history, &r->client, &r->server, r->start_ns);

	if (login_clock_jumped(l))
		return text_format(
			"logged in%s; the capture's clock jumped during this login, so how "
			"long it took is not known",
			r->outcome_basis == BASIS_INFERRED ? " (inferred)" : "");
	if (l->answer_cut)
		return text_format("logged in after %.3f ms (inferred: its answer was not read "
				   "whole, but the client's requests followed it)",
				   (double)r->total_ns / 1e6);
	if (by)
		return text_format(
			"logged in after %.3f ms, sent here by the server on port %u "
			"(inferred: it is this client's next connection to the port that "
			"the redirect named)",
			(double)r->total_ns / 1e6, by->port);
	if (r->outcome_basis == BASIS_INFERRED)
		return text_format("logged in after %.3f ms (inferred)", (double)r->total_ns / 1e6);
	return text_after_ms("logged in after ", r->total_ns);
}

/* It went through at once, but the client had tried other addresses for a long time. */
static bool is_after_attempts(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && r->before.count &&
	       r->before.ns > l->env->slow_login_ns && r->before.ns > r->total_ns;
}

static char *after_attempts_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format(
		"the login took %.3f ms, but before it the client tried %u other "
		"address%s in vain for %.3f s (inferred): MultiSubnetFailover=True makes "
		"drivers try all addresses at once; or take the dead ones out of DNS",
		(double)r->total_ns / 1e6, r->before.count, r->before.count == 1 ? "" : "es",
		verdict_seconds(r->before.ns));
}

/* ---- the path ---- */

/*
 * The server's host took the SYN as part of an earlier connection on the same ports, and answered
 * for that connection. The client reset it, and its next SYN went through (RFC 5961 4.2).
 */
static bool is_port_reused(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && l->tcp.port_reused && l->tcp.syns > 1;
}

static char *port_reused_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server answered the first SYN for an earlier connection on the "
			   "same ports, which it still held open; the client reset that one and "
			   "got through %.3f s later: the client uses its ports again too soon, or "
			   "a device in the path forgot the earlier connection",
			   verdict_seconds(l->tcp.last_syn_ns - l->tcp.syn_ns));
}

static bool is_slow_syn(const struct login *l, const struct login_record *r)
{
	const struct step *s = longest_step(r);

	(void)l;
	return s && s->phase == PHASE_TCP && s->ns > r->total_ns / 2;
}

static enum verdict slow_syn_verdict(const struct login *l, const struct login_record *r)
{
	if (l->tcp.syns < 2 || longest_step(r)->kind != STEP_SYN_RETRANSMIT)
		return V_SLOW_CONNECT;
	if (l->tcp.refusals)
		return V_LISTEN_QUEUE_FULL;
	return r->vantage == VANTAGE_SERVER ? V_LISTEN_QUEUE_FULL : V_SYN_LOST;
}

static char *slow_syn_text(const struct login *l, const struct login_record *r)
{
	const struct step *s = longest_step(r);

	if (s->kind == STEP_ACK)
		return text_format("the client's ACK came %.3f s after the SYN+ACK: one of the two "
				   "was lost on the way to or from the client",
				   verdict_seconds(s->ns));
	if (s->kind != STEP_SYN_RETRANSMIT)
		return text_format("the SYN was answered after %.3f s: a far or crowded path, or "
				   "the server's listen queue was full",
				   verdict_seconds(s->ns));
	if (l->tcp.refusals)
		return text_format("the server refused %u of %u SYNs (RST) before it took one, "
				   "which cost %.3f s: it was just starting, or its listen queue "
				   "was full",
				   l->tcp.refusals, l->tcp.syns, verdict_seconds(s->ns));
	return text_format(
		"%.3f s went by until one of %u SYNs was answered: %s", verdict_seconds(s->ns),
		l->tcp.syns,
		r->vantage == VANTAGE_SERVER
			? "they reached this host, so its listen queue was full: SQL Server "
			  "did not accept connections fast enough, see its CPU and worker threads"
			: "SYNs were lost on the way, or the server's listen queue was full");
}

/* The mark that ends the longest step; NULL: there is no mark. */
static const struct mark *longest_mark(const struct login *l, uint64_t *ns)
{
	uint64_t at = l->tcp.ack_ns ? l->tcp.ack_ns : l->mark_count ? l->marks[0].ts_ns : 0;
	const struct mark *longest = NULL;

	*ns = 0;
	for (uint32_t i = 0; i < l->mark_count; i++) {
		const struct mark *m = &l->marks[i];

		if (m->ts_ns > at + *ns) {
			*ns = m->ts_ns - at;
			longest = m;
		}
		at = m->ts_ns > at ? m->ts_ns : at;
	}
	return longest;
}

static bool is_zero_window(const struct login *l, const struct login_record *r)
{
	uint64_t ns;
	const struct mark *m = longest_mark(l, &ns);

	return m && m->zero_windows && r->outcome == OUTCOME_OK;
}

static char *zero_window_text(const struct login *l, const struct login_record *r)
{
	uint64_t ns;
	bool client;

	longest_mark(l, &ns);
	(void)r;
	client = l->tcp.zero_windows[SIDE_CLIENT] >= l->tcp.zero_windows[SIDE_SERVER];
	return text_format("the %s closed its TCP window while %.3f s went by: its program does "
			   "not read what came, see its CPU, memory and, of a paused machine, its "
			   "host",
			   client ? "client" : "server", verdict_seconds(ns));
}

/* Segments were late, lost or sent again while the login stood still. */
static bool is_retransmitted(const struct login *l, const struct login_record *r)
{
	uint64_t ns;
	const struct mark *m = longest_mark(l, &ns);

	return m && m->disorder && ns >= RTO_NS && r->outcome == OUTCOME_OK;
}

static char *retransmitted_text(const struct login *l, const struct login_record *r)
{
	uint64_t ns;
	const struct mark *m = longest_mark(l, &ns);

	return text_format("packets were lost: %.3f s went by until %s was through, with %u "
			   "retransmissions and %u segments out of order; see the path, not the "
			   "server",
			   verdict_seconds(ns), step_kind_name((enum step_kind)m->kind),
			   r->tcp.retransmits, r->tcp.out_of_order);
}

static bool is_slow_network(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->wait_ns[SIDE_NETWORK] > r->total_ns / 2;
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

/* ---- the sides ---- */

#define METHOD(m) (1u << (m))
#define WINDOWS	  (METHOD(AUTH_WINDOWS) | METHOD(AUTH_NTLM) | METHOD(AUTH_KERBEROS))
#define ANY	  UINT32_MAX

/*
 * Where the longest step was, and what it means: the first that fits. %.3f: its seconds; %s: its
 * message.
 */
static const struct slow {
	enum verdict verdict;
	uint8_t phase, side;
	uint8_t step;	  /* enum step_kind; STEP_COUNT: any step of that phase and side */
	uint32_t methods; /* METHOD bits */
	const char *text;
} slows[] = {
	{V_SLOW_PRELOGIN, PHASE_PRELOGIN, SIDE_SERVER, STEP_COUNT, ANY,
	 "the server took %.3f s to answer PRELOGIN, which costs it next to nothing; "
	 "possible causes: no free worker thread, too little CPU, or a server that was "
	 "just starting"},
	{V_SLOW_CLIENT, PHASE_PRELOGIN, SIDE_CLIENT, STEP_COUNT, ANY,
	 "the client took %.3f s after the TCP handshake before it sent PRELOGIN; possible "
	 "causes: too little CPU or too few threads, or a proxy that connects ahead"},
	{V_SLOW_TLS, PHASE_TLS, SIDE_CLIENT, STEP_CLIENT_HELLO, ANY,
	 "the client took %.3f s to begin TLS (client_hello); possible causes: too little "
	 "CPU or too few threads, or it loads its certificate store"},
	{V_SLOW_TLS, PHASE_TLS, SIDE_CLIENT, STEP_COUNT, ANY,
	 "the client took %.3f s in the TLS handshake (client_finished): a client that looks up "
	 "certificate revocation does that"},
	{V_SLOW_TLS, PHASE_TLS, SIDE_SERVER, STEP_COUNT, ANY,
	 "the server took %.3f s in the TLS handshake; possible causes: too little CPU, or "
	 "no free worker thread"},
	{V_SLOW_TICKET, PHASE_LOGIN, SIDE_CLIENT, STEP_COUNT, WINDOWS,
	 "the client took %.3f s before it sent %s; a Windows login gets its ticket "
	 "then, so check its domain controller (KDC) and its DNS"},
	{V_SLOW_TOKEN, PHASE_LOGIN, SIDE_CLIENT, STEP_COUNT, METHOD(AUTH_FEDAUTH),
	 "the client took %.3f s before it sent %s with its federated token; check its "
	 "way to the token service"},
	{V_SLOW_CLIENT, PHASE_LOGIN, SIDE_CLIENT, STEP_COUNT, METHOD(AUTH_SQL),
	 "the client took %.3f s before it sent %s; possible causes: too little CPU or "
	 "too few threads, or a certificate check after the handshake"},
	{V_SLOW_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, STEP_COUNT, ANY,
	 "the client took %.3f s before it sent %s; possible causes: a certificate "
	 "check, a ticket or token that was slow to come (its KDC, DNS or token service), "
	 "or too little CPU"},
	{V_SLOW_LOGIN, PHASE_LOGIN, SIDE_SERVER, STEP_COUNT, ANY,
	 "the server took %.3f s to answer %s; possible causes: no free worker thread, "
	 "a logon trigger, the database's state or, for Windows logins, its domain "
	 "controller"},
	{V_SLOW_TOKEN, PHASE_AUTH, SIDE_CLIENT, STEP_COUNT, METHOD(AUTH_FEDAUTH),
	 "the client took %.3f s to get its federated token; check its way to the token "
	 "service, and whether a person was asked"},
	{V_SLOW_TOKEN_CHECK, PHASE_AUTH, SIDE_SERVER, STEP_COUNT, METHOD(AUTH_FEDAUTH),
	 "the server took %.3f s over the client's federated token; check its way to the "
	 "identity provider, and logon triggers"},
	{V_SLOW_LOGIN, PHASE_AUTH, SIDE_SERVER, STEP_COUNT, METHOD(AUTH_KERBEROS),
	 "the server took %.3f s after it had the client's Kerberos ticket, which it seldom "
	 "checks with a domain controller; possible causes: no free worker thread, a logon "
	 "trigger or the database's state"},
	{V_SLOW_DOMAIN_CONTROLLER, PHASE_AUTH, SIDE_SERVER, STEP_COUNT, ANY,
	 "the server took %.3f s over the client's authentication message; it asks its "
	 "domain controller then, which may be slow, far away or overrun"},
	{V_SLOW_CLIENT, PHASE_AUTH, SIDE_CLIENT, STEP_COUNT, ANY,
	 "the client took %.3f s to answer the server's challenge; check its CPU and its "
	 "domain controller"},
};

static const struct slow *slow_side(const struct login_record *r)
{
	const struct step *s = longest_step(r);

	for (size_t i = 0; s && i < sizeof(slows) / sizeof(slows[0]); i++) {
		const struct slow *slow = &slows[i];

		if (slow->phase == s->phase && slow->side == s->waits_on &&
		    (slow->step == STEP_COUNT || slow->step == s->kind) &&
		    slow->methods & METHOD(r->auth.method))
			return slow;
	}
	return NULL;
}

static bool is_slow_side(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_side(r);
}

static enum verdict slow_side_verdict(const struct login *l, const struct login_record *r)
{
	(void)l;
	return slow_side(r)->verdict;
}

static char *slow_side_text(const struct login *l, const struct login_record *r)
{
	return text_format(slow_side(r)->text, longest_s(r),
			   tds_era(l->login7.version) == TDS_ERA_OLD ? "the login packet"
								     : "LOGIN7");
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
			   phase_name(s->phase), side_name(s->waits_on), step_kind_name(s->kind));
}

static bool always(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return true;
}

const struct verdict_row verdict_slow[] = {
	{.verdict = V_DEAD_ADDRESS_FIRST, .match = is_after_attempts, .text = after_attempts_text},
	{.verdict = V_PORT_REUSED, .match = is_port_reused, .text = port_reused_text},
	{.verdict = V_SLOW_BROWSER, .match = is_slow_browser, .text = slow_browser_text},
	{.verdict = V_ERROR_AFTER_LOGIN, .match = is_error_after, .text = error_after_text},
	{.verdict = V_OK, .match = is_fine, .text = fine_text, .unremarkable = true},
	{.verdict = V_SLOW_CONNECT,
	 .match = is_slow_syn,
	 .text = slow_syn_text,
	 .pick = slow_syn_verdict},
	{.verdict = V_ZERO_WINDOW, .match = is_zero_window, .text = zero_window_text},
	{.verdict = V_PACKETS_LOST, .match = is_retransmitted, .text = retransmitted_text},
	{.verdict = V_SLOW_NETWORK, .match = is_slow_network, .text = slow_network_text},
	{.match = is_slow_side, .text = slow_side_text, .pick = slow_side_verdict},
	{.verdict = V_SLOW, .match = is_slow, .text = slow_text},
	{.verdict = V_OK,
	 .match = always,
	 .text = fine_text,
	 .class = VERDICT_SLOW,
	 .unremarkable = true},
};
