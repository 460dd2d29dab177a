// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sink.c - the formats, literally: records in, lines out.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sink/by.h"
#include "sink/json.h"
#include "sink/summary.h"
#include "sink/text.h"
#include "sink/text_columns.h"
#include "lib/columns.h"
#include "unit.h"

static struct output out;
static const struct wallclock clock_of_files;
static char written[65536];

static const struct step steps[] = {
	{STEP_SYN, PHASE_TCP, SIDE_NETWORK, 976000},
	{STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_CLIENT, 1954000},
};

/* A login with many known facts. */
static struct login_record full_login(void)
{
	return (struct login_record){
		.id = 0x00c0ffee12345678,
		.start_ns = 1609459316577669800,
		.end_ns = 1609459316577669800 + 18555000,
		.client = {{[10] = 0xff, 0xff, 10, 10, 10, 10}, 60123},
		.server = {{[10] = 0xff, 0xff, 10, 10, 10, 120}, 1433},
		.before = {.dns_ns = NO_NS},
		.vantage = VANTAGE_SERVER,
		.tds = {.version = "7.4",
			.version_raw = 0x74000004,
			.spid = 57,
			.packet_size = -1,
			.app = "a\"b",
			.read_only = -1},
		.encryption = {ENCRYPT_ON, ENCRYPT_NOT_SEEN, ENCRYPTION_FULL},
		.tls = {.seen = true,
			.version = "1.2",
			.alert = {SIDE_CLIENT, "fatal", "unknown_ca"},
			.cert = {"CN=x", "CN=x", 1609459200, true}},
		.auth = {.method = AUTH_SQL, .basis = BASIS_INFERRED, .rounds = 2},
		.outcome = OUTCOME_OK,
		.outcome_basis = BASIS_INFERRED,
		.confidence = CONFIDENCE_HIGH,
		.outcome_grounds = "sizes",
		.total_ns = 18555000,
		.phase_ns = {976000, 1954000, 11718000, 3907000, NO_NS},
		.steps = steps,
		.step_count = 2,
		.wait_ns = {2000000, 15579000, 976000},
		.verdict = {V_OK, VERDICT_OK, "Logged in.", true},
		.tcp = {.retransmits = 1},
	};
}

/* A login of which only the SYN was seen. */
static struct login_record bare_login(void)
{
	return (struct login_record){
		.start_ns = 1000000000,
		.client = {{0xfd, [15] = 1}, 1},
		.server = {{0xfd, [15] = 2}, 1433},
		.tds = {.spid = -1, .packet_size = -1, .read_only = -1},
		.tls = {.alert = {.from = SIDE_NONE}},
		.outcome = OUTCOME_UNANSWERED,
		.outcome_basis = BASIS_OBSERVED,
		.total_ns = 3000000000,
		.phase_ns = {3000000000, NO_NS, NO_NS, NO_NS, NO_NS},
		.wait_ns = {0, 0, 3000000000},
		.verdict = {V_SYN_UNANSWERED, VERDICT_FAILED, "Nothing answered.", false},
	};
}

static FILE *capture;

static void *sink_open(const struct sink_ops *ops, bool colour, bool explain)
{
	struct sink_config config = {.out = &out,
				     .clock = &clock_of_files,
				     .terminal = colour,
				     .colour = colour,
				     .explain = explain};

	capture = tmpfile();
	output_init(&out, dup(fileno(capture)));
	return ops->open(&config);
}

static void *sink_begin(const struct sink_ops *ops, bool colour)
{
	return sink_open(ops, colour, false);
}

static const char *sink_end(const struct sink_ops *ops, void *sink)
{
	ssize_t n;

	ops->free(sink);
	CHECK_INT(output_close(&out), 0);
	n = pread(fileno(capture), written, sizeof(written) - 1, 0);
	written[n > 0 ? n : 0] = '\0';
	fclose(capture);
	return written;
}

static const char *login_as(const struct sink_ops *ops, const struct login_record *rec)
{
	void *sink = sink_begin(ops, false);

	ops->login(sink, rec);
	return sink_end(ops, sink);
}

