// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * wait_exchanges.c - what an exchange may say about a wait: tolerances of time, and whether it was
 * answered.
 */
#include <string.h>

#include "engine/dependency/dependency_int.h"

#define NEAR_NS	     25000000ull    /* a busy host's time between two consecutive steps */
#define LATE_NS	     100000000ull   /* until a busy server makes the call that NTLM needs */
#define OPEN_LONG_NS 30000000000ull /* an open request older than this counts as forgotten */

uint64_t wait_near(const struct wait *w)
{
	return NEAR_NS + (w->b - w->a) / 50;
}

uint64_t wait_late(const struct wait *w)
{
	return LATE_NS + (w->b - w->a) / 10;
}

bool wait_fits(const struct exchange *x, const struct wait *w)
{
	return x->start_ns <= w->a + wait_near(w) && x->end_ns + wait_near(w) >= w->b &&
	       2 * exchange_gap(x->start_ns, exchange_until(x, w->b)) >= w->b - w->a;
}

/* Only domain controllers are asked so. */
static bool exchange_is_dcs(const struct exchange *x)
{
	return x->kind == DEPENDENCY_NETLOGON || x->kind == DEPENDENCY_KERBEROS ||
	       x->kind == DEPENDENCY_LDAP;
}

bool exchange_peer_is_dc(struct companions *c, const struct exchange *of)
{
	for_each_exchange(x, c, of->start_ns)
	{
		if (exchange_is_dcs(x) && !memcmp(x->peer.addr, of->peer.addr, 16) &&
		    exchange_of(x, companions_host(of)))
			return true;
	}
	return false;
}

enum wait_part exchange_part(struct companions *c, const struct exchange *x, enum side side)
{
	switch (x->kind) {
	case DEPENDENCY_DNS:
		return PART_DNS;
	case DEPENDENCY_LDAP:
		return PART_LDAP;
	case DEPENDENCY_KERBEROS:
		return PART_KDC;
	case DEPENDENCY_HTTP:
		return PART_CRL;
	case DEPENDENCY_HTTPS:
		return PART_TOKEN;
	case DEPENDENCY_NETLOGON:
	case DEPENDENCY_SMB:
	case DEPENDENCY_OTHER: /* RPC */
		return side == SIDE_SERVER && exchange_peer_is_dc(c, x) ? PART_DC : PART_PROCESS;
	default:
		return PART_PROCESS;
	}
}

uint64_t exchange_rtt_to(struct companions *c, const uint8_t *host, const uint8_t *peer,
			 uint64_t now)
{
	uint64_t least = NO_NS;

	for_each_exchange(x, c, now)
	{
		uint64_t ns;

		if (x->udp || x->ack_ns == NO_NS || x->sent > 1 || !exchange_of(x, host) ||
		    memcmp(x->peer.addr, peer, 16))
			continue;
		ns = exchange_gap(x->start_ns, x->ack_ns);
		if (ns < least)
			least = ns;
	}
	return least;
}

bool exchange_unanswered(const struct companions *c, const struct exchange *x, uint64_t b)
{
	if (companions_unclear(c, x))
		return false;
	return (x->state == EXCHANGE_OPEN && x->start_ns + OPEN_LONG_NS > b) ||
	       (x->state == EXCHANGE_OPEN && x->sent > 1) || x->state == EXCHANGE_CLOSED ||
	       (x->state == EXCHANGE_ANSWERED && x->end_ns > b);
}

bool exchange_is_dead(const struct exchange *x)
{
	/* Sent once and not answered: the response may have been lost on its way to us. */
	if (x->state != EXCHANGE_ANSWERED)
		return x->ack_ns == NO_NS && x->sent > 1;
	return x->sent > 1 &&
	       2 * exchange_gap(x->start_ns, x->ack_ns) >= exchange_gap(x->start_ns, x->end_ns);
}
