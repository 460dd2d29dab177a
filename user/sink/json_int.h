/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_int.h - shared by the files of the format "json"; all others include json.h.
 */
#ifndef TDSMON_JSON_INT_H
#define TDSMON_JSON_INT_H

#include "lib/json_writer.h"
#include "sink/sink.h"

struct json_sink {
	struct sink_config config;
};

/* json_parts.c: begin a record; json_end() ends it. */
struct json_writer json_begin(struct json_sink *sink, const char *type, uint64_t id,
			      uint64_t time_ns, const struct endpoint *client,
			      const struct endpoint *server);
void json_end(struct json_writer *w);

/* NO_NS: null. */
void json_ns(struct json_writer *w, const char *key, uint64_t ns);

/* A number that is -1 if it was not seen. */
void json_seen(struct json_writer *w, const char *key, int64_t n);

/* known: 1, 0, or negative if not known: null. */
void json_known(struct json_writer *w, const char *key, int known);

void json_time(struct json_writer *w, const char *key, uint64_t wall_ns);
void json_endpoint(struct json_writer *w, const char *key, const struct endpoint *ep);
void json_interface(struct json_writer *w, const struct json_sink *sink, uint32_t ifindex);
void json_tunnel(struct json_writer *w, uint32_t tunnel);
void json_verdict(struct json_writer *w, const struct verdict_words *verdict);

/* The parts of one step; null if they are unknown. */
void json_within(struct json_writer *w, const struct step_part *parts, size_t count, size_t step);

/* json_login.c: write a login's record. ctx: the sink. */
void json_login(void *ctx, const struct login_record *rec);

#endif
