// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cause.c - see rule.h: why a side let a login wait, if its requests to others, or the waits of
 * other logins, show it. All of it is inferred from packets, and the sentences say so.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/dependency.h"
#include "engine/protocol/wire_text.h"
#include "engine/verdict/rule.h"
#include "lib/ip_addr.h"

#define STALL_NS (NS_PER_S / 5) /* shorter waits of several logins are no stall */

static bool is_failed_waiting(const struct login_record *r)
{
	return r->outcome == OUTCOME_TIMED_OUT || r->outcome == OUTCOME_ABANDONED ||
	       r->outcome == OUTCOME_DROPPED;
}

/* The step that took longest: the cause must have been in it. */
static const struct step *slowest_step(const struct login_record *r)
{
	const struct step *slowest = NULL;

	for (size_t i = 0; i < r->step_count; i++)
		if (!slowest || r->steps[i].ns > slowest->ns)
			slowest = &r->steps[i];
	return slowest;
}

static bool slowest_has_parts(const struct login_record *r)
{
	const struct step *slowest = slowest_step(r);

	for (size_t i = 0; i < r->part_count; i++)
		if (&r->steps[r->parts[i].step] == slowest)
			return true;
	return false;
}

static bool cause_is_dc(enum cause cause)
{
	return cause == CAUSE_DC_QUEUE || cause == CAUSE_DC_SLOW || cause == CAUSE_DC_FAR ||
	       cause == CAUSE_DC_UNREACHABLE;
}

static bool has_cause(const struct login *l, const struct login_record *r, enum cause cause)
{
	if (!r->findings || r->findings->cause != cause || !slowest_has_parts(r))
		return false;
	if (r->outcome == OUTCOME_OK)
		return !verdict_in_time(l, r) &&
		       !(l->answer.has_error && l->answer.error.class_ > 10);
	if (r->outcome == OUTCOME_REFUSED)
		return r->total_ns > l->env->slow_login_ns && cause_is_dc(cause);
	return is_failed_waiting(r) && cause != CAUSE_SERVER_BUSY;
}

#define PEER_LEN (INET6_ADDRSTRLEN + 8)

/* "10.0.0.1:88" */
static const char *peer_text(const struct exchange *x, char text[PEER_LEN])
{
	char addr[INET6_ADDRSTRLEN] = "";
	bool v4 = x && ip_is_v4(x->peer.addr);

	text[0] = 0;
	if (!x || !inet_ntop(v4 ? AF_INET : AF_INET6, x->peer.addr + (v4 ? IP_V4_AT : 0), addr,
			     sizeof(addr)))
		return text;
	strcpy(text, v4 ? "" : "[");
	strcat(text, addr);
	if (!v4)
		strcat(text, "]");
	return text;
}

/* How the login ended: "logged in after 3.000 s", "did not get through in 10.000 s". */
static char *cause_text(const struct login_record *r, const char *what)
{
	const char *how = r->outcome == OUTCOME_OK	  ? "logged in"
			  : r->outcome == OUTCOME_REFUSED ? "refused"
							  : "the login stopped";

	return text_format("%s after %.3f s: %s", how, verdict_seconds(r->total_ns), what);
}

static char *worded(const struct login_record *r, char *what)
{
	char *text = what ? cause_text(r, what) : NULL;

	free(what);
	return text;
}

static bool is_dc_queue(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_DC_QUEUE);
}

static char *dc_queue_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	uint64_t own = w->own && w->own->end_ns != NO_NS ? w->own->end_ns - w->own->start_ns : 0;
	char peer[PEER_LEN];

	(void)l;
	return worded(r,
		      text_format("for %.3f s the server's Netlogon calls for earlier logins to "
				  "domain controller %s were in flight, at most %u at a time, "
				  "before this login's own call began, which took %.3f s "
				  "(inferred from the calls' order): at %.3f s a call, %u at a "
				  "time serve %.1f logins a second; raise MaxConcurrentApi on the "
				  "server, make the domain controller faster, or use Kerberos",
				  verdict_seconds(w->cause_ns), peer_text(w->worst, peer),
				  w->in_flight, verdict_seconds(own), verdict_seconds(own),
				  w->in_flight, own ? w->in_flight / verdict_seconds(own) : 0.0));
}

static bool is_dc_slow(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_DC_SLOW);
}

static char *dc_slow_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	char peer[PEER_LEN];

	(void)l;
	if (w->rtt_ns == NO_NS)
		return worded(r,
			      text_format("the server waited %.3f s for domain controller %s "
					  "(inferred): check that controller's load",
					  verdict_seconds(w->cause_ns), peer_text(w->worst, peer)));
	return worded(r, text_format("the server waited %.3f s for domain controller %s, at most "
				     "%.1f ms away (inferred): check that controller's load, and "
				     "the trusts that it has to ask itself",
				     verdict_seconds(w->cause_ns), peer_text(w->worst, peer),
				     (double)w->rtt_ns / 1e6));
}

