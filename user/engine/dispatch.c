/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* dispatch.c - see dispatch.h. */
#include <string.h>

#include "engine/conn.h"
#include "engine/conn_tap.h"
#include "engine/decrypt/decrypt.h"
#include "engine/dependency/companions.h"
#include "engine/dispatch.h"
#include "engine/late_keys.h"
#include "engine/silence.h"
#include "engine/stream/plain.h"
#include "engine/sweep.h"
#include "lib/off_path.h"

#define IDLE_LONG_NS (60 * NS_PER_S) /* after it, devices in the path drop idle connections */
#define FAR_SEQ	     (64 << 20)	     /* bytes; see dispatch_of_another() */

/*
 * If there is no room for another connection, evict the oldest: first of those that are over, then
 * of those that have not begun to log in, then of the sessions. A login in progress is last: it has
 * most to report.
 */
static struct flow *dispatch_least_wanted(const struct engine *e)
{
	static const enum flow_list order[] = {FLOW_CLOSED, FLOW_HALF, FLOW_SESSION, FLOW_LOGIN};
	struct flow *f = NULL;

	for (int i = 0; i < FLOW_LISTS && !f; i++)
		f = flow_oldest(&e->flows, order[i]);
	return f;
}

static void dispatch_evict(struct engine *e)
{
	struct flow *f;

	do /* what is held of it is taken first, and may have it go to another list */
		f = dispatch_least_wanted(e);
	while (f && late_keys_end(e, f));
	if (!f)
		return;
	if (!f->close_emitted)
		e->stats.flows_evicted++;
	conn_ask(e, f);
	conn_close(e, f, CLOSE_EVICTED, e->now_ns);
	conn_remove(e, f);
}

/* Which of a segment's two ends is the client; -1: neither end is a watched port. */
static int dispatch_client_end(const struct engine *e, const struct seg *seg, uint8_t sender)
{
	bool to = browser_watches(&e->browser, seg->daddr, seg->dport);
	bool from = browser_watches(&e->browser, seg->saddr, seg->sport);

	if (!to && !from && !e->config.any_port)
		return -1;
	if (seg->flags & SEG_SYN) /* RFC 9293 3.5: the opener's SYN has no ACK */
		return seg->flags & SEG_ACK ? !sender : sender;
	if (to != from)
		return to ? sender : !sender;
	/* Both ports or neither are watched: servers have the lower one. */
	return seg->dport <= seg->sport ? sender : !sender;
}

/* Must it still show that it is TDS? Not if a server just sent its client there. */
static bool dispatch_is_tentative(const struct engine *e, const struct flow_key *key,
				  uint8_t client, uint64_t ts_ns)
{
	return !browser_serves(&e->browser, key->addr[!client], key->port[!client]) &&
	       !history_awaits(&e->history, key->addr[client], key->port[!client], ts_ns);
}

OFF_PATH static struct flow *dispatch_begin(struct engine *e, const struct seg *seg,
					    const uint8_t *payload, uint8_t sender)
{
	struct flow_key key = flow_key_of(seg, sender);
	int client = dispatch_client_end(e, seg, sender);
	bool tentative;
	struct flow *f;

	if (client < 0) {
		if (!e->stats.logins && stranger_speaks_tds(seg, payload))
			stranger_note(&e->strangers, seg->dport);
		/* The kernel watches a port; SQL Server Browser named it at another address. */
		if (e->ops.tap)
			e->ops.tap(e->ctx, &key, sender, TAP_CLOSE);
		e->stats.ignored++;
		return NULL;
	}
	tentative = dispatch_is_tentative(e, &key, (uint8_t)client, seg->ts_ns);
	/*
	 * On any port, a connection's first bytes show TDS: a dismissed connection stays dismissed.
	 */
	if (tentative && !(seg->flags & SEG_SYN) && !stranger_speaks_tds(seg, payload)) {
		e->stats.ignored++;
		return NULL;
	}
	if (e->flows.count >= e->config.max_flows)
		dispatch_evict(e);
	f = flow_add(&e->flows, &key);
	f->login = login_new(&e->logins, seg->ts_ns);
	if (!f->login) {
		flow_remove(&e->flows, f);
		return NULL;
	}
	if (e->decryption)
		f->login->decrypt = decryption_begin(e->decryption, flow_place(&e->flows, f));
	f->client = (uint8_t)client;
	f->close_by = SIDE_NONE;
	f->first_ns = seg->ts_ns;
	f->mid_stream = true;
	f->settling = !(seg->flags & SEG_SYN) || seg->flags & SEG_ACK;
	f->tentative = tentative;
	pending_add(e, f);
	e->stats.flows = e->flows.count;
	return f;
}

