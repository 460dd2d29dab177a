// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * instance.c - the table of instances: which entry replaces another, is trusted more, or is
 * evicted.
 */
#include <stdlib.h>

#include "engine/browser/instance.h"
#include "unit.h"

static struct instances table;
/* by port: how often it began to be watched, minus how often that ended */
static int32_t watched[65536];

static void on_port(void *ctx, uint16_t port, bool serves)
{
	CHECK(ctx == &table);
	watched[port] += serves ? 1 : -1;
	CHECK(watched[port] == serves);
}

static void begin(void)
{
	memset(watched, 0, sizeof(watched));
	instances_init(&table, 1433, on_port, &table);
}

static struct endpoint server(uint32_t host, uint16_t port)
{
	return (struct endpoint){.addr = {[10] = 0xff,
					  0xff,
					  10,
					  (uint8_t)(host >> 16),
					  (uint8_t)(host >> 8),
					  (uint8_t)host},
				 .port = port};
}

static void learn(uint32_t host, uint16_t port, const char *name, enum instance_trust trust)
{
	struct endpoint at = server(host, port);

	instance_learn(&table, &at, name, false, trust);
}

static void learn_dac(uint32_t host, uint16_t port, const char *name)
{
	struct endpoint at = server(host, port);

	instance_learn(&table, &at, name, true, INSTANCE_ASKED);
}

/* The name at a server's port; "-": no instance is known there. */
static const char *name_at(uint32_t host, uint16_t port)
{
	struct endpoint at = server(host, port);
	const struct instance *i = instance_find(&table, at.addr, port);

	return i ? i->name : "-";
}

UNIT_CASE(each_server_by_itself)
{
	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	learn(2, 50002, "B", INSTANCE_ASKED);
	CHECK_STR(name_at(1, 50001), "A");
	CHECK_STR(name_at(2, 50002), "B");
	CHECK_STR(name_at(1, 50002), "-");
	CHECK_STR(name_at(2, 50001), "-");
	CHECK_STR(name_at(1, 1433), "-");
	CHECK_INT(table.count, 2);
	CHECK(watched[50001] && watched[50002] && !watched[1433]);
}

UNIT_CASE(same_again)
{
	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	learn(1, 50001, "a", INSTANCE_ASKED);
	learn(1, 50001, "A", INSTANCE_UNASKED);
	CHECK_STR(name_at(1, 50001), "A");
	CHECK_INT(table.count, 1);
}

/* An instance that was restarted has another port, and another one may have its old port. */
UNIT_CASE(contradiction)
{
	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	learn(2, 50001, "A", INSTANCE_ASKED);
	learn(1, 50002, "a", INSTANCE_ASKED);
	CHECK_STR(name_at(1, 50001), "-");
	CHECK_STR(name_at(1, 50002), "a");
	CHECK_STR(name_at(2, 50001), "A");
	CHECK(watched[50001]); /* the other server's */
	learn(2, 50001, "B", INSTANCE_ASKED);
	CHECK_STR(name_at(2, 50001), "B");
	CHECK_INT(table.count, 2);
	learn(2, 50003, "B", INSTANCE_ASKED);
	CHECK(!watched[50001]);
	CHECK(watched[50003]);
}

UNIT_CASE(administrators_port)
{
	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	learn_dac(1, 50009, "A");
	CHECK_STR(name_at(1, 50001), "A");
	CHECK_STR(name_at(1, 50009), "A");
	learn_dac(1, 50009, ""); /* its instance was not seen this time */
	CHECK_STR(name_at(1, 50009), "A");
	learn_dac(1, 50008, "A");
	CHECK_STR(name_at(1, 50009), "-");
	CHECK_STR(name_at(1, 50001), "A");
	learn_dac(1, 50007, "");
	learn_dac(1, 50006, "");
	CHECK_STR(name_at(1, 50007), "");
	CHECK_STR(name_at(1, 50006), "");
}

UNIT_CASE(trust)
{
	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	learn(1, 50001, "X", INSTANCE_UNASKED); /* neither the name */
	learn(1, 50002, "A", INSTANCE_UNASKED); /* nor the port is changed */
	CHECK_STR(name_at(1, 50001), "A");
	CHECK_STR(name_at(1, 50002), "-");
	learn(1, 50003, "C", INSTANCE_UNASKED);
	CHECK_STR(name_at(1, 50003), "C");
	learn(1, 50004, "C", INSTANCE_ASKED);
	CHECK_STR(name_at(1, 50003), "-");
	CHECK_STR(name_at(1, 50004), "C");
	CHECK_INT(table.count, 2);
	learn(1, 50005, "D", INSTANCE_UNASKED);
	learn(1, 50005, "D", INSTANCE_ASKED); /* confirmed */
	learn(1, 50005, "E", INSTANCE_UNASKED);
	CHECK_STR(name_at(1, 50005), "D");
	CHECK_INT(watched[50005], 1);
}

UNIT_CASE(the_oldest_makes_room)
{
	begin();
	for (uint32_t i = 0; i < 1024; i++)
		learn(i, 50001, "A", INSTANCE_ASKED);
	CHECK_INT(table.evicted, 0);
	instance_use(&table, server(0, 50001).addr, 50001);
	learn(2000, 50002, "A", INSTANCE_ASKED);
	CHECK_INT(table.evicted, 1);
	CHECK_INT(table.count, 1024);
	CHECK_STR(name_at(0, 50001), "A");
	CHECK_STR(name_at(1, 50001), "-");
	CHECK_STR(name_at(2, 50001), "A");
	CHECK_STR(name_at(2000, 50002), "A");
}

/* However many responses nobody asked for: requested ones stay, and ports are released. */
UNIT_CASE(flood)
{
	uint32_t ports = 0;

	begin();
	learn(1, 50001, "A", INSTANCE_ASKED);
	for (uint32_t i = 0; i < 60000; i++)
		learn(100000 + i, (uint16_t)(1 + i), "X", INSTANCE_UNASKED);
	CHECK_STR(name_at(1, 50001), "A");
	CHECK_INT(table.count, 1 + 128);
	CHECK_INT(table.evicted, 60000 - 128);
	for (int port = 0; port < 65536; port++)
		ports += watched[port];
	CHECK_INT(ports, 1 + 128);
}

int main(void)
{
	RUN(each_server_by_itself);
	RUN(same_again);
	RUN(contradiction);
	RUN(administrators_port);
	RUN(trust);
	RUN(the_oldest_makes_room);
	RUN(flood);
	return unit_status();
}