static bool is_dc_far(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_DC_FAR);
}

static char *dc_far_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	char peer[PEER_LEN];

	(void)l;
	return worded(r, text_format("the server waited %.3f s for domain controller %s, a round "
				     "trip of %.1f ms away (inferred): check which site the server "
				     "is in, and why it does not use a near controller",
				     verdict_seconds(w->cause_ns), peer_text(w->worst, peer),
				     (double)w->rtt_ns / 1e6));
}

static bool is_dc_unreachable(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_DC_UNREACHABLE);
}

static char *dc_unreachable_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	char peer[PEER_LEN];

	(void)l;
	return worded(r, text_format("the server's requests to domain controller %s went without "
				     "an acknowledgment for %.3f s (inferred: no request says for "
				     "which login it is): check that host and the path to it; test "
				     "with nltest /sc_query:DOMAIN on the server",
				     peer_text(w->worst, peer), verdict_seconds(w->cause_ns)));
}

static bool is_server_busy(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_SERVER_BUSY);
}

static char *server_busy_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;

	(void)l;
	return worded(r, text_format("the domain controller answered within %.3f ms, the rest is "
				     "the server's own time (inferred): check logon triggers, the "
				     "Resource Governor's classifier and the state of the login's "
				     "database",
				     (double)(w->own->end_ns - w->own->start_ns) / 1e6));
}

static bool is_slow_ldap(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_LDAP);
}

static char *slow_ldap_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	char peer[PEER_LEN];

	(void)l;
	return worded(r, text_format("the server waited %.3f s for the directory at %s (LDAP, "
				     "inferred: its answer came right before the login's): check "
				     "that directory's load and the search's indexes",
				     verdict_seconds(w->cause_ns), peer_text(w->worst, peer)));
}

static bool is_slow_kdc(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_KDC);
}

static char *slow_kdc_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	char peer[PEER_LEN];

	(void)l;
	return worded(r, text_format("the client waited %.3f s for its KDC at %s%s (inferred): "
				     "check that host and the path to it from the client",
				     verdict_seconds(w->cause_ns), peer_text(w->worst, peer),
				     w->worst && w->worst->state != EXCHANGE_ANSWERED
					     ? ", which did not answer"
					     : ""));
}

static bool is_kerberos_error(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_KERBEROS_ERROR);
}

static char *kerberos_error_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	const struct exchange *x = w->kerberos_error;
	bool spn = x && x->result && !strcmp(x->result, "KDC_ERR_S_PRINCIPAL_UNKNOWN");

	(void)l;
	return worded(r, text_format("the client spent %.3f s on Kerberos, and its KDC refused a "
				     "ticket%s%s with %s%s%s",
				     verdict_seconds(w->cause_ns), x && *x->target ? " for " : "",
				     x ? x->target : "", x && x->result ? x->result : "an error",
				     r->outcome == OUTCOME_OK && spn
					     ? ": the client fell back to NTLM (inferred)"
					     : "",
				     spn ? "; register the SPN for the server's service account: "
					   "setspn -S MSSQLSvc/HOST:PORT ACCOUNT"
					 : ": check the client's clock, account and realm"));
}

static bool is_slow_dns_within(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_DNS);
}

static char *slow_dns_within_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	const struct exchange *x = w->worst;
	char peer[PEER_LEN];

	(void)l;
	return worded(r, text_format("%.3f s of it went to DNS at %s%s%s (inferred): check that "
				     "name server",
				     verdict_seconds(w->cause_ns), peer_text(x, peer),
				     x && *x->target ? " for " : "", x ? x->target : ""));
}

static bool is_slow_dns_before(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && verdict_in_time(l, r) && r->before.dns_ns != NO_NS &&
	       r->before.dns_ns >= l->env->slow_prelogin_ns;
}

static char *slow_dns_before_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the login took %.3f ms, but before it the client waited %.3f s for DNS "
			   "to resolve the server's name (inferred: the look-up ended right before "
			   "the connection): check the client's name servers",
			   (double)r->total_ns / 1e6, verdict_seconds(r->before.dns_ns));
}

static bool is_certificate_check(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_CERTIFICATE_CHECK);
}

