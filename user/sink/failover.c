// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * failover.c - see failover.h. All tables are fixed. Where one has no room for what it would need to
 * know, nothing is inferred from it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "sink/failover.h"
#include "sink/sink.h"

#define FAILOVER_SERVERS    64
#define FAILOVER_PAIRS	    4096
#define FAILOVER_GAP_NS	    (2 * NS_PER_S)   /* longest between two closes of an event */
#define FAILOVER_MOST_NS    (60 * NS_PER_S)  /* and from the first one to the last */
#define FAILOVER_LATE_NS    (5 * NS_PER_S)   /* so late a failed login may be reported */
#define FAILOVER_WAIT_NS    (120 * NS_PER_S) /* so long a good login is waited for */
#define FAILOVER_CANDIDATES 4

/* Another server that clients of the event logged in to. */
struct candidate {
	struct endpoint server;
	uint32_t logins;
	uint64_t first_ns; /* end of the first good one */
};

struct failover_server {
	struct endpoint server;
	uint64_t used_ns; /* 0: the place is free */
	uint32_t open;	  /* sessions whose login was seen */
	/* Sessions that it closed one after the other: an event, once they are enough (event.id). */
	struct failover_event event;
	uint64_t last_ns, login_ns; /* the last close; the first good login after it */
	uint8_t clients[FAILOVER_CLIENTS][16];
	struct candidate candidates[FAILOVER_CANDIDATES];
};

/* A client that logged in to a server, and when it did so first. */
struct pair {
	uint8_t client[16];
	struct endpoint server;
	uint64_t since_ns;
};

struct failover {
	failover_fn *fn;
	void *ctx;
	uint64_t last_id;
	struct failover_server servers[FAILOVER_SERVERS];
	struct pair pairs[FAILOVER_PAIRS]; /* by hash, then the next free place */
	uint32_t pair_count;
};

struct failover *failover_new(failover_fn *fn, void *ctx)
{
	struct failover *failover = calloc(1, sizeof(*failover));

	if (!failover)
		return NULL;
	failover->fn = fn;
	failover->ctx = ctx;
	return failover;
}

void failover_free(struct failover *failover)
{
	free(failover);
}

/* When did the client first log in to the server? 0: not known, the table is full. */
static uint64_t pair_since(struct failover *failover, const uint8_t client[16],
			   const struct endpoint *server, uint64_t now_ns)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (int i = 0; i < 16; i++)
		hash = ((hash ^ client[i]) * 16777619u ^ server->addr[i]) * 16777619u;
	hash = (hash ^ server->port) * 16777619u;
	for (uint32_t i = 0;; i++) {
		struct pair *pair = &failover->pairs[(hash + i) % FAILOVER_PAIRS];

		if (!pair->since_ns) {
			if (failover->pair_count == FAILOVER_PAIRS / 2)
				return 0; /* the other half stays free, and ends the search */
			*pair = (struct pair){.server = *server, .since_ns = now_ns};
			memcpy(pair->client, client, sizeof(pair->client));
			failover->pair_count++;
		} else if (memcmp(pair->client, client, 16) ||
			   !endpoint_same(&pair->server, server)) {
			continue;
		}
		return pair->since_ns;
	}
}

/* The server's place; one that was not used for longest gives way. */
static struct failover_server *server_of(struct failover *failover, const struct endpoint *server,
					 uint64_t now_ns)
{
	struct failover_server *oldest = failover->servers;

	for (int i = 0; i < FAILOVER_SERVERS; i++) {
		struct failover_server *s = &failover->servers[i];

		if (s->used_ns && endpoint_same(&s->server, server)) {
			s->used_ns = now_ns;
			return s;
		}
		if (s->used_ns < oldest->used_ns)
			oldest = s;
	}
	*oldest = (struct failover_server){.server = *server, .used_ns = now_ns};
	return oldest;
}

static void tell(struct failover *failover, struct failover_server *s)
{
	failover->fn(failover->ctx, &s->event);
}