/*
 * A SYN on a known connection: the same one again, the one that we missed, or, with another number,
 * a new connection on the old ports.
 */
static bool dispatch_syn_is_new(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];

	if (h->has_isn)
		return h->isn != seg->seq;
	if (f->settling && tcp_held(f, from))
		return tcp_data_seq(&tcp_held(f, from)->seg) - seg->seq - 1 > HELD_SYN_MOST;
	return h->known && h->next - seg->seq > HELD_SYN_MOST;
}

/*
 * Live, the source hands over payload only up to its budget, or reports how far it has come.
 * Anything further off belongs to another connection on the same ports, whose SYN was lost.
 */
static bool dispatch_of_another(const struct engine *e, const struct flow *f, enum side from,
				const struct seg *seg)
{
	const struct half *h = &f->half[from];
	int32_t off = (int32_t)(seg->seq - h->next);

	return e->ops.tap && seg->len && h->known && !(seg->flags & (SEG_SYN | SEG_RST)) &&
	       !(seg->rec_flags & SEG_F_HEADS) && (off > FAR_SEQ || off < -FAR_SEQ);
}

/* Neither over, nor closed by a side: anybody may have sent a SYN within it. */
static bool dispatch_is_open(const struct flow *f)
{
	return !f->close_emitted && !flow_is_reset(f) && !(f->login && f->login->tcp.refused_ns);
}

static enum side dispatch_side(const struct flow *f, uint8_t sender)
{
	return sender == f->client ? SIDE_CLIENT : SIDE_SERVER;
}

static void dispatch_take(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
			  const uint8_t *payload);

/* The SYN in doubt began a new connection: end the old one, and begin with that SYN. */
OFF_PATH static struct flow *dispatch_renew(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct seg syn = f->reorder->syn;
	uint8_t count = f->reorder->syn_count, sender = flow_sender(&syn);

	f->reorder->has_syn = false;
	conn_close(e, f, CLOSE_EVICTED, ts_ns);
	conn_remove(e, f);
	f = dispatch_begin(e, &syn, NULL, sender);
	if (f) {
		dispatch_take(e, f, dispatch_side(f, sender), &syn, NULL);
		if (f->login && count > 1)
			f->login->tcp.syns = count;
	}
	return f;
}

/*
 * The server's end sent a SYN of its own before it got the client's, and the client answers it by a
 * SYN+ACK: a simultaneous open, one connection (RFC 9293 3.5).
 */
static bool dispatch_is_simultaneous(const struct flow *f, const struct seg *answer)
{
	const struct half *client = &f->half[SIDE_CLIENT];

	return answer->flags & SEG_SYN && client->has_isn && answer->seq == client->isn &&
	       !f->half[SIDE_SERVER].has_isn &&
	       f->reorder->syn.sport == flow_endpoint(f, SIDE_SERVER).port;
}

static struct flow *dispatch_meet(struct engine *e, struct flow *f)
{
	struct seg syn = f->reorder->syn;

	f->reorder->has_syn = false;
	tcp_segment(&e->reassembly, f, SIDE_SERVER, &syn, NULL);
	return f;
}

