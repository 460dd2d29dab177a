// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json.c - the format "json": the record contract, one object per line. Every key of the
 * contract is there in every record, null where the fact was not seen.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

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

/* clang-format off: a key and its value stand on one line */

/*
 * The builders of values, for json_pack()'s "o", which takes the reference over. One that fails
 * for want of memory returns NULL, and so does then the json_pack() around it.
 */
static json_t *json_text(const char *s)
{
	json_t *value = s ? json_string(s) : json_null();
	char *repaired;

	if (value)
		return value;
	/* json_string() takes nothing but valid UTF-8. */
	repaired = utf8_repair(s);
	value = repaired ? json_string(repaired) : NULL;
	free(repaired);
	return value;
}

static json_t *json_ns(uint64_t ns)
{
	return ns == NO_NS ? json_null() : json_integer((json_int_t)ns);
}

static json_t *json_count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* For numbers of which -1 says that they were not seen. */
static json_t *json_seen(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *json_time(const struct json_sink *sink, uint64_t source_ns)
{
	char text[CLOCK_TEXT];

	return json_string(clock_rfc3339(wallclock_ns(sink->config.clock, source_ns), text));
}

static json_t *json_endpoint(const struct endpoint *ep)
{
	char addr[SINK_ADDR_MAX];

	return json_pack("{s:s, s:i}", "addr", sink_addr(ep->addr, addr), "port", (int)ep->port);
}

static json_t *json_interface(const struct json_sink *sink, uint32_t ifindex)
{
	char name[SINK_INTERFACE_MAX];

	if (!ifindex || !sink->config.interface_name)
		return json_null();
	return json_text(sink->config.interface_name(ifindex, name));
}

static json_t *json_version_raw(uint32_t version)
{
	return version ? json_sprintf("0x%08x", version) : json_null();
}

static json_t *json_tds(const struct login_record *rec)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
		json_text(rec->tds.version), "version_raw", json_version_raw(rec->tds.version_raw),
		"server_version", json_text(rec->tds.server_version), "client_version",
		json_text(rec->tds.client_version), "instance", json_text(rec->tds.instance),
		"spid", json_seen(rec->tds.spid), "packet_size", json_seen(rec->tds.packet_size),
		"connection_id", json_text(rec->tds.connection_id), "activity_id",
		json_text(rec->tds.activity_id), "driver", json_text(rec->tds.driver), "app",
		json_text(rec->tds.app), "host", json_text(rec->tds.host), "database",
		json_text(rec->tds.database), "read_only",
		rec->tds.read_only < 0 ? json_null() : json_boolean(rec->tds.read_only));
}

static json_t *json_encryption(const struct login_record *rec)
{
	return json_pack("{s:o, s:o, s:o}", "client",
			 json_text(encrypt_option_name(rec->encryption.client)), "server",
			 json_text(encrypt_option_name(rec->encryption.server)), "effective",
			 json_text(encryption_name(rec->encryption.effective)));
}

static json_t *json_alert(const struct tls_facts *tls)
{
	if (tls->alert.from == SIDE_NONE)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "from", json_text(side_name(tls->alert.from)), "level",
			 json_text(tls->alert.level), "description",
			 json_text(tls->alert.description));
}

/* A date before 1970 is not written; no certificate in use has one. */
static json_t *json_date(int64_t unix_s)
{
	char text[CLOCK_TEXT];

	if (unix_s < 0 || (uint64_t)unix_s > UINT64_MAX / 1000000000)
		return json_null();
	return json_string(clock_rfc3339((uint64_t)unix_s * 1000000000, text));
}

static json_t *json_certificate(const struct tls_facts *tls)
{
	if (!tls->cert.subject && !tls->cert.issuer)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:b}", "subject", json_text(tls->cert.subject), "issuer",
			 json_text(tls->cert.issuer), "not_after", json_date(tls->cert.not_after_s),
			 "self_signed", (int)tls->cert.self_signed);
}

