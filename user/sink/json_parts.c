// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_parts.c - what several types of record have in common.
 */
#include "sink/json_int.h"

#define JSON_RECORD_VERSION 1

void json_ns(struct json_writer *w, const char *key, uint64_t ns)
{
	if (ns == NO_NS)
		json_writer_null(w, key);
	else
		json_writer_uint(w, key, ns);
}

void json_seen(struct json_writer *w, const char *key, int64_t n)
{
	if (n < 0)
		json_writer_null(w, key);
	else
		json_writer_int(w, key, n);
}

void json_time(struct json_writer *w, const char *key, uint64_t wall_ns)
{
	char text[CLOCK_TEXT];

	json_writer_text(w, key, clock_rfc3339(wall_ns, text));
}

void json_endpoint(struct json_writer *w, const char *key, const struct endpoint *ep)
{
	char addr[SINK_ADDR_MAX];

	json_writer_object(w, key);
	json_writer_text(w, "addr", sink_addr(ep->addr, addr));
	json_writer_uint(w, "port", ep->port);
	json_writer_object_end(w);
}

struct json_writer json_begin(struct json_sink *sink, const char *type, uint64_t id,
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

void json_end(struct json_writer *w)
{
	json_writer_object_end(w);
	output_write(w->out, "\n", 1);
}

void json_interface(struct json_writer *w, const struct json_sink *sink, uint32_t ifindex)
{
	const struct sink_config *c = &sink->config;

	json_writer_text(w, "interface",
			 ifindex && c->interface_name ? c->interface_name(c->interfaces, ifindex)
						      : NULL);
}

void json_tunnel(struct json_writer *w, uint32_t tunnel)
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

void json_known(struct json_writer *w, const char *key, int known)
{
	if (known < 0)
		json_writer_null(w, key);
	else
		json_writer_bool(w, key, known);
}

void json_within(struct json_writer *w, const struct step_part *parts, size_t count, size_t step)
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

void json_verdict(struct json_writer *w, const struct verdict_words *verdict)
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
