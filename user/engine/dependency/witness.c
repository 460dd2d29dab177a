// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * witness.c - see witness.h. A connection is accepted once, and the last byte of a message is read
 * once. So a look that still sees it unaccepted or unread shows that it was so ever since the wait
 * began. The engine learns late that a wait ended, so a look may be newer than that end: the look
 * before it is kept, too.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/split.h"
#include "engine/dependency/witness.h"

#define WAITS_MOST   8
#define STOPS_MOST   4
#define WINDOWS_MOST 8

/* The last look that saw a state, and the look before it that saw it; 0: none. */
struct seen {
	uint64_t last_ns, before_ns;
};

struct stop {
	uint64_t from_ns;
	struct seen to;
};

/* The time between two looks, if the second found that the cgroup had been throttled for ns. */
struct window {
	uint64_t to_ns, ns;
};

struct watched {
	enum side side;
	uint64_t since_ns;
	uint64_t looked_ns;   /* the last look; 0: none */
	uint64_t distance_ns; /* the longest time from one look to the next */
	struct seen unaccepted, unread;
	uint64_t all_read_ns; /* the first look that found everything read; 0: none did */
	uint64_t traced_ns;   /* when exactly everything was read; 0: not known */
	uint64_t
		changed_ns; /* when its cgroup's counter last changed, or was first seen; 0: never */
	uint64_t throttled_ns; /* the value of that counter */
	uint32_t unread_bytes; /* as of the last look; 0 once they were read */
	bool stopped;	       /* as of the last look */
	uint8_t stop_count, window_count;
	struct stop stops[STOPS_MOST];
	struct window windows[WINDOWS_MOST];
};

struct host {
	struct host_facts facts;
	bool seen;
	struct witness_process process;
};

struct witness {
	bool absent[2];
	uint32_t count;
	struct watched waits[WAITS_MOST]; /* oldest first */
	struct host hosts[2];
};

struct witness *witness_new(void)
{
	return calloc(1, sizeof(struct witness));
}

void witness_free(struct witness *w)
{
	free(w);
}

/* The current wait, if it is this one. */
static const struct watched *watched_now(const struct witness *w, enum side side, uint64_t since_ns)
{
	const struct watched *last = w && w->count ? &w->waits[w->count - 1] : NULL;

	return last && last->side == side && last->since_ns == since_ns ? last : NULL;
}

bool witness_is_wanted(const struct witness *w, enum side side, uint64_t since_ns, uint64_t *due_ns)
{
	const struct watched *now = watched_now(w, side, since_ns);
	uint64_t distance;

	if (side >= SIDE_NETWORK || (w && w->absent[side]))
		return false;
	*due_ns = since_ns + WITNESS_FIRST_NS;
	if (!now || !now->looked_ns)
		return true;
	distance = (now->looked_ns - since_ns) / WITNESS_SHARE;
	if (distance < WITNESS_FIRST_NS)
		distance = WITNESS_FIRST_NS;
	*due_ns = now->looked_ns + (distance < WITNESS_MOST_NS ? distance : WITNESS_MOST_NS);
	return true;
}

static struct watched *watched_begin(struct witness *w, enum side side, uint64_t since_ns)
{
	struct watched *now = (struct watched *)watched_now(w, side, since_ns);

	if (now)
		return now;
	if (w->count == WAITS_MOST) {
		memmove(w->waits, w->waits + 1, sizeof(w->waits) - sizeof(w->waits[0]));
		w->count--;
	}
	now = &w->waits[w->count++];
	memset(now, 0, sizeof(*now));
	now->side = side;
	now->since_ns = since_ns;
	return now;
}

static void seen_add(struct seen *s, uint64_t ns)
{
	s->before_ns = s->last_ns;
	s->last_ns = ns;
}

static void note_stopped(struct watched *now, struct host *host, const struct witness_sample *s)
{
	bool stopped = s->stopped == WITNESS_YES;

	host->facts.frozen |= stopped && s->frozen;
	if (stopped && !now->stopped && now->stop_count < STOPS_MOST)
		now->stops[now->stop_count++] =
			(struct stop){.from_ns = s->ts_ns, .to = {s->ts_ns, s->ts_ns}};
	else if (stopped && now->stopped)
		seen_add(&now->stops[now->stop_count - 1].to, s->ts_ns);
	now->stopped = stopped;
}

