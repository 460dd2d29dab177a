// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text.c - the format "text": one aligned line per login, at most 100 columns wide, followed by
 * details if the login did not go well. A server's name precedes its logins, and is repeated after
 * those of another server.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink/text.h"
#include "sink/text_cause.h"
#include "lib/utf8.h"
#include "lib/units.h"

#define TEXT_COLUMNS	  100
#define TEXT_INDENT	  13 /* the time and a space */
#define TEXT_HEADER_EVERY 40 /* lines; only on a terminal, where the first header scrolls away */
#define TEXT_MS_MAX	  12
#define TEXT_TUNNEL_MAX	  32

#define COLOUR_GOOD "\033[32m"
#define COLOUR_BAD  "\033[31m"
#define COLOUR_ODD  "\033[33m"
#define COLOUR_BOLD "\033[1m"
#define COLOUR_DIM  "\033[2m"
#define COLOUR_OFF  "\033[0m"

#define TEXT_SPN_MAX 256

struct text_sink {
	struct sink_config config;
	struct endpoint server; /* the last one named, */
	uint32_t tunnel;	/* with its tunnel */
	time_t second;		/* of the last line */
	struct tm tm;		/* that second, local time */
	char clock[16];		/* that second, formatted */
	int year, yday;		/* the last day named */
	unsigned lines;		/* since the header; 0: no header yet */
	bool explained;		/* the meaning of "~" */
	bool hinted;		/* how to show hidden names */
	char spn[TEXT_SPN_MAX]; /* the last name named that a KDC does not know */
};

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

/*
 * A column of times, in milliseconds with four characters, "0.03", "8.59", "40.0", "1954", so that
 * their length shows their magnitude; from ten seconds on in seconds, "15s".
 */
static const char *text_ms(uint64_t ns, char text[TEXT_MS_MAX])
{
	uint64_t us10 = (ns + 5000) / 10000, us100 = (ns + 50000) / 100000;
	uint64_t ms = (ns + 500000) / 1000000;

	if (ns == NO_NS)
		return "-";
	if (us10 < 1000)
		snprintf(text, TEXT_MS_MAX, "%u.%02u", (unsigned)us10 / 100, (unsigned)us10 % 100);
	else if (us100 < 1000)
		snprintf(text, TEXT_MS_MAX, "%u.%u", (unsigned)us100 / 10, (unsigned)us100 % 10);
	else if (ms < 10000)
		snprintf(text, TEXT_MS_MAX, "%u", (unsigned)ms);
	else
		snprintf(text, TEXT_MS_MAX, "%us", (unsigned)((ns + 500000000) / NS_PER_S));
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

/* Begin a line with the time and the client, after a header if one is due. */
static void text_begin(struct text_sink *sink, uint64_t time_ns, const struct endpoint *client,
		       const struct endpoint *server, uint32_t tunnel)
{
	struct output *out = sink->config.out;
	uint64_t wall_ns = wallclock_ns(sink->config.clock, time_ns);
	bool due = !sink->lines || (sink->config.terminal && sink->lines >= TEXT_HEADER_EVERY);
	const struct tm *tm = &sink->tm;
	char name[SINK_ENDPOINT_MAX], text[32], within[TEXT_TUNNEL_MAX];

	text_clock(sink, (time_t)(wall_ns / NS_PER_S));
	if (due || tm->tm_yday != sink->yday || tm->tm_year != sink->year ||
	    memcmp(&sink->server, server, sizeof(*server)) || tunnel != sink->tunnel) {
		strftime(text, sizeof(text), "%Y-%m-%d", tm);
		output_printf(out, "%s%s   server %s%s%s%s\n", text_colour(sink, COLOUR_BOLD), text,
			      sink_endpoint(server, name), text_tunnel(tunnel, within),
			      due ? "   times in milliseconds" : "", text_colour(sink, COLOUR_OFF));
		sink->server = *server;
		sink->tunnel = tunnel;
		sink->yday = tm->tm_yday;
		sink->year = tm->tm_year;
	}
	if (due) {
		output_printf(
			out,
			"%s%-12s %-21s %-8s %-6s  %-9s total  tcp  pre tls login auth most on%s\n",
			text_colour(sink, COLOUR_DIM), "time", "client", "auth", "encr", "outcome",
			text_colour(sink, COLOUR_OFF));
		sink->lines = 0;
	}
	sink->lines++;
	output_printf(out, "%s.%03u %-21s", sink->clock, (unsigned)(wall_ns / 1000000 % 1000),
		      sink_endpoint(client, name));
}

/* The mark for an inferred fact. A line before its first use explains it. */
static char text_mark(enum basis basis)
{
	return basis == BASIS_INFERRED ? '~' : ' ';
}

static void text_explain(struct text_sink *sink, bool inferred)
{
	if (!inferred || sink->explained)
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
	if (sink->hinted || !rec->has_error || !rec->error.message ||
	    !strstr(rec->error.message, RECORD_HIDDEN))
		return;
	sink->hinted = true;
	output_printf(sink->config.out,
		      "%s" RECORD_HIDDEN " may name a person: --show-identities shows it%s\n",
		      text_colour(sink, COLOUR_DIM), text_colour(sink, COLOUR_OFF));
}

/* Bytes up to the blank at which to break a line of so many columns. */
static size_t text_fit(const char *s, size_t columns)
{
	size_t pos = 0, fit = 0, n;
	uint32_t cp;

	for (; (n = utf8_next(s + pos, &cp)); pos += n, columns -= columns > 0) {
		if (cp == ' ' && (columns || !fit))
			fit = pos;
		if (!columns && fit)
			return fit;
	}
	return pos;
}

/* Text of any length below a login's line, indented and broken at blanks. */
static void text_paragraph(struct text_sink *sink, const char *text)
{
	char *copy = utf8_printable(text), *s = copy;

	while (s && *s) {
		size_t len = text_fit(s, TEXT_COLUMNS - TEXT_INDENT);

		output_printf(sink->config.out, "%*s%.*s\n", TEXT_INDENT, "", (int)len, s);
		sink->lines++;
		s += len;
		s += strspn(s, " ");
	}
	free(copy);
}

/* The client's own names, which help to find it behind a proxy or a pool. */
static void text_identity(struct text_sink *sink, const struct login_record *rec)
{
	const struct {
		const char *label, *value;
	} parts[] = {
		{"app", rec->tds.app},	      {"host", rec->tds.host},
		{"driver", rec->tds.driver},  {"database", rec->tds.database},
		{"domain", rec->auth.domain}, {"user", rec->auth.user},
	};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].value && *parts[i].value)
			fprintf(f, "%s%s %s", ftell(f) > 0 ? ", " : "the client: ", parts[i].label,
				parts[i].value);
	if (!fclose(f) && len)
		text_paragraph(sink, text);
	free(text);
}

