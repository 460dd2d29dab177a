// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * browser.c - SQL Server Browser through the engine: what is learned from its responses, what later
 * logins say, and what is reported of requests that nobody answers.
 */
#include <linux/types.h>

#include "bytes.h"
#include "engine/engine.h"
#include "unit.h"

#define MS	    1000000ull
#define S	    1000000000ull
#define RECORDS_MAX 16
#define CLIENT	    1
#define SERVER	    2
#define OTHER	    3

struct test {
	struct engine *e;
	struct port_set ports, watched;
	struct login_record logins[RECORDS_MAX];
	char instances[RECORDS_MAX][80];
	enum verdict verdicts[RECORDS_MAX];
	struct browser_record unanswered[RECORDS_MAX];
	char asked_for[RECORDS_MAX][80];
	uint32_t login_count, unanswered_count, closed;
	uint64_t now;
	uint16_t client_port; /* of the next connection */
};

static void on_login(void *ctx, const struct login_record *r)
{
	struct test *t = ctx;

	if (t->login_count == RECORDS_MAX)
		return;
	snprintf(t->instances[t->login_count], 80, "%s", r->tds.instance ?: "(null)");
	t->verdicts[t->login_count] = r->verdict.id;
	t->logins[t->login_count++] = *r;
}

static void on_browser(void *ctx, const struct browser_record *r)
{
	struct test *t = ctx;

	if (t->unanswered_count == RECORDS_MAX)
		return;
	snprintf(t->asked_for[t->unanswered_count], 80, "%s", r->instance ?: "(null)");
	t->unanswered[t->unanswered_count++] = *r;
}

static void on_port(void *ctx, uint16_t port, bool serves)
{
	struct test *t = ctx;

	CHECK(port_set_has(&t->watched, port) != serves);
	t->watched.bits[port / 64] ^= 1ull << port % 64;
}

static void on_tap(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level)
{
	struct test *t = ctx;

	(void)key, (void)client;
	t->closed += level == TAP_CLOSE;
}

static void begin_with(struct test *t, struct engine_config config)
{
	static const struct engine_ops ops = {
		.login = on_login, .browser = on_browser, .port = on_port, .tap = on_tap};

	memset(t, 0, sizeof(*t));
	port_set_add(&t->ports, 1433);
	config.ports = &t->ports;
	t->e = engine_new(&config, &ops, t);
	t->now = 1000 * S;
	t->client_port = 50000;
}

static void begin(struct test *t)
{
	begin_with(t, (struct engine_config){.browser = true});
}

static void end(struct test *t)
{
	engine_finish(t->e);
	CHECK_INT(engine_stats(t->e)->browser_unanswered, t->unanswered_count);
	engine_free(t->e);
}

static struct seg between(const struct test *t, uint8_t from, uint16_t sport, uint8_t to,
			  uint16_t dport)
{
	return (struct seg){.ts_ns = t->now,
			    .saddr = {[10] = 0xff, 0xff, 10, 0, 0, from},
			    .daddr = {[10] = 0xff, 0xff, 10, 0, 0, to},
			    .sport = sport,
			    .dport = dport,
			    .ttl = 64};
}

static void datagram(struct test *t, struct seg seg, const void *data, size_t len)
{
	seg.rec_flags = SEG_F_UDP;
	seg.len = seg.cap_len = (uint32_t)len;
	engine_segment(t->e, &seg, data);
}

/* A client asks for an instance, or, with "", for all. */
static void ask(struct test *t, uint8_t client, uint16_t port, const char *name)
{
	uint8_t data[64] = {*name ? 4 : 3};

	strcpy((char *)data + 1, name);
	datagram(t, between(t, client, port, SERVER, 1434), data, *name ? strlen(name) + 2 : 1);
}

static void answer(struct test *t, uint8_t server, uint16_t port, const char *text)
{
	uint8_t data[600] = {5};

	data[1] = (uint8_t)strlen(text);
	data[2] = (uint8_t)(strlen(text) >> 8);
	strcpy((char *)data + 3, text);
	datagram(t, between(t, server, 1434, CLIENT, port), data, strlen(text) + 3);
}

/* PRELOGIN that names an instance; encryption not supported. MS-TDS 2.2.6.5 */
static uint32_t prelogin(uint8_t out[128], const char *instance)
{
	uint8_t n = (uint8_t)(strlen(instance) + 1);
	const uint8_t head[] = {0x12, 1, 0,  (uint8_t)(8 + 16 + 7 + n),
				0,    0, 1,  0,
				0,    0, 16, 0,
				6,    1, 0,  22,
				0,    1, 2,  0,
				23,   0, n,  0xff,
				11,   0, 0,  0,
				0,    0, 2};

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), instance, n);
	return sizeof(head) + n;
}

