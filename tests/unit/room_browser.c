// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * room_browser.c - the room engine/browser/ by itself: it is linked with no other part of the engine
 * than the parsers.
 */
#include "engine/browser/browser.h"
#include "lib/units.h"
#include "unit.h"

#define CLIENT 1
#define SERVER 2

static struct {
	struct browser browser;
	struct port_set ports, watched;
	struct browser_record unanswered;
	uint32_t unanswered_count;
} t;

static void on_unanswered(void *ctx, const struct browser_record *rec)
{
	CHECK(ctx == &t);
	t.unanswered = *rec;
	t.unanswered_count++;
}

static void on_port(void *ctx, uint16_t port, bool serves)
{
	CHECK(ctx == &t);
	if (serves)
		port_set_add(&t.watched, port);
	else
		port_set_remove(&t.watched, port);
}

static void begin(void)
{
	static const struct browser_ops ops = {on_unanswered, on_port};

	memset(&t, 0, sizeof(t));
	port_set_add(&t.ports, 1433);
	browser_init(&t.browser, &t.ports, 7, &ops, &t);
}

static struct endpoint end_of(uint8_t host, uint16_t port)
{
	return (struct endpoint){.addr = {[10] = 0xff, 0xff, 10, 0, 0, host}, .port = port};
}

static void datagram(uint64_t ts_ns, struct endpoint from, struct endpoint to, const void *data,
		     size_t len)
{
	struct seg seg = {.ts_ns = ts_ns,
			  .sport = from.port,
			  .dport = to.port,
			  .len = (uint32_t)len,
			  .cap_len = (uint32_t)len};

	memcpy(seg.saddr, from.addr, 16);
	memcpy(seg.daddr, to.addr, 16);
	browser_datagram(&t.browser, &seg, data);
}

/* CLNT_UCAST_INST, MC-SQLR 2.2.3 */
static void ask(uint64_t ts_ns)
{
	datagram(ts_ns, end_of(CLIENT, 50000), end_of(SERVER, SSRP_PORT), "\4SALES", 7);
}

static void answer(uint64_t ts_ns)
{
	static const char text[] =
		"ServerName;H;InstanceName;SALES;IsClustered;No;Version;16.0.1000.6;tcp;51234;;";
	uint8_t data[3 + sizeof(text)] = {5, sizeof(text) - 1};

	memcpy(data + 3, text, sizeof(text));
	datagram(ts_ns, end_of(SERVER, SSRP_PORT), end_of(CLIENT, 50000), data,
		 3 + sizeof(text) - 1);
}

UNIT_CASE(an_answer_names_a_port)
{
	struct endpoint client = end_of(CLIENT, 50001), server = end_of(SERVER, 51234);
	struct lookup lookup = {0};

	begin();
	CHECK(browser_serves(&t.browser, server.addr, 1433));
	CHECK(!browser_serves(&t.browser, server.addr, 51234));
	ask(NS_PER_S);
	answer(NS_PER_S + 300);
	CHECK(browser_serves(&t.browser, server.addr, 51234));
	CHECK(!browser_serves(&t.browser, client.addr, 51234));
	CHECK(port_set_has(&t.watched, 51234));
	CHECK(browser_connected(&t.browser, &client, &server, 0, NS_PER_S + 500, &lookup));
	CHECK(lookup.seen);
	CHECK_INT(lookup.ns, 300);
	CHECK(!browser_connected(&t.browser, &client, &server, 0, NS_PER_S + 600, &lookup));
	browser_tick(&t.browser, 100 * NS_PER_S, true);
	CHECK_INT(t.unanswered_count, 0);
	CHECK_INT(t.browser.counts.questions, 1);
}

UNIT_CASE(nobody_answers)
{
	begin();
	ask(NS_PER_S);
	ask(2 * NS_PER_S);
	browser_tick(&t.browser, 6 * NS_PER_S, false);
	CHECK_INT(t.unanswered_count, 0);
	browser_tick(&t.browser, 7 * NS_PER_S, false);
	CHECK_INT(t.unanswered_count, 1);
	CHECK_INT(t.unanswered.questions, 2);
	CHECK_INT(t.unanswered.waited_ns, 6 * NS_PER_S);
	browser_tick(&t.browser, 8 * NS_PER_S, true);
	CHECK_INT(t.unanswered_count, 1);
	CHECK_INT(t.browser.counts.unanswered, 1);
}

UNIT_CASE(a_server_routes_its_client)
{
	begin();
	browser_routed(&t.browser, 1433);
	CHECK(!port_set_has(&t.watched, 1433)); /* it is watched by configuration */
	browser_routed(&t.browser, 11001);
	CHECK(port_set_has(&t.watched, 11001));
	CHECK(browser_watches(&t.browser, end_of(SERVER, 0).addr, 11001));
	CHECK(!browser_serves(&t.browser, end_of(SERVER, 0).addr, 11001));
}

UNIT_CASE(no_message_of_the_protocol)
{
	begin();
	datagram(NS_PER_S, end_of(CLIENT, 50000), end_of(SERVER, SSRP_PORT), "\x7fx", 2);
	datagram(NS_PER_S, end_of(SERVER, SSRP_PORT), end_of(CLIENT, 50000), "\x7fx", 2);
	CHECK_INT(t.browser.counts.malformed, 2);
	CHECK_INT(t.browser.counts.questions, 0);
}

int main(void)
{
	RUN(an_answer_names_a_port);
	RUN(nobody_answers);
	RUN(a_server_routes_its_client);
	RUN(no_message_of_the_protocol);
	return unit_status();
}
