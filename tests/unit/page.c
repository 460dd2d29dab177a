// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * page.c - the live page's sink: what a browser gets first, what is bounded, and the document's
 * policy.
 */
#include <stdlib.h>

#include "sink/page/page.h"
#include "unit.h"

#define START_NS 1609459200000000000ull /* 2021-01-01, at the edge of a slot */
#define MS	 1000000ull

static const struct wallclock clock_of_files;
static const struct page_watched watched = {"eth0", "1433", false, 7, 2};

static void *open_page(void)
{
	struct sink_config config = {.clock = &clock_of_files};

	return page_sink.open(&config);
}

static void log_in(void *page, uint64_t at_ns, uint64_t total_ns, enum outcome outcome,
		   enum verdict verdict)
{
	enum verdict_class class =
		outcome != OUTCOME_OK && outcome != OUTCOME_REDIRECTED && outcome != OUTCOME_PROBE
			? VERDICT_FAILED
		: total_ns > 2000 * MS ? VERDICT_SLOW
				       : VERDICT_OK;
	struct login_record rec = {
		.start_ns = at_ns,
		.end_ns = at_ns + total_ns,
		.client = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, 50000},
		.server = {{[10] = 0xff, 0xff, 10, 0, 0, 2}, 1433},
		.tds = {.read_only = -1, .app = "</script><img src=x>\xc2\x9b\n"},
		.outcome = outcome,
		.total_ns = total_ns,
		.phase_ns = {MS, total_ns - MS, NO_NS, NO_NS, NO_NS},
		.verdict = {verdict, class, "a sentence", verdict == V_OK},
	};

	page_sink.login(page, &rec);
}

/* The first events on /events. The caller frees them. */
static char *first(void *page, const char *last_event_id)
{
	struct http_request req = {.path = "/events", .accept = "", .last_event_id = last_event_id};
	struct http_reply reply = {.status = 200};
	struct strbuf piece = {0};

	page_events(page, &req, &reply);
	CHECK(!reply.body.failed);
	CHECK_STR(reply.type, "text/event-stream");
	do {
		strbuf_add(&reply.body, piece.data ?: "", piece.len);
		piece.len = 0;
		reply.backlog.next(reply.backlog.ctx, &reply.backlog.from, reply.backlog.to,
				   &piece);
	} while (piece.len);
	strbuf_release(&piece);
	strbuf_add(&reply.body, "", 1);
	return reply.body.data;
}