static void forget_event(struct failover_server *s)
{
	s->event = (struct failover_event){0};
	memset(s->candidates, 0, sizeof(s->candidates));
}

static bool has_lost(const struct failover_server *s, const uint8_t client[16])
{
	for (uint32_t i = 0; i < s->event.clients; i++)
		if (!memcmp(s->clients[i], client, 16))
			return true;
	return false;
}

/* Time passed: is the series of closes over, and the wait for a login? */
static void server_at(struct failover *failover, struct failover_server *s, uint64_t now_ns)
{
	uint64_t until_ns = s->last_ns + FAILOVER_GAP_NS;

	if (s->event.id && s->event.login_ns == NO_NS)
		until_ns = s->last_ns + FAILOVER_WAIT_NS;
	else if (s->event.id && s->login_ns + FAILOVER_LATE_NS > until_ns)
		until_ns = s->login_ns + FAILOVER_LATE_NS;
	if (!s->event.closed || now_ns <= until_ns)
		return;
	s->event.over = true;
	if (s->event.id)
		tell(failover, s);
	forget_event(s);
}

void failover_tick(struct failover *failover, uint64_t now_ns)
{
	for (int i = 0; i < FAILOVER_SERVERS; i++)
		server_at(failover, &failover->servers[i], now_ns);
}

/* Did the login begin after the closes, while no good one had come? */
static bool is_awaited(const struct failover_server *s, const struct login_record *rec)
{
	return s->event.id && s->event.login_ns == NO_NS && rec->start_ns >= s->last_ns;
}

static void first_login(struct failover *failover, struct failover_server *s,
			enum failover_kind kind, uint64_t end_ns)
{
	s->event.kind = kind;
	s->event.login_ns = end_ns - s->event.begin_ns;
	s->login_ns = end_ns;
	tell(failover, s);
}

/* A good login of a client that lost sessions of s, to another server that it did not use before. */
static void login_elsewhere(struct failover *failover, struct failover_server *s,
			    const struct login_record *rec)
{
	for (struct candidate *c = s->candidates; c < s->candidates + FAILOVER_CANDIDATES; c++) {
		if (!c->logins)
			*c = (struct candidate){.server = rec->server, .first_ns = rec->end_ns};
		else if (!endpoint_same(&c->server, &rec->server))
			continue;
		if (++c->logins < FAILOVER_MOVED)
			return;
		s->event.to = c->server;
		first_login(failover, s, FAILOVER_ELSEWHERE, c->first_ns);
		return;
	}
}

static void good_login(struct failover *failover, const struct login_record *rec)
{
	struct failover_server *own = server_of(failover, &rec->server, rec->end_ns);
	const uint8_t *client = rec->client.addr;
	uint64_t since_ns = pair_since(failover, client, &rec->server, rec->end_ns);

	server_at(failover, own, rec->end_ns);
	own->open++;
	if (is_awaited(own, rec))
		first_login(failover, own, own->event.failed ? FAILOVER_SAME : FAILOVER_CLOSED,
			    rec->end_ns);
	for (struct failover_server *s = failover->servers;
	     s < failover->servers + FAILOVER_SERVERS; s++)
		if (s != own && is_awaited(s, rec) && has_lost(s, client) &&
		    since_ns >= s->event.begin_ns)
			login_elsewhere(failover, s, rec);
}

/* A login to the server failed: one that comes late may have failed before the first good one. */
static void bad_login(struct failover *failover, const struct login_record *rec)
{
	struct failover_server *s = server_of(failover, &rec->server, rec->end_ns);
	struct failover_event *event = &s->event;

	server_at(failover, s, rec->end_ns);
	if (!event->id || rec->end_ns < event->begin_ns ||
	    (event->login_ns != NO_NS && rec->end_ns > s->login_ns))
		return;
	event->failed++;
	if (event->login_ns != NO_NS && event->kind == FAILOVER_CLOSED)
		event->kind = FAILOVER_SAME;
	tell(failover, s);
}