/* A complete login, 10 ms long, and its end. */
static void login_naming(struct test *t, uint8_t client, uint16_t port, const char *instance)
{
	uint8_t request[128], reply[sizeof(prelogin_reply)];
	uint32_t request_len = prelogin(request, instance);
	const struct {
		bool server;
		uint8_t flags;
		const uint8_t *data;
		uint32_t len;
	} parts[] = {
		{false, SEG_SYN, NULL, 0},
		{true, SEG_SYN | SEG_ACK, NULL, 0},
		{false, SEG_ACK, NULL, 0},
		{false, SEG_ACK, request, request_len},
		{true, SEG_ACK, reply, sizeof(reply)},
		{false, SEG_ACK, login7_sql, sizeof(login7_sql)},
		{true, SEG_ACK, login_success, sizeof(login_success)},
		{false, SEG_ACK | SEG_FIN, NULL, 0},
		{true, SEG_ACK | SEG_FIN, NULL, 0},
		{false, SEG_ACK, NULL, 0},
	};
	uint32_t seq[2] = {1000, 5000};

	memcpy(reply, prelogin_reply, sizeof(reply));
	reply[8 + 0x20] = 2;
	t->client_port++;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int side = parts[i].server;
		struct seg seg = side ? between(t, SERVER, port, client, t->client_port)
				      : between(t, client, t->client_port, SERVER, port);

		seg.flags = parts[i].flags;
		seg.seq = seq[side];
		seg.ack = seg.flags & SEG_ACK ? seq[!side] : 0;
		seg.len = seg.cap_len = parts[i].len;
		seq[side] += seg.len + !!(seg.flags & (SEG_SYN | SEG_FIN));
		engine_segment(t->e, &seg, parts[i].data);
		t->now += MS;
	}
}

static void login(struct test *t, uint8_t client, uint16_t port)
{
	login_naming(t, client, port, "");
}

#define INST1 "ServerName;H;InstanceName;INST1;IsClustered;No;Version;16.0.1000.6;tcp;51234;;"
#define INST2 "ServerName;H;InstanceName;INST2;IsClustered;No;Version;16.0.1000.6;tcp;51235;;"

UNIT_CASE(an_answer_teaches_port_and_name)
{
	struct test t;

	begin(&t);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 0); /* so far a port like any other */
	ask(&t, CLIENT, 40000, "INST1");
	t.now += 7 * MS;
	answer(&t, SERVER, 40000, INST1);
	CHECK(port_set_has(&t.watched, 51234));
	t.now += MS;
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 1);
	CHECK_STR(t.instances[0], "INST1");
	CHECK_INT(t.logins[0].outcome, OUTCOME_OK);
	CHECK(!t.logins[0].mid_stream);
	CHECK(t.logins[0].browser.seen);
	CHECK_INT(t.logins[0].browser.ns, 7 * MS);
	CHECK_INT(t.logins[0].browser.retries, 0);
	CHECK_INT(t.verdicts[0], V_OK);
	/* the next one did not ask */
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 2);
	CHECK_STR(t.instances[1], "INST1");
	CHECK(!t.logins[1].browser.seen);
	CHECK_INT(engine_stats(t.e)->datagrams, 2);
	CHECK_INT(engine_stats(t.e)->browser_questions, 1);
	end(&t);
}

UNIT_CASE(of_that_server_alone)
{
	struct test t;

	begin(&t);
	answer(&t, OTHER, 40000, INST1);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 0);
	CHECK_INT(engine_stats(t.e)->ignored, 10);
	CHECK_INT(t.closed, 10); /* the kernel must forward nothing more of it */
	end(&t);
}

UNIT_CASE(all_instances)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "");
	t.now += 2 * MS;
	answer(&t, SERVER, 40000, INST1 INST2);
	login(&t, CLIENT, 51235);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 2);
	CHECK_STR(t.instances[0], "INST2");
	CHECK_STR(t.instances[1], "INST1");
	CHECK_INT(t.logins[0].browser.ns, 2 * MS);
	CHECK(!t.logins[1].browser.seen);
	CHECK_INT(engine_stats(t.e)->instances, 2);
	end(&t);
}

