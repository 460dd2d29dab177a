// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text.c - the format "text": one aligned line per login, followed by details if the login did not
 * go well. A server's name precedes its logins, and is repeated after those of another server. With
 * --one-line, each record is one line with everything on it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink/text.h"
#include "sink/text_int.h"
#include "lib/columns.h"
#include "lib/decimal.h"
#include "lib/utf8.h"
#include "lib/units.h"

#define TEXT_HEADER_EVERY 40 /* lines; only on a terminal, where the first header scrolls away */
#define TEXT_TUNNEL_MAX	  32
#define TEXT_OUTCOME_MAX  32
#define TEXT_SIDE	  7 /* columns of "network" */

#define COLOUR_GOOD "\033[32m"
#define COLOUR_BAD  "\033[31m"
#define COLOUR_ODD  "\033[33m"
#define COLOUR_BOLD "\033[1m"
#define COLOUR_DIM  "\033[2m"
#define COLOUR_OFF  "\033[0m"

static const char *const outcome_colours[OUTCOME_COUNT] = {
	[OUTCOME_OK] = COLOUR_GOOD,	   [OUTCOME_REDIRECTED] = COLOUR_GOOD,
	[OUTCOME_INCOMPLETE] = COLOUR_ODD, [OUTCOME_PROBE] = COLOUR_DIM,
	[OUTCOME_NOT_TDS] = COLOUR_ODD,	   [OUTCOME_UNANSWERED] = COLOUR_BAD,
	[OUTCOME_REJECTED] = COLOUR_BAD,   [OUTCOME_REFUSED] = COLOUR_BAD,
	[OUTCOME_TIMED_OUT] = COLOUR_BAD,  [OUTCOME_TLS_FAILED] = COLOUR_BAD,
	[OUTCOME_ABANDONED] = COLOUR_BAD,  [OUTCOME_DROPPED] = COLOUR_BAD,
};

static void *text_open(const struct sink_config *config)
{
	struct text_sink *sink = calloc(1, sizeof(*sink));

	if (sink)
		sink->config = *config;
	return sink;
}

static void text_free(void *sink)
{
	free(sink);
}

/* The escape sequence; "" without colours. */
static const char *text_colour(const struct text_sink *sink, const char *escape)
{
	return sink->config.colour ? escape : "";
}

/* Less than 1000, with its last digits, one or two, after a point: "8.59". */
static char *text_fraction(char *to, uint64_t n, size_t decimals)
{
	to = decimal_put(to, n / (decimals == 1 ? 10 : 100));
	*to++ = '.';
	return decimal_put_last(to, n, decimals);
}

const char *text_ms(uint64_t ns, char text[TEXT_MS_MAX])
{
	uint64_t us10 = (ns + 5000) / 10000, us100 = (ns + 50000) / 100000;
	uint64_t ms = (ns + 500000) / 1000000;
	char *end;

	if (ns == NO_NS)
		return "-";
	if (us10 < 1000)
		end = text_fraction(text, us10, 2);
	else if (us100 < 1000)
		end = text_fraction(text, us100, 1);
	else if (ms < 10000)
		end = decimal_put(text, ms);
	else
		end = stpcpy(decimal_put(text, (unsigned)((ns + 500000000) / NS_PER_S)), "s");
	*end = '\0';
	return text;
}

/* "?" for an unknown word, because it is shorter. */
static const char *text_word(const char *word)
{
	return word && strcmp(word, "unknown") ? word : "?";
}

/* The side that was waited for longest; NULL: neither. */
static const char *text_most(const uint64_t wait_ns[SIDE_NONE])
{
	int most = SIDE_NONE;
	uint64_t ns = 0;

	for (int i = 0; i < SIDE_NONE; i++) {
		if (wait_ns[i] == NO_NS || wait_ns[i] <= ns)
			continue;
		most = i;
		ns = wait_ns[i];
	}
	return side_name(most);
}

