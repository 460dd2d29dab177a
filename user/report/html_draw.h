/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * html_draw.h - what the HTML report draws (inline SVG), and how it escapes text.
 */
#ifndef TDSMON_HTML_DRAW_H
#define TDSMON_HTML_DRAW_H

#include "report/writer.h"

/* Add text that may hold anything. */
void html_text(struct strbuf *out, const char *text);
/* <name class="class">text</name>; class "": none. */
void html_element(struct strbuf *out, const char *name, const char *class, const char *text);

void html_rates(struct writer *w, const struct rates *rates);
void html_phases(struct writer *w, const struct survey *s);
void html_slowest(struct writer *w, const struct slowest *slowest);

#endif
