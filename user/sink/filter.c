// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * filter.c - see filter.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/duration.h"
#include "lib/ip_addr.h"
#include "lib/number.h"
#include "sink/filter.h"

#define FILTER_ADDR_TEXT 64 /* longer than any address with its prefix length */
#define FILTER_V4_BITS	 (IP_V4_AT * 8)

/* ---- terms ---- */

static int filter_refuse(char why[FILTER_WHY], const char *value, const char *instead)
{
	snprintf(why, FILTER_WHY, "'%.64s' %s", value, instead);
	return -EINVAL;
}

/* Split "[ADDR]:PORT", "V4:PORT" and "V4/BITS:PORT". *port stays 0 without one. */
static bool filter_split(const char *value, char addr[FILTER_ADDR_TEXT], uint16_t *port)
{
	const char *close = *value == '[' ? strchr(value, ']') : NULL;
	const char *colon = close ? close + 1 : strchr(value, ':');
	size_t len = strlen(value);
	char *end;

	if (*value == '[' && !close)
		return false;
	/* IPv6 without brackets has several colons, and no port. */
	if (!close && colon && strchr(colon + 1, ':'))
		colon = NULL;
	if (colon && *colon == ':') {
		*port = (uint16_t)number_parse(colon + 1, UINT16_MAX, &end);
		if (!*port || *end)
			return false;
		len = (size_t)(colon - value);
	} else if (close && *colon == '/') {
		return false;
	}
	if (close) {
		value++;
		len = (size_t)(close - value);
		if (!*port && close[1])
			return false;
	}
	if (len >= FILTER_ADDR_TEXT)
		return false;
	memcpy(addr, value, len);
	addr[len] = '\0';
	return true;
}

static int filter_address(struct filter_term *term, const char *value, char why[FILTER_WHY])
{
	static const char instead[] =
		"is not an address: use 10.0.0.5, 10.0.0.0/24, 10.0.0.5:1433, fd00::/8 or "
		"[fd00::5]:1433";
	char text[FILTER_ADDR_TEXT], *slash, *end;
	uint8_t v4[4];
	bool is_v4;

	if (!filter_split(value, text, &term->port))
		return filter_refuse(why, value, instead);
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	is_v4 = inet_pton(AF_INET, text, v4) == 1;
	if (is_v4)
		ip_map_v4(term->addr, v4);
	else if (inet_pton(AF_INET6, text, term->addr) != 1)
		return filter_refuse(why, value, instead);
	term->bits = 128;
	if (slash) {
		unsigned long most = is_v4 ? 32 : 128, bits = number_parse(slash + 1, most, &end);

		if ((!bits && strcmp(slash + 1, "0")) || (bits && *end))
			return filter_refuse(why, value,
					     is_v4 ? "has no prefix length from 0 to 32"
						   : "has no prefix length from 0 to 128");
		term->bits = (uint8_t)(bits + (is_v4 ? FILTER_V4_BITS : 0));
	}
	return 0;
}

/* Any pattern: what apps and drivers call themselves is not known beforehand. */
static int filter_name(struct filter_term *term, const char *value, char why[FILTER_WHY])
{
	if (!*value)
		return filter_refuse(why, value,
				     "is no name: use a name, or a pattern such as 'sales*'");
	term->pattern = value;
	return 0;
}

static int filter_outcome(struct filter_term *term, const char *value, char why[FILTER_WHY])
{
	size_t len;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (!fnmatch(value, outcome_name(i), FNM_CASEFOLD)) {
			term->pattern = value;
			return 0;
		}
	len = (size_t)snprintf(why, FILTER_WHY, "'%.32s' is not an outcome: use ", value);
	for (int i = 0; i < OUTCOME_COUNT && len < FILTER_WHY; i++)
		len += (size_t)snprintf(why + len, FILTER_WHY - len, "%s%s", i ? ", " : "",
					outcome_name(i));
	return -EINVAL;
}

static int filter_slower(struct filter_term *term, const char *value, char why[FILTER_WHY])
{
	term->ns = duration_parse_ms(value) * 1000000ull;
	return term->ns ? 0
			: filter_refuse(why, value,
					"is not a time from 1ms to 1h: use 500ms, 2s, 1m or "
					"milliseconds");
}

/* ---- what fits ---- */