/* Which connection does it belong to: f, or a new one on the same ports? */
OFF_PATH static struct flow *dispatch_which(struct engine *e, struct flow *f, const struct seg *seg,
					    const uint8_t *payload, uint8_t sender)
{
	enum side from;

	if (seg->flags & SEG_SYN && late_keys_end(e, f))
		f = flow_find(&e->flows, seg, sender);
	if (!f)
		return dispatch_begin(e, seg, payload, sender);
	from = dispatch_side(f, sender);
	if (silence_is_wrong(e, f, from, seg)) {
		silence_was_none(e, f);
		conn_clock_stepped(f, e->now_ns);
	}
	silence_ends(e, f, from, seg);
	if (dispatch_of_another(e, f, from, seg)) {
		conn_close(e, f, CLOSE_EVICTED, seg->ts_ns);
		conn_remove(e, f);
		return dispatch_begin(e, seg, payload, sender);
	}
	if (doubt_syn_answered(f, seg))
		return dispatch_is_simultaneous(f, seg) ? dispatch_meet(e, f)
							: dispatch_renew(e, f, seg->ts_ns);
	if (!(seg->flags & SEG_SYN) || seg->flags & SEG_ACK)
		return f;
	if (from == SIDE_CLIENT && !dispatch_syn_is_new(f, from, seg))
		return f;
	if (from == SIDE_SERVER && f->settling && !dispatch_syn_is_new(f, from, seg)) {
		f->client = sender; /* the ports were misleading */
		return f;
	}
	/* The peer's answer will show whether it takes this for a new connection. */
	if (dispatch_is_open(f) && tcp_reorder(f)) {
		doubt_syn(f, seg);
		return f;
	}
	conn_close(e, f, CLOSE_EVICTED, seg->ts_ns);
	conn_remove(e, f);
	return dispatch_begin(e, seg, payload, sender);
}

/* The same packet seen again on another interface (a veth and its bridge) adds nothing. */
static bool dispatch_is_copy(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from], *peer = &f->half[side_other(from)];

	if (!seg->ifindex || !h->ifindex || h->ifindex == seg->ifindex)
		return false;
	if (seg->flags & SEG_SYN)
		return h->has_isn;
	/* A flow's packets may come by several interfaces: one that acknowledges more is new. */
	if (seg->flags & SEG_ACK && !(seg->flags & SEG_RST) &&
	    (!peer->has_acked || (int32_t)(seg->ack - peer->acked) > 0))
		return false;
	return h->known && (int32_t)(seg->seq + seg->len - h->next) <= 0 &&
	       (!(seg->flags & SEG_FIN) || h->fin_done) && !(seg->flags & SEG_RST);
}

static bool dispatch_both_closed(const struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		const struct half *h = &f->half[i];

		if (!h->fin_done || !h->has_acked || (int32_t)(h->acked - h->next) < 0)
			return false;
	}
	return true;
}

OFF_PATH static void dispatch_note_connect(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	if (f->mid_stream && !f->tentative)
		history_attempted(&e->history, &client, &server, ts_ns);
	else if (!f->tentative && f->login)
		history_attempted_again(&e->history, &client, &server, ts_ns);
	if (f->mid_stream && !f->tentative)
		answers_connected(&e->answers, &client, &server, ts_ns);
	if (f->mid_stream)
		browser_connected(&e->browser, &client, &server, flow_tunnel(&e->flows, f), ts_ns,
				  f->login ? &f->login->lookup : NULL);
	f->mid_stream = false;
}

OFF_PATH static void dispatch_note_answer(struct engine *e, const struct flow *f, uint64_t ts_ns,
					  bool refused)
{
	struct endpoint client = flow_endpoint(f, SIDE_CLIENT);
	struct endpoint server = flow_endpoint(f, SIDE_SERVER);

	if (f->login && !f->tentative)
		history_answered(&e->history, &client, &server, ts_ns, refused);
}

