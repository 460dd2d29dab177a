// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_auth.c - requests whose passwords must be checked wait for their turn, with their
 * connections suspended, because a check is slow by design. Parties take turns. Within a party the
 * name and password that came first are next, even if their client gave up waiting and came again:
 * so a correct password is checked soon, however many passwords others try. Pauses between checks
 * limit them to a quarter of a core.
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>

#include "lib/clock.h"
#include "http/http_int.h"
#include "lib/units.h"

#define AUTH_WAIT_NS 30000000000ull /* after this time the answer is "later" */
#define AUTH_PAUSE   3		    /* times the duration of the last check */

/* The credentials in a request's header. */
struct credentials {
	char *name, *password; /* NULL: not given */
};

static struct credentials credentials_of(const struct http_peer *peer)
{
	struct credentials c = {0};

	c.name = MHD_basic_auth_get_username_password(peer->connection, &c.password);
	return c;
}

static void credentials_release(struct credentials *c)
{
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	MHD_free(c->name);
	MHD_free(c->password);
}

static void auth_arm(const struct http *http, uint64_t at_ns)
{
	struct itimerspec spec = {.it_value = {.tv_sec = (time_t)(at_ns / NS_PER_S),
					       .tv_nsec = (long)(at_ns % NS_PER_S)}};

	timerfd_settime(http->auth_timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* The request is repeated after its check, or when it gives up waiting. */
static void auth_wait(struct http *http, struct http_peer *peer, const struct credentials *c)
{
	uint64_t now_ns = clock_now_ns();

	peer->waits = true;
	peer->waits_since_ns = basic_auth_waits_since(http->auth, c->name, c->password, now_ns);
	http_peer_set(peer, HTTP_PEER_ANSWER, now_ns + AUTH_WAIT_NS);
	MHD_suspend_connection(peer->connection);
	auth_arm(http, http->auth_next_ns ?: 1);
}

enum basic_auth_answer http_auth(struct http *http, struct http_peer *peer)
{
	enum basic_auth_answer answer = peer->auth;
	struct credentials c;

	if (!http->auth)
		return BASIC_AUTH_YES;
	peer->auth = BASIC_AUTH_UNKNOWN;
	if (answer != BASIC_AUTH_UNKNOWN)
		return answer;
	c = credentials_of(peer);
	answer = basic_auth_look(http->auth, c.name, c.password);
	if (answer == BASIC_AUTH_UNKNOWN && http->ending)
		answer = BASIC_AUTH_LATER; /* the daemon cannot stop with suspended connections */
	if (answer == BASIC_AUTH_UNKNOWN)
		auth_wait(http, peer, &c);
	credentials_release(&c);
	return answer;
}

/* Resume the request with this answer: on_request() is called for it again. */
static void auth_end(struct http_peer *peer, enum basic_auth_answer answer)
{
	peer->waits = false;
	peer->auth = answer;
	MHD_resume_connection(peer->connection);
}

void http_auth_give_up(struct http_peer *peer)
{
	if (peer->waits)
		auth_end(peer, BASIC_AUTH_LATER);
}

/* When this party's last check was made; 0: not recently. */
static uint64_t served_ns(const struct http *http, const struct http_peer *peer)
{
	uint64_t last_ns = 0;

	for (size_t i = 0; i < HTTP_AUTH_SERVED; i++)
		if (http->auth_served[i].at_ns > last_ns &&
		    !memcmp(http->auth_served[i].party, peer->party, sizeof(peer->party)))
			last_ns = http->auth_served[i].at_ns;
	return last_ns;
}

/* Has the client shut down its side? Then it may have gone. */
static bool may_have_left(const struct http_peer *peer)
{
	struct pollfd p = {.fd = peer->fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0;
}

/* The waiting connection whose turn is next, or NULL. */
static struct http_peer *auth_next(const struct http *http)
{
	struct http_peer *next = NULL;
	uint64_t next_served_ns = 0;
	bool next_left = false;

	for (struct http_peer *p = http->peers; p; p = p->next) {
		uint64_t at_ns;
		bool left;

		if (!p->waits || p->closing)
			continue;
		at_ns = served_ns(http, p);
		left = may_have_left(p);
		if (next && (left != next_left	       ? left
			     : at_ns != next_served_ns ? at_ns > next_served_ns
						       : p->waits_since_ns > next->waits_since_ns))
			continue;
		next = p;
		next_served_ns = at_ns;
		next_left = left;
	}
	return next;
}

static uint64_t cpu_ns(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

void http_auth_turn(struct http *http)
{
	struct http_peer *peer = clock_now_ns() < http->auth_next_ns ? NULL : auth_next(http);
	struct http_served *served = &http->auth_served[http->auth_served_next];
	uint64_t start_ns = cpu_ns(), end_ns;
	struct credentials c;

	if (!peer)
		return;
	c = credentials_of(peer);
	auth_end(peer, basic_auth_check(http->auth, c.name, c.password));
	credentials_release(&c);
	end_ns = clock_now_ns();
	*served = (struct http_served){.at_ns = end_ns};
	memcpy(served->party, peer->party, sizeof(served->party));
	http->auth_served_next = (http->auth_served_next + 1) % HTTP_AUTH_SERVED;
	http->auth_next_ns = end_ns + AUTH_PAUSE * (cpu_ns() - start_ns);
	if (auth_next(http))
		auth_arm(http, http->auth_next_ns);
}