UNIT_CASE(json_login_full)
{
	struct login_record rec = full_login();
	const struct step_part parts[] = {
		{1, PART_KDC, 1900000, BASIS_INFERRED, "why", true, rec.server},
		{1, PART_PROCESS, 54000, BASIS_INFERRED, NULL, false, {{0}, 0}},
	};
	const struct dependency dependency = {.side = SIDE_CLIENT,
					      .kind = DEPENDENCY_KERBEROS,
					      .peer = rec.server,
					      .operation = "TGS-REQ",
					      .result = "ok",
					      .requests = 2,
					      .unanswered = 1,
					      .ns = 1900000,
					      .rtt_ns = NO_NS,
					      .in_flight_most = 1};

	rec.parts = parts;
	rec.part_count = 2;
	rec.dependencies = &dependency;
	rec.dependency_count = 1;

	CHECK_STR(login_as(&json_sink, &rec),
		  "{\"type\":\"login\",\"v\":1,\"id\":\"00c0ffee12345678\","
		  "\"time\":\"2021-01-01T00:01:56.577669800Z\","
		  "\"client\":{\"addr\":\"10.10.10.10\",\"port\":60123},"
		  "\"server\":{\"addr\":\"10.10.10.120\",\"port\":1433},"
		  "\"interface\":null,\"tunnel\":null,\"vantage\":\"server\","
		  "\"mid_stream\":false,\"proxied_from\":null,"
		  "\"tds\":{\"version\":\"7.4\",\"version_raw\":\"0x74000004\","
		  "\"server_version\":null,\"client_version\":null,\"instance\":null,\"spid\":57,"
		  "\"packet_size\":null,\"connection_id\":null,\"activity_id\":null,"
		  "\"driver\":null,\"app\":\"a\\\"b\",\"host\":null,\"database\":null,"
		  "\"read_only\":null,\"features\":null,\"features_acked\":null},"
		  "\"browser\":null,\"before\":null,"
		  "\"encryption\":{\"client\":\"on\",\"server\":null,\"effective\":\"full\"},"
		  "\"tls\":{\"version\":\"1.2\",\"cipher\":null,\"sni\":null,\"alpn\":null,"
		  "\"resumed\":false,\"alert\":{\"from\":\"client\",\"level\":\"fatal\","
		  "\"description\":\"unknown_ca\"},\"certificate\":{\"subject\":\"CN=x\","
		  "\"issuer\":\"CN=x\",\"not_after\":\"2021-01-01T00:00:00.000000000Z\","
		  "\"self_signed\":true}},"
		  "\"auth\":{\"method\":\"sql\",\"basis\":\"inferred\",\"grounds\":null,"
		  "\"rounds\":2,\"kerberos_fallback\":null,\"user\":null,\"domain\":null,"
		  "\"workstation\":null},"
		  "\"mars\":false,\"outcome\":\"ok\",\"outcome_basis\":\"inferred\","
		  "\"confidence\":\"high\",\"grounds\":\"sizes\",\"error\":null,"
		  "\"errorlog\":null,\"redirect\":null,"
		  "\"total_ns\":18555000,\"phases\":{\"tcp_ns\":976000,\"prelogin_ns\":1954000,"
		  "\"tls_ns\":11718000,\"login_ns\":3907000,\"auth_ns\":null},"
		  "\"steps\":[{\"name\":\"syn\",\"phase\":\"tcp\",\"waits_on\":\"network\","
		  "\"ns\":976000,\"within\":null},{\"name\":\"prelogin\",\"phase\":\"prelogin\","
		  "\"waits_on\":\"client\",\"ns\":1954000,\"within\":["
		  "{\"part\":\"kdc\",\"ns\":1900000,\"basis\":\"inferred\",\"grounds\":\"why\","
		  "\"peer\":{\"addr\":\"10.10.10.120\",\"port\":1433}},"
		  "{\"part\":\"process\",\"ns\":54000,\"basis\":\"inferred\",\"grounds\":null,"
		  "\"peer\":null}]}],"
		  "\"waits\":{\"client_ns\":2000000,\"server_ns\":15579000,\"network_ns\":976000},"
		  "\"host\":null,\"dependencies\":[{\"side\":\"client\",\"kind\":\"kerberos\","
		  "\"peer\":{\"addr\":\"10.10.10.120\",\"port\":1433},\"operation\":\"TGS-REQ\","
		  "\"target\":null,\"requests\":2,\"unanswered\":1,\"ns\":1900000,\"rtt_ns\":null,"
		  "\"in_flight_most\":1,\"result\":\"ok\"}],"
		  "\"verdict\":{\"name\":\"ok\",\"class\":\"ok\",\"text\":\"Logged in.\"},"
		  "\"tcp\":{\"syn_retransmits\":0,\"retransmits\":1,\"out_of_order\":0,"
		  "\"zero_windows\":0,\"missing_bytes\":0,"
		  "\"client_mss\":null,\"server_mss\":null,\"unacknowledged\":null}}\n");
}

UNIT_CASE(json_login_bare)
{
	struct login_record rec = bare_login();
	const char *line = login_as(&json_sink, &rec);

	CHECK(strstr(line, "\"client\":{\"addr\":\"fd00::1\",\"port\":1}"));
	CHECK(strstr(line, "\"tls\":null,"));
	CHECK(strstr(line, "\"steps\":[],"));
	CHECK(strstr(line, "\"version_raw\":null,"));
	CHECK(strstr(line, "\"basis\":\"unknown\""));
}

UNIT_CASE(json_text_of_the_wire_is_valid_and_harmless)
{
	struct login_record rec = full_login();

	rec.has_error = true;
	rec.error = (struct login_error){-5, 8, 14, "\033[31m\xff \xc2\x9b \n"};
	CHECK(strstr(login_as(&json_sink, &rec),
		     "\"error\":{\"number\":-5,\"state\":8,\"class\":14,"
		     "\"message\":\"\\u001B[31m\ufffd \\u009B \\n\"}"));
	rec.error.message = "gr\xc3\xbc\xc3\x9f\xff";
	CHECK(strstr(login_as(&json_sink, &rec), "\"message\":\"grüß\ufffd\""));
}

/* An entry of the server's error log: its text is the server's, and a client's. */
static struct errorlog_entry entry_of_log(void)
{
	struct errorlog_entry e = {.time_ns = 1609459316570000000,
				   .number = 17830,
				   .severity = 20,
				   .state = 11,
				   .client = ERRORLOG_ADDRESS,
				   .reason = "N\033[31mo\n",
				   .user = "a\"b"};

	for (uint32_t i = 0; i < TIMER_COUNT; i++)
		e.timer_ms[i] = 100 - i;
	return e;
}

UNIT_CASE(json_errorlog)
{
	struct errorlog_entry entry = entry_of_log();
	struct login_record rec = full_login();

	rec.errorlog = &entry;
	CHECK(strstr(login_as(&json_sink, &rec),
		     "\"errorlog\":{\"number\":17830,\"state\":11,\"class\":20,"
		     "\"reason\":\"N\\u001B[31mo\\n\",\"user\":\"a\\\"b\","
		     "\"time\":\"2021-01-01T00:01:56.570000000Z\",\"timers\":null},"));
	entry.has_timers = true;
	entry.reason = entry.user = NULL;
	CHECK(strstr(login_as(&json_sink, &rec),
		     "\"reason\":null,\"user\":null,\"time\":\"2021-01-01T00:01:56.570000000Z\","
		     "\"timers\":{\"total_ns\":100000000,\"enqueued_ns\":99000000,"));
	CHECK(strstr(written, "\"validation_ns\":86000000,\"user_processing_ns\":85000000}},"));
}

UNIT_CASE(json_browser)
{
	struct login_record rec = full_login();

	rec.tds.instance = "INST1";
	rec.browser = (struct lookup){.seen = true, .ns = 2000000, .retries = 3};
	CHECK(strstr(login_as(&json_sink, &rec), "\"instance\":\"INST1\""));
	CHECK(strstr(written, "\"browser\":{\"ns\":2000000,\"retries\":3},"));
	rec.browser.ns = NO_NS;
	CHECK(strstr(login_as(&json_sink, &rec), "\"browser\":{\"ns\":null,\"retries\":3},"));
}

