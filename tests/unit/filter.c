// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * filter.c - which values filters take, which logins fit them, and which records follow a login.
 */
#include <errno.h>

#include "sink/filter.h"
#include "sink/selection.h"
#include "unit.h"

static struct login_record login(void)
{
	return (struct login_record){
		.id = 7,
		.client = {{[10] = 0xff, 0xff, 10, 10, 10, 10}, 60123},
		.server = {{[10] = 0xff, 0xff, 10, 10, 20, 120}, 1433},
		.tds = {.app = "Sales Front", .driver = "Core Microsoft SqlClient Data Provider"},
		.outcome = OUTCOME_TIMED_OUT,
		.total_ns = 3000000000,
		.verdict = {V_DC_SLOW, VERDICT_FAILED, "Slow.", false},
	};
}

static bool fits(enum filter_kind kind, const char *value, const struct login_record *rec)
{
	struct filter filter = {0};
	char why[FILTER_WHY] = "";
	bool fit;

	if (filter_add(&filter, kind, value, why))
		UNIT_FAIL("'%s' was refused: %s", value, why);
	fit = filter_login(&filter, rec);
	filter_release(&filter);
	return fit;
}

static void refused(enum filter_kind kind, const char *value, const char *reason)
{
	struct filter filter = {0};
	char why[FILTER_WHY] = "";

	CHECK_INT(filter_add(&filter, kind, value, why), -EINVAL);
	if (!strstr(why, reason) || filter.count)
		UNIT_FAIL("'%s': \"%s\" has no \"%s\"", value, why, reason);
	filter_release(&filter);
}

UNIT_CASE(addresses_and_prefixes)
{
	struct login_record rec = login();

	CHECK(fits(FILTER_CLIENT, "10.10.10.10", &rec));
	CHECK(!fits(FILTER_CLIENT, "10.10.10.11", &rec));
	CHECK(fits(FILTER_CLIENT, "10.10.10.0/24", &rec));
	CHECK(fits(FILTER_CLIENT, "10.10.10.255/24", &rec));
	CHECK(fits(FILTER_CLIENT, "10.10.10.8/30", &rec));
	CHECK(!fits(FILTER_CLIENT, "10.10.10.12/30", &rec));
	CHECK(fits(FILTER_CLIENT, "0.0.0.0/0", &rec));
	CHECK(!fits(FILTER_CLIENT, "::/0", &rec));
	CHECK(!fits(FILTER_CLIENT, "10.10.20.120", &rec));
	CHECK(fits(FILTER_CLIENT, "10.10.10.10:60123", &rec));
	CHECK(fits(FILTER_SERVER, "10.10.20.120:1433", &rec));
	CHECK(fits(FILTER_SERVER, "10.10.20.0/24:1433", &rec));
	CHECK(!fits(FILTER_SERVER, "10.10.20.120:1434", &rec));
}

UNIT_CASE(addresses_of_ipv6)
{
	struct login_record rec = login();

	rec.client = (struct endpoint){{0xfd, 0, [15] = 0x15}, 50000};
	CHECK(fits(FILTER_CLIENT, "fd00::15", &rec));
	CHECK(fits(FILTER_CLIENT, "fd00::/8", &rec));
	CHECK(fits(FILTER_CLIENT, "fc00::/7", &rec));
	CHECK(fits(FILTER_CLIENT, "::/0", &rec));
	CHECK(!fits(FILTER_CLIENT, "0.0.0.0/0", &rec));
	CHECK(fits(FILTER_CLIENT, "[fd00::15]", &rec));
	CHECK(fits(FILTER_CLIENT, "[fd00::15]:50000", &rec));
	CHECK(!fits(FILTER_CLIENT, "[fd00::15]:50001", &rec));
}

UNIT_CASE(clients_behind_a_proxy)
{
	struct login_record rec = login();

	rec.has_proxied = true;
	rec.proxied_from = (struct endpoint){{[10] = 0xff, 0xff, 192, 0, 2, 7}, 1};
	CHECK(fits(FILTER_CLIENT, "192.0.2.0/24", &rec));
	CHECK(fits(FILTER_CLIENT, "10.10.10.10", &rec));
	CHECK(!fits(FILTER_SERVER, "192.0.2.0/24", &rec));
}

