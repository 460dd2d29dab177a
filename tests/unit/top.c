// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * top.c - tdsmon top without a terminal: its model and its bounds, filters, groups, keys and cells.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "top/table_columns.h"
#include "top/ui.h"
#include "unit.h"

#define S 1000000000ull

struct login {
	const char *client, *app, *outcome, *class, *verdict, *needs, *more;
	unsigned long long id, total_ns;
	unsigned at_s; /* of a minute: when it began */
};

static char line[16384];

static bool log_in(struct model *model, struct login l)
{
	int len = snprintf(
		line, sizeof(line),
		"{\"type\":\"login\",\"v\":1,\"id\":\"%016llx\",\"time\":\"2021-01-01T00:00:%02u."
		"000000000Z\",\"client\":{\"addr\":"
		"\"%s\",\"port\":50000},\"server\":{\"addr\":\"10.0.0.2\",\"port\":1433},\"tds\":{"
		"\"app\":\"%s\",\"spid\":57,"
		"\"driver\":null},\"outcome\":\"%s\",\"error\":{\"number\":18456},\"total_ns\":%"
		"llu,\"phases\":{\"tcp_ns\":1000000,"
		"\"login_ns\":%llu},\"waits\":{\"client_ns\":1,\"server_ns\":%llu,\"network_ns\":0}"
		",\"dependencies\":[%s],"
		"\"steps\":[{\"name\":\"syn\",\"phase\":\"tcp\",\"waits_on\":\"network\",\"ns\":0},"
		"{\"name\":\"loginack\","
		"\"phase\":\"login\",\"waits_on\":\"server\",\"ns\":%llu}],"
		"\"verdict\":{\"name\":\"%s\",\"class\":\"%s\",\"text\":\"it happened\"}%s}",
		l.id, l.at_s, l.client ?: "10.0.0.1", l.app ?: "app", l.outcome ?: "ok", l.total_ns,
		l.total_ns, l.total_ns, l.needs ?: "", l.total_ns, l.verdict ?: "ok",
		l.class ?: "ok", l.more ?: "");

	return model_line(model, line, (size_t)len, 0);
}

static bool take(struct model *model, const char *text, uint64_t now_ns)
{
	return model_line(model, text, strlen(text), now_ns);
}

static size_t matching(const struct model *model)
{
	size_t n = 0;

	for (size_t i = 0; i < model_count(model); i++)
		n += model_row(model, i)->matches;
	return n;
}

static size_t filtered(struct model *model, const char *text)
{
	char why[FILTER_WHY];
	struct filter *filter = filter_parse(text, why);

	CHECK_STR(why, "");
	model_filter(model, filter);
	return matching(model);
}

UNIT_CASE(a_login_is_read)
{
	struct model *model = model_new();
	const struct row *row;

	CHECK(log_in(model, (struct login){.id = 7,
					   .total_ns = 5 * S,
					   .class = "slow",
					   .verdict = "slow_login"}));
	row = model_row(model, 0);
	CHECK_INT(row->id, 7);
	CHECK_INT(row->end_ns - row->start_ns, 5 * S);
	CHECK_INT(row->class, ROW_SLOW);
	CHECK_STR(row_text(row, ROW_SERVER), "10.0.0.2:1433");
	CHECK_STR(row_text(row, ROW_ERROR), "18456");
	CHECK_STR(row_text(row, ROW_WAITS), "server");
	CHECK_STR(row_text(row, ROW_DRIVER), "");
	CHECK_INT(row->phase_ns[0], 1000000);
	CHECK(row->phase_ns[1] == ROW_NO_NS);
	model_free(model);
}

