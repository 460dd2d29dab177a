// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * survey.c - a report's model: keys and their limit, quantiles, spans of time, the slowest logins,
 * the tables, and CSV read back.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "report/csv.h"
#include "report/sections.h"
#include "report/tables.h"
#include "unit.h"

static const struct wallclock wall;
static const uint64_t seed[2] = {1, 2};
static size_t budget = 1u << 30;

/* A login from 10.0.0.N to 10.0.0.2:1433 that began at that second and took so many ms. */
static struct login_record login_of(unsigned n, uint64_t second, uint64_t ms)
{
	struct login_record r = {.id = n,
				 .start_ns = second * 1000000000ull,
				 .end_ns = second * 1000000000ull + ms * 1000000,
				 .client = {{[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)n}, 50000},
				 .server = {{[10] = 0xff, 0xff, 10, 0, 0, 2}, 1433},
				 .outcome = OUTCOME_OK,
				 .outcome_basis = BASIS_OBSERVED,
				 .tls.alert.from = SIDE_NONE,
				 .total_ns = ms * 1000000,
				 .verdict = {.id = V_OK, .text = "logged in", .class = VERDICT_OK}};

	for (int i = 0; i < PHASE_SESSION; i++)
		r.phase_ns[i] = NO_NS;
	for (int i = 0; i < SIDE_NONE; i++)
		r.wait_ns[i] = NO_NS;
	return r;
}

static struct login_record refused_of(unsigned n, uint64_t second, uint64_t ms)
{
	struct login_record r = login_of(n, second, ms);

	r.outcome = OUTCOME_REFUSED;
	r.verdict = (struct verdict_words){V_LOGIN_FAILED, VERDICT_FAILED, "login failed (18456)",
					   false};
	r.has_error = true;
	r.error = (struct login_error){18456, 8, 14, "Login failed for user '<hidden>'."};
	return r;
}

static const struct groups *table_of(const struct survey *s, const char *id)
{
	for (size_t i = 0; i < survey_table_count; i++)
		if (survey_tables[i].id && !strcmp(survey_tables[i].id, id))
			return &s->groups[i];
	return NULL;
}

static struct group *get(struct groups *g, const char *a, const char *b)
{
	struct group_key key = {.len = 0};

	group_key_add(&key, a);
	if (b)
		group_key_add(&key, b);
	return group_table_get(g, &key);
}

UNIT_CASE(keys_are_told_apart)
{
	char part[GROUP_PART_MAX + 4];
	struct groups g;

	group_table_init(&g, seed, &budget);
	get(&g, "a", "b")->count++;
	get(&g, "a", "b")->count++;
	get(&g, "ab", "")->count++;
	get(&g,
	    "a\x1f"
	    "b",
	    NULL)
		->count++;
	CHECK_INT(g.count, 3);
	CHECK_INT(get(&g, "a", "b")->count, 2);
	CHECK_STR(group_part(&g.rows[0], 1, part), "b");
	CHECK_STR(group_part(&g.rows[1], 1, part), "-");
	CHECK_STR(group_part(&g.rows[2], 0, part), "a\\x1fb");
	CHECK_STR(group_part(&g.rows[2], 1, part), "");
	group_table_release(&g);
}

UNIT_CASE(keys_beyond_the_limit_share_a_row)
{
	struct groups g;
	char name[16];

	group_table_init(&g, seed, &budget);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < GROUPS_MOST + 500; i++) {
			snprintf(name, sizeof(name), "%d", i);
			get(&g, name, NULL)->count++;
		}
	CHECK_INT(g.count, GROUPS_MOST);
	CHECK_INT(g.other.count, 1000);
	CHECK_INT(get(&g, "9999", NULL)->count, 2);
	group_table_release(&g);
}

