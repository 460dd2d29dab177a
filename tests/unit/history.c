// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * history.c - what one login's verdict learns from others: within a time, from the same client, and
 * as many as are remembered.
 */
#include "engine/verdict/attempts.h"
#include "engine/verdict/recent.h"
#include "unit.h"

#define S 1000000000ull

static struct history h;

static struct endpoint at(uint8_t host, uint16_t port)
{
	return (struct endpoint){{[10] = 0xff, 0xff, 10, 0, 0, host}, port};
}

static void begin(void)
{
	memset(&h, 0, sizeof(h));
}

UNIT_CASE(parallel_attempts)
{
	struct endpoint client = at(1, 50000), other = at(1, 50001), a = at(10, 1433),
			b = at(11, 1433);

	begin();
	history_attempted(&h, &client, &a, 100 * S);
	CHECK(!history_parallel(&h, &client, &a, 100 * S, S)); /* the same server */
	history_attempted(&h, &other, &b, 100 * S + S / 2);
	CHECK(history_parallel(&h, &client, &a, 100 * S, S));
	CHECK(!history_parallel(&h, &client, &a, 102 * S, S));
	CHECK(!attempts_winner(&h, &client, &a, 100 * S));
	history_answered(&h, &other, &b, 100 * S + S / 2 + 1, false);
	history_logged_in(&h, &other, &b);
	CHECK_INT(attempts_winner(&h, &client, &a, 100 * S)->server.addr[15], 11);
	/* It was not given up: its SYN was repeated after the other one succeeded. */
	history_attempted_again(&h, &client, &a, 101 * S);
	CHECK(!attempts_winner(&h, &client, &a, 100 * S));
	/* Another client's do not count. */
	client = at(2, 50000);
	CHECK(!history_parallel(&h, &client, &a, 100 * S, S));
}

UNIT_CASE(failures_within_the_time)
{
	struct endpoint client = at(1, 1), other = at(2, 1);

	begin();
	for (int i = 0; i < 300; i++)
		history_failed(&h, &client, 100 * S + i);
	history_failed(&h, &other, 101 * S);
	CHECK_INT(history_failures(&h, &client, 110 * S, 60 * S), 255); /* one was evicted */
	CHECK_INT(history_failures(&h, &other, 110 * S, 60 * S), 1);
	CHECK_INT(history_failures(&h, &client, 170 * S, 60 * S), 0);
	CHECK_INT(history_failures(&h, &client, 99 * S, 60 * S), 0); /* later ones */
}

UNIT_CASE(targets_and_beginnings)
{
	struct endpoint client = at(1, 1), other = at(2, 1), server;

	begin();
	for (int i = 0; i < 20; i++) {
		server = at((uint8_t)(100 + i % 10), 1433);
		history_idled(&h, &client, &server, 100 * S + i, i % 2 ? (uint32_t)(i % 4) : 0);
	}
	CHECK_INT(history_targets(&h, &client, 110 * S, 60 * S), 10);
	/* 1 and 3; 0 does not count */
	CHECK_INT(history_beginnings(&h, &client, 110 * S, 60 * S), 2);
	CHECK_INT(history_targets(&h, &other, 110 * S, 60 * S), 0);
	CHECK_INT(history_targets(&h, &client, 161 * S, 60 * S), 0);
}

UNIT_CASE(redirects)
{
	struct endpoint first = at(1, 50000), second = at(1, 50001), gateway = at(10, 1433),
			node = at(11, 11000);
	const struct history_redirect *r;

	begin();
	history_redirected(&h, &first, &gateway, 100 * S, 11000);
	history_redirected(&h, &second, &gateway, 101 * S, 11000);
	r = history_redirect(&h, &second, &gateway);
	CHECK_INT(r->at_ns, 101 * S);
	CHECK_INT(r->followed_ns, 0);
	/* One connection follows each redirect, the oldest of that client to that port. */
	history_attempted(&h, &first, &gateway, 102 * S);
	CHECK_INT(history_redirect(&h, &first, &gateway)->followed_ns, 0);
	history_attempted(&h, &first, &node, 102 * S);
	CHECK_INT(history_redirect(&h, &first, &gateway)->followed_ns, 102 * S);
	CHECK_INT(history_redirect(&h, &second, &gateway)->followed_ns, 0);
	CHECK_INT(history_sent_by(&h, &first, &node, 102 * S)->addr[15], 10);
	CHECK(!history_sent_by(&h, &first, &gateway, 102 * S));
	/* Its next login there follows no redirect. */
	CHECK(!history_sent_by(&h, &first, &node, 103 * S));
	/* Too late to follow the other one. */
	history_attempted(&h, &second, &node, 107 * S);
	CHECK_INT(history_redirect(&h, &second, &gateway)->followed_ns, 0);
	CHECK(!history_redirect(&h, &node, &gateway));
}

UNIT_CASE(a_client_that_knew_the_target)
{
	struct endpoint client = at(1, 50000), gateway = at(10, 1433), node = at(11, 11000);

	begin();
	history_attempted(&h, &client, &node, 90 * S);
	history_logged_in(&h, &client, &node);
	history_redirected(&h, &client, &gateway, 100 * S, 11000);
	history_attempted(&h, &client, &node, 101 * S);
	CHECK(!history_sent_by(&h, &client, &node, 101 * S)); /* it may have come by itself */
}

int main(void)
{
	RUN(parallel_attempts);
	RUN(failures_within_the_time);
	RUN(targets_and_beginnings);
	RUN(redirects);
	RUN(a_client_that_knew_the_target);
	return unit_status();
}
