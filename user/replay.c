// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * replay.c - a run that reads capture files.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "confine.h"
#include "export.h"
#include "log.h"
#include "ports.h"

#define PROGRESS_EVERY 4096 /* packets between two looks at the clock */
#define PROGRESS_NS    200000000ull

/* Overwritten by itself, and by whatever is said next. */
static void progress_show(struct app *app, const char *path, const struct capture_stats *stats)
{
	uint64_t now_ns = clock_now_ns();

	if (!app->progress || now_ns - app->progress_ns < PROGRESS_NS)
		return;
	app->progress_ns = now_ns;
	output_printf(app->messages, "\033[Kreading %s: %" PRIu64 " packets, %" PRIu64 " MB", path,
		      stats->packets, stats->bytes_read / 1000000);
	if (stats->bytes_total)
		output_printf(app->messages, ", %" PRIu64 " %%",
			      stats->bytes_read * 100 / stats->bytes_total);
	output_printf(app->messages, "\r");
	output_flush(app->messages);
}

static void progress_erase(struct app *app)
{
	if (!app->progress_ns)
		return;
	output_printf(app->messages, "\033[K");
	output_flush(app->messages);
	app->progress_ns = 0;
}

static void read_add(struct capture_stats *sum, const struct capture_stats *stats)
{
	sum->packets += stats->packets;
	sum->segments += stats->segments;
	sum->other += stats->other;
	sum->malformed += stats->malformed;
	sum->fragments += stats->fragments;
	sum->truncated += stats->truncated;
}

static int read_file(struct app *app, const char *path)
{
	struct capture *capture;
	const uint8_t *payload;
	struct seg seg;
	const char *name;
	int fd = capture_open_path(path, &name), err, got = 0;

	if (fd < 0)
		return fd;
	capture = capture_open(fd, name, NULL, &err);
	if (!capture) {
		capture_close_path(fd);
		return err == -EINTR ? 0 : err;
	}
	/* A capture that is being made is told of as it comes. */
	app->prompt |= !strcmp(path, "-");
	while (!*app->stop && !app->out->err && (got = capture_next(capture, &seg, &payload)) > 0) {
		engine_segment(app->engine, &seg, payload);
		if (capture_stats(capture)->packets % PROGRESS_EVERY == 0)
			progress_show(app, path, capture_stats(capture));
	}
	progress_erase(app);
	read_add(&app->read, capture_stats(capture));
	capture_close(capture);
	capture_close_path(fd);
	return got < 0 && got != -EINTR ? got : 0;
}

/* Nothing found may mean that it was looked for in the wrong place. */
static void read_hint(const struct app *app)
{
	const struct engine_stats *stats = engine_stats(app->engine);
	char ports[PORTS_TEXT];

	if (!app->read.segments || stats->ignored < stats->segments)
		return;
	log_info("none of %" PRIu64 " TCP segments was to or from port %s; -p names other ports, "
		 "--any-port looks at all",
		 app->read.segments, ports_text(&app->opts->ports, ports));
}

/* A file that can't be read does not keep the others from being read. */
int replay_run(struct app *app)
{
	int err = app_open(app);

	if (!err) {
		/* What is read may have been made to harm; not every kernel has filters. */
		confine_syscalls(CONFINE_WATCHER | CONFINE_OPENER |
					 (app->opts->textfile ? CONFINE_WRITER : 0),
				 &(struct confine_descriptors){-1, -1});
		for (size_t i = 0; i < app->opts->file_count && !*app->stop && !app->out->err; i++)
			err = read_file(app, app->opts->files[i]) ?: err;
		engine_finish(app->engine);
		output_flush(app->out);
		err = app_memory(app) ?: err;
		err = export_textfile(app) ?: err;
		if (app->read.packets || !err)
			app_summary(app);
		read_hint(app);
	}
	app_close_all(app);
	return err;
}