static int text_longest(const uint64_t phase_ns[PHASE_SESSION])
{
	int longest = -1;

	for (int i = 0; i < PHASE_SESSION; i++)
		if (phase_ns[i] != NO_NS && (longest < 0 || phase_ns[i] > phase_ns[longest]))
			longest = i;
	return longest;
}

/* Format the time only once per second, because a second may have thousands of lines. */
static void text_clock(struct text_sink *sink, time_t second)
{
	if (second == sink->second && *sink->clock)
		return;
	sink->second = second;
	localtime_r(&second, &sink->tm);
	strftime(sink->clock, sizeof(sink->clock), "%H:%M:%S", &sink->tm);
}

/* " in vxlan 42", or nothing. */
static const char *text_tunnel(uint32_t tunnel, char text[TEXT_TUNNEL_MAX])
{
	const char *kind = tunnel_kind(tunnel);
	int64_t id = tunnel_id(tunnel);

	*text = '\0';
	if (kind && id >= 0)
		snprintf(text, TEXT_TUNNEL_MAX, " in %s %u", kind, (unsigned)id);
	else if (kind)
		snprintf(text, TEXT_TUNNEL_MAX, " in %s", kind);
	return text;
}

/* The terminal may have another width by now, and a longer client may need more columns. */
static bool text_layout(struct text_sink *sink, unsigned client)
{
	unsigned terminal =
		sink->config.terminal ? columns_of(sink->config.out->fd, TEXT_LEAST, TEXT_MOST) : 0;
	struct text_columns was = sink->columns;

	client = client > sink->client ? client : sink->client;
	if (was.width && terminal == sink->terminal && client == sink->client)
		return false;
	sink->terminal = terminal;
	sink->client = client;
	text_columns_choose(&sink->columns, terminal, client);
	return memcmp(&was, &sink->columns, sizeof(was));
}

/* The server, before its logins. */
static void text_server(struct text_sink *sink, const struct endpoint *server, uint32_t tunnel,
			bool header)
{
	char name[SINK_ENDPOINT_MAX], day[32], within[TEXT_TUNNEL_MAX];

	strftime(day, sizeof(day), "%Y-%m-%d", &sink->tm);
	output_printf(sink->config.out, "%s%s   server %s%s%s%s\n", text_colour(sink, COLOUR_BOLD),
		      day, sink_endpoint(server, name), text_tunnel(tunnel, within),
		      header ? "   times in milliseconds" : "", text_colour(sink, COLOUR_OFF));
	sink->server = *server;
	sink->tunnel = tunnel;
	sink->yday = sink->tm.tm_yday;
	sink->year = sink->tm.tm_year;
}

static void text_header(struct text_sink *sink)
{
	output_printf(sink->config.out, "%s", text_colour(sink, COLOUR_DIM));
	text_columns_header(&sink->columns, sink->config.out);
	output_printf(sink->config.out, "%s\n", text_colour(sink, COLOUR_OFF));
	sink->lines = 0;
}

/* The client's address in its column, shortened if a terminal has no room for all of it. */
static void text_client(struct text_sink *sink, const char *client)
{
	unsigned columns = sink->columns.client;
	char cut[SINK_ENDPOINT_MAX + sizeof("…")];

	if (strlen(client) > columns) {
		text_shorten(client, columns, cut);
		output_printf(sink->config.out, " %s", cut);
		return;
	}
	output_text(sink->config.out, " ");
	output_left(sink->config.out, columns, client);
}

/* --one-line: the day, the time, the client and the server. */
static void text_begin_one(struct text_sink *sink, unsigned ms, const struct endpoint *client,
			   const struct endpoint *server, uint32_t tunnel)
{
	char from[SINK_ENDPOINT_MAX], to[SINK_ENDPOINT_MAX], day[32], within[TEXT_TUNNEL_MAX];

	strftime(day, sizeof(day), "%Y-%m-%d", &sink->tm);
	output_printf(sink->config.out, "%s %s.%03u %-*s %-*s%s", day, sink->clock, ms, TEXT_CLIENT,
		      sink_endpoint(client, from), TEXT_CLIENT, sink_endpoint(server, to),
		      text_tunnel(tunnel, within));
	sink->open = true;
}