static char *certificate_check_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	const struct exchange *x = w->worst;

	(void)l;
	return worded(r, text_format("the client waited %.3f s for %s over HTTP meanwhile "
				     "(inferred: a revocation list or OCSP): let it reach that "
				     "host, or serve the list nearer",
				     verdict_seconds(w->cause_ns),
				     x && *x->target ? x->target : "another host"));
}

static bool is_slow_token(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_TOKEN);
}

static char *slow_token_text(const struct login *l, const struct login_record *r)
{
	const struct dependency_findings *w = r->findings;
	const struct exchange *x = w->worst;

	(void)l;
	return worded(r, text_format("%.3f s went by while %s was asked over HTTPS (inferred: a "
				     "token service): check the way to it",
				     verdict_seconds(w->cause_ns),
				     x && *x->target ? x->target : "another host"));
}

/*
 * The server let several logins wait for messages that cost it nothing, and answered them together.
 */
static bool is_server_stalled(const struct login *l, const struct login_record *r)
{
	const struct step *s = r->stalled_together ? slowest_step(r) : NULL;

	return s && r->outcome == OUTCOME_OK && !verdict_in_time(l, r) &&
	       s->waits_on == SIDE_SERVER && s->ns >= STALL_NS;
}

static char *server_stalled_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return worded(r,
		      text_format("the server let this login and %u others wait, and went on with "
				  "all of them at the same moment: SQL Server as a whole stood "
				  "still for %.3f s (inferred); possible causes: no free worker "
				  "thread (sys.dm_os_schedulers, THREADPOOL waits), no CPU, a "
				  "paused machine",
				  r->stalled_together, verdict_seconds(slowest_step(r)->ns)));
}

/* "sqlservr (pid 4711)", as far as known. */
#define PROCESS_LEN 40

static const char *process_text(const struct login_record *r, enum side side,
				char text[PROCESS_LEN])
{
	const struct host_facts *h = r->host;

	if (!h || h->side != side || !h->process)
		return side == SIDE_SERVER ? "the server's process" : "the client's process";
	snprintf(text, PROCESS_LEN, "%.15s (pid %u)", h->process, h->pid);
	return text;
}

static bool is_stalled_here(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_STALLED);
}

static char *not_accepted_text(const struct login_record *r, const char *process)
{
	const struct host_facts *h = r->host;
	char queue[80] = "";

	if (h && h->side == SIDE_SERVER && h->has_queue)
		snprintf(queue, sizeof(queue),
			 " with up to %u connections in its accept queue (limit %u)",
			 h->queue_length, h->queue_limit);
	return text_format(
		"%s let the connection wait unaccepted or unread for %.3f s%s (the kernel "
		"was asked): as a whole it hangs or gets no CPU; see its threads, its "
		"memory and the host's load",
		process, verdict_seconds(r->findings->cause_ns), queue);
}

static char *stopped_text(const struct login_record *r, enum side side, const char *process)
{
	double seconds = verdict_seconds(r->findings->cause_ns);

	if (r->host && r->host->side == side && r->host->frozen)
		return text_format("%s did not run for %.3f s, its cgroup was frozen: thaw it "
				   "(cgroup.freeze; of a paused container: podman or docker "
				   "unpause)",
				   process, seconds);
	return text_format("%s did not run for %.3f s, it was stopped (state T in /proc): let it "
			   "continue (kill -CONT), or detach the debugger that holds it",
			   process, seconds);
}

static char *stalled_here_text(const struct login *l, const struct login_record *r)
{
	char name[PROCESS_LEN];
	const char *process = process_text(r, SIDE_SERVER, name);
	double seconds = verdict_seconds(r->findings->cause_ns);

	(void)l;
	if (r->findings->stalled_by == PART_UNACCEPTED)
		return worded(r, not_accepted_text(r, process));
	if (r->findings->stalled_by == PART_STOPPED)
		return worded(r, stopped_text(r, SIDE_SERVER, process));
	return worded(r,
		      text_format("what the client had sent lay unread in the socket of %s for "
				  "%.3f s (the kernel was asked): as a whole it hangs or gets no "
				  "CPU; see its threads, its memory and the host's load",
				  process, seconds));
}

static bool is_throttled(const struct login *l, const struct login_record *r)
{
	return has_cause(l, r, CAUSE_THROTTLED);
}

static char *throttled_text(const struct login *l, const struct login_record *r)
{
	const struct host_facts *h = r->host;
	bool named = h && h->side == SIDE_SERVER && h->cgroup;
	char name[PROCESS_LEN];

	(void)l;
	return worded(r,
		      text_format("%s was kept from running for most of %.3f s, because the CPU "
				  "limit of its cgroup%s%s was used up: raise that limit (cpu.max, "
				  "cpu.cfs_quota_us; of a container or pod, its CPU limit)",
				  process_text(r, SIDE_SERVER, name),
				  verdict_seconds(r->findings->cause_ns), named ? " " : "",
				  named ? h->cgroup : ""));
}

