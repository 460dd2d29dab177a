// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * app.c - see app.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "lib/config.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "ports.h"
#include "report/survey.h"
#include "saves.h"
#include "sink/feed/feed.h"
#include "sink/heartbeat.h"
#include "sink/page/page.h"
#include "sink/prometheus/prometheus.h"
#include "sink/summary.h"
#include "waits.h"

static void app_flush(struct app *app)
{
	output_record_end(app->out);
	if (app->prompt)
		output_flush(app->out);
}

static void app_on_login(void *ctx, const struct login_record *rec)
{
	struct app *app = ctx;
	bool selected;

	if (app->live && (rec->outcome == OUTCOME_OK || rec->outcome == OUTCOME_REFUSED))
		live_settle(app->live);
	selected = selection_login(&app->selection, rec);
	for (size_t i = 0; i < app->listener_count; i++)
		if ((!app->listeners[i].problems || sink_is_problem(rec)) &&
		    (!app->listeners[i].filtered || selected))
			app->listeners[i].ops->login(app->listeners[i].sink, rec);
	if (selected)
		saves_login(app->saves, rec);
	app_flush(app);
}

static void app_on_close(void *ctx, const struct close_record *rec)
{
	struct app *app = ctx;
	bool selected = selection_close(&app->selection, rec);

	for (size_t i = 0; i < app->listener_count; i++)
		if (app->listeners[i].ops->close && (!app->listeners[i].filtered || selected) &&
		    (!app->listeners[i].problems || sink_is_cut_off(rec)))
			app->listeners[i].ops->close(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_on_command(void *ctx, const struct command_record *rec)
{
	struct app *app = ctx;
	bool selected = selection_command(&app->selection, rec);

	for (size_t i = 0; i < app->listener_count; i++)
		if (app->listeners[i].commands && (!app->listeners[i].filtered || selected))
			app->listeners[i].ops->command(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_on_browser(void *ctx, const struct browser_record *rec)
{
	struct app *app = ctx;
	bool selected = selection_browser(&app->selection, rec);

	for (size_t i = 0; i < app->listener_count; i++)
		if (app->listeners[i].ops->browser && (!app->listeners[i].filtered || selected))
			app->listeners[i].ops->browser(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_on_pending(void *ctx, const struct pending_record *rec)
{
	struct app *app = ctx;
	bool selected = selection_pending(&app->selection, rec);

	for (size_t i = 0; i < app->listener_count; i++)
		if (app->listeners[i].ops->pending && (!app->listeners[i].filtered || selected))
			app->listeners[i].ops->pending(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_watch_port(void *ctx, uint16_t port, bool serves)
{
	struct app *app = ctx;

	live_port(app->live, port, serves);
}

static void app_set_level(void *ctx, const struct flow_key *key, uint8_t client,
			  enum tap_level level)
{
	struct app *app = ctx;

	live_tap(app->live, key, client, level);
}

static bool app_query_flow(void *ctx, const struct flow_key *key, struct tap_state *out)
{
	struct app *app = ctx;

	return live_state(app->live, key, out);
}

static bool app_is_local(void *ctx, const uint8_t *addr)
{
	struct app *app = ctx;

	return live_is_local(app->live, addr);
}

static void app_packet(void *ctx, void **packets, const struct seg *seg, const uint8_t *payload)
{
	const struct app *app = ctx;

	saves_packet(app->saves, packets, seg, payload);
}

static void app_forget(void *ctx, void *packets)
{
	const struct app *app = ctx;

	saves_forget(app->saves, packets);
}

static void app_service(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	const struct app *app = ctx;

	saves_service(app->saves, seg, payload);
}

void app_segment(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	struct app *app = ctx;

	if (live_lost(app->live))
		engine_lost(app->engine, clock_now_ns());
	if (seg->rec_flags & SEG_F_READ)
		waits_on_read(app->waits, seg);
	else
		engine_segment(app->engine, seg, payload);
}

static const char *interface_name(const void *live, uint32_t ifindex)
{
	return live_interface_name(live, ifindex);
}

static bool colour_wanted(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR"); /* no-color.org */

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static uint64_t ns_of_ms(uint32_t ms)
{
	return ms * 1000000ull;
}

static int app_open_engine(struct app *app)
{
	const struct opts *opts = app->opts;
	struct engine_config config = {.ports = &app->ports,
				       .any_port = opts->any_port,
				       .browser = opts->sql_browser,
				       .identities = opts->show_identities,
				       .sql = opts->sql,
				       .keys = opts->keylog != NULL,
				       .keys_late = opts->keylog && app->live,
				       .errorlog = app->errorlogs,
				       .dependencies =
					       opts->dependencies && !(app->live && opts->mirror),
				       .kernel_times_commands = app->live && !opts->commands,
				       .max_flows = opts->max_connections,
				       .slow_prelogin_ns = ns_of_ms(opts->slow_prelogin_ms),
				       .slow_login_ns = ns_of_ms(opts->slow_login_ms),
				       .reorder_ns = app->live ? 0 : UINT64_MAX};
	struct engine_ops ops = {.login = app_on_login,
				 .close = app_on_close,
				 .command = opts->commands || app->metrics ? app_on_command : NULL,
				 .pending = app->live ? app_on_pending : NULL,
				 .browser = app_on_browser,
				 .port = app->live ? app_watch_port : NULL,
				 .tap = app->live ? app_set_level : NULL,
				 .state = app->live ? app_query_flow : NULL,
				 .is_local = app->live ? app_is_local : NULL,
				 .packet = app->saves ? app_packet : NULL,
				 .forget = app_forget,
				 .service = app->saves ? app_service : NULL};

	if (app->live)
		live_seed(app->live, config.seed);
	app->ports = opts->ports;
	app->engine = engine_new(&config, &ops, app);
	return app->engine ? 0 : -ENOMEM;
}

/* Open a sink and register it; NULL if there is no memory. */
static struct listener *app_listen(struct app *app, const struct sink_ops *ops,
				   const struct sink_config *config, bool commands)
{
	struct listener *l = &app->listeners[app->listener_count];

	*l = (struct listener){
		.ops = ops, .sink = ops->open(config), .commands = commands && ops->command};
	if (!l->sink)
		return NULL;
	app->listener_count++;
	return l;
}

int app_open(struct app *app)
{
	const struct opts *opts = app->opts;
	struct sink_config config = {.out = app->out,
				     .clock = &app->clock,
				     .interface_name = app->live ? interface_name : NULL,
				     .interfaces = app->live,
				     .terminal =
					     app->out->fd == STDOUT_FILENO && isatty(STDOUT_FILENO),
				     .colour = colour_wanted(),
				     .explain = opts->explain,
				     .priorities = log_is_journal(STDOUT_FILENO),
				     .by = &opts->by,
				     .one_line = opts->one_line,
				     .top_clients = opts->top_clients};
	bool serve = app->live && opts->listen, metrics = serve || opts->textfile;
	bool reports = app->live && opts->report;
	struct listener *format;
	int err = 0;

	app->prompt = !app->live && config.terminal;
	app->progress = isatty(STDERR_FILENO) && !config.terminal;
	if (opts->heartbeat)
		app->beat = heartbeat_new(&config);
	format = app_listen(app, opts->by.count ? &by_sink : opts->format, &config, opts->commands);
	app->by = opts->by.count ? format : NULL;
	selection_init(&app->selection, &opts->filter);
	if (format) {
		format->problems = opts->only_problems;
		format->filtered = true;
	}
	if (!format || (opts->heartbeat && !app->beat))
		err = -ENOMEM;
	config.out = app->messages;
	config.terminal = config.colour = false;
	app->summary = app_listen(app, &summary_sink, &config, false);
	if (metrics)
		app->metrics = app_listen(app, &prometheus_sink, &config, true);
	if (serve)
		app->page = app_listen(app, &page_sink, &config, false);
	if (serve || app->socket)
		app->feed = app_listen(app, &feed_sink, &config, false);
	if (reports)
		app->survey = app_listen(app, &survey_sink, &config, false);
	if (!app->summary || (metrics && !app->metrics) || (serve && !app->page) ||
	    ((serve || app->socket) && !app->feed) || (reports && !app->survey))
		err = -ENOMEM;
	if (!err)
		err = saves_open(app->saves, &config);
	if (!err)
		err = app_open_engine(app);
	if (err)
		log_error("out of memory");
	if (!err && opts->keylog)
		app->keylog = keylog_open(opts->keylog, &err);
	return err;
}

int app_reload(struct app *app)
{
	char ports[PORTS_TEXT];
	struct opts opts;
	int fd = app->opts->config ? opener_ask(app->opener, OPENER_CONFIG) : CONFIG_BY_PATH;
	int err = opts_parse_again(&opts, app->argc, app->argv, fd) == OPTS_RUN ? 0 : -EINVAL;

	if (fd > 0)
		close(fd);
	if (err) {
		log_error("nothing is changed");
	} else {
		app->ports = opts.ports;
		engine_set_slow(app->engine, ns_of_ms(opts.slow_prelogin_ms),
				ns_of_ms(opts.slow_login_ms));
		log_info("ports %s and the slow times apply from now on, other options from the "
			 "next start",
			 ports_text(&app->ports, ports));
	}
	opts_release(&opts);
	return err;
}

void app_release(struct app *app)
{
	keylog_close(app->keylog);
	engine_free(app->engine);
	for (size_t i = 0; i < app->listener_count; i++)
		app->listeners[i].ops->free(app->listeners[i].sink);
	heartbeat_free(app->beat);
	selection_release(&app->selection);
}

size_t app_counters(const struct app *app, struct counter *counters)
{
	uint64_t taps[TAP_CNT_MAX] = {0};
	size_t n = 0;

	if (app->live) {
		live_counters(app->live, taps);
		n += counters_tap(taps, counters);
	} else {
		n += counters_file(&app->read, counters);
	}
	n += counters_engine(engine_stats(app->engine), counters + n);
	n += counters_memory(counters + n);
	n += saves_counters(app->saves, counters + n);
	return n + counters_output(app->out, app->messages, counters + n);
}

int app_memory(struct app *app)
{
	if (!memory_failures())
		return 0;
	if (!app->memory_reported)
		log_error("out of memory: from now on logins, records and facts may be missing; "
			  "give it more, or lower --max-connections");
	app->memory_reported = true;
	return -ENOMEM;
}

void app_waiting(void *ctx, const struct pending_record *rec)
{
	const struct app *app = ctx;

	summary_waiting(app->summary->sink, rec);
}

void app_summary(struct app *app)
{
	struct counter counters[APP_COUNTERS];

	if (app->finish) {
		app->finish(app);
		return;
	}
	summary_filtered(app->summary->sink, app->selection.logins_out);
	summary_print(app->summary->sink, counters, app_counters(app, counters));
}
