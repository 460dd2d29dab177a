// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * otlp.c - the format "otlp" where captures do not lead: ids, parts of several peers, hostile text.
 */
#include <stdlib.h>
#include <unistd.h>

#include "sink/otlp.h"
#include "unit.h"

static const struct step steps[] = {
	{STEP_SYN, PHASE_TCP, SIDE_NETWORK, 1000000},
	{STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_SERVER, 40000000},
};

static struct login_record login(void)
{
	return (struct login_record){
		.id = 0x00c0ffee12345678,
		.start_ns = 1000000000,
		.end_ns = 1041000000,
		.client = {{[10] = 0xff, 0xff, 10, 10, 10, 10}, 60123},
		.server = {{0xfd, [15] = 2}, 1433},
		.tds = {.spid = -1, .packet_size = -1, .read_only = -1},
		.outcome = OUTCOME_OK,
		.outcome_basis = BASIS_OBSERVED,
		.total_ns = 41000000,
		.steps = steps,
		.step_count = 2,
		.verdict = {V_OK, VERDICT_OK, "logged in", true},
	};
}

static const char *line_of(const struct login_record *rec)
{
	static const struct wallclock clock_of_files;
	static struct output out;
	static char written[65536];
	struct sink_config config = {.out = &out, .clock = &clock_of_files};
	FILE *capture = tmpfile();
	void *sink;
	ssize_t n;

	output_init(&out, dup(fileno(capture)));
	sink = otlp_sink.open(&config);
	otlp_sink.login(sink, rec);
	otlp_sink.free(sink);
	CHECK_INT(output_close(&out), 0);
	n = pread(fileno(capture), written, sizeof(written) - 1, 0);
	written[n > 0 ? n : 0] = '\0';
	fclose(capture);
	return written;
}

static const char of_the_record[] = "\"traceId\":\"000000000000000000c0ffee12345678\"";

UNIT_CASE(the_trace_is_the_activity)
{
	struct login_record rec = login();

	rec.tds.activity_id = "0480e12a-a8ad-4914-817f-0a70a8703975";
	CHECK(strstr(line_of(&rec), "\"traceId\":\"0480e12aa8ad4914817f0a70a8703975\""));
	CHECK(!strstr(line_of(&rec), of_the_record));
}

UNIT_CASE(the_trace_is_the_record_where_the_activity_is_no_id)
{
	const char *const ids[] = {NULL,
				   "",
				   "00000000-0000-0000-0000-000000000000",
				   "0480e12a-a8ad-4914-817f-0a70a870397",
				   "0480e12a-a8ad-4914-817f-0a70a87039755",
				   "0480e12a-a8ad-4914-817f-0a70a870397\""};
	struct login_record rec = login();

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		rec.tds.activity_id = ids[i];
		CHECK(strstr(line_of(&rec), of_the_record));
	}
}

UNIT_CASE(no_id_is_zero)
{
	struct login_record rec = login();

	rec.id = 0;
	CHECK(strstr(line_of(&rec), "\"traceId\":\"00000000000000000000000000000001\","
				    "\"spanId\":\"0000000000000001\""));
}

UNIT_CASE(steps_end_where_the_login_does)
{
	struct login_record rec = login();

	CHECK(strstr(line_of(&rec), "\"startTimeUnixNano\":\"1001000000\","
				    "\"endTimeUnixNano\":\"1041000000\""));
	rec.mid_stream = true;
	rec.start_ns -= 500; /* the first packet, which began no step */
	CHECK(strstr(line_of(&rec), "\"startTimeUnixNano\":\"999999500\","
				    "\"endTimeUnixNano\":\"1041000000\""));
	CHECK(strstr(line_of(&rec), "\"startTimeUnixNano\":\"1000000000\","
				    "\"endTimeUnixNano\":\"1001000000\""));
}

UNIT_CASE(parts_of_several_peers_are_one_attribute)
{
	struct login_record rec = login();
	const struct step_part parts[] = {
		{1, PART_KDC, 10000000, BASIS_INFERRED, "why", true, rec.server},
		{1, PART_PROCESS, 5000000, BASIS_INFERRED, NULL, false, {{0}, 0}},
		{1, PART_KDC, 25000000, BASIS_INFERRED, "why", true, rec.client},
	};
	const char *found;

	rec.parts = parts;
	rec.part_count = 3;
	found = strstr(line_of(&rec),
		       "{\"key\":\"tdsmon.within.kdc_ns\",\"value\":{\"intValue\":\"35000000\"}}");
	CHECK(found && !strstr(found + 20, "within.kdc_ns"));
	CHECK(found && strstr(found, "{\"key\":\"tdsmon.within.process_ns\","
				     "\"value\":{\"intValue\":\"5000000\"}}"));
}

UNIT_CASE(facts_of_the_host)
{
	struct login_record rec = login();
	const struct host_facts host = {.side = SIDE_SERVER,
					.pid = 4711,
					.process = "sqlservr",
					.container = "0123",
					.pod = "uid",
					.throttled_ns = NO_NS};

	rec.host = &host;
	CHECK(strstr(line_of(&rec),
		     "{\"key\":\"tdsmon.host.side\",\"value\":{\"stringValue\":\"server\"}},"
		     "{\"key\":\"tdsmon.host.process\",\"value\":{\"stringValue\":\"sqlservr\"}},"
		     "{\"key\":\"process.pid\",\"value\":{\"intValue\":\"4711\"}},"
		     "{\"key\":\"container.id\",\"value\":{\"stringValue\":\"0123\"}},"
		     "{\"key\":\"k8s.pod.uid\",\"value\":{\"stringValue\":\"uid\"}}"));
}

UNIT_CASE(text_of_the_wire_is_harmless)
{
	struct login_record rec = login();
	const char *line;

	rec.tds.app = "a\"},\x1b\xff\n";
	rec.tds.database = "d";
	rec.tds.instance = "i";
	line = line_of(&rec);
	CHECK(strstr(line, "\"a\\\"},\\u001B\ufffd\\n\""));
	CHECK(strstr(line, "{\"key\":\"db.namespace\",\"value\":{\"stringValue\":\"i|d\"}}"));
	CHECK(strchr(line, '\n') == line + strlen(line) - 1);
}

int main(void)
{
	RUN(the_trace_is_the_activity);
	RUN(the_trace_is_the_record_where_the_activity_is_no_id);
	RUN(no_id_is_zero);
	RUN(steps_end_where_the_login_does);
	RUN(parts_of_several_peers_are_one_attribute);
	RUN(facts_of_the_host);
	RUN(text_of_the_wire_is_harmless);
	return unit_status();
}
