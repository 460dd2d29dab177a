// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * prometheus.c - records as metrics: a table of families and the functions that write them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/prometheus/prometheus.h"
#include "sink/prometheus/servers.h"
#include "sink/prometheus/top_clients.h"

#define LABELS_MAX 4

struct prometheus {
	struct sink_config config;
	struct servers servers;
	struct top_clients *top;
};

/* A page that is being made. */
struct page {
	struct exposition expo;
	const struct prometheus *sink;
	const struct prometheus_facts *facts;
};

/* One row of the page, either with server or with page. */
struct family {
	const char *name;
	enum exposition_type type;
	const char *help;
	void (*server)(struct page *p, const struct server *s); /* writes one server's samples */
	void (*page)(struct page *p);
};

static void *prometheus_open(const struct sink_config *config)
{
	struct prometheus *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return NULL;
	sink->config = *config;
	sink->top = top_clients_new(config->top_clients);
	if (!sink->top) {
		free(sink);
		return NULL;
	}
	servers_init(&sink->servers);
	return sink;
}

static void prometheus_free(void *ctx)
{
	struct prometheus *sink = ctx;

	if (!sink)
		return;
	servers_release(&sink->servers);
	top_clients_free(sink->top);
	free(sink);
}

static void prometheus_login(void *ctx, const struct login_record *rec)
{
	struct prometheus *sink = ctx;

	servers_login(&sink->servers, rec, sink->config.clock);
	top_clients_login(sink->top, rec);
}

static void prometheus_close(void *ctx, const struct close_record *rec)
{
	struct prometheus *sink = ctx;

	servers_close(&sink->servers, rec);
}

static void prometheus_command(void *ctx, const struct command_record *rec)
{
	struct prometheus *sink = ctx;

	servers_command(&sink->servers, rec);
}

void prometheus_clear_commands(void *ctx)
{
	struct prometheus *sink = ctx;

	for (size_t i = 0; i <= SERVERS_MAX; i++)
		if (sink->servers.all[i])
			memset(sink->servers.all[i]->kernel_commands, 0,
			       sizeof(sink->servers.all[i]->kernel_commands));
}

void prometheus_add_commands(void *ctx, const struct prometheus_commands *commands)
{
	struct prometheus *sink = ctx;

	servers_add_commands(&sink->servers, &commands->server, commands->kind, &commands->times);
}

void prometheus_clear_progress(void *ctx)
{
	struct prometheus *sink = ctx;

	for (size_t i = 0; i <= SERVERS_MAX; i++) {
		struct server *s = sink->servers.all[i];

		if (s)
			s->in_progress = s->oldest_ns = s->unread_logins = s->unread_bytes = 0;
	}
}

void prometheus_add_progress(void *ctx, const struct pending_record *rec)
{
	struct prometheus *sink = ctx;

	servers_add_progress(&sink->servers, rec);
}

#define LABEL(name, value)                                                                         \
	(struct exposition_label)                                                                  \
	{                                                                                          \
		name, value                                                                        \
	}

/* A server's sample with up to two more labels; a NULL name ends them. */
static void put_count(struct page *p, const struct server *s, const char *name1, const char *value1,
		      const char *name2, const char *value2, uint64_t value)
{
	const struct exposition_label labels[] = {
		{"server", s->name}, {name1, value1}, {name2, value2}};

	exposition_count(&p->expo, labels, !name1 ? 1 : !name2 ? 2 : 3, value);
}

static void put_one(struct page *p, const struct server *s, uint64_t value)
{
	put_count(p, s, NULL, NULL, NULL, NULL, value);
}

static uint64_t histogram_count(const struct fixed_histogram *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= FIXED_HISTOGRAM_BUCKETS; i++)
		sum += b->counts[i];
	return sum;
}

/* ---- families with samples for each server ---- */

static void put_logins(struct page *p, const struct server *s)
{
	static const enum basis bases[] = {BASIS_OBSERVED, BASIS_INFERRED};

	/* Also those of 0: if a count first appears with a failure, its increase is not visible. */
	for (int o = 0; o < OUTCOME_COUNT; o++)
		for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++)
			put_count(p, s, "outcome", outcome_name(o), "basis", basis_name(bases[b]),
				  s->outcomes[o][bases[b]]);
}