static void text_line(struct text_sink *sink, char *line)
{
	if (line)
		text_paragraph(sink, line);
	free(line);
}

/* The parts of a step of at least 20 ms. */
static void text_parts(struct text_sink *sink, const struct login_record *rec, size_t step)
{
	for (size_t i = 0; i < rec->part_count; i++)
		if (rec->parts[i].step == step)
			text_line(sink, text_cause_part(&rec->parts[i]));
}

/* Requests by the login's hosts to others while the login waited. */
static void text_dependencies(struct text_sink *sink, const struct login_record *rec)
{
	for (size_t i = 0; i < rec->dependency_count; i++)
		text_line(sink, text_cause_dependency(&rec->dependencies[i]));
}

/* The client's request to SQL Server Browser, and the instance's name. */
static void text_browser(struct text_sink *sink, const struct login_record *rec)
{
	const struct lookup *b = &rec->browser;
	char ms[TEXT_MS_MAX], retries[32] = "";

	if (!rec->tds.instance && !b->seen)
		return;
	output_printf(sink->config.out, "%*s", TEXT_INDENT, "");
	if (rec->tds.instance) {
		char *name = utf8_printable(rec->tds.instance);

		output_printf(sink->config.out, "instance %s%s", name ?: "", b->seen ? ", " : "");
		free(name);
	}
	if (b->retries)
		snprintf(retries, sizeof(retries), ", asked %u times", b->retries + 1);
	if (b->seen && b->ns == NO_NS)
		output_printf(sink->config.out, "SQL Server Browser did not answer%s", retries);
	else if (b->seen)
		output_printf(sink->config.out, "SQL Server Browser answered in %s ms%s",
			      text_ms(b->ns, ms), retries);
	output_printf(sink->config.out, "\n");
	sink->lines++;
}

/*
 * The beginning of the line on SqlClient; NULL: no line. Only SqlClient's time-out message has such
 * a text, and whether the client is SqlClient may not have been seen.
 */
static const char *text_sqlclient_begins(const struct login_record *rec)
{
	if (!sink_timed(rec) && rec->outcome != OUTCOME_UNANSWERED)
		return NULL;
	if (!rec->tds.driver)
		return "if the client is SqlClient, its time-out would say";
	return strstr(rec->tds.driver, "SqlClient") ? "SqlClient's time-out would say" : NULL;
}

