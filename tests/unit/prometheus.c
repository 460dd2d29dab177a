// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * prometheus.c - the metrics: literally, and bounded whatever the records.
 */
#include <stdlib.h>

#include "sink/prometheus/prometheus.h"
#include "unit.h"
#include "lib/utf8.h"

#define S 1000000000ull

static const struct wallclock clock_of_files;
static struct strbuf page;

static const struct step steps[] = {
	{STEP_SYN_ACK, PHASE_TCP, SIDE_NETWORK, 1000000},
	{STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_CLIENT, 500000},
	{STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_SERVER, 1500000},
	{STEP_LOGINACK, PHASE_LOGIN, SIDE_SERVER, 15000000},
};

static struct endpoint ipv4(uint32_t addr, uint16_t port)
{
	return (struct endpoint){{[10] = 0xff,
				  0xff,
				  (uint8_t)(addr >> 24),
				  (uint8_t)(addr >> 16),
				  (uint8_t)(addr >> 8),
				  (uint8_t)addr},
				 port};
}

static const struct step_part parts[] = {
	{.step = 2, .part = PART_UNREAD, .ns = 1000000},
	{.step = 2, .part = PART_PROCESS, .ns = 300000},
	{.step = 3, .part = PART_UNREAD, .ns = 200000},
};

static struct login_record login(void)
{
	return (struct login_record){
		.id = 0x00c0ffee12345678,
		.start_ns = 1600000000 * S,
		.end_ns = 1600000000 * S + 18000000,
		.client = ipv4(0x0a0a0a0a, 60123),
		.server = ipv4(0x0a0a0a78, 1433),
		.tds = {.spid = 57, .server_version = "16.0.4135", .driver = "ODBC"},
		.encryption = {.effective = ENCRYPTION_LOGIN},
		.tls = {.seen = true, .version = "1.2", .cert = {"CN=x", "CN=x", 1609459200, true}},
		.auth = {.method = AUTH_SQL},
		.outcome = OUTCOME_OK,
		.outcome_basis = BASIS_OBSERVED,
		.total_ns = 18000000,
		.phase_ns = {1000000, 2000000, NO_NS, 15000000, NO_NS},
		.steps = steps,
		.step_count = 4,
		.parts = parts,
		.part_count = 3,
		.verdict = {V_OK, VERDICT_SLOW, "Logged in.", true},
	};
}

static void *sink_new(unsigned top_clients)
{
	const struct sink_config config = {.clock = &clock_of_files, .top_clients = top_clients};

	return prometheus_sink.open(&config);
}

/* The page as a string. */
static const char *page_of(void *sink, enum exposition_format format)
{
	const struct counter lost[] = {{"packets_lost", "packets lost", 3}};
	const struct counter gauges[] = {{"interfaces", "Interfaces watched.", 2}};
	const struct dependency_total dependencies[] = {
		{DEPENDENCY_NETLOGON, ipv4(0x0a000009, 49152), false, 12, 2, 6500000000},
		{DEPENDENCY_DNS, {{0}, 0}, true, 3, 0, 1000000}};
	const struct prometheus_queue queues[] = {{1433, 3, 128}};
	const struct prometheus_facts facts = {.counters = lost,
					       .counter_count = 1,
					       .gauges = gauges,
					       .gauge_count = 1,
					       .dependencies = dependencies,
					       .dependency_count = 2,
					       .queues = queues,
					       .queue_count = 1,
					       .connections = {1, 2, 3}};

	strbuf_release(&page);
	prometheus_page(sink, &facts, format, &page);
	strbuf_add(&page, "", 1);
	CHECK(!page.failed);
	return page.data;
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, line, len) && (at[len] == '\n' || !at[len]))
			return true;
	}
	return false;
}

#define CHECK_LINE(text, line)                                                                     \
	do {                                                                                       \
		if (!has_line(text, line))                                                         \
			UNIT_FAIL("no line %s", line);                                             \
	} while (0)

static size_t lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

