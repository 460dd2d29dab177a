// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * silent.c - see silent.h.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "load.h"
#include "silent.h"

#define SILENT_LOOK_NS 1000000000ull /* between looks */
/* By then a client has repeated its SYN, if it means to: after 1 s (RFC 6298 2), once after 3 s. */
#define SILENT_NS   5000000000ull
#define SILENT_TOLD 16 /* most at a look */

struct silent {
	struct tap_half *at; /* shared with the kernel */
	uint32_t slots;
	uint64_t looked_ns;
	uint32_t looks; /* left: in the first the newest SYN may not be seen yet */
	uint64_t untold;
};

struct silent *silent_new(int map, uint32_t slots)
{
	struct silent *silent = calloc(1, sizeof(*silent));

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

void silent_free(struct silent *silent)
{
	if (silent)
		munmap(silent->at, silent->slots * sizeof(*silent->at));
	free(silent);
}

void silent_expect(struct silent *silent)
{
	silent->looks = 2;
}

/* Take a SYN out of its slot, if it is due. The kernel may put another one there at any moment. */
static bool silent_take(struct silent *silent, struct tap_half *half, uint64_t now_ns,
			struct seg *syn)
{
	__u32 state = __atomic_load_n(&half->state, __ATOMIC_ACQUIRE);
	uint64_t ts_ns = half->syn.ts_ns;

	if (!(state & TAP_HALF_SYN) || state & TAP_HALF_ANSWERED)
		return false;
	silent_expect(silent);
	if (now_ns < ts_ns || now_ns - ts_ns < SILENT_NS)
		return false;
	*syn = half->syn;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return half->syn.ts_ns == ts_ns && syn->ts_ns == ts_ns &&
	       __sync_bool_compare_and_swap(&half->state, state, state & ~(__u32)TAP_HALF_SYN);
}

int silent_look(struct silent *silent, uint64_t now_ns, const struct port_set *ports,
		const struct port_set *learned, segment_fn *fn, void *ctx)
{
	struct seg syn;
	int told = 0;

	if (!silent->looks || now_ns - silent->looked_ns < SILENT_LOOK_NS)
		return 0;
	silent->looked_ns = now_ns;
	silent->looks--;
	for (uint32_t i = 0; i < silent->slots; i++) {
		if (!silent_take(silent, &silent->at[i], now_ns, &syn) ||
		    (!port_set_has(ports, syn.dport) && !port_set_has(learned, syn.dport)))
			continue;
		if (told == SILENT_TOLD) {
			silent->untold++;
			continue;
		}
		fn(ctx, &syn, NULL);
		told++;
	}
	return told;
}

uint64_t silent_untold(const struct silent *silent)
{
	return silent->untold;
}
