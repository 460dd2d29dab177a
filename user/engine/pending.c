/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pending.c - see pending.h.
 */
#include "engine/stream/repeats.h"
#include "engine/engine_private.h"
#include "engine/dependency/dependency.h"
#include "engine/dependency/witness.h"
#include "engine/login/login.h"
#include "engine/pending.h"
#include "engine/stream/reassembly.h"
#include "engine/verdict/rule.h"

#define SLOT_NS		(NS_PER_S / 4)
#define LOOK_NS		(5 * NS_PER_S) /* a wait may end and another begin: check this often */
#define PER_S		50	       /* records in a second, ... */
#define HALF_OPEN_PER_S 4 /* ... and of half-open connections: a flood of SYNs makes no more */

static const uint64_t mark_ns[] = {5 * NS_PER_S, 15 * NS_PER_S, 30 * NS_PER_S, 60 * NS_PER_S};

#define MARKS (sizeof(mark_ns) / sizeof(mark_ns[0]))

/* ---- the wheel ---- */

static void wait_unlink(struct wait *w)
{
	w->prev->next = w->next;
	w->next->prev = w->prev;
	w->prev = w->next = NULL;
}

static void wait_link(struct wait *head, struct wait *w)
{
	w->prev = head->prev;
	w->next = head;
	w->prev->next = w;
	head->prev = w;
}

/* Put it in the slot after the one that due_ns is in: it is due when that slot is checked. */
static void wait_until(struct pending *p, struct wait *w, uint64_t due_ns)
{
	uint64_t slot = due_ns / SLOT_NS + 1;

	if (slot <= p->slot)
		slot = p->slot + 1;
	if (slot >= p->slot + PENDING_SLOTS)
		slot = p->slot + PENDING_SLOTS - 1;
	wait_link(&p->slots[slot % PENDING_SLOTS], w);
}

void pending_init(struct pending *p)
{
	for (int i = 0; i < PENDING_SLOTS; i++)
		p->slots[i].prev = p->slots[i].next = &p->slots[i];
}

void pending_add(struct engine *e, struct flow *f)
{
	if (!e->ops.pending)
		return;
	f->login->wait.flow = f;
	wait_until(&e->pending, &f->login->wait, f->first_ns + mark_ns[0]);
}

void pending_remove(struct login *l)
{
	if (l->wait.next)
		wait_unlink(&l->wait);
}

/* ---- what is waited for ---- */

/* The start of the wait: the end of the last message, of the handshake, or the first SYN. */
uint64_t pending_since(const struct flow *f)
{
	const uint64_t *spoke = f->login->spoke_ns;
	uint64_t last =
		spoke[SIDE_CLIENT] > spoke[SIDE_SERVER] ? spoke[SIDE_CLIENT] : spoke[SIDE_SERVER];

	return last ?: f->login->tcp.syn_ns ?: f->first_ns;
}

static bool is_half_open(const struct login *l)
{
	return !l->tcp.ack_ns && !login_joined(l);
}

/*
 * Is a login in progress, as far as known? No if the connection may still be anything: a SYN that
 * was not repeated, the middle of a connection, a port that may not be a server's. Also no if TLS
 * hides an answer that may have been the login's last, and it is the client's turn.
 */
bool pending_is_in_progress(const struct flow *f)
{
	const struct login *l = f->login;

	if (!l || l->state == LOGIN_DECIDED || f->tentative)
		return false;
	if (is_half_open(l))
		return l->tcp.syns > 1;
	if (login_joined(l) && !l->framed[SIDE_CLIENT] && !l->framed[SIDE_SERVER])
		return false;
	return l->units.count < 2 || l->owes == SIDE_SERVER;
}

/*
 * A message that was sent several times has not arrived yet: until it is acknowledged, the login
 * waits for the path.
 */
static const char *awaited_ack(const struct flow *f)
{
	if (tcp_unacked(f, SIDE_CLIENT).sent > 1)
		return "the server's ACK of what the client sends again and again";
	if (tcp_unacked(f, SIDE_SERVER).sent > 1)
		return "the client's ACK of what the server sends again and again";
	return NULL;
}

static struct pending_record pending_record(const struct engine *e, const struct flow *f)
{
	const struct due *due = verdict_awaited(f->login);
	const char *ack = awaited_ack(f);
	uint64_t since_ns = pending_since(f);