UNIT_CASE(a_login_is_counted_everywhere)
{
	struct login_record rec = login();
	void *sink = sink_new(0);
	const char *p;

	prometheus_sink.login(sink, &rec);
	p = page_of(sink, EXPOSITION_TEXT);
#define SERVER "server=\"10.10.10.120:1433\""
	CHECK_LINE(p, "tdsmon_logins_total{" SERVER ",outcome=\"ok\",basis=\"observed\"} 1");
	CHECK_LINE(p, "tdsmon_logins_total{" SERVER ",outcome=\"refused\",basis=\"observed\"} 0");
	CHECK_LINE(p, "tdsmon_logins_by_class_total{" SERVER ",class=\"slow\"} 1");
	CHECK_LINE(p, "tdsmon_logins_by_class_total{" SERVER ",class=\"failed\"} 0");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_bucket{" SERVER ",le=\"0.01\"} 0");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_bucket{" SERVER ",le=\"0.025\"} 1");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_bucket{" SERVER ",le=\"60.0\"} 1");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_bucket{" SERVER ",le=\"+Inf\"} 1");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_sum{" SERVER "} 0.018");
	CHECK_LINE(p, "tdsmon_login_duration_seconds_count{" SERVER "} 1");
	/* A bound is inclusive. */
	CHECK_LINE(p, "tdsmon_login_phase_duration_seconds_bucket{" SERVER
		      ",phase=\"tcp\",le=\"0.0005\"} 0");
	CHECK_LINE(p, "tdsmon_login_phase_duration_seconds_bucket{" SERVER
		      ",phase=\"tcp\",le=\"0.001\"} 1");
	/* A phase that did not happen has no time. */
	CHECK(!strstr(p, "phase=\"tls\""));
	CHECK(!strstr(p, "phase=\"auth\""));
	CHECK_LINE(p, "tdsmon_login_wait_seconds_total{" SERVER
		      ",phase=\"prelogin\",side=\"client\"} 0.0005");
	CHECK_LINE(p, "tdsmon_login_wait_seconds_total{" SERVER
		      ",phase=\"prelogin\",side=\"server\"} 0.0015");
	CHECK_LINE(p, "tdsmon_login_wait_seconds_total{" SERVER
		      ",phase=\"prelogin\",side=\"network\"} 0");
	CHECK_LINE(p, "tdsmon_login_wait_part_seconds_total{" SERVER ",part=\"unread\"} 0.0012");
	CHECK_LINE(p, "tdsmon_login_wait_part_seconds_total{" SERVER ",part=\"process\"} 0.0003");
	CHECK(!strstr(p, "part=\"dc\""));
	CHECK_LINE(p, "tdsmon_login_verdicts_total{" SERVER ",verdict=\"ok\"} 1");
	CHECK_LINE(p, "tdsmon_logins_by_auth_total{" SERVER ",method=\"sql\"} 1");
	CHECK_LINE(p, "tdsmon_logins_by_encryption_total{" SERVER
		      ",encryption=\"login\",tls_version=\"1.2\"} 1");
	CHECK_LINE(p, "tdsmon_logins_by_driver_total{" SERVER ",driver=\"ODBC\"} 1");
	CHECK_LINE(p, "tdsmon_certificate_not_after_timestamp_seconds{" SERVER "} 1609459200");
	CHECK_LINE(p, "tdsmon_connections{state=\"session\"} 2");
	CHECK_LINE(p, "tdsmon_packets_lost_total 3");
	CHECK_LINE(p, "tdsmon_interfaces 2");
	CHECK_LINE(p, "# TYPE tdsmon_logins_total counter");
	CHECK(!strstr(p, "client=\""));
	CHECK(!strstr(p, "# EOF"));
	prometheus_sink.free(sink);
}

UNIT_CASE(what_is_no_records_has_its_labels)
{
	const struct host_facts host = {.side = SIDE_SERVER, .throttled_ns = 2500000000};
	struct login_record rec = login();
	void *sink = sink_new(0);
	const char *p;

	rec.host = &host;
	prometheus_sink.login(sink, &rec);
	p = page_of(sink, EXPOSITION_TEXT);
#define DC "{kind=\"netlogon\",peer=\"10.0.0.9:49152\"} "
	CHECK_LINE(p, "tdsmon_dependency_requests_total" DC "12");
	CHECK_LINE(p, "tdsmon_dependency_failures_total" DC "2");
	CHECK_LINE(p, "tdsmon_dependency_seconds_total" DC "6.5");
	CHECK_LINE(p, "tdsmon_dependency_requests_total{kind=\"dns\",peer=\"other\"} 3");
	CHECK_LINE(p, "tdsmon_label_overflows_total{label=\"peer\"} 3");
	CHECK_LINE(p, "tdsmon_accept_queue_connections{port=\"1433\"} 3");
	CHECK_LINE(p, "tdsmon_accept_queue_limit{port=\"1433\"} 128");
	CHECK_LINE(p, "tdsmon_login_throttled_seconds_total{" SERVER "} 2.5");
	prometheus_sink.free(sink);
}