/*
 * Only of a login that succeeded: else the server, or the client itself, ended the wait. After the
 * TLS handshake unread bytes may be session tickets (RFC 8446 4.6.1), which no client has to read
 * before it sends its login.
 */
static bool is_client_stalled(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && has_cause(l, r, CAUSE_CLIENT_STALLED) &&
	       (r->findings->stalled_by != PART_UNREAD || !l->tls.done ||
		slowest_step(r)->phase == PHASE_TLS);
}

static char *client_stalled_text(const struct login *l, const struct login_record *r)
{
	const char *name;
	char text[PROCESS_LEN];

	(void)l;
	name = process_text(r, SIDE_CLIENT, text);
	if (r->findings->stalled_by == PART_STOPPED)
		return worded(r, stopped_text(r, SIDE_CLIENT, name));
	if (r->findings->stalled_by == PART_THROTTLED)
		return worded(r, text_format("%s was kept from running for most of %.3f s, because "
					     "the CPU limit of its cgroup was used up: raise that "
					     "limit",
					     name, verdict_seconds(r->findings->cause_ns)));
	return worded(r,
		      text_format("what the server had sent lay unread in the client's socket, "
				  "of %s, for %.3f s (the kernel was asked): that process hangs, "
				  "is busy with something else or gets no CPU",
				  name, verdict_seconds(r->findings->cause_ns)));
}

/* The server's error log says meanwhile that no worker thread takes new requests. */
static bool is_worker_threads(const struct login *l, const struct login_record *r)
{
	const struct step *s = r->workers_stalled_s ? slowest_step(r) : NULL;

	return s && s->waits_on == SIDE_SERVER && s->ns >= STALL_NS &&
	       ((r->outcome == OUTCOME_OK && !verdict_in_time(l, r)) || is_failed_waiting(r));
}

static char *worker_threads_text(const struct login *l, const struct login_record *r)
{
	char stalled[32] = "";

	(void)l;
	if (r->workers_stalled_s > 1)
		snprintf(stalled, sizeof(stalled), " for %u s", r->workers_stalled_s);
	return worded(
		r, text_format("the server had no free worker thread: its error log says that "
			       "new requests were not picked up%s (17884), and this login "
			       "waited %.3f s for the server then (inferred); look for blocking, "
			       "long queries and 'max worker threads'",
			       stalled, verdict_seconds(slowest_step(r)->ns)));
}

const struct verdict_row verdict_stalls[] = {
	{.verdict = V_SLOW_DNS,
	 .match = is_slow_dns_before,
	 .text = slow_dns_before_text,
	 .class = VERDICT_SLOW},
	{.verdict = V_CPU_THROTTLED, .match = is_throttled, .text = throttled_text},
	{.verdict = V_WORKER_THREADS, .match = is_worker_threads, .text = worker_threads_text},
	{.verdict = V_SERVER_STALLED, .match = is_stalled_here, .text = stalled_here_text},
	{.verdict = V_SERVER_STALLED, .match = is_server_stalled, .text = server_stalled_text},
	{0},
};

/* All of them match by has_cause(). */
const struct verdict_row verdict_cause[] = {
	{.verdict = V_SLOW_CLIENT, .match = is_client_stalled, .text = client_stalled_text},
	{.verdict = V_DC_QUEUE, .match = is_dc_queue, .text = dc_queue_text},
	{.verdict = V_DC_UNREACHABLE, .match = is_dc_unreachable, .text = dc_unreachable_text},
	{.verdict = V_DC_FAR, .match = is_dc_far, .text = dc_far_text},
	{.verdict = V_DC_SLOW, .match = is_dc_slow, .text = dc_slow_text},
	{.verdict = V_SERVER_BUSY_WITH_LOGIN, .match = is_server_busy, .text = server_busy_text},
	{.verdict = V_SLOW_LDAP, .match = is_slow_ldap, .text = slow_ldap_text},
	{.verdict = V_KERBEROS_ERROR, .match = is_kerberos_error, .text = kerberos_error_text},
	{.verdict = V_SLOW_KDC, .match = is_slow_kdc, .text = slow_kdc_text},
	{.verdict = V_SLOW_DNS, .match = is_slow_dns_within, .text = slow_dns_within_text},
	{.verdict = V_CERTIFICATE_CHECK_SLOW,
	 .match = is_certificate_check,
	 .text = certificate_check_text},
	{.verdict = V_SLOW_TOKEN, .match = is_slow_token, .text = slow_token_text},
	{0},
};