UNIT_CASE(lines_that_are_no_records)
{
	struct model *model = model_new();

	CHECK(!take(model, "no json", 0));
	CHECK(!take(model, "{\"type\":\"login\"", 0));
	CHECK(!take(model, "{\"type\":\"login\",\"time\":7}", 0));
	CHECK(!take(model, "{\"type\":\"login\",\"time\":\"2021-13-45T99:00:00.0Z\",\"server\":[]}",
		    0));
	CHECK(take(model, "{\"type\":\"close\",\"v\":1}", 0));
	CHECK_INT(model_bad_lines(model), 4);
	CHECK_INT(model_count(model), 0);
	model_free(model);
}

UNIT_CASE(what_is_kept_is_bounded)
{
	struct model *model = model_new();
	size_t with = 0, problems = 0;
	static char more[9000];

	snprintf(more, sizeof(more), ",\"pad\":\"%08900d\"", 0);
	for (unsigned i = 0; i < MODEL_ROWS + 1000; i++)
		log_in(model, (struct login){.id = i,
					     .total_ns = S,
					     .more = i < 40 || i > MODEL_ROWS - 3000 ? more : NULL,
					     .class = i % 10000 ? "ok" : "failed"});
	CHECK_INT(model_count(model), MODEL_ROWS);
	CHECK_INT(model_seen(model), MODEL_ROWS + 1000);
	CHECK_INT(model_row(model, 0)->id, 1000);
	CHECK(!model_find(model, 1000) && model_find(model, 1001));
	for (size_t i = 0; i < model_count(model); i++) {
		const struct row *row = model_row(model, i);

		with += row->line ? row->line_len : 0;
		problems += row->class == ROW_FAILED && row->line;
	}
	/* Ok logins' records are gone down to the bound, those of failed ones are all there. */
	CHECK(with <= 2 * (MODEL_BYTES + sizeof(line)) && with > MODEL_BYTES / 2);
	CHECK_INT(problems, 5);
	CHECK(!model_row(model, 1)->line);
	model_free(model);
}

#define PENDING(id, ns)                                                                            \
	"{\"type\":\"pending\",\"v\":1,\"id\":\"" id                                               \
	"\",\"time\":\"2021-01-01T00:00:10.000000000Z\",\"client\":{\"addr\":\"10.0.0.1\","        \
	"\"port\":1},\"server\":{\"addr\":\"10.0.0.2\",\"port\":1433},\"phase\":\"login\","        \
	"\"waits_on\":\"server\",\"for\":\"LOGIN7's answer\","                                     \
	"\"ns\":" ns "}"
#define WATCH(s, lost)                                                                             \
	"{\"type\":\"watch\",\"v\":1,\"time\":\"2021-01-01T00:00:" s                               \
	".000000000Z\",\"waiting\":30,\"lost\":[" lost "]}"

UNIT_CASE(clocks_of_those_that_wait_run)
{
	struct model *model = model_new();
	const struct model_pending *list;
	uint64_t total;

	take(model, WATCH("10", ""), 100 * S);
	take(model, PENDING("0000000000000001", "1000000000"), 100 * S);
	take(model, PENDING("0000000000000002", "7000000000"), 100 * S);
	CHECK_INT(model_pending(model, &list, &total), 2);
	CHECK_INT(total, 30);
	CHECK_INT(list[0].id, 2);
	CHECK_INT(model_pending_ns(model, &list[0], 103 * S), 10 * S);
	/* It is over: logged in, or no heartbeat names it any more. */
	log_in(model, (struct login){.id = 2, .total_ns = S});
	CHECK_INT(model_pending(model, &list, &total), 1);
	take(model, WATCH("11", ""), 101 * S);
	take(model, WATCH("12", ""), 102 * S);
	CHECK_INT(model_pending(model, &list, &total), 0);
	model_free(model);
}

