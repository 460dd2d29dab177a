// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_login.c - one login in full: its waterfall with the parts of each wait, its facts, what its
 * hosts asked of others, and the evidence.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top/ui.h"

#define LABEL 18

/* Where the next line goes. Lines above the screen's part are counted, not drawn. */
struct pen {
	struct cells *cells;
	int y, height; /* of the screen's part */
	int first;     /* its first line */
	int line;      /* the next one, of all */
};

/* The screen's line, or -1: it is not on the screen. */
static int pen_y(const struct pen *pen)
{
	int at = pen->line - pen->first;

	return at >= 0 && at < pen->height ? pen->y + at : -1;
}

static void pen_title(struct pen *pen, const char *text)
{
	pen->line++;
	cells_put(pen->cells, pen_y(pen), 0, pen->cells->width, STYLE_HEAD, text);
	pen->line++;
}

/* Text from column x on, broken at blanks. */
static void pen_wrap(struct pen *pen, int x, int style, const char *text)
{
	int width = pen->cells->width - x - 1;

	width = width < 20 ? 20 : width;
	while (*text) {
		size_t len = 0, at = 0;
		char line[1024];

		while (at < sizeof(line) - 1 && text[at]) {
			size_t next = at + 1;

			while (text[next] && (text[next] & 0xc0) == 0x80)
				next++;
			memcpy(line, text, next < sizeof(line) ? next : sizeof(line) - 1);
			line[next < sizeof(line) ? next : sizeof(line) - 1] = '\0';
			if (cells_width(pen->cells, line) > width)
				break;
			at = next;
			if (!text[at] || text[at] == ' ')
				len = at;
		}
		len = len ?: at ?: 1;
		len = len < sizeof(line) ? len : sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		cells_put(pen->cells, pen_y(pen), x, pen->cells->width - x, style, line);
		pen->line++;
		text += len;
		text += *text == ' ';
	}
}

static void pen_fact(struct pen *pen, const char *label, const char *text)
{
	cells_put(pen->cells, pen_y(pen), 2, LABEL - 3, STYLE_DIM, label);
	pen_wrap(pen, LABEL, STYLE_PLAIN, *text ? text : " ");
}

/* ---- values as text ---- */

/* The value in words; NULL: it was not seen. The caller frees it. */
static char *value_text(const json_t *value, bool duration)
{
	char ns[UI_CLOCK], *text = NULL;

	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_integer(value) && duration)
		return strdup(ui_ns((uint64_t)json_integer_value(value), ns));
	if (json_is_integer(value))
		return asprintf(&text, "%lld", (long long)json_integer_value(value)) < 0 ? NULL
											 : text;
	if ((json_is_object(value) || json_is_array(value)) &&
	    (json_object_size(value) || json_array_size(value)))
		return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return NULL;
}

static bool ends_in_ns(const char *path)
{
	size_t len = strlen(path);

	return len >= 2 && !strcmp(path + len - 2, "ns") &&
	       (len == 2 || path[len - 3] == '_' || path[len - 3] == '.');
}

static void draw_value(struct pen *pen, const json_t *record, const char *label, const char *path)
{
	char *text = value_text(row_path(record, path), ends_in_ns(path));

	if (text)
		pen_fact(pen, label, text);
	free(text);
}

/* ---- the waterfall ---- */

static int side_style(const char *side)
{
	return !strcmp(side, "client")	 ? STYLE_CLIENT
	       : !strcmp(side, "server") ? STYLE_SERVER
					 : STYLE_NETWORK;
}

/* The columns of a line: name, side, when it ended, how long it took; the rest is the bar. */
struct fall {
	uint64_t total_ns; /* the whole bar */
	int name, bar, bar_width;
};

static void draw_bar(const struct pen *pen, const struct fall *fall, uint64_t from_ns, uint64_t ns,
		     int style, char letter)
{
	double total = (double)(fall->total_ns ?: 1);

	if (ns)
		cells_bar(pen->cells, pen_y(pen), fall->bar, fall->bar_width,
			  (double)from_ns / total, (double)(from_ns + ns) / total, style, letter);
}

static void draw_step_line(const struct pen *pen, const struct fall *fall, const char *name,
			   const char *side, uint64_t end_ns, uint64_t ns)
{
	int y = pen_y(pen), x = fall->name + 1;
	char text[UI_CLOCK];

	cells_put(pen->cells, y, 0, fall->name, STYLE_PLAIN, name);
	cells_put(pen->cells, y, x, 7, side_style(side), side);
	if (end_ns != ROW_NO_NS)
		cells_put_right(pen->cells, y, x + 8, 8, STYLE_DIM, ui_ns(end_ns, text));
	cells_put_right(pen->cells, y, x + 17, 7, STYLE_PLAIN, ui_ns(ns, text));
}