/* tedious and jTDS ask a host with the broadcast message. */
UNIT_CASE(asked_as_everybody)
{
	struct test t;

	begin(&t);
	datagram(&t, between(&t, CLIENT, 40000, SERVER, 1434), "\x02", 1);
	t.now += 3 * MS;
	answer(&t, SERVER, 40000, INST1 INST2);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].browser.ns, 3 * MS);
	/* many answer a broadcast; no connection is expected */
	datagram(&t, between(&t, CLIENT, 40001, 255, 1434), "\x02", 1);
	answer(&t, SERVER, 40001, INST1);
	answer(&t, OTHER, 40001, INST2);
	login(&t, CLIENT, 51234);
	CHECK(!t.logins[1].browser.seen);
	CHECK_INT(engine_stats(t.e)->instances, 3);
	end(&t);
	CHECK_INT(t.unanswered_count, 0);
}

UNIT_CASE(administrators_port)
{
	struct test t;

	begin(&t);
	datagram(&t, between(&t, CLIENT, 40000, SERVER, 1434), "\x0f\x01INST1", 8);
	datagram(&t, between(&t, SERVER, 1434, CLIENT, 40000), "\x05\x06\0\x01\x23\xc8", 6);
	login(&t, CLIENT, 51235);
	CHECK_INT(t.login_count, 1);
	CHECK_STR(t.instances[0], "INST1");
	CHECK(t.logins[0].browser.seen);
	end(&t);
}

/* PRELOGIN's instance counts, except the name that clients send if they mean none. */
UNIT_CASE(prelogin_names_another)
{
	struct test t;

	begin(&t);
	answer(&t, SERVER, 40000, INST1);
	login_naming(&t, CLIENT, 51234, "ELSE");
	login_naming(&t, CLIENT, 51234, "MSSQLServer");
	login_naming(&t, CLIENT, 1433, "MSSQLServer");
	login_naming(&t, CLIENT, 1433, "");
	CHECK_INT(t.login_count, 4);
	CHECK_STR(t.instances[0], "ELSE");
	CHECK_STR(t.instances[1], "INST1");
	CHECK_STR(t.instances[2], "MSSQLServer");
	CHECK_STR(t.instances[3], "(null)");
	end(&t);
}

/* Only a datagram from the Browser's port is a response. */
UNIT_CASE(not_the_browser)
{
	static const char text[] = "\x05\x1c\0InstanceName;INST1;tcp;1500;;";
	struct test t;

	begin(&t);
	datagram(&t, between(&t, SERVER, 1435, CLIENT, 1434), text, sizeof(text) - 1);
	CHECK_INT(engine_stats(t.e)->browser_malformed, 1);
	CHECK_INT(engine_stats(t.e)->instances, 0);
	datagram(&t, between(&t, SERVER, 1434, CLIENT, 40000), text, sizeof(text) - 1);
	CHECK_INT(engine_stats(t.e)->instances, 1);
	end(&t);
}

UNIT_CASE(switched_off)
{
	struct test t;

	begin_with(&t, (struct engine_config){.browser = false});
	ask(&t, CLIENT, 40000, "INST1");
	answer(&t, SERVER, 40000, INST1);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 0);
	CHECK(!port_set_has(&t.watched, 51234));
	end(&t);
}

/* FreeTDS asks again from the same port, SqlClient from another. */
UNIT_CASE(asked_again)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "INST1");
	t.now += S;
	ask(&t, CLIENT, 40000, "INST1");
	t.now += S;
	ask(&t, CLIENT, 40001, "inst1");
	t.now += 500 * MS;
	answer(&t, SERVER, 40001, INST1);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 1);
	CHECK_INT(t.logins[0].browser.ns, 2500 * MS);
	CHECK_INT(t.logins[0].browser.retries, 2);
	CHECK_INT(t.verdicts[0], V_SLOW_BROWSER);
	/* the login's time does not include the request's */
	CHECK_INT(t.logins[0].total_ns, 6 * MS);
	CHECK_INT(engine_stats(t.e)->browser_questions, 1);
	end(&t);
}

/* The same datagram seen twice is one; two clients on a host are two. */
UNIT_CASE(copies_and_neighbours)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "INST1");
	ask(&t, CLIENT, 40000, "INST1");
	t.now += MS;
	ask(&t, CLIENT, 40001, "INST1");
	t.now += MS;
	answer(&t, SERVER, 40000, INST1);
	answer(&t, SERVER, 40000, INST1);
	login(&t, CLIENT, 51234);
	t.now += 990 * MS;
	answer(&t, SERVER, 40001, INST1);
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 2);
	CHECK_INT(t.logins[0].browser.retries, 0);
	CHECK_INT(t.logins[0].browser.ns, 2 * MS);
	CHECK_INT(t.logins[1].browser.retries, 0);
	CHECK_INT(t.logins[1].browser.ns, 1001 * MS);
	CHECK_INT(engine_stats(t.e)->browser_questions, 2);
	end(&t);
}