static int count_of(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

UNIT_CASE(a_browser_gets_what_was)
{
	void *page = open_page();
	char *text;

	log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
	log_in(page, START_NS, 40 * MS, OUTCOME_REFUSED, V_LOGIN_FAILED);
	text = first(page, "");
	CHECK(!strncmp(text, "event: begin\ndata: {\"run\":", 26));
	CHECK_INT(count_of(text, "\nevent: login\ndata: {\"type\":\"login\","), 1);
	CHECK_INT(count_of(text, "\nevent: problem\ndata: {\"type\":\"login\","), 1);
	CHECK_INT(count_of(text, "id: 1\n"), 1);
	CHECK_INT(count_of(text, "id: 2\n"), 1);
	CHECK(strstr(text,
		     "\"not_shown\":0,\"since\":\"2021-01-01T00:00:00.020000000Z\",\"logins\":2,"
		     "\"failed\":1,"
		     "\"lost\":[],\"causes\":[{\"name\":\"login_failed\",\"text\":\"a sentence\","
		     "\"count\":1,\"last\":\"2021-01-01T00:00:00.040000000Z\"}],"
		     "\"slots\":[{\"t\":1609459200,\"logins\":2,\"failed\":1,\"times\":{"
		     "\"tcp\":[1000000,1000000,1000000],"));
	free(text);
	page_sink.free(page);
}

/* Slow logins count whatever their verdict's name; a health check is not a failure. */
UNIT_CASE(causes)
{
	void *page = open_page();
	char *text;

	log_in(page, START_NS, 20 * MS, OUTCOME_PROBE, V_PROBE);
	log_in(page, START_NS, 20 * MS, OUTCOME_REDIRECTED, V_REDIRECTED);
	log_in(page, START_NS, 3000 * MS, OUTCOME_OK, V_SLOW_LOGIN);
	log_in(page, START_NS, 3000 * MS, OUTCOME_OK, V_PACKETS_LOST);
	text = first(page, "");
	CHECK(strstr(text, "\"logins\":4,\"failed\":0,\"lost\":[],\"causes\":["));
	/* each is in its login, and in addition these two among the causes */
	CHECK_INT(count_of(text, "{\"name\":\"slow_login\","), 2);
	CHECK_INT(count_of(text, "{\"name\":\"packets_lost\","), 2);
	CHECK_INT(count_of(text, "{\"name\":\"probe\","), 1);
	CHECK_INT(count_of(text, "{\"name\":\"redirected\","), 1);
	free(text);
	page_sink.free(page);
}

UNIT_CASE(a_browser_that_comes_again_gets_the_rest)
{
	void *page = open_page();
	char *text;

	for (int i = 0; i < 5; i++)
		log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
	text = first(page, "3");
	CHECK_INT(count_of(text, "event: login"), 2);
	CHECK(strstr(text, "id: 4\n") && strstr(text, "id: 5\n"));
	free(text);
	text = first(page, "77"); /* an id of another run */
	CHECK_INT(count_of(text, "event: login"), 5);
	free(text);
	text = first(page, "nonsense");
	CHECK_INT(count_of(text, "event: login"), 5);
	free(text);
	page_sink.free(page);
}

UNIT_CASE(an_event_is_one_line_whatever_the_wire_said)
{
	void *page = open_page();
	char *text;

	log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
	text = first(page, "");
	CHECK_INT(count_of(text, "</script><img src=x>\\u009B\\n"), 1);
	CHECK_INT(count_of(text, "\n\n"), 3); /* begin, stats, login */
	free(text);
	page_sink.free(page);
}

UNIT_CASE(of_a_flood_some_are_shown_and_all_are_counted)
{
	struct counter lost = {"lost", "packets lost", 7}, none = {"none", "nothing", 0};
	struct counter counters[] = {lost, none};
	void *page = open_page();
	char *text;

	for (int i = 0; i < 10000; i++)
		log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
	for (int i = 0; i < 3; i++)
		log_in(page, START_NS, 20 * MS, OUTCOME_DROPPED, V_SERVER_DROPPED);
	page_tick(page, START_NS + 1000 * MS, &watched, counters, 2);
	text = first(page, "");
	CHECK_INT(count_of(text, "event: login"), 50);
	CHECK_INT(count_of(text, "event: problem"), 3);
	CHECK(strstr(text, "\"now\":1609459201,"));
	CHECK(strstr(text, "\"not_shown\":9950,\"watched\":{\"where\":\"eth0\",\"ports\":\"1433\","
			   "\"any_port\":false,\"segments\":7,\"connections\":2},"));
	CHECK(strstr(text, "\"logins\":10003,\"failed\":3,"
			   "\"lost\":[{\"value\":7,\"text\":\"packets lost\"}],"));
	free(text);
	log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK); /* another second */
	text = first(page, "");
	CHECK_INT(count_of(text, "event: login"), 51);
	free(text);
	page_sink.free(page);
}

UNIT_CASE(the_backlog_is_bounded)
{
	void *page = open_page();
	char *text;

	for (int i = 0; i < 1500; i++) {
		log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
		page_tick(page, START_NS + i * 1000 * MS, &watched, NULL, 0);
	}
	text = first(page, "");
	CHECK_INT(count_of(text, "event: login"), 1000);
	CHECK(strstr(text, "id: 501\n") && !strstr(text, "id: 500\n"));
	free(text);
	page_sink.free(page);
}

/* Ninety slots are kept; whole ones are measured when they are over. */
UNIT_CASE(slots_of_a_quarter_of_an_hour)
{
	void *page = open_page();
	char *text;

	for (uint64_t i = 0; i < 200; i++)
		log_in(page, START_NS + i * 10000 * MS, (2 + i) * MS, OUTCOME_OK, V_OK);
	text = first(page, "");
	CHECK_INT(count_of(text, "{\"t\":"), 91);
	CHECK(strstr(text, "\"slots\":[{\"t\":1609460290,\"logins\":1,\"failed\":0,"));
	CHECK(strstr(text, "\"total\":[201000000,201000000,201000000]}}]"));
	free(text);
	page_sink.free(page);
}

