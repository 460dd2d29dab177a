// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * page.c - a metrics page of as many servers as are shown, served by HTTP until killed: page NAMES.
 * NAMES is how many drivers, verdicts and errors each server has; more than are shown make it as
 * full as it gets. Prints "URL<TAB>bytes<TAB>seconds<TAB>seconds": the most CPU that making it took
 * in the first ten times, while its memory is new to the process, and in ten more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/http.h"
#include "sink/prometheus/prometheus.h"

#define SERVERS 300 /* more than are shown by themselves */
#define CLIENTS 512
#define ROUNDS	10

static void *sink;
static unsigned names;

static void fill_server(unsigned server)
{
	static const struct step step = {STEP_LOGINACK, PHASE_LOGIN, SIDE_SERVER, 1000000};
	struct login_record login = {
		.start_ns = 1,
		.end_ns = 1,
		.client.addr = {[10] = 0xff, 0xff, 10},
		.server = {{[10] = 0xff, 0xff, 11, 0, (uint8_t)(server >> 8), (uint8_t)server},
			   1433},
		.tds.server_version = "16.0.1",
		.tls = {.seen = true, .version = "1.2", .cert.subject = "x"},
		.outcome = OUTCOME_OK,
		.outcome_basis = BASIS_OBSERVED,
		.total_ns = 1000000,
		.phase_ns = {1000, 1000, 1000, 1000, 1000},
		.steps = &step,
		.step_count = 1,
		.has_error = true};
	struct close_record end = {.server = login.server, .phase = PHASE_SESSION};
	struct command_record command = {.server = login.server, .total_ns = 1000000};
	char name[32];

	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(name, sizeof(name), "a name %u", i % names);
		login.client.addr[14] = (uint8_t)(i >> 8);
		login.client.addr[15] = (uint8_t)i;
		login.client.port = (uint16_t)i;
		login.total_ns = 50000ull << i % 21;
		login.tds.driver = name;
		login.verdict.id = V_NONE + 1 + i % names % (VERDICT_COUNT - 1);
		login.tds.connection_id = "b7333977-e59d-49a8-8c3d-aff24f705f22";
		login.error.number = (int)(i % names);
		login.auth.method = i % AUTH_COUNT;
		login.encryption.effective = i % ENCRYPTION_COUNT;
		prometheus_sink.login(sink, &login);
		end.by = i % SIDE_COUNT;
		end.how = i % CLOSE_COUNT;
		prometheus_sink.close(sink, &end);
		command.kind = i % COMMAND_COUNT;
		prometheus_sink.command(sink, &command);
	}
}

static void get_page(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	const struct prometheus_facts facts = {0};
	enum exposition_format format = exposition_negotiate(req->accept);

	(void)ctx;
	reply->type = exposition_content_type(format);
	prometheus_page(sink, &facts, format, &reply->body);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The longest of ROUNDS; *len is the page's. */
static uint64_t page_ns(size_t *len)
{
	const struct prometheus_facts facts = {0};
	uint64_t longest = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start_ns = cpu_ns(), took_ns;
		struct strbuf page = {0};

		prometheus_page(sink, &facts, EXPOSITION_OPENMETRICS, &page);
		took_ns = cpu_ns() - start_ns;
		if (took_ns > longest)
			longest = took_ns;
		*len = page.len;
		strbuf_release(&page);
	}
	return longest;
}

int main(int argc, char **argv)
{
	static const struct wallclock clock;
	const struct sink_config config = {.clock = &clock, .top_clients = SINK_TOP_CLIENTS_MAX};
	const struct http_route route = {"/metrics", get_page, NULL, false};
	const struct http_config serve = {
		.listen = "127.0.0.1:0", .routes = &route, .route_count = 1};
	struct loop *loop = loop_new();
	struct http *http;
	size_t len = 0;
	uint64_t first_ns;
	int err;

	names = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	if (!names)
		return 2;
	sink = prometheus_sink.open(&config);
	http = sink && loop ? http_open(&serve, loop, &err) : NULL;
	if (!http)
		return 1;
	for (unsigned i = 0; i < SERVERS; i++)
		fill_server(i);
	first_ns = page_ns(&len);
	printf("%smetrics\t%zu\t%.6f\t%.6f\n", http_url(http), len, (double)first_ns / 1e9,
	       (double)page_ns(&len) / 1e9);
	fflush(stdout);
	while (!loop_round(loop))
		;
	return 1;
}
