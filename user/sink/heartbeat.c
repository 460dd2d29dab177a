// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * heartbeat.c - see heartbeat.h.
 */
#include <stdlib.h>

#include "lib/json_writer.h"
#include "lib/units.h"
#include "sink/heartbeat.h"
#include "sink/json.h"
#include "sink/waiting.h"

#define HEARTBEAT_WAIT_NS NS_PER_S /* a login that has waited so long is counted */
#define HEARTBEAT_VERSION 1

struct heartbeat {
	struct sink_config config;
	void *json;
	struct waiting waiting; /* since the last heartbeat */
};

struct heartbeat *heartbeat_new(const struct sink_config *config)
{
	struct heartbeat *beat = calloc(1, sizeof(*beat));

	if (!beat)
		return NULL;
	beat->config = *config;
	beat->waiting.most = WAITING_MAX;
	beat->json = json_sink.open(config);
	if (beat->json)
		return beat;
	free(beat);
	return NULL;
}

void heartbeat_free(struct heartbeat *beat)
{
	if (!beat)
		return;
	json_sink.free(beat->json);
	free(beat);
}

void heartbeat_waiting(void *ctx, const struct pending_record *rec)
{
	struct heartbeat *beat = ctx;

	if (rec->ns >= HEARTBEAT_WAIT_NS)
		waiting_add(&beat->waiting, rec);
}

static void heartbeat_lost(struct json_writer *w, const struct counter *counters, size_t count)
{
	json_writer_array(w, "lost");
	for (size_t i = 0; i < count; i++) {
		if (!counters[i].value)
			continue;
		json_writer_object(w, NULL);
		json_writer_text(w, "name", counters[i].name);
		json_writer_text(w, "text", counters[i].text);
		json_writer_uint(w, "count", counters[i].value);
		json_writer_object_end(w);
	}
	json_writer_array_end(w);
}

void heartbeat_write(struct heartbeat *beat, uint64_t now_ns, const struct counter *counters,
		     size_t count, void (*line_end)(void *ctx), void *ctx)
{
	struct json_writer w = {beat->config.out, false};
	struct waiting *waiting = &beat->waiting;
	char time[CLOCK_TEXT];

	json_writer_object(&w, NULL);
	json_writer_text(&w, "type", "watch");
	json_writer_uint(&w, "v", HEARTBEAT_VERSION);
	json_writer_text(&w, "time", clock_rfc3339(wallclock_ns(beat->config.clock, now_ns), time));
	json_writer_uint(&w, "waiting", waiting->total);
	heartbeat_lost(&w, counters, count);
	json_writer_object_end(&w);
	output_write(beat->config.out, "\n", 1);
	line_end(ctx);
	for (unsigned i = 0; i < waiting->count; i++) {
		json_sink.pending(beat->json, &waiting->longest[i]);
		line_end(ctx);
	}
	waiting->total = waiting->count = 0;
}