/* The parts of a wait, in the order in which the record has them. */
static void draw_parts(struct pen *pen, const struct fall *fall, const json_t *parts,
		       uint64_t from_ns, const char *side)
{
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		uint64_t ns = row_ns(part, "ns");
		const json_t *peer = row_path(part, "peer");
		char text[128], endpoint[ROW_ENDPOINT];

		ns = ns == ROW_NO_NS ? 0 : ns;
		snprintf(text, sizeof(text), "  %s%s%s", row_string(part, "part") ?: "?",
			 json_is_object(peer) ? " " : "",
			 json_is_object(peer) ? row_endpoint(peer, endpoint) : "");
		draw_step_line(pen, fall, text, "", ROW_NO_NS, ns);
		cells_put(pen->cells, pen_y(pen), fall->name + 1, 8, STYLE_DIM,
			  row_string(part, "basis") ?: "");
		draw_bar(pen, fall, from_ns, ns, STYLE_DIM, *side ? *side : '.');
		pen->line++;
		from_ns += ns;
	}
}

/* A message, whose time the network and a side share: they stand in the record one after the other. */
static size_t draw_step(struct pen *pen, const struct fall *fall, const json_t *steps, size_t at,
			uint64_t *from_ns)
{
	const char *name = row_string(json_array_get(steps, at), "name") ?: "?", *side = "",
		   *longest = "";
	uint64_t whole_ns = 0, most_ns = 0;
	size_t end = at;

	for (; end < json_array_size(steps); end++) {
		const json_t *step = json_array_get(steps, end);
		uint64_t ns = row_ns(step, "ns");

		if (strcmp(row_string(step, "name") ?: "?", name) || (end > at && ns == ROW_NO_NS))
			break;
		side = row_string(step, "waits_on") ?: "";
		ns = ns == ROW_NO_NS ? 0 : ns;
		draw_bar(pen, fall, *from_ns + whole_ns, ns, side_style(side), *side);
		if (ns >= most_ns) {
			most_ns = ns;
			longest = side;
		}
		whole_ns += ns;
	}
	draw_step_line(pen, fall, name, longest, *from_ns + whole_ns, whole_ns);
	pen->line++;
	for (; at < end; at++) {
		const json_t *step = json_array_get(steps, at);
		uint64_t ns = row_ns(step, "ns");

		draw_parts(pen, fall, row_path(step, "within"), *from_ns,
			   row_string(step, "waits_on") ?: "");
		*from_ns += ns == ROW_NO_NS ? 0 : ns;
	}
	return end;
}

static void draw_waterfall(struct pen *pen, const json_t *record)
{
	const json_t *steps = row_path(record, "steps");
	struct fall fall = {.name = pen->cells->width < 100 ? 26 : 38};
	uint64_t from_ns = 0;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		uint64_t ns = row_ns(json_array_get(steps, i), "ns");

		fall.total_ns += ns == ROW_NO_NS ? 0 : ns;
	}
	fall.bar = fall.name + 27;
	fall.bar_width = pen->cells->width - fall.bar - 1;
	pen->line++;
	cells_put(pen->cells, pen_y(pen), 0, fall.name, STYLE_HEAD, "MESSAGE");
	cells_put(pen->cells, pen_y(pen), fall.name + 1, 26, STYLE_HEAD,
		  "WAITS ON      AT    TOOK");
	pen->line++;
	for (size_t at = 0; at < json_array_size(steps);)
		at = draw_step(pen, &fall, steps, at, &from_ns);
}

/* ---- sections ---- */

static void draw_summary(struct pen *pen, const json_t *record)
{
	const char *class = row_string(record, "verdict.class") ?: "";
	char client[ROW_ENDPOINT], server[ROW_ENDPOINT], ns[UI_CLOCK];
	int style = !strcmp(class, "failed") ? STYLE_BAD
		    : !strcmp(class, "slow") ? STYLE_SLOW
					     : STYLE_GOOD,
	    y = pen_y(pen), x;

	x = cells_printf(pen->cells, y, 0, pen->cells->width, STYLE_BOLD, "%s \xe2\x86\x92 %s",
			 row_endpoint(row_path(record, "client"), client),
			 row_endpoint(row_path(record, "server"), server));
	x += 2;
	x += 2 + cells_put(pen->cells, y, x, pen->cells->width - x, style,
			   row_string(record, "verdict.name") ?: row_string(record, "phase") ?: "");
	cells_put(pen->cells, y, x, pen->cells->width - x, STYLE_PLAIN,
		  ui_ns(row_ns(record, row_path(record, "total_ns") ? "total_ns" : "ns"), ns));
	pen->line++;
	pen_wrap(pen, 0, STYLE_PLAIN, row_string(record, "verdict.text") ?: row_string(record, "for") ?: "");
}

struct fact {
	const char *label, *path;
};

