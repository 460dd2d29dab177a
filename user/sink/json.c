// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json.c - the format "json": the record contract, one object per line. Every key of the
 * contract is there in every record, null where the fact was not seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/json.h"
#include "lib/json_writer.h"

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

static void json_ns(struct jsonw *w, const char *key, uint64_t ns)
{
	if (ns == NO_NS)
		jsonw_null(w, key);
	else
		jsonw_uint(w, key, ns);
}

/* For numbers of which -1 says that they were not seen. */
static void json_seen(struct jsonw *w, const char *key, int64_t n)
{
	if (n < 0)
		jsonw_null(w, key);
	else
		jsonw_int(w, key, n);
}

static void json_time(struct jsonw *w, const char *key, uint64_t wall_ns)
{
	char text[CLOCK_TEXT];

	jsonw_text(w, key, clock_rfc3339(wall_ns, text));
}

static void json_endpoint(struct jsonw *w, const char *key, const struct endpoint *ep)
{
	char addr[SINK_ADDR_MAX];

	jsonw_object(w, key);
	jsonw_text(w, "addr", sink_addr(ep->addr, addr));
	jsonw_uint(w, "port", ep->port);
	jsonw_object_end(w);
}

/* The record that begins; json_end() ends it. */
static struct jsonw json_begin(struct json_sink *sink, const char *type, uint64_t id,
			       uint64_t time_ns, const struct endpoint *client,
			       const struct endpoint *server)
{
	struct jsonw w = {.out = sink->config.out};
	char text[SINK_ID_MAX];

	jsonw_object(&w, NULL);
	jsonw_text(&w, "type", type);
	jsonw_uint(&w, "v", JSON_RECORD_VERSION);
	jsonw_text(&w, "id", sink_id(id, text));
	json_time(&w, "time", wallclock_ns(sink->config.clock, time_ns));
	json_endpoint(&w, "client", client);
	json_endpoint(&w, "server", server);
	return w;
}

static void json_end(struct jsonw *w)
{
	jsonw_object_end(w);
	output_write(w->out, "\n", 1);
}

static void json_interface(struct jsonw *w, const struct json_sink *sink, uint32_t ifindex)
{
	const struct sink_config *c = &sink->config;

	jsonw_text(w, "interface",
		   ifindex && c->interface_name ? c->interface_name(c->interfaces, ifindex) : NULL);
}

static void json_tunnel(struct jsonw *w, uint32_t tunnel)
{
	const char *kind = tunnel_kind(tunnel);

	if (!kind) {
		jsonw_null(w, "tunnel");
		return;
	}
	jsonw_object(w, "tunnel");
	jsonw_text(w, "kind", kind);
	json_seen(w, "id", tunnel_id(tunnel));
	jsonw_object_end(w);
}

/* ---- login ---- */

static void json_version_raw(struct jsonw *w, uint32_t version)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", version);
	jsonw_text(w, "version_raw", version ? text : NULL);
}

/* known: 1, 0, or negative where it is not */
static void json_known(struct jsonw *w, const char *key, int known)
{
	if (known < 0)
		jsonw_null(w, key);
	else
		jsonw_bool(w, key, known);
}

static void json_features(struct jsonw *w, const char *key, const struct feature_list *list)
{
	char text[8];

	if (!list->known) {
		jsonw_null(w, key);
		return;
	}
	jsonw_array(w, key);
	for (int i = 0; i < list->count; i++) {
		const char *name = feature_name(list->ids[i]);

		snprintf(text, sizeof(text), "0x%02x", list->ids[i]);
		jsonw_text(w, NULL, name ? name : text);
	}
	jsonw_array_end(w);
}

