// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * otlp.c - see otlp.h. A line is an ExportTraceServiceRequest in protobuf's JSON mapping with the
 * exceptions of OTLP 1.5: ids in hexadecimal. Numbers of 64 bits are strings there. Attributes have
 * the names of OpenTelemetry's semantic conventions where these have one; others begin with tdsmon.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/otlp.h"
#include "lib/decimal.h"
#include "lib/ip_addr.h"
#include "lib/json_writer.h"
#include "lib/siphash.h"

#define TRACE_ID_MAX 33 /* 32 hex digits and a NUL */
#define NAMES_MAX    520

enum span_kind { SPAN_INTERNAL = 1, SPAN_CLIENT = 3 }; /* opentelemetry/proto/trace/v1 */
enum { STATUS_ERROR = 2 };

struct otlp_sink {
	struct sink_config config;
};

static void *otlp_open(const struct sink_config *config)
{
	struct otlp_sink *sink = malloc(sizeof(*sink));

	if (sink)
		sink->config = *config;
	return sink;
}

static void otlp_free(void *sink)
{
	free(sink);
}

static void put_u64(struct json_writer *w, const char *key, uint64_t value)
{
	char text[DECIMAL_MAX + 1];

	*decimal_put(text, value) = '\0';
	json_writer_text(w, key, text);
}

/* ---- attributes; one that is not known is left out ---- */

static void attribute_begin(struct json_writer *w, const char *name)
{
	json_writer_object(w, NULL);
	json_writer_text(w, "key", name);
	json_writer_object(w, "value");
}

static void attribute_end(struct json_writer *w)
{
	json_writer_object_end(w);
	json_writer_object_end(w);
}

static void attribute_text(struct json_writer *w, const char *name, const char *text)
{
	if (!text)
		return;
	attribute_begin(w, name);
	json_writer_text(w, "stringValue", text);
	attribute_end(w);
}

static void attribute_number(struct json_writer *w, const char *name, uint64_t value)
{
	attribute_begin(w, name);
	put_u64(w, "intValue", value);
	attribute_end(w);
}

static void attribute_bool(struct json_writer *w, const char *name, bool value)
{
	attribute_begin(w, name);
	json_writer_bool(w, "boolValue", value);
	attribute_end(w);
}

static void attributes_endpoint(struct json_writer *w, const char *addr, const char *port,
				const struct endpoint *ep)
{
	char text[SINK_ADDR_MAX];

	attribute_text(w, addr, sink_addr(ep->addr, text));
	attribute_number(w, port, ep->port);
}

/* The database, qualified by the instance: semantic conventions for Microsoft SQL Server. */
static void attribute_database(struct json_writer *w, const struct login_record *rec)
{
	const char *instance = rec->tds.instance, *database = rec->tds.database;
	char text[NAMES_MAX];

	if (!database)
		return;
	snprintf(text, sizeof(text), "%s|%s", instance ?: "", database);
	attribute_text(w, "db.namespace", instance ? text : database);
}

static void attributes_error(struct json_writer *w, const struct login_record *rec)
{
	char number[sizeof("-2147483648")];

	if (rec->has_error) {
		snprintf(number, sizeof(number), "%" PRId32, rec->error.number);
		attribute_text(w, "db.response.status_code", number);
	}
	if (sink_failed(rec))
		attribute_text(w, "error.type", verdict_name(rec->verdict.id));
}

static void attributes_tls(struct json_writer *w, const struct tls_facts *tls)
{
	if (!tls->seen)
		return;
	attribute_text(w, "tls.protocol.version", tls->version);
	attribute_text(w, "tls.cipher", tls->cipher);
	attribute_text(w, "tls.client.server_name", tls->sni);
	attribute_bool(w, "tls.resumed", tls->resumed);
}

static void attributes_host(struct json_writer *w, const struct host_facts *host)
{
	if (!host)
		return;
	attribute_text(w, "tdsmon.host.side", side_name(host->side));
	attribute_text(w, "tdsmon.host.process", host->process);
	if (host->pid)
		attribute_number(w, "process.pid", host->pid);
	attribute_text(w, "container.id", host->container);
	attribute_text(w, "k8s.pod.uid", host->pod);
}

