/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* incomplete.c - see rule.h: the effects of the capture or the path on a login. */
#include "engine/protocol/wire_text.h"
#include "engine/verdict/rule.h"

/* ---- packets missing ---- */

static bool is_one_sided(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->one_sided;
}

static char *one_sided_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("only the packets of the %s were captured; capture both directions (a "
			   "mirror port may copy one of them, or the way back takes another path)",
			   l->tcp.payload_ns[SIDE_CLIENT] || l->tcp.syn_ns ? "client" : "server");
}

static bool is_evicted(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->evicted;
}

static char *evicted_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("tdsmon had to forget this connection to make room for others while it "
			   "waited for %s; give it more room by --max-connections",
			   verdict_due(l)->what);
}

static bool is_clock_stepped(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->clock_stepped;
}

static char *clock_stepped_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format("the capture's clock jumped during this login, so how long anybody "
			   "waited is not known");
}

static bool is_missing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->lossy;
}

static char *missing_text(const struct login *l, const struct login_record *r)
{
	if (l->ring_lost)
		return text_format(
			"the ring buffer was full and packets were lost while this login was "
			"under way, so nothing is concluded from what it seems to lack; "
			"--ring-size gives it more room");
	if (!l->missing_bytes && r->mid_stream)
		return text_format("the beginning of this login was not captured, so nothing is "
				   "concluded from the rest");
	if (!l->missing_bytes)
		return text_format(
			"the packet that completes the TCP handshake is missing from the "
			"capture, so no time is given");
	return text_format("%llu bytes of this login are missing from the capture, so nothing is "
			   "concluded from it",
			   (unsigned long long)l->missing_bytes);
}

static bool is_cut(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->unread;
}

static char *cut_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	if (!l->cut)
		return text_format("a message of this login is longer than is held, or there was "
				   "no room left to hold it, so it was not read");
	return text_format("the capture cut packets short, so that the answer can't be read; "
			   "capture with a longer snap length");
}

static bool is_ended(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->at_end;
}

static char *ended_text(const struct login *l, const struct login_record *r)
{
	const struct due *due = verdict_due(l);

	(void)r;
	return text_format("%s while %s was waited for",
			   l->env->capture ? "the capture ended" : "tdsmon stopped watching",
			   due->what);
}

static bool is_hidden(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_INCOMPLETE;
}

static char *hidden_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the login is encrypted, and what came after it does not tell whether it "
		"succeeded");
}

/* ---- resets ---- */

/* Not for probes: scanners make their SYNs themselves, and their kernel resets the answers. */
static bool is_device_reset(const struct login *l, const struct login_record *r)
{
	return l->closed_how == CLOSE_RST && l->ttl_differs &&
	       (r->outcome == OUTCOME_DROPPED || r->outcome == OUTCOME_ABANDONED ||
		r->outcome == OUTCOME_TLS_FAILED || r->outcome == OUTCOME_TIMED_OUT);
}

static char *device_reset_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		"the connection was reset while %s was due, by a packet whose TTL is not "
		"that of the %s's other packets: a firewall or load balancer in the path "
		"may have sent it",
		verdict_due(l)->what, l->closed_by == SIDE_CLIENT ? "client" : "server");
}

/* ---- sent, and never acknowledged ---- */

#define MTU_LEAST 1000 /* bytes; a path that drops only larger segments drops them for their size */

static bool is_path_dead(const struct login *l, const struct login_record *r)
{
	return l->unacked.sent &&
	       (r->outcome == OUTCOME_TIMED_OUT || r->outcome == OUTCOME_DROPPED ||
		r->outcome == OUTCOME_ABANDONED || r->outcome == OUTCOME_TLS_FAILED);
}

static bool is_mtu(const struct login *l, const struct login_record *r)
{
	return is_path_dead(l, r) && l->unacked.shortest >= MTU_LEAST;
}

/* "the server sent 1460 bytes 6 times within 9.3 s, and the client never acknowledged them" */
static char *unacked_text(const struct login *l, const struct login_record *r, const char *look)
{
	const struct unacked *u = &l->unacked;
	const char *sender = side_name(u->side), *peer = side_name(side_other(u->side));

	if (u->sent == 1)
		return text_format("%llu bytes of the %s never arrived, though later ones did: %s",
				   (unsigned long long)u->bytes, sender, look);
	return text_format("the %s sent %llu bytes %u times within %.3f s, and the %s never "
			   "acknowledged them: %s",
			   sender, (unsigned long long)u->bytes, u->sent,
			   verdict_seconds(r->end_ns > u->since_ns ? r->end_ns - u->since_ns : 0),
			   peer, look);
}

static char *mtu_text(const struct login *l, const struct login_record *r)
{
	return unacked_text(l, r,
			    "smaller segments went through, so the path drops large packets; check "
			    "the MTU along it, and whether a firewall drops the ICMP messages "
			    "that name it");
}

static char *path_dead_text(const struct login *l, const struct login_record *r)
{
	return unacked_text(l, r,
			    "the path lost them, or that host is gone; SQL Server had no part in "
			    "it. Check firewalls and the network between the two hosts");
}

const struct verdict_row verdict_path[] = {
	{.verdict = V_ONE_DIRECTION, .match = is_one_sided, .text = one_sided_text},
	{.verdict = V_PACKETS_MISSING, .match = is_missing, .text = missing_text},
	{.verdict = V_EVICTED, .match = is_evicted, .text = evicted_text},
	{.verdict = V_CLOCK_STEPPED, .match = is_clock_stepped, .text = clock_stepped_text},
	{.verdict = V_CAPTURE_CUT, .match = is_cut, .text = cut_text},
	{.verdict = V_CAPTURE_ENDED, .match = is_ended, .text = ended_text},
	{.verdict = V_OUTCOME_HIDDEN, .match = is_hidden, .text = hidden_text},
	{.verdict = V_RESET_BY_DEVICE, .match = is_device_reset, .text = device_reset_text},
	{.verdict = V_MTU, .match = is_mtu, .text = mtu_text},
	{.verdict = V_PATH_DEAD, .match = is_path_dead, .text = path_dead_text},
	{0},
};