static void json_tds(struct jsonw *w, const struct login_record *rec)
{
	jsonw_object(w, "tds");
	jsonw_text(w, "version", rec->tds.version);
	json_version_raw(w, rec->tds.version_raw);
	jsonw_text(w, "server_version", rec->tds.server_version);
	jsonw_text(w, "client_version", rec->tds.client_version);
	jsonw_text(w, "instance", rec->tds.instance);
	json_seen(w, "spid", rec->tds.spid);
	json_seen(w, "packet_size", rec->tds.packet_size);
	jsonw_text(w, "connection_id", rec->tds.connection_id);
	jsonw_text(w, "activity_id", rec->tds.activity_id);
	jsonw_text(w, "driver", rec->tds.driver);
	jsonw_text(w, "app", rec->tds.app);
	jsonw_text(w, "host", rec->tds.host);
	jsonw_text(w, "database", rec->tds.database);
	json_known(w, "read_only", rec->tds.read_only);
	json_features(w, "features", &rec->tds.features);
	json_features(w, "features_acked", &rec->tds.features_acked);
	jsonw_object_end(w);
}

static void json_browser(struct jsonw *w, const struct lookup *browser)
{
	if (!browser->seen) {
		jsonw_null(w, "browser");
		return;
	}
	jsonw_object(w, "browser");
	json_ns(w, "ns", browser->ns);
	jsonw_uint(w, "retries", browser->retries);
	jsonw_object_end(w);
}

static void json_encryption(struct jsonw *w, const struct login_record *rec)
{
	jsonw_object(w, "encryption");
	jsonw_text(w, "client", encrypt_option_name(rec->encryption.client));
	jsonw_text(w, "server", encrypt_option_name(rec->encryption.server));
	jsonw_text(w, "effective", encryption_name(rec->encryption.effective));
	jsonw_object_end(w);
}

static void json_alert(struct jsonw *w, const struct tls_facts *tls)
{
	if (tls->alert.from == SIDE_NONE) {
		jsonw_null(w, "alert");
		return;
	}
	jsonw_object(w, "alert");
	jsonw_text(w, "from", side_name(tls->alert.from));
	jsonw_text(w, "level", tls->alert.level);
	jsonw_text(w, "description", tls->alert.description);
	jsonw_object_end(w);
}

/* A date before 1970 is not written; no certificate in use has one. */
static void json_date(struct jsonw *w, const char *key, int64_t unix_s)
{
	if (unix_s < 0 || (uint64_t)unix_s > UINT64_MAX / 1000000000)
		jsonw_null(w, key);
	else
		json_time(w, key, (uint64_t)unix_s * 1000000000);
}

static void json_certificate(struct jsonw *w, const struct tls_facts *tls)
{
	if (!tls->cert.subject && !tls->cert.issuer) {
		jsonw_null(w, "certificate");
		return;
	}
	jsonw_object(w, "certificate");
	jsonw_text(w, "subject", tls->cert.subject);
	jsonw_text(w, "issuer", tls->cert.issuer);
	json_date(w, "not_after", tls->cert.not_after_s);
	jsonw_bool(w, "self_signed", tls->cert.self_signed);
	jsonw_object_end(w);
}

static void json_tls(struct jsonw *w, const struct tls_facts *tls)
{
	if (!tls->seen) {
		jsonw_null(w, "tls");
		return;
	}
	jsonw_object(w, "tls");
	jsonw_text(w, "version", tls->version);
	jsonw_text(w, "cipher", tls->cipher);
	jsonw_text(w, "sni", tls->sni);
	jsonw_text(w, "alpn", tls->alpn);
	jsonw_bool(w, "resumed", tls->resumed);
	json_alert(w, tls);
	json_certificate(w, tls);
	jsonw_object_end(w);
}

static void json_auth(struct jsonw *w, const struct login_record *rec)
{
	jsonw_object(w, "auth");
	jsonw_text(w, "method", auth_method_name(rec->auth.method));
	jsonw_text(w, "basis", basis_name(rec->auth.basis));
	jsonw_text(w, "grounds", rec->auth.grounds);
	jsonw_uint(w, "rounds", rec->auth.rounds);
	jsonw_text(w, "user", rec->auth.user);
	jsonw_text(w, "domain", rec->auth.domain);
	jsonw_text(w, "workstation", rec->auth.workstation);
	jsonw_object_end(w);
}

