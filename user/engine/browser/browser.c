// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * browser.c - see browser.h.
 */
#include <string.h>
#include <strings.h>

#include "engine/browser/browser.h"
#include "engine/login/login.h"
#include "lib/ip_addr.h"

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
	struct engine *e = ctx;

	if (e->ops.port && (serves || !routed_has(&e->browser.routed, port)))
		e->ops.port(e->ctx, port, serves);
}

void browser_init(struct engine *e)
{
	instances_init(&e->browser.instances, e->config.seed[0], port_changed, e);
}

bool browser_serves(const struct engine *e, const uint8_t addr[16], uint16_t port)
{
	return port_set_has(e->config.ports, port) ||
	       instance_find(&e->browser.instances, addr, port);
}

bool browser_watches(const struct engine *e, const uint8_t addr[16], uint16_t port)
{
	return browser_serves(e, addr, port) || routed_has(&e->browser.routed, port);
}

void browser_routed(struct engine *e, uint16_t port)
{
	uint16_t out;

	if (port_set_has(e->config.ports, port))
		return;
	out = routed_learn(&e->browser.routed, port);
	if (!e->ops.port)
		return;
	e->ops.port(e->ctx, port, true);
	if (out && !port_set_has(&e->browser.instances.ports, out))
		e->ops.port(e->ctx, out, false);
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

static void question_add(struct engine *e, const struct seg *seg, const struct ssrp_question *asked)
{
	struct browser *b = &e->browser;
	struct question *q = &b->questions[b->next];

	if (q->first_ns && question_open(q)) {
		e->stats.browser_evicted++;
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
	e->stats.browser_questions++;
}

static void question(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	struct ssrp_question asked;
	struct question *q;

	if (ssrp_question(&asked, payload, seg->cap_len) <= 0) {
		e->stats.browser_malformed++;
		return;
	}
	q = question_again(&e->browser, seg, &asked);
	if (!q) {
		question_add(e, seg, &asked);
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
static void teach(struct engine *e, const struct seg *seg, struct question *q, const char *name,
		  uint16_t port, bool dac)
{
	struct endpoint server = {.port = port};

	if (!port)
		return;
	memcpy(server.addr, seg->saddr, sizeof(server.addr));
	instance_learn(&e->browser.instances, &server, name, dac,
		       q ? INSTANCE_ASKED : INSTANCE_UNASKED);
	if (q && (dac || (q->kind == SSRP_INSTANCE && !strcasecmp(q->name, name))))
		q->port = port;
}

static void answer(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	struct question *q = question_of(&e->browser, seg);
	struct ssrp_instance i;
	struct ssrp_answer a;

	if (ssrp_answer(&a, payload, seg->cap_len) <= 0) {
		e->stats.browser_malformed++;
		return;
	}
	e->stats.browser_cut += a.cut;
	if (a.dac_port)
		teach(e, seg, q, q && q->kind == SSRP_DAC ? q->name : "", a.dac_port, true);
	for (int n = 0; n < BROWSER_INSTANCES && ssrp_instance(&a, &i); n++)
		teach(e, seg, q, i.name, i.port, false);
	e->stats.instances = e->browser.instances.count;
	e->stats.instances_evicted = e->browser.instances.evicted;
	if (q)
		answered(&e->browser, q, seg->ts_ns);
}

void browser_datagram(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	if (seg->sport == SSRP_PORT)
		answer(e, seg, payload);
	else
		question(e, seg, payload);
}

/* May the connection be the one that the client asked the question for? */
static bool question_leads(const struct engine *e, const struct question *q,
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
	return !q->answer_ns || instance_find(&e->browser.instances, server->addr, server->port);
}

void browser_connected(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);
	uint32_t tunnel = flow_tunnel(&e->flows, f);
	struct question *q, *found = NULL;

	instance_use(&e->browser.instances, server.addr, server.port);
	for (uint32_t age = 0; age < BROWSER_QUESTIONS && (q = question_at(&e->browser, age));
	     age++)
		if (question_leads(e, q, &client, &server, tunnel, ts_ns) &&
		    (!found || (q->answer_ns && !found->answer_ns)))
			found = q;
	if (!found || !f->login)
		return;
	if (question_open(found))
		e->browser.open--;
	found->done = true;
	f->login->lookup = (struct lookup){
		.seen = true,
		.ns = found->answer_ns ? since(found->first_ns, found->answer_ns) : NO_NS,
		.waited_ns = since(found->first_ns, found->answer_ns ? found->answer_ns : ts_ns),
		.retries = found->retries,
	};
}

static void unanswered(struct engine *e, struct question *q)
{
	struct browser_record r = {.time_ns = q->first_ns,
				   .client = q->client,
				   .server = {.port = SSRP_PORT},
				   .tunnel = q->tunnel,
				   .instance = *q->name ? q->name : NULL,
				   .questions = q->retries + 1,
				   .waited_ns = since(q->first_ns, e->now_ns)};

	memcpy(r.server.addr, q->server, sizeof(r.server.addr));
	q->done = true;
	e->browser.open--;
	if (to_everybody(q->server))
		return; /* no particular server had to answer */
	e->stats.browser_unanswered++;
	if (e->ops.browser)
		e->ops.browser(e->ctx, &r);
}

void browser_tick(struct engine *e, bool ended)
{
	struct question *q;

	/* Oldest first, in the order in which clients asked. */
	for (uint32_t n = 0; e->browser.open && n < BROWSER_QUESTIONS; n++) {
		q = &e->browser.questions[(e->browser.next + n) % BROWSER_QUESTIONS];
		if (q->first_ns && question_open(q) &&
		    (ended || since(q->last_ns, e->now_ns) >= ANSWER_NS))
			unanswered(e, q);
	}
}
