/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * answers.c - see answers.h. Why one server's answers can be compared by size: its refusals of one
 * kind differ by the length of a name (2 bytes for each letter: MS-TDS 2.2.7.10). Its login answers
 * differ by the database's name and by what the driver asked for (MS-TDS 2.2.7.14, 2.2.7.9), so the
 * same program gets answers of the same size each time.
 */
#include <string.h>

#include "engine/login/answers.h"
#include "lib/units.h"

#define NAMES	     40 /* bytes by which refusals of one kind differ: names of 20 letters */
#define HABIT_LEAST  3	/* a server that closed after so many refusals always closes */
#define HABIT_FACTOR 5	/* left open so many times longer than ever before, and ... */
#define HABIT_NS     50000000ull     /* ... for at least this long: not a refusal */
#define STREAK_NS    (60 * NS_PER_S) /* refusals further apart are not in a row */
#define BACK_NS	     NS_PER_S	     /* after its client came back, do not wait for a redirect */

/* FNV-1a by words; an attacker who chooses addresses of one set makes us forget, no more. */
static uint64_t hash(uint64_t h, const struct endpoint *e)
{
	uint64_t words[2];

	memcpy(words, e->addr, sizeof(words));
	h = (h ^ words[0]) * 0x100000001b3ull;
	h = (h ^ h >> 32 ^ words[1]) * 0x100000001b3ull;
	return (h ^ h >> 32 ^ e->port) * 0x100000001b3ull;
}

static uint32_t set_of(const struct endpoint *client, const struct endpoint *server)
{
	uint64_t h = hash(0xcbf29ce484222325ull, server);

	if (client)
		h = hash(h, client);
	return (uint32_t)(h >> 32 ^ h) % ANSWERS_SETS;
}

/* ---- sizes ---- */

const struct answers_server *answers_of(const struct answers *a, const struct endpoint *server)
{
	const struct answers_server *set = a->servers[set_of(NULL, server)];

	for (int i = 0; i < ANSWERS_WAYS; i++) {
		if (set[i].used && endpoint_same(&set[i].server, server))
			return &set[i];
	}
	return NULL;
}

/* The server's place; a new server takes that of the least recently used one. */
static struct answers_server *server_place(struct answers *a, const struct endpoint *server)
{
	struct answers_server *set = a->servers[set_of(NULL, server)], *oldest = set;

	for (int i = 0; i < ANSWERS_WAYS; i++) {
		if (set[i].used && endpoint_same(&set[i].server, server)) {
			set[i].used = ++a->uses;
			return &set[i];
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = (struct answers_server){.server = *server, .used = ++a->uses};
	return oldest;
}

/* How many bytes a size differs from the nearest of these; UINT32_MAX: there are no sizes. */
static uint32_t distance(const struct answer_sizes *s, struct answer_size size)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; i < ANSWERS_SIZES; i++) {
		const struct answer_size *known = &s->at[i];
		uint32_t off = 0;

		if (!known->most)
			continue;
		if (known->least > size.most)
			off = known->least - size.most;
		else if (size.least > known->most)
			off = size.least - known->most;
		if (off < least)
			least = off;
	}
	return least;
}

static void sizes_add(struct answer_sizes *s, struct answer_size size)
{
	for (int i = 0; i < ANSWERS_SIZES; i++) {
		if (s->at[i].least == size.least && s->at[i].most == size.most)
			return;
	}
	s->at[s->next] = size;
	s->next = (s->next + 1) % ANSWERS_SIZES;
}

void answers_note(struct answers *a, const struct endpoint *server, enum answer_kind kind,
		  struct answer_size size, uint64_t closed_ns)
{
	struct answers_server *s;

	if (!size.most || kind == ANSWER_UNKNOWN)
		return;
	s = server_place(a, server);
	sizes_add(kind == ANSWER_ACCEPTED ? &s->accepted : &s->refused, size);
	if (kind != ANSWER_REFUSED || closed_ns == NO_NS)
		return;
	s->closed_count++;
	if (closed_ns > s->closed_most_ns)
		s->closed_most_ns = closed_ns;
}

