/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_path.c - see verdict_row.h: what the capture or the path did to a login.
 */
#include "text.h"
#include "verdict_row.h"

/* ---- packets missing ---- */

static bool is_missing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->lossy;
}

static char *missing_text(const struct login *l, const struct login_record *r)
{
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
	return text_format("the capture ended while %s was waited for", due->what);
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

/* Not of probes: scanners make their SYNs themselves, and their kernel resets what comes of them.
 */
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

const struct verdict verdict_path[] = {
	{.name = "packets_missing", .match = is_missing, .text = missing_text},
	{.name = "capture_cut", .match = is_cut, .text = cut_text},
	{.name = "capture_ended", .match = is_ended, .text = ended_text},
	{.name = "outcome_hidden", .match = is_hidden, .text = hidden_text},
	{.name = "reset_by_device", .match = is_device_reset, .text = device_reset_text},
	{.name = NULL},
};
