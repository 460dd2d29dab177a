// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * watch.c - a run that watches live: the event loop around the live source.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "system/sandbox.h"
#include "errorlogs.h"
#include "export.h"
#include "lib/log.h"
#include "sink/heartbeat.h"
#include "lib/loop.h"
#include "lib/units.h"
#include "ports.h"
#include "report_write.h"
#include "saves.h"
#include "state_dir.h"
#include "waits.h"

#define WATCH_EVERY_MS 10000	     /* between the tables of --by */
#define TICK_NS	       200000000ull  /* for live_dispatch(); each tick costs 0.01 % of a core */
#define CLOCK_SYNC_NS  5000000000ull /* how often the wall clock is read */
#define HEARTBEAT_NS   1000000000ull
#define OUT_QUEUE      (16u << 20)  /* most bytes that wait for a reader of standard output */
#define MESSAGE_QUEUE  (256u << 10) /* and of standard error */
#define STATUS_MAX     256	    /* interfaces that do not fit are left out */
#define SOCKET_PATH    108	    /* unix(7) */

/* The keys first: a client writes them before it uses them. */
static int watch_segments(struct app *app)
{
	int n;

	keylog_read(app->keylog, app->engine);
	n = live_dispatch(app->live, app_segment, app);
	waits_expect(app->waits);
	if (n >= 0 || n == -EINTR)
		return 0;
	log_error("cannot read from the kernel: %s", strerror(-n));
	return n;
}

/* Flush once per round of the loop, so that a burst of logins costs one write(). */
static int watch_round(void *ctx)
{
	struct app *app = ctx;

	return watch_segments(app) ?: output_flush(app->out);
}

static int watch_writable(void *ctx)
{
	return output_flush(ctx);
}

/* Log when lines begin to be lost, and how many were lost when the reader has caught up. */
static void watch_output(struct app *app)
{
	uint64_t lost = output_lost(app->out), more = lost - app->lines_lost;

	if (!app->losing_lines && more) {
		log_warn("standard output is not read: %" PRIu64 " lines are lost so far, watching "
			 "goes on",
			 more);
		app->losing_lines = true;
	} else if (app->losing_lines && !output_waits(app->out)) {
		log_info("standard output is read again: %" PRIu64 " lines were lost", more);
		app->losing_lines = false;
		app->lines_lost = lost;
	}
}

static int watch_tick(void *ctx)
{
	struct app *app = ctx;
	int err = watch_segments(app);
	uint64_t now_ns;

	errorlogs_read(app, UINT64_MAX);
	/* After the segments, because those in the ring buffer are older than now. */
	now_ns = clock_now_ns();
	engine_tick(app->engine, now_ns);
	waits_tick(app->waits, now_ns);
	saves_tick(app->saves);
	watch_output(app);
	app_memory(app);
	return err ?: output_flush(app->out);
}

/*
 * The kernel watches the configured ports, and those of connections that are still followed, so
 * that reading the settings again loses no connection.
 */
static void watch_ports(struct app *app)
{
	struct port_set ports = app->ports;

	engine_ports_in_use(app->engine, &ports);
	live_set_ports(app->live, &ports);
	app->ports_fade = memcmp(&ports, &app->ports, sizeof(ports));
}

static int watch_sync(void *ctx)
{
	struct app *app = ctx;

	wallclock_sync(&app->clock);
	if (app->ports_fade)
		watch_ports(app);
	return 0;
}

static void watch_line_end(void *out)
{
	output_record_end(out);
}

/* --heartbeat: what waits and what was lost, also while no login comes. */
static int watch_beat(void *ctx)
{
	struct app *app = ctx;
	struct counter counters[APP_COUNTERS];
	size_t count = app_counters(app, counters);

	engine_in_progress(app->engine, heartbeat_waiting, app->beat);
	heartbeat_write(app->beat, clock_now_ns(), counters, count, watch_line_end, app->out);
	return output_flush(app->out);
}

static const char *watch_status(const struct app *app, char text[STATUS_MAX])
{
	const struct engine_stats *stats = engine_stats(app->engine);
	uint64_t taps[TAP_CNT_MAX];

	live_counters(app->live, taps);
	snprintf(text, STATUS_MAX,
		 "%" PRIu64 " logins, %" PRIu64 " connections now, %" PRIu64
		 " packets lost; watching %s",
		 stats->logins, stats->flows, taps[TAP_CNT_LOST], live_describe(app->live));
	return text;
}

