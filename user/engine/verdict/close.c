/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * close.c - see verdict.h: how a connection ended, in a table like that of the logins. If its login
 * failed, the login's own verdict has said so.
 */
#include "engine/stream/repeats.h"
#include "engine/protocol/wire_text.h"
#include "engine/verdict/recent.h"
#include "engine/verdict/verdict.h"
#include "lib/units.h"

#define LOST_LATELY_NS (60 * NS_PER_S)

struct closing {
	const struct flow *f;
	const struct close_record *r;
	const struct history_redirect *redirect; /* NULL: no redirect */
	uint64_t now_ns;
	uint64_t lost_ns; /* when the tap last lost packets; 0: never */
};

struct close_row {
	enum verdict verdict;
	bool (*match)(const struct closing *c);
	char *(*text)(const struct closing *c);
	const char *constant; /* the text, if it is always the same */
};

static const char *who(const struct closing *c)
{
	return c->r->by == SIDE_SERVER ? "server" : "client";
}

/* ---- redirects ---- */

static bool is_followed(const struct closing *c)
{
	return c->redirect && c->redirect->followed_ns;
}

static char *followed_text(const struct closing *c)
{
	const struct history_redirect *d = c->redirect;
	uint64_t after_ns = d->followed_ns > d->at_ns ? d->followed_ns - d->at_ns : 0;

	return text_format(
		"the client followed the redirect: it connected to port %u %.3f ms after the "
		"answer",
		d->target.port, (double)after_ns / 1e6);
}

static bool is_not_followed(const struct closing *c)
{
	return c->redirect && c->now_ns >= c->redirect->at_ns + REDIRECT_NS;
}

static char *not_followed_text(const struct closing *c)
{
	return text_format("no connection of this client to port %u was seen in the %.0f s after "
			   "the redirect: it can't resolve or reach the host it was sent to, or "
			   "its way there does not pass here",
			   c->redirect->port, (double)REDIRECT_NS / 1e9);
}

static bool is_redirect_open(const struct closing *c)
{
	return c->redirect;
}

static char *redirect_open_text(const struct closing *c)
{
	return text_format("whether the client followed the redirect to port %u is not known: this "
			   "is too soon after it",
			   c->redirect->port);
}

/* ---- resets that nobody of the two sent on purpose ---- */

static bool is_reset_by_device(const struct closing *c)
{
	return c->r->how == CLOSE_RST && c->f->half[SIDE_CLIENT].ttl[c->r->by];
}

static char *reset_by_device_text(const struct closing *c)
{
	return text_format("the connection was reset by a packet whose TTL is not that of the %s's "
			   "other packets: a firewall or load balancer in the path may have sent "
			   "it, as they do with connections that were idle for long",
			   who(c));
}

/* The side whose keep-alive probes nobody answered, or SIDE_NONE. */
static enum side prober(const struct closing *c)
{
	if (c->r->how == CLOSE_FIN)
		return SIDE_NONE;
	for (int i = 0; i < 2; i++) {
		if (c->f->half[i].probes >= KEEPALIVE_LEAST &&
		    (c->r->how != CLOSE_RST || c->r->by == (enum side)i))
			return (enum side)i;
	}
	return SIDE_NONE;
}

static bool is_keepalive(const struct closing *c)
{
	return prober(c) != SIDE_NONE;
}

static char *keepalive_text(const struct closing *c)
{
	enum side by = prober(c);

	return text_format("at least %d keep-alive probes of the %s had no answer%s: the %s's host "
			   "is gone, or a firewall in the path forgot the connection",
			   KEEPALIVE_LEAST, side_name(by),
			   c->r->how == CLOSE_RST ? ", then it reset the connection" : "",
			   by == SIDE_CLIENT ? "server" : "client");
}

/* ---- sent, and never acknowledged ---- */

static bool is_path_dead(const struct closing *c)
{
	return c->r->unacknowledged.sent;
}

/* A request came after a long silence: devices that drop idle connections have this effect. */
static bool is_idle_dropped(const struct closing *c)
{
	return is_path_dead(c) && c->f->after_idle;
}

static char *unacked_text(const struct closing *c, const char *look)
{
	enum side side = c->r->unacknowledged.side;

	return text_format("the %s sent its last %llu bytes %u times, and the %s never "
			   "acknowledged them: %s",
			   side_name(side), (unsigned long long)c->r->unacknowledged.bytes,
			   c->r->unacknowledged.sent, side_name(side_other(side)), look);
}

static char *path_dead_text(const struct closing *c)
{
	return unacked_text(c, "the path lost them, or that host is gone; check firewalls and the "
			       "network between the two hosts");
}

static char *idle_dropped_text(const struct closing *c)
{
	return unacked_text(c, "before that the connection had been idle, so a firewall, load "
			       "balancer or NAT in the path has probably forgotten it (inferred). "
			       "Raise its idle time-out, or let the driver send keep-alive probes "
			       "sooner");
}

/* ---- the two sides ---- */

static bool is_open(const struct closing *c)
{
	return c->r->how != CLOSE_FIN && c->r->how != CLOSE_RST;
}

static bool is_mars_finished(const struct closing *c)
{
	return c->r->how == CLOSE_RST && c->r->has_mars && c->r->mars_sessions && !c->r->mars_open;
}

static char *mars_finished_text(const struct closing *c)
{
	return text_format("all %llu MARS sessions were closed before the %s reset the connection: "
			   "the end of a finished MARS connection, no failure",
			   (unsigned long long)c->r->mars_sessions, who(c));
}