/* Every table gets a new key with each login. */
UNIT_CASE(the_tables_stay_within_their_memory)
{
	struct survey *s = survey_new(&wall);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	char name[GROUP_PART_MAX];
	uint64_t other = 0;

	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 20000; i++) {
		struct login_record r = refused_of(1, 100, 30);

		memcpy(r.client.addr + 12, &i, 4);
		memcpy(r.server.addr + 12, &i, 4);
		snprintf(name + 200, 40, "%d", i);
		r.tds.app = r.tds.database = r.tds.driver = r.tds.instance = name;
		r.error.message = name;
		r.tls = (struct tls_facts){.seen = true,
					   .version = "1.0",
					   .cipher = name,
					   .alert = {SIDE_SERVER, "fatal", name},
					   .cert = {name, name, 1000, false}};
		r.tcp.retransmits = 1;
		survey_login(s, &r);
	}
	for (size_t i = 0; i < survey_table_count; i++)
		other += s->groups[i].other.count;
	CHECK(other > 100000);
	CHECK_INT(group_table_find(table_of(s, "causes"), "login_failed")->count, 20000);
	CHECK(mallinfo2().uordblks + mallinfo2().hblkhd - before < 128u << 20);
	survey_free(s);
}

UNIT_CASE(long_parts_are_cut_between_characters)
{
	char name[4 * GROUP_PART_MAX], part[GROUP_PART_MAX + 4];
	struct groups g;

	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xa9", 3);
	group_table_init(&g, seed, &budget);
	get(&g, name, "after");
	CHECK_INT(strlen(group_part(&g.rows[0], 0, part)), GROUP_PART_MAX);
	CHECK_STR(group_part(&g.rows[0], 1, part), "after");
	group_table_release(&g);
}

UNIT_CASE(quantiles_are_near)
{
	struct spread s = {0};

	for (uint64_t i = 1; i <= 1000; i++)
		spread_add(&s, i * 1000000);
	CHECK_INT(s.least_ns, 1000000);
	CHECK_INT(s.longest_ns, 1000000000);
	CHECK(spread_quantile(&s, 0.5) > 470000000 && spread_quantile(&s, 0.5) < 530000000);
	CHECK(spread_quantile(&s, 0.95) > 893000000 && spread_quantile(&s, 0.95) < 1007000000);
	CHECK_INT(spread_quantile(&s, 1), 1000000000);
	spread_add(&s, UINT64_MAX / 4);
	CHECK(spread_quantile(&s, 1) == UINT64_MAX / 4);
}

UNIT_CASE(spans_keep_every_login_whatever_their_order)
{
	static const uint64_t seconds[] = {1000000, 1000001, 999000, 1500000, 1, 1000000};
	struct rates r = {0};
	uint64_t logins = 0, failed = 0;

	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		rates_add(&r, seconds[i] * 1000000000ull, i == 3, false);
	CHECK(r.count <= RATES_MOST);
	for (unsigned i = 0; i < r.count; i++) {
		logins += r.spans[i].logins;
		failed += r.spans[i].failed;
		if (r.spans[i].failed)
			CHECK(rates_ns(&r, i) <= 1500000ull * 1000000000 &&
			      rates_ns(&r, i + 1) > 1500000ull * 1000000000);
	}
	CHECK_INT(logins, 6);
	CHECK_INT(failed, 1);
}

UNIT_CASE(the_slowest_are_kept)
{
	struct slowest s = {0};

	for (unsigned i = 0; i < 500; i++) {
		struct login_record r = login_of(1, 100 + i, (i * 7919) % 500 + 1);

		slowest_add(&s, &r, r.start_ns);
	}
	CHECK_INT(s.count, SLOWEST_MOST);
	for (unsigned i = 0; i < s.count; i++)
		CHECK_INT(s.logins[i]->total_ns, (500 - i) * 1000000);
	slowest_release(&s);
}