/* The kernel adds a throttled time when it ends, and sums several CPUs. */
static void note_throttled(struct watched *now, struct host *host, const struct witness_sample *s)
{
	uint64_t ns = s->throttled_ns - now->throttled_ns, from = now->changed_ns;

	if (!s->has_throttled)
		return;
	if (host->facts.throttled_ns == NO_NS)
		host->facts.throttled_ns = 0;
	if (from && s->throttled_ns == now->throttled_ns)
		return;
	now->throttled_ns = s->throttled_ns;
	now->changed_ns = s->ts_ns;
	if (!from)
		return;
	if (ns > s->ts_ns - from)
		ns = s->ts_ns - from;
	host->facts.throttled_ns += ns;
	if (now->window_count == WINDOWS_MOST) {
		now->windows[1].ns += now->windows[0].ns;
		memmove(now->windows, now->windows + 1,
			sizeof(now->windows) - sizeof(now->windows[0]));
		now->window_count--;
	}
	now->windows[now->window_count++] = (struct window){s->ts_ns, ns};
}

static const char *text_known(const char *text)
{
	return *text ? text : NULL;
}

static void host_note(struct host *host, enum side side, const struct witness_sample *s)
{
	struct host_facts *f = &host->facts;

	if (!host->seen)
		f->throttled_ns = NO_NS;
	host->seen = true;
	f->side = side;
	if (s->has_queue && (!f->has_queue || s->queue_length > f->queue_length)) {
		f->has_queue = true;
		f->queue_length = s->queue_length;
		f->queue_limit = s->queue_limit;
	}
	if (!s->process)
		return;
	host->process = *s->process;
	f->pid = s->process->pid;
	f->process = text_known(host->process.name);
	f->cgroup = text_known(host->process.cgroup);
	f->container = text_known(host->process.container);
	f->pod = text_known(host->process.pod);
}

static void note_look(struct witness *w, enum side side, uint64_t since_ns,
		      const struct witness_sample *s)
{
	struct watched *now = watched_begin(w, side, since_ns);
	uint64_t from = now->looked_ns ? now->looked_ns : since_ns;

	if (s->ts_ns < from)
		return;
	if (s->ts_ns - from > now->distance_ns)
		now->distance_ns = s->ts_ns - from;
	now->looked_ns = s->ts_ns;
	host_note(&w->hosts[side], side, s);
	if (s->accepted == WITNESS_NO)
		seen_add(&now->unaccepted, s->ts_ns);
	now->unread_bytes = s->has_unread ? s->unread : 0;
	if (now->unread_bytes)
		seen_add(&now->unread, s->ts_ns);
	else if (s->has_unread && !now->all_read_ns)
		now->all_read_ns = s->ts_ns;
	note_stopped(now, &w->hosts[side], s);
	note_throttled(now, &w->hosts[side], s);
}

void witness_note(struct witness *w, enum side side, uint64_t since_ns,
		  const struct witness_sample *s)
{
	struct watched *now;

	if (side >= SIDE_NETWORK)
		return;
	if (!s->is_read) {
		if (s->here == WITNESS_NO)
			w->absent[side] = true;
		else if (s->here == WITNESS_YES)
			note_look(w, side, since_ns, s);
		return;
	}
	now = (struct watched *)watched_now(w, side, since_ns);
	if (now && !now->traced_ns && s->ts_ns > since_ns) {
		now->traced_ns = s->ts_ns;
		now->unread_bytes = 0;
	}
}

uint32_t witness_unread(const struct witness *w, enum side side, uint64_t since_ns)
{
	const struct watched *now = watched_now(w, side, since_ns);

	return now ? now->unread_bytes : 0;
}

const struct host_facts *witness_host(const struct witness *w, enum side side)
{
	return w && side < SIDE_NETWORK && w->hosts[side].seen ? &w->hosts[side].facts : NULL;
}

/* The parts. */

