// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * export.c - see export.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "lib/fixed_histogram.h"
#include "http/http.h"
#include "lib/log.h"
#include "system/process.h"
#include "lib/regular.h"
#include "lib/replace.h"
#include "sink/feed/feed.h"
#include "sink/page/page.h"
#include "sink/prometheus/prometheus.h"
#include "lib/units.h"
#include "ports.h"
#include "waits.h"

#define TEXTFILE_NS	15000000000ull
#define HTTP_COUNTERS	8
#define ENGINE_COUNTERS 3
#define EXPORT_ROUTES	6
#define LOCAL_ROUTES	3 /* of them, at the UNIX socket */
#define LOCAL_GROUP	"tdsmon"
#define PAGE_NS		NS_PER_S /* as page_tick() expects it */
#define HTTP_NOT_READY	503
#define PAGE_KEEP_NS	100000000ull /* requests within this time get the same page */
#define PAGES		3 /* most pages of a format; slow readers are still being sent old ones */

/* The metrics at one time. */
struct metrics_page {
	struct http_body *body; /* NULL: no page */
	uint64_t made_ns;
};

struct exporter {
	struct app *app;
	struct http *http;		     /* NULL without --listen */
	struct http *local;		     /* the UNIX socket's, or NULL */
	int textfile_err;		     /* the last one logged */
	uint64_t page_ns;		     /* the longest time that making a page took */
	struct metrics_page pages[2][PAGES]; /* by enum exposition_format */
	struct http_route routes[EXPORT_ROUTES], local_routes[LOCAL_ROUTES];
	struct process process;
	char ports[PORTS_TEXT]; /* as the page shows them */
};

static size_t http_counters(const struct http_stats *s, struct counter out[HTTP_COUNTERS])
{
	const struct counter rows[] = {
		{"http_requests", "HTTP requests.", s->requests},
		{"http_requests_unauthorized", "HTTP requests without a valid password.",
		 s->unauthorized},
		{"http_requests_refused", "HTTP requests for an unknown page, method or host.",
		 s->refused},
		{"http_connections_displaced",
		 "HTTP connections closed to make room: too many in total, or from one address.",
		 s->displaced},
		{"http_connections_timed_out",
		 "HTTP connections closed because a request or its answer took too long.",
		 s->timed_out},
		{"http_streams_dropped", "Event streams closed because the client was too slow.",
		 s->streams_dropped},
	};

	_Static_assert(sizeof(rows) <= HTTP_COUNTERS * sizeof(rows[0]), "room");
	memcpy(out, rows, sizeof(rows));
	return sizeof(rows) / sizeof(rows[0]);
}

/* Of both servers. */
static struct http_stats all_http_stats(const struct exporter *x)
{
	const struct http *const both[] = {x->http, x->local};
	struct http_stats sum = {0};

	for (int i = 0; i < 2; i++) {
		const struct http_stats *one = both[i] ? http_stats(both[i]) : NULL;

		if (!one)
			continue;
		sum.requests += one->requests;
		sum.unauthorized += one->unauthorized;
		sum.refused += one->refused;
		sum.displaced += one->displaced;
		sum.timed_out += one->timed_out;
		sum.connections += one->connections;
		sum.streams += one->streams;
		sum.streams_dropped += one->streams_dropped;
	}
	return sum;
}

static size_t export_gauges(const struct exporter *x, const struct app *app, struct counter out[4])
{
	struct http_stats stats;
	size_t n = 0;

	if (app->live)
		out[n++] = (struct counter){"interfaces", "Interfaces watched.",
					    live_interfaces(app->live)};
	if (!x || !x->http)
		return n;
	stats = all_http_stats(x);
	out[n++] = (struct counter){"http_connections", "HTTP connections that are open.",
				    stats.connections};
	out[n++] = (struct counter){"http_streams", "Event streams that are open.", stats.streams};
	return n;
}

/* Add one server's commands of one kind, converting the kernel's buckets to our wider ones. */
static void export_latency(void *ctx, const uint8_t addr[16], uint16_t port, enum latency_kind kind,
			   const struct latency *sum)
{
	struct prometheus_commands commands = {
		.server.port = port,
		.kind = kind == LATENCY_ENCRYPTED ? COMMAND_UNKNOWN : (enum command_kind)kind,
		.times.sum_ns = sum->total_sum_ns,
	};
	const struct app *app = ctx;
	size_t to = 0;

	memcpy(commands.server.addr, addr, sizeof(commands.server.addr));
	for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
		while (to < prometheus_command_bounds.count &&
		       latency_floor_ns(i) >= prometheus_command_bounds.ns[to])
			to++;
		commands.times.counts[to] += sum->total[i];
	}
	prometheus_add_commands(app->metrics->sink, &commands);
}