UNIT_CASE(figures_of_the_last_minute)
{
	struct model *model = model_new();
	struct model_summary sum;

	take(model, WATCH("00", ""), 0);
	for (unsigned i = 0; i < 20; i++)
		log_in(model, (struct login){.id = i,
					     .at_s = i,
					     .total_ns = (i + 1) * 1000000ull,
					     .class = i < 2   ? "failed"
						      : i < 5 ? "slow"
							      : "ok"});
	log_in(model, (struct login){.id = 99,
				     .at_s = 1,
				     .total_ns = 50 * S,
				     .outcome = "probe",
				     .class = "ended"});
	take(model, WATCH("20", "{\"name\":\"a\",\"text\":\"packets lost\",\"count\":3}"), 20 * S);
	model_summarize(model, 20 * S, &sum);
	CHECK_INT(sum.logins, 21);
	CHECK_INT(sum.failed, 2);
	CHECK_INT(sum.slow, 3);
	CHECK_INT(sum.lost, 3);
	CHECK_INT(sum.span_ns, 20 * S);
	CHECK_INT(sum.quantile_ns[0], 10000000); /* the probe's time does not count */
	CHECK_INT(sum.quantile_ns[1], 19000000);
	CHECK_INT(sum.quantile_ns[2], 20000000);
	model_summarize(model, 70 * S, &sum); /* a minute after 00:10 */
	CHECK_INT(sum.logins, 11);
	model_summarize(model, 200 * S, &sum);
	CHECK_INT(sum.logins, 0);
	CHECK(sum.quantile_ns[0] == ROW_NO_NS && !sum.per_s);
	model_free(model);
}

UNIT_CASE(logins_sent_again_count_once)
{
	struct model *model = model_new();

	for (unsigned i = 1; i <= 3; i++)
		log_in(model, (struct login){.id = i, .total_ns = S});
	model_lost_source(model);
	model_resumed(model);
	for (unsigned i = 2; i <= 5; i++)
		log_in(model, (struct login){.id = i, .total_ns = S});
	CHECK_INT(model_count(model), 5);
	take(model, WATCH("20", ""), 0);
	log_in(model, (struct login){.id = 5, .total_ns = S});
	CHECK_INT(model_count(model), 6);
	model_free(model);
}

UNIT_CASE(quantiles_of_many_values)
{
	static uint64_t values[20000];
	uint64_t out[3];

	for (int i = 0; i < 20000; i++)
		values[i] = (uint64_t)(20000 - i) * 1000;
	model_quantiles(values, 20000, out);
	CHECK(out[0] > 9900000 && out[0] < 10100000 && out[1] > 18800000 && out[1] < 19200000);
	model_quantiles(values, 100, out);
	CHECK_INT(out[1], 19995000);
	model_quantiles(values, 1, out);
	CHECK_INT(out[0], out[2]);
}

UNIT_CASE(filters)
{
	struct model *model = model_new();

	log_in(model, (struct login){.id = 1, .total_ns = S / 10, .app = "My App"});
	log_in(model,
	       (struct login){.id = 2,
			      .total_ns = 3 * S,
			      .client = "10.0.0.12",
			      .class = "slow",
			      .verdict = "slow_kdc",
			      .needs = "{\"side\":\"client\",\"kind\":\"kerberos\",\"peer\":{"
				       "\"addr\":\"10.0.0.9\",\"port\":88},"
				       "\"ns\":2000000000,\"requests\":2,\"unanswered\":1}"});
	log_in(model, (struct login){.id = 3,
				     .total_ns = S,
				     .client = "192.168.7.1",
				     .outcome = "refused",
				     .class = "failed",
				     .verdict = "login_failed",
				     .more = ",\"mars\":true"});
	CHECK_INT(filtered(model, ""), 3);
	CHECK_INT(filtered(model, "client=10."), 2);
	CHECK_INT(filtered(model, "client==10.0.0.1"), 1);
	CHECK_INT(filtered(model, "client=10. outcome=failed"), 0);
	CHECK_INT(filtered(model, "outcome=failed"), 1);
	CHECK_INT(filtered(model, "outcome!=ok"), 1);
	CHECK_INT(filtered(model, "CLASS=Slow"), 1);
	CHECK_INT(filtered(model, "app=\"my app\""), 1);
	CHECK_INT(filtered(model, "total>500ms"), 2);
	CHECK_INT(filtered(model, "total<0.5s"), 1);
	CHECK_INT(filtered(model, "login>2s tcp=1ms"), 1);
	CHECK_INT(filtered(model, "kdc"), 1);
	CHECK_INT(filtered(model, "!kdc"), 2);
	CHECK_INT(filtered(model, "happened"), 3);
	CHECK_INT(filtered(model, "dependency=kerberos"), 1);
	CHECK_INT(filtered(model, "dependency="), 2);
	CHECK_INT(filtered(model, "tds.spid=57"), 3);
	CHECK_INT(filtered(model, "tds.spid>57"), 0);
	CHECK_INT(filtered(model, "mars=true"), 1);
	CHECK_INT(filtered(model, "tds.driver=null"), 3);
	CHECK_INT(filtered(model, "driver="), 3);
	CHECK_INT(filtered(model, "error=18456"), 3);
	CHECK_INT(filtered(model, "error=1845"), 0);
	CHECK_INT(filtered(model, "0000000000000003"), 1);
	/* It holds for those that come later, too. */
	CHECK_INT(filtered(model, "client==10.0.0.7"), 0);
	log_in(model, (struct login){.id = 4, .total_ns = S, .client = "10.0.0.7"});
	CHECK_INT(matching(model), 1);
	model_free(model);
}

