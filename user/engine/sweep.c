/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* sweep.c - see sweep.h. */
#include "engine/conn.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/late_keys.h"
#include "engine/stream/doubt.h"
#include "engine/sweep.h"

#define SWEEP_NS  (NS_PER_S / 4)
#define LINGER_NS (2 * NS_PER_S)      /* after both FINs, for the last ACK or a reset */
#define RETRY_NS  (7 * NS_PER_S / 10) /* Windows tries again half a second after a refusal */
#define CLOSED_NS (60 * NS_PER_S) /* late packets of a closed connection find it for this long */

static void sweep_list(struct engine *e, enum flow_list list,
		       void (*visit)(struct engine *, struct flow *, uint64_t idle_ns),
		       uint64_t least_ns)
{
	struct flow *f = flow_oldest(&e->flows, list), *next;

	for (; f; f = next) {
		uint64_t idle_ns = e->now_ns > f->last_ns ? e->now_ns - f->last_ns : 0;

		next = flow_next(&e->flows, f);
		if (idle_ns < least_ns)
			return;
		if (f->close_emitted && list != FLOW_CLOSED)
			flow_touch(&e->flows, f, FLOW_CLOSED);
		else
			visit(e, f, idle_ns);
	}
}

static void sweep_login(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	if (idle_ns < LINGER_NS && !(f->login && f->login->tcp.refused_ns))
		return;
	if (idle_ns >= LINGER_NS && f->half[0].fin_done && f->half[1].fin_done)
		conn_close(e, f, CLOSE_FIN, e->now_ns);
	else
		conn_idle(e, f, e->now_ns);
}

static void sweep_session(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	bool reset = flow_is_reset(f);

	if (doubt_reset_holds(f, false)) {
		tcp_reset(&e->reassembly, f);
		conn_settle(e, f);
	} else if ((f->half[0].fin_done && f->half[1].fin_done) || reset) {
		conn_close(e, f, reset ? CLOSE_RST : CLOSE_FIN, e->now_ns);
	} else if (idle_ns >= e->config.idle_ns) {
		conn_ask(e, f);
		conn_close(e, f, CLOSE_IDLE, e->now_ns);
	}
}

static void sweep_closed(struct engine *e, struct flow *f, uint64_t idle_ns)
{
	(void)idle_ns;
	conn_remove(e, f);
}

static void sweep_all(struct engine *e)
{
	struct flow *f, *next;

	e->swept_ns = e->now_ns;
	late_keys_tick(e);
	for (f = e->reassembly.held.stalled; f; f = next) {
		next = f->reorder->next;
		tcp_tick(&e->reassembly, f);
		conn_settle(e, f);
	}
	sweep_list(e, FLOW_HALF, sweep_login, RETRY_NS);
	sweep_list(e, FLOW_LOGIN, sweep_login, LINGER_NS);
	sweep_list(e, FLOW_SESSION, sweep_session, LINGER_NS);
	sweep_list(e, FLOW_CLOSED, sweep_closed, CLOSED_NS);
	while ((f = logwait_due(e)))
		conn_waited(e, f);
	pending_tick(e);
	browser_tick(&e->browser, e->now_ns, false);
	if (e->decryption)
		decryption_tick(e->decryption, e->now_ns);
	e->stats.flows = e->flows.count;
}

void sweep_tick(struct engine *e, uint64_t now_ns)
{
	if (now_ns > e->now_ns)
		e->now_ns = now_ns;
	if (e->now_ns - e->swept_ns >= SWEEP_NS)
		sweep_all(e);
}