UNIT_CASE(health_checks_have_no_time)
{
	struct login_record rec = login();
	void *sink = sink_new(0);

	rec.outcome = OUTCOME_PROBE;
	prometheus_sink.login(sink, &rec);
	CHECK_LINE(page_of(sink, EXPOSITION_TEXT),
		   "tdsmon_login_duration_seconds_count{" SERVER "} 0");
	CHECK_LINE(page.data,
		   "tdsmon_logins_total{" SERVER ",outcome=\"probe\",basis=\"observed\"} 1");
	CHECK(!strstr(page.data, "phase="));
	prometheus_sink.free(sink);
}

UNIT_CASE(failures_closes_and_commands_are_counted)
{
	struct login_record rec = login();
	const struct close_record end = {.client = rec.client,
					 .server = rec.server,
					 .by = SIDE_CLIENT,
					 .how = CLOSE_FIN,
					 .graceful = true,
					 .phase = PHASE_SESSION,
					 .reset_connections = 4,
					 .has_mars = true,
					 .mars_sessions = 3,
					 .mars_window_stalls = 2};
	struct close_record reset = end;
	struct command_record command = {.server = rec.server,
					 .kind = COMMAND_RPC,
					 .first_byte_ns = 1,
					 .total_ns = 1u << 20};
	struct prometheus_commands kernel = {.server = rec.server, .kind = COMMAND_BATCH};
	void *sink = sink_new(0);
	const char *p;

	rec.outcome = OUTCOME_REFUSED;
	rec.outcome_basis = BASIS_INFERRED;
	rec.has_error = true;
	rec.error.number = 18456;
	rec.verdict.id = V_LOGIN_FAILED;
	rec.tcp.syn_retransmits = 1;
	rec.tcp.retransmits = 2;
	prometheus_sink.login(sink, &rec);
	prometheus_sink.close(sink, &end);
	reset.by = SIDE_NONE;
	reset.how = CLOSE_IDLE;
	reset.graceful = reset.has_mars = false;
	prometheus_sink.close(sink, &reset);
	prometheus_sink.command(sink, &command);
	command.total_ns = NO_NS;
	prometheus_sink.command(sink, &command);
	fixed_histogram_add(&kernel.times, &prometheus_command_bounds, 5 * S);
	fixed_histogram_add(&kernel.times, &prometheus_command_bounds, 100 * S);
	for (int pages = 0; pages < 2; pages++) {
		kernel.server = rec.server;
		prometheus_clear_commands(sink);
		prometheus_add_commands(sink, &kernel);
		kernel.server = (struct endpoint){.port = 0};
		prometheus_add_commands(sink, &kernel);
		prometheus_add_commands(sink, &kernel);
	}
	/* Commands from records are counted in addition. */
	command.total_ns = 1;
	command.kind = COMMAND_BATCH;
	prometheus_sink.command(sink, &command);
	p = page_of(sink, EXPOSITION_TEXT);
	CHECK_LINE(p, "tdsmon_login_errors_total{" SERVER ",error=\"18456\"} 1");
	CHECK_LINE(p, "tdsmon_login_verdicts_total{" SERVER ",verdict=\"login_failed\"} 1");
	CHECK_LINE(p, "tdsmon_logins_total{" SERVER ",outcome=\"refused\",basis=\"inferred\"} 1");
	CHECK_LINE(p, "tdsmon_login_retransmits_total{" SERVER ",segment=\"syn\"} 1");
	CHECK_LINE(p, "tdsmon_login_retransmits_total{" SERVER ",segment=\"data\"} 2");
	CHECK_LINE(p,
		   "tdsmon_connection_closes_total{" SERVER ",by=\"client\",kind=\"graceful\"} 1");
	CHECK_LINE(p, "tdsmon_connection_closes_total{" SERVER ",by=\"none\",kind=\"idle\"} 1");
	CHECK_LINE(p, "tdsmon_pool_resets_total{" SERVER "} 8");
	CHECK_LINE(p, "tdsmon_mars_sessions_total{" SERVER "} 3");
	CHECK_LINE(p, "tdsmon_mars_window_stalls_total{" SERVER "} 2");
	CHECK_LINE(p, "tdsmon_command_duration_seconds_bucket{" SERVER
		      ",kind=\"rpc\",le=\"0.001048576\"} 1");
	CHECK_LINE(p, "tdsmon_command_duration_seconds_count{" SERVER ",kind=\"rpc\"} 1");
	CHECK_LINE(p, "tdsmon_command_duration_seconds_bucket{" SERVER
		      ",kind=\"batch\",le=\"68.719476736\"} 2");
	CHECK_LINE(p,
		   "tdsmon_command_duration_seconds_sum{" SERVER ",kind=\"batch\"} 105.000000001");
	CHECK_LINE(p, "tdsmon_command_duration_seconds_count{" SERVER ",kind=\"batch\"} 3");
	CHECK_LINE(p, "tdsmon_command_duration_seconds_count{server=\"other\",kind=\"batch\"} 4");
	CHECK_LINE(p, "tdsmon_label_overflows_total{label=\"server\"} 0");
	prometheus_sink.free(sink);
}

