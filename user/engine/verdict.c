/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.c - see verdict.h. The table is the whole of it: name, match, sentence; the first that
 * fits wins, so what is more particular stands higher.
 */
#include <string.h>

#include "text.h"
#include "verdict.h"

#define SLOW_PRELOGIN_NS NS_PER_S	/* tcp, prelogin and tls together */
#define SLOW_LOGIN_NS	 (2 * NS_PER_S) /* the whole login */

#define REDIRECT_NS    (5 * NS_PER_S)  /* a redirect is followed within this time */
#define PARALLEL_NS    (NS_PER_S / 2)  /* parallel attempts begin this near to each other */
#define GUESSING_NS    (60 * NS_PER_S) /* this many refusals ... */
#define GUESSING_LEAST 20	       /* ... are no typing error any more */

struct verdict {
	const char *name;
	bool (*match)(const struct login *l, const struct login_record *r);
	char *(*text)(const struct login *l, const struct login_record *r);
};

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

/* What a side that left was waiting for: the message that is due in this state. */
static const char *due(const struct login *l)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	if (!l->ack_ns && l->syn_ns)
		return "the TCP handshake";
	switch (m ? m->phase : PHASE_PRELOGIN) {
	case PHASE_TCP:
	case PHASE_PRELOGIN:
		return l->owes == SIDE_SERVER ? "the PRELOGIN response" : "the client's PRELOGIN";
	case PHASE_TLS:
		return "the TLS handshake's next message";
	case PHASE_LOGIN:
		return l->owes == SIDE_SERVER ? "the answer to LOGIN7" : "LOGIN7";
	case PHASE_AUTH:
		return l->owes == SIDE_SERVER ? "the answer to the authentication message"
					      : "the client's authentication message";
	}
	return "an answer";
}

static const char *other_side(enum side s)
{
	return s == SIDE_CLIENT ? "server" : "client";
}

/* ---- packets missing ---- */

static bool is_missing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->lossy;
}

static char *missing_text(const struct login *l, const struct login_record *r)
{
	if (!l->missing_bytes && r->mid_stream)
		return text_format("the beginning of this login was not captured, so nothing is "
				   "concluded from the rest");
	if (!l->missing_bytes)
		return text_format(
			"the packet that completes the TCP handshake is missing from the "
			"capture, so no time is given");
	return text_format("%llu bytes of this login are missing from the capture, so nothing is "
			   "concluded from it",
			   (unsigned long long)l->missing_bytes);
}

static bool is_cut(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->unread;
}

static char *cut_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format("the capture cut packets short, so that the answer can't be read; "
			   "capture with a longer snap length");
}

static bool is_ended(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->at_end;
}

static char *ended_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the capture ended while %s was waited for", due(l));
}

static bool is_hidden(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_INCOMPLETE;
}

static char *hidden_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the login is encrypted, and what came after it does not tell whether it "
		"succeeded");
}

/* ---- TCP ---- */

static bool is_unanswered(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_UNANSWERED;
}

static char *unanswered_text(const struct login *l, const struct login_record *r)
{
	return text_format("%u SYN%s without an answer: host down, a firewall that drops, or the "
			   "listen queue is full%s",
			   l->syns, l->syns == 1 ? "" : "s",
			   r->vantage == VANTAGE_SERVER ? " (they did reach this host)" : "");
}

static bool is_rejected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REJECTED;
}

static char *rejected_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("connection refused: nothing listens on port %u, or a firewall rejects; "
			   "check that TCP is enabled and which port the instance has",
			   r->server.port);
}

/* ---- not TDS ---- */

static bool is_not_tds(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_NOT_TDS;
}

static char *not_tds_text(const struct login *l, const struct login_record *r)
{
	const struct mark *m = l->mark_count ? &l->marks[l->mark_count - 1] : NULL;

	(void)r;
	return text_format("what the %s sent is not TDS: %s",
			   m && m->waited_for == SIDE_SERVER ? "server" : "client",
			   m && m->waited_for == SIDE_SERVER
				   ? "another service listens on this port, or a proxy answers"
				   : "another protocol's client, or a scanner, dialled this port");
}

/* ---- time-outs ---- */

static bool is_late(const struct login *l, const struct login_record *r)
{
	(void)r;
	return l->late_answer;
}

static char *late_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server's answer came after the client had left, which had waited "
			   "%.3f s for it",
			   seconds(l->waited_ns));
}

static bool is_timed_out(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TIMED_OUT;
}

static char *timed_out_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	if (l->gave_up)
		return text_format("nobody has sent anything for %.0f s; the %s was due with %s",
				   seconds(l->waited_ns),
				   l->owes == SIDE_CLIENT ? "client" : "server", due(l));
	return text_format("the %s gave up after waiting %.3f s for %s from the %s",
			   l->closed_by == SIDE_CLIENT ? "client" : "server", seconds(l->waited_ns),
			   due(l), other_side(l->closed_by));
}

