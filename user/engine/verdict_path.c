/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_path.c - see verdict_row.h: what the capture, the network and TCP did to a login.
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
	(void)l, (void)r;
	return text_format("the capture cut packets short, so that the answer can't be read; "
			   "capture with a longer snap length");
}

static bool is_ended(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_INCOMPLETE && l->at_end;
}

static char *ended_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the capture ended while %s was waited for", verdict_due(l));
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

/* ---- TCP ---- */

static bool is_unanswered(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_UNANSWERED;
}

static char *unanswered_text(const struct login *l, const struct login_record *r)
{
	return text_format("%u SYN%s without an answer: host down, a firewall that drops, or the "
			   "listen queue is full%s",
			   l->syns, l->syns == 1 ? "" : "s",
			   r->vantage == VANTAGE_SERVER ? " (they did reach this host)" : "");
}

static bool is_rejected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REJECTED;
}

static char *rejected_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("connection refused: nothing listens on port %u, or a firewall rejects; "
			   "check that TCP is enabled and which port the instance has",
			   r->server.port);
}

static bool is_device_reset(const struct login *l, const struct login_record *r)
{
	(void)r;
	return l->closed_how == CLOSE_RST && l->ttl_differs &&
	       (r->outcome == OUTCOME_DROPPED || r->outcome == OUTCOME_ABANDONED ||
		r->outcome == OUTCOME_TLS_FAILED);
}

static char *device_reset_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		"the connection was reset while %s was due, by a packet whose TTL is not "
		"that of the %s's other packets: a firewall or load balancer in the path "
		"may have sent it",
		verdict_due(l), l->closed_by == SIDE_CLIENT ? "client" : "server");
}

const struct verdict verdict_path[] = {
	{"packets_missing", is_missing, missing_text},
	{"capture_cut", is_cut, cut_text},
	{"capture_ended", is_ended, ended_text},
	{"outcome_hidden", is_hidden, hidden_text},
	{"syn_unanswered", is_unanswered, unanswered_text},
	{"connection_refused", is_rejected, rejected_text},
	{"reset_by_device", is_device_reset, device_reset_text},
	{NULL, NULL, NULL},
};