/* For each server, also one without a completed login; 0 once they are over. */
UNIT_CASE(logins_in_progress_and_the_oldest)
{
	struct pending_record slow = {.time_ns = 100 * S,
				      .start_ns = 93 * S + 500000000,
				      .ns = S,
				      .server = ipv4(0x0a0a0a78, 1433)};
	struct pending_record quick = slow;
	struct login_record rec = login();
	void *sink = sink_new(0);
	const char *p;

	prometheus_clear_progress(sink);
	quick.start_ns = 99 * S;
	prometheus_add_progress(sink, &quick);
	prometheus_add_progress(sink, &slow);
	prometheus_add_progress(sink, &quick);
	p = page_of(sink, EXPOSITION_TEXT);
	CHECK_LINE(p, "# TYPE tdsmon_logins_in_progress gauge");
	CHECK_LINE(p, "tdsmon_logins_in_progress{" SERVER "} 3");
	CHECK_LINE(p, "tdsmon_login_oldest_in_progress_seconds{" SERVER "} 6.5");
	prometheus_clear_progress(sink);
	prometheus_sink.login(sink, &rec);
	p = page_of(sink, EXPOSITION_TEXT);
	CHECK_LINE(p, "tdsmon_logins_in_progress{" SERVER "} 0");
	CHECK_LINE(p, "tdsmon_login_oldest_in_progress_seconds{" SERVER "} 0");
	prometheus_sink.free(sink);
}

/* Only of a server whose sockets were seen; those that wait for the client do not count. */
UNIT_CASE(unread_logins_and_bytes)
{
	struct pending_record unread = {.time_ns = 10 * S,
					.start_ns = 9 * S,
					.ns = S,
					.server = ipv4(0x0a0a0a78, 1433),
					.waits_on = SIDE_SERVER,
					.unread = 200};
	struct pending_record client = unread;
	void *sink = sink_new(0);
	const char *p;

	client.waits_on = SIDE_CLIENT;
	prometheus_add_progress(sink, &client);
	CHECK(!strstr(page_of(sink, EXPOSITION_TEXT), "tdsmon_logins_unread{"));
	prometheus_add_progress(sink, &unread);
	unread.unread = 50;
	prometheus_add_progress(sink, &unread);
	p = page_of(sink, EXPOSITION_TEXT);
	CHECK_LINE(p, "tdsmon_logins_unread{" SERVER "} 2");
	CHECK_LINE(p, "tdsmon_login_unread_bytes{" SERVER "} 250");
	prometheus_clear_progress(sink);
	p = page_of(sink, EXPOSITION_TEXT);
	CHECK_LINE(p, "tdsmon_logins_unread{" SERVER "} 0");
	CHECK_LINE(p, "tdsmon_login_unread_bytes{" SERVER "} 0");
	prometheus_sink.free(sink);
}

UNIT_CASE(openmetrics_has_exemplars_and_an_end)
{
	struct login_record rec = login();
	void *sink = sink_new(0);
	const char *p;

	rec.tds.connection_id = "b7333977-e59d-49a8-8c3d-aff24f705f22";
	prometheus_sink.login(sink, &rec);
	p = page_of(sink, EXPOSITION_OPENMETRICS);
	CHECK_LINE(p, "tdsmon_login_duration_seconds_bucket{" SERVER ",le=\"0.025\"} 1 "
		      "# {client=\"10.10.10.10:60123\",id=\"00c0ffee12345678\","
		      "connection_id=\"b7333977-e59d-49a8-8c3d-aff24f705f22\"} "
		      "0.018 1600000000.018");
	CHECK_LINE(p, "# TYPE tdsmon_logins counter");
	CHECK_LINE(p, "# TYPE tdsmon_build info");
	CHECK_LINE(p, "tdsmon_packets_lost_total 3");
	CHECK(strlen(p) > 6 && !strcmp(p + strlen(p) - 6, "# EOF\n"));
	prometheus_sink.free(sink);
}

