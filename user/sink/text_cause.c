// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text_cause.c - see text_cause.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink/sink.h"
#include "sink/text_cause.h"

char *text_cause_part(const struct step_part *part)
{
	char peer[SINK_ENDPOINT_MAX], *text = NULL;

	if (asprintf(&text, "  of it %s %.3f ms (%s)%s%s%s%s", wait_part_name(part->part),
		     (double)part->ns / 1e6, basis_name(part->basis), part->has_peer ? ", " : "",
		     part->has_peer ? sink_endpoint(&part->peer, peer) : "",
		     part->grounds ? ": " : "", part->grounds ? part->grounds : "") < 0)
		return NULL;
	return text;
}

char *text_cause_dependency(const struct dependency *d)
{
	char peer[SINK_ENDPOINT_MAX], rtt[32] = "", unanswered[32] = "", *text = NULL;

	if (d->rtt_ns != NO_NS)
		snprintf(rtt, sizeof(rtt), ", at most %.3f ms away", (double)d->rtt_ns / 1e6);
	if (d->unanswered)
		snprintf(unanswered, sizeof(unanswered), ", %" PRIu32 " unanswered", d->unanswered);
	if (asprintf(&text, "the %s asked %s: %s%s%s%s%s, %" PRIu32 " request%s%s, %.3f ms%s%s%s",
		     side_name(d->side), sink_endpoint(&d->peer, peer),
		     dependency_kind_name(d->kind), d->operation ? " " : "",
		     d->operation ? d->operation : "", d->target ? " " : "",
		     d->target ? d->target : "", d->requests, d->requests == 1 ? "" : "s",
		     unanswered, (double)d->ns / 1e6, d->result ? ", " : "",
		     d->result ? d->result : "", rtt) < 0)
		return NULL;
	return text;
}
