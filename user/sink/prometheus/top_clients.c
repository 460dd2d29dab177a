// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * top_clients.c - the clients with the most logins, by the space-saving algorithm (Metwally,
 * Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005).
 * The clients that are shown rarely change, because each change is a new time series in Prometheus.
 */
#include <stdlib.h>
#include <string.h>

#include "sink/sink.h"
#include "sink/prometheus/top_clients.h"
#include "lib/units.h"

#define RANK_NS	 (60 * NS_PER_S)
#define RANK_FOR 2 /* a client takes another's place if it is so many times as heavy */

struct top_clients *top_clients_new(size_t shown)
{
	struct top_clients *top =
		calloc(1, sizeof(*top) + shown * TOP_CLIENTS_WATCHED * sizeof(top->clients[0]));

	if (!top)
		return NULL;
	top->shown_max = shown;
	top->max = shown * TOP_CLIENTS_WATCHED;
	return top;
}

void top_clients_free(struct top_clients *top)
{
	free(top);
}

/* The lightest client of those shown, or of those not shown; NULL: there are no such clients. */
static struct top_client *lightest_client(struct top_clients *top, bool shown)
{
	struct top_client *found = NULL;

	for (size_t i = 0; i < top->count; i++) {
		struct top_client *c = &top->clients[i];

		if (c->shown == shown && (!found || c->weight < found->weight))
			found = c;
	}
	return found;
}

/* Of those not shown, the heaviest by its guaranteed weight. */
static struct top_client *heaviest_candidate(struct top_clients *top)
{
	struct top_client *found = NULL;

	for (size_t i = 0; i < top->count; i++) {
		struct top_client *c = &top->clients[i];

		if (!c->shown && (!found || c->weight - c->excess > found->weight - found->excess))
			found = c;
	}
	return found;
}

static void show_client(struct top_clients *top, struct top_client *c)
{
	c->shown = true;
	memset(c->outcomes, 0, sizeof(c->outcomes));
	c->total_ns = 0;
	top->shown++;
}

static void hide_client(struct top_clients *top, struct top_client *c)
{
	c->shown = false;
	top->shown--;
}

/* Once a minute: show heavier clients in place of the lightest shown, and halve all weights. */
static void rank_clients(struct top_clients *top)
{
	for (size_t i = 0; i < top->shown_max; i++) {
		struct top_client *last = lightest_client(top, true),
				  *next = heaviest_candidate(top);

		if (!last || !next || next->weight - next->excess <= RANK_FOR * last->weight)
			break;
		hide_client(top, last);
		show_client(top, next);
	}
	for (size_t i = 0; i < top->count; i++) {
		top->clients[i].weight /= 2;
		top->clients[i].excess /= 2;
	}
}

static struct top_client *client_for(struct top_clients *top, const uint8_t addr[16])
{
	struct top_client *c;
	uint64_t weight;

	for (size_t i = 0; i < top->count; i++)
		if (!memcmp(top->clients[i].addr, addr, sizeof(top->clients[i].addr)))
			return &top->clients[i];
	if (top->count < top->max) {
		c = &top->clients[top->count++];
	} else {
		c = lightest_client(top, false);
		weight = c->weight;
		*c = (struct top_client){.weight = weight, .excess = weight};
	}
	memcpy(c->addr, addr, sizeof(c->addr));
	if (top->shown < top->shown_max)
		show_client(top, c);
	return c;
}

void top_clients_login(struct top_clients *top, const struct login_record *rec)
{
	struct top_client *c;

	if (!top->shown_max)
		return;
	if (rec->end_ns - top->ranked_ns >= RANK_NS) {
		rank_clients(top);
		top->ranked_ns = rec->end_ns;
	}
	c = client_for(top, rec->client.addr);
	c->weight++;
	if (!c->shown)
		c = &top->other;
	c->outcomes[rec->outcome]++;
	if (sink_timed(rec) && rec->total_ns != NO_NS)
		c->total_ns += rec->total_ns;
}