UNIT_CASE(json_close)
{
	struct close_record rec = {
		.id = 0xfedcba9876543210,
		.time_ns = 1000000000,
		.duration_ns = 333008000,
		.client = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, 5},
		.server = {{[15] = 1}, 1433},
		.tunnel = 0x0100002a,
		.by = SIDE_NONE,
		.how = CLOSE_OPEN,
		.reset_hops = NO_HOPS,
		.phase = PHASE_SESSION,
		.bytes = {10, 20},
		.commands = {1, 2, 3, 4, 5, 10},
		.reset_connections = 6,
		.has_mars = true,
		.mars_basis = BASIS_OBSERVED,
		.mars_sessions = 7,
		.mars_open = 8,
		.mars_window_stalls = 9,
	};
	void *sink = sink_begin(&json_sink, false);

	json_sink.close(sink, &rec);
	CHECK_STR(sink_end(&json_sink, sink),
		  "{\"type\":\"close\",\"v\":1,\"id\":\"fedcba9876543210\","
		  "\"time\":\"1970-01-01T00:00:01.000000000Z\","
		  "\"client\":{\"addr\":\"10.0.0.1\",\"port\":5},"
		  "\"server\":{\"addr\":\"::1\",\"port\":1433},\"interface\":null,"
		  "\"tunnel\":{\"kind\":\"vxlan\",\"id\":42},\"login\":null,"
		  "\"by\":null,\"how\":\"open\",\"reset_hops\":null,"
		  "\"graceful\":false,\"phase\":\"session\","
		  "\"duration_ns\":333008000,\"bytes\":{\"client\":10,\"server\":20},"
		  "\"commands\":{\"batch\":1,\"rpc\":2,\"bulk\":3,\"transaction\":4,"
		  "\"attention\":5,\"unknown\":10,\"reset_connection\":6},"
		  "\"mars\":{\"sessions\":7,\"open\":8,\"window_stalls\":9,"
		  "\"basis\":\"observed\"},\"unacknowledged\":null,\"verdict\":null}\n");
}

UNIT_CASE(json_command)
{
	struct command_record rec = {
		.time_ns = 1000000000,
		.client = {{[15] = 1}, 5},
		.server = {{[15] = 1}, 1433},
		.spid = 57,
		.session = -1,
		.kind = COMMAND_RPC,
		.first_byte_ns = NO_NS,
		.total_ns = NO_NS,
		.request_bytes = 100,
		.basis = BASIS_OBSERVED,
		.cancelled = true,
	};
	void *sink = sink_begin(&json_sink, false);

	json_sink.command(sink, &rec);
	CHECK_STR(sink_end(&json_sink, sink),
		  "{\"type\":\"command\",\"v\":1,\"id\":\"0000000000000000\","
		  "\"time\":\"1970-01-01T00:00:01.000000000Z\","
		  "\"client\":{\"addr\":\"::1\",\"port\":5},"
		  "\"server\":{\"addr\":\"::1\",\"port\":1433},\"tunnel\":null,\"spid\":57,"
		  "\"kind\":\"rpc\","
		  "\"session\":null,\"first_byte_ns\":null,\"total_ns\":null,"
		  "\"request_bytes\":100,\"response_bytes\":0,\"basis\":\"observed\","
		  "\"cancelled\":true,\"answered\":false}\n");
}

/* Under TLS the kind is unknown, and, of several at once, also which response belongs to it. */
UNIT_CASE(json_command_hidden)
{
	struct command_record rec = {
		.spid = -1,
		.session = -1,
		.kind = COMMAND_UNKNOWN,
		.first_byte_ns = NO_NS,
		.total_ns = NO_NS,
		.request_bytes = 46,
		.response_bytes = 39,
		.basis = BASIS_INFERRED,
		.answered = -1,
	};
	void *sink = sink_begin(&json_sink, false);
	const char *got;

	json_sink.command(sink, &rec);
	got = sink_end(&json_sink, sink);
	CHECK(strstr(got, "\"spid\":null,\"kind\":null,\"session\":null,\"first_byte_ns\":null,"
			  "\"total_ns\":null,\"request_bytes\":46,\"response_bytes\":39,"
			  "\"basis\":\"inferred\",\"cancelled\":false,\"answered\":null}\n"));
}

#define HEADER                                                                                     \
	"time         client                auth     encr    outcome   total  tcp  pre tls "       \
	"login auth most on\n"

UNIT_CASE(text_login_ok)
{
	struct login_record rec = full_login();

	CHECK_STR(login_as(&text_sink, &rec),
		  "~ inferred from the sizes and directions of what is encrypted, not read\n"
		  "2021-01-01   server 10.10.10.120:1433   times in milliseconds\n" HEADER
		  "00:01:56.577 10.10.10.10:60123    ~sql      full   ~ok         18.6 0.98 1.95 "
		  "11.7 3.91    - server\n");
}

UNIT_CASE(text_login_failed_is_explained_and_harmless)
{
	struct login_record rec = bare_login();

	rec.verdict.text = "Nothing answered the SYN, sent three times within a time longer than "
			   "a line: no route, or a firewall.";
	rec.has_error = true;
	rec.error = (struct login_error){18456, 8, 14, "\033[31mred\n"};
	rec.tds.app = "app";
	rec.tds.host = "H";
	CHECK_STR(
		login_as(&text_sink, &rec),
		"1970-01-01   server [fd00::2]:1433   times in milliseconds\n" HEADER
		"00:00:01.000 [fd00::1]:1           ?        ?       unanswered 3000 3000    -    "
		"-    -    - network syn_unanswered\n"
		"             Nothing answered the SYN, sent three times within a time longer than "
		"a "
		"line: no route,\n"
		"             or a firewall.\n"
		"             error 18456, state 8, class 14: \\x1b[31mred\\x0a\n"
		"             the client: app app, host H\n");
}