UNIT_CASE(unanswered)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "INST9");
	t.now += S;
	ask(&t, CLIENT, 40000, "INST9");
	t.now += 4 * S;
	engine_tick(t.e, t.now);
	CHECK_INT(t.unanswered_count, 0);
	t.now += 2 * S;
	engine_tick(t.e, t.now);
	CHECK_INT(t.unanswered_count, 1);
	CHECK_STR(t.asked_for[0], "INST9");
	CHECK_INT(t.unanswered[0].questions, 2);
	CHECK_INT(t.unanswered[0].time_ns, 1000 * S);
	CHECK_INT(t.unanswered[0].client.port, 40000);
	CHECK_INT(t.unanswered[0].server.port, 1434);
	/* this broadcast was addressed to nobody in particular */
	datagram(&t, between(&t, CLIENT, 40001, 255, 1434), "\x02", 1);
	ask(&t, CLIENT, 40002, "");
	end(&t);
	CHECK_INT(t.unanswered_count, 2);
	CHECK_STR(t.asked_for[1], "(null)");
}

/* Some clients connect to the default port if nobody answers. */
UNIT_CASE(unanswered_but_connected)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "INST1");
	t.now += 1200 * MS;
	login(&t, CLIENT, 1433);
	CHECK_INT(t.login_count, 1);
	CHECK(t.logins[0].browser.seen);
	CHECK_INT(t.logins[0].browser.ns, NO_NS);
	CHECK_INT(t.logins[0].browser.waited_ns, 1200 * MS);
	CHECK_INT(t.verdicts[0], V_SLOW_BROWSER);
	end(&t);
	CHECK_INT(t.unanswered_count, 0);
}

/* A connection to another port, from another client, or much later does not follow the request. */
UNIT_CASE(connections_of_others)
{
	struct test t;

	begin(&t);
	ask(&t, CLIENT, 40000, "INST1");
	answer(&t, SERVER, 40000, INST1);
	login(&t, CLIENT, 1433);
	login(&t, OTHER, 51234);
	t.now += 6 * S;
	login(&t, CLIENT, 51234);
	CHECK_INT(t.login_count, 3);
	for (int i = 0; i < 3; i++)
		CHECK(!t.logins[i].browser.seen);
	end(&t);
	CHECK_INT(t.unanswered_count, 0);
}

/* More requests than are remembered: the oldest are not reported, but counted. */
UNIT_CASE(many_questions)
{
	struct test t;

	begin(&t);
	for (uint16_t i = 0; i < 300; i++)
		ask(&t, CLIENT, 40000 + i, "INST1");
	CHECK_INT(engine_stats(t.e)->browser_questions, 300);
	CHECK_INT(engine_stats(t.e)->browser_evicted, 44);
	engine_finish(t.e);
	CHECK_INT(engine_stats(t.e)->browser_unanswered, 256);
	engine_free(t.e);
}

/* Of one response, no more instances are believed than a host can have. */
UNIT_CASE(too_many_instances)
{
	char text[60 * 34 + 1] = "";
	uint8_t data[4096] = {5};
	struct test t;
	size_t len = 0;

	begin(&t);
	for (int i = 0; i < 60; i++)
		len += (size_t)sprintf(text + len, "InstanceName;I%d;tcp;%d;;", i, 20000 + i);
	data[1] = (uint8_t)len;
	data[2] = (uint8_t)(len >> 8);
	memcpy(data + 3, text, len);
	datagram(&t, between(&t, SERVER, 1434, CLIENT, 40000), data, len + 3);
	CHECK_INT(engine_stats(t.e)->instances, 50);
	/* a truncated one counts for its complete instances */
	datagram(&t, between(&t, OTHER, 1434, CLIENT, 40000), data, 60);
	CHECK_INT(engine_stats(t.e)->instances, 52);
	CHECK_INT(engine_stats(t.e)->browser_cut, 1);
	end(&t);
}

int main(void)
{
	RUN(an_answer_teaches_port_and_name);
	RUN(of_that_server_alone);
	RUN(all_instances);
	RUN(asked_as_everybody);
	RUN(administrators_port);
	RUN(prelogin_names_another);
	RUN(not_the_browser);
	RUN(switched_off);
	RUN(asked_again);
	RUN(copies_and_neighbours);
	RUN(unanswered);
	RUN(unanswered_but_connected);
	RUN(connections_of_others);
	RUN(many_questions);
	RUN(too_many_instances);
	return unit_status();
}
