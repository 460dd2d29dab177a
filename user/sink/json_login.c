// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_login.c - a login's record, in the order of its keys.
 */
#include <stdio.h>
#include <string.h>

#include "sink/json_int.h"
#include "lib/units.h"

static void json_version_raw(struct json_writer *w, uint32_t version)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", version);
	json_writer_text(w, "version_raw", version ? text : NULL);
}

static void json_features(struct json_writer *w, const char *key, const struct feature_list *list)
{
	char text[8];

	if (!list->known) {
		json_writer_null(w, key);
		return;
	}
	json_writer_array(w, key);
	for (int i = 0; i < list->count; i++) {
		const char *name = feature_name(list->ids[i]);

		snprintf(text, sizeof(text), "0x%02x", list->ids[i]);
		json_writer_text(w, NULL, name ? name : text);
	}
	json_writer_array_end(w);
}

static void json_tds(struct json_writer *w, const struct login_record *rec)
{
	json_writer_object(w, "tds");
	json_writer_text(w, "version", rec->tds.version);
	json_version_raw(w, rec->tds.version_raw);
	json_writer_text(w, "server_version", rec->tds.server_version);
	json_writer_text(w, "client_version", rec->tds.client_version);
	json_writer_text(w, "instance", rec->tds.instance);
	json_seen(w, "spid", rec->tds.spid);
	json_seen(w, "packet_size", rec->tds.packet_size);
	json_writer_text(w, "connection_id", rec->tds.connection_id);
	json_writer_text(w, "activity_id", rec->tds.activity_id);
	json_writer_text(w, "driver", rec->tds.driver);
	json_writer_text(w, "app", rec->tds.app);
	json_writer_text(w, "host", rec->tds.host);
	json_writer_text(w, "database", rec->tds.database);
	json_known(w, "read_only", rec->tds.read_only);
	json_features(w, "features", &rec->tds.features);
	json_features(w, "features_acked", &rec->tds.features_acked);
	json_writer_object_end(w);
}

static void json_browser(struct json_writer *w, const struct lookup *browser)
{
	if (!browser->seen) {
		json_writer_null(w, "browser");
		return;
	}
	json_writer_object(w, "browser");
	json_ns(w, "ns", browser->ns);
	json_writer_uint(w, "retries", browser->retries);
	json_writer_object_end(w);
}

static void json_encryption(struct json_writer *w, const struct login_record *rec)
{
	json_writer_object(w, "encryption");
	json_writer_text(w, "client", encrypt_option_name(rec->encryption.client));
	json_writer_text(w, "server", encrypt_option_name(rec->encryption.server));
	json_writer_text(w, "effective", encryption_name(rec->encryption.effective));
	json_writer_object_end(w);
}

static void json_alert(struct json_writer *w, const struct tls_facts *tls)
{
	if (tls->alert.from == SIDE_NONE) {
		json_writer_null(w, "alert");
		return;
	}
	json_writer_object(w, "alert");
	json_writer_text(w, "from", side_name(tls->alert.from));
	json_writer_text(w, "level", tls->alert.level);
	json_writer_text(w, "description", tls->alert.description);
	json_writer_object_end(w);
}

/* A date before 1970 is not written: no certificate in use has one. */
static void json_date(struct json_writer *w, const char *key, int64_t unix_s)
{
	if (unix_s < 0 || (uint64_t)unix_s > UINT64_MAX / NS_PER_S)
		json_writer_null(w, key);
	else
		json_time(w, key, (uint64_t)unix_s * NS_PER_S);
}

static void json_certificate(struct json_writer *w, const struct tls_facts *tls)
{
	if (!tls->cert.subject && !tls->cert.issuer) {
		json_writer_null(w, "certificate");
		return;
	}
	json_writer_object(w, "certificate");
	json_writer_text(w, "subject", tls->cert.subject);
	json_writer_text(w, "issuer", tls->cert.issuer);
	json_date(w, "not_after", tls->cert.not_after_s);
	json_writer_bool(w, "self_signed", tls->cert.self_signed);
	json_writer_object_end(w);
}

static void json_tls(struct json_writer *w, const struct tls_facts *tls)
{
	if (!tls->seen) {
		json_writer_null(w, "tls");
		return;
	}
	json_writer_object(w, "tls");
	json_writer_text(w, "version", tls->version);
	json_writer_text(w, "cipher", tls->cipher);
	json_writer_text(w, "sni", tls->sni);
	json_writer_text(w, "alpn", tls->alpn);
	json_writer_bool(w, "resumed", tls->resumed);
	json_alert(w, tls);
	json_certificate(w, tls);
	json_writer_object_end(w);
}

static void json_kerberos_fallback(struct json_writer *w, const char *spn)
{
	if (!spn) {
		json_writer_null(w, "kerberos_fallback");
		return;
	}
	json_writer_object(w, "kerberos_fallback");
	json_writer_text(w, "spn", spn);
	json_writer_text(w, "error", "KDC_ERR_S_PRINCIPAL_UNKNOWN");
	json_writer_object_end(w);
}