/* Both ends are real, as far as can be seen, and the client has begun. */
static bool dispatch_gets_on(const struct flow *f)
{
	return f->handed_payload && f->login &&
	       (f->login->tcp.payload_ns[SIDE_SERVER] || f->half[SIDE_SERVER].has_isn);
}

/* New payload: does it come after a long silence, or continue payload that did? */
static void dispatch_note_idle(struct flow *f, enum side from, const struct seg *seg)
{
	if (seg->ts_ns > f->last_ns + IDLE_LONG_NS)
		f->after_idle = true;
	else if (f->after_idle && f->half[side_other(from)].last_ns > f->half[from].last_ns)
		f->after_idle = false;
}

/* A login under way takes this packet. */
static void dispatch_note_packet(struct engine *e, struct flow *f, const struct seg *seg,
				 const uint8_t *payload)
{
	if (f->login && e->ops.packet)
		e->ops.packet(e->ctx, &f->login->packets, seg, payload);
}

static bool dispatch_has_new_payload(const struct flow *f, enum side from, const struct seg *seg)
{
	const struct half *h = &f->half[from];

	return seg->len && h->known && (int32_t)(seg->seq - h->next) >= 0 && !tcp_held(f, from);
}

/* A segment of the flow comes. fresh: it brings new payload. */
static inline void dispatch_note(struct engine *e, struct flow *f, enum side from,
				 const struct seg *seg, const uint8_t *payload, bool fresh)
{
	dispatch_note_packet(e, f, seg, payload);
	if (fresh)
		dispatch_note_idle(f, from, seg);
	if (seg->ts_ns > f->last_ns)
		f->last_ns = seg->ts_ns;
	flow_touch(&e->flows, f, (enum flow_list)f->list);
}

/* The stream has taken a segment. True: the connection's close ended it. */
static inline bool dispatch_settle(struct engine *e, struct flow *f, uint64_t ts_ns)
{
	if (f->list == FLOW_HALF && dispatch_gets_on(f))
		flow_touch(&e->flows, f, FLOW_LOGIN);
	if (!dispatch_both_closed(f))
		return false;
	conn_close(e, f, CLOSE_FIN, ts_ns);
	return true;
}

/* Pass a segment of the flow to its stream. */
static void dispatch_take(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
			  const uint8_t *payload)
{
	if (seg->flags & SEG_SYN && !(seg->flags & SEG_ACK) && from == SIDE_CLIENT)
		dispatch_note_connect(e, f, seg->ts_ns);
	if (f->close_emitted) {
		if (seg->flags & (SEG_FIN | SEG_RST))
			conn_over(e, f);
		return;
	}
	dispatch_note(e, f, from, seg, payload, dispatch_has_new_payload(f, from, seg));
	tcp_segment(&e->reassembly, f, from, seg, payload);
	conn_settle(e, f);
	if (from == SIDE_SERVER && seg->flags & SEG_SYN)
		dispatch_note_answer(e, f, seg->ts_ns, false);
	else if (f->login && f->login->tcp.refused_ns == seg->ts_ns)
		dispatch_note_answer(e, f, seg->ts_ns, true);
	if (!dispatch_settle(e, f, seg->ts_ns) && f->close_emitted && f->reorder &&
	    f->reorder->has_syn)
		dispatch_renew(e, f, seg->ts_ns);
}

/* What a host asks of others: of DNS, a domain controller and the like. */
static void dispatch_service(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	if (e->ops.service)
		e->ops.service(e->ctx, seg, payload);
	if (e->companions)
		companions_segment(e->companions, seg, payload);
}

static void dispatch_datagram(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	e->stats.datagrams++;
	sweep_tick(e, seg->ts_ns);
	if (e->ops.service)
		e->ops.service(e->ctx, seg, payload);
	if (e->config.browser)
		browser_datagram(&e->browser, seg, payload);
}