/*
 * Begin a line with the time and the client, after a header if one is due. In the journal a problem
 * is a warning: sd-daemon(3).
 */
static void text_begin(struct text_sink *sink, uint64_t time_ns, const struct endpoint *client,
		       const struct endpoint *server, uint32_t tunnel, bool problem)
{
	/* sd-daemon(3): a warning, or information */
	const char *priority = !sink->config.priorities ? "" : problem ? "<4>" : "<6>";
	uint64_t wall_ns = wallclock_ns(sink->config.clock, time_ns);
	unsigned ms = (unsigned)(wall_ns / 1000000 % 1000);
	char name[SINK_ENDPOINT_MAX], fraction[] = ".123";
	bool due;

	text_clock(sink, (time_t)(wall_ns / NS_PER_S));
	if (sink->config.one_line) {
		output_printf(sink->config.out, "%s", priority);
		text_begin_one(sink, ms, client, server, tunnel);
		return;
	}
	sink_endpoint(client, name);
	due = text_layout(sink, (unsigned)strlen(name)) || !sink->lines ||
	      (sink->config.terminal && sink->lines >= TEXT_HEADER_EVERY);
	if (due || sink->tm.tm_yday != sink->yday || sink->tm.tm_year != sink->year ||
	    memcmp(&sink->server, server, sizeof(*server)) || tunnel != sink->tunnel)
		text_server(sink, server, tunnel, due);
	if (due)
		text_header(sink);
	sink->lines++;
	*decimal_put_last(fraction + 1, ms, 3) = '\0';
	output_text(sink->config.out, priority);
	output_text(sink->config.out, sink->clock);
	output_text(sink->config.out, fraction);
	text_client(sink, name);
}

/* The mark for an inferred fact. A line before its first use explains it. */
static const char *text_mark(enum basis basis)
{
	return basis == BASIS_INFERRED ? "~" : " ";
}

static void text_explain(struct text_sink *sink, bool inferred)
{
	if (!inferred || sink->explained || sink->config.one_line)
		return;
	sink->explained = true;
	output_printf(
		sink->config.out,
		"%s~ inferred from the sizes and directions of what is encrypted, not read%s\n",
		text_colour(sink, COLOUR_DIM), text_colour(sink, COLOUR_OFF));
}

/* Likewise for a name that is hidden in an error's text. */
static void text_hint(struct text_sink *sink, const struct login_record *rec)
{
	if (sink->hinted || sink->config.one_line || !rec->has_error || !rec->error.message ||
	    !strstr(rec->error.message, RECORD_HIDDEN))
		return;
	sink->hinted = true;
	output_printf(sink->config.out,
		      "%s" RECORD_HIDDEN " may name a person: --show-identities shows it%s\n",
		      text_colour(sink, COLOUR_DIM), text_colour(sink, COLOUR_OFF));
}

/* The end of a record's first line, below which more may follow. */
static void text_line_end(struct text_sink *sink)
{
	if (!sink->config.one_line)
		output_text(sink->config.out, "\n");
}

/* The end of a record. */
static void text_record_end(struct text_sink *sink)
{
	if (sink->open)
		output_printf(sink->config.out, "\n");
	sink->open = false;
}

void text_paragraph(struct text_sink *sink, const char *text)
{
	if (sink->config.one_line) {
		char *copy = utf8_printable(text);

		output_printf(sink->config.out, "; %s", copy ?: "");
		free(copy);
		return;
	}
	sink->lines += columns_paragraph(sink->config.out, text, TEXT_INDENT, sink->columns.width,
					 COLUMNS_FIRST_INDENTED);
}

static void text_phases(struct text_sink *sink, const struct login_record *rec)
{
	int longest = text_longest(rec->phase_ns);
	char ms[TEXT_MS_MAX];

	for (int i = 0; i < PHASE_SESSION; i++) {
		output_text(sink->config.out, " ");
		if (i == longest)
			output_text(sink->config.out, text_colour(sink, COLOUR_BOLD));
		output_right(sink->config.out, 4, text_ms(rec->phase_ns[i], ms));
		if (i == longest)
			output_text(sink->config.out, text_colour(sink, COLOUR_OFF));
	}
}

