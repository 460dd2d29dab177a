// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency_cause.c - the cause: the largest part over all waits.
 */
#include "engine/dependency/dependency_int.h"
#include "lib/units.h"

#define FAR_RTT_NS	5000000ull
#define FAR_RTT_MOST_NS NS_PER_S /* no path is longer: TCP would have retransmitted */

static const struct exchange *cause_exchange(const struct spans *all, enum wait_part part)
{
	const struct span *longest = NULL;

	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].part == part &&
		    (!longest || all->at[i].to - all->at[i].from > longest->to - longest->from))
			longest = &all->at[i];
	return longest ? longest->x : NULL;
}

/* A domain controller answered late: is it unreachable, far, or slow? */
static enum cause cause_of_dc(const struct exchange *x, uint64_t rtt_ns)
{
	uint64_t taken = x ? exchange_gap(x->start_ns, x->end_ns) : 0;

	if (!x)
		return CAUSE_DC_SLOW;
	if (exchange_is_dead(x))
		return CAUSE_DC_UNREACHABLE;
	if (x->state != EXCHANGE_ANSWERED && x->ack_ns == NO_NS)
		return CAUSE_NONE;
	if (rtt_ns != NO_NS && rtt_ns >= FAR_RTT_NS && rtt_ns < FAR_RTT_MOST_NS &&
	    2 * taken <= 5 * rtt_ns)
		return CAUSE_DC_FAR;
	return CAUSE_DC_SLOW;
}

/*
 * The domain controller's response took little of the wait, and nothing else is known of the rest.
 */
static bool is_server_busy(const struct dependency_findings *out, const uint64_t sums[PART_COUNT])
{
	uint64_t all = 0;

	if (!out->own || out->own->state != EXCHANGE_ANSWERED || !out->own_at_once ||
	    out->others_unclear)
		return false;
	for (enum wait_part part = 0; part < PART_COUNT; part++)
		all += sums[part];
	return 3 * sums[PART_PROCESS] >= 2 * all &&
	       4 * exchange_gap(out->own->start_ns, out->own->end_ns) <= all;
}

void dependency_cause(struct companions *c, const struct dependency_login *login,
		      struct dependency_findings *out, const struct spans *all, uint64_t end)
{
	uint64_t sums[PART_COUNT] = {0};
	enum wait_part most = PART_PROCESS;

	for (size_t i = 0; i < out->part_count; i++)
		sums[out->parts[i].part] += out->parts[i].ns;
	for (enum wait_part part = 0; part < PART_COUNT; part++)
		if (sums[part] > sums[most])
			most = part;
	/* A queue that is about as long as the call still counts as the domain controller's. */
	if (most == PART_DC_QUEUE && sums[PART_DC] + sums[PART_DC] / 20 >= sums[most])
		most = PART_DC;
	out->worst = cause_exchange(all, most);
	out->cause_ns = sums[most];
	if (out->worst)
		out->rtt_ns =
			exchange_rtt_to(c, companions_host(out->worst), out->worst->peer.addr, end);
	switch (most) {
	case PART_DC:
		out->cause = cause_of_dc(out->worst, out->rtt_ns);
		break;
	case PART_DC_QUEUE:
		out->cause = out->queue_is_dead ? CAUSE_DC_UNREACHABLE : CAUSE_DC_QUEUE;
		break;
	case PART_KDC:
		if (out->worst && exchange_of(out->worst, login->server))
			out->cause = cause_of_dc(out->worst, out->rtt_ns);
		else
			out->cause = out->kerberos_errors ? CAUSE_KERBEROS_ERROR : CAUSE_KDC;
		break;
	case PART_LDAP:
		out->cause = CAUSE_LDAP;
		break;
	case PART_DNS:
		out->cause = CAUSE_DNS;
		break;
	case PART_CRL:
		out->cause = CAUSE_CERTIFICATE_CHECK;
		break;
	case PART_TOKEN:
		out->cause = CAUSE_TOKEN;
		break;
	default:
		out->cause = is_server_busy(out, sums) ? CAUSE_SERVER_BUSY : CAUSE_NONE;
	}
}
