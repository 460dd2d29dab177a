// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unanswered_syns.c - see silent.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "source/live/tap_load.h"
#include "source/live/unanswered_syns.h"

#define UNANSWERED_SYNS_LOOK_NS 1000000000ull /* between looks */
/* By then a client has repeated its SYN, if it means to: after 1 s (RFC 6298 2), once after 3 s. */
#define UNANSWERED_SYNS_NS   5000000000ull
#define UNANSWERED_SYNS_TOLD 16 /* most at a look */
/* A client that is there has completed its handshake by then. */
#define UNANSWERED_SYNS_RTT_NS 1000000000ull

/* What nothing more is expected of. */
enum silent_kind {
	UNANSWERED_SYNS_NOTHING,
	UNANSWERED_SYNS_SYN,	/* nobody answered it */
	UNANSWERED_SYNS_SYNACK, /* its client did not acknowledge it */
};

struct unanswered_syns {
	struct tap_handshake *at; /* shared with the kernel */
	uint32_t slots;
	uint64_t looked_ns;
	uint32_t looks;		  /* left: in the first the newest SYN may not be seen yet */
	uint64_t syns, half_open; /* counted */
};

struct unanswered_syns *silent_new(int map, uint32_t slots)
{
	struct unanswered_syns *silent = calloc(1, sizeof(*silent));

	if (!silent)
		return NULL;
	silent->slots = slots;
	silent->at =
		mmap(NULL, slots * sizeof(*silent->at), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (silent->at != MAP_FAILED)
		return silent;
	free(silent);
	return NULL;
}

void silent_free(struct unanswered_syns *silent)
{
	if (silent)
		munmap(silent->at, silent->slots * sizeof(*silent->at));
	free(silent);
}

void silent_expect(struct unanswered_syns *silent)
{
	silent->looks = 2;
}

bool silent_due(const struct unanswered_syns *silent, uint64_t now_ns)
{
	return silent->looks && now_ns - silent->looked_ns >= UNANSWERED_SYNS_LOOK_NS;
}

/* What is due in a slot. The kernel may put another handshake there at any moment. */
static enum silent_kind silent_kind(struct unanswered_syns *silent,
				    const struct tap_handshake *half, uint64_t now_ns, __u32 *state)
{
	uint64_t ts_ns;

	*state = __atomic_load_n(&half->state, __ATOMIC_ACQUIRE);
	if (!(*state & (1 << HANDSHAKE_SYN | 1 << HANDSHAKE_SYNACK)) ||
	    *state & (HANDSHAKE_REPORTED | HANDSHAKE_PROVEN | HANDSHAKE_ON_LIVE_FLOW))
		return UNANSWERED_SYNS_NOTHING;
	silent_expect(silent);
	ts_ns = *state & 1 << HANDSHAKE_SYNACK ? half->rest[0].ts_ns : half->syn.ts_ns;
	if (now_ns < ts_ns || now_ns - ts_ns < UNANSWERED_SYNS_NS)
		return UNANSWERED_SYNS_NOTHING;
	return *state & 1 << HANDSHAKE_SYNACK ? UNANSWERED_SYNS_SYNACK : UNANSWERED_SYNS_SYN;
}

/* Take it out of its slot: false if it is there no more. */
static bool silent_take(struct tap_handshake *half, __u32 state, struct tap_handshake *out)
{
	*out = *half;
	out->state = state;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return half->syn.ts_ns == out->syn.ts_ns && half->syn.seq == out->syn.seq &&
	       __sync_bool_compare_and_swap(&half->state, state,
					    (state & ~(__u32)HANDSHAKE_PARTS) | HANDSHAKE_REPORTED);
}

static void silent_tell(const struct tap_handshake *half, segment_fn *fn, void *ctx)
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

/* Are there more half-open handshakes than clients that went away leave behind? */
static bool silent_flood(const struct unanswered_syns *silent, uint64_t now_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < silent->slots; i++) {
		const struct tap_handshake *half = &silent->at[i];

		n += half->state & 1 << HANDSHAKE_SYNACK && now_ns > half->rest[0].ts_ns &&
		     now_ns - half->rest[0].ts_ns >= UNANSWERED_SYNS_RTT_NS &&
		     !(half->state & (HANDSHAKE_REPORTED | HANDSHAKE_PROVEN));
	}
	return n > UNANSWERED_SYNS_TOLD;
}

int silent_look(struct unanswered_syns *silent, uint64_t now_ns, const struct port_set *ports,
		const struct port_set *learned, segment_fn *fn, void *ctx)
{
	struct tap_handshake half;
	enum silent_kind kind;
	bool flood;
	int told = 0;
	__u32 state;

	silent->looked_ns = now_ns;
	silent->looks--;
	flood = silent_flood(silent, now_ns);
	for (uint32_t i = 0; i < silent->slots; i++) {
		kind = silent_kind(silent, &silent->at[i], now_ns, &state);
		if (kind == UNANSWERED_SYNS_NOTHING || !silent_take(&silent->at[i], state, &half) ||
		    (!port_set_has(ports, half.syn.dport) &&
		     !port_set_has(learned, half.syn.dport)))
			continue;
		if (told == UNANSWERED_SYNS_TOLD || (flood && kind == UNANSWERED_SYNS_SYNACK)) {
			*(kind == UNANSWERED_SYNS_SYN ? &silent->syns : &silent->half_open) += 1;
			continue;
		}
		silent_tell(&half, fn, ctx);
		told++;
	}
	return told;
}

uint64_t silent_syns(const struct unanswered_syns *silent)
{
	return silent->syns;
}

uint64_t silent_half_open(const struct unanswered_syns *silent)
{
	return silent->half_open;
}