static void json_error(struct jsonw *w, const struct login_record *rec)
{
	if (!rec->has_error) {
		jsonw_null(w, "error");
		return;
	}
	jsonw_object(w, "error");
	jsonw_int(w, "number", rec->error.number);
	jsonw_uint(w, "state", rec->error.state);
	jsonw_uint(w, "class", rec->error.class_);
	jsonw_text(w, "message", rec->error.message);
	jsonw_object_end(w);
}

static void json_redirect(struct jsonw *w, const struct login_record *rec)
{
	if (!rec->redirect_host) {
		jsonw_null(w, "redirect");
		return;
	}
	jsonw_object(w, "redirect");
	jsonw_text(w, "host", rec->redirect_host);
	jsonw_uint(w, "port", rec->redirect_port);
	jsonw_object_end(w);
}

static void json_phases(struct jsonw *w, const struct login_record *rec)
{
	char key[32];

	jsonw_object(w, "phases");
	for (int i = 0; i < PHASE_SESSION; i++) {
		strcpy(stpcpy(key, phase_name((enum phase)i)), "_ns");
		json_ns(w, key, rec->phase_ns[i]);
	}
	jsonw_object_end(w);
}

/* The parts of one step; null where nothing is known of it. */
static void json_within(struct jsonw *w, const struct login_record *rec, size_t step)
{
	size_t i = 0;

	while (i < rec->part_count && rec->parts[i].step != step)
		i++;
	if (i == rec->part_count) {
		jsonw_null(w, "within");
		return;
	}
	jsonw_array(w, "within");
	for (; i < rec->part_count && rec->parts[i].step == step; i++) {
		const struct step_part *p = &rec->parts[i];

		jsonw_object(w, NULL);
		jsonw_text(w, "part", wait_part_name(p->part));
		json_ns(w, "ns", p->ns);
		jsonw_text(w, "basis", basis_name(p->basis));
		jsonw_text(w, "grounds", p->grounds);
		if (p->has_peer)
			json_endpoint(w, "peer", &p->peer);
		else
			jsonw_null(w, "peer");
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void json_steps(struct jsonw *w, const struct login_record *rec)
{
	jsonw_array(w, "steps");
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *s = &rec->steps[i];

		jsonw_object(w, NULL);
		jsonw_text(w, "name", s->name);
		jsonw_text(w, "phase", phase_name(s->phase));
		jsonw_text(w, "waits_on", side_name(s->waits_on));
		json_ns(w, "ns", s->ns);
		json_within(w, rec, i);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void json_host(struct jsonw *w, const struct host_facts *host)
{
	if (!host) {
		jsonw_null(w, "host");
		return;
	}
	jsonw_object(w, "host");
	jsonw_text(w, "side", side_name(host->side));
	jsonw_text(w, "process", host->process);
	if (host->pid)
		jsonw_uint(w, "pid", host->pid);
	else
		jsonw_null(w, "pid");
	jsonw_text(w, "cgroup", host->cgroup);
	jsonw_text(w, "container", host->container);
	jsonw_text(w, "pod", host->pod);
	if (host->has_queue) {
		jsonw_object(w, "accept_queue");
		jsonw_uint(w, "length", host->queue_length);
		jsonw_uint(w, "limit", host->queue_limit);
		jsonw_object_end(w);
	} else {
		jsonw_null(w, "accept_queue");
	}
	json_ns(w, "throttled_ns", host->throttled_ns);
	jsonw_object_end(w);
}

static void json_dependencies(struct jsonw *w, const struct login_record *rec)
{
	jsonw_array(w, "dependencies");
	for (size_t i = 0; i < rec->dependency_count; i++) {
		const struct dependency *d = &rec->dependencies[i];

		jsonw_object(w, NULL);
		jsonw_text(w, "side", side_name(d->side));
		jsonw_text(w, "kind", dependency_kind_name(d->kind));
		json_endpoint(w, "peer", &d->peer);
		jsonw_text(w, "operation", d->operation);
		jsonw_text(w, "target", d->target);
		jsonw_uint(w, "requests", d->requests);
		jsonw_uint(w, "unanswered", d->unanswered);
		json_ns(w, "ns", d->ns);
		json_ns(w, "rtt_ns", d->rtt_ns);
		jsonw_uint(w, "in_flight_most", d->in_flight_most);
		jsonw_text(w, "result", d->result);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void json_waits(struct jsonw *w, const struct login_record *rec)
{
	jsonw_object(w, "waits");
	json_ns(w, "client_ns", rec->wait_ns[SIDE_CLIENT]);
	json_ns(w, "server_ns", rec->wait_ns[SIDE_SERVER]);
	json_ns(w, "network_ns", rec->wait_ns[SIDE_NETWORK]);
	jsonw_object_end(w);
}

static void json_before(struct jsonw *w, const struct before *before)
{
	if (!before->ns && before->dns_ns == NO_NS) {
		jsonw_null(w, "before");
		return;
	}
	jsonw_object(w, "before");
	json_ns(w, "dns_ns", before->dns_ns);
	jsonw_array(w, "attempts");
	for (uint32_t i = 0; i < before->count; i++) {
		jsonw_object(w, NULL);
		json_endpoint(w, "server", &before->attempts[i].server);
		jsonw_text(w, "outcome", outcome_name(before->attempts[i].outcome));
		json_ns(w, "ns", before->attempts[i].ns);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	json_ns(w, "ns", before->ns ? before->ns : before->dns_ns);
	jsonw_object_end(w);
}

static void json_verdict(struct jsonw *w, const struct verdict_words *verdict)
{
	if (!verdict->name) {
		jsonw_null(w, "verdict");
		return;
	}
	jsonw_object(w, "verdict");
	jsonw_text(w, "name", verdict->name);
	jsonw_text(w, "class", verdict_class_name(verdict->class));
	jsonw_text(w, "text", verdict->text);
	jsonw_object_end(w);
}

static void json_tcp(struct jsonw *w, const struct login_record *rec)
{
	jsonw_object(w, "tcp");
	jsonw_uint(w, "syn_retransmits", rec->tcp.syn_retransmits);
	jsonw_uint(w, "retransmits", rec->tcp.retransmits);
	jsonw_uint(w, "out_of_order", rec->tcp.out_of_order);
	jsonw_uint(w, "zero_windows", rec->tcp.zero_windows);
	jsonw_uint(w, "missing_bytes", rec->tcp.missing_bytes);
	jsonw_object_end(w);
}

static void json_login(void *ctx, const struct login_record *rec)
{
	struct json_sink *sink = ctx;
	struct jsonw w =
		json_begin(sink, "login", rec->id, rec->start_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	jsonw_text(&w, "vantage", vantage_name(rec->vantage));
	jsonw_bool(&w, "mid_stream", rec->mid_stream);
	if (rec->has_proxied)
		json_endpoint(&w, "proxied_from", &rec->proxied_from);
	else
		jsonw_null(&w, "proxied_from");
	json_tds(&w, rec);
	json_browser(&w, &rec->browser);
	json_before(&w, &rec->before);
	json_encryption(&w, rec);
	json_tls(&w, &rec->tls);
	json_auth(&w, rec);
	json_known(&w, "mars", rec->mars);
	jsonw_text(&w, "outcome", outcome_name(rec->outcome));
	jsonw_text(&w, "outcome_basis", basis_name(rec->outcome_basis));
	jsonw_text(&w, "confidence", confidence_name(rec->confidence));
	json_error(&w, rec);
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

static void json_commands(struct jsonw *w, const struct close_record *rec)
{
	jsonw_object(w, "commands");
	for (int i = 0; i < COMMAND_UNKNOWN; i++)
		jsonw_uint(w, command_kind_name((enum command_kind)i), rec->commands[i]);
	if (rec->commands_unfollowed)
		jsonw_null(w, "unknown");
	else
		jsonw_uint(w, "unknown", rec->commands[COMMAND_UNKNOWN]);
	jsonw_uint(w, "reset_connection", rec->reset_connections);
	jsonw_object_end(w);
}

static void json_mars(struct jsonw *w, const struct close_record *rec)
{
	if (!rec->has_mars) {
		jsonw_null(w, "mars");
		return;
	}
	jsonw_object(w, "mars");
	jsonw_uint(w, "sessions", rec->mars_sessions);
	jsonw_uint(w, "open", rec->mars_open);
	jsonw_uint(w, "window_stalls", rec->mars_window_stalls);
	jsonw_text(w, "basis", basis_name(rec->mars_basis));
	jsonw_object_end(w);
}

static void json_unacknowledged(struct jsonw *w, const struct close_record *rec)
{
	if (!rec->unacknowledged.sent) {
		jsonw_null(w, "unacknowledged");
		return;
	}
	jsonw_object(w, "unacknowledged");
	jsonw_text(w, "side", side_name(rec->unacknowledged.side));
	jsonw_uint(w, "bytes", rec->unacknowledged.bytes);
	jsonw_uint(w, "sent", rec->unacknowledged.sent);
	json_ns(w, "ns", rec->unacknowledged.ns);
	jsonw_object_end(w);
}

static void json_close(void *ctx, const struct close_record *rec)
{
	struct json_sink *sink = ctx;
	struct jsonw w =
		json_begin(sink, "close", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	jsonw_text(&w, "login", rec->has_login ? outcome_name(rec->login) : NULL);
	jsonw_text(&w, "by", side_name(rec->by));
	jsonw_text(&w, "how", close_how_name(rec->how));
	jsonw_bool(&w, "graceful", rec->graceful);
	jsonw_text(&w, "phase", phase_name(rec->phase));
	json_ns(&w, "duration_ns", rec->duration_ns);
	jsonw_object(&w, "bytes");
	jsonw_uint(&w, "client", rec->bytes[SIDE_CLIENT]);
	jsonw_uint(&w, "server", rec->bytes[SIDE_SERVER]);
	jsonw_object_end(&w);
	json_commands(&w, rec);
	json_mars(&w, rec);
	json_unacknowledged(&w, rec);
	json_verdict(&w, &rec->verdict);
	json_end(&w);
}

static void json_command(void *ctx, const struct command_record *rec)
{
	struct json_sink *sink = ctx;
	struct jsonw w =
		json_begin(sink, "command", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_tunnel(&w, rec->tunnel);
	json_seen(&w, "spid", rec->spid);
	jsonw_text(&w, "kind", command_kind_name(rec->kind));
	json_seen(&w, "session", rec->session);
	json_ns(&w, "first_byte_ns", rec->first_byte_ns);
	json_ns(&w, "total_ns", rec->total_ns);
	jsonw_uint(&w, "request_bytes", rec->request_bytes);
	jsonw_uint(&w, "response_bytes", rec->response_bytes);
	jsonw_text(&w, "basis", basis_name(rec->basis));
	json_known(&w, "cancelled", rec->cancelled);
	json_known(&w, "answered", rec->answered);
	if (rec->sql_wanted) {
		jsonw_text(&w, "sql", rec->sql);
		jsonw_text(&w, "procedure", rec->procedure);
		jsonw_bool(&w, "sql_cut", rec->sql_cut);
	}
	json_end(&w);
}

/* ---- pending ---- */

static void json_pending(void *ctx, const struct pending_record *rec)
{
	struct json_sink *sink = ctx;
	struct jsonw w =
		json_begin(sink, "pending", rec->id, rec->time_ns, &rec->client, &rec->server);

	json_interface(&w, sink, rec->ifindex);
	json_tunnel(&w, rec->tunnel);
	jsonw_text(&w, "phase", phase_name(rec->phase));
	jsonw_text(&w, "waits_on", side_name(rec->waits_on));
	jsonw_text(&w, "for", rec->what);
	json_ns(&w, "ns", rec->ns);
	jsonw_null(&w, "within");
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