static void export_progress(void *ctx, const struct pending_record *rec)
{
	const struct app *app = ctx;

	prometheus_add_progress(app->metrics->sink, rec);
}

/* The engine's counters that are no record's. */
static size_t engine_counters(const struct engine_stats *stats, struct counter out[ENGINE_COUNTERS])
{
	size_t n = 0;

	out[n++] = (struct counter){"segments", "TCP segments examined.", stats->segments};
	out[n++] = (struct counter){"sql_browser_requests", "Requests to SQL Server Browser.",
				    stats->browser_questions};
	out[n++] = (struct counter){"sql_browser_requests_unanswered",
				    "Requests to SQL Server Browser that neither a response nor a "
				    "connection followed.",
				    stats->browser_unanswered};
	return n;
}

/* The numbers of a page that are no records' and have labels. */
struct export_lists {
	const struct app *app;
	struct dependency_total dependencies[ENGINE_DEPENDENCIES];
	size_t dependency_count;
	struct prometheus_queue queues[PROMETHEUS_QUEUES];
	size_t queue_count;
};

static void export_dependency(void *ctx, const struct dependency_total *total)
{
	struct export_lists *lists = ctx;

	lists->dependencies[lists->dependency_count++] = *total;
}

/* Is the first queue fuller than the second? One without a limit holds a connection, too. */
static bool queue_is_fuller(const struct socket_queue *a, const struct prometheus_queue *b)
{
	return (uint64_t)a->length * (b->limit + 1ull) > (uint64_t)b->length * (a->limit + 1ull);
}

/* Keep the fullest of each watched port. */
static void export_queue(void *ctx, const struct socket_queue *queue)
{
	struct export_lists *lists = ctx;
	size_t i = 0;

	if (!live_watches(lists->app->live, queue->port))
		return;
	while (i < lists->queue_count && lists->queues[i].port != queue->port)
		i++;
	if (i == PROMETHEUS_QUEUES)
		return;
	if (i == lists->queue_count)
		lists->queue_count++;
	else if (!queue_is_fuller(queue, &lists->queues[i]))
		return;
	lists->queues[i] = (struct prometheus_queue){queue->port, queue->length, queue->limit};
}

/* x: NULL if nothing is served. process: NULL in a file, whose reader has such metrics itself. */
static void export_page(const struct exporter *x, const struct app *app,
			const struct process_usage *process, enum exposition_format format,
			struct strbuf *out)
{
	const struct engine_stats *stats = engine_stats(app->engine);
	struct counter counters[APP_COUNTERS + HTTP_COUNTERS + ENGINE_COUNTERS], more[4];
	struct export_lists lists = {.app = app};
	struct prometheus_facts facts = {
		.counters = counters,
		.counter_count = app_counters(app, counters),
		.gauges = more,
		.gauge_count = export_gauges(x, app, more),
		.connections = {stats->in_login, stats->in_session, stats->over},
		.page_ns = x ? x->page_ns : 0,
		.process = process,
	};

	engine_dependencies(app->engine, export_dependency, &lists);
	waits_queues(app->waits, export_queue, &lists);
	facts.dependencies = lists.dependencies;
	facts.dependency_count = lists.dependency_count;
	facts.queues = lists.queues;
	facts.queue_count = lists.queue_count;
	facts.counter_count += engine_counters(stats, counters + facts.counter_count);
	if (x && x->http) {
		struct http_stats served = all_http_stats(x);

		facts.counter_count += http_counters(&served, counters + facts.counter_count);
	}
	prometheus_clear_commands(app->metrics->sink);
	/* With --commands the kernel forwards all heads, and counts nothing itself. */
	if (app->live)
		live_latency(app->live, export_latency, (void *)app);
	prometheus_clear_progress(app->metrics->sink);
	engine_in_progress(app->engine, export_progress, (void *)app);
	prometheus_page(app->metrics->sink, &facts, format, out);
}

static void make_page(struct exporter *x, enum exposition_format format, struct metrics_page *page)
{
	uint64_t start_ns = clock_now_ns(), took_ns;
	struct strbuf empty = {0};
	struct process_usage usage;

	if (!page->body)
		page->body = http_body_new(&empty);
	if (!page->body)
		return;
	http_body_text(page->body)->len = 0;
	process_usage(&x->process, &usage);
	export_page(x, x->app, &usage, format, http_body_text(page->body));
	page->made_ns = clock_now_ns();
	took_ns = page->made_ns - start_ns;
	if (took_ns > x->page_ns)
		x->page_ns = took_ns;
}