static void put_classes(struct page *p, const struct server *s)
{
	for (int c = 0; c < VERDICT_CLASS_COUNT; c++)
		put_count(p, s, "class", verdict_class_name(c), NULL, NULL, s->classes[c]);
}

static void put_in_progress(struct page *p, const struct server *s)
{
	put_one(p, s, s->in_progress);
}

static void put_oldest(struct page *p, const struct server *s)
{
	exposition_seconds(&p->expo, &(struct exposition_label){"server", s->name}, 1,
			   s->oldest_ns);
}

static void put_duration(struct page *p, const struct server *s)
{
	struct exposition_label labels[2] = {{"server", s->name}},
				all[FIXED_HISTOGRAM_BUCKETS + 1][3];
	struct exposition_exemplar exemplars[FIXED_HISTOGRAM_BUCKETS + 1] = {0};
	char clients[FIXED_HISTOGRAM_BUCKETS + 1][SINK_ENDPOINT_MAX],
		ids[FIXED_HISTOGRAM_BUCKETS + 1][SINK_ID_MAX];

	for (size_t i = 0; p->expo.format == EXPOSITION_OPENMETRICS && i <= FIXED_HISTOGRAM_BUCKETS;
	     i++) {
		const struct server_exemplar *e = &s->exemplars[i];

		if (!e->set)
			continue;
		all[i][0] = LABEL("client", sink_endpoint(&e->client, clients[i]));
		all[i][1] = LABEL("id", sink_id(e->id, ids[i]));
		all[i][2] = LABEL("connection_id", e->connection_id);
		exemplars[i] = (struct exposition_exemplar){all[i], *e->connection_id ? 3 : 2,
							    e->ns, e->time_ns};
	}
	exposition_histogram(&p->expo, labels, 1, &s->duration, &prometheus_login_bounds,
			     exemplars);
}

static void put_phases(struct page *p, const struct server *s)
{
	for (int i = 0; i < PHASE_SESSION; i++) {
		struct exposition_label labels[3] = {{"server", s->name}, {"phase", phase_name(i)}};

		if (histogram_count(&s->phases[i]))
			exposition_histogram(&p->expo, labels, 2, &s->phases[i],
					     &prometheus_login_bounds, NULL);
	}
}

static void put_waits(struct page *p, const struct server *s)
{
	for (int i = 0; i < PHASE_SESSION; i++) {
		if (!histogram_count(&s->phases[i]))
			continue;
		for (int side = 0; side < SIDE_NONE; side++) {
			const struct exposition_label labels[] = {{"server", s->name},
								  {"phase", phase_name(i)},
								  {"side", side_name(side)}};

			exposition_seconds(&p->expo, labels, 3, s->wait_ns[i][side]);
		}
	}
}

static void put_parts(struct page *p, const struct server *s)
{
	for (int part = 0; part < PART_COUNT; part++) {
		const struct exposition_label labels[] = {{"server", s->name},
							  {"part", wait_part_name(part)}};

		if (s->part_ns[part])
			exposition_seconds(&p->expo, labels, 2, s->part_ns[part]);
	}
}

/* Only where it is known of a process of this host. */
static void put_unread_logins(struct page *p, const struct server *s)
{
	if (s->has_socket)
		put_one(p, s, s->unread_logins);
}

static void put_unread_bytes(struct page *p, const struct server *s)
{
	if (s->has_socket)
		put_one(p, s, s->unread_bytes);
}

static void put_throttled(struct page *p, const struct server *s)
{
	if (s->has_throttled)
		exposition_seconds(&p->expo, &LABEL("server", s->name), 1, s->throttled_ns);
}

/* Counts by learned names. A count of 0 means that only another server has the name. */
static void put_names(struct page *p, const struct server *s, const char *label,
		      const struct label_set *names, const uint64_t counts[LABEL_SET_IDS])
{
	for (size_t i = 0; i < LABEL_SET_IDS; i++)
		if (counts[i])
			put_count(p, s, label, label_set_text(names, i), NULL, NULL, counts[i]);
}