/* Which differs from the outcome's name: else it is on the line already. */
static const char *text_verdict(const struct login_record *rec)
{
	const char *name = verdict_name(rec->verdict.id);

	return name && strcmp(name, outcome_name(rec->outcome)) ? name : NULL;
}

static void text_login_columns(struct text_sink *sink, const struct login_record *rec,
			       const char *outcome, bool slow)
{
	const struct text_columns *c = &sink->columns;
	struct text_row row = {.out = sink->config.out};
	const char *verdict = text_verdict(rec);
	char ms[TEXT_MS_MAX];

	if (c->auth) {
		output_text(row.out, text_mark(rec->auth.basis));
		output_left(row.out, 8, text_word(auth_method_name(rec->auth.method)));
	}
	if (c->encr) {
		output_text(row.out, " ");
		output_left(row.out, 6, text_word(encryption_name(rec->encryption.effective)));
	}
	output_text(row.out, " ");
	output_text(row.out, text_mark(rec->outcome_basis));
	output_text(row.out, text_colour(sink, slow ? COLOUR_ODD : outcome_colours[rec->outcome]));
	output_left(row.out, 10, outcome);
	output_text(row.out, text_colour(sink, COLOUR_OFF));
	output_text(row.out, " ");
	output_right(row.out, 4, text_ms(rec->total_ns, ms));
	if (c->phases)
		text_phases(sink, rec);
	if (c->most)
		text_row_cell(&row, TEXT_SIDE, text_most(rec->wait_ns));
	if (c->app)
		text_row_cell(&row, c->app, rec->tds.app);
	if (c->database)
		text_row_cell(&row, c->database, rec->tds.database);
	if (c->driver)
		text_row_cell(&row, c->driver, rec->tds.driver);
	if (verdict)
		text_row_rest(&row, verdict);
}

/* Words without blanks, so that awk and cut find them; times in milliseconds. */
static void text_login_one(struct text_sink *sink, const struct login_record *rec)
{
	struct output *out = sink->config.out;
	char ms[TEXT_MS_MAX];

	output_printf(out, " %s%-10s %-20s %6s", rec->outcome_basis == BASIS_INFERRED ? "~" : "",
		      outcome_name(rec->outcome), verdict_name(rec->verdict.id) ?: "-",
		      text_ms(rec->total_ns, ms));
	for (int i = 0; i < PHASE_SESSION; i++)
		output_printf(out, " %5s", text_ms(rec->phase_ns[i], ms));
	output_printf(out, " %-7s %s%-8s %s", text_most(rec->wait_ns) ?: "-",
		      rec->auth.basis == BASIS_INFERRED ? "~" : "",
		      text_word(auth_method_name(rec->auth.method)),
		      text_word(encryption_name(rec->encryption.effective)));
}

static void text_login(void *ctx, const struct login_record *rec)
{
	struct text_sink *sink = ctx;
	bool slow = rec->verdict.class == VERDICT_SLOW;
	const char *outcome = outcome_name(rec->outcome);
	char joined[TEXT_OUTCOME_MAX];

	if (slow) {
		snprintf(joined, sizeof(joined), "%s, slow", outcome);
		outcome = joined;
	}
	text_explain(sink,
		     rec->outcome_basis == BASIS_INFERRED || rec->auth.basis == BASIS_INFERRED);
	text_hint(sink, rec);
	text_begin(sink, rec->start_ns, &rec->client, &rec->server, rec->tunnel,
		   sink_is_problem(rec));
	if (sink->config.one_line)
		text_login_one(sink, rec);
	else
		text_login_columns(sink, rec, outcome, slow);
	text_line_end(sink);
	text_remarks(sink, rec);
	text_record_end(sink);
}