static unsigned watch_every_s(const struct app *app)
{
	return (app->opts->every_ms ?: WATCH_EVERY_MS) / 1000;
}

static int watch_by(void *ctx)
{
	struct app *app = ctx;

	by_print(app->by->sink, watch_every_s(app));
	return output_flush(app->out);
}

static int watch_alive(void *ctx)
{
	char text[STATUS_MAX];
	struct app *app = ctx;

	service_alive(&app->service, watch_status(app, text));
	return 0;
}

/* Each file by itself: if one is faulty and not applied, the other one still is. */
static void watch_reload(struct app *app, struct exporter *x)
{
	char text[STATUS_MAX];

	service_reloading(&app->service);
	if (!app_reload(app))
		watch_ports(app);
	export_reload(x);
	service_ready(&app->service, watch_status(app, text));
}

static int watch_readers(struct app *app, struct loop *loop)
{
	struct output *const outputs[] = {app->out, app->messages};
	int err = 0;

	for (int i = 0; i < 2 && !err; i++)
		if (output_queue_fd(outputs[i]) >= 0)
			err = loop_add_writable(loop, output_queue_fd(outputs[i]), watch_writable,
						outputs[i]);
	return err;
}

static int watch_timers(struct app *app, struct loop *loop)
{
	int err = loop_add(loop, live_fd(app->live), watch_round, app);

	if (!err)
		err = loop_every(loop, TICK_NS, watch_tick, app);
	if (!err)
		err = loop_every(loop, CLOCK_SYNC_NS, watch_sync, app);
	if (!err && app->by)
		err = loop_every(loop, watch_every_s(app) * NS_PER_S, watch_by, app);
	if (!err && app->service.period_ns)
		err = loop_every(loop, app->service.period_ns, watch_alive, app);
	if (!err && app->beat)
		err = loop_every(loop, HEARTBEAT_NS, watch_beat, app);
	if (!err)
		err = waits_open(&app->waits, app, loop, watch_segments);
	if (!err)
		err = state_dir_open(app, loop);
	if (!err)
		err = watch_readers(app, loop);
	if (err)
		log_error("cannot set up the event loop: %s", strerror(-err));
	return err;
}

static void watch_announce(const struct app *app, const struct exporter *x)
{
	const char *url = export_url(x);
	char ports[PORTS_TEXT];

	ports_text(&app->ports, ports);
	log_info("watching %s for port%s %s%s%s%s%s", live_describe(app->live),
		 strpbrk(ports, ",-") ? "s" : "", ports,
		 app->opts->any_port ? " and TDS on any other" : "", url ? ", serving " : "",
		 url ? url : "", app->service.period_ns ? "" : "; Ctrl-C ends");
}

/* Load what is read once and kept, while its files can still be opened. */
static void watch_prepare(void)
{
	tzset();
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
}

/* Give up the privileges that only attaching needed. */
static int watch_confine(struct app *app, const struct exporter *x)
{
	const struct sandbox_descriptors fds = {.connected = app->service.fd,
						.duplicated = export_listener(x)};
	uint64_t keep = live_capabilities(app->live);
	int err;

	watch_prepare();
	err = sandbox_privileges(app->opts->run_as ? SANDBOX_USER_NAMED : SANDBOX_USER_DEFAULT,
				 app->opts->run_as, keep);
	if (err)
		return err;
	log_debug("capabilities kept: %#" PRIx64, keep);
	if (sandbox_syscalls(SANDBOX_WATCHER, &fds))
		log_warn("this kernel has no system call filters (seccomp), none is used");
	return 0;
}

/* Everything that is needed before the first round. */
static struct exporter *watch_open(struct app *app, struct loop *loop, int *err)
{
	*err = watch_timers(app, loop);
	return *err ? NULL : export_open(app, loop, err);
}