static void put_verdicts(struct page *p, const struct server *s)
{
	for (int v = V_NONE + 1; v < VERDICT_COUNT; v++)
		if (s->verdicts[v])
			put_count(p, s, "verdict", verdict_name((enum verdict)v), NULL, NULL,
				  s->verdicts[v]);
}

static void put_errors(struct page *p, const struct server *s)
{
	put_names(p, s, "error", &p->sink->servers.errors, s->errors);
}

static void put_drivers(struct page *p, const struct server *s)
{
	put_names(p, s, "driver", &p->sink->servers.drivers, s->drivers);
}

static void put_auth(struct page *p, const struct server *s)
{
	for (int i = 0; i < AUTH_COUNT; i++)
		if (s->auth[i])
			put_count(p, s, "method", auth_method_name(i), NULL, NULL, s->auth[i]);
}

static void put_encryption(struct page *p, const struct server *s)
{
	static const char *const versions[] = {"none", "1.0", "1.1", "1.2", "1.3", "other"};

	for (int e = 0; e < ENCRYPTION_COUNT; e++)
		for (int v = 0; v < SERVER_TLS_COUNT; v++)
			if (s->encryption[e][v])
				put_count(p, s, "encryption", encryption_name(e), "tls_version",
					  versions[v], s->encryption[e][v]);
}

static void put_retransmits(struct page *p, const struct server *s)
{
	put_count(p, s, "segment", "syn", NULL, NULL, s->syn_retransmits);
	put_count(p, s, "segment", "data", NULL, NULL, s->retransmits);
}

static void put_out_of_order(struct page *p, const struct server *s)
{
	put_one(p, s, s->out_of_order);
}

static void put_zero_windows(struct page *p, const struct server *s)
{
	put_one(p, s, s->zero_windows);
}

/* A date before 1970 is not written: no certificate in use has one. */
static void put_certificate(struct page *p, const struct server *s)
{
	if (s->has_cert && s->cert_not_after_s >= 0)
		put_one(p, s, (uint64_t)s->cert_not_after_s);
}

static void put_closes(struct page *p, const struct server *s)
{
	for (int by = 0; by < SIDE_COUNT; by++)
		for (int kind = 0; kind < SERVER_CLOSE_KINDS; kind++)
			if (s->closes[by][kind])
				put_count(p, s, "by", side_name(by) ?: "none", "kind",
					  kind == SERVER_CLOSE_GRACEFUL ? "graceful"
									: close_how_name(kind),
					  s->closes[by][kind]);
}

static void put_commands(struct page *p, const struct server *s)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		struct exposition_label labels[3] = {
			{"server", s->name}, {"kind", command_kind_name(i) ?: LABEL_SET_UNKNOWN}};
		struct fixed_histogram times = s->commands[i];

		fixed_histogram_merge(&times, &s->kernel_commands[i]);
		if (histogram_count(&times))
			exposition_histogram(&p->expo, labels, 2, &times,
					     &prometheus_command_bounds, NULL);
	}
}

static void put_resets(struct page *p, const struct server *s)
{
	put_one(p, s, s->resets);
}

static void put_mars_sessions(struct page *p, const struct server *s)
{
	put_one(p, s, s->mars_sessions);
}

static void put_mars_stalls(struct page *p, const struct server *s)
{
	put_one(p, s, s->mars_window_stalls);
}

/* ---- families of the whole program ---- */

static void put_client(struct page *p, const char *name, const struct top_client *c)
{
	for (int o = 0; o < OUTCOME_COUNT; o++) {
		const struct exposition_label labels[] = {{"client", name},
							  {"outcome", outcome_name(o)}};

		if (c->outcomes[o])
			exposition_count(&p->expo, labels, 2, c->outcomes[o]);
	}
}

static void put_client_seconds(struct page *p, const char *name, const struct top_client *c)
{
	exposition_seconds(&p->expo, &LABEL("client", name), 1, c->total_ns);
}