#define GROUNDS(what)                                                                              \
	{                                                                                          \
		what ", looked at every 25 ms at most", what ", looked at every 50 ms at most",    \
			what ", looked at every 100 ms at most",                                   \
			what ", looked at every 250 ms at most",                                   \
			what ", looked at every 500 ms at most",                                   \
			what ", looked at at times more than 500 ms apart",                        \
	}

/* The grounds of a part of a wait, with the distance of the looks. */
static const char *grounds_of(enum wait_part part, uint64_t distance_ns)
{
	static const uint32_t limits_ms[] = {25, 50, 100, 250, 500};
	static const char *const unaccepted[] = GROUNDS("the kernel had no process's accept()");
	static const char *const stopped[] =
		GROUNDS("the process was stopped (state T), or frozen with its cgroup");
	static const char *const throttled[] = GROUNDS("the cgroup's cpu.stat counted it");
	static const char *const unread[] = GROUNDS("bytes lay unread in the socket");
	static const char *const process[] = GROUNDS("the process had read all that was sent");
	size_t i = 0;

	while (i < sizeof(limits_ms) / sizeof(limits_ms[0]) &&
	       distance_ns > limits_ms[i] * 1000000ull)
		i++;
	switch (part) {
	case PART_UNACCEPTED:
		return unaccepted[i];
	case PART_STOPPED:
		return stopped[i];
	case PART_THROTTLED:
		return throttled[i];
	case PART_UNREAD:
		return unread[i];
	default:
		return process[i];
	}
}

/* The last look within the wait that saw a state; 0: none. */
static uint64_t seen_by(const struct seen *s, uint64_t b)
{
	if (s->last_ns <= b)
		return s->last_ns;
	return s->before_ns <= b ? s->before_ns : 0;
}

static void sampled_add(struct spans *s, const struct wait *wait, const struct watched *at,
			uint64_t from, uint64_t to, enum wait_part part)
{
	spans_add(s, wait,
		  &(struct span){from, to, part, BASIS_SAMPLED, NULL,
				 grounds_of(part, at->distance_ns)});
}

static void unread_add(struct spans *s, const struct wait *wait, const struct watched *at)
{
	uint64_t unread = seen_by(&at->unread, wait->b),
		 unaccepted = seen_by(&at->unaccepted, wait->b);
	bool traced = at->traced_ns && at->traced_ns <= wait->b && (unread || unaccepted) &&
		      at->traced_ns > unread;

	if (traced)
		spans_add(s, wait,
			  &(struct span){at->since_ns, at->traced_ns, PART_UNREAD, BASIS_OBSERVED,
					 NULL, "until the process read it, as the kernel traced"});
	else if (unread)
		sampled_add(s, wait, at, at->since_ns, unread, PART_UNREAD);
}

static void watched_add(struct spans *s, const struct wait *wait, const struct watched *at)
{
	uint64_t unaccepted = seen_by(&at->unaccepted, wait->b);

	if (unaccepted)
		sampled_add(s, wait, at, at->since_ns, unaccepted, PART_UNACCEPTED);
	unread_add(s, wait, at);
	for (size_t i = 0; i < at->stop_count; i++)
		sampled_add(s, wait, at, at->stops[i].from_ns, seen_by(&at->stops[i].to, wait->b),
			    PART_STOPPED);
	for (size_t i = 0; i < at->window_count; i++)
		if (at->windows[i].to_ns <= wait->b)
			sampled_add(s, wait, at, at->windows[i].to_ns - at->windows[i].ns,
				    at->windows[i].to_ns, PART_THROTTLED);
}

const char *witness_spans(const struct witness *w, const struct wait *wait, struct spans *s)
{
	const char *read = NULL;

	for (size_t i = 0; w && i < w->count; i++) {
		const struct watched *at = &w->waits[i];

		if (at->side != wait->side || at->since_ns >= wait->b || at->looked_ns <= wait->a)
			continue;
		watched_add(s, wait, at);
		if ((at->all_read_ns && at->all_read_ns <= wait->b) ||
		    (at->traced_ns && at->traced_ns <= wait->b))
			read = grounds_of(PART_PROCESS, at->distance_ns);
	}
	return read;
}

