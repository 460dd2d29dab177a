/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * live_int.h - shared by the files of the live source; all others include live.h.
 */
#ifndef TDSMON_LIVE_INT_H
#define TDSMON_LIVE_INT_H

#include "source/live/command_latency.h"
#include "source/live/interfaces.h"
#include "source/live/live.h"
#include "source/live/services.h"
#include "source/live/tap_control.h"
#include "source/live/tap_load.h"
#include "source/live/unanswered_syns.h"

#define LIVE_BATCH     65536 /* most segments in one dispatch, so that the caller's timers run */
#define LIVE_STRANGERS 8     /* most unwatched ports that are reported */

struct live {
	struct tap_bpf *tap;
	struct port_set ports, learned; /* the tap watches both */
	struct ring_buffer *ring;
	struct tap_sums sums;
	struct command_latency *latencies;
	struct unanswered_syns *syns;
	struct tap_control control;
	struct interfaces *interfaces;
	struct services services; /* where dependencies are followed */
	bool dependencies;
	size_t seg_len; /* bytes of the struct seg in a record */
	int epoll_fd, timer_fd;
	uint64_t since_ns; /* by then all interfaces were attached in both directions */
	unsigned int idle; /* consecutive empty polls */
	/* half-open handshakes when a flood was last reported, and when that was */
	uint64_t half_open, flood_ns;
	struct {
		uint16_t port;
		uint64_t since_ns;
	} strangers[LIVE_STRANGERS]; /* unwatched ports on which TDS was seen */
	int stranger_count, strangers_reported;
	/* of the current dispatch */
	segment_fn *fn;
	void *fn_ctx;
	int segments;
};

/* live_open.c */

/* The tap's clock. */
uint64_t live_now_ns(void);

/*
 * segment_fn. While hooks are being attached, one direction or some interface's packets may be
 * missing, and conclusions from the rest would be wrong: drop these segments.
 */
void live_segment(void *ctx, const struct seg *seg, const uint8_t *payload);

/* Which requests are this host's own: its addresses may have changed. */
int live_tell_addresses(struct live *live);

#endif