/* The widest possible line with IPv4, up to the verdict's name. */
UNIT_CASE(text_fits_a_hundred_columns)
{
	struct login_record rec = full_login();
	const char *line;

	memset(rec.client.addr + 12, 255, 4);
	rec.auth.method = AUTH_KERBEROS;
	rec.encryption.effective = ENCRYPTION_STRICT;
	rec.outcome = OUTCOME_REDIRECTED;
	rec.verdict.id = V_REDIRECTED;
	for (int i = 0; i < PHASE_SESSION; i++)
		rec.phase_ns[i] = 9999000000;
	rec.total_ns = 9999000000;
	rec.wait_ns[SIDE_NETWORK] = 9999000000;
	login_as(&text_sink, &rec);
	for (line = strtok(written, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 100)
			UNIT_FAIL("%zu columns: %s", strlen(line), line);
}

UNIT_CASE(text_has_the_verdict_on_the_line_of_the_login)
{
	struct login_record rec = full_login();

	rec.verdict = (struct verdict_words){V_SLOW_LOGIN, VERDICT_SLOW, "Slow.", false};
	CHECK(strstr(login_as(&text_sink, &rec), "3.91    - server  slow_login\n"));
	rec.verdict.id = V_OK;
	CHECK(strstr(login_as(&text_sink, &rec), "3.91    - server\n"));
}

/* A longer client moves the columns once, under a new header; what comes then stays below it. */
UNIT_CASE(text_keeps_the_columns_with_ipv6)
{
	struct login_record v4 = full_login(), v6 = full_login();
	void *sink = sink_begin(&text_sink, false);
	char *line, *columns[6];
	int n = 0;

	v6.client = (struct endpoint){{0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
				      50001};
	text_sink.login(sink, &v4);
	text_sink.login(sink, &v6);
	text_sink.login(sink, &v4);
	sink_end(&text_sink, sink);
	for (line = strtok(written, "\n"); line && n < 6; line = strtok(NULL, "\n"))
		if (strstr(line, " 10.10.10.10:") || strstr(line, "[2001:") ||
		    !strncmp(line, "time", 4))
			columns[n++] = line;
	CHECK_INT(n, 5);
	CHECK(strstr(columns[3], " [2001:db8:102:304:506:708:90a:b0c]:50001~sql"));
	CHECK_INT(strstr(columns[2], " auth") - columns[2],
		  strstr(columns[3], "~sql") - columns[3]);
	CHECK_INT(strstr(columns[4], "~sql") - columns[4], strstr(columns[3], "~sql") - columns[3]);
	CHECK(strstr(columns[1], "~sql") - columns[1] < strstr(columns[3], "~sql") - columns[3]);
}

UNIT_CASE(text_on_one_line)
{
	struct login_record rec = full_login();
	struct sink_config config = {.out = &out, .clock = &clock_of_files, .one_line = true};
	struct close_record close = {.time_ns = rec.end_ns,
				     .client = rec.client,
				     .server = rec.server,
				     .by = SIDE_SERVER,
				     .how = CLOSE_RST,
				     .phase = PHASE_SESSION,
				     .duration_ns = 1000000000,
				     .verdict = {.id = V_CLIENT_RESET, .text = "Cut off."}};
	void *sink;

	capture = tmpfile();
	output_init(&out, dup(fileno(capture)));
	sink = text_sink.open(&config);
	text_sink.login(sink, &rec);
	rec.verdict = (struct verdict_words){V_SLOW_LOGIN, VERDICT_SLOW, "It\ntook long.", false};
	rec.has_error = true;
	rec.error = (struct login_error){18456, 8, 14, "No."};
	text_sink.login(sink, &rec);
	text_sink.close(sink, &close);
	CHECK_STR(
		sink_end(&text_sink, sink),
		"2021-01-01 00:01:56.577 10.10.10.10:60123     10.10.10.120:1433     ~ok         "
		"ok                     18.6  0.98  1.95  11.7  3.91     - server  ~sql      full"
		"\n"
		"2021-01-01 00:01:56.577 10.10.10.10:60123     10.10.10.120:1433     ~ok         "
		"slow_login             18.6  0.98  1.95  11.7  3.91     - server  ~sql      full"
		"; "
		"It\\x0atook long.; error 18456, state 8, class 14: No.; the client: app a\"b\n"
		"2021-01-01 00:01:56.596 10.10.10.10:60123     10.10.10.120:1433     session reset "
		"by the server after 1.00s and 0 commands; Cut off.\n");
}

static void *by_begin(const char *keys)
{
	static struct by_keys by;
	struct sink_config config = {.out = &out, .clock = &clock_of_files, .by = &by};
	char why[BY_WHY];

	CHECK_INT(by_parse(&by, keys, why), 0);
	capture = tmpfile();
	output_init(&out, dup(fileno(capture)));
	return by_sink.open(&config);
}

UNIT_CASE(by_counts_groups)
{
	struct login_record rec = full_login(), other = bare_login();
	void *by = by_begin("app,outcome");

	by_sink.login(by, &rec);
	rec.tds.app = "\033[31mred";
	rec.verdict.class = VERDICT_SLOW;
	by_sink.login(by, &rec);
	rec.total_ns *= 3;
	by_sink.login(by, &rec);
	by_sink.login(by, &other);
	by_print(by, 10);
	by_sink.login(by, &other);
	by_print(by, 0);
	by_print(by, 10);
	CHECK_STR(sink_end(&by_sink, by),
		  "4 logins in 10 s\n"
		  "  logins  failed    slow     mean      max  app                    outcome\n"
		  "       2       0       2   37.1ms   55.7ms  \\x1b[31mred               ok\n"
		  "       1       1       0        -        -  ?                      unanswered\n"
		  "       1       0       0   18.6ms   18.6ms  a\"b                    ok\n"
		  "\n"
		  "1 login\n"
		  "  logins  failed    slow     mean      max  app                    outcome\n"
		  "       1       1       0        -        -  ?                      unanswered\n"
		  "\n"
		  "0 logins in 10 s\n"
		  "  logins  failed    slow     mean      max  app                    outcome\n"
		  "\n");
}

/* Memory is bounded whatever clients call themselves, and no login is left out of the sums. */
UNIT_CASE(by_has_a_group_for_the_others)
{
	struct login_record rec = full_login();
	void *by = by_begin("app");
	char app[16];

	for (int i = 0; i < 3 * BY_MOST; i++) {
		snprintf(app, sizeof(app), "app%d", i % (2 * BY_MOST));
		rec.tds.app = app;
		by_sink.login(by, &rec);
	}
	by_print(by, 0);
	sink_end(&by_sink, by);
	CHECK(!strncmp(written, "6000 logins\n", 12));
	CHECK(strstr(written, "       2       0       0   18.6ms   18.6ms  app0\n"));
	CHECK(strstr(written, "    5920       0       0   18.6ms   18.6ms  other\n"));
}

static const char *header_of(unsigned terminal, unsigned client)
{
	struct text_columns columns;

	capture = tmpfile();
	output_init(&out, dup(fileno(capture)));
	text_columns_choose(&columns, terminal, client);
	text_columns_header(&columns, &out);
	CHECK_INT(output_close(&out), 0);
	written[pread(fileno(capture), written, sizeof(written) - 1, 0)] = '\0';
	fclose(capture);
	return written;
}

UNIT_CASE(text_columns_by_the_width)
{
	CHECK_STR(header_of(80, 0), "time         client                 outcome   total verdict");
	CHECK_STR(header_of(100, 0),
		  "time         client                 outcome   total  tcp  pre "
		  "tls login auth verdict");
	CHECK_STR(header_of(123, 0),
		  "time         client                auth     encr    outcome   "
		  "total  tcp  pre tls login auth most on verdict");
	CHECK(strstr(header_of(140, 0), " most on app              verdict"));
	CHECK(strstr(header_of(200, 0),
		     " app                      database                 driver  "));
	/* An address of IPv6 takes from the names, and then is shortened. */
	CHECK(strstr(header_of(200, 47), "auth     encr "));
	for (unsigned width = TEXT_LEAST; width <= TEXT_MOST; width++)
		for (unsigned client = 0; client < 50; client++)
			if (columns_count(header_of(width, client)) > width)
				UNIT_FAIL("%u columns: %s", width, written);
}

UNIT_CASE(text_shortens_in_the_middle)
{
	char cut[64];

	text_shorten("[2001:db8:102:304:506:708:90a:b0c]:50001", 21, cut);
	CHECK_STR(cut, "[2001:db8:…b0c]:50001");
	CHECK_INT(columns_count(cut), 21);
}

UNIT_CASE(text_cells_are_cut_at_their_width)
{
	struct text_row row = {.out = &out};

	capture = tmpfile();
	output_init(&out, dup(fileno(capture)));
	text_row_cell(&row, 4, "ä");
	text_row_cell(&row, 4, "größer");
	text_row_cell(&row, 4, "a\033b");
	text_row_cell(&row, 4, NULL);
	text_row_rest(&row, "end");
	CHECK_INT(output_close(&out), 0);
	written[pread(fileno(capture), written, sizeof(written) - 1, 0)] = '\0';
	fclose(capture);
	CHECK_STR(written, " ä    grö… a\\x… -    end");
}

UNIT_CASE(text_names_the_server_again_only_when_it_changes)
{
	struct login_record rec = full_login();
	void *sink = sink_begin(&text_sink, false);
	int named = 0;

	text_sink.login(sink, &rec);
	text_sink.login(sink, &rec);
	rec.server.port = 1434;
	text_sink.login(sink, &rec);
	sink_end(&text_sink, sink);
	for (const char *p = written; (p = strstr(p, " server 10.")); p++)
		named++;
	CHECK_INT(named, 2);
}

static int count_of(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* A name that a KDC does not know: once for each, and not where the verdict has it. */
UNIT_CASE(text_says_why_the_client_fell_back_to_ntlm)
{
	struct login_record rec = full_login();
	char verdict[] = "slow: no MSSQLSvc/c:1433";
	void *sink = sink_begin(&text_sink, false);

	rec.auth.missing_spn = "MSSQLSvc/a:1433";
	text_sink.login(sink, &rec);
	text_sink.login(sink, &rec);
	rec.auth.missing_spn = "MSSQLSvc/b:1433";
	text_sink.login(sink, &rec);
	rec.auth.missing_spn = "MSSQLSvc/c:1433";
	rec.verdict.text = verdict;
	text_sink.login(sink, &rec);
	sink_end(&text_sink, sink);
	CHECK_INT(count_of(written, "NTLM, not Kerberos"), 2);
	CHECK_INT(count_of(written, "knows no MSSQLSvc/a:1433"), 1);
	CHECK_INT(count_of(written, "knows no MSSQLSvc/b:1433"), 1);
	sink = sink_open(&text_sink, false, true);
	rec.auth.missing_spn = "MSSQLSvc/a:1433";
	text_sink.login(sink, &rec);
	text_sink.login(sink, &rec);
	sink_end(&text_sink, sink);
	CHECK_INT(count_of(written, "knows no MSSQLSvc/a:1433"), 2);
}

/* The same server in another tunnel is another server. */
UNIT_CASE(text_names_the_tunnel)
{
	struct login_record rec = full_login();
	void *sink = sink_begin(&text_sink, false);

	text_sink.login(sink, &rec);
	rec.tunnel = 0x0100002a;
	text_sink.login(sink, &rec);
	rec.tunnel = 1;
	text_sink.login(sink, &rec);
	sink_end(&text_sink, sink);
	CHECK(strstr(written, " server 10.10.10.120:1433   times"));
	CHECK(strstr(written, " server 10.10.10.120:1433 in vxlan 42\n"));
	CHECK(strstr(written, " server 10.10.10.120:1433 in gre\n"));
}

/* A tunnel without an id says so. */
UNIT_CASE(json_tunnel)
{
	struct login_record rec = full_login();

	rec.tunnel = 1;
	CHECK(strstr(login_as(&json_sink, &rec), "\"tunnel\":{\"kind\":\"gre\",\"id\":null},"));
	rec.tunnel = 0xf0000000;
	CHECK(strstr(login_as(&json_sink, &rec),
		     "\"tunnel\":{\"kind\":\"gre\",\"id\":3976200192},"));
}

UNIT_CASE(text_is_coloured_only_where_asked)
{
	struct login_record rec = full_login();
	void *sink;

	CHECK(!strchr(login_as(&text_sink, &rec), '\033'));
	sink = sink_begin(&text_sink, true);
	text_sink.login(sink, &rec);
	CHECK(strchr(sink_end(&text_sink, sink), '\033'));
}

static const char *explained(const struct login_record *rec)
{
	void *sink = sink_open(&text_sink, false, true);

	text_sink.login(sink, rec);
	return sink_end(&text_sink, sink);
}

UNIT_CASE(text_errorlog)
{
	struct errorlog_entry entry = entry_of_log();
	struct login_record rec = full_login();

	rec.errorlog = &entry;
	CHECK(strstr(explained(&rec),
		     "the server's error log, 2021-01-01T00:01:56.570000000Z: error "
		     "17830, state 11"));
	CHECK(strstr(explained(&rec), "a\"b: N\\x1b[31mo"));
	entry.reason = entry.user = NULL;
	CHECK(strstr(explained(&rec), "Z: error 17830, state 11\n"));
}

/* Only SqlClient has such a text, and only if it waited. */
UNIT_CASE(text_speaks_for_sqlclient_alone)
{
	struct login_record rec = full_login();

	CHECK(strstr(
		explained(&rec),
		"\n             if the client is SqlClient, its time-out would say: [Pre-Login] "
		"initialization=0;\n             handshake=13; [Login] initialization=0; "));
	rec.tds.driver = "Core Microsoft SqlClient Data Provider";
	CHECK(strstr(explained(&rec), "\n             SqlClient's time-out would say: "
				      "[Pre-Login] initialization=0; handshake=13; "));
	rec.tds.driver = "TDS-Library";
	CHECK(!strstr(explained(&rec), "SqlClient"));
	rec.tds.driver = NULL;
	rec.outcome = OUTCOME_INCOMPLETE;
	CHECK(!strstr(explained(&rec), "SqlClient"));
	rec.outcome = OUTCOME_PROBE;
	CHECK(!strstr(explained(&rec), "SqlClient"));
	rec.outcome = OUTCOME_UNANSWERED;
	CHECK(strstr(explained(&rec), "if the client is SqlClient, its time-out would say"));
}

UNIT_CASE(text_explains_the_browser)
{
	struct login_record rec = full_login();
	void *sink = sink_open(&text_sink, false, true);

	rec.tds.driver = "Core Microsoft SqlClient Data Provider";
	rec.tds.instance = "A\033B";
	text_sink.login(sink, &rec);
	rec.browser = (struct lookup){
		.seen = true, .ns = 2500000000, .waited_ns = 2500000000, .retries = 2};
	text_sink.login(sink, &rec);
	rec.browser.ns = NO_NS;
	rec.tds.instance = NULL;
	text_sink.login(sink, &rec);
	sink_end(&text_sink, sink);
	CHECK(strstr(written, "\n             instance A\\x1bB\n"));
	CHECK(strstr(written, "initialization=0; handshake=13;"));
	CHECK(strstr(written,
		     "\n             instance A\\x1bB, SQL Server Browser answered in 2500 "
		     "ms, asked 3 times\n"));
	CHECK(strstr(written, "initialization=2500; handshake=13;"));
	CHECK(strstr(written, "\n             SQL Server Browser did not answer, asked 3 times\n"));
}

UNIT_CASE(text_tells_of_questions_unanswered)
{
	struct browser_record rec = {
		.time_ns = 1000000000,
		.waited_ns = 3000000000,
		.client = {.addr = {[10] = 0xff, 0xff, 10, 0, 0, 1}, .port = 40000},
		.server = {.addr = {[10] = 0xff, 0xff, 10, 0, 0, 2}, .port = 1434},
		.instance = "PROD",
		.questions = 2};
	void *sink = sink_begin(&text_sink, false);

	text_sink.browser(sink, &rec);
	CHECK_STR(sink_end(&text_sink, sink),
		  "1970-01-01   server 10.0.0.2:1434   times in milliseconds\n" HEADER
		  "00:00:01.000 10.0.0.1:40000        SQL Server Browser unanswered, asked 2 "
		  "times\n"
		  "             no answer came within 3.00s to the question for instance PROD, and "
		  "no "
		  "connection after\n"
		  "             it: UDP 1434 is blocked on the way, the Browser service is "
		  "stopped, or "
		  "there is no\n"
		  "             such instance (SqlClient: error 26)\n");
}

UNIT_CASE(text_tells_of_sessions_cut_off_and_of_no_others)
{
	struct close_record rec = {.time_ns = 1000000000,
				   .duration_ns = 333008000,
				   .client = {{[15] = 1}, 5},
				   .server = {{[15] = 1}, 1433},
				   .by = SIDE_SERVER,
				   .how = CLOSE_RST,
				   .phase = PHASE_SESSION,
				   .commands = {1, 2}};
	void *sink = sink_begin(&text_sink, false);

	text_sink.close(sink, &rec);
	CHECK(strstr(sink_end(&text_sink, sink),
		     "00:00:01.000 [::1]:5               session reset by the server after 333ms "
		     "and 3 commands\n"));
	rec.verdict.id = V_KEEPALIVE_DEAD;
	rec.verdict.text = "Nobody answered.";
	sink = sink_begin(&text_sink, false);
	text_sink.close(sink, &rec);
	CHECK(strstr(sink_end(&text_sink, sink),
		     "session reset by the server after 333ms and 3 commands\n"
		     "             Nobody answered.\n"));
	/* The end of a finished MARS connection is not a session that was cut off. */
	rec.verdict.id = V_MARS_FINISHED;
	rec.verdict.class = VERDICT_OK;
	sink = sink_begin(&text_sink, false);
	text_sink.close(sink, &rec);
	CHECK_STR(sink_end(&text_sink, sink), "");
	/* A pool may end all its sessions with resets: they get no lines. */
	rec.by = SIDE_CLIENT;
	rec.verdict =
		(struct verdict_words){V_CLIENT_RESET, VERDICT_ENDED, "The client reset.", false};
	sink = sink_begin(&text_sink, false);
	text_sink.close(sink, &rec);
	CHECK_STR(sink_end(&text_sink, sink), "");
	rec.graceful = true;
	rec.verdict = (struct verdict_words){V_CLOSED, VERDICT_OK, "Nobody answered.", false};
	sink = sink_begin(&text_sink, false);
	text_sink.close(sink, &rec);
	CHECK_STR(sink_end(&text_sink, sink), "");
	/* However it ended, a redirect that nobody followed is reported. */
	rec.login = OUTCOME_REDIRECTED;
	rec.verdict.class = VERDICT_FAILED;
	sink = sink_begin(&text_sink, false);
	text_sink.close(sink, &rec);
	CHECK(strstr(sink_end(&text_sink, sink),
		     "00:00:01.000 [::1]:5               redirect not followed\n"
		     "             Nobody answered.\n"));
}

UNIT_CASE(text_command)
{
	struct command_record rec = {
		.time_ns = 1000000000,
		.client = {{[15] = 1}, 5},
		.server = {{[15] = 1}, 1433},
		.kind = COMMAND_RPC,
		.first_byte_ns = 1000000,
		.total_ns = 2000000,
		.request_bytes = 46,
		.response_bytes = 39,
		.basis = BASIS_OBSERVED,
		.answered = 1,
	};
	void *sink = sink_begin(&text_sink, false);
	const char *got;

	text_sink.command(sink, &rec);
	rec.kind = COMMAND_UNKNOWN;
	rec.basis = BASIS_INFERRED;
	text_sink.command(sink, &rec);
	rec.answered = -1;
	rec.first_byte_ns = rec.total_ns = NO_NS;
	text_sink.command(sink, &rec);
	rec.answered = 0;
	text_sink.command(sink, &rec);
	got = sink_end(&text_sink, sink);
	CHECK(strstr(got, " rpc              done       2.00 ms, first byte 1.00 ms, 46 B in, "
			  "39 B out\n"));
	CHECK(strstr(got, "~?                done       2.00 ms"));
	CHECK(strstr(got, "~?                ?             - ms"));
	CHECK(strstr(got, "~?                unanswered    - ms"));
}

static struct pending_record pending(uint16_t port, uint64_t ns)
{
	return (struct pending_record){
		.id = 0x00c0ffee12345678,
		.time_ns = 1609459316577669800,
		.start_ns = 1609459316577669800 - ns,
		.ns = ns,
		.client = {{[10] = 0xff, 0xff, 10, 10, 10, 10}, port},
		.server = {{[10] = 0xff, 0xff, 10, 10, 10, 120}, 1433},
		.phase = PHASE_LOGIN,
		.waits_on = SIDE_SERVER,
		.what = "the answer to LOGIN7",
	};
}

UNIT_CASE(json_pending)
{
	struct pending_record rec = pending(60123, 5040000000);
	void *sink = sink_begin(&json_sink, false);

	rec.tunnel = 0x000103ff;
	json_sink.pending(sink, &rec);
	CHECK_STR(sink_end(&json_sink, sink),
		  "{\"type\":\"pending\",\"v\":1,\"id\":\"00c0ffee12345678\","
		  "\"time\":\"2021-01-01T00:01:56.577669800Z\","
		  "\"client\":{\"addr\":\"10.10.10.10\",\"port\":60123},"
		  "\"server\":{\"addr\":\"10.10.10.120\",\"port\":1433},\"interface\":null,"
		  "\"tunnel\":{\"kind\":\"erspan\",\"id\":1023},\"phase\":\"login\",\"waits_on\":"
		  "\"server\",\"for\":\"the answer to LOGIN7\","
		  "\"ns\":5040000000,\"within\":null}\n");
}

UNIT_CASE(text_pending)
{
	struct pending_record rec = pending(60123, 5040000000);
	void *sink = sink_begin(&text_sink, false);

	text_sink.pending(sink, &rec);
	CHECK_STR(sink_end(&text_sink, sink),
		  "2021-01-01   server 10.10.10.120:1433   times in milliseconds\n" HEADER
		  "00:01:56.577 10.10.10.10:60123     login waits 5.04s for the server: the answer "
		  "to LOGIN7\n");
}

/* Those that had waited for a second; of many, the ten that had waited longest. */
UNIT_CASE(summary_of_logins_that_still_wait)
{
	void *sink = sink_begin(&summary_sink, false);
	struct pending_record rec;

	rec = pending(1, 999999999);
	summary_waiting(sink, &rec);
	rec = pending(2, 6200000000);
	rec.waits_on = SIDE_CLIENT;
	rec.what = "LOGIN7";
	summary_waiting(sink, &rec);
	summary_print(sink, NULL, 0);
	CHECK_STR(sink_end(&summary_sink, sink),
		  "\n0 logins\n1 login was still waiting:\n"
		  "  10.10.10.10:2 at 10.10.10.120:1433, 6.20s for the client: LOGIN7\n");
	sink = sink_begin(&summary_sink, false);
	for (int i = 1; i <= 30; i++) {
		rec = pending((uint16_t)i, 1000000000ull * (i * 7 % 31));
		summary_waiting(sink, &rec);
	}
	summary_print(sink, NULL, 0);
	sink_end(&summary_sink, sink);
	CHECK(strstr(written, "\n30 logins were still waiting, the longest of them:\n"
			      "  10.10.10.10:22 at 10.10.10.120:1433, 30.0s for the server: the "
			      "answer to LOGIN7\n"
			      "  10.10.10.10:13 at 10.10.10.120:1433, 29.0s for "));
	CHECK(strstr(written, ", 21.0s for ") && !strstr(written, ", 20.0s for "));
}

UNIT_CASE(summary_counts_and_leaves_zeroes_out)
{
	static const struct counter counters[] = {{"a", "things lost", 3}, {"b", "never", 0}};
	struct login_record ok = full_login(), bare = bare_login();
	void *sink = sink_begin(&summary_sink, false);

	summary_sink.login(sink, &ok);
	summary_sink.login(sink, &ok);
	summary_sink.login(sink, &bare);
	summary_print(sink, counters, 2);
	CHECK_STR(sink_end(&summary_sink, sink),
		  "\n3 logins: 1 unanswered, 2 ok (2 inferred)\n"
		  "  time       logins     p50     p95     p99     max\n"
		  "  tcp             2   976µs   976µs   976µs   976µs\n"
		  "  prelogin        2  1.95ms  1.95ms  1.95ms  1.95ms\n"
		  "  tls             2  11.7ms  11.7ms  11.7ms  11.7ms\n"
		  "  login           2  3.91ms  3.91ms  3.91ms  3.91ms\n"
		  "  total           2  18.6ms  18.6ms  18.6ms  18.6ms\n"
		  "lost or skipped:\n"
		  "          3  things lost\n");
}

UNIT_CASE(summary_counts_slow_logins_and_resets)
{
	struct login_record rec = full_login();
	struct close_record reset = {.how = CLOSE_RST,
				     .by = SIDE_CLIENT,
				     .phase = PHASE_SESSION,
				     .has_login = true,
				     .verdict = {V_CLIENT_RESET, VERDICT_ENDED, "", false}};
	void *sink = sink_begin(&summary_sink, false);

	rec.outcome = OUTCOME_OK;
	rec.verdict = (struct verdict_words){V_GUESS_SUCCEEDED, VERDICT_SLOW, "", false};
	summary_sink.login(sink, &rec);
	rec.outcome = OUTCOME_REDIRECTED;
	summary_sink.login(sink, &rec);
	rec.verdict.class = VERDICT_OK;
	summary_sink.login(sink, &rec);
	summary_sink.close(sink, &reset);
	summary_sink.close(sink, &reset);
	reset.verdict = (struct verdict_words){V_CLOSED_BUSY, VERDICT_FAILED, "", false};
	summary_sink.close(sink, &reset);
	summary_print(sink, NULL, 0);
	CHECK(strstr(sink_end(&summary_sink, sink),
		     "3 logins: 1 ok, 2 redirected (3 inferred); slow: 2; sessions reset: 3 (2 by "
		     "clients, no request under way)\n"));
}

UNIT_CASE(text_marks_what_is_slow)
{
	struct login_record rec = full_login();

	rec.outcome = OUTCOME_OK;
	rec.verdict = (struct verdict_words){V_GUESS_SUCCEEDED, VERDICT_SLOW, "A sentence.", false};
	CHECK(strstr(login_as(&text_sink, &rec), " ~ok, slow "));
	rec.verdict.class = VERDICT_OK;
	CHECK(!strstr(login_as(&text_sink, &rec), "slow"));
}

/* A verdict on many logins says nothing about this one's error. */
UNIT_CASE(text_shows_the_error_whatever_the_verdict_is)
{
	struct login_record rec = full_login();

	rec.outcome = OUTCOME_REFUSED;
	rec.verdict =
		(struct verdict_words){V_GUESSING, VERDICT_FAILED, "Somebody guesses.", false};
	rec.has_error = true;
	rec.error = (struct login_error){
		.number = 18456, .state = 1, .class_ = 14, .message = "Login failed."};
	CHECK(strstr(login_as(&text_sink, &rec),
		     "             Somebody guesses.\n"
		     "             error 18456, state 1, class 14: Login failed.\n"));
	rec.error.message = NULL;
	CHECK(strstr(login_as(&text_sink, &rec), "             Somebody guesses.\n"
						 "             error 18456, state 1, class 14\n"));
}

UNIT_CASE(summary_of_the_browser)
{
	struct login_record rec = full_login();
	void *sink = sink_begin(&summary_sink, false);

	rec.browser = (struct lookup){.seen = true, .ns = 999999999, .waited_ns = 999999999};
	summary_sink.login(sink, &rec);
	rec.browser.waited_ns = 1000000000;
	summary_sink.login(sink, &rec);
	summary_sink.browser(sink, &(struct browser_record){.questions = 1});
	summary_print(sink, NULL, 0);
	CHECK(strstr(sink_end(&summary_sink, sink),
		     "\nSQL Server Browser: asked before 2 logins, answered late 1 time; other "
		     "questions unanswered: 1\n"));
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
	RUN(json_login_full);
	RUN(json_login_bare);
	RUN(json_tunnel);
	RUN(json_text_of_the_wire_is_valid_and_harmless);
	RUN(json_errorlog);
	RUN(json_browser);
	RUN(json_close);
	RUN(json_command);
	RUN(json_pending);
	RUN(text_pending);
	RUN(summary_of_logins_that_still_wait);
	RUN(json_command_hidden);
	RUN(text_login_ok);
	RUN(text_login_failed_is_explained_and_harmless);
	RUN(text_fits_a_hundred_columns);
	RUN(by_counts_groups);
	RUN(by_has_a_group_for_the_others);
	RUN(text_has_the_verdict_on_the_line_of_the_login);
	RUN(text_keeps_the_columns_with_ipv6);
	RUN(text_on_one_line);
	RUN(text_columns_by_the_width);
	RUN(text_shortens_in_the_middle);
	RUN(text_cells_are_cut_at_their_width);
	RUN(text_names_the_server_again_only_when_it_changes);
	RUN(text_says_why_the_client_fell_back_to_ntlm);
	RUN(text_names_the_tunnel);
	RUN(text_is_coloured_only_where_asked);
	RUN(text_errorlog);
	RUN(text_speaks_for_sqlclient_alone);
	RUN(text_explains_the_browser);
	RUN(text_tells_of_questions_unanswered);
	RUN(text_tells_of_sessions_cut_off_and_of_no_others);
	RUN(text_command);
	RUN(summary_counts_and_leaves_zeroes_out);
	RUN(summary_counts_slow_logins_and_resets);
	RUN(text_marks_what_is_slow);
	RUN(text_shows_the_error_whatever_the_verdict_is);
	RUN(summary_of_the_browser);
	return unit_status();
}
