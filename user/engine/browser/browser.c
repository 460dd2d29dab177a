// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * browser.c - see browser.h.
 */
#include <string.h>
#include <strings.h>

#include "engine/browser/browser.h"
#include "lib/ip_addr.h"
#include "lib/units.h"

/*
 * Clients ask again after one second (SqlClient, FreeTDS) or two (tedious). They connect as soon as
 * they get an answer.
 */
#define ANSWER_NS (5 * NS_PER_S)  /* an answer comes, or a client asks again, within this time */
#define FOLLOW_NS (5 * NS_PER_S)  /* and the client connects within this time after that */
#define AGAIN_NS  (NS_PER_S / 2)  /* from another port and sooner: another client */
#define COPY_NS	  (NS_PER_S / 10) /* from the same port and sooner: the same datagram */

static void port_changed(void *ctx, uint16_t port, bool serves)
{
	struct browser *b = ctx;

	if (b->ops.port && (serves || !routed_has(&b->routed, port)))
		b->ops.port(b->ctx, port, serves);
}

void browser_init(struct browser *b, const struct port_set *ports, uint64_t seed,
		  const struct browser_ops *ops, void *ctx)
{
	b->ports = ports;
	b->ops = *ops;
	b->ctx = ctx;
	instances_init(&b->instances, seed, port_changed, b);
}

bool browser_serves(const struct browser *b, const uint8_t addr[16], uint16_t port)
{
	return port_set_has(b->ports, port) || instance_find(&b->instances, addr, port);
}

bool browser_watches(const struct browser *b, const uint8_t addr[16], uint16_t port)
{
	return browser_serves(b, addr, port) || routed_has(&b->routed, port);
}

void browser_routed(struct browser *b, uint16_t port)
{
	uint16_t out;

	if (port_set_has(b->ports, port))
		return;
	out = routed_learn(&b->routed, port);
	if (!b->ops.port)
		return;
	b->ops.port(b->ctx, port, true);
	if (out && !port_set_has(&b->instances.ports, out))
		b->ops.port(b->ctx, out, false);
}

/*
 * Is it broadcast or multicast? IPv4 is in ::ffff:0:0/96. A directed broadcast is recognised in its
 * usual form only.
 */
static bool to_everybody(const uint8_t addr[16])
{
	if (!ip_is_v4(addr))
		return addr[0] == 0xff;
	return addr[12] >> 4 == 0xe || addr[15] == 0xff;
}

/* age: 0 is the newest question. NULL: no question is so old. */
static struct question *question_at(struct browser *b, uint32_t age)
{
	struct question *q =
		&b->questions[(b->next + BROWSER_QUESTIONS - 1 - age) % BROWSER_QUESTIONS];

	return q->first_ns ? q : NULL;
}

static bool same_addr(const uint8_t a[16], const uint8_t b[16])
{
	return !memcmp(a, b, 16);
}

static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static bool question_open(const struct question *q)
{
	return !q->answer_ns && !q->done;
}

/* The same question, if the client asked it before and got no answer yet. */
static struct question *question_again(struct browser *b, const struct seg *seg,
				       const struct ssrp_question *asked)
{
	struct question *q;

	for (uint32_t age = 0; age < BROWSER_QUESTIONS && (q = question_at(b, age)); age++) {
		uint64_t ns = since(q->last_ns, seg->ts_ns);

		if (!same_addr(q->client.addr, seg->saddr) || !same_addr(q->server, seg->daddr) ||
		    q->tunnel != seg->tunnel || q->kind != asked->kind ||
		    strcasecmp(q->name, asked->name))
			continue;
		if (q->client.port == seg->sport && ns < COPY_NS)
			return q;
		if (question_open(q) && ns < ANSWER_NS &&
		    (q->client.port == seg->sport || ns >= AGAIN_NS))
			return q;
	}
	return NULL;
}

static void question_add(struct browser *b, const struct seg *seg,
			 const struct ssrp_question *asked)
{
	struct question *q = &b->questions[b->next];

	if (q->first_ns && question_open(q)) {
		b->counts.evicted++;
		b->open--;
	}
	b->next = (b->next + 1) % BROWSER_QUESTIONS;
	b->open++;
	*q = (struct question){.first_ns = seg->ts_ns ? seg->ts_ns : 1,
			       .tunnel = seg->tunnel,
			       .kind = (uint8_t)asked->kind};
	q->last_ns = q->first_ns;
	memcpy(q->client.addr, seg->saddr, 16);
	q->client.port = seg->sport;
	memcpy(q->server, seg->daddr, 16);
	strcpy(q->name, asked->name);
	b->counts.questions++;
}

static void question(struct browser *b, const struct seg *seg, const uint8_t *payload)
{
	struct ssrp_question asked;
	struct question *q;

	if (ssrp_question(&asked, payload, seg->cap_len) <= 0) {
		b->counts.malformed++;
		return;
	}
	q = question_again(b, seg, &asked);
	if (!q) {
		question_add(b, seg, &asked);
		return;
	}
	if (since(q->last_ns, seg->ts_ns) < COPY_NS)
		return;
	q->last_ns = seg->ts_ns;
	q->client.port = seg->sport;
	q->retries++;
}

/*
 * The question that an answer belongs to. The client sent it to the answer's sender or to
 * everybody.
 */