void failover_login(struct failover *failover, const struct login_record *rec)
{
	if (rec->outcome == OUTCOME_OK)
		good_login(failover, rec);
	else if (sink_failed(rec))
		bad_login(failover, rec);
}

/* Did the server's side end a session that was open? */
static bool is_lost(const struct close_record *rec)
{
	return rec->phase == PHASE_SESSION && rec->by == SIDE_SERVER &&
	       (rec->how == CLOSE_FIN || rec->how == CLOSE_RST);
}

static void session_lost(struct failover *failover, struct failover_server *s,
			 const struct close_record *rec)
{
	struct failover_event *event = &s->event;

	if (event->closed && !event->id && rec->time_ns > event->begin_ns + FAILOVER_MOST_NS)
		forget_event(s);
	if (!event->closed)
		*event = (struct failover_event){
			.server = s->server, .begin_ns = rec->time_ns, .open = s->open};
	if (event->closed == event->open)
		return; /* one that began after the others had been closed */
	event->closed++;
	if (rec->time_ns > event->begin_ns)
		event->close_ns = rec->time_ns - event->begin_ns;
	/* A good login in between was no sign that the closes were over. */
	event->kind = FAILOVER_CLOSED;
	event->login_ns = NO_NS;
	s->last_ns = rec->time_ns;
	if (event->clients < FAILOVER_CLIENTS && !has_lost(s, rec->client.addr))
		memcpy(s->clients[event->clients++], rec->client.addr, 16);
	if (!event->id && event->closed >= FAILOVER_LEAST && 4 * event->closed >= 3 * event->open)
		event->id = ++failover->last_id;
	if (event->id)
		tell(failover, s);
}

void failover_close(struct failover *failover, const struct close_record *rec)
{
	struct failover_server *s;

	if (!rec->has_login || rec->login != OUTCOME_OK)
		return;
	s = server_of(failover, &rec->server, rec->time_ns);
	server_at(failover, s, rec->time_ns);
	if (!s->open)
		return; /* its login was before this place was the server's */
	if (is_lost(rec))
		session_lost(failover, s, rec);
	s->open--;
}

const char *failover_kind_text(enum failover_kind kind)
{
	static const char *const texts[] = {[FAILOVER_CLOSED] = "sessions closed",
					    [FAILOVER_SAME] =
						    "failover behind the same address, or restart",
					    [FAILOVER_ELSEWHERE] = "failover"};

	return texts[kind];
}

const char *failover_text(const struct failover_event *event, char text[FAILOVER_TEXT])
{
	char server[SINK_ENDPOINT_MAX], to[SINK_ENDPOINT_MAX], within[CLOCK_TEXT],
		login[CLOCK_TEXT];
	bool inferred = event->kind != FAILOVER_CLOSED;
	int len;

	len = snprintf(text, FAILOVER_TEXT,
		       "%s%s%s closed %" PRIu32 " of %" PRIu32 " sessions of %" PRIu32
		       " client%s within %s; %" PRIu32 " login%s failed; ",
		       inferred ? failover_kind_text(event->kind) : "",
		       inferred ? " (inferred): " : "", sink_endpoint(&event->server, server),
		       event->closed, event->open, event->clients, event->clients == 1 ? "" : "s",
		       clock_duration(event->close_ns, within), event->failed,
		       event->failed == 1 ? "" : "s");
	if (event->login_ns == NO_NS)
		snprintf(text + len, FAILOVER_TEXT - (size_t)len, "no login succeeded since then");
	else
		snprintf(text + len, FAILOVER_TEXT - (size_t)len,
			 "the first good login came after %s, to %s",
			 clock_duration(event->login_ns, login),
			 event->kind == FAILOVER_ELSEWHERE ? sink_endpoint(&event->to, to)
							   : "the same address");
	return text;
}