/* The milliseconds that SqlClient would print in its time-out message. */
static void text_sqlclient(struct text_sink *sink, const struct login_record *rec)
{
	const char *begins = text_sqlclient_begins(rec);
	uint64_t before_login7 = 0, rest = 0, handshake = 0;
	uint64_t connect = rec->phase_ns[PHASE_TCP] == NO_NS ? 0 : rec->phase_ns[PHASE_TCP];
	char *text = NULL;

	if (!begins)
		return;
	if (rec->browser.seen)
		connect += rec->browser.waited_ns;
	for (int i = PHASE_PRELOGIN; i <= PHASE_TLS; i++)
		handshake += rec->phase_ns[i] == NO_NS ? 0 : rec->phase_ns[i];
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *s = &rec->steps[i];

		if (s->phase < PHASE_LOGIN)
			continue;
		*(s->kind == STEP_LOGIN7 ? &before_login7 : &rest) += s->ns;
	}
	if (asprintf(&text,
		     "%s: [Pre-Login] initialization=%" PRIu64 "; handshake=%" PRIu64
		     "; [Login] initialization=0; authentication=%" PRIu64
		     "; [Post-Login] complete=%" PRIu64 ";",
		     begins, connect / 1000000, handshake / 1000000, before_login7 / 1000000,
		     rest / 1000000) > 0)
		text_paragraph(sink, text);
	free(text);
}

/* The server's own entry. */
static void text_errorlog(struct text_sink *sink, const struct login_record *rec)
{
	const struct errorlog_entry *e = rec->errorlog;
	char time[CLOCK_TEXT], *text = NULL;

	if (!e)
		return;
	clock_rfc3339(wallclock_ns(sink->config.clock, e->time_ns), time);
	if (asprintf(&text, "the server's error log, %s: error %d, state %u%s%s%s%s", time,
		     e->number, e->state, e->user ? ", user " : "", e->user ?: "",
		     e->reason ? ": " : "", e->reason ?: "") > 0)
		text_paragraph(sink, text);
	free(text);
}

/* The evidence: each step, the side that was waited for, and the basis of inferences. */
static void text_evidence(struct text_sink *sink, const struct login_record *rec)
{
	char ms[TEXT_MS_MAX];

	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *s = &rec->steps[i];

		output_printf(sink->config.out, "%*s%-8s %-18s %-7s %6s ms\n", TEXT_INDENT, "",
			      phase_name(s->phase), step_kind_name(s->kind), side_name(s->waits_on),
			      text_ms(s->ns, ms));
		sink->lines++;
		text_parts(sink, rec, i);
	}
	text_dependencies(sink, rec);
	if (rec->auth.grounds) {
		char *text = NULL;

		if (asprintf(&text, "%s, %s: %s", auth_method_name(rec->auth.method),
			     basis_name(rec->auth.basis), rec->auth.grounds) > 0)
			text_paragraph(sink, text);
		free(text);
	}
	text_errorlog(sink, rec);
	text_browser(sink, rec);
	text_sqlclient(sink, rec);
}

/*
 * Why the client did not use Kerberos: once for each name, because a login in good time may be one
 * of thousands; with --explain each time.
 */
static void text_fallback(struct text_sink *sink, const struct login_record *rec)
{
	const char *spn = rec->auth.missing_spn;
	char *text = NULL;

	if (!spn || strstr(rec->verdict.text, spn) ||
	    (!sink->config.explain && !strncmp(sink->spn, spn, sizeof(sink->spn) - 1)))
		return;
	snprintf(sink->spn, sizeof(sink->spn), "%s", spn);
	if (asprintf(&text,
		     "NTLM, not Kerberos (inferred): the client's KDC knows no %s "
		     "(KDC_ERR_S_PRINCIPAL_UNKNOWN); register it for the server's service account: "
		     "setspn -S %s ACCOUNT",
		     spn, spn) > 0)
		text_paragraph(sink, text);
	free(text);
}

static void text_remarks(struct text_sink *sink, const struct login_record *rec)
{
	char *error = NULL;

	if (rec->outcome == OUTCOME_OK && rec->verdict.unremarkable) {
		text_fallback(sink, rec);
		if (sink->config.explain)
			text_evidence(sink, rec);
		return;
	}
	text_paragraph(sink, rec->verdict.text);
	/* In addition to the verdict: an error's number and text are the server's own words. */
	if (rec->has_error &&
	    (!rec->error.message || !strstr(rec->verdict.text, rec->error.message)) &&
	    asprintf(&error, "error %d, state %u, class %u%s%s", rec->error.number,
		     rec->error.state, rec->error.class_, rec->error.message ? ": " : "",
		     rec->error.message ?: "") > 0)
		text_paragraph(sink, error);
	free(error);
	text_fallback(sink, rec);
	text_identity(sink, rec);
	if (sink->config.explain)
		text_evidence(sink, rec);
}