/* A browser that comes later gets the failovers that were found. */
UNIT_CASE(failovers)
{
	void *page = open_page();
	struct close_record rec = {.server = {{[10] = 0xff, 0xff, 10, 0, 0, 2}, 1433},
				   .client = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, 50000},
				   .has_login = true,
				   .login = OUTCOME_OK,
				   .by = SIDE_SERVER,
				   .how = CLOSE_RST,
				   .phase = PHASE_SESSION};
	char *text;

	for (uint64_t i = 0; i < 5; i++)
		log_in(page, START_NS, 20 * MS, OUTCOME_OK, V_OK);
	text = first(page, "");
	CHECK_INT(count_of(text, "event: failover"), 0);
	free(text);
	for (uint64_t i = 0; i < 5; i++) {
		rec.time_ns = START_NS + (1000 + i) * MS;
		page_sink.close(page, &rec);
	}
	page_tick(page, START_NS + 2000 * MS, &watched, NULL, 0);
	text = first(page, "");
	CHECK(strstr(
		text,
		"event: failover\ndata: {\"id\":1,\"time\":\"2021-01-01T00:00:01.000000000Z\","
		"\"inferred\":false,\"server\":\"10.0.0.2:1433\",\"to\":null,\"closed\":5,"
		"\"failed\":0,\"login_ns\":null,\"over\":false,\"text\":\"10.0.0.2:1433 closed "
		"5 of 5 sessions of 1 client within 4.00ms; 0 logins failed; no login "
		"succeeded since then\"}\n\n"));
	free(text);
	page_sink.free(page);
}

/* /history comes in pieces, each of which is made when the client has taken the one before. */
UNIT_CASE(history_comes_in_pieces)
{
	void *page = open_page();
	struct http_request req = {.path = "/history", .accept = "", .last_event_id = ""};
	struct http_reply reply = {.status = 200};
	struct strbuf piece = {0}, all = {0};
	size_t longest = 0;

	for (uint64_t i = 0; i < 3600; i++) {
		page_tick(page, START_NS + i * 1000 * MS, &watched, NULL, 0);
		log_in(page, START_NS + i * 1000 * MS, 20 * MS, OUTCOME_OK, V_OK);
	}
	page_history(page, &req, &reply);
	CHECK_STR(reply.type, "application/json");
	CHECK(!reply.stream && !reply.body.len);
	do {
		piece.len = 0;
		reply.backlog.next(reply.backlog.ctx, &reply.backlog.from, reply.backlog.to,
				   &piece);
		longest = piece.len > longest ? piece.len : longest;
		strbuf_add(&all, piece.data ?: "", piece.len);
	} while (piece.len);
	strbuf_add(&all, "", 1);
	CHECK_INT(count_of(all.data, ",[1,"), 3600);
	CHECK_INT(count_of(all.data, ",[60,"), 60);
	CHECK(longest < 8192);
	strbuf_release(&piece);
	strbuf_release(&all);
	page_sink.free(page);
}

UNIT_CASE(the_document_allows_its_own_script_alone)
{
	void *page = open_page();
	struct http_request req = {.path = "/", .accept = "", .last_event_id = ""};
	struct http_reply reply = {.status = 200};

	page_document(page, &req, &reply);
	CHECK(!strncmp(reply.fixed, "<!DOCTYPE html>\n", 16));
	CHECK_INT(reply.fixed_len, strlen(reply.fixed));
	CHECK(strstr(reply.policy, "default-src 'none'; style-src 'sha256-"));
	CHECK(strstr(reply.policy, "script-src 'sha256-"));
	CHECK(!strstr(reply.policy, "unsafe"));
	CHECK(!strstr(reply.fixed, "innerHTML") && !strstr(reply.fixed, "https:"));
	page_sink.free(page);
}

int main(void)
{
	RUN(a_browser_gets_what_was);
	RUN(causes);
	RUN(a_browser_that_comes_again_gets_the_rest);
	RUN(an_event_is_one_line_whatever_the_wire_said);
	RUN(of_a_flood_some_are_shown_and_all_are_counted);
	RUN(the_backlog_is_bounded);
	RUN(slots_of_a_quarter_of_an_hour);
	RUN(failovers);
	RUN(history_comes_in_pieces);
	RUN(the_document_allows_its_own_script_alone);
	return unit_status();
}