static json_t *json_tls(const struct tls_facts *tls)
{
	if (!tls->seen)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "version", json_text(tls->version),
			 "cipher", json_text(tls->cipher), "sni", json_text(tls->sni), "alpn",
			 json_text(tls->alpn), "resumed", (int)tls->resumed, "alert",
			 json_alert(tls), "certificate", json_certificate(tls));
}

static json_t *json_auth(const struct login_record *rec)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "method",
			 json_text(auth_method_name(rec->auth.method)), "basis",
			 json_text(basis_name(rec->auth.basis)), "grounds",
			 json_text(rec->auth.grounds), "rounds", json_count(rec->auth.rounds),
			 "user", json_text(rec->auth.user), "domain", json_text(rec->auth.domain),
			 "workstation", json_text(rec->auth.workstation));
}

static json_t *json_error(const struct login_record *rec)
{
	if (!rec->has_error)
		return json_null();
	return json_pack("{s:i, s:i, s:i, s:o}", "number", (int)rec->error.number, "state",
			 (int)rec->error.state, "class", (int)rec->error.class_, "message",
			 json_text(rec->error.message));
}

static json_t *json_redirect(const struct login_record *rec)
{
	if (!rec->redirect_host)
		return json_null();
	return json_pack("{s:o, s:i}", "host", json_text(rec->redirect_host), "port",
			 (int)rec->redirect_port);
}

static json_t *json_phases(const struct login_record *rec)
{
	json_t *phases = json_object();
	char key[32];

	for (int i = 0; phases && i < PHASE_SESSION; i++) {
		snprintf(key, sizeof(key), "%s_ns", phase_name(i));
		json_object_set_new(phases, key, json_ns(rec->phase_ns[i]));
	}
	return phases;
}

static json_t *json_steps(const struct login_record *rec)
{
	json_t *steps = json_array();

	for (size_t i = 0; steps && i < rec->step_count; i++) {
		const struct step *s = &rec->steps[i];

		json_array_append_new(
			steps, json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(s->name),
					 "phase", json_text(phase_name(s->phase)), "waits_on",
					 json_text(side_name(s->waits_on)), "ns", json_ns(s->ns)));
	}
	return steps;
}

static json_t *json_waits(const struct login_record *rec)
{
	return json_pack("{s:o, s:o, s:o}", "client_ns", json_ns(rec->wait_ns[SIDE_CLIENT]),
			 "server_ns", json_ns(rec->wait_ns[SIDE_SERVER]), "network_ns",
			 json_ns(rec->wait_ns[SIDE_NETWORK]));
}

static json_t *json_verdict(const struct login_record *rec)
{
	return json_pack("{s:o, s:o}", "name", json_text(rec->verdict.name), "text",
			 json_text(rec->verdict.text));
}

static json_t *json_tcp(const struct login_record *rec)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "syn_retransmits",
			 json_count(rec->tcp.syn_retransmits), "retransmits",
			 json_count(rec->tcp.retransmits), "out_of_order",
			 json_count(rec->tcp.out_of_order), "zero_windows",
			 json_count(rec->tcp.zero_windows), "missing_bytes",
			 json_count(rec->tcp.missing_bytes));
}

/* What every record begins with. */
static json_t *json_begin(const char *type, json_t *time, const struct endpoint *client,
			  const struct endpoint *server)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o}", "type", type, "v", JSON_RECORD_VERSION,
			 "time", time, "client", json_endpoint(client), "server",
			 json_endpoint(server));
}

static int json_put(const char *data, size_t len, void *ctx)
{
	output_write(ctx, data, len);
	return 0;
}

/* True if a terminal could take part of the text for a C1 control, which JSON lets through. */
static bool json_has_c1(const char *text)
{
	for (; (text = strchr(text, '\xc2')); text++)
		if ((unsigned char)text[1] < 0xa0)
			return true;
	return false;
}

