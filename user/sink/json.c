// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json.c - the format "json": the record contract, one object per line. Every record has all keys
 * of the contract; null: not seen.
 */
#include <stdlib.h>

#include "sink/json.h"
#include "sink/json_int.h"

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
