// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unanswered_syns.c - see unanswered_syns.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "source/live/tap_load.h"
#include "source/live/unanswered_syns.h"
#include "lib/units.h"

#define UNANSWERED_SYNS_POLL_NS NS_PER_S /* between polls */
/* By then the client has repeated its SYN, if it does: after 1 s (RFC 6298 2), once after 3 s. */
#define UNANSWERED_SYNS_NS   5000000000ull
#define UNANSWERED_SYNS_MOST 16 /* most that are emitted by a poll */
/* By then a client that exists has completed its handshake. */
#define UNANSWERED_SYNS_RTT_NS NS_PER_S

/* Why no more packets of a handshake are expected. */
enum unanswered_syns_kind {
	UNANSWERED_SYNS_NOTHING,
	UNANSWERED_SYNS_SYN,	/* nobody answered it */
	UNANSWERED_SYNS_SYNACK, /* the client did not acknowledge it */
};

struct unanswered_syns {
	struct tap_handshake *at; /* shared with the kernel */
	uint32_t slots;
	uint64_t polled_ns;
	uint32_t polls_due;	  /* the first one may not see the newest SYN yet */
	uint64_t syns, half_open; /* counted, not emitted */
};

struct unanswered_syns *unanswered_syns_new(int map, uint32_t slots)
{
	struct unanswered_syns *syns = calloc(1, sizeof(*syns));

	if (!syns)
		return NULL;
	syns->slots = slots;
	syns->at =
		mmap(NULL, slots * sizeof(*syns->at), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (syns->at != MAP_FAILED)
		return syns;
	free(syns);
	return NULL;
}

void unanswered_syns_free(struct unanswered_syns *syns)
{
	if (syns)
		munmap(syns->at, syns->slots * sizeof(*syns->at));
	free(syns);
}

void unanswered_syns_expect(struct unanswered_syns *syns)
{
	syns->polls_due = 2;
}

bool unanswered_syns_due(const struct unanswered_syns *syns, uint64_t now_ns)
{
	return syns->polls_due && now_ns - syns->polled_ns >= UNANSWERED_SYNS_POLL_NS;
}

/* The kind of the handshake in a slot. The kernel may put another one there at any moment. */
static enum unanswered_syns_kind unanswered_syns_kind(struct unanswered_syns *syns,
						      const struct tap_handshake *half,
						      uint64_t now_ns, __u32 *state)
{
	uint64_t ts_ns;

	*state = __atomic_load_n(&half->state, __ATOMIC_ACQUIRE);
	if (!(*state & (1 << HANDSHAKE_SYN | 1 << HANDSHAKE_SYNACK)) ||
	    *state & (HANDSHAKE_REPORTED | HANDSHAKE_PROVEN | HANDSHAKE_ON_LIVE_FLOW))
		return UNANSWERED_SYNS_NOTHING;
	unanswered_syns_expect(syns);
	ts_ns = *state & 1 << HANDSHAKE_SYNACK ? half->rest[0].ts_ns : half->syn.ts_ns;
	if (now_ns < ts_ns || now_ns - ts_ns < UNANSWERED_SYNS_NS)
		return UNANSWERED_SYNS_NOTHING;
	return *state & 1 << HANDSHAKE_SYNACK ? UNANSWERED_SYNS_SYNACK : UNANSWERED_SYNS_SYN;
}

/* Take the handshake out of its slot. False if it is no longer there. */
static bool unanswered_syns_claim(struct tap_handshake *half, __u32 state,
				  struct tap_handshake *out)
{
	*out = *half;
	out->state = state;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return half->syn.ts_ns == out->syn.ts_ns && half->syn.seq == out->syn.seq &&
	       __sync_bool_compare_and_swap(&half->state, state,
					    (state & ~(__u32)HANDSHAKE_PARTS) | HANDSHAKE_REPORTED);
}

static void unanswered_syns_emit(const struct tap_handshake *half, segment_fn *fn, void *ctx)
{
	struct seg seg = half->syn;

	if (half->state & 1 << HANDSHAKE_SYN)
		fn(ctx, &seg, NULL);
	if (!(half->state & 1 << HANDSHAKE_SYNACK))
		return;
	memcpy(seg.saddr, half->syn.daddr, sizeof(seg.saddr));
	memcpy(seg.daddr, half->syn.saddr, sizeof(seg.daddr));
	seg.sport = half->syn.dport;
	seg.dport = half->syn.sport;
	seg.ts_ns = half->rest[0].ts_ns;
	seg.seq = half->rest[0].seq;
	seg.ack = half->rest[0].ack;
	seg.ifindex = half->rest[0].ifindex;
	seg.window = half->rest[0].window;
	seg.ip_id = half->rest[0].ip_id;
	seg.flags = half->rest[0].flags;
	seg.dir = half->rest[0].dir;
	seg.ttl = half->rest[0].ttl;
	seg.len = seg.rec_flags = 0;
	fn(ctx, &seg, NULL);
	for (int i = 0; i < (int)HANDSHAKE_SYNACK_REPEATS && half->repeat_ns[i]; i++) {
		seg.ts_ns = half->repeat_ns[i];
		fn(ctx, &seg, NULL);
	}
}

/* Are there more half-open handshakes than vanished clients leave behind? */
static bool unanswered_syns_flood(const struct unanswered_syns *syns, uint64_t now_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < syns->slots; i++) {
		const struct tap_handshake *half = &syns->at[i];

		n += half->state & 1 << HANDSHAKE_SYNACK && now_ns > half->rest[0].ts_ns &&
		     now_ns - half->rest[0].ts_ns >= UNANSWERED_SYNS_RTT_NS &&
		     !(half->state & (HANDSHAKE_REPORTED | HANDSHAKE_PROVEN));
	}
	return n > UNANSWERED_SYNS_MOST;
}

int unanswered_syns_poll(struct unanswered_syns *syns, uint64_t now_ns,
			 const struct port_set *ports, const struct port_set *learned,
			 segment_fn *fn, void *ctx)
{
	struct tap_handshake half;
	enum unanswered_syns_kind kind;
	bool flood;
	int emitted = 0;
	__u32 state;

	syns->polled_ns = now_ns;
	syns->polls_due--;
	flood = unanswered_syns_flood(syns, now_ns);
	for (uint32_t i = 0; i < syns->slots; i++) {
		kind = unanswered_syns_kind(syns, &syns->at[i], now_ns, &state);
		if (kind == UNANSWERED_SYNS_NOTHING ||
		    !unanswered_syns_claim(&syns->at[i], state, &half) ||
		    (!port_set_has(ports, half.syn.dport) &&
		     !port_set_has(learned, half.syn.dport)))
			continue;
		if (emitted == UNANSWERED_SYNS_MOST || (flood && kind == UNANSWERED_SYNS_SYNACK)) {
			*(kind == UNANSWERED_SYNS_SYN ? &syns->syns : &syns->half_open) += 1;
			continue;
		}
		unanswered_syns_emit(&half, fn, ctx);
		emitted++;
	}
	return emitted;
}

uint64_t unanswered_syns_unreported(const struct unanswered_syns *syns)
{
	return syns->syns;
}

uint64_t unanswered_syns_unreported_half_open(const struct unanswered_syns *syns)
{
	return syns->half_open;
}