UNIT_CASE(logins_are_counted_by_server_client_and_cause)
{
	struct survey *s = survey_new(&wall);

	for (unsigned i = 0; i < 10; i++) {
		struct login_record ok = login_of(1 + i % 2, 100 + i, 10),
				    bad = refused_of(3, 200 + i, 20);

		survey_login(s, &ok);
		if (i < 4)
			survey_login(s, &bad);
	}
	CHECK_INT(s->logins, 14);
	CHECK_INT(s->classes[VERDICT_FAILED], 4);
	CHECK_INT(group_table_find(table_of(s, "servers"), "10.0.0.2:1433")->count, 14);
	CHECK_INT(group_table_find(table_of(s, "servers"), "10.0.0.2:1433")->failed, 4);
	CHECK_INT(group_table_find(table_of(s, "clients"), "10.0.0.3")->failed, 4);
	CHECK_INT(group_table_find(table_of(s, "clients"), "10.0.0.1")->count, 5);
	CHECK_INT(group_table_find(table_of(s, "causes"), "login_failed")->count, 4);
	CHECK_INT(table_of(s, "errors")->count, 1);
	CHECK_INT(s->first_ns, 100000000000);
	survey_free(s);
}

static struct close_record close_of(uint64_t requests, uint64_t resets)
{
	return (struct close_record){.time_ns = 200000000000,
				     .client = {{[10] = 0xff, 0xff, 10, 0, 0, 1}, 50000},
				     .server = {{[10] = 0xff, 0xff, 10, 0, 0, 2}, 1433},
				     .has_login = true,
				     .login = OUTCOME_OK,
				     .by = SIDE_CLIENT,
				     .how = CLOSE_FIN,
				     .graceful = true,
				     .phase = PHASE_SESSION,
				     .bytes = {100, 2000},
				     .commands = {[COMMAND_BATCH] = requests},
				     .reset_connections = resets};
}

UNIT_CASE(short_sessions_are_those_that_a_pool_would_have_spared)
{
	struct close_record closes[] = {close_of(1, 0), close_of(3, 0), close_of(4, 0),
					close_of(2, 1)};
	struct survey *s = survey_new(&wall);
	const struct group *row;

	for (size_t i = 0; i < 4; i++)
		survey_close(s, &closes[i]);
	row = group_table_find(table_of(s, "pools"), "10.0.0.1\x1f"
						     "10.0.0.2:1433");
	CHECK_INT(row ? row->count : 0, 4);
	CHECK_INT(row ? row->extra[0] : 0, 10);
	CHECK_INT(row ? row->extra[1] : 0, 1);
	CHECK_INT(row ? row->extra[2] : 0, 2);
	CHECK_INT(row ? row->extra[4] : 0, 8000);
	survey_free(s);
}

UNIT_CASE(resets_are_told_apart_by_distance)
{
	struct survey *s = survey_new(&wall);
	const int hops[] = {2, 2, 1, NO_HOPS};
	struct close_record close = close_of(1, 0);

	close.how = CLOSE_RST;
	close.graceful = false;
	for (size_t i = 0; i < 4; i++) {
		close.reset_hops = hops[i];
		survey_close(s, &close);
	}
#define RESET_ROW(by)                                                                              \
	by "\x1fsession\x1f-\x1f"                                                                  \
	   "10.0.0.1\x1f"                                                                          \
	   "10.0.0.2:1433"
	CHECK_INT(group_table_find(table_of(s, "resets"), RESET_ROW("client, 2 hops away"))->count,
		  2);
	CHECK_INT(group_table_find(table_of(s, "resets"), RESET_ROW("client, 1 hop away"))->count,
		  1);
	CHECK_INT(group_table_find(table_of(s, "resets"), RESET_ROW("client"))->count, 1);
	survey_free(s);
}

