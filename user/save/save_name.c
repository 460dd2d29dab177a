/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * save_name.c - see save_name.h.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/ip_addr.h"
#include "lib/units.h"
#include "save/save_name.h"

#define SAVE_SUFFIX ".pcapng"
#define END_TEXT    64 /* an address and a port */

/* Of a time as "20210101T000156.577669Z-": a digit where there is a 0. */
static const char time_form[] = "00000000T000000.000000Z-";

static const char *end_text(const struct endpoint *end, char text[END_TEXT])
{
	bool ipv4 = ip_is_v4(end->addr);
	char *colon = text;

	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, end->addr + (ipv4 ? IP_V4_AT : 0), text,
		       END_TEXT))
		*text = '\0';
	while ((colon = strchr(colon, ':')))
		*colon = '_';
	snprintf(text + strlen(text), 8, ".%u", end->port);
	return text;
}

const char *save_name(const struct login_record *rec, const struct wallclock *clock,
		      char text[SAVE_NAME])
{
	uint64_t wall_ns = wallclock_ns(clock, rec->start_ns);
	time_t s = (time_t)(wall_ns / NS_PER_S);
	const char *verdict = verdict_name(rec->verdict.id);
	char server[END_TEXT], client[END_TEXT], when[32];
	struct tm tm;

	/* Years beyond 9999 have no such form: they are not those of a packet. */
	if (!gmtime_r(&s, &tm) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm))
		strcpy(when, "00000000T000000");
	snprintf(text, SAVE_NAME, "%.15s.%06" PRIu64 "Z-%s-%s-%s" SAVE_SUFFIX, when,
		 (uint64_t)(wall_ns % NS_PER_S / 1000), end_text(&rec->server, server),
		 end_text(&rec->client, client), verdict ? verdict : "none");
	return text;
}

bool save_name_is(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SAVE_SUFFIX);

	if (len >= SAVE_NAME || len <= strlen(time_form) + suffix ||
	    strcmp(name + len - suffix, SAVE_SUFFIX) || strpbrk(name, "/:"))
		return false;
	for (size_t i = 0; time_form[i]; i++)
		if (time_form[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != time_form[i])
			return false;
	return true;
}