UNIT_CASE(filters_that_are_wrong)
{
	static const char *const wrong[] = {"total>soon", "app=\"open", "7=8",
					    "a b c d e f g h i j k l m n o p q"};
	char why[FILTER_WHY];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK(!filter_parse(wrong[i], why));
		CHECK(*why);
	}
	CHECK(!filter_parse("   ", why) && !*why);
}

UNIT_CASE(groups_count)
{
	struct model *model = model_new();
	struct groups groups;
	struct group_by by;
	char why[FILTER_WHY];

	for (unsigned i = 0; i < 30; i++)
		log_in(model, (struct login){.id = i,
					     .total_ns = (i + 1) * 1000000ull,
					     .client = i < 10 ? "10.0.0.1" : "10.0.0.2",
					     .class = i == 3 ? "failed" : "ok",
					     .verdict = i == 3 ? "bad" : "ok"});
	CHECK(group_by_parse(&by, "client,verdict", why));
	CHECK_INT(groups_make(&groups, model, &by), 0);
	CHECK_INT(groups.count, 3);
	groups_sort(&groups, GROUP_PROBLEMS, false);
	CHECK_STR(groups.list[0]->key[1]->text, "bad");
	groups_sort(&groups, GROUP_LOGINS, false);
	CHECK_INT(groups.list[0]->logins, 20);
	CHECK_STR(groups.list[0]->key[0]->text, "10.0.0.2");
	CHECK_INT(groups.list[0]->quantile_ns[0], 20000000);
	CHECK_INT(groups.list[0]->most_ns, 30000000);
	groups_sort(&groups, GROUP_NAME, true);
	CHECK_STR(groups.list[0]->key[0]->text, "10.0.0.2");
	groups_release(&groups);
	CHECK(!group_by_parse(&by, "client,nonsense", why) && strstr(why, "nonsense"));
	CHECK(!group_by_parse(&by, "", why) && *why);
	model_free(model);
}

UNIT_CASE(too_many_groups_are_other)
{
	struct model *model = model_new();
	struct group_by by = {.fields = {ROW_CLIENT}, .count = 1};
	struct groups groups;
	char client[32];

	for (unsigned i = 0; i < GROUPS_MOST + 500; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		log_in(model, (struct login){.id = i, .total_ns = S, .client = client});
	}
	CHECK_INT(groups_make(&groups, model, &by), 0);
	CHECK_INT(groups.count, GROUPS_MOST + 1);
	CHECK(groups.other && groups.other->logins == 500);
	groups_release(&groups);
	model_free(model);
}

/* ---- the screen ---- */

