// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * program_families.c - the metrics of the whole program.
 */
#include <stddef.h>
#include <stdio.h>

#include "sink/prometheus/prometheus_int.h"

static void put_client(struct page *p, const char *name, const struct top_client *c)
{
	for (int o = 0; o < OUTCOME_COUNT; o++) {
		const struct exposition_label labels[] = {{"client", name},
							  {"outcome", outcome_name(o)}};

		if (c->outcomes[o])
			exposition_count(&p->expo, labels, 2, c->outcomes[o]);
	}
}

static void put_client_seconds(struct page *p, const char *name, const struct top_client *c)
{
	exposition_seconds(&p->expo, &LABEL("client", name), 1, c->total_ns);
}

/* Call put for each client that is shown, and for all others as one. */
static void each_client(struct page *p,
			void (*put)(struct page *p, const char *name, const struct top_client *c))
{
	const struct top_clients *top = p->sink->top;
	char addr[SINK_ADDR_MAX];

	for (size_t i = 0; i < top->count; i++)
		if (top->clients[i].shown)
			put(p, sink_addr(top->clients[i].addr, addr), &top->clients[i]);
	if (top->shown_max)
		put(p, "other", &top->other);
}

void program_put_clients(struct page *p)
{
	each_client(p, put_client);
}

void program_put_clients_seconds(struct page *p)
{
	each_client(p, put_client_seconds);
}

void program_put_connections(struct page *p)
{
	static const char *const states[] = {"login", "session", "over"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		exposition_count(&p->expo, &LABEL("state", states[i]), 1, p->facts->connections[i]);
}

/* The labels of a kind and peer. */
static void dependency_labels(const struct dependency_total *d, char peer[SINK_ENDPOINT_MAX],
			      struct exposition_label labels[2])
{
	labels[0] = LABEL("kind", dependency_kind_name(d->kind));
	labels[1] = LABEL("peer", d->is_rest ? "other" : sink_endpoint(&d->peer, peer));
}

/* Put one of a total's numbers, at that offset, of each kind and peer. */
static void put_dependencies(struct page *p, size_t offset,
			     void (*put)(struct exposition *e,
					 const struct exposition_label *labels, size_t count,
					 uint64_t value))
{
	struct exposition_label labels[2];
	char peer[SINK_ENDPOINT_MAX];

	for (size_t i = 0; i < p->facts->dependency_count; i++) {
		const struct dependency_total *d = &p->facts->dependencies[i];

		dependency_labels(d, peer, labels);
		put(&p->expo, labels, 2, *(const uint64_t *)((const char *)d + offset));
	}
}

void program_put_dependency_requests(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, requests), exposition_count);
}

void program_put_dependency_failures(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, failures), exposition_count);
}

void program_put_dependency_seconds(struct page *p)
{
	put_dependencies(p, offsetof(struct dependency_total, ns), exposition_seconds);
}

static void put_queue(struct page *p, const struct prometheus_queue *q, uint64_t value)
{
	char port[8];

	snprintf(port, sizeof(port), "%u", q->port);
	exposition_count(&p->expo, &LABEL("port", port), 1, value);
}

void program_put_queue_lengths(struct page *p)
{
	for (size_t i = 0; i < p->facts->queue_count; i++)
		put_queue(p, &p->facts->queues[i], p->facts->queues[i].length);
}

void program_put_queue_limits(struct page *p)
{
	for (size_t i = 0; i < p->facts->queue_count; i++)
		put_queue(p, &p->facts->queues[i], p->facts->queues[i].limit);
}

static uint64_t dependencies_folded(const struct prometheus_facts *facts)
{
	uint64_t folded = 0;

	for (size_t i = 0; i < facts->dependency_count; i++)
		folded += facts->dependencies[i].is_rest ? facts->dependencies[i].requests : 0;
	return folded;
}

void program_put_folded(struct page *p)
{
	const struct servers *s = &p->sink->servers;

	exposition_count(&p->expo, &LABEL("label", "server"), 1, s->folded);
	exposition_count(&p->expo, &LABEL("label", "driver"), 1, s->drivers.folded);
	exposition_count(&p->expo, &LABEL("label", "error"), 1, s->errors.folded);
	exposition_count(&p->expo, &LABEL("label", "peer"), 1, dependencies_folded(p->facts));
}

void program_put_build(struct page *p)
{
	exposition_count(&p->expo, &LABEL("version", TDSMON_VERSION), 1, 1);
}