/* A file that holds text, at its beginning. */
static int file_of(const char *text, size_t len)
{
	FILE *f = tmpfile();
	int fd = f ? dup(fileno(f)) : -1;

	if (f)
		fclose(f);
	if (write(fd, text, len) != (ssize_t)len)
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Write records by the CSV sink and read them back. */
static struct survey *survey_by_csv(const struct login_record *records, size_t count)
{
	struct output *out = malloc(sizeof(*out));
	struct sink_config config = {.out = out, .clock = &wall};
	struct survey *s = survey_new(&wall);
	int fd = file_of("", 0);
	uint64_t row;
	void *sink;

	output_init(out, fd);
	sink = csv_sink.open(&config);
	for (size_t i = 0; i < count; i++)
		csv_sink.login(sink, &records[i]);
	csv_sink.free(sink);
	output_flush(out);
	lseek(fd, 0, SEEK_SET);
	CHECK_INT(csv_read(fd, s, &row), 0);
	CHECK_INT(row, count + 1);
	close(fd);
	free(out);
	return s;
}

UNIT_CASE(csv_comes_back_as_it_was)
{
	struct login_record records[] = {login_of(1, 100, 10), refused_of(2, 200, 30)};
	struct survey *s;

	records[0].tds.app = "=cmd|'/c calc'!A1, \"quoted\"";
	records[1].tds.app = "plain";
	s = survey_by_csv(records, 2);
	CHECK_INT(s->logins, 2);
	CHECK_INT(s->classes[VERDICT_FAILED], 1);
	CHECK(group_table_find(table_of(s, "apps"), "=cmd|'/c calc'!A1, \"quoted\"") != NULL);
	CHECK_INT(group_table_find(table_of(s, "clients"), "10.0.0.2")->times->longest_ns,
		  30000000);
	CHECK(group_table_find(table_of(s, "causes"), "login_failed") != NULL);
	survey_free(s);
}

static int read_csv(const char *text, uint64_t *row)
{
	struct survey *s = survey_new(&wall);
	int fd = file_of(text, strlen(text)), err = csv_read(fd, s, row);

	close(fd);
	survey_free(s);
	return err;
}

#define HEADS "time,client_addr,server_addr,server_port,outcome,verdict,class,total_ms\n"

UNIT_CASE(what_is_no_such_csv_is_refused_with_its_row)
{
	uint64_t row;

	CHECK_INT(read_csv("", &row), -EPROTO);
	CHECK_INT(row, 1);
	CHECK_INT(read_csv("a,b\n1,2\n", &row), -EPROTO);
	CHECK_INT(read_csv(HEADS, &row), 0);
	CHECK_INT(read_csv(HEADS "2026-11-22T17:06:05Z,::1,::1,1433,ok,ok,ok,1.5\n", &row), 0);
	CHECK_INT(read_csv(HEADS "2026-11-22T17:06:05Z,::1,::1,1433,ok,ok,ok\n", &row), -EPROTO);
	CHECK_INT(row, 2);
	CHECK_INT(read_csv(HEADS "2026-11-22T17:06:05Z,::1,::1,1433,fine,ok,ok,1\n", &row),
		  -EPROTO);
	CHECK_INT(read_csv(HEADS "yesterday,::1,::1,1433,ok,ok,ok,1\n", &row), -EPROTO);
	CHECK_INT(read_csv(HEADS "\"2026-11-22T17:06:05Z,::1", &row), -EPROTO);
}

static struct strbuf written(const struct writer_ops *ops, const struct survey *s,
			     const struct survey *old)
{
	const struct survey_source source = {.watched = "eth<0>"};
	struct strbuf text = {0};
	struct writer w = {.ops = ops, .out = &text, .rows_most = 20};

	sections_write(&w, s, &source, old, "old&.pcap");
	strbuf_add(&text, "", 1);
	return text;
}

/* Names in every place that a report has them. */
UNIT_CASE(names_from_the_network_are_only_text)
{
	static const char evil[] = "<script>alert(1)</script>\x1b[31m\xe2\x80\xae&\"'";
	struct login_record r = refused_of(1, 100, 30);
	struct survey *s = survey_new(&wall);
	struct strbuf html, plain;

	r.tds.app = r.tds.database = r.tds.driver = r.tds.server_version = r.tds.instance = evil;
	r.error.message = r.verdict.text = evil;
	r.tls = (struct tls_facts){.seen = true,
				   .version = "1.2",
				   .cipher = evil,
				   .alert = {SIDE_SERVER, "fatal", evil},
				   .cert = {evil, evil, 1000, false}};
	survey_login(s, &r);
	html = written(&html_writer, s, NULL);
	plain = written(&plain_writer, s, NULL);
	CHECK(!strstr(html.data, "<script") && strstr(html.data, "&lt;script&gt;"));
	CHECK(!strstr(html.data, "eth<0>"));
	CHECK(!strchr(html.data, '\x1b') && !strchr(plain.data, '\x1b'));
	CHECK(!strstr(html.data, "\xe2\x80\xae") && !strstr(plain.data, "\xe2\x80\xae"));
	strbuf_release(&html);
	strbuf_release(&plain);
	survey_free(s);
}

UNIT_CASE(nothing_is_a_report_too)
{
	struct survey *s = survey_new(&wall);
	struct strbuf html = written(&html_writer, s, s), plain = written(&plain_writer, s, s);

	CHECK(strstr(html.data, "No login to SQL Server was seen.") != NULL);
	CHECK(strstr(plain.data, "No login to SQL Server was seen.") != NULL);
	CHECK(strstr(plain.data, "too few logins") != NULL);
	strbuf_release(&html);
	strbuf_release(&plain);
	survey_free(s);
}

/* So many logins of a client, each taking that long; every `fails`-th one fails. */
static void add_logins(struct survey *s, unsigned client, unsigned count, uint64_t ms,
		       unsigned fails)
{
	for (unsigned i = 0; i < count; i++) {
		struct login_record r = fails && i % fails == 0 ? refused_of(client, 100 + i, ms)
								: login_of(client, 100 + i, ms);

		survey_login(s, &r);
	}
}

UNIT_CASE(a_comparison_names_who_got_worse_and_nobody_else)
{
	struct survey *now = survey_new(&wall), *old = survey_new(&wall);
	struct strbuf plain;

	add_logins(old, 1, 40, 20, 0); /* becomes slower */
	add_logins(now, 1, 40, 90, 0);
	add_logins(old, 3, 40, 20, 0); /* begins to fail */
	add_logins(now, 3, 40, 20, 3);
	add_logins(old, 4, 40, 20, 0); /* stays */
	add_logins(now, 4, 40, 21, 0);
	add_logins(old, 5, 2, 20, 0); /* too few to say */
	add_logins(now, 5, 2, 900, 0);
	plain = written(&plain_writer, now, old);
	*strstr(plain.data, "What was seen, and what was not") = '\0';
	CHECK(strstr(plain.data, "slower              client       10.0.0.1 ") != NULL);
	CHECK(strstr(plain.data, "fails more          client       10.0.0.3 ") != NULL);
	CHECK(!strstr(plain.data, "10.0.0.4 ") && !strstr(plain.data, "10.0.0.5 "));
	CHECK(strstr(plain.data, "New: login_failed, 14 logins") != NULL);
	strbuf_release(&plain);
	survey_free(now);
	survey_free(old);
}

int main(void)
{
	RUN(keys_are_told_apart);
	RUN(keys_beyond_the_limit_share_a_row);
	RUN(the_tables_stay_within_their_memory);
	RUN(long_parts_are_cut_between_characters);
	RUN(quantiles_are_near);
	RUN(spans_keep_every_login_whatever_their_order);
	RUN(the_slowest_are_kept);
	RUN(logins_are_counted_by_server_client_and_cause);
	RUN(short_sessions_are_those_that_a_pool_would_have_spared);
	RUN(resets_are_told_apart_by_distance);
	RUN(csv_comes_back_as_it_was);
	RUN(what_is_no_such_csv_is_refused_with_its_row);
	RUN(names_from_the_network_are_only_text);
	RUN(nothing_is_a_report_too);
	RUN(a_comparison_names_who_got_worse_and_nobody_else);
	return unit_status();
}