static int watch_rounds(struct app *app, struct loop *loop, struct exporter *x)
{
	char text[STATUS_MAX];
	int err = watch_confine(app, x);

	if (err)
		return err;
	watch_announce(app, x);
	service_ready(&app->service, watch_status(app, text));
	while (!err && !*app->stop) {
		err = loop_round(loop);
		if (*app->reload) {
			*app->reload = 0;
			watch_reload(app, x);
		}
		if (*app->report_now) {
			*app->report_now = 0;
			report_live(app); /* a full disk does not end the run */
		}
	}
	service_stopping(&app->service);
	output_ends(app->out);
	output_ends(app->messages);
	watch_round(app);
	errorlogs_read(app, UINT64_MAX);
	engine_tick(app->engine, clock_now_ns()); /* pending logins have waited until now */
	engine_in_progress(app->engine, app_waiting, app);
	engine_finish(app->engine);
	saves_finish(app->saves);
	if (app->by)
		by_print(app->by->sink, 0);
	output_finish(app->out);
	err = export_textfile(app) ?: err;
	err = report_live(app) ?: err;
	state_dir_save(app);
	app_summary(app);
	errorlogs_summary(app);
	return err;
}

static int watch_loop(struct app *app)
{
	struct loop *loop = loop_new();
	struct exporter *x;
	int err = -errno;

	if (!loop) {
		log_error("cannot set up the event loop: %s", strerror(-err));
		return err;
	}
	x = watch_open(app, loop, &err);
	if (x)
		err = watch_rounds(app, loop, x);
	export_close(x);
	waits_close(app->waits);
	loop_free(loop);
	return err;
}

struct live_config watch_live_config(const struct opts *opts)
{
	return (struct live_config){
		.interfaces = opts->interface_count ? opts->interfaces : NULL,
		.interface_count = opts->interface_count,
		.hook = opts->hook,
		.mirror = opts->mirror,
		.ports = &opts->ports,
		.any_port = opts->any_port,
		.sql = opts->sql || opts->keylog,
		.browser = opts->sql_browser,
		.dependencies = opts->dependencies,
		.commands = opts->commands,
		.decap = opts->decap_from != OPTS_FROM_NOWHERE ? &opts->decap : NULL,
		.max_flows = opts->max_connections,
		.ring_size = opts->ring_mib << 20,
	};
}

static int watch_live(struct app *app)
{
	struct live_config config = watch_live_config(app->opts);
	int err;

	/* A reader that stops must delay neither the ring buffer nor the metrics. */
	err = output_bound(app->messages, MESSAGE_QUEUE) ?: output_bound(app->out, OUT_QUEUE);
	if (err) {
		log_error("out of memory");
		return err;
	}
	wallclock_sync(&app->clock);
	app->live = live_open(&config, &err);
	if (!app->live)
		return err;
	service_open(&app->service);
	err = app_open(app);
	if (!err)
		err = watch_loop(app);
	app_release(app);
	service_close(&app->service);
	live_close(app->live);
	return err;
}

/* The UNIX socket: the option's, else the one in the directory that the service manager made. */
static void watch_socket(struct app *app, char path[SOCKET_PATH])
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	app->socket = app->opts->socket;
	app->socket_asked = app->socket;
	if (app->socket || !app->opts->local || !dir || *dir != '/' || strchr(dir, ':'))
		return;
	if (snprintf(path, SOCKET_PATH, "%s/" OPTS_SOCKET_NAME, dir) < SOCKET_PATH)
		app->socket = path;
}

int watch_run(struct app *app)
{
	char path[SOCKET_PATH], state[STATE_PATH];
	const struct opener_config config = {.config = app->opts->config,
					     .web_config = app->opts->web_config,
					     .textfile = app->opts->textfile,
					     .report = app->opts->report,
					     .state = state_dir_path(app->opts, state),
					     .errorlogs = app->opts->errorlogs,
					     .errorlog_count = app->opts->errorlog_count,
					     .socket = app->opts->socket,
					     .processes = waits_wanted(app->opts) &&
							  sandbox_has(CAP_SYS_PTRACE)};
	int err;

	watch_socket(app, path);
	app->state = config.state;
	/* Before any kernel object is open or mapped: the opener sees no packet. */
	app->opener = opener_start(&config, &err);
	if (!err)
		app->saves = saves_start(app->opts, &err);
	if (!err)
		err = errorlogs_open(app, true);
	if (!err)
		err = watch_live(app);
	errorlogs_close(app);
	saves_stop(app->saves);
	opener_stop(app->opener);
	return err;
}