/* ---- TLS ---- */

static bool is_tls_alert(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->tls.alert.from != SIDE_NONE &&
	       r->tls.alert.description;
}

static char *tls_alert_text(const struct login *l, const struct login_record *r)
{
	uint8_t d = l->tls.alert.description;
	const char *next = "see both sides' TLS settings";

	if (d == 70)
		next = "client and server have no TLS version in common";
	else if (d == 40 || d == 71)
		next = "client and server have no cipher suite in common";
	else if (d >= 42 && d <= 48)
		next = "the server's certificate was refused";
	else if (d == 120)
		next = "the server does not speak TDS 8.0 (ALPN tds/8.0)";
	return text_format("the %s ended the TLS handshake with the alert %s: %s",
			   l->tls.alert.from == SIDE_CLIENT ? "client" : "server",
			   r->tls.alert.description, next);
}

static bool is_certificate(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_CLIENT &&
	       l->tls.server_hello;
}

static char *certificate_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"the client left %s without sending LOGIN7, as drivers do that do not "
		"trust the server's certificate%s%s%s",
		l->tls.done ? "after the TLS handshake was complete"
			    : "after the server's part of the TLS handshake",
		r->tls.cert.subject ? " (" : "", r->tls.cert.subject ? r->tls.cert.subject : "",
		r->tls.cert.subject ? r->tls.cert.self_signed ? ", self-signed)" : ")" : "");
}

static bool is_tls_refused(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_SERVER &&
	       !l->tls.server_hello;
}

static char *tls_refused_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	if (l->strict)
		return text_format("the server closed on a TLS ClientHello: it does not speak "
				   "TDS 8.0 (Encrypt=Strict)");
	return text_format(
		"the server closed on the ClientHello: no TLS version or cipher suite in "
		"common, or TLS was not agreed on");
}

static bool is_tls_failed(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TLS_FAILED;
}

static char *tls_failed_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the %s ended the connection in the TLS handshake%s",
			   l->closed_by == SIDE_SERVER ? "server" : "client",
			   l->tls.version == TLS_1_3 && !l->strict
				   ? ": TLS 1.3 was chosen inside TDS 7, which can't carry it"
				   : "");
}

/* ---- left ---- */

/* The other attempt may have begun a little earlier or later. */
static bool is_parallel(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_PROBE && !l->payload_ns[SIDE_CLIENT] &&
	       history_parallel(l->history, &r->client, &r->server, r->start_ns, PARALLEL_NS);
}

static char *parallel_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the client left without a byte, and dialled another address within half a "
		"second: the loser of parallel attempts (MultiSubnetFailover, transparent "
		"network IP resolution), or a health check of several servers");
}

static bool is_probe(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_PROBE;
}

static char *probe_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		l->payload_ns[SIDE_CLIENT]
			? "the client asked for PRELOGIN and left: a probe or health check"
			: "the client connected and left without a byte: a probe, a health "
			  "check or the loser of parallel attempts");
}

static bool is_encryption_mismatch(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_ABANDONED && l->state == LOGIN_DECIDED && !l->login7_clear &&
	       !l->login7_hidden && l->prelogin[SIDE_SERVER].version;
}

static char *encryption_mismatch_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the client left because of encryption: it says %s, the server %s",
			   encrypt_option_name(r->encryption.client)
				   ? encrypt_option_name(r->encryption.client)
				   : "nothing",
			   encrypt_option_name(r->encryption.server)
				   ? encrypt_option_name(r->encryption.server)
				   : "nothing");
}

static bool is_abandoned(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_ABANDONED;
}

static char *abandoned_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the client left of its own accord while %s was due", due(l));
}

static bool is_device_reset(const struct login *l, const struct login_record *r)
{
	(void)r;
	return l->closed_how == CLOSE_RST && l->ttl_differs &&
	       (r->outcome == OUTCOME_DROPPED || r->outcome == OUTCOME_ABANDONED ||
		r->outcome == OUTCOME_TLS_FAILED);
}

static char *device_reset_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		"the connection was reset while %s was due, by a packet whose TTL is not "
		"that of the %s's other packets: a firewall or load balancer in the path "
		"may have sent it",
		due(l), l->closed_by == SIDE_CLIENT ? "client" : "server");
}

static bool is_dropped(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_DROPPED;
}

static char *dropped_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server %s the connection instead of %s; its error log says why",
			   l->closed_how == CLOSE_RST ? "reset" : "closed", due(l));
}

/* ---- refused ---- */

