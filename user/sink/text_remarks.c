// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * text_remarks.c - below a login's line: its verdict's sentence, the client's names, the evidence.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/utf8.h"
#include "sink/text_cause.h"
#include "sink/text_int.h"

/* The client's own names, which help to find it behind a proxy or a pool. */
static void text_identity(struct text_sink *sink, const struct login_record *rec)
{
	char address[SINK_ENDPOINT_MAX];
	bool cut = !sink->config.one_line &&
		   strlen(sink_endpoint(&rec->client, address)) > sink->columns.client;
	const struct {
		const char *label, *value;
	} parts[] = {
		{"address", cut ? address : NULL}, {"app", rec->tds.app},
		{"host", rec->tds.host},	   {"driver", rec->tds.driver},
		{"database", rec->tds.database},   {"domain", rec->auth.domain},
		{"user", rec->auth.user},
	};
	struct strbuf text = {0};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].value || !*parts[i].value)
			continue;
		strbuf_adds(&text, text.len ? ", " : "the client: ");
		strbuf_adds(&text, parts[i].label);
		strbuf_adds(&text, " ");
		strbuf_adds(&text, parts[i].value);
	}
	if (text.len) {
		strbuf_add(&text, "", 1);
		if (!text.failed)
			text_paragraph(sink, text.data);
	}
	strbuf_release(&text);
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
	const char *instance = rec->tds.instance;
	char ms[TEXT_MS_MAX], retries[32] = "", said[96] = "", *text = NULL;

	if (!instance && !b->seen)
		return;
	if (b->retries)
		snprintf(retries, sizeof(retries), ", asked %u times", b->retries + 1);
	if (b->seen && b->ns == NO_NS)
		snprintf(said, sizeof(said), "SQL Server Browser did not answer%s", retries);
	else if (b->seen)
		snprintf(said, sizeof(said), "SQL Server Browser answered in %s ms%s",
			 text_ms(b->ns, ms), retries);
	if (asprintf(&text, "%s%s%s%s", instance ? "instance " : "", instance ?: "",
		     instance && *said ? ", " : "", said) > 0)
		text_paragraph(sink, text);
	free(text);
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

void text_remarks(struct text_sink *sink, const struct login_record *rec)
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
