/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * app.h - a run of tdsmon: the engine, its sinks, and the source of its segments.
 */
#ifndef TDSMON_APP_H
#define TDSMON_APP_H

#include <signal.h>

#include "lib/clock.h"
#include "counters.h"
#include "engine/engine.h"
#include "keylog.h"
#include "opener.h"
#include "opts.h"
#include "lib/output.h"
#include "system/service.h"
#include "sink/selection.h"
#include "sink/sink.h"
#include "source/capture/capture.h"
#include "source/live/live.h"

struct heartbeat;
struct saves;
struct waits;

/* An open sink. */
struct listener {
	const struct sink_ops *ops;
	void *sink;
	bool commands; /* it gets commands */
	bool problems; /* it only gets logins and closes that went wrong */
	bool filtered; /* it only gets records that pass the filters */
};

#define LISTENERS 6 /* most sinks */

struct app {
	const struct opts *opts;
	int argc; /* the command line, to parse it again */
	char **argv;
	struct output *out, *messages;
	const volatile sig_atomic_t *stop; /* a signal asks the run to end */
	volatile sig_atomic_t *reload;	   /* the settings are to be read again */
	volatile sig_atomic_t *report_now; /* live: the report is to be written; NULL: never */
	struct port_set ports;		   /* the engine's current ones */
	bool ports_fade; /* the kernel still watches others, until their connections end */
	struct engine *engine;
	struct live *live;   /* NULL while reading files */
	struct saves *saves; /* NULL: no packets are saved */
	struct waits *waits; /* live: looks at the sockets that logins wait for; NULL: none */
	struct listener listeners[LISTENERS];
	size_t listener_count;
	struct selection selection; /* of what the format writes */
	struct listener *by;	    /* NULL: each record is written */
	struct listener *summary;
	struct listener *metrics; /* NULL without metrics */
	struct listener *page;	  /* NULL without a page */
	struct listener *feed;	  /* NULL if records are not served */
	struct heartbeat *beat;	  /* live, --heartbeat: on standard output; or NULL */
	const char *socket;	  /* the UNIX socket to serve, or NULL */
	bool socket_asked;	  /* by --socket: without it the run fails */
	const char *state;	  /* the file that keeps the page's history, or NULL */
	int state_err;		  /* the last one logged of writing it */
	struct listener *survey;  /* live: NULL without a report */
	struct wallclock clock;
	struct service service;	     /* live: the service manager, if any */
	struct keylog *keylog;	     /* NULL: no key log was named */
	struct keylog_lines secrets; /* of the captures' own */
	struct follow *errorlogs;    /* NULL without error logs */
	struct opener *opener;	     /* live: opens files that this process may not; NULL: none */
	bool prompt;		     /* files: flush every record */
	bool progress;		     /* standard error is a terminal, standard output is not */
	uint64_t lines_lost;	     /* of out, when it was last reported */
	bool memory_reported;	     /* the lack of memory was reported */
	bool losing_lines;	     /* lines are being lost, which was reported */
	uint64_t progress_ns;	     /* when it was last shown */
	uint64_t last_ns;	     /* files: the latest packet so far */
	struct capture_stats read;   /* the captures so far */
	/* Shows the records at the end, instead of the summary; NULL: the summary is printed. */
	void (*finish)(struct app *app);
	void *finish_ctx; /* finish's own */
};

/*
 * Open the engine and the sinks. app->live must be set before, if there is one. 0, or -errno with
 * the reason logged.
 */
int app_open(struct app *app);
void app_release(struct app *app); /* after app_open(), whatever it returned */

/*
 * Parse the command line and the configuration file again, and apply ports and thresholds;
 * connections are kept. On failure, which is logged, nothing changes: -EINVAL.
 */
int app_reload(struct app *app);

/* segment_fn for sources; ctx is the app. */
void app_segment(void *ctx, const struct seg *seg, const uint8_t *payload);

#define APP_COUNTERS (3 * COUNTERS_MAX)

/* Counters of everything lost or skipped so far, at most APP_COUNTERS. Returns how many. */
size_t app_counters(const struct app *app, struct counter *counters);

/* -ENOMEM if an allocation has failed so far, which is logged once. */
int app_memory(struct app *app);

/* engine_in_progress_fn for the end of the run; ctx is the app. */
void app_waiting(void *ctx, const struct pending_record *rec);

/* Print the summary, or what app->finish shows instead. */
void app_summary(struct app *app);

/* What a live run with these options loads and attaches. It points into opts. */
struct live_config watch_live_config(const struct opts *opts);

/* Watch live, or read files. 0, or -errno with the reason logged. */
int watch_run(struct app *app);
int replay_run(struct app *app);

#endif