static bool filter_fits_addr(const struct filter_term *term, const struct endpoint *ep)
{
	unsigned whole = term->bits / 8, rest = term->bits % 8;

	if (!ep || (term->port && term->port != ep->port) || memcmp(term->addr, ep->addr, whole))
		return false;
	/* A prefix of IPv6 that happens to cover mapped addresses means IPv6 only. */
	if (ip_is_v4(ep->addr) != ip_is_v4(term->addr))
		return false;
	return !rest || !((term->addr[whole] ^ ep->addr[whole]) >> (8 - rest));
}

/* The client behind a proxy, and the proxy itself. */
static bool filter_fits_client(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_addr(term, facts->client) || filter_fits_addr(term, facts->proxied_from);
}

static bool filter_fits_server(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_addr(term, facts->server);
}

static bool filter_fits_name(const struct filter_term *term, const char *name)
{
	return name && !fnmatch(term->pattern, name, FNM_CASEFOLD);
}

static bool filter_fits_app(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_name(term, facts->app);
}

static bool filter_fits_driver(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_name(term, facts->driver);
}

static bool filter_fits_outcome(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_name(term, facts->outcome);
}

static bool filter_fits_verdict(const struct filter_term *term, const struct filter_facts *facts)
{
	return filter_fits_name(term, facts->verdict);
}

static bool filter_fits_slower(const struct filter_term *term, const struct filter_facts *facts)
{
	return facts->ns != NO_NS && facts->ns > term->ns;
}

static const struct {
	const char *name;
	int (*parse)(struct filter_term *term, const char *value, char why[FILTER_WHY]);
	bool (*fits)(const struct filter_term *term, const struct filter_facts *facts);
} filter_rows[FILTER_KINDS] = {
	[FILTER_CLIENT] = {"client", filter_address, filter_fits_client},
	[FILTER_SERVER] = {"server", filter_address, filter_fits_server},
	[FILTER_APP] = {"app", filter_name, filter_fits_app},
	[FILTER_DRIVER] = {"driver", filter_name, filter_fits_driver},
	[FILTER_OUTCOME] = {"outcome", filter_outcome, filter_fits_outcome},
	[FILTER_VERDICT] = {"verdict", filter_name, filter_fits_verdict},
	[FILTER_SLOWER] = {"slower", filter_slower, filter_fits_slower},
};

const char *filter_kind_name(enum filter_kind kind)
{
	return kind < FILTER_KINDS ? filter_rows[kind].name : NULL;
}

int filter_add(struct filter *filter, enum filter_kind kind, const char *value,
	       char why[FILTER_WHY])
{
	struct filter_term term = {.kind = kind}, *grown;
	int err = filter_rows[kind].parse(&term, value, why);

	if (err)
		return err;
	if (filter->count == FILTER_MOST) {
		snprintf(why, FILTER_WHY,
			 "more than %d filters: use an address with /BITS, or a pattern",
			 FILTER_MOST);
		return -EINVAL;
	}
	grown = realloc(filter->terms, (filter->count + 1) * sizeof(*grown));
	if (!grown) {
		snprintf(why, FILTER_WHY, "out of memory");
		return -ENOMEM;
	}
	filter->terms = grown;
	grown[filter->count++] = term;
	filter->kinds |= 1u << kind;
	return 0;
}

void filter_clear(struct filter *filter, enum filter_kind kind)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < filter->count; i++)
		if (filter->terms[i].kind != kind)
			filter->terms[kept++] = filter->terms[i];
	filter->count = kept;
	filter->kinds &= ~(1u << kind);
}

void filter_release(struct filter *filter)
{
	free(filter->terms);
	*filter = (struct filter){0};
}

unsigned filter_fits_facts(const struct filter *filter, const struct filter_facts *facts)
{
	unsigned fits = FILTER_ALL & ~filter->kinds;

	for (unsigned i = 0; i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];

		if (!(fits & 1u << term->kind) && filter_rows[term->kind].fits(term, facts))
			fits |= 1u << term->kind;
	}
	return fits;
}

/* Before this connection, too: its user has waited for all attempts. */
static uint64_t filter_waited(const struct login_record *rec)
{
	return rec->total_ns == NO_NS ? NO_NS : rec->before.ns + rec->total_ns;
}

unsigned filter_fits(const struct filter *filter, const struct login_record *rec)
{
	const struct filter_facts facts = {
		.client = &rec->client,
		.proxied_from = rec->has_proxied ? &rec->proxied_from : NULL,
		.server = &rec->server,
		.app = rec->tds.app,
		.driver = rec->tds.driver,
		.outcome = outcome_name(rec->outcome),
		.verdict = verdict_name(rec->verdict.id),
		.ns = filter_waited(rec),
	};

	return filter_fits_facts(filter, &facts);
}