static void text_phases(struct text_sink *sink, const struct login_record *rec)
{
	int longest = text_longest(rec->phase_ns);
	char ms[TEXT_MS_MAX];

	for (int i = 0; i < PHASE_SESSION; i++)
		output_printf(sink->config.out, " %s%4s%s",
			      text_colour(sink, i == longest ? COLOUR_BOLD : ""),
			      text_ms(rec->phase_ns[i], ms),
			      text_colour(sink, i == longest ? COLOUR_OFF : ""));
}

static void text_login(void *ctx, const struct login_record *rec)
{
	struct text_sink *sink = ctx;
	struct output *out = sink->config.out;
	bool slow = rec->verdict.class == VERDICT_SLOW;
	char ms[TEXT_MS_MAX], outcome[32];

	snprintf(outcome, sizeof(outcome), "%s%s", outcome_name(rec->outcome),
		 slow ? ", slow" : "");
	text_explain(sink,
		     rec->outcome_basis == BASIS_INFERRED || rec->auth.basis == BASIS_INFERRED);
	text_hint(sink, rec);
	text_begin(sink, rec->start_ns, &rec->client, &rec->server, rec->tunnel);
	output_printf(out, "%c%-8s %-6s %c%s%-10s%s %4s", text_mark(rec->auth.basis),
		      text_word(auth_method_name(rec->auth.method)),
		      text_word(encryption_name(rec->encryption.effective)),
		      text_mark(rec->outcome_basis),
		      text_colour(sink, slow ? COLOUR_ODD : outcome_colours[rec->outcome]), outcome,
		      text_colour(sink, COLOUR_OFF), text_ms(rec->total_ns, ms));
	text_phases(sink, rec);
	output_printf(out, " %s\n", text_most(rec->wait_ns) ?: "-");
	text_remarks(sink, rec);
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
		text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel);
		output_printf(sink->config.out, " %sredirect not followed%s\n",
			      text_colour(sink, COLOUR_ODD), text_colour(sink, COLOUR_OFF));
		text_paragraph(sink, rec->verdict.text);
		return;
	}
	for (int i = 0; i < COMMAND_COUNT; i++)
		commands += rec->commands[i];
	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel);
	output_printf(sink->config.out,
		      " %ssession reset%s by the %s after %s and %" PRIu64 " commands\n",
		      text_colour(sink, COLOUR_BAD), text_colour(sink, COLOUR_OFF),
		      by ? by : "network",
		      rec->duration_ns == NO_NS ? "an unknown time"
						: clock_duration(rec->duration_ns, lasted),
		      commands);
	if (rec->verdict.text)
		text_paragraph(sink, rec->verdict.text);
}

static void text_command(void *ctx, const struct command_record *rec)
{
	struct text_sink *sink = ctx;
	char total[TEXT_MS_MAX], first[TEXT_MS_MAX];

	text_explain(sink, rec->basis == BASIS_INFERRED);
	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel);
	output_printf(sink->config.out,
		      "%c%-15s  %-10s %4s ms, first byte %s ms, %" PRIu64 " B in, %" PRIu64
		      " B out\n",
		      text_mark(rec->basis), text_word(command_kind_name(rec->kind)),
		      rec->answered < 0	   ? "?"
		      : !rec->answered	   ? "unanswered"
		      : rec->cancelled > 0 ? "cancelled"
					   : "done",
		      text_ms(rec->total_ns, total), text_ms(rec->first_byte_ns, first),
		      rec->request_bytes, rec->response_bytes);
	if (rec->procedure)
		text_paragraph(sink, rec->procedure);
	if (rec->sql)
		text_paragraph(sink, rec->sql);
	if (rec->sql_cut)
		text_paragraph(sink, "... (cut)");
}

/* A client did not get the port, so there is no login to report. */
static void text_unanswered(void *ctx, const struct browser_record *rec)
{
	struct text_sink *sink = ctx;
	char *text = NULL, lasted[CLOCK_TEXT];

	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel);
	output_printf(sink->config.out, " %sSQL Server Browser unanswered%s, asked %u time%s\n",
		      text_colour(sink, COLOUR_BAD), text_colour(sink, COLOUR_OFF), rec->questions,
		      rec->questions == 1 ? "" : "s");
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
}

static void text_pending(void *ctx, const struct pending_record *rec)
{
	struct text_sink *sink = ctx;
	char waited[CLOCK_TEXT];

	text_begin(sink, rec->time_ns, &rec->client, &rec->server, rec->tunnel);
	output_printf(sink->config.out, " %slogin waits%s %s for the %s: %s\n",
		      text_colour(sink, COLOUR_ODD), text_colour(sink, COLOUR_OFF),
		      clock_duration(rec->ns, waited), side_name(rec->waits_on), rec->what);
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