static struct question *question_of(struct browser *b, const struct seg *seg)
{
	struct question *q;

	for (uint32_t age = 0; age < BROWSER_QUESTIONS && (q = question_at(b, age)); age++)
		if (q->client.port == seg->dport && same_addr(q->client.addr, seg->daddr) &&
		    (same_addr(q->server, seg->saddr) || to_everybody(q->server)) &&
		    q->tunnel == seg->tunnel && since(q->last_ns, seg->ts_ns) < ANSWER_NS)
			return q;
	return NULL;
}

static void answered(struct browser *b, struct question *q, uint64_t ts_ns)
{
	if (q->answer_ns)
		return;
	if (question_open(q))
		b->open--;
	q->answer_ns = ts_ns ? ts_ns : 1;
}

/* Learn one port of the server that sent the answer. q: the question that it answers, or NULL. */
static void teach(struct browser *b, const struct seg *seg, struct question *q, const char *name,
		  uint16_t port, bool dac)
{
	struct endpoint server = {.port = port};

	if (!port)
		return;
	memcpy(server.addr, seg->saddr, sizeof(server.addr));
	instance_learn(&b->instances, &server, name, dac, q ? INSTANCE_ASKED : INSTANCE_UNASKED);
	if (q && (dac || (q->kind == SSRP_INSTANCE && !strcasecmp(q->name, name))))
		q->port = port;
}

static void answer(struct browser *b, const struct seg *seg, const uint8_t *payload)
{
	struct question *q = question_of(b, seg);
	struct ssrp_instance i;
	struct ssrp_answer a;

	if (ssrp_answer(&a, payload, seg->cap_len) <= 0) {
		b->counts.malformed++;
		return;
	}
	b->counts.cut += a.cut;
	if (a.dac_port)
		teach(b, seg, q, q && q->kind == SSRP_DAC ? q->name : "", a.dac_port, true);
	for (int n = 0; n < BROWSER_INSTANCES && ssrp_instance(&a, &i); n++)
		teach(b, seg, q, i.name, i.port, false);
	if (q)
		answered(b, q, seg->ts_ns);
}

void browser_datagram(struct browser *b, const struct seg *seg, const uint8_t *payload)
{
	if (seg->sport == SSRP_PORT)
		answer(b, seg, payload);
	else
		question(b, seg, payload);
}

/* May the connection be the one that the client asked the question for? */
static bool question_leads(const struct browser *b, const struct question *q,
			   const struct endpoint *client, const struct endpoint *server,
			   uint32_t tunnel, uint64_t ts_ns)
{
	uint64_t last_ns = q->answer_ns ? q->answer_ns : q->last_ns;

	if (q->done || last_ns > ts_ns || ts_ns - last_ns > FOLLOW_NS ||
	    !same_addr(q->client.addr, client->addr) || !same_addr(q->server, server->addr) ||
	    q->tunnel != tunnel)
		return false;
	if (q->kind == SSRP_INSTANCE || q->kind == SSRP_DAC)
		return !q->answer_ns || q->port == server->port;
	/* tedious and jTDS ask one host for its instances with the message for everybody */
	return !q->answer_ns || instance_find(&b->instances, server->addr, server->port);
}

bool browser_connected(struct browser *b, const struct endpoint *client,
		       const struct endpoint *server, uint32_t tunnel, uint64_t ts_ns,
		       struct lookup *lookup)
{
	struct question *q, *found = NULL;

	instance_use(&b->instances, server->addr, server->port);
	for (uint32_t age = 0; age < BROWSER_QUESTIONS && (q = question_at(b, age)); age++)
		if (question_leads(b, q, client, server, tunnel, ts_ns) &&
		    (!found || (q->answer_ns && !found->answer_ns)))
			found = q;
	if (!found || !lookup)
		return false;
	if (question_open(found))
		b->open--;
	found->done = true;
	*lookup = (struct lookup){
		.seen = true,
		.ns = found->answer_ns ? since(found->first_ns, found->answer_ns) : NO_NS,
		.waited_ns = since(found->first_ns, found->answer_ns ? found->answer_ns : ts_ns),
		.retries = found->retries,
	};
	return true;
}

static void report_unanswered(struct browser *b, struct question *q, uint64_t now_ns)
{
	struct browser_record r = {.time_ns = q->first_ns,
				   .client = q->client,
				   .server = {.port = SSRP_PORT},
				   .tunnel = q->tunnel,
				   .instance = *q->name ? q->name : NULL,
				   .questions = q->retries + 1,
				   .waited_ns = since(q->first_ns, now_ns)};

	memcpy(r.server.addr, q->server, sizeof(r.server.addr));
	q->done = true;
	b->open--;
	if (to_everybody(q->server))
		return; /* no particular server had to answer */
	b->counts.unanswered++;
	if (b->ops.unanswered)
		b->ops.unanswered(b->ctx, &r);
}

void browser_tick(struct browser *b, uint64_t now_ns, bool ended)
{
	struct question *q;

	/* Oldest first, in the order in which clients asked. */
	for (uint32_t n = 0; b->open && n < BROWSER_QUESTIONS; n++) {
		q = &b->questions[(b->next + n) % BROWSER_QUESTIONS];
		if (q->first_ns && question_open(q) &&
		    (ended || since(q->last_ns, now_ns) >= ANSWER_NS))
			report_unanswered(b, q, now_ns);
	}
}