/* Call put for each client that is shown, and for all others as one. */
static void each_client(struct page *p,
			void (*put)(struct page *p, const char *name, const struct top_client *c))
{
	const struct top_clients *top = p->sink->top;
	char addr[SINK_ADDR_MAX];

	for (size_t i = 0; i < top->count; i++)
		if (top->clients[i].shown)
			put(p, sink_addr(top->clients[i].addr, addr), &top->clients[i]);
	if (top->shown_max)
		put(p, "other", &top->other);
}

static void put_clients(struct page *p)
{
	each_client(p, put_client);
}

static void put_clients_seconds(struct page *p)
{
	each_client(p, put_client_seconds);
}

static void put_connections(struct page *p)
{
	static const char *const states[] = {"login", "session", "over"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		exposition_count(&p->expo, &LABEL("state", states[i]), 1, p->facts->connections[i]);
}

/* The labels of a kind and peer. */
static void dependency_labels(const struct dependency_total *d, char peer[SINK_ENDPOINT_MAX],
			      struct exposition_label labels[2])
{
	labels[0] = LABEL("kind", dependency_kind_name(d->kind));
	labels[1] = LABEL("peer", d->is_rest ? "other" : sink_endpoint(&d->peer, peer));
}

/* Put one of a total's numbers, at that offset, of each kind and peer. */
static void put_dependencies(struct page *p, size_t offset,
			     void (*put)(struct exposition *e,
					 const struct exposition_label *labels, size_t count,
					 uint64_t value))
{
	struct exposition_label labels[2];
	char peer[SINK_ENDPOINT_MAX];

	for (size_t i = 0; i < p->facts->dependency_count; i++) {
		const struct dependency_total *d = &p->facts->dependencies[i];

		dependency_labels(d, peer, labels);
		put(&p->expo, labels, 2, *(const uint64_t *)((const char *)d + offset));
	}
}

static void put_dependency_requests(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, requests), exposition_count);
}

static void put_dependency_failures(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, failures), exposition_count);
}

static void put_dependency_seconds(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, ns), exposition_seconds);
}

static void put_queue(struct page *p, const struct prometheus_queue *q, uint64_t value)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", q->port);
	exposition_count(&p->expo, &LABEL("port", port), 1, value);
}

static void put_queue_lengths(struct page *p)
{
	for (size_t i = 0; i < p->facts->queue_count; i++)
		put_queue(p, &p->facts->queues[i], p->facts->queues[i].length);
}

static void put_queue_limits(struct page *p)
{
	for (size_t i = 0; i < p->facts->queue_count; i++)
		put_queue(p, &p->facts->queues[i], p->facts->queues[i].limit);
}

static uint64_t dependencies_folded(const struct prometheus_facts *facts)
{
	uint64_t folded = 0;

	for (size_t i = 0; i < facts->dependency_count; i++)
		folded += facts->dependencies[i].is_rest ? facts->dependencies[i].requests : 0;
	return folded;
}

static void put_folded(struct page *p)
{
	const struct servers *s = &p->sink->servers;

	exposition_count(&p->expo, &LABEL("label", "server"), 1, s->folded);
	exposition_count(&p->expo, &LABEL("label", "driver"), 1, s->drivers.folded);
	exposition_count(&p->expo, &LABEL("label", "error"), 1, s->errors.folded);
	exposition_count(&p->expo, &LABEL("label", "peer"), 1, dependencies_folded(p->facts));
}

static void put_build(struct page *p)
{
	exposition_count(&p->expo, &LABEL("version", TDSMON_VERSION), 1, 1);
}

#define SERVER(name, type, put, help)                                                              \
	{                                                                                          \
		"tdsmon_" name, type, help, put, NULL                                              \
	}
#define PAGE(name, type, put, help)                                                                \
	{                                                                                          \
		"tdsmon_" name, type, help, NULL, put                                              \
	}