bool answers_has(const struct answers_server *s, enum answer_kind kind, struct answer_size size)
{
	if (!s || !size.most)
		return false;
	return !distance(kind == ANSWER_ACCEPTED ? &s->accepted : &s->refused, size);
}

bool answers_closes(const struct answers_server *s)
{
	return s && s->closed_count;
}

uint32_t answers_least(const struct answers_server *s)
{
	uint32_t least = UINT32_MAX;

	for (int i = 0; s && i < ANSWERS_SIZES; i++) {
		if (s->accepted.at[i].most && s->accepted.at[i].least < least)
			least = s->accepted.at[i].least;
	}
	return least;
}

/*
 * The server closes after refusals, and left this connection open for longer than it ever took to
 * close.
 */
static bool left_open(const struct answers_server *s, uint64_t open_ns)
{
	return s->closed_count >= HABIT_LEAST && open_ns >= HABIT_NS &&
	       open_ns / HABIT_FACTOR >= s->closed_most_ns;
}

enum answer_kind answers_compare(const struct answers_server *s, struct answer_size size,
				 uint64_t open_ns, const char **grounds)
{
	uint32_t accepted, refused;

	if (!s || !size.most)
		return ANSWER_UNKNOWN;
	accepted = distance(&s->accepted, size);
	refused = distance(&s->refused, size);
	if (accepted == UINT32_MAX || refused == UINT32_MAX)
		return ANSWER_UNKNOWN;
	if (refused > NAMES && !accepted) {
		*grounds = "the answer has the size of this server's other login answers, and of "
			   "none of its refusals";
		return ANSWER_ACCEPTED;
	}
	if (refused > NAMES && left_open(s, open_ns)) {
		*grounds = "this server closes after its refusals, but not after this answer, "
			   "which has the size of none of them";
		return ANSWER_ACCEPTED;
	}
	if (refused <= NAMES && accepted > NAMES && !left_open(s, open_ns)) {
		*grounds = "the answer has the size of this server's refusals, and of none of its "
			   "login answers";
		return ANSWER_REFUSED;
	}
	return ANSWER_UNKNOWN;
}

/* ---- guesses ---- */

/* A client is known by its host. */
static struct endpoint host_of(const struct endpoint *client)
{
	struct endpoint host = *client;

	host.port = 0;
	return host;
}

static struct answers_client *client_of_set(const struct answers_client *set,
					    const struct endpoint *host,
					    const struct endpoint *server)
{
	for (int i = 0; i < ANSWERS_WAYS; i++) {
		if (set[i].used && endpoint_same(&set[i].client, host) &&
		    endpoint_same(&set[i].server, server))
			return (struct answers_client *)&set[i];
	}
	return NULL;
}

static struct answers_client *client_find(const struct answers *a, const struct endpoint *client,
					  const struct endpoint *server)
{
	struct endpoint host = host_of(client);

	return client_of_set(a->clients[set_of(&host, server)], &host, server);
}

static struct answers_client *client_place(struct answers *a, const struct endpoint *client,
					   const struct endpoint *server)
{
	struct endpoint host = host_of(client);
	struct answers_client *set = a->clients[set_of(&host, server)];
	struct answers_client *found = client_of_set(set, &host, server);

	if (!found) {
		found = set;
		for (int i = 1; i < ANSWERS_WAYS; i++) {
			if (set[i].used < found->used)
				found = &set[i];
		}
		*found = (struct answers_client){.client = host, .server = *server};
	}
	found->used = ++a->uses;
	return found;
}

void answers_refused(struct answers *a, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns)
{
	struct answers_client *c = client_place(a, client, server);

	if (c->accepted_ns || !c->refused || ts_ns > c->last_ns + STREAK_NS) {
		c->refused = 0;
		c->first_ns = c->last_ns = ts_ns;
		c->accepted_ns = 0;
	}
	c->refused++;
	if (ts_ns > c->last_ns)
		c->last_ns = ts_ns;
}