/* Most sessions end properly; one that was cut off gets a line. */
static void text_close(void *ctx, const struct close_record *rec)
{
	struct text_sink *sink = ctx;
	const char *by = side_name(rec->by);
	char lasted[CLOCK_TEXT];
	uint64_t commands = 0;

	if (!sink_is_cut_off(rec))
		return;
	if (sink_is_stranded(rec)) {
		text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel, true);
		output_printf(sink->config.out, " %sredirect not followed%s",
			      text_colour(sink, COLOUR_ODD), text_colour(sink, COLOUR_OFF));
		text_line_end(sink);
		text_paragraph(sink, rec->verdict.text);
		text_record_end(sink);
		return;
	}
	for (int i = 0; i < COMMAND_COUNT; i++)
		commands += rec->commands[i];
	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel, true);
	output_printf(
		sink->config.out, " %ssession reset%s by the %s after %s and %" PRIu64 " commands",
		text_colour(sink, COLOUR_BAD), text_colour(sink, COLOUR_OFF), by ? by : "network",
		rec->duration_ns == NO_NS ? "an unknown time"
					  : clock_duration(rec->duration_ns, lasted),
		commands);
	text_line_end(sink);
	if (rec->verdict.text)
		text_paragraph(sink, rec->verdict.text);
	text_record_end(sink);
}

static void text_command(void *ctx, const struct command_record *rec)
{
	struct text_sink *sink = ctx;
	char total[TEXT_MS_MAX], first[TEXT_MS_MAX];

	text_explain(sink, rec->basis == BASIS_INFERRED);
	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel, false);
	output_printf(sink->config.out,
		      "%s%-15s  %-10s %4s ms, first byte %s ms, %" PRIu64 " B in, %" PRIu64
		      " B out",
		      text_mark(rec->basis), text_word(command_kind_name(rec->kind)),
		      rec->answered < 0	   ? "?"
		      : !rec->answered	   ? "unanswered"
		      : rec->cancelled > 0 ? "cancelled"
					   : "done",
		      text_ms(rec->total_ns, total), text_ms(rec->first_byte_ns, first),
		      rec->request_bytes, rec->response_bytes);
	text_line_end(sink);
	if (rec->procedure)
		text_paragraph(sink, rec->procedure);
	if (rec->sql)
		text_paragraph(sink, rec->sql);
	if (rec->sql_cut)
		text_paragraph(sink, "... (cut)");
	text_record_end(sink);
}

/* A client did not get the port, so there is no login to report. */
static void text_unanswered(void *ctx, const struct browser_record *rec)
{
	struct text_sink *sink = ctx;
	char *text = NULL, lasted[CLOCK_TEXT];

	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel, true);
	output_printf(sink->config.out, " %sSQL Server Browser unanswered%s, asked %u time%s",
		      text_colour(sink, COLOUR_BAD), text_colour(sink, COLOUR_OFF), rec->questions,
		      rec->questions == 1 ? "" : "s");
	text_line_end(sink);
	if (asprintf(&text,
		     "no answer came within %s to the question %s%s, and no connection after it: "
		     "UDP "
		     "1434 is blocked on the way, the Browser service is stopped, or there is no "
		     "such "
		     "instance (SqlClient: error 26)",
		     clock_duration(rec->waited_ns, lasted),
		     rec->instance ? "for instance " : "for all instances",
		     rec->instance ?: "") > 0)
		text_paragraph(sink, text);
	free(text);
	text_record_end(sink);
}

static void text_pending(void *ctx, const struct pending_record *rec)
{
	struct text_sink *sink = ctx;
	char waited[CLOCK_TEXT];

	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel, true);
	output_printf(sink->config.out, " %slogin waits%s %s for the %s: %s",
		      text_colour(sink, COLOUR_ODD), text_colour(sink, COLOUR_OFF),
		      clock_duration(rec->ns, waited), side_name(rec->waits_on), rec->what);
	text_line_end(sink);
	text_record_end(sink);
}

const struct sink_ops text_sink = {
	.name = "text",
	.open = text_open,
	.login = text_login,
	.close = text_close,
	.command = text_command,
	.browser = text_unanswered,
	.pending = text_pending,
	.free = text_free,
};
