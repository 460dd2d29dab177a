// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * watch.c - a run that watches live: the event loop around the live source.
 */
#include <errno.h>
#include <string.h>

#include "app.h"
#include "export.h"
#include "log.h"
#include "loop.h"
#include "ports.h"

#define TICK_NS	      100000000ull  /* as live_dispatch() wants it */
#define CLOCK_SYNC_NS 5000000000ull /* how often the wall clock is asked */

static int watch_round(void *ctx)
{
	struct app *app = ctx;
	int n = live_dispatch(app->live, app_segment, app);

	if (n >= 0 || n == -EINTR)
		return app->out->err;
	log_error("cannot read from the kernel: %s", strerror(-n));
	return n;
}

static int watch_tick(void *ctx)
{
	struct app *app = ctx;
	int err = watch_round(app);

	/* After the segments: what is in the ring buffer is older than now. */
	engine_tick(app->engine, clock_now_ns());
	return err;
}

static int watch_sync(void *ctx)
{
	struct app *app = ctx;

	wallclock_sync(&app->clock);
	return 0;
}

static int watch_timers(struct app *app, struct loop *loop)
{
	int err = loop_add(loop, live_fd(app->live), watch_round, app);

	if (!err)
		err = loop_every(loop, TICK_NS, watch_tick, app);
	if (!err)
		err = loop_every(loop, CLOCK_SYNC_NS, watch_sync, app);
	if (err)
		log_error("cannot set up the event loop: %s", strerror(-err));
	return err;
}

static void watch_announce(const struct app *app, const struct export *x)
{
	const char *url = export_url(x);
	char ports[PORTS_TEXT];

	ports_text(&app->opts->ports, ports);
	log_info("watching %s for port%s %s%s%s%s; Ctrl-C ends", live_describe(app->live),
		 strpbrk(ports, ",-") ? "s" : "", ports,
		 app->opts->any_port ? " and TDS on any other" : "", url ? ", serving " : "",
		 url ? url : "");
}

/* All that is needed before the first round. */
static struct export *watch_open(struct app *app, struct loop *loop, int *err)
{
	*err = watch_timers(app, loop);
	return *err ? NULL : export_open(app, loop, err);
}

static int watch_loop(struct app *app)
{
	struct loop *loop = loop_new();
	struct export *x;
	int err = -errno;

	if (!loop) {
		log_error("cannot set up the event loop: %s", strerror(-err));
		return err;
	}
	x = watch_open(app, loop, &err);
	if (x) {
		watch_announce(app, x);
		while (!err && !*app->stop)
			err = loop_round(loop);
		watch_round(app);
		engine_finish(app->engine);
		err = export_textfile(app) ?: err;
		app_summary(app);
	}
	export_close(x);
	loop_free(loop);
	return err;
}

int watch_run(struct app *app)
{
	struct live_config config = {.interfaces = app->opts->interfaces,
				     .interface_count = app->opts->interface_count,
				     .hook = app->opts->hook,
				     .mirror = app->opts->mirror,
				     .ports = &app->opts->ports,
				     .any_port = app->opts->any_port,
				     .max_flows = app->opts->max_connections};
	int err;

	if (!config.interface_count)
		config.interfaces = NULL;
	wallclock_sync(&app->clock);
	app->live = live_open(&config, &err);
	if (!app->live)
		return err;
	err = app_open(app);
	if (!err)
		err = watch_loop(app);
	app_close_all(app);
	live_close(app->live);
	return err;
}