static void dispatch_note_counts(struct flow *f, const uint8_t *payload)
{
	struct tap_counts counts;

	memcpy(&counts, payload, sizeof(counts));
	conn_counts(f, &counts);
}

/* The SYN that dispatch_which() has put aside. */
static bool dispatch_is_doubted(const struct flow *f, const struct seg *seg)
{
	return seg->flags & SEG_SYN && !(seg->flags & SEG_ACK) && f->reorder &&
	       f->reorder->has_syn && f->reorder->syn.seq == seg->seq &&
	       f->reorder->syn.sport == seg->sport;
}

/* Neither TCP nor of SQL Server: of what logins may depend on, or SQL Server Browser's. */
OFF_PATH static void dispatch_other(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	bool browsers = seg->sport == SSRP_PORT || seg->dport == SSRP_PORT;

	if (!(seg->rec_flags & SEG_F_SERVICE) && (browsers || !e->companions)) {
		dispatch_datagram(e, seg, payload);
		return;
	}
	sweep_tick(e, seg->ts_ns);
	dispatch_service(e, seg, payload);
}

/* Does nothing but continue its connection? */
static bool dispatch_is_plain(const struct engine *e, const struct flow *f, enum side from,
			      const struct seg *seg)
{
	return !seg->rec_flags && !f->close_emitted && !f->tentative &&
	       !(f->login && f->login->silent) && tcp_is_plain(f, from, seg) &&
	       seg->ifindex == f->half[from].ifindex && seg->ts_ns >= f->first_ns &&
	       (f->login || !seg->cap_len || !e->ops.tap) && !e->config.keys_late;
}

/* The result is that of dispatch_any(), in fewer steps. */
static void dispatch_plain(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
			   const uint8_t *payload)
{
	dispatch_note(e, f, from, seg, payload, seg->len);
	tcp_plain(&e->reassembly, f, from, seg, payload);
	dispatch_settle(e, f, seg->ts_ns);
}

OFF_PATH static void dispatch_any(struct engine *e, struct flow *f, const struct seg *seg,
				  const uint8_t *payload, uint8_t sender)
{
	enum side from;

	f = f ? dispatch_which(e, f, seg, payload, sender)
	      : dispatch_begin(e, seg, payload, sender);
	/* On any port a connection to a service may still show that it is TDS. */
	if ((!f || f->tentative) && e->companions && !e->ops.is_local)
		dispatch_service(e, seg, payload);
	if (!f || dispatch_is_doubted(f, seg) ||
	    (e->config.keys_late && late_keys_take(e, f, seg, payload)))
		return;
	if (seg->rec_flags & SEG_F_COUNTS)
		dispatch_note_counts(f, payload);
	else if (!f->login && seg->cap_len && !(seg->rec_flags & SEG_F_HEADS))
		conn_tap_again(e, f);
	from = dispatch_side(f, sender);
	if (dispatch_is_copy(f, from, seg)) {
		e->reassembly.counts.duplicates++;
		return;
	}
	if (seg->ifindex)
		f->half[from].ifindex = seg->ifindex;
	if (seg->ts_ns < f->first_ns && f->login && !f->login->wait.reported)
		f->first_ns = seg->ts_ns;
	dispatch_take(e, f, from, seg, payload);
}

void dispatch(struct engine *e, const struct seg *seg, const uint8_t *payload)
{
	uint8_t sender = flow_sender(seg);
	struct flow *f;

	if (seg->rec_flags & (SEG_F_SERVICE | SEG_F_UDP)) {
		dispatch_other(e, seg, payload);
		return;
	}
	e->stats.segments++;
	sweep_tick(e, seg->ts_ns);
	f = flow_find(&e->flows, seg, sender);
	if (f && dispatch_is_plain(e, f, dispatch_side(f, sender), seg))
		dispatch_plain(e, f, dispatch_side(f, sender), seg, payload);
	else
		dispatch_any(e, f, seg, payload, sender);
}