UNIT_CASE(hostile_strings_stay_inside_their_quotation_marks)
{
	struct login_record rec = login();
	void *sink = sink_new(0);

	rec.tds.driver = "a\"} 1\n# \\ \xff\x1b[2J µ \u202e";
	prometheus_sink.login(sink, &rec);
	CHECK_LINE(page_of(sink, EXPOSITION_TEXT),
		   "tdsmon_logins_by_driver_total{" SERVER
		   ",driver=\"a\\\"} 1\\n# \\\\ \ufffd\ufffd[2J µ \u202e\"} 1");
	prometheus_sink.free(sink);
}

/* One line, m{l="..."} 1, and nothing between the quotation marks ends it. */
static bool is_sample(const struct strbuf *line)
{
	static const char begin[] = "m{l=\"", end[] = "\"} 1\n";
	const char *at = line->data + strlen(begin), *last = line->data + line->len - strlen(end);

	if (line->len < strlen(begin) + strlen(end) || memcmp(line->data, begin, strlen(begin)) ||
	    memcmp(last, end, strlen(end)))
		return false;
	while (at < last) {
		uint32_t cp;
		size_t len = utf8_next(at, &cp);

		if (cp == '\\' && strchr("n\"\\", at[1]) && at + 2 <= last)
			len = 2;
		else if (!len || cp == '\\' || cp == '"' || cp < ' ' || (cp > 0x7e && cp < 0xa0) ||
			 (cp == UTF8_REPLACEMENT && len == 1))
			return false;
		at += len;
	}
	return at == last;
}

UNIT_CASE(whatever_a_label_holds_it_is_one_line)
{
	char value[32];
	unsigned state = 1;

	for (int i = 0; i < 50000; i++) {
		struct strbuf line = {0};
		struct exposition e = {.out = &line, .name = "m", .type = EXPOSITION_GAUGE};
		size_t len;

		state = state * 1664525 + 1013904223;
		len = state >> 27;
		for (size_t j = 0; j < len; j++) {
			state = state * 1664525 + 1013904223;
			/* Half of the bytes are special ones. */
			value[j] = state >> 31 ? "\"\\\n\r\x80\xc3\xff}"[state >> 28 & 7]
					       : (char)(state >> 20);
		}
		value[len] = '\0';
		exposition_count(&e, &(struct exposition_label){"l", value}, 1, 1);
		strbuf_add(&line, "", 1);
		line.len--;
		if (!is_sample(&line))
			UNIT_FAIL("the line is %s", line.data);
		strbuf_release(&line);
	}
}

UNIT_CASE(ten_thousand_of_everything_give_a_bounded_page)
{
	struct login_record rec = login();
	void *sink = sink_new(10);
	char name[200];
	size_t before = 0;

	for (unsigned i = 0; i < 20000; i++) {
		if (i == 10000) {
			page_of(sink, EXPOSITION_TEXT);
			before = lines(page.data);
		}
		memset(name, 'x', sizeof(name) - 1);
		snprintf(name, sizeof(name), "driver %u", i);
		name[strlen(name)] = 'x';
		name[sizeof(name) - 1] = '\0';
		rec.client = ipv4(0x0b000000 + i, (uint16_t)i);
		rec.server = ipv4(0x0c000000 + i, 1433);
		rec.tds.driver = name;
		rec.has_error = true;
		rec.error.number = (int32_t)i;
		rec.end_ns += S;
		prometheus_sink.login(sink, &rec);
	}
	page_of(sink, EXPOSITION_TEXT);
	CHECK_INT(lines(page.data), before);
	CHECK(lines(page.data) < 40000);
	CHECK_LINE(page.data, "tdsmon_login_duration_seconds_count{server=\"12.0.0.255:1433\"} 1");
	CHECK_LINE(page.data, "tdsmon_login_duration_seconds_count{server=\"other\"} 19744");
	CHECK_LINE(page.data, "tdsmon_label_overflows_total{label=\"server\"} 19744");
	CHECK_LINE(page.data, "tdsmon_login_errors_total{server=\"other\",error=\"other\"} 19744");
	CHECK_LINE(page.data, "tdsmon_label_overflows_total{label=\"error\"} 19936");
	prometheus_sink.free(sink);
}

