// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * top_clients.c - the clients that log in most, by the space-saving algorithm (Metwally, Agrawal, El
 * Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005). Who is shown
 * changes seldom: each change is a new time series in Prometheus.
 */
#include <stdlib.h>
#include <string.h>

#include "sink/sink.h"
#include "sink/prometheus/top_clients.h"

#define RANK_NS	 60000000000ull
#define RANK_FOR 2 /* so many times as heavy must be who takes another's place */

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

/* The lightest client that is shown or not; NULL: there is none. */
static struct top_client *lightest(struct top_clients *top, bool shown)
{
	struct top_client *found = NULL;

	for (size_t i = 0; i < top->count; i++) {
		struct top_client *c = &top->clients[i];

		if (c->shown == shown && (!found || c->weight < found->weight))
			found = c;
	}
	return found;
}

/* Of those not shown, the one that is heaviest for sure. */
static struct top_client *candidate(struct top_clients *top)
{
	struct top_client *found = NULL;

	for (size_t i = 0; i < top->count; i++) {
		struct top_client *c = &top->clients[i];

		if (!c->shown && (!found || c->weight - c->excess > found->weight - found->excess))
			found = c;
	}
	return found;
}

static void show(struct top_clients *top, struct top_client *c)
{
	c->shown = true;
	memset(c->outcomes, 0, sizeof(c->outcomes));
	c->total_ns = 0;
	top->shown++;
}

static void hide(struct top_clients *top, struct top_client *c)
{
	c->shown = false;
	top->shown--;
}

/* Once a minute: who deserves it takes the place of who no longer does; the past fades. */
static void rank(struct top_clients *top)
{
	for (size_t i = 0; i < top->shown_max; i++) {
		struct top_client *last = lightest(top, true), *next = candidate(top);

		if (!last || !next || next->weight - next->excess <= RANK_FOR * last->weight)
			break;
		hide(top, last);
		show(top, next);
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
		c = lightest(top, false);
		weight = c->weight;
		*c = (struct top_client){.weight = weight, .excess = weight};
	}
	memcpy(c->addr, addr, sizeof(c->addr));
	if (top->shown < top->shown_max)
		show(top, c);
	return c;
}

void top_clients_login(struct top_clients *top, const struct login_record *rec)
{
	struct top_client *c;

	if (!top->shown_max)
		return;
	if (rec->end_ns - top->ranked_ns >= RANK_NS) {
		rank(top);
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