/*
 * The page for a request that comes now. Pages that are no longer being sent are reused, so usually
 * there is one page. If slow readers hold all of them, the newest is returned; a response is sent
 * within ten seconds, so it is no older than that.
 */
static struct metrics_page *current_page(struct exporter *x, enum exposition_format format)
{
	struct metrics_page *pages = x->pages[format], *newest = pages, *mine = NULL;

	for (int i = 1; i < PAGES; i++)
		if (pages[i].body && pages[i].made_ns > newest->made_ns)
			newest = &pages[i];
	if (newest->body && clock_now_ns() - newest->made_ns < PAGE_KEEP_NS)
		return newest;
	for (int i = 0; i < PAGES; i++) {
		if (pages[i].body && !http_body_is_mine(pages[i].body))
			continue;
		if (!mine) {
			mine = &pages[i];
			continue;
		}
		http_body_release(pages[i].body);
		pages[i] = (struct metrics_page){0};
	}
	if (mine)
		make_page(x, format, mine);
	return mine ?: newest;
}

static void get_metrics(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	enum exposition_format format = exposition_negotiate(req->accept);
	struct metrics_page *page = current_page(ctx, format);

	reply->type = exposition_content_type(format);
	if (!page->body || http_body_text(page->body)->failed) {
		reply->body.failed = true;
		http_body_release(page->body);
		*page = (struct metrics_page){0};
		return;
	}
	http_body_hold(page->body);
	reply->shared = page->body;
}

static void get_healthz(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	const struct exporter *x = ctx;

	(void)req;
	if (live_interfaces(x->app->live)) {
		strbuf_adds(&reply->body, "ok\n");
		return;
	}
	reply->status = HTTP_NOT_READY;
	strbuf_adds(&reply->body, "no interface is watched: none of them is up\n");
}

static void export_tick_page(struct exporter *x, const struct counter *counters, size_t count)
{
	const struct engine_stats *stats = engine_stats(x->app->engine);
	struct page_watched watched = {.where = live_describe(x->app->live),
				       .ports = ports_text(&x->app->ports, x->ports),
				       .any_port = x->app->opts->any_port,
				       .segments = stats->segments,
				       .connections = stats->flows};

	if (page_is_watched(x->app->page->sink))
		engine_in_progress(x->app->engine, page_waiting, x->app->page->sink);
	page_tick(x->app->page->sink, clock_now_ns(), &watched, counters, count);
}

static int on_second(void *ctx)
{
	struct exporter *x = ctx;
	struct counter counters[APP_COUNTERS];
	size_t count = app_counters(x->app, counters);

	if (x->app->page)
		export_tick_page(x, counters, count);
	if (feed_is_watched(x->app->feed->sink))
		engine_in_progress(x->app->engine, feed_waiting, x->app->feed->sink);
	feed_tick(x->app->feed->sink, clock_now_ns(), counters, count);
	return 0;
}

/* While watching live, the opener replaces the file. */
static int replace_live(struct opener *opener, const struct strbuf *text)
{
	int fd = opener_ask(opener, OPENER_TEXTFILE), err;

	if (fd <= 0)
		return fd ?: -EPROTO;
	err = replace_fill(fd, text->data, text->len);
	if (!err)
		return opener_ask(opener, OPENER_TEXTFILE_COMMIT);
	opener_ask(opener, OPENER_TEXTFILE_DROP);
	return err;
}

static int replace_once(const char *path, const struct strbuf *text)
{
	struct replace file;
	int err = replace_open(&file, path);

	if (!err)
		err = replace_write(&file, text->data, text->len);
	replace_close(&file);
	return err;
}

static int write_textfile(const struct exporter *x, const struct app *app)
{
	struct strbuf page = {0};
	int err;

	export_page(x, app, NULL, EXPOSITION_TEXT, &page);
	err = page.failed ? -ENOMEM
	      : app->live ? replace_live(app->opener, &page)
			  : replace_once(app->opts->textfile, &page);
	strbuf_release(&page);
	return err;
}

int export_textfile(struct app *app)
{
	int err = app->opts->textfile ? write_textfile(NULL, app) : 0;

	if (err)
		log_error("cannot write %s: %s", app->opts->textfile, regular_error(err));
	return err;
}