static const struct fact facts[] = {
	{"first packet", "time"},
	{"id", "id"},
	{"outcome", "outcome"},
	{"error", "error.number"},
	{"state", "error.state"},
	{"message", "error.message"},
	{"error log", "errorlog.reason"},
	{"redirected to", "redirect"},
	{"application", "tds.app"},
	{"database", "tds.database"},
	{"client host", "tds.host"},
	{"driver", "tds.driver"},
	{"TDS", "tds.version"},
	{"server version", "tds.server_version"},
	{"instance", "tds.instance"},
	{"SPID", "tds.spid"},
	{"user", "auth.user"},
	{"authentication", "auth.method"},
	{"fell back from", "auth.kerberos_fallback.spn"},
	{"encryption", "encryption.effective"},
	{"TLS", "tls.version"},
	{"cipher", "tls.cipher"},
	{"SNI", "tls.sni"},
	{"alert", "tls.alert.description"},
	{"certificate", "tls.certificate.subject"},
	{"its end", "tls.certificate.not_after"},
	{"MARS", "mars"},
	{"seen from", "vantage"},
	{"interface", "interface"},
	{"tunnel", "tunnel"},
	{"by proxy for", "proxied_from"},
	{"process", "host.process"},
	{"pid", "host.pid"},
	{"cgroup", "host.cgroup"},
	{"accept queue", "host.accept_queue"},
	{"throttled", "host.throttled_ns"},
	{"waited: client", "waits.client_ns"},
	{"server", "waits.server_ns"},
	{"network", "waits.network_ns"},
	{"before it: DNS", "before.dns_ns"},
	{"attempts", "before.attempts"},
	{"Browser", "browser.ns"},
	{"SYNs sent again", "tcp.syn_retransmits"},
	{"segments again", "tcp.retransmits"},
	{"zero windows", "tcp.zero_windows"},
	{"missing bytes", "tcp.missing_bytes"},
	{"unacknowledged", "tcp.unacknowledged"},
	{"client's MSS", "tcp.client_mss"},
	{"server's MSS", "tcp.server_mss"},
	{"phase", "phase"},
	{"waits on", "waits_on"},
	{"for", "for"},
};

static void draw_facts(struct pen *pen, const json_t *record)
{
	pen_title(pen, "FACTS");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		draw_value(pen, record, facts[i].label, facts[i].path);
}

static void draw_needs(struct pen *pen, const json_t *record)
{
	const json_t *list = row_path(record, "dependencies");

	if (!json_array_size(list))
		return;
	pen_title(pen, "ASKED OF OTHERS");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *need = json_array_get(list, i);
		char peer[ROW_ENDPOINT], ns[UI_CLOCK], rtt[UI_CLOCK], text[512];
		long long unanswered = json_integer_value(row_path(need, "unanswered"));

		snprintf(text, sizeof(text),
			 "%s, by the %s: %s%s%s, %lld request%s, %lld unanswered, %s%s%s, round "
			 "trip %s",
			 row_endpoint(row_path(need, "peer"), peer),
			 row_string(need, "side") ?: "?",
			 row_string(need, "operation") ?: "request",
			 row_string(need, "target") ? " " : "", row_string(need, "target") ?: "",
			 (long long)json_integer_value(row_path(need, "requests")),
			 json_integer_value(row_path(need, "requests")) == 1 ? "" : "s", unanswered,
			 ui_ns(row_ns(need, "ns"), ns), row_string(need, "result") ? ", " : "",
			 row_string(need, "result") ?: "", ui_ns(row_ns(need, "rtt_ns"), rtt));
		pen_fact(pen, row_string(need, "kind") ?: "other", text);
	}
}

/* Grounds of the parts of a wait. */
static void draw_grounds(struct pen *pen, const json_t *parts)
{
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);

		if (row_string(part, "grounds"))
			pen_fact(pen, row_string(part, "part") ?: "part",
				 row_string(part, "grounds"));
	}
}

static void draw_evidence(struct pen *pen, const json_t *record)
{
	char text[256];

	pen_title(pen, "EVIDENCE");
	snprintf(text, sizeof(text), "%s, confidence %s%s%s",
		 row_string(record, "outcome_basis") ?: "unknown",
		 row_string(record, "confidence") ?: "unknown",
		 row_string(record, "grounds") ? ": " : "", row_string(record, "grounds") ?: "");
	if (row_path(record, "outcome"))
		pen_fact(pen, "outcome", text);
	snprintf(text, sizeof(text), "%s%s%s", row_string(record, "auth.basis") ?: "unknown",
		 row_string(record, "auth.grounds") ? ": " : "",
		 row_string(record, "auth.grounds") ?: "");
	if (row_path(record, "auth"))
		pen_fact(pen, "authentication", text);
	for (size_t i = 0; i < json_array_size(row_path(record, "steps")); i++)
		draw_grounds(pen, row_path(json_array_get(row_path(record, "steps"), i), "within"));
}

void login_draw(struct ui *ui, struct cells *cells, int y, int height)
{
	struct pen pen = {.cells = cells, .y = y, .height = height, .first = ui->detail_first};
	json_t *record = json_loadb(ui->detail, ui->detail_len, 0, NULL);

	if (!record)
		return;
	draw_summary(&pen, record);
	if (json_array_size(row_path(record, "steps")))
		draw_waterfall(&pen, record);
	draw_facts(&pen, record);
	draw_needs(&pen, record);
	draw_evidence(&pen, record);
	ui->detail_lines = pen.line;
	ui->page = height;
	json_decref(record);
}