static const struct {
	int32_t number;
	const char *name, *text;
} errors[] = {
	{18456, "login_failed",
	 "login failed (18456): the state that tells why is in the server's error log alone"},
	{18452, "untrusted_domain",
	 "Windows login from an untrusted domain (18452): no Kerberos ticket, null credentials or "
	 "a local account"},
	{18470, "account_disabled", "the account is disabled (18470)"},
	{18486, "account_locked", "the account is locked out (18486)"},
	{18487, "password_expired", "the password has expired (18487)"},
	{18488, "password_must_change", "the password must be changed first (18488)"},
	{4060, "database_unavailable",
	 "the database can't be opened (4060): its name, its state, or no access to it"},
	{911, "database_unavailable", "there is no such database (911)"},
	{17892, "logon_trigger", "a logon trigger refused the login (17892)"},
	{18461, "single_user", "the server is in single user mode (18461)"},
	{18401, "upgrading", "the server is in script upgrade mode (18401)"},
	{40613, "database_unavailable",
	 "the database is not available just now (40613): try again"},
	{40615, "firewall_rule", "the server's firewall does not allow this address (40615)"},
};

static bool is_guessing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_REFUSED &&
	       history_failures(l->history, &r->client, r->end_ns, GUESSING_NS) >= GUESSING_LEAST;
}

static char *guessing_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"%u logins of this client were refused within a minute: somebody guesses "
		"passwords, or a service goes on with an old one",
		history_failures(l->history, &r->client, r->end_ns, GUESSING_NS));
}

static bool is_null_credentials(const struct login *l, const struct login_record *r)
{
	(void)r;
	return r->outcome == OUTCOME_REFUSED && l->null_credentials;
}

static char *null_credentials_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the client sent NTLM credentials without a name: it could not use its own, "
		"for want of a Kerberos delegation or a logged-in user");
}

static bool is_refused(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REFUSED;
}

static char *refused_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	if (!r->has_error)
		return text_format(
			"the server refused the login; encryption hides why: see its error "
			"log");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == r->error.number)
			return text_format("%s", errors[i].text);
	}
	return text_format("the server refused the login with error %d, severity %u",
			   r->error.number, r->error.class_);
}

static bool is_redirected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REDIRECTED;
}

static char *redirected_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the server sent the client on to %s port %u",
			   r->redirect_host ? r->redirect_host : "?", r->redirect_port);
}

/* ---- slow ---- */

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

static char *fine_text(const struct login *l, const struct login_record *r)
{
	const struct endpoint *by =
		history_sent_by(l->history, &r->client, &r->server, r->start_ns, REDIRECT_NS);

	if (by)
		return text_format("logged in after %.3f ms, sent here by the server on port %u "
				   "(redirect followed)",
				   (double)r->total_ns / 1e6, by->port);
	return text_format("logged in after %.3f ms", (double)r->total_ns / 1e6);
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

	return s ? seconds(s->ns) : 0;
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
		seconds(r->total_ns), seconds(r->wait_ns[SIDE_NETWORK]), r->tcp.retransmits);
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
			   side_name(s->waits_on), seconds(s->ns), s->name,
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
			   seconds(r->total_ns), seconds(s->ns), phase_name(s->phase),
			   side_name(s->waits_on), s->name);
}

static bool always(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return true;
}

static const struct verdict verdicts[] = {
	{"packets_missing", is_missing, missing_text},
	{"capture_cut", is_cut, cut_text},
	{"capture_ended", is_ended, ended_text},
	{"outcome_hidden", is_hidden, hidden_text},
	{"syn_unanswered", is_unanswered, unanswered_text},
	{"connection_refused", is_rejected, rejected_text},
	{"not_tds", is_not_tds, not_tds_text},
	{"reset_by_device", is_device_reset, device_reset_text},
	{"answer_too_late", is_late, late_text},
	{"timed_out", is_timed_out, timed_out_text},
	{"tls_alert", is_tls_alert, tls_alert_text},
	{"certificate_refused", is_certificate, certificate_text},
	{"tls_refused", is_tls_refused, tls_refused_text},
	{"tls_failed", is_tls_failed, tls_failed_text},
	{"parallel_attempt", is_parallel, parallel_text},
	{"probe", is_probe, probe_text},
	{"encryption_mismatch", is_encryption_mismatch, encryption_mismatch_text},
	{"client_left", is_abandoned, abandoned_text},
	{"server_dropped", is_dropped, dropped_text},
	{"guessing", is_guessing, guessing_text},
	{"null_credentials", is_null_credentials, null_credentials_text},
	{"login_refused", is_refused, refused_text},
	{"redirected", is_redirected, redirected_text},
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
};

/* A refusal is named by its error number, where that number has a name. */
static const char *refused_name(const struct login_record *r, const char *name)
{
	for (size_t i = 0; r->has_error && i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == r->error.number)
			return errors[i].name;
	}
	return name;
}

void verdict_find(const struct login *l, const struct login_record *r, const char **name,
		  char **text)
{
	const struct verdict *v = verdicts;

	while (!v->match(l, r))
		v++; /* the last always matches */
	*name = v->match == is_refused ? refused_name(r, v->name) : v->name;
	*text = v->text(l, r);
}
