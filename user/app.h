/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * app.h - a run of tdsmon: the engine, the sinks that listen to it, and what feeds it.
 */
#ifndef TDSMON_APP_H
#define TDSMON_APP_H

#include <signal.h>

#include "lib/clock.h"
#include "counters.h"
#include "engine/engine.h"
#include "opener.h"
#include "opts.h"
#include "lib/output.h"
#include "system/service.h"
#include "sink/sink.h"
#include "source/capture/capture.h"
#include "source/live/live.h"

/* A sink at work. */
struct listener {
	const struct sink_ops *ops;
	void *sink;
	bool commands; /* is told of commands */
	bool problems; /* of logins and closes, is told of those alone that went wrong */
};

#define LISTENERS 4 /* at most */

struct app {
	const struct opts *opts;
	int argc; /* of the command line, to be parsed again */
	char **argv;
	struct output *out, *messages;
	const volatile sig_atomic_t *stop; /* a signal wants the run to end */
	volatile sig_atomic_t *reload;	   /* the settings are to be read anew */
	struct port_set ports;		   /* the engine's, as they are by now */
	bool ports_fade; /* the kernel watches others, too, till their connections end */
	struct engine *engine;
	struct live *live; /* NULL while reading files */
	struct listener listeners[LISTENERS];
	size_t listener_count;
	struct listener *summary;
	struct listener *metrics; /* NULL: nobody asked for metrics */
	struct listener *page;	  /* NULL: nothing is served */
	struct wallclock clock;
	struct service service;	   /* live: its manager, if any */
	struct opener *opener;	   /* live: opens what we may not; NULL: nothing */
	bool prompt;		   /* files: every record is written out at once */
	bool progress;		   /* standard error is a terminal of its own */
	uint64_t lines_lost;	   /* of out, when it was last said */
	bool memory_said;	   /* that it was used up */
	bool losing_lines;	   /* and that there may be more */
	uint64_t progress_ns;	   /* when it was shown last */
	struct capture_stats read; /* the captures so far */
};

/* The engine and the sinks, for app->live as it is by then. 0, or -errno with the reason logged. */
int app_open(struct app *app);
void app_close_all(struct app *app); /* after app_open() whatever it answered */

/*
 * Parse the command line and the configuration file again, and take over ports and thresholds:
 * connections stay. On failure, logged, everything stays as it is: -EINVAL.
 */
int app_reload(struct app *app);

/* segment_fn for sources; ctx is the app. */
void app_segment(void *ctx, const struct seg *seg, const uint8_t *payload);

#define APP_COUNTERS (3 * COUNTERS_MAX)

/* What was lost or skipped so far; room for APP_COUNTERS. Returns how many. */
size_t app_counters(const struct app *app, struct counter *counters);

/* -ENOMEM where memory was used up so far, which is logged once. */
int app_memory(struct app *app);

/* engine_in_progress_fn for the end of the run; ctx is the app. */
void app_waiting(void *ctx, const struct pending_record *rec);

/* The end of the run, in words. */
void app_summary(struct app *app);

/* Watch live, or read files, as the options say: 0, or -errno with the reason logged. */
int watch_run(struct app *app);
int replay_run(struct app *app);

#endif