static void attributes_login(struct json_writer *w, const struct login_record *rec)
{
	char id[SINK_ID_MAX];

	attribute_text(w, "db.system.name", "microsoft.sql_server");
	attribute_database(w, rec);
	attributes_endpoint(w, "server.address", "server.port", &rec->server);
	attributes_endpoint(w, "client.address", "client.port", login_record_client(rec));
	attributes_endpoint(w, "network.peer.address", "network.peer.port", &rec->server);
	attribute_text(w, "network.transport", "tcp");
	attribute_text(w, "network.type", ip_is_v4(rec->server.addr) ? "ipv4" : "ipv6");
	attribute_text(w, "network.protocol.name", "tds");
	attribute_text(w, "network.protocol.version", rec->tds.version);
	attributes_error(w, rec);
	attributes_tls(w, &rec->tls);
	attribute_text(w, "user.name", rec->auth.user);
	attributes_host(w, rec->host);
	attribute_text(w, "tdsmon.id", sink_id(rec->id, id));
	attribute_text(w, "tdsmon.outcome", outcome_name(rec->outcome));
	attribute_text(w, "tdsmon.outcome_basis", basis_name(rec->outcome_basis));
	attribute_text(w, "tdsmon.verdict", verdict_name(rec->verdict.id));
	attribute_text(w, "tdsmon.class", verdict_class_name(rec->verdict.class));
	attribute_text(w, "tdsmon.text", rec->verdict.text);
	attribute_text(w, "tdsmon.encryption", encryption_name(rec->encryption.effective));
	attribute_text(w, "tdsmon.auth.method", auth_method_name(rec->auth.method));
	attribute_text(w, "tdsmon.app", rec->tds.app);
	attribute_text(w, "tdsmon.driver", rec->tds.driver);
	attribute_text(w, "tdsmon.connection_id", rec->tds.connection_id);
}

/* The parts of a step; those of one kind, of several peers, are one attribute. */
static void attributes_parts(struct json_writer *w, const struct login_record *rec, size_t step)
{
	char name[64];

	for (size_t i = 0; i < rec->part_count; i++) {
		const struct step_part *p = &rec->parts[i];
		bool is_first = true;
		uint64_t ns = 0;

		if (p->step != step)
			continue;
		for (size_t k = 0; k < rec->part_count; k++) {
			const struct step_part *other = &rec->parts[k];

			if (other->step != step || other->part != p->part)
				continue;
			is_first = is_first && k >= i;
			ns += other->ns;
		}
		snprintf(name, sizeof(name), "tdsmon.within.%s_ns", wait_part_name(p->part));
		if (is_first)
			attribute_number(w, name, ns);
	}
}

/* ---- spans ---- */

struct spans {
	struct json_writer w;
	const struct wallclock *clock;
	char trace_id[TRACE_ID_MAX];
	uint64_t id; /* of the login's span; steps are numbered from it */
};

/* The digits of a GUID. False: there are not 32 of them, or they are all 0. */
static bool guid_digits(const char *guid, char out[TRACE_ID_MAX])
{
	bool is_set = false;
	size_t n = 0;

	for (; *guid; guid++) {
		if (*guid == '-')
			continue;
		if (!isxdigit((unsigned char)*guid) || n == TRACE_ID_MAX - 1)
			return false;
		is_set = is_set || *guid != '0';
		out[n++] = *guid;
	}
	out[n] = '\0';
	return is_set && n == TRACE_ID_MAX - 1;
}

/*
 * The client's activity id is a GUID that it chose for what it does: the trace. Else the trace is
 * the connection's, its 64 bits with zeros before them, as W3C's Trace Context has it (2.3.1).
 */
static void choose_trace(struct spans *s, const struct login_record *rec)
{
	if (!rec->tds.activity_id || !guid_digits(rec->tds.activity_id, s->trace_id))
		snprintf(s->trace_id, sizeof(s->trace_id), "%032" PRIx64, s->id);
}