void dependency_pending(const struct dependency_wait *of, struct dependency_findings *out)
{
	const struct wait wait = {.side = of->side, .a = of->from_ns, .b = of->now_ns};
	struct spans s = {.count = 0};
	const char *read;

	out->part_count = 0;
	if (of->now_ns < of->from_ns + WAIT_SPLIT_NS ||
	    (of->side == SIDE_NETWORK && !unacked_times_cover(of->unacked, &wait)))
		return;
	unacked_times_spans(of->unacked, &wait, &s);
	read = witness_spans(of->witness, &wait, &s);
	if (s.count || read)
		spans_split(&s, &wait, 0, read ? BASIS_SAMPLED : BASIS_INFERRED, read, out);
}

/* The cause. */

static bool part_is_stall(enum wait_part part)
{
	return part == PART_UNACCEPTED || part == PART_STOPPED || part == PART_THROTTLED ||
	       part == PART_UNREAD;
}

/* How long each of these states lasted in a step, whichever part has the time in the end. */
static void states_of(const struct dependency_login *login, size_t step, uint64_t sums[PART_COUNT])
{
	struct wait wait = {.side = login->steps[step].waits_on, .a = login->start_ns};
	struct spans s = {.count = 0};

	for (size_t i = 0; i < step; i++)
		wait.a += login->steps[i].ns;
	wait.b = wait.a + login->steps[step].ns;
	witness_spans(login->witness, &wait, &s);
	for (size_t i = 0; i < s.count; i++)
		sums[s.at[i].part] += s.at[i].to - s.at[i].from;
}

/* A process that is stopped or throttled neither accepts nor reads: that is the reason, if it lasted. */
static enum wait_part reason_of(const uint64_t sums[PART_COUNT], uint64_t stalled)
{
	if (2 * sums[PART_STOPPED] >= stalled)
		return PART_STOPPED;
	if (2 * sums[PART_THROTTLED] >= stalled)
		return PART_THROTTLED;
	/* Of what was read late, the time before accept() is the smaller part. */
	return 2 * sums[PART_UNACCEPTED] >= sums[PART_UNREAD] ? PART_UNACCEPTED : PART_UNREAD;
}

/*
 * With a full accept queue the server's host drops what the client sends: TCP does not acknowledge
 * it, and the reason is still that nobody accepts.
 */
static uint64_t queue_refused(const uint64_t parts[PART_COUNT], const uint64_t sums[PART_COUNT])
{
	uint64_t hidden = sums[PART_UNACCEPTED] > parts[PART_UNACCEPTED]
				  ? sums[PART_UNACCEPTED] - parts[PART_UNACCEPTED]
				  : 0;

	return hidden < parts[PART_UNACKNOWLEDGED] ? hidden : parts[PART_UNACKNOWLEDGED];
}

/* A process that was not there for most of the step that took longest. */
void witness_cause(const struct dependency_login *login, struct dependency_findings *out)
{
	uint64_t sums[PART_COUNT] = {0}, parts[PART_COUNT] = {0}, stalled = 0;
	size_t slowest = 0;

	for (size_t i = 0; i < login->step_count; i++)
		if (login->steps[i].ns > login->steps[slowest].ns)
			slowest = i;
	for (size_t i = 0; i < out->part_count; i++)
		if (out->parts[i].step == slowest)
			parts[out->parts[i].part] += out->parts[i].ns;
	states_of(login, slowest, sums);
	for (enum wait_part part = 0; part < PART_COUNT; part++)
		stalled += part_is_stall(part) ? parts[part] : 0;
	stalled += queue_refused(parts, sums);
	if (!stalled || 2 * stalled < login->steps[slowest].ns)
		return;
	out->stalled_by = reason_of(sums, stalled);
	out->cause = login->steps[slowest].waits_on == SIDE_CLIENT ? CAUSE_CLIENT_STALLED
		     : out->stalled_by == PART_THROTTLED	   ? CAUSE_THROTTLED
								   : CAUSE_STALLED;
	out->cause_ns = out->stalled_by == PART_STOPPED || out->stalled_by == PART_THROTTLED
				? sums[out->stalled_by]
				: stalled;
}
