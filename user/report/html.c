// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * html.c - a report as one HTML document that needs nothing else: no script, no outside resource.
 * Its policy (CSP) forbids both, in case a name from the network should ever get through.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "report/html_draw.h"
#include "report/writer.h"

#define HTML_SHORT 28 /* bytes of a cell that is not broken into lines */

/* The style sheet, report.css. */
__asm__(".section .rodata\n"
	"report_css: .incbin \"user/report/report.css\"\n"
	"report_css_end: .byte 0\n"
	".previous\n");
extern const char report_css[] __attribute__((visibility("hidden"))); /* why: see page.c */

/*
 * Invalid UTF-8 becomes U+FFFD, and what a reader cannot see is spelled out, so that no name looks
 * like another one.
 */
void html_text(struct strbuf *out, const char *text)
{
	char *safe = utf8_printable(text), *at = safe;

	for (; at && *at; at++) {
		switch (*at) {
		case '&':
			strbuf_adds(out, "&amp;");
			break;
		case '<':
			strbuf_adds(out, "&lt;");
			break;
		case '>':
			strbuf_adds(out, "&gt;");
			break;
		case '"':
			strbuf_adds(out, "&quot;");
			break;
		case '\'':
			strbuf_adds(out, "&#39;");
			break;
		default:
			strbuf_add(out, at, 1);
		}
	}
	if (!safe)
		out->failed = true;
	free(safe);
}

void html_element(struct strbuf *out, const char *name, const char *class, const char *text)
{
	strbuf_addf(out, *class ? "<%s class=\"%s\">" : "<%s>", name, class);
	html_text(out, text);
	strbuf_addf(out, "</%s>", name);
}

static const char *html_mood(enum writer_mood mood)
{
	static const char *const classes[] = {
		[MOOD_NONE] = "", [MOOD_GOOD] = "good", [MOOD_SLOW] = "slow", [MOOD_BAD] = "bad"};

	return classes[mood];
}

static void html_begin(struct writer *w, const char *title, const char *period, const char *finding,
		       enum writer_mood mood)
{
	strbuf_adds(
		w->out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
	html_element(w->out, "title", "", title);
	strbuf_addf(w->out, "\n<style>\n%s</style>\n</head>\n<body>\n<header>\n", report_css);
	html_element(w->out, "h1", "", title);
	html_element(w->out, "p", "period", period);
	strbuf_addf(w->out, "\n<p class=\"finding %s\">", html_mood(mood));
	html_text(w->out, finding);
	strbuf_adds(w->out, "</p>\n</header>\n<main>\n");
	w->links = (struct strbuf){0};
}

static void html_facts_of(struct writer *w, const char *class, const struct writer_fact *facts,
			  size_t count, bool boxes)
{
	strbuf_addf(w->out, "<dl class=\"%s\">\n", class);
	for (size_t i = 0; i < count; i++) {
		strbuf_adds(w->out, boxes ? "<div>" : "");
		html_element(w->out, "dt", "", facts[i].name);
		html_element(w->out, "dd", html_mood(facts[i].mood), facts[i].value);
		strbuf_adds(w->out, boxes ? "</div>\n" : "\n");
	}
	strbuf_adds(w->out, "</dl>\n");
}

static void html_figures(struct writer *w, const struct writer_fact *facts, size_t count)
{
	html_facts_of(w, "figures", facts, count, true);
	w->links_at = w->out->len;
}

static void html_facts(struct writer *w, const struct writer_fact *facts, size_t count)
{
	html_facts_of(w, "facts", facts, count, false);
}

static void html_section(struct writer *w, const char *id, const char *title, const char *note)
{
	strbuf_addf(&w->links, "<a href=\"#%s\">", id);
	html_text(&w->links, title);
	strbuf_adds(&w->links, "</a>\n");
	strbuf_addf(w->out, "<h2 id=\"%s\">", id);
	html_text(w->out, title);
	strbuf_adds(w->out, "</h2>\n");
	if (note)
		html_element(w->out, "p", "soft", note);
	strbuf_adds(w->out, "\n");
}

/* Short names, such as addresses, are kept on one line. */
static void html_cell(struct strbuf *out, const struct writer_column *column, const char *text)
{
	const char *mood = *text ? html_mood(column->mood) : "";
	const char *kind = column->number ? "n" : strlen(text) <= HTML_SHORT ? "s" : "";

	if (*mood || *kind)
		strbuf_addf(out, "<td class=\"%s%s%s\">", kind, *mood && *kind ? " " : "", mood);
	else
		strbuf_adds(out, "<td>");
	html_text(out, text);
	strbuf_adds(out, "</td>");
}

static void html_row(struct writer *w, const struct writer_table *t, char *const *cells)
{
	strbuf_adds(w->out, "<tr>");
	for (unsigned i = 0; i < t->columns; i++)
		html_cell(w->out, &t->column[i], cells[i] ? cells[i] : "");
	strbuf_adds(w->out, "</tr>\n");
}

static void html_table(struct writer *w, const struct writer_table *t)
{
	strbuf_adds(w->out, "<div class=\"wide\"><table>\n<thead><tr>");
	for (unsigned i = 0; i < t->columns; i++) {
		strbuf_adds(w->out, t->column[i].number ? "<th scope=\"col\" class=\"n\">"
							: "<th scope=\"col\">");
		html_text(w->out, t->column[i].head);
		strbuf_adds(w->out, "</th>");
	}
	strbuf_adds(w->out, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->rows; i++)
		html_row(w, t, t->cells + i * t->columns);
	strbuf_adds(w->out, "</tbody></table></div>\n");
	if (t->more)
		html_element(w->out, "p", "soft", t->more);
	strbuf_adds(w->out, "\n");
}

static void html_cause(struct writer *w, const char *head, const char *sentence,
		       const char *const *lines, size_t count)
{
	html_element(w->out, "h3", "", head);
	if (sentence)
		html_element(w->out, "p", "", sentence);
	strbuf_adds(w->out, "\n<ul>\n");
	for (size_t i = 0; i < count; i++) {
		html_element(w->out, "li", "", lines[i]);
		strbuf_adds(w->out, "\n");
	}
	strbuf_adds(w->out, "</ul>\n");
}

/* The sections are known only now, but the links to them stand above the first one. */
static void html_links(struct writer *w)
{
	struct strbuf nav = {0};
	size_t after = w->out->len - w->links_at;

	strbuf_adds(&nav, "<nav aria-label=\"sections\">\n");
	strbuf_add(&nav, w->links.data ? w->links.data : "", w->links.len);
	strbuf_adds(&nav, "</nav>\n");
	if (!nav.failed && !w->links.failed && strbuf_reserve(w->out, nav.len)) {
		char *at = w->out->data + w->links_at;

		memmove(at + nav.len, at, after);
		memcpy(at, nav.data, nav.len);
		w->out->len += nav.len;
	}
	strbuf_release(&nav);
	strbuf_release(&w->links);
}

static void html_end(struct writer *w, const char *made_by)
{
	html_links(w);
	strbuf_adds(w->out, "</main>\n<footer>Made by ");
	html_text(w->out, made_by);
	strbuf_adds(w->out, ". Times are UTC.</footer>\n</body>\n</html>\n");
}

const struct writer_ops html_writer = {
	.begin = html_begin,
	.figures = html_figures,
	.section = html_section,
	.facts = html_facts,
	.table = html_table,
	.cause = html_cause,
	.rates = html_rates,
	.phases = html_phases,
	.slowest = html_slowest,
	.end = html_end,
};