static char *shown(struct ui *ui, struct model *model, struct cells *cells)
{
	static char text[65536];
	size_t used = 0;

	ui_draw(ui, model, 0, cells);
	for (int y = 0; y < cells->height; y++) {
		char *l = cells_line(cells, y);

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", l);
		free(l);
	}
	return text;
}

static void press(struct ui *ui, struct model *model, struct cells *cells, const char *keys)
{
	for (; *keys; keys++) {
		ui_press(ui, model, *keys == '\n' ? UI_ENTER : *keys == '\033' ? UI_ESCAPE : *keys);
		ui_draw(ui, model, 0, cells);
	}
}

UNIT_CASE(keys_lead_into_a_group_and_back)
{
	struct model *model = model_new();
	struct cells cells = {0};
	struct ui ui;

	ui_init(&ui);
	cells_resize(&cells, 100, 24);
	log_in(model, (struct login){.id = 1, .total_ns = S, .client = "10.0.0.1"});
	log_in(model, (struct login){.id = 2,
				     .total_ns = 2 * S,
				     .client = "10.0.0.12",
				     .class = "failed",
				     .verdict = "login_failed"});
	press(&ui, model, &cells, "5");
	CHECK(strstr(shown(&ui, model, &cells), "Clients"));
	press(&ui, model, &cells, "j\n"); /* the second one is the one without a failure */
	CHECK_STR(ui.filter, "client==\"10.0.0.1\"");
	CHECK_INT(ui.view, VIEW_NEWEST);
	CHECK(!strstr(shown(&ui, model, &cells), "10.0.0.12"));
	press(&ui, model, &cells, "\033");
	CHECK_STR(ui.filter, "");
	CHECK_INT(ui.view, VIEW_CLIENTS);
	press(&ui, model, &cells, "2\n"); /* worst, and the login in full */
	CHECK(ui.detail && strstr(shown(&ui, model, &cells), "loginack"));
	press(&ui, model, &cells, "\033");
	CHECK(!ui.detail);
	press(&ui, model, &cells, "/client=77\n");
	CHECK(strstr(shown(&ui, model, &cells), "no login has failed") ||
	      strstr(shown(&ui, model, &cells), "no login matches"));
	press(&ui, model, &cells,
	      "/>\n"); /* "client=77>" is text that is no number: it matches nothing */
	press(&ui, model, &cells, "\033\033q");
	CHECK(ui.quit);
	ui_release(&ui);
	cells_release(&cells);
	model_free(model);
}

UNIT_CASE(the_selected_login_stays_selected)
{
	struct model *model = model_new();
	struct cells cells = {0};
	struct ui ui;

	ui_init(&ui);
	cells_resize(&cells, 80, 24);
	for (unsigned i = 1; i <= 3; i++)
		log_in(model, (struct login){.id = i, .total_ns = S});
	shown(&ui, model, &cells);
	press(&ui, model, &cells, "j");
	CHECK_INT(ui.item_seq, 2);
	log_in(model, (struct login){.id = 4, .total_ns = S});
	shown(&ui, model, &cells);
	CHECK_INT(ui.item_seq, 2);
	CHECK_INT(ui.places[VIEW_NEWEST].cursor, 2);
	press(&ui, model, &cells, "kk"); /* at the top it follows the newest */
	CHECK_INT(ui.item_seq, 4);
	log_in(model, (struct login){.id = 5, .total_ns = S});
	shown(&ui, model, &cells);
	CHECK_INT(ui.item_seq, 5);
	press(&ui, model, &cells, " ");
	log_in(model, (struct login){.id = 6, .total_ns = S});
	CHECK(strstr(shown(&ui, model, &cells), "paused, 1 new"));
	CHECK_INT(ui.item_seq, 5);
	press(&ui, model, &cells, " ");
	CHECK_INT(ui.item_seq, 6);
	ui_release(&ui);
	cells_release(&cells);
	model_free(model);
}

