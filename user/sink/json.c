// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json.c - the format "json": the record contract, one object per line. Every record has all keys
 * of the contract; null: not seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/json.h"
#include "lib/json_writer.h"
#include "lib/units.h"

#define JSON_RECORD_VERSION 1

struct json_sink {
	struct sink_config config;
};

static void *json_open(const struct sink_config *config)
{
	struct json_sink *sink = malloc(sizeof(*sink));

	if (sink)
		sink->config = *config;
	return sink;
}

static void json_free(void *sink)
{
	free(sink);
}

static void json_ns(struct json_writer *w, const char *key, uint64_t ns)
{
	if (ns == NO_NS)
		json_writer_null(w, key);
	else
		json_writer_uint(w, key, ns);
}

/* A number that is -1 if it was not seen. */
static void json_seen(struct json_writer *w, const char *key, int64_t n)
{
	if (n < 0)
		json_writer_null(w, key);
	else
		json_writer_int(w, key, n);
}

static void json_time(struct json_writer *w, const char *key, uint64_t wall_ns)
{
	char text[CLOCK_TEXT];

	json_writer_text(w, key, clock_rfc3339(wall_ns, text));
}

static void json_endpoint(struct json_writer *w, const char *key, const struct endpoint *ep)
{
	char addr[SINK_ADDR_MAX];

	json_writer_object(w, key);
	json_writer_text(w, "addr", sink_addr(ep->addr, addr));
	json_writer_uint(w, "port", ep->port);
	json_writer_object_end(w);
}

/* Begins a record; json_end() ends it. */
static struct json_writer json_begin(struct json_sink *sink, const char *type, uint64_t id,
				     uint64_t time_ns, const struct endpoint *client,
				     const struct endpoint *server)
{
	struct json_writer w = {.out = sink->config.out};
	char text[SINK_ID_MAX];

	json_writer_object(&w, NULL);
	json_writer_text(&w, "type", type);
	json_writer_uint(&w, "v", JSON_RECORD_VERSION);
	json_writer_text(&w, "id", sink_id(id, text));
	json_time(&w, "time", wallclock_ns(sink->config.clock, time_ns));
	json_endpoint(&w, "client", client);
	json_endpoint(&w, "server", server);
	return w;
}

static void json_end(struct json_writer *w)
{
	json_writer_object_end(w);
	output_write(w->out, "\n", 1);
}

static void json_interface(struct json_writer *w, const struct json_sink *sink, uint32_t ifindex)
{
	const struct sink_config *c = &sink->config;

	json_writer_text(w, "interface",
			 ifindex && c->interface_name ? c->interface_name(c->interfaces, ifindex)
						      : NULL);
}

static void json_tunnel(struct json_writer *w, uint32_t tunnel)
{
	const char *kind = tunnel_kind(tunnel);

	if (!kind) {
		json_writer_null(w, "tunnel");
		return;
	}
	json_writer_object(w, "tunnel");
	json_writer_text(w, "kind", kind);
	json_seen(w, "id", tunnel_id(tunnel));
	json_writer_object_end(w);
}

/* ---- login ---- */

static void json_version_raw(struct json_writer *w, uint32_t version)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", version);
	json_writer_text(w, "version_raw", version ? text : NULL);
}