static void json_auth(struct json_writer *w, const struct login_record *rec)
{
	json_writer_object(w, "auth");
	json_writer_text(w, "method", auth_method_name(rec->auth.method));
	json_writer_text(w, "basis", basis_name(rec->auth.basis));
	json_writer_text(w, "grounds", rec->auth.grounds);
	json_writer_uint(w, "rounds", rec->auth.rounds);
	json_kerberos_fallback(w, rec->auth.missing_spn);
	json_writer_text(w, "user", rec->auth.user);
	json_writer_text(w, "domain", rec->auth.domain);
	json_writer_text(w, "workstation", rec->auth.workstation);
	json_writer_object_end(w);
}

static void json_error(struct json_writer *w, const struct login_record *rec)
{
	if (!rec->has_error) {
		json_writer_null(w, "error");
		return;
	}
	json_writer_object(w, "error");
	json_writer_int(w, "number", rec->error.number);
	json_writer_uint(w, "state", rec->error.state);
	json_writer_uint(w, "class", rec->error.class_);
	json_writer_text(w, "message", rec->error.message);
	json_writer_object_end(w);
}

static void json_timers(struct json_writer *w, const struct errorlog_entry *entry)
{
	char key[48];

	if (!entry->has_timers) {
		json_writer_null(w, "timers");
		return;
	}
	json_writer_object(w, "timers");
	for (int i = 0; i < TIMER_COUNT; i++) {
		strcpy(stpcpy(key, errorlog_timer_name((enum errorlog_timer)i)), "_ns");
		json_ns(w, key, entry->timer_ms[i] * 1000000ull);
	}
	json_writer_object_end(w);
}

static void json_errorlog(struct json_writer *w, const struct json_sink *sink,
			  const struct errorlog_entry *entry)
{
	if (!entry) {
		json_writer_null(w, "errorlog");
		return;
	}
	json_writer_object(w, "errorlog");
	json_writer_int(w, "number", entry->number);
	json_writer_uint(w, "state", entry->state);
	json_writer_uint(w, "class", entry->severity);
	json_writer_text(w, "reason", entry->reason);
	json_writer_text(w, "user", entry->user);
	json_time(w, "time", wallclock_ns(sink->config.clock, entry->time_ns));
	json_timers(w, entry);
	json_writer_object_end(w);
}

static void json_redirect(struct json_writer *w, const struct login_record *rec)
{
	if (!rec->redirect_host) {
		json_writer_null(w, "redirect");
		return;
	}
	json_writer_object(w, "redirect");
	json_writer_text(w, "host", rec->redirect_host);
	json_writer_uint(w, "port", rec->redirect_port);
	json_writer_object_end(w);
}

static void json_phases(struct json_writer *w, const struct login_record *rec)
{
	char key[32];

	json_writer_object(w, "phases");
	for (int i = 0; i < PHASE_SESSION; i++) {
		strcpy(stpcpy(key, phase_name((enum phase)i)), "_ns");
		json_ns(w, key, rec->phase_ns[i]);
	}
	json_writer_object_end(w);
}

static void json_steps(struct json_writer *w, const struct login_record *rec)
{
	json_writer_array(w, "steps");
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *s = &rec->steps[i];

		json_writer_object(w, NULL);
		json_writer_text(w, "name", step_kind_name(s->kind));
		json_writer_text(w, "phase", phase_name(s->phase));
		json_writer_text(w, "waits_on", side_name(s->waits_on));
		json_ns(w, "ns", s->ns);
		json_within(w, rec->parts, rec->part_count, i);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
}

static void json_host(struct json_writer *w, const struct host_facts *host)
{
	if (!host) {
		json_writer_null(w, "host");
		return;
	}
	json_writer_object(w, "host");
	json_writer_text(w, "side", side_name(host->side));
	json_writer_text(w, "process", host->process);
	if (host->pid)
		json_writer_uint(w, "pid", host->pid);
	else
		json_writer_null(w, "pid");
	json_writer_text(w, "cgroup", host->cgroup);
	json_writer_text(w, "container", host->container);
	json_writer_text(w, "pod", host->pod);
	if (host->has_queue) {
		json_writer_object(w, "accept_queue");
		json_writer_uint(w, "length", host->queue_length);
		json_writer_uint(w, "limit", host->queue_limit);
		json_writer_object_end(w);
	} else {
		json_writer_null(w, "accept_queue");
	}
	json_ns(w, "throttled_ns", host->throttled_ns);
	json_writer_object_end(w);
}

