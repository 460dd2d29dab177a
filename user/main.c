// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main.c - the wiring: options, source, engine, sinks, the event loop and the exit status.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#define PCAP_DONT_INCLUDE_PCAP_BPF_H /* it and libbpf.h both define struct bpf_insn */
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "counters.h"
#include "engine.h"
#include "log.h"
#include "loop.h"
#include "opts.h"
#include "output.h"
#include "ports.h"
#include "sink/sink.h"
#include "sink/summary.h"
#include "source/file.h"
#include "source/live.h"

#define EXIT_USAGE     2
#define TICK_NS	       100000000ull  /* as live_dispatch() wants it */
#define CLOCK_SYNC_NS  5000000000ull /* how often the wall clock is asked */
#define PROGRESS_EVERY 4096	     /* packets between two looks at the clock */
#define PROGRESS_NS    200000000ull

/* The format chosen, and the summary. */
struct listener {
	const struct sink_ops *ops;
	void *sink;
};

#define LISTENERS 2

struct app {
	const struct opts *opts;
	struct engine *engine;
	struct live *live; /* NULL while reading files */
	struct listener listeners[LISTENERS];
	struct wallclock clock;
	bool prompt;		/* every record is written out at once */
	bool progress;		/* standard error is a terminal of its own */
	uint64_t progress_ns;	/* when it was shown last */
	struct file_stats read; /* the files so far */
};

/* Too big for the stack; only main.c has globals. */
static struct output out, messages;
static volatile sig_atomic_t stop;

/*
 * The first signal ends the run in good order, summary and all. Should that hang, on a reader
 * that does not read, the second ends it at once.
 */
static void on_signal(int sig)
{
	if (stop)
		_exit(128 + sig);
	stop = sig;
}