void answers_accepted(struct answers *a, const struct endpoint *client,
		      const struct endpoint *server, uint32_t login7, uint64_t ts_ns)
{
	struct answers_client *c = client_place(a, client, server);

	if (!c->accepted_ns)
		c->accepted_ns = ts_ns ? ts_ns : 1;
	if (!login7)
		return;
	for (int i = 0; i < ANSWERS_KNOWN; i++) {
		if (c->known[i].login7 == login7)
			return;
	}
	c->known[c->next_known].login7 = login7;
	c->known[c->next_known].at_ns = ts_ns;
	c->next_known = (c->next_known + 1) % ANSWERS_KNOWN;
}

uint32_t answers_guesses(const struct answers *a, const struct endpoint *client,
			 const struct endpoint *server, uint32_t login7, uint64_t start_ns)
{
	const struct answers_client *c = client_find(a, client, server);

	/*
	 * Others logged in after the refusals and before this login: the refusals were not its own.
	 */
	if (!c || !c->refused || (c->accepted_ns && start_ns > c->accepted_ns) ||
	    start_ns > c->last_ns + STREAK_NS)
		return 0;
	for (int i = 0; i < ANSWERS_KNOWN && login7; i++) {
		if (c->known[i].login7 == login7 && c->known[i].at_ns < c->first_ns)
			return 0;
	}
	return c->refused;
}

/* ---- redirects ---- */

void answers_end(struct answers *a, const struct endpoint *client, const struct endpoint *server,
		 uint64_t answer_ns, bool by_server)
{
	a->left[a->next_left] = (struct answers_left){
		.client = *client,
		.server = *server,
		.at_ns = answer_ns ? answer_ns : 1,
		.by_server = by_server,
	};
	a->next_left = (a->next_left + 1) % ANSWERS_LEFT;
}

/*
 * Which connection's client may have been sent on to this one: one that the client ended goes
 * before one that the server ended, and then the oldest.
 */
static bool before(const struct answers_left *a, const struct answers_left *b)
{
	if (!b || a->by_server != b->by_server)
		return !b || b->by_server;
	return a->at_ns < b->at_ns;
}

void answers_connected(struct answers *a, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns)
{
	bool azure = server->port >= AZURE_PORT_LEAST && server->port <= AZURE_PORT_MOST;
	struct answers_left *sent = NULL;

	/* The ring fills from its beginning, and is mostly empty. */
	for (int i = 0; i < ANSWERS_LEFT && a->left[i].at_ns; i++) {
		struct answers_left *l = &a->left[i];

		if (!endpoint_same_host(&l->client, client) || l->at_ns > ts_ns || l->target_ns ||
		    !answers_open(l, ts_ns))
			continue;
		if (endpoint_same(&l->server, server) && !l->back_ns)
			l->back_ns = ts_ns ? ts_ns : 1;
		else if (azure && !endpoint_same(&l->server, server) &&
			 !(l->by_server && l->back_ns) && before(l, sent))
			sent = l;
	}
	if (!sent)
		return;
	sent->target = *server;
	sent->target_ns = ts_ns ? ts_ns : 1;
}

const struct answers_left *answers_left(const struct answers *a, const struct endpoint *client,
					const struct endpoint *server)
{
	const struct answers_left *newest = NULL;

	for (int i = 0; i < ANSWERS_LEFT && a->left[i].at_ns; i++) {
		const struct answers_left *l = &a->left[i];

		if (endpoint_same(&l->client, client) && endpoint_same(&l->server, server) &&
		    (!newest || l->at_ns > newest->at_ns))
			newest = l;
	}
	return newest;
}

bool answers_open(const struct answers_left *left, uint64_t now_ns)
{
	if (!left || left->target_ns)
		return false;
	if (left->back_ns && (left->by_server || now_ns >= left->at_ns + BACK_NS))
		return false;
	return now_ns < left->at_ns + ANSWERS_NEXT_NS;
}