/* A full disk does not end the run; its beginning and its end are logged. */
static int on_textfile(void *ctx)
{
	struct exporter *x = ctx;
	int err = write_textfile(x, x->app);

	if (err && err != x->textfile_err)
		log_error("cannot write %s: %s", x->app->opts->textfile, regular_error(err));
	else if (!err && x->textfile_err)
		log_info("%s is written again", x->app->opts->textfile);
	x->textfile_err = err;
	return 0;
}

static int open_web_file(void *opener, enum web_config_file file)
{
	int fd = opener_ask(opener, OPENER_WEB_CONFIG + (enum opener_kind)(file - WEB_CONFIG_FILE));

	return fd ?: -EPROTO;
}

static int serve_http(struct exporter *x, struct loop *loop)
{
	const struct opts *opts = x->app->opts;
	const struct http_config config = {.listen = opts->listen,
					   .web_config = opts->web_config,
					   .allowed_hosts = opts->allowed_hosts,
					   .allowed_host_count = opts->allowed_host_count,
					   .allow_hint = "If it is, start tdsmon with "
							 "--allowed-host NAME.",
					   .open_fn = open_web_file,
					   .open_ctx = x->app->opener,
					   .routes = x->routes,
					   .route_count = EXPORT_ROUTES};
	void *page = x->app->page->sink, *door = feed_door(x->app->feed->sink, 0);
	int err;

	x->routes[0] = (struct http_route){"/metrics", get_metrics, x, false};
	x->routes[1] = (struct http_route){"/healthz", get_healthz, x, true};
	x->routes[2] = (struct http_route){"/", page_document, page, false};
	x->routes[3] = (struct http_route){"/events", page_events, page, false};
	x->routes[4] = (struct http_route){"/records", feed_records, door, false};
	x->routes[5] = (struct http_route){"/history", page_history, page, false};
	x->http = http_open(&config, loop, &err);
	if (!x->http)
		return err;
	err = page_serve(page, x->http);
	if (!err)
		err = feed_serve(door, x->http);
	if (err)
		log_error("cannot serve the page: %s", strerror(-err));
	return err;
}

/*
 * The same for programs of this host, by a UNIX socket. If nobody asked for it, tdsmon watches
 * without it.
 */
static int serve_local(struct exporter *x, struct loop *loop)
{
	struct app *app = x->app;
	void *door = feed_door(app->feed->sink, 1);
	size_t count = app->metrics ? LOCAL_ROUTES : LOCAL_ROUTES - 1;
	const struct http_config config = {.socket = app->socket,
					   .socket_group = LOCAL_GROUP,
					   .routes = x->local_routes,
					   .route_count = count};
	int err;

	x->local_routes[0] = (struct http_route){"/records", feed_records, door, true};
	x->local_routes[1] = (struct http_route){"/healthz", get_healthz, x, true};
	x->local_routes[2] = (struct http_route){"/metrics", get_metrics, x, true};
	x->local = http_open(&config, loop, &err);
	if (!x->local && !app->socket_asked)
		return 0;
	if (!x->local)
		return err;
	opener_ask(app->opener, OPENER_SOCKET_BOUND);
	return feed_serve(door, x->local);
}

struct exporter *export_open(struct app *app, struct loop *loop, int *err)
{
	struct exporter *x = calloc(1, sizeof(*x));

	*err = x ? 0 : -ENOMEM;
	if (!x) {
		log_error("out of memory");
		return NULL;
	}
	x->app = app;
	process_open(&x->process);
	if (app->opts->listen)
		*err = serve_http(x, loop);
	if (!*err && app->socket)
		*err = serve_local(x, loop);
	if (!*err && app->feed)
		*err = loop_every(loop, PAGE_NS, on_second, x);
	if (!*err && app->opts->textfile) {
		on_textfile(x);
		*err = loop_every(loop, TEXTFILE_NS, on_textfile, x);
		if (*err)
			log_error("cannot set up a timer: %s", strerror(-*err));
	}
	if (!*err)
		return x;
	export_close(x);
	return NULL;
}

void export_close(struct exporter *x)
{
	if (!x)
		return;
	http_close(x->local);
	http_close(x->http);
	process_close(&x->process);
	for (size_t i = 0; i < 2 * PAGES; i++)
		http_body_release(x->pages[i / PAGES][i % PAGES].body);
	free(x);
}

int export_reload(struct exporter *x)
{
	return x->http ? http_reload(x->http) : 0;
}

const char *export_url(const struct exporter *x)
{
	return x->http ? http_url(x->http) : x->local ? http_url(x->local) : NULL;
}

int export_listener(const struct exporter *x)
{
	return x->http ? http_listener(x->http) : -1;
}