UNIT_CASE(every_size_is_drawn)
{
	struct model *model = model_new();
	struct ui ui;

	ui_init(&ui);
	for (unsigned i = 1; i <= 50; i++)
		log_in(model,
		       (struct login){.id = i,
				      .total_ns = S * i,
				      .app = "\\u0007\\u001b[31m\\u6f22\\u5b57\\u202e wide",
				      .class = "failed",
				      .client = i % 2 ? "2001:db8:1111:2222:3333:4444:5555:6666"
						      : "10.0.0.1"});
	for (int width = 1; width <= 320; width += 13)
		for (int height = 1; height < 40; height += 5)
			for (int key = '0'; key <= '9' + 2; key++) {
				struct cells cells = {.ascii = height & 1};

				cells_resize(&cells, width, height);
				ui_press(&ui, model,
					 key <= '9'	  ? key
					 : key == '9' + 1 ? UI_ENTER
							  : UI_ESCAPE);
				CHECK(!strpbrk(shown(&ui, model, &cells), "\033\007"));
				cells_release(&cells);
			}
	ui_release(&ui);
	model_free(model);
}

UNIT_CASE(text_cannot_act_or_overflow)
{
	struct cells cells = {0};
	char *text;

	cells_resize(&cells, 20, 2);
	cells_put(&cells, 0, 0, 12, STYLE_PLAIN, "a\033[31mb\xc2\x9bmore");
	text = cells_line(&cells, 0);
	CHECK_STR(text, "a\\x1b[31mb\\\xe2\x80\xa6");
	free(text);
	cells_put(&cells, 1, 15, 99, STYLE_PLAIN,
		  "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2"); /* three of two columns, in five */
	text = cells_line(&cells, 1);
	CHECK_STR(text, "               \xe6\xbc\xa2\xe5\xad\x97\xe2\x80\xa6");
	free(text);
	cells_put(&cells, 7, 0, 5, STYLE_PLAIN, "outside");
	cells.ascii = true;
	cells_clear(&cells);
	cells_put(&cells, 0, 0, 10, STYLE_PLAIN, "\xc2\xb5s \xe6\xbc\xa2 too long");
	cells_bar(&cells, 1, 0, 10, 0.5, 0.8, STYLE_SERVER, 's');
	text = cells_line(&cells, 0);
	CHECK_STR(text, "us ? too ~");
	free(text);
	text = cells_line(&cells, 1);
	CHECK_STR(text, "     sss");
	free(text);
	cells_release(&cells);
}

UNIT_CASE(columns_share_the_width)
{
	static const struct column table[] = {
		{"A", 4, 8, 0, false, -1}, {"B", 4, 4, 2, false, -1}, {"C", 4, 10, 1, false, -1}};
	int widths[COLUMNS_MOST];

	columns_share(table, 3, 14, widths);
	CHECK(widths[0] == 4 && widths[1] == 4 && widths[2] == 4);
	columns_share(table, 3, 13, widths);
	CHECK(widths[0] == 6 && widths[1] == 0 && widths[2] == 6);
	columns_share(table, 3, 6, widths);
	CHECK(widths[0] == 6 && !widths[1] && !widths[2]);
	columns_share(table, 3, 40, widths);
	CHECK(widths[0] == 8 && widths[1] == 4 && widths[2] == 26);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	RUN(a_login_is_read);
	RUN(lines_that_are_no_records);
	RUN(what_is_kept_is_bounded);
	RUN(clocks_of_those_that_wait_run);
	RUN(figures_of_the_last_minute);
	RUN(logins_sent_again_count_once);
	RUN(quantiles_of_many_values);
	RUN(filters);
	RUN(filters_that_are_wrong);
	RUN(groups_count);
	RUN(too_many_groups_are_other);
	RUN(keys_lead_into_a_group_and_back);
	RUN(the_selected_login_stays_selected);
	RUN(every_size_is_drawn);
	RUN(text_cannot_act_or_overflow);
	RUN(columns_share_the_width);
	return unit_status();
}
