// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * proxy.c - the PROXY protocol's header before a connection's own bytes: both versions, whole and
 * byte by byte, and bytes that only begin like one.
 */
#include "guard.h"
#include "engine/protocol/proxy_header.h"
#include "unit.h"

#define V1	 "PROXY TCP4 192.0.2.7 10.1.0.2 56324 1433\r\n"
#define V1_IP6	 "PROXY TCP6 2001:db8::7 2001:db8::2 56324 1433\r\n"
#define SIGN	 "\r\n\r\n\0\r\nQUIT\n"
#define V2	 SIGN "\x21\x11\0\x0c\xc0\0\2\7\x0a\1\0\2\xdc\4\5\x99"
#define V2_TLV	 SIGN "\x21\x11\0\x13\xc0\0\2\7\x0a\1\0\2\xdc\4\5\x99\4\0\4abcd"
#define V2_LOCAL SIGN "\x20\0\0\0"
#define AFTER	 "\x12\1\0\x2f"

static const uint8_t ip4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 7};

/* Feed everything in pieces of n bytes. Returns how many of them belong to the header. */
static uint32_t feed(struct proxy *p, const char *data, uint32_t len, uint32_t n)
{
	uint32_t used = 0, at, part, took;

	*p = (struct proxy){0};
	for (at = 0; at < len && p->state != PROXY_OVER; at += part) {
		part = len - at < n ? len - at : n;
		took = proxy_feed(p, guarded(data + at, part), part);
		used += took;
		CHECK(took == part || p->state == PROXY_OVER);
	}
	return used;
}

#define FEED(p, text, n) feed(p, text, sizeof(text) - 1, n)

static void check_ip4(const struct proxy *p)
{
	CHECK(p->seen && p->has_client);
	CHECK(!memcmp(p->client.addr, ip4, 16));
	CHECK_INT(p->client.port, 56324);
}

UNIT_CASE(version_1)
{
	struct proxy p;

	for (uint32_t n = 1; n < 60; n++) {
		CHECK_INT(FEED(&p, V1 AFTER, n), 42);
		check_ip4(&p);
	}
	CHECK_INT(FEED(&p, V1_IP6 AFTER, 7), 47);
	CHECK(p.has_client && p.client.addr[0] == 0x20 && p.client.addr[1] == 1 &&
	      p.client.addr[15] == 7);
}

UNIT_CASE(version_1_that_names_nobody)
{
	struct proxy p;

	CHECK_INT(FEED(&p, "PROXY UNKNOWN\r\n" AFTER, 100), 15);
	CHECK(p.seen && !p.has_client);
	CHECK_INT(FEED(&p, "PROXY TCP4 192.0.2.700 10.1.0.2 56324 1433\r\n" AFTER, 100), 44);
	CHECK(p.seen && !p.has_client);
	CHECK_INT(FEED(&p, "PROXY TCP4 192.0.2.7 10.1.0.2 66666 1433\r\n" AFTER, 100), 42);
	CHECK(p.seen && !p.has_client);
}

UNIT_CASE(version_2)
{
	struct proxy p;

	for (uint32_t n = 1; n < 60; n++) {
		CHECK_INT(FEED(&p, V2 AFTER, n), 28);
		check_ip4(&p);
		CHECK_INT(FEED(&p, V2_TLV AFTER, n), 35);
		check_ip4(&p);
	}
	CHECK_INT(FEED(&p, V2_LOCAL AFTER, 5), 16);
	CHECK(p.seen && !p.has_client);
}

/* The largest one possible: skipped, held in part. */
UNIT_CASE(version_2_of_the_largest_length)
{
	static char header[16 + 65535 + 4];
	struct proxy p;

	memcpy(header, SIGN "\x21\x11\xff\xff\xc0\0\2\7\x0a\1\0\2\xdc\4\5\x99", 28);
	CHECK_INT(feed(&p, header, sizeof(header), 1460), 16 + 65535);
	check_ip4(&p);
}

UNIT_CASE(what_is_none_is_given_back)
{
	struct proxy p;

	CHECK_INT(FEED(&p, AFTER, 100), 0);
	CHECK(p.state == PROXY_OVER && !p.seen && !p.have);
	CHECK_INT(FEED(&p, "PRI * HTTP/2.0\r\n", 100), 3);
	CHECK(p.state == PROXY_OVER && !p.seen);
	CHECK_INT(p.have, 3);
	CHECK(!memcmp(p.held, "PRI", 3));
	CHECK_INT(FEED(&p, "\r\n\r\nGET", 1), 5);
	CHECK(p.state == PROXY_OVER && !p.seen);
	/* A future version 3, and a line without an end. */
	CHECK_INT(FEED(&p, SIGN "\x31\x11", 100), 13);
	CHECK(p.state == PROXY_OVER && !p.seen);
	feed(&p,
	     "PROXY TCP4 00000000000000000000000000000000000000000000000000000000000000000000"
	     "000000000000000000000000000000000000000000000000000000000000",
	     140, 140);
	CHECK(p.state == PROXY_OVER && !p.seen);
	CHECK_INT(p.have, 107);
}

UNIT_CASE(half_a_header_waits)
{
	struct proxy p;

	CHECK_INT(FEED(&p, "PROXY TCP4 192", 3), 14);
	CHECK_INT(p.state, PROXY_HEADER);
	CHECK_INT(p.have, 14);
	CHECK_INT(feed(&p, V2_TLV, 30, 4), 30);
	CHECK_INT(p.state, PROXY_HEADER);
	CHECK_INT(p.have, 30);
}

int main(void)
{
	RUN(version_1);
	RUN(version_1_that_names_nobody);
	RUN(version_2);
	RUN(version_2_of_the_largest_length);
	RUN(what_is_none_is_given_back);
	RUN(half_a_header_waits);
	return unit_status();
}