static const struct family families[] = {
	PAGE("build", EXPOSITION_INFO, put_build, "The version of tdsmon that runs."),
	SERVER("logins", EXPOSITION_COUNTER, put_logins,
	       "Logins by outcome; basis says whether the outcome was read (observed) or "
	       "inferred."),
	SERVER("logins_by_class", EXPOSITION_COUNTER, put_classes,
	       "Logins by class: ok, slow, failed, ended (nobody wanted a login) or unknown."),
	SERVER("logins_in_progress", EXPOSITION_GAUGE, put_in_progress,
	       "Logins without an outcome so far; a half-open connection counts from its second "
	       "SYN."),
	SERVER("login_oldest_in_progress_seconds", EXPOSITION_GAUGE, put_oldest,
	       "Age of the oldest login in progress, from its first packet; 0 if there is no such "
	       "login."),
	SERVER("login_duration_seconds", EXPOSITION_HISTOGRAM, put_duration,
	       "Time from the first packet to the end of the login, of logins that were answered "
	       "or "
	       "kept waiting."),
	SERVER("login_phase_duration_seconds", EXPOSITION_HISTOGRAM, put_phases,
	       "Time of each phase, of logins that were answered or kept waiting; a phase that did "
	       "not "
	       "happen is not counted."),
	SERVER("login_wait_seconds", EXPOSITION_COUNTER, put_waits,
	       "Time that logins took, by phase and by the side that was waited for."),
	SERVER("login_wait_part_seconds", EXPOSITION_COUNTER, put_parts,
	       "Waits of 20 ms and more by what took the time, where that is known."),
	SERVER("login_verdicts", EXPOSITION_COUNTER, put_verdicts, "Logins by verdict."),
	SERVER("login_errors", EXPOSITION_COUNTER, put_errors,
	       "Logins that the server answered with an error, by error number."),
	SERVER("logins_by_auth", EXPOSITION_COUNTER, put_auth, "Logins by authentication method."),
	SERVER("logins_by_encryption", EXPOSITION_COUNTER, put_encryption,
	       "Logins by scope of encryption and TLS version."),
	SERVER("logins_by_driver", EXPOSITION_COUNTER, put_drivers,
	       "Logins by client driver; unknown if the driver could not be read."),
	SERVER("login_retransmits", EXPOSITION_COUNTER, put_retransmits,
	       "TCP segments retransmitted during logins."),
	SERVER("login_out_of_order_segments", EXPOSITION_COUNTER, put_out_of_order,
	       "TCP segments that arrived out of order during logins."),
	SERVER("login_zero_windows", EXPOSITION_COUNTER, put_zero_windows,
	       "TCP windows that closed during logins."),
	SERVER("certificate_not_after_timestamp_seconds", EXPOSITION_GAUGE, put_certificate,
	       "Expiry of the certificate that the server showed last."),
	SERVER("login_throttled_seconds", EXPOSITION_COUNTER, put_throttled,
	       "Time for which the cgroup of the server's process was throttled while logins "
	       "waited."),
	SERVER("logins_unread", EXPOSITION_GAUGE, put_unread_logins,
	       "Logins in progress whose last message lies unread in a socket of the server's "
	       "process."),
	SERVER("login_unread_bytes", EXPOSITION_GAUGE, put_unread_bytes,
	       "Bytes of logins in progress that lie unread in sockets of the server's process."),
	PAGE("accept_queue_connections", EXPOSITION_GAUGE, put_queue_lengths,
	     "Connections that wait for accept(), of the fullest listener on the port."),
	PAGE("accept_queue_limit", EXPOSITION_GAUGE, put_queue_limits,
	     "How many of them that listener's queue has room for."),
	PAGE("dependency_requests", EXPOSITION_COUNTER, put_dependency_requests,
	     "Requests to services that logins depend on, by kind and peer, whatever login they "
	     "were for."),
	PAGE("dependency_failures", EXPOSITION_COUNTER, put_dependency_failures,
	     "Of these, requests with an error as response, or with no response."),
	PAGE("dependency_seconds", EXPOSITION_COUNTER, put_dependency_seconds,
	     "Time from these requests to their responses."),
	PAGE("connections", EXPOSITION_GAUGE, put_connections,
	     "Connections followed now, by state; over means kept a moment for late packets."),
	SERVER("connection_closes", EXPOSITION_COUNTER, put_closes,
	       "Connections that ended, by who ended them and how."),
	SERVER("command_duration_seconds", EXPOSITION_HISTOGRAM, put_commands,
	       "Time from the last byte of a request to the last byte of its response, by kind."),
	SERVER("pool_resets", EXPOSITION_COUNTER, put_resets,
	       "Sessions reset for reuse by a connection pool, of connections that ended."),
	SERVER("mars_sessions", EXPOSITION_COUNTER, put_mars_sessions,
	       "MARS sessions, of connections that ended."),
	SERVER("mars_window_stalls", EXPOSITION_COUNTER, put_mars_stalls,
	       "Times that a MARS session used up its window, of connections that ended."),
	PAGE("client_logins", EXPOSITION_COUNTER, put_clients,
	     "Logins of the clients with the most logins; all others count as other."),
	PAGE("client_login_seconds", EXPOSITION_COUNTER, put_clients_seconds,
	     "Time that logins took, of the clients with the most logins; all others count as "
	     "other."),
	PAGE("label_overflows", EXPOSITION_COUNTER, put_folded,
	     "Samples counted as other because the label had its maximum of values."),
};