/* A FIN before a reset may be missing, too. */
static bool is_close_unsure(const struct closing *c)
{
	return c->f->close_unsure || (c->r->how == CLOSE_RST && c->f->gap_last & 1 << c->r->by);
}

static char *close_unsure_text(const struct closing *c)
{
	if (!c->f->close_unsure)
		return text_format(
			"the %s reset the connection; packets before that are missing from "
			"the capture, so it may have closed it before",
			who(c));
	return text_format("the %s closed the connection; packets before that are missing from the "
			   "capture, so the other side may have closed it first",
			   side_name((enum side)c->f->close_by));
}

/* Of all kinds. */
static uint64_t commands_of(const struct closing *c)
{
	uint64_t commands = 0;

	for (int i = 0; i < COMMAND_COUNT; i++)
		commands += c->r->commands[i];
	return commands;
}

/* It is not known whether there was a session, so the server's close has no known meaning. */
static bool is_server_unclear(const struct closing *c)
{
	return c->r->by == SIDE_SERVER && c->r->has_login && c->r->login == OUTCOME_INCOMPLETE &&
	       !commands_of(c);
}

#define LOGIN_ANSWERS 2 /* of the server's: a Windows login has a challenge before its answer */

/*
 * Joined under TLS, and so few messages were seen that they may have been a login's. Then it is not
 * known whether there was a session.
 */
static bool is_joined_unclear(const struct closing *c)
{
	uint64_t commands = commands_of(c);

	return !c->r->has_login && (c->f->hidden || c->f->unfollowed) &&
	       commands == c->r->commands[COMMAND_UNKNOWN] && commands <= LOGIN_ANSWERS;
}

static bool is_server_of_joined(const struct closing *c)
{
	return c->r->by == SIDE_SERVER && is_joined_unclear(c);
}

static bool is_busy(const struct closing *c)
{
	/* Its answer may be among the packets that the tap has just lost. */
	bool lost = c->lost_ns && c->lost_ns + LOST_LATELY_NS > c->f->last_ns;

	return c->f->awaiting && !c->r->graceful && !lost && !is_joined_unclear(c);
}

static char *busy_text(const struct closing *c)
{
	const char *how = c->r->how == CLOSE_RST ? "reset" : "closed";

	if (c->r->by == SIDE_SERVER)
		return text_format("the server %s the connection while a request was under way: "
				   "see its error log for a severe error, KILL, shutdown or "
				   "failover",
				   how);
	return text_format("the client %s the connection while its request was not answered yet: a "
			   "command time-out, or its process was killed",
			   how);
}

static bool is_graceful(const struct closing *c)
{
	return c->r->graceful || (c->r->how == CLOSE_FIN && c->r->by == SIDE_CLIENT);
}

static bool is_client_reset(const struct closing *c)
{
	return c->r->by == SIDE_CLIENT;
}

static bool is_server_closed(const struct closing *c)
{
	(void)c;
	return true;
}

static char *server_closed_text(const struct closing *c)
{
	return text_format(
		"the server %s the connection: KILL, a shutdown, a failover, or an error "
		"that ends the session; see its error log",
		c->r->how == CLOSE_RST ? "reset" : "closed");
}

static const char graceful_text[] = "the client closed the connection";
static const char client_reset_text[] =
	"the client reset the connection and did not close it: drivers and pools that end so are "
	"many; else its process was killed";

static const struct close_row verdicts[] = {
	{V_REDIRECT_FOLLOWED, is_followed, followed_text, NULL},
	{V_REDIRECT_NOT_FOLLOWED, is_not_followed, not_followed_text, NULL},
	{V_REDIRECT_OPEN, is_redirect_open, redirect_open_text, NULL},
	{V_RESET_BY_DEVICE, is_reset_by_device, reset_by_device_text, NULL},
	{V_IDLE_DROPPED, is_idle_dropped, idle_dropped_text, NULL},
	{V_PATH_DEAD, is_path_dead, path_dead_text, NULL},
	{V_KEEPALIVE_DEAD, is_keepalive, keepalive_text, NULL},
	{V_NONE, is_open, NULL, NULL},
	{V_MARS_FINISHED, is_mars_finished, mars_finished_text, NULL},
	{V_PACKETS_MISSING, is_close_unsure, close_unsure_text, NULL},
	{V_NONE, is_server_unclear, NULL, NULL},
	{V_CLOSED_BUSY, is_busy, busy_text, NULL},
	{V_CLOSED, is_graceful, NULL, graceful_text},
	{V_CLIENT_RESET, is_client_reset, NULL, client_reset_text},
	{V_NONE, is_server_of_joined, NULL, NULL},
	{V_SERVER_CLOSED, is_server_closed, server_closed_text, NULL},
};

char *verdict_close(const struct history *h, const struct flow *f, const struct close_record *r,
		    uint64_t now_ns, uint64_t lost_ns, struct verdict_words *words)
{
	const struct close_row *v = verdicts;
	char *text;
	struct closing c = {.f = f, .r = r, .now_ns = now_ns, .lost_ns = lost_ns};

	*words = (struct verdict_words){0};
	if (r->has_login && r->login == OUTCOME_REDIRECTED)
		c.redirect = history_redirect(h, &r->client, &r->server);
	else if (r->has_login && r->login != OUTCOME_OK && r->login != OUTCOME_INCOMPLETE)
		return NULL;
	while (!v->match(&c))
		v++; /* the last row always matches */
	text = v->text ? v->text(&c) : NULL;
	words->id = v->verdict;
	words->text = text ? text : v->constant;
	words->class = verdict_class_of(v->verdict);
	return text;
}
