// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * waits.c - see waits.h. A timer runs only while there are logins under way; one that is prompt is
 * gone before it expires.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "processes.h"
#include "source/live/sockets.h"
#include "waits.h"
#include "lib/units.h"

#define AWAIT_NS (2 * WITNESS_MOST_NS) /* by then a wait that goes on was looked at again */

struct waits {
	struct app *app;
	struct sockets *sockets;
	struct processes *processes;
	waits_segments_fn *segments;
	int timer;
	bool is_set;
	uint64_t awaited_ns; /* when a read was last said to be awaited, or 0 */
};

static void waits_set(struct waits *w, uint64_t at_ns)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S),
					       .tv_nsec = (long)(at_ns % NS_PER_S)}};

	w->is_set = at_ns != NO_NS && !timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* engine_wait_fn */
static void waits_look(void *ctx, const struct engine_wait *wait)
{
	struct waits *w = ctx;
	struct socket_ends ends = socket_ends(&wait->key, wait->end, wait->side == SIDE_SERVER);
	struct witness_sample sample = {.key = wait->key,
					.end = wait->end,
					.here = WITNESS_NO,
					.accepted = WITNESS_UNKNOWN,
					.stopped = WITNESS_UNKNOWN};
	struct process_state process;
	struct socket_look look;
	int err = sockets_look(w->sockets, &ends, wait->ifindex, &look);

	if (!err) {
		sample.here = WITNESS_YES;
		sample.ts_ns = look.ts_ns;
		if (ends.serves)
			sample.accepted = look.unaccepted ? WITNESS_NO : WITNESS_YES;
		sample.has_unread = look.has_unread;
		sample.unread = look.unread;
		sample.has_received = look.has_received;
		sample.received = look.received;
		sample.has_received_bytes = look.has_received_bytes;
		sample.received_bytes = look.received_bytes;
		sample.has_queue = look.has_queue;
		sample.queue_length = look.queue_length;
		sample.queue_limit = look.queue_limit;
		if (processes_find(w->processes, look.inode, look.listener_inode, look.ts_ns,
				   &process)) {
			sample.process = process.who;
			sample.stopped = process.frozen ? WITNESS_YES : process.stopped;
			sample.frozen = process.frozen;
			sample.has_throttled = process.has_throttled;
			sample.throttled_ns = process.throttled_ns;
		}
		if (look.unaccepted || (look.has_unread && look.unread)) {
			sockets_await_read(w->sockets, &ends, &look);
			w->awaited_ns = look.ts_ns;
		}
	} else if (err != -ENOENT) {
		log_debug("cannot look at a socket: %s", strerror(-err));
	}
	engine_witness(w->app->engine, &sample);
}

/* loop_fn. All that is in the ring buffer comes before the look. */
static int waits_due(void *ctx)
{
	struct waits *w = ctx;
	uint64_t expired;
	int err;

	if (read(w->timer, &expired, sizeof(expired)) < 0)
		return errno == EAGAIN ? 0 : -errno;
	err = w->segments(w->app);
	if (err)
		return err;
	waits_set(w, engine_waiting(w->app->engine, clock_now_ns(), waits_look, w));
	if (w->awaited_ns && clock_now_ns() - w->awaited_ns > AWAIT_NS) {
		sockets_rest(w->sockets);
		w->awaited_ns = 0;
	}
	return 0;
}

void waits_expect(struct waits *w)
{
	if (w && !w->is_set && engine_stats(w->app->engine)->in_login)
		waits_set(w, clock_now_ns() + WITNESS_FIRST_NS);
}

void waits_tick(struct waits *w, uint64_t now_ns)
{
	if (w)
		processes_sweep(w->processes, now_ns);
}

void waits_on_read(struct waits *w, const struct seg *seg)
{
	int order = memcmp(seg->saddr, seg->daddr, sizeof(seg->saddr));
	struct witness_sample sample = {
		.ts_ns = seg->ts_ns,
		.end = order > 0 || (!order && seg->sport > seg->dport),
		.is_read = true,
	};

	if (!w)
		return;
	memcpy(sample.key.addr[sample.end], seg->saddr, sizeof(seg->saddr));
	memcpy(sample.key.addr[!sample.end], seg->daddr, sizeof(seg->daddr));
	sample.key.port[sample.end] = seg->sport;
	sample.key.port[!sample.end] = seg->dport;
	engine_witness(w->app->engine, &sample);
}

void waits_queues(struct waits *w, socket_queue_fn *fn, void *ctx)
{
	if (w)
		sockets_queues(w->sockets, fn, ctx);
}

bool waits_wanted(const struct opts *opts)
{
	return !opts->mirror && opts->witness != SOCKETS_OFF;
}

int waits_open(struct waits **waits, struct app *app, struct loop *loop,
	       waits_segments_fn *segments)
{
	struct sockets *sockets =
		!waits_wanted(app->opts)
			? NULL
			: sockets_open(app->opts->witness, live_events_fd(app->live));
	struct waits *w;
	int err;

	*waits = NULL;
	if (!sockets)
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w) {
		sockets_close(sockets);
		return -ENOMEM;
	}
	w->app = app;
	w->sockets = sockets;
	w->segments = segments;
	w->processes = processes_new(app->opener);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = !w->processes  ? -ENOMEM
	      : w->timer < 0 ? -errno
			     : loop_add(loop, w->timer, waits_due, w);
	if (!err)
		*waits = w;
	else
		waits_close(w);
	return err;
}

void waits_close(struct waits *w)
{
	if (!w)
		return;
	processes_free(w->processes);
	sockets_close(w->sockets);
	fd_close(w->timer);
	free(w);
}