/* No SA_RESTART: a read from a pipe is to be broken off. The loop's tick covers all races. */
static void signals_init(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/*
 * A standard descriptor that is closed would be given to the next file or map opened, and output
 * written into that. One that fails to be used takes its place.
 */
static void descriptors_init(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static void app_flush(struct app *app)
{
	if (app->prompt)
		output_flush(&out);
}

static void app_login(void *ctx, const struct login_record *rec)
{
	struct app *app = ctx;

	for (int i = 0; i < LISTENERS; i++)
		app->listeners[i].ops->login(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_close(void *ctx, const struct close_record *rec)
{
	struct app *app = ctx;

	for (int i = 0; i < LISTENERS; i++)
		app->listeners[i].ops->close(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_command(void *ctx, const struct command_record *rec)
{
	struct app *app = ctx;

	for (int i = 0; i < LISTENERS; i++)
		if (app->listeners[i].ops->command)
			app->listeners[i].ops->command(app->listeners[i].sink, rec);
	app_flush(app);
}

static void app_tap(void *ctx, const struct flow_key *key, enum tap_level level)
{
	struct app *app = ctx;

	live_tap(app->live, key, level);
}

static bool app_is_local(void *ctx, const uint8_t *addr)
{
	struct app *app = ctx;

	return live_is_local(app->live, addr);
}

static void app_segment(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	struct app *app = ctx;

	engine_segment(app->engine, seg, payload);
}

static const char *interface_name(uint32_t ifindex, char name[SINK_INTERFACE_MAX])
{
	return if_indextoname(ifindex, name);
}

static bool colour_wanted(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR"); /* no-color.org */

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term && strcmp(term, "dumb");
}

static int app_open_engine(struct app *app)
{
	const struct opts *opts = app->opts;
	struct engine_config config = {.ports = &opts->ports,
				       .any_port = opts->any_port,
				       .identities = opts->identities,
				       .max_flows = opts->max_connections,
				       .slow_prelogin_ns = opts->slow_prelogin_ms * 1000000ull,
				       .slow_login_ns = opts->slow_login_ms * 1000000ull,
				       .reorder_ns = app->live ? 0 : UINT64_MAX};
	struct engine_ops ops = {.login = app_login,
				 .close = app_close,
				 .command = opts->commands ? app_command : NULL,
				 .tap = app->live ? app_tap : NULL,
				 .is_local = app->live ? app_is_local : NULL};

	app->engine = engine_new(&config, &ops, app);
	return app->engine ? 0 : -ENOMEM;
}

static int app_open(struct app *app)
{
	struct sink_config config = {.out = &out,
				     .clock = &app->clock,
				     .interface_name = app->live ? interface_name : NULL,
				     .terminal = isatty(STDOUT_FILENO),
				     .colour = colour_wanted(),
				     .explain = app->opts->explain};
	int err = 0;

	app->prompt = app->live || config.terminal;
	app->progress = isatty(STDERR_FILENO) && !config.terminal;
	app->listeners[0].ops = app->opts->format;
	app->listeners[1].ops = &summary_sink;
	for (int i = 0; i < LISTENERS; i++) {
		struct listener *l = &app->listeners[i];

		l->sink = l->ops->open(&config);
		if (!l->sink)
			err = -ENOMEM;
		config.out = &messages;
		config.terminal = config.colour = false;
	}
	if (!err)
		err = app_open_engine(app);
	if (err)
		log_error("out of memory");
	return err;
}

static void app_close_all(struct app *app)
{
	engine_free(app->engine);
	for (int i = 0; i < LISTENERS; i++)
		if (app->listeners[i].ops)
			app->listeners[i].ops->free(app->listeners[i].sink);
}

static void app_summary(struct app *app)
{
	struct counter counters[2 * COUNTERS_MAX];
	uint64_t taps[TAP_CNT_MAX] = {0};
	size_t n = 0;

	if (app->live) {
		live_counters(app->live, taps);
		n += counters_tap(taps, counters);
	} else {
		n += counters_file(&app->read, counters);
	}
	n += counters_engine(engine_stats(app->engine), counters + n);
	summary_print(app->listeners[1].sink, counters, n);
}

static int live_round(void *ctx)
{
	struct app *app = ctx;
	int n = live_dispatch(app->live, app_segment, app);

	if (n >= 0 || n == -EINTR)
		return out.err;
	log_error("cannot read from the kernel: %s", strerror(-n));
	return n;
}

static int live_tick(void *ctx)
{
	struct app *app = ctx;
	int err = live_round(app);

	/* After the segments: what is in the ring buffer is older than now. */
	engine_tick(app->engine, clock_now_ns());
	return err;
}

static int live_sync(void *ctx)
{
	struct app *app = ctx;

	wallclock_sync(&app->clock);
	return 0;
}

static int live_loop(struct app *app)
{
	struct loop *loop = loop_new();
	int err = loop ? 0 : -errno;

	if (!err)
		err = loop_add(loop, live_fd(app->live), live_round, app);
	if (!err)
		err = loop_every(loop, TICK_NS, live_tick, app);
	if (!err)
		err = loop_every(loop, CLOCK_SYNC_NS, live_sync, app);
	if (err)
		log_error("cannot set up the event loop: %s", strerror(-err));
	while (!err && !stop)
		err = loop_round(loop);
	loop_free(loop);
	return err;
}

static void live_announce(const struct app *app)
{
	char ports[PORTS_TEXT];

	ports_text(&app->opts->ports, ports);
	log_info("watching %s for port%s %s%s; Ctrl-C ends", live_describe(app->live),
		 strpbrk(ports, ",-") ? "s" : "", ports,
		 app->opts->any_port ? " and TDS on any other" : "");
}

static int run_live(struct app *app)
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
	if (!err) {
		live_announce(app);
		err = live_loop(app);
		live_round(app);
		engine_finish(app->engine);
		app_summary(app);
	}
	app_close_all(app);
	live_close(app->live);
	return err;
}

/* Overwritten by itself, and by whatever is said next. */
static void progress_show(struct app *app, const char *path, const struct file_stats *stats)
{
	uint64_t now_ns = clock_now_ns();

	if (!app->progress || now_ns - app->progress_ns < PROGRESS_NS)
		return;
	app->progress_ns = now_ns;
	output_printf(&messages, "\033[Kreading %s: %" PRIu64 " packets, %" PRIu64 " MB", path,
		      stats->packets, stats->bytes_read / 1000000);
	if (stats->bytes_total)
		output_printf(&messages, ", %" PRIu64 " %%",
			      stats->bytes_read * 100 / stats->bytes_total);
	output_printf(&messages, "\r");
	output_flush(&messages);
}

static void progress_erase(struct app *app)
{
	if (!app->progress_ns)
		return;
	output_printf(&messages, "\033[K");
	output_flush(&messages);
	app->progress_ns = 0;
}

static void read_add(struct file_stats *sum, const struct file_stats *stats)
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
	const uint8_t *payload;
	struct file *file;
	struct seg seg;
	int err, got = 0;

	file = file_open(path, &err);
	if (!file)
		return err;
	/* A capture that is being made is told of as it comes. */
	app->prompt |= !strcmp(path, "-");
	while (!stop && !out.err && (got = file_next(file, &seg, &payload)) > 0) {
		engine_segment(app->engine, &seg, payload);
		if (file_stats(file)->packets % PROGRESS_EVERY == 0)
			progress_show(app, path, file_stats(file));
	}
	progress_erase(app);
	read_add(&app->read, file_stats(file));
	file_close(file);
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
static int run_files(struct app *app)
{
	int err = app_open(app);

	if (!err) {
		for (size_t i = 0; i < app->opts->file_count && !stop && !out.err; i++)
			err = read_file(app, app->opts->files[i]) ?: err;
		engine_finish(app->engine);
		output_flush(&out);
		if (app->read.packets || !err)
			app_summary(app);
		read_hint(app);
	}
	app_close_all(app);
	return err;
}

static void print_version(void)
{
	output_printf(&out, "tdsmon %s (libbpf %s, %s)\n", TDSMON_VERSION, libbpf_version_string(),
		      pcap_lib_version());
}

/* The last look at the output: what could not be written is never passed over. */
static int finish_output(void)
{
	int err = output_close(&out);

	if (err == -EPIPE)
		log_error("output closed by its reader, stopped");
	else if (err)
		log_error("cannot write output: %s", strerror(-err));
	return err;
}

static int run(const struct opts *opts)
{
	struct app app = {.opts = opts};

	if (opts->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	signals_init();
	return opts->file_count ? run_files(&app) : run_live(&app);
}

int main(int argc, char **argv)
{
	struct opts opts;
	int err = 0;

	descriptors_init();
	output_init(&out, STDOUT_FILENO);
	output_init(&messages, STDERR_FILENO);
	switch (opts_parse(&opts, argc, argv)) {
	case OPTS_USAGE:
		opts_release(&opts);
		return EXIT_USAGE;
	case OPTS_HELP:
		opts_help(&out);
		break;
	case OPTS_VERSION:
		print_version();
		break;
	case OPTS_RUN:
		err = run(&opts);
		break;
	}
	opts_release(&opts);
	if (finish_output())
		err = -EIO;
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