static void span_begin(struct spans *s, uint64_t id, const char *name, enum span_kind kind,
		       uint64_t start_ns, uint64_t end_ns)
{
	struct json_writer *w = &s->w;
	char text[SINK_ID_MAX];

	json_writer_object(w, NULL);
	json_writer_text(w, "traceId", s->trace_id);
	json_writer_text(w, "spanId", sink_id(id, text));
	if (id != s->id)
		json_writer_text(w, "parentSpanId", sink_id(s->id, text));
	json_writer_text(w, "name", name);
	json_writer_uint(w, "kind", kind);
	put_u64(w, "startTimeUnixNano", wallclock_ns(s->clock, start_ns));
	put_u64(w, "endTimeUnixNano", wallclock_ns(s->clock, end_ns));
	json_writer_array(w, "attributes");
}

static void span_end(struct spans *s, const char *error)
{
	json_writer_array_end(&s->w);
	json_writer_object(&s->w, "status");
	if (error) {
		json_writer_text(&s->w, "message", error);
		json_writer_uint(&s->w, "code", STATUS_ERROR);
	}
	json_writer_object_end(&s->w);
	json_writer_object_end(&s->w);
}

static void span_login(struct spans *s, const struct login_record *rec)
{
	uint64_t end_ns = rec->end_ns > rec->start_ns ? rec->end_ns : rec->start_ns;

	span_begin(s, s->id, "login", SPAN_CLIENT, rec->start_ns, end_ns);
	attributes_login(&s->w, rec);
	span_end(s, sink_failed(rec) ? rec->verdict.text : NULL);
}

/*
 * Steps follow each other without a gap up to the login's end. Where the connection began before
 * the capture, the first one begins after the first packet that was seen.
 */
static void span_steps(struct spans *s, const struct login_record *rec)
{
	uint64_t at_ns = rec->end_ns;

	for (size_t i = 0; i < rec->step_count; i++)
		at_ns -= rec->steps[i].ns;
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *step = &rec->steps[i];
		const uint64_t key[2] = {s->id, 0}, number[1] = {i + 1};

		span_begin(s, siphash(key, number, 1), step_kind_name(step->kind), SPAN_INTERNAL,
			   at_ns, at_ns + step->ns);
		attribute_text(&s->w, "tdsmon.phase", phase_name(step->phase));
		attribute_text(&s->w, "tdsmon.waits_on", side_name(step->waits_on));
		attributes_parts(&s->w, rec, i);
		span_end(s, NULL);
		at_ns += step->ns;
	}
}

static void otlp_login(void *ctx, const struct login_record *rec)
{
	struct otlp_sink *sink = ctx;
	struct spans s = {.w = {.out = sink->config.out},
			  .clock = sink->config.clock,
			  .id = rec->id ?: 1}; /* 0 is no id in OpenTelemetry */
	struct json_writer *w = &s.w;

	choose_trace(&s, rec);
	json_writer_object(w, NULL);
	json_writer_array(w, "resourceSpans");
	json_writer_object(w, NULL);
	json_writer_object(w, "resource");
	json_writer_array(w, "attributes");
	attribute_text(w, "service.name", "tdsmon");
	attribute_text(w, "service.version", TDSMON_VERSION);
	json_writer_array_end(w);
	json_writer_object_end(w);
	json_writer_array(w, "scopeSpans");
	json_writer_object(w, NULL);
	json_writer_object(w, "scope");
	json_writer_text(w, "name", "tdsmon");
	json_writer_text(w, "version", TDSMON_VERSION);
	json_writer_object_end(w);
	json_writer_array(w, "spans");
	span_login(&s, rec);
	span_steps(&s, rec);
	json_writer_array_end(w);
	json_writer_object_end(w);
	json_writer_array_end(w);
	json_writer_object_end(w);
	json_writer_array_end(w);
	json_writer_object_end(w);
	output_write(w->out, "\n", 1);
}

const struct sink_ops otlp_sink = {
	.name = "otlp",
	.open = otlp_open,
	.login = otlp_login,
	.free = otlp_free,
};