UNIT_CASE(a_scan_leaves_room_for_servers)
{
	struct login_record rec = login();
	void *sink = sink_new(0);

	rec.outcome = OUTCOME_REJECTED;
	rec.tds.server_version = rec.tls.version = NULL;
	for (unsigned i = 0; i < 1000; i++) {
		rec.server = ipv4(0x0c000000 + i, 1433);
		prometheus_sink.login(sink, &rec);
	}
	rec = login();
	prometheus_sink.login(sink, &rec);
	CHECK_LINE(page_of(sink, EXPOSITION_TEXT),
		   "tdsmon_login_duration_seconds_count{" SERVER "} 1");
	CHECK_LINE(page.data, "tdsmon_logins_total{server=\"other\",outcome=\"rejected\","
			      "basis=\"observed\"} 872");
	prometheus_sink.free(sink);
}

UNIT_CASE(the_clients_that_log_in_most_are_shown)
{
	struct login_record rec = login();
	void *sink = sink_new(2);

	/* The first two are shown at once; a busier one replaces one of them within two minutes. */
	for (unsigned i = 0; i < 300; i++) {
		rec.end_ns = i * S;
		rec.client = ipv4(0x0a000001 + (i < 2 ? i : i % 3 ? 2 : 3 + i), 1000);
		prometheus_sink.login(sink, &rec);
	}
	page_of(sink, EXPOSITION_TEXT);
	CHECK(strstr(page.data, "client=\"10.0.0.3\",outcome=\"ok\"} "));
	CHECK(strstr(page.data, "tdsmon_client_logins_total{client=\"other\",outcome=\"ok\"} "));
	CHECK(!strstr(page.data, "client=\"10.0.0.200\""));
	prometheus_sink.free(sink);
}

UNIT_CASE(the_format_is_negotiated)
{
	static const struct {
		const char *accept;
		enum exposition_format format;
	} rows[] = {
		{"", EXPOSITION_TEXT},
		{"*/*", EXPOSITION_TEXT},
		{"text/html,application/xhtml+xml,*/*;q=0.8", EXPOSITION_TEXT},
		{"text/plain;version=0.0.4;q=1,*/*;q=0.1", EXPOSITION_TEXT},
		/* Prometheus 2.42, and 3 */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 EXPOSITION_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		 "text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
		 EXPOSITION_OPENMETRICS},
		{"application/openmetrics-text", EXPOSITION_OPENMETRICS},
		{"Application/OpenMetrics-Text ; version=1.0.0 ; q=0.9, text/plain;q=0.9",
		 EXPOSITION_OPENMETRICS},
		{"application/openmetrics-text;q=0.4,text/plain;q=0.5", EXPOSITION_TEXT},
		{"application/openmetrics-text;q=0", EXPOSITION_TEXT},
		{"application/openmetrics-text;version=2.0.0", EXPOSITION_TEXT},
		{"application/openmetrics-textual", EXPOSITION_TEXT},
		{";,;q=,q", EXPOSITION_TEXT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (exposition_negotiate(rows[i].accept) != rows[i].format)
			UNIT_FAIL("'%s' gives the other format", rows[i].accept);
	CHECK_STR(exposition_content_type(EXPOSITION_TEXT),
		  "text/plain; version=0.0.4; charset=utf-8");
	CHECK_STR(exposition_content_type(EXPOSITION_OPENMETRICS),
		  "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

int main(void)
{
	RUN(a_login_is_counted_everywhere);
	RUN(what_is_no_records_has_its_labels);
	RUN(health_checks_have_no_time);
	RUN(failures_closes_and_commands_are_counted);
	RUN(logins_in_progress_and_the_oldest);
	RUN(unread_logins_and_bytes);
	RUN(openmetrics_has_exemplars_and_an_end);
	RUN(hostile_strings_stay_inside_their_quotation_marks);
	RUN(whatever_a_label_holds_it_is_one_line);
	RUN(ten_thousand_of_everything_give_a_bounded_page);
	RUN(a_scan_leaves_room_for_servers);
	RUN(the_clients_that_log_in_most_are_shown);
	RUN(the_format_is_negotiated);
	strbuf_release(&page);
	return unit_status();
}