/* Write record with the keys of rest, and release both. */
static void json_end(struct json_sink *sink, json_t *record, json_t *rest)
{
	struct output *out = sink->config.out;
	char *text = NULL;

	if (record && rest && !json_object_update(record, rest))
		text = json_dumps(record, JSON_COMPACT);
	if (!text) {
		out->err = out->err ?: -ENOMEM;
	} else if (json_has_c1(text)) {
		json_dump_callback(record, json_put, out, JSON_COMPACT | JSON_ENSURE_ASCII);
		output_write(out, "\n", 1);
	} else {
		output_write(out, text, strlen(text));
		output_write(out, "\n", 1);
	}
	free(text);
	json_decref(record);
	json_decref(rest);
}

static void json_login(void *ctx, const struct login_record *rec)
{
	struct json_sink *sink = ctx;
	json_t *record =
		json_begin("login", json_time(sink, rec->start_ns), &rec->client, &rec->server);
	json_t *rest = json_pack(
		"{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
		" s:o, s:o, s:o}",
		"interface", json_interface(sink, rec->ifindex), "vantage",
		json_text(vantage_name(rec->vantage)), "mid_stream", (int)rec->mid_stream, "tds",
		json_tds(rec), "encryption", json_encryption(rec), "tls", json_tls(&rec->tls),
		"auth", json_auth(rec), "mars", (int)rec->mars, "outcome",
		json_text(outcome_name(rec->outcome)), "outcome_basis",
		json_text(basis_name(rec->outcome_basis)), "confidence",
		json_text(confidence_name(rec->confidence)), "error", json_error(rec), "redirect",
		json_redirect(rec), "total_ns", json_ns(rec->total_ns), "phases", json_phases(rec),
		"steps", json_steps(rec), "waits", json_waits(rec), "verdict", json_verdict(rec),
		"tcp", json_tcp(rec));

	json_end(sink, record, rest);
}

static json_t *json_commands(const struct close_record *rec)
{
	json_t *commands = json_object();

	for (int i = 0; commands && i < COMMAND_COUNT; i++)
		json_object_set_new(commands, command_kind_name(i), json_count(rec->commands[i]));
	json_object_set_new(commands, "reset_connection", json_count(rec->reset_connections));
	return commands;
}

static json_t *json_mars(const struct close_record *rec)
{
	if (!rec->has_mars)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "sessions", json_count(rec->mars_sessions), "open",
			 json_count(rec->mars_open), "window_stalls",
			 json_count(rec->mars_window_stalls));
}

static void json_close(void *ctx, const struct close_record *rec)
{
	struct json_sink *sink = ctx;
	json_t *record =
		json_begin("close", json_time(sink, rec->time_ns), &rec->client, &rec->server);
	json_t *bytes = json_pack("{s:o, s:o}", "client", json_count(rec->bytes[SIDE_CLIENT]),
				  "server", json_count(rec->bytes[SIDE_SERVER]));
	json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "interface",
				 json_interface(sink, rec->ifindex), "login",
				 rec->has_login ? json_text(outcome_name(rec->login)) : json_null(),
				 "by", json_text(side_name(rec->by)), "how",
				 json_text(close_how_name(rec->how)), "graceful",
				 (int)rec->graceful, "phase", json_text(phase_name(rec->phase)),
				 "duration_ns", json_ns(rec->duration_ns), "bytes", bytes,
				 "commands", json_commands(rec), "mars", json_mars(rec));

	json_end(sink, record, rest);
}

static void json_command(void *ctx, const struct command_record *rec)
{
	struct json_sink *sink = ctx;
	json_t *record =
		json_begin("command", json_time(sink, rec->time_ns), &rec->client, &rec->server);
	json_t *rest = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "spid", json_seen(rec->spid),
		"kind", json_text(command_kind_name(rec->kind)), "session", json_seen(rec->session),
		"first_byte_ns", json_ns(rec->first_byte_ns), "total_ns", json_ns(rec->total_ns),
		"request_bytes", json_count(rec->request_bytes), "response_bytes",
		json_count(rec->response_bytes), "basis", json_text(basis_name(rec->basis)),
		"cancelled", (int)rec->cancelled);

	json_end(sink, record, rest);
}

/* clang-format on */

const struct sink_ops json_sink = {
	.name = "json",
	.open = json_open,
	.login = json_login,
	.close = json_close,
	.command = json_command,
	.free = json_free,
};