static void put_family(struct page *p, const struct family *f)
{
	const struct servers *servers = &p->sink->servers;

	exposition_family(&p->expo, f->name, f->type, f->help);
	if (f->page) {
		f->page(p);
		return;
	}
	for (size_t i = 0; i <= SERVERS_MAX; i++)
		if (servers->all[i])
			f->server(p, servers->all[i]);
}

static void put_facts(struct page *p, const struct counter *facts, size_t n,
		      enum exposition_type type)
{
	char name[128];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "tdsmon_%s", facts[i].name);
		exposition_family(&p->expo, name, type, facts[i].text);
		exposition_count(&p->expo, NULL, 0, facts[i].value);
	}
}

/* Names that Prometheus's client libraries share. */
static void put_process(struct page *p, const struct process_usage *u)
{
	struct exposition *e = &p->expo;

	exposition_family(e, "process_cpu_seconds", EXPOSITION_COUNTER,
			  "CPU time used, user and system.");
	exposition_seconds(e, NULL, 0, u->cpu_ns);
	exposition_family(e, "process_start_time_seconds", EXPOSITION_GAUGE,
			  "Start time, since 1970.");
	exposition_seconds(e, NULL, 0, u->start_ns);
	exposition_family(e, "process_resident_memory_bytes", EXPOSITION_GAUGE, "Resident memory.");
	exposition_count(e, NULL, 0, u->resident_bytes);
	exposition_family(e, "process_virtual_memory_bytes", EXPOSITION_GAUGE, "Virtual memory.");
	exposition_count(e, NULL, 0, u->virtual_bytes);
	exposition_family(e, "process_open_fds", EXPOSITION_GAUGE, "Open file descriptors.");
	exposition_count(e, NULL, 0, u->open_fds);
	exposition_family(e, "process_max_fds", EXPOSITION_GAUGE,
			  "Limit of open file descriptors.");
	exposition_count(e, NULL, 0, u->max_fds);
}

void prometheus_page(void *ctx, const struct prometheus_facts *facts, enum exposition_format format,
		     struct strbuf *out)
{
	struct page p = {.expo = {.out = out, .format = format}, .sink = ctx, .facts = facts};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(&p, &families[i]);
	put_facts(&p, facts->counters, facts->counter_count, EXPOSITION_COUNTER);
	put_facts(&p, facts->gauges, facts->gauge_count, EXPOSITION_GAUGE);
	if (facts->page_ns) {
		exposition_family(
			&p.expo, "tdsmon_metrics_render_max_seconds", EXPOSITION_GAUGE,
			"Longest time that rendering the metrics took; tdsmon does nothing "
			"else meanwhile.");
		exposition_seconds(&p.expo, NULL, 0, facts->page_ns);
	}
	if (facts->process)
		put_process(&p, facts->process);
	exposition_end(&p.expo);
}

const struct sink_ops prometheus_sink = {
	.name = "prometheus",
	.open = prometheus_open,
	.login = prometheus_login,
	.close = prometheus_close,
	.command = prometheus_command,
	.free = prometheus_free,
};