	return (struct pending_record){
		.id = flow_id(&e->flows, f),
		.tunnel = flow_tunnel(&e->flows, f),
		.time_ns = e->now_ns,
		.start_ns = f->first_ns,
		.ns = e->now_ns > since_ns ? e->now_ns - since_ns : 0,
		.client = flow_endpoint(f, SIDE_CLIENT),
		.server = flow_endpoint(f, SIDE_SERVER),
		.ifindex = f->half[SIDE_CLIENT].ifindex,
		.phase = (enum phase)due->phase,
		.waits_on = ack ? SIDE_NETWORK : (enum side)due->side,
		.what = ack ? ack : due->what,
		.unread =
			ack ? 0 : witness_unread(f->login->witness, (enum side)due->side, since_ns),
	};
}

static void list_in_progress(const struct engine *e, enum flow_list list, engine_in_progress_fn *fn,
			     void *ctx)
{
	const struct flow_table *t = &e->flows;

	for (const struct flow *f = flow_oldest(t, list); f; f = flow_next(t, f)) {
		struct pending_record r;

		if (!pending_is_in_progress(f))
			continue;
		r = pending_record(e, f);
		fn(ctx, &r);
	}
}

void engine_in_progress(const struct engine *e, engine_in_progress_fn *fn, void *ctx)
{
	list_in_progress(e, FLOW_HALF, fn, ctx);
	list_in_progress(e, FLOW_LOGIN, fn, ctx);
}

/* ---- reports ---- */

/* May one more be reported in this second? */
static bool has_room(struct pending *p, uint64_t now_ns, bool half_open)
{
	if (p->second != now_ns / NS_PER_S) {
		p->second = now_ns / NS_PER_S;
		p->reported = p->half_open = 0;
	}
	if (p->reported == PER_S || (half_open && p->half_open == HALF_OPEN_PER_S))
		return false;
	p->reported++;
	p->half_open += half_open;
	return true;
}

/* The login's times without an ACK, those that go on included. */
static struct unacked_times unacked_so_far(const struct flow *f)
{
	struct unacked_times u = f->login->tcp.unacked;

	for (int i = 0; i < 2; i++) {
		struct unacked now = tcp_unacked(f, (enum side)i);

		if (now.sent > 1)
			unacked_times_add(&u, now.since_ns, UINT64_MAX);
	}
	return u;
}

/* With packets missing, it is not known what the login waits for. */
static void pending_report(struct engine *e, struct flow *f)
{
	struct dependency_findings findings;
	struct unacked_times unacked;
	struct dependency_wait wait;
	struct pending_record r;

	if (!pending_is_in_progress(f) || f->login->lossy)
		return;
	if (!has_room(&e->pending, e->now_ns, is_half_open(f->login))) {
		e->stats.pending_suppressed++;
		return;
	}
	f->login->wait.reported = true;
	r = pending_record(e, f);
	unacked = unacked_so_far(f);
	wait = (struct dependency_wait){r.waits_on, r.time_ns - r.ns, r.time_ns, f->login->witness,
					&unacked};
	dependency_pending(&wait, &findings);
	r.parts = findings.parts;
	r.part_count = findings.part_count;
	e->ops.pending(e->ctx, &r);
}

static void pending_look(struct engine *e, struct wait *w)
{
	uint64_t since_ns = pending_since(w->flow), next_ns = e->now_ns + LOOK_NS;
	uint64_t ns = e->now_ns > since_ns ? e->now_ns - since_ns : 0;
	bool due = false;

	if (since_ns != w->since_ns) {
		w->since_ns = since_ns;
		w->marks = 0;
	}
	while (w->marks < MARKS && ns >= mark_ns[w->marks]) {
		w->marks++;
		due = true;
	}
	if (due)
		pending_report(e, w->flow);
	if (w->marks < MARKS && since_ns + mark_ns[w->marks] < next_ns)
		next_ns = since_ns + mark_ns[w->marks];
	wait_until(&e->pending, w, next_ns);
}

void pending_tick(struct engine *e)
{
	struct pending *p = &e->pending;
	uint64_t now = e->now_ns / SLOT_NS, at = p->slot;
	struct wait list = {.prev = &list, .next = &list};

	if (now - at > PENDING_SLOTS)
		at = now - PENDING_SLOTS;
	while (at++ < now) {
		struct wait *head = &p->slots[at % PENDING_SLOTS];

		while (head->next != head) {
			struct wait *w = head->next;

			wait_unlink(w);
			wait_link(&list, w);
		}
	}
	p->slot = now;
	while (list.next != &list) {
		struct wait *w = list.next;

		wait_unlink(w);
		pending_look(e, w);
	}
}