static void json_dependencies(struct json_writer *w, const struct login_record *rec)
{
	if (!rec->dependencies) {
		json_writer_null(w, "dependencies");
		return;
	}
	json_writer_array(w, "dependencies");
	for (size_t i = 0; i < rec->dependency_count; i++) {
		const struct dependency *d = &rec->dependencies[i];

		json_writer_object(w, NULL);
		json_writer_text(w, "side", side_name(d->side));
		json_writer_text(w, "kind", dependency_kind_name(d->kind));
		json_endpoint(w, "peer", &d->peer);
		json_writer_text(w, "operation", d->operation);
		json_writer_text(w, "target", d->target);
		json_writer_uint(w, "requests", d->requests);
		json_writer_uint(w, "unanswered", d->unanswered);
		json_ns(w, "ns", d->ns);
		json_ns(w, "rtt_ns", d->rtt_ns);
		json_writer_uint(w, "in_flight_most", d->in_flight_most);
		json_writer_text(w, "result", d->result);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
}

static void json_waits(struct json_writer *w, const struct login_record *rec)
{
	bool known = rec->total_ns != NO_NS;

	json_writer_object(w, "waits");
	json_ns(w, "client_ns", known ? rec->wait_ns[SIDE_CLIENT] : NO_NS);
	json_ns(w, "server_ns", known ? rec->wait_ns[SIDE_SERVER] : NO_NS);
	json_ns(w, "network_ns", known ? rec->wait_ns[SIDE_NETWORK] : NO_NS);
	json_writer_object_end(w);
}

static void json_before(struct json_writer *w, const struct before *before)
{
	if (!before->ns && before->dns_ns == NO_NS) {
		json_writer_null(w, "before");
		return;
	}
	json_writer_object(w, "before");
	json_ns(w, "dns_ns", before->dns_ns);
	json_writer_array(w, "attempts");
	for (uint32_t i = 0; i < before->count; i++) {
		json_writer_object(w, NULL);
		json_endpoint(w, "server", &before->attempts[i].server);
		json_writer_text(w, "outcome", outcome_name(before->attempts[i].outcome));
		json_ns(w, "ns", before->attempts[i].ns);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
	json_ns(w, "ns", before->ns ? before->ns : before->dns_ns);
	json_writer_object_end(w);
}

static void json_tcp_unacknowledged(struct json_writer *w, const struct login_record *rec)
{
	if (!rec->tcp.unacknowledged.sent) {
		json_writer_null(w, "unacknowledged");
		return;
	}
	json_writer_object(w, "unacknowledged");
	json_writer_text(w, "side", side_name(rec->tcp.unacknowledged.side));
	json_writer_uint(w, "bytes", rec->tcp.unacknowledged.bytes);
	json_writer_uint(w, "sent", rec->tcp.unacknowledged.sent);
	json_writer_uint(w, "shortest", rec->tcp.unacknowledged.shortest);
	json_writer_object_end(w);
}

static void json_tcp(struct json_writer *w, const struct login_record *rec)
{
	json_writer_object(w, "tcp");
	json_writer_uint(w, "syn_retransmits", rec->tcp.syn_retransmits);
	json_writer_uint(w, "retransmits", rec->tcp.retransmits);
	json_writer_uint(w, "out_of_order", rec->tcp.out_of_order);
	json_writer_uint(w, "zero_windows", rec->tcp.zero_windows);
	json_writer_uint(w, "missing_bytes", rec->tcp.missing_bytes);
	json_seen(w, "client_mss", rec->tcp.mss[SIDE_CLIENT] ?: -1);
	json_seen(w, "server_mss", rec->tcp.mss[SIDE_SERVER] ?: -1);
	json_tcp_unacknowledged(w, rec);
	json_writer_object_end(w);
}

void json_login(void *ctx, const struct login_record *rec)
{
	struct json_sink *sink = ctx;
	struct json_writer w =
		json_begin(sink, "login", rec->id, rec->start_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	json_writer_text(&w, "vantage", vantage_name(rec->vantage));
	json_writer_bool(&w, "mid_stream", rec->mid_stream);
	if (rec->has_proxied)
		json_endpoint(&w, "proxied_from", &rec->proxied_from);
	else
		json_writer_null(&w, "proxied_from");
	json_tds(&w, rec);
	json_browser(&w, &rec->browser);
	json_before(&w, &rec->before);
	json_encryption(&w, rec);
	json_tls(&w, &rec->tls);
	json_auth(&w, rec);
	json_known(&w, "mars", rec->mars);
	json_writer_text(&w, "outcome", outcome_name(rec->outcome));
	json_writer_text(&w, "outcome_basis", basis_name(rec->outcome_basis));
	json_writer_text(&w, "confidence", confidence_name(rec->confidence));
	json_writer_text(&w, "grounds", rec->outcome_grounds);
	json_error(&w, rec);
	json_errorlog(&w, sink, rec->errorlog);
	json_redirect(&w, rec);
	json_ns(&w, "total_ns", rec->total_ns);
	json_phases(&w, rec);
	json_steps(&w, rec);
	json_waits(&w, rec);
	json_host(&w, rec->host);
	json_dependencies(&w, rec);
	json_verdict(&w, &rec->verdict);
	json_tcp(&w, rec);
	json_end(&w);
}
