// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * prometheus.c - records as metrics: the sink, and the table of families that a page is written by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/prometheus/prometheus_int.h"

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

#define SERVER(name, type, put, help)                                                              \
	{                                                                                          \
		"tdsmon_" name, type, help, put, NULL                                              \
	}
#define PAGE(name, type, put, help)                                                                \
	{                                                                                          \
		"tdsmon_" name, type, help, NULL, put                                              \
	}

static const struct family families[] = {
	PAGE("build", EXPOSITION_INFO, program_put_build, "The version of tdsmon that runs."),
	SERVER("logins", EXPOSITION_COUNTER, server_put_logins,
	       "Logins by outcome; basis says whether the outcome was read (observed) or "
	       "inferred."),
	SERVER("logins_by_class", EXPOSITION_COUNTER, server_put_classes,
	       "Logins by class: ok, slow, failed, ended (nobody wanted a login) or unknown."),
	SERVER("logins_in_progress", EXPOSITION_GAUGE, server_put_in_progress,
	       "Logins without an outcome so far; a half-open connection counts from its second "
	       "SYN."),
	SERVER("login_oldest_in_progress_seconds", EXPOSITION_GAUGE, server_put_oldest,
	       "Age of the oldest login in progress, from its first packet; 0 if there is no such "
	       "login."),
	SERVER("login_duration_seconds", EXPOSITION_HISTOGRAM, server_put_duration,
	       "Time from the first packet to the end of the login, of logins that were answered "
	       "or "
	       "kept waiting."),
	SERVER("login_phase_duration_seconds", EXPOSITION_HISTOGRAM, server_put_phases,
	       "Time of each phase, of logins that were answered or kept waiting; a phase that did "
	       "not "
	       "happen is not counted."),
	SERVER("login_wait_seconds", EXPOSITION_COUNTER, server_put_waits,
	       "Time that logins took, by phase and by the side that was waited for."),
	SERVER("login_wait_part_seconds", EXPOSITION_COUNTER, server_put_parts,
	       "Waits of 20 ms and more by what took the time, where that is known."),
	SERVER("login_verdicts", EXPOSITION_COUNTER, server_put_verdicts, "Logins by verdict."),
	SERVER("login_errors", EXPOSITION_COUNTER, server_put_errors,
	       "Logins that the server answered with an error, by error number."),
	SERVER("logins_by_auth", EXPOSITION_COUNTER, server_put_auth,
	       "Logins by authentication method."),
	SERVER("logins_by_encryption", EXPOSITION_COUNTER, server_put_encryption,
	       "Logins by scope of encryption and TLS version."),
	SERVER("logins_by_driver", EXPOSITION_COUNTER, server_put_drivers,
	       "Logins by client driver; unknown if the driver could not be read."),
	SERVER("login_retransmits", EXPOSITION_COUNTER, server_put_retransmits,
	       "TCP segments retransmitted during logins."),
	SERVER("login_out_of_order_segments", EXPOSITION_COUNTER, server_put_out_of_order,
	       "TCP segments that arrived out of order during logins."),
	SERVER("login_zero_windows", EXPOSITION_COUNTER, server_put_zero_windows,
	       "TCP windows that closed during logins."),
	SERVER("certificate_not_after_timestamp_seconds", EXPOSITION_GAUGE, server_put_certificate,
	       "Expiry of the certificate that the server showed last."),
	SERVER("login_throttled_seconds", EXPOSITION_COUNTER, server_put_throttled,
	       "Time for which the cgroup of the server's process was throttled while logins "
	       "waited."),
	SERVER("logins_unread", EXPOSITION_GAUGE, server_put_unread_logins,
	       "Logins in progress whose last message lies unread in a socket of the server's "
	       "process."),
	SERVER("login_unread_bytes", EXPOSITION_GAUGE, server_put_unread_bytes,
	       "Bytes of logins in progress that lie unread in sockets of the server's process."),
	PAGE("accept_queue_connections", EXPOSITION_GAUGE, program_put_queue_lengths,
	     "Connections that wait for accept(), of the fullest listener on the port."),
	PAGE("accept_queue_limit", EXPOSITION_GAUGE, program_put_queue_limits,
	     "How many of them that listener's queue has room for."),
	PAGE("dependency_requests", EXPOSITION_COUNTER, program_put_dependency_requests,
	     "Requests to services that logins depend on, by kind and peer, whatever login they "
	     "were for."),
	PAGE("dependency_failures", EXPOSITION_COUNTER, program_put_dependency_failures,
	     "Of these, requests with an error as response, or with no response."),
	PAGE("dependency_seconds", EXPOSITION_COUNTER, program_put_dependency_seconds,
	     "Time from these requests to their responses."),
	PAGE("connections", EXPOSITION_GAUGE, program_put_connections,
	     "Connections followed now, by state; over means kept a moment for late packets."),
	SERVER("connection_closes", EXPOSITION_COUNTER, server_put_closes,
	       "Connections that ended, by who ended them and how."),
	SERVER("command_duration_seconds", EXPOSITION_HISTOGRAM, server_put_commands,
	       "Time from the last byte of a request to the last byte of its response, by kind."),
	SERVER("pool_resets", EXPOSITION_COUNTER, server_put_resets,
	       "Sessions reset for reuse by a connection pool, of connections that ended."),
	SERVER("mars_sessions", EXPOSITION_COUNTER, server_put_mars_sessions,
	       "MARS sessions, of connections that ended."),
	SERVER("mars_window_stalls", EXPOSITION_COUNTER, server_put_mars_stalls,
	       "Times that a MARS session used up its window, of connections that ended."),
	PAGE("client_logins", EXPOSITION_COUNTER, program_put_clients,
	     "Logins of the clients with the most logins; all others count as other."),
	PAGE("client_login_seconds", EXPOSITION_COUNTER, program_put_clients_seconds,
	     "Time that logins took, of the clients with the most logins; all others count as "
	     "other."),
	PAGE("label_overflows", EXPOSITION_COUNTER, program_put_folded,
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