UNIT_CASE(bad_addresses)
{
	static const char *const bad[] = {"",
					  "10",
					  "10.0.0",
					  "10.0.0.0.0",
					  "10.0.0.1:0",
					  "10.0.0.1:x",
					  "10.0.0.1:70000",
					  "[fd00::1",
					  "[fd00::1]1",
					  "fd00:::1",
					  "host",
					  "fd00::%1",
					  "[fd00::]/8",
					  "10.0.0.1:",
					  "/8"};
	char huge[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(FILTER_CLIENT, bad[i], "is not an address: use 10.0.0.5");
	refused(FILTER_SERVER, "10.0.0.0/33", "has no prefix length from 0 to 32");
	refused(FILTER_SERVER, "10.0.0.0/", "has no prefix length from 0 to 32");
	refused(FILTER_SERVER, "fd00::/129", "has no prefix length from 0 to 128");
	refused(FILTER_SERVER, "fd00::/8x", "has no prefix length from 0 to 128");
	memset(huge, '1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	refused(FILTER_CLIENT, huge, "is not an address");
}

UNIT_CASE(names_are_patterns)
{
	struct login_record rec = login();

	CHECK(fits(FILTER_APP, "sales front", &rec));
	CHECK(fits(FILTER_APP, "SALES*", &rec));
	CHECK(!fits(FILTER_APP, "sales", &rec));
	CHECK(fits(FILTER_DRIVER, "*sqlclient*", &rec));
	CHECK(fits(FILTER_VERDICT, "dc_*", &rec));
	CHECK(!fits(FILTER_VERDICT, "dc_far", &rec));
	CHECK(fits(FILTER_OUTCOME, "timed_out", &rec));
	CHECK(fits(FILTER_OUTCOME, "*ed*", &rec));
	CHECK(!fits(FILTER_OUTCOME, "ok", &rec));
	rec.tds.app = NULL;
	CHECK(!fits(FILTER_APP, "*", &rec));
	refused(FILTER_APP, "", "is no name");
	refused(FILTER_DRIVER, "", "is no name");
	refused(FILTER_OUTCOME, "failed", "is not an outcome: use incomplete, unanswered");
	refused(FILTER_OUTCOME, "x*", "is not an outcome");
}

UNIT_CASE(slower_counts_attempts_before)
{
	struct login_record rec = login();

	CHECK(fits(FILTER_SLOWER, "2999", &rec));
	CHECK(!fits(FILTER_SLOWER, "3s", &rec));
	rec.before.ns = 1000000000;
	CHECK(fits(FILTER_SLOWER, "3s", &rec));
	rec.total_ns = NO_NS;
	CHECK(!fits(FILTER_SLOWER, "1ms", &rec));
	refused(FILTER_SLOWER, "0", "is not a time from 1ms to 1h");
	refused(FILTER_SLOWER, "2d", "is not a time from 1ms to 1h");
}

UNIT_CASE(values_are_alternatives_and_kinds_are_not)
{
	struct filter filter = {0};
	struct login_record rec = login();
	char why[FILTER_WHY];

	CHECK(filter_login(&filter, &rec));
	CHECK_INT(filter_add(&filter, FILTER_CLIENT, "10.9.9.9", why), 0);
	CHECK(!filter_login(&filter, &rec));
	CHECK_INT(filter_add(&filter, FILTER_CLIENT, "10.10.0.0/16", why), 0);
	CHECK(filter_login(&filter, &rec));
	CHECK_INT(filter_add(&filter, FILTER_APP, "other", why), 0);
	CHECK(!filter_login(&filter, &rec));
	CHECK_INT(filter_fits(&filter, &rec), FILTER_ALL & ~(1u << FILTER_APP));
	filter_clear(&filter, FILTER_APP);
	CHECK(filter_login(&filter, &rec));
	filter_release(&filter);
	CHECK(filter_login(&filter, &rec));
}

UNIT_CASE(terms_have_a_limit)
{
	struct filter filter = {0};
	char why[FILTER_WHY] = "";

	for (int i = 0; i < FILTER_MOST; i++)
		CHECK_INT(filter_add(&filter, FILTER_APP, "x", why), 0);
	CHECK_INT(filter_add(&filter, FILTER_APP, "x", why), -EINVAL);
	CHECK(strstr(why, "more than 256 filters"));
	filter_release(&filter);
}

static void select_by(struct selection *s, struct filter *filter, enum filter_kind kind,
		      const char *value)
{
	char why[FILTER_WHY];

	*filter = (struct filter){0};
	CHECK_INT(filter_add(filter, kind, value, why), 0);
	selection_init(s, filter);
}

static struct close_record close_of(const struct login_record *rec)
{
	return (struct close_record){.id = rec->id,
				     .client = rec->client,
				     .server = rec->server,
				     .has_login = true,
				     .login = rec->outcome,
				     .verdict = {.id = V_CLOSED}};
}

UNIT_CASE(closes_and_commands_follow_their_login)
{
	struct login_record rec = login(), other = login();
	struct close_record close = close_of(&rec), foreign;
	struct command_record command = {.id = 7, .client = rec.client, .server = rec.server};
	struct filter filter;
	struct selection s;

	other.id = 8;
	other.tds.app = NULL;
	foreign = close_of(&other);
	select_by(&s, &filter, FILTER_APP, "sales*");
	CHECK(selection_login(&s, &rec) && !selection_login(&s, &other));
	CHECK_INT(s.logins_out, 1);
	CHECK(selection_command(&s, &command));
	command.id = 8;
	CHECK(!selection_command(&s, &command));
	CHECK(selection_close(&s, &close) && !selection_close(&s, &foreign));
	CHECK(!selection_close(&s, &close)); /* forgotten */
	CHECK_INT(s.used, 0);
	selection_release(&s);
	filter_release(&filter);
}

UNIT_CASE(a_close_has_a_verdict_of_its_own)
{
	struct login_record rec = login();
	struct close_record close = close_of(&rec);
	struct filter filter;
	struct selection s;
	char why[FILTER_WHY];

	close.verdict.id = V_IDLE_DROPPED;
	select_by(&s, &filter, FILTER_VERDICT, "idle_dropped");
	CHECK_INT(filter_add(&filter, FILTER_APP, "sales*", why), 0);
	CHECK(!selection_login(&s, &rec));
	CHECK(selection_close(&s, &close));
	CHECK(!selection_close(&s, &close)); /* whose app is no longer known */
	selection_release(&s);
	filter_release(&filter);
}

UNIT_CASE(pending_and_browser_records_have_addresses_and_a_time)
{
	struct login_record rec = login();
	struct pending_record pending = {
		.client = rec.client, .server = rec.server, .start_ns = 1, .time_ns = 6000000001};
	struct browser_record browser = {
		.client = rec.client, .server = rec.server, .waited_ns = 500000000};
	struct filter filter;
	struct selection s;

	select_by(&s, &filter, FILTER_SLOWER, "5s");
	CHECK(selection_pending(&s, &pending) && !selection_browser(&s, &browser));
	filter_release(&filter);
	select_by(&s, &filter, FILTER_CLIENT, "10.10.0.0/16");
	CHECK(selection_pending(&s, &pending) && selection_browser(&s, &browser));
	filter_release(&filter);
	select_by(&s, &filter, FILTER_APP, "*");
	CHECK(!selection_pending(&s, &pending) && !selection_browser(&s, &browser));
	filter_release(&filter);
	selection_init(&s, NULL);
	CHECK(selection_pending(&s, &pending) && selection_browser(&s, &browser) &&
	      selection_login(&s, &rec));
}

/* Closed in an order that leaves holes in the middle. count + 1 is no multiple of 7919. */
static void many_connections(uint64_t count, uint64_t (*id_of)(uint64_t nth))
{
	struct login_record rec = login(), other = login();
	struct filter filter;
	struct selection s;
	unsigned wrong = 0;

	other.tds.app = "other";
	select_by(&s, &filter, FILTER_APP, "sales*");
	for (uint64_t i = 1; i <= count; i++) {
		rec.id = other.id = id_of(i);
		wrong += selection_login(&s, i % 2 ? &rec : &other) != (i % 2);
	}
	CHECK_INT(s.used, count);
	for (uint64_t i = count; i >= 1; i--) {
		uint64_t nth = i * 7919 % (count + 1);
		struct close_record close;

		rec.id = id_of(nth);
		close = close_of(&rec);
		wrong += selection_close(&s, &close) != (nth % 2);
	}
	CHECK_INT(wrong, 0);
	CHECK_INT(s.used, 0);
	selection_release(&s);
	filter_release(&filter);
}

static uint64_t id_spread(uint64_t nth)
{
	return nth * 0x9e3779b97f4a7c15;
}

static uint64_t id_crowded(uint64_t nth)
{
	return nth / 3 + 1 + (nth % 3 << 40);
}

UNIT_CASE(a_hundred_thousand_connections)
{
	many_connections(100000, id_spread);
}

UNIT_CASE(ids_that_begin_in_the_same_places)
{
	many_connections(3000, id_crowded);
}

int main(void)
{
	RUN(addresses_and_prefixes);
	RUN(addresses_of_ipv6);
	RUN(clients_behind_a_proxy);
	RUN(bad_addresses);
	RUN(names_are_patterns);
	RUN(slower_counts_attempts_before);
	RUN(values_are_alternatives_and_kinds_are_not);
	RUN(terms_have_a_limit);
	RUN(closes_and_commands_follow_their_login);
	RUN(a_close_has_a_verdict_of_its_own);
	RUN(pending_and_browser_records_have_addresses_and_a_time);
	RUN(a_hundred_thousand_connections);
	RUN(ids_that_begin_in_the_same_places);
	return unit_status();
}
