// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sink.c - see sink.h.
 */
#include <arpa/inet.h>
#include <string.h>

#include "sink/sink.h"
#include "lib/decimal.h"
#include "lib/ip_addr.h"

bool sink_timed(const struct login_record *rec)
{
	static const bool timed[OUTCOME_COUNT] = {
		[OUTCOME_OK] = true,	     [OUTCOME_REFUSED] = true,
		[OUTCOME_REDIRECTED] = true, [OUTCOME_TIMED_OUT] = true,
		[OUTCOME_TLS_FAILED] = true, [OUTCOME_ABANDONED] = true,
		[OUTCOME_DROPPED] = true,
	};

	return timed[rec->outcome];
}

bool sink_failed(const struct login_record *rec)
{
	return rec->verdict.class == VERDICT_FAILED;
}

bool sink_is_problem(const struct login_record *rec)
{
	return sink_failed(rec) || rec->verdict.class == VERDICT_SLOW ||
	       (rec->outcome == OUTCOME_OK && !rec->verdict.unremarkable);
}

bool sink_is_stranded(const struct close_record *rec)
{
	return rec->login == OUTCOME_REDIRECTED && rec->verdict.class == VERDICT_FAILED;
}

bool sink_is_cut_off(const struct close_record *rec)
{
	if (sink_is_stranded(rec))
		return true;
	return !rec->graceful && rec->how == CLOSE_RST && rec->phase == PHASE_SESSION &&
	       rec->verdict.class != VERDICT_OK && rec->verdict.class != VERDICT_ENDED;
}

/* Not by snprintf(), which takes longer than the rest of a record. */
const char *sink_id(uint64_t id, char text[SINK_ID_MAX])
{
	for (int i = 15; i >= 0; i--, id >>= 4)
		text[i] = "0123456789abcdef"[id & 15];
	text[16] = '\0';
	return text;
}

/* inet_ntop() formats IPv4 by sprintf(), too. */
const char *sink_addr(const uint8_t addr[16], char text[SINK_ADDR_MAX])
{
	char *to = text;

	if (!ip_is_v4(addr))
		return inet_ntop(AF_INET6, addr, text, SINK_ADDR_MAX);
	for (int i = IP_V4_AT; i < 16; i++) {
		to = decimal_put(to, addr[i]);
		*to++ = '.';
	}
	to[-1] = '\0';
	return text;
}

const char *sink_endpoint(const struct endpoint *ep, char text[SINK_ENDPOINT_MAX])
{
	bool ipv6 = !ip_is_v4(ep->addr);
	char *to = text;

	if (ipv6)
		*to++ = '[';
	to += strlen(sink_addr(ep->addr, to));
	if (ipv6)
		*to++ = ']';
	*to++ = ':';
	to = decimal_put(to, ep->port);
	*to = '\0';
	return text;
}