/* known: 1, 0, or negative if not known */
static void json_known(struct json_writer *w, const char *key, int known)
{
	if (known < 0)
		json_writer_null(w, key);
	else
		json_writer_bool(w, key, known);
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

/* The parts of one step; null if they are unknown. */
static void json_within(struct json_writer *w, const struct step_part *parts, size_t count,
			size_t step)
{
	size_t i = 0;

	while (i < count && parts[i].step != step)
		i++;
	if (i == count) {
		json_writer_null(w, "within");
		return;
	}
	json_writer_array(w, "within");
	for (; i < count && parts[i].step == step; i++) {
		const struct step_part *p = &parts[i];

		json_writer_object(w, NULL);
		json_writer_text(w, "part", wait_part_name(p->part));
		json_ns(w, "ns", p->ns);
		json_writer_text(w, "basis", basis_name(p->basis));
		json_writer_text(w, "grounds", p->grounds);
		if (p->has_peer)
			json_endpoint(w, "peer", &p->peer);
		else
			json_writer_null(w, "peer");
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
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
	json_writer_object(w, "waits");
	json_ns(w, "client_ns", rec->wait_ns[SIDE_CLIENT]);
	json_ns(w, "server_ns", rec->wait_ns[SIDE_SERVER]);
	json_ns(w, "network_ns", rec->wait_ns[SIDE_NETWORK]);
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

static void json_verdict(struct json_writer *w, const struct verdict_words *verdict)
{
	if (verdict->id == V_NONE) {
		json_writer_null(w, "verdict");
		return;
	}
	json_writer_object(w, "verdict");
	json_writer_text(w, "name", verdict_name(verdict->id));
	json_writer_text(w, "class", verdict_class_name(verdict->class));
	json_writer_text(w, "text", verdict->text);
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
	json_writer_object_end(w);
}

static void json_login(void *ctx, const struct login_record *rec)
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

/* ---- close, command ---- */

static void json_commands(struct json_writer *w, const struct close_record *rec)
{
	json_writer_object(w, "commands");
	for (int i = 0; i < COMMAND_UNKNOWN; i++)
		json_writer_uint(w, command_kind_name((enum command_kind)i), rec->commands[i]);
	if (rec->commands_unfollowed)
		json_writer_null(w, "unknown");
	else
		json_writer_uint(w, "unknown", rec->commands[COMMAND_UNKNOWN]);
	json_writer_uint(w, "reset_connection", rec->reset_connections);
	json_writer_object_end(w);
}

static void json_mars(struct json_writer *w, const struct close_record *rec)
{
	if (!rec->has_mars) {
		json_writer_null(w, "mars");
		return;
	}
	json_writer_object(w, "mars");
	json_writer_uint(w, "sessions", rec->mars_sessions);
	json_writer_uint(w, "open", rec->mars_open);
	json_writer_uint(w, "window_stalls", rec->mars_window_stalls);
	json_writer_text(w, "basis", basis_name(rec->mars_basis));
	json_writer_object_end(w);
}

static void json_unacknowledged(struct json_writer *w, const struct close_record *rec)
{
	if (!rec->unacknowledged.sent) {
		json_writer_null(w, "unacknowledged");
		return;
	}
	json_writer_object(w, "unacknowledged");
	json_writer_text(w, "side", side_name(rec->unacknowledged.side));
	json_writer_uint(w, "bytes", rec->unacknowledged.bytes);
	json_writer_uint(w, "sent", rec->unacknowledged.sent);
	json_ns(w, "ns", rec->unacknowledged.ns);
	json_writer_object_end(w);
}

static void json_close(void *ctx, const struct close_record *rec)
{
	struct json_sink *sink = ctx;
	struct json_writer w =
		json_begin(sink, "close", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	json_writer_text(&w, "login", rec->has_login ? outcome_name(rec->login) : NULL);
	json_writer_text(&w, "by", side_name(rec->by));
	json_writer_text(&w, "how", close_how_name(rec->how));
	if (rec->reset_hops == NO_HOPS)
		json_writer_null(&w, "reset_hops");
	else
		json_writer_uint(&w, "reset_hops", (uint64_t)rec->reset_hops);
	json_writer_bool(&w, "graceful", rec->graceful);
	json_writer_text(&w, "phase", phase_name(rec->phase));
	json_ns(&w, "duration_ns", rec->duration_ns);
	json_writer_object(&w, "bytes");
	json_writer_uint(&w, "client", rec->bytes[SIDE_CLIENT]);
	json_writer_uint(&w, "server", rec->bytes[SIDE_SERVER]);
	json_writer_object_end(&w);
	json_commands(&w, rec);
	json_mars(&w, rec);
	json_unacknowledged(&w, rec);
	json_verdict(&w, &rec->verdict);
	json_end(&w);
}

static void json_command(void *ctx, const struct command_record *rec)
{
	struct json_sink *sink = ctx;
	struct json_writer w =
		json_begin(sink, "command", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_tunnel(&w, rec->tunnel);
	json_seen(&w, "spid", rec->spid);
	json_writer_text(&w, "kind", command_kind_name(rec->kind));
	json_seen(&w, "session", rec->session);
	json_ns(&w, "first_byte_ns", rec->first_byte_ns);
	json_ns(&w, "total_ns", rec->total_ns);
	json_writer_uint(&w, "request_bytes", rec->request_bytes);
	json_writer_uint(&w, "response_bytes", rec->response_bytes);
	json_writer_text(&w, "basis", basis_name(rec->basis));
	json_known(&w, "cancelled", rec->cancelled);
	json_known(&w, "answered", rec->answered);
	if (rec->sql_wanted) {
		json_writer_text(&w, "sql", rec->sql);
		json_writer_text(&w, "procedure", rec->procedure);
		json_writer_bool(&w, "sql_cut", rec->sql_cut);
	}
	json_end(&w);
}

/* ---- pending ---- */

static void json_pending(void *ctx, const struct pending_record *rec)
{
	struct json_sink *sink = ctx;
	struct json_writer w =
		json_begin(sink, "pending", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	json_writer_text(&w, "phase", phase_name(rec->phase));
	json_writer_text(&w, "waits_on", side_name(rec->waits_on));
	json_writer_text(&w, "for", rec->what);
	json_ns(&w, "ns", rec->ns);
	json_within(&w, rec->parts, rec->part_count, 0);
	json_end(&w);
}

const struct sink_ops json_sink = {
	.name = "json",
	.open = json_open,
	.login = json_login,
	.close = json_close,
	.command = json_command,
	.pending = json_pending,
	.free = json_free,
};
