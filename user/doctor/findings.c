// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * findings.c - see findings.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/findings.h"
#include "lib/columns.h"
#include "lib/json_writer.h"

#define FINDINGS_VERSION 1
#define FINDINGS_LEFT	 30 /* columns before the text: state, check, subject */
#define FINDINGS_NARROW	 60 /* columns of text at least: else it goes below */

static const char *const finding_states[] = {
	[FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_MEND] = "mend"};

void findings_release(struct findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->all[i].text);
		free(f->all[i].act);
	}
	free(f->all);
	*f = (struct findings){0};
}

void findings_add(struct findings *f, const char *check, const char *subject)
{
	struct finding *grown = realloc(f->all, (f->count + 1) * sizeof(*grown));

	if (!grown) {
		f->failed = true;
		return;
	}
	f->all = grown;
	grown[f->count] = (struct finding){.check = check};
	snprintf(grown[f->count++].subject, FINDING_SUBJECT, "%s", subject ?: "");
}

static void __attribute__((format(printf, 3, 0)))
findings_set(struct findings *f, char **text, const char *fmt, va_list args)
{
	free(*text);
	if (vasprintf(text, fmt, args) < 0) {
		*text = NULL;
		f->failed = true;
	}
}

void findings_say(struct findings *f, enum finding_state state, const char *fmt, ...)
{
	va_list args;

	if (!f->count)
		return;
	f->all[f->count - 1].state = state;
	va_start(args, fmt);
	findings_set(f, &f->all[f->count - 1].text, fmt, args);
	va_end(args);
}

void findings_unseen(struct findings *f, const char *fmt, ...)
{
	va_list args;

	if (!f->count)
		return;
	f->all[f->count - 1].state = FINDING_NOTE;
	f->all[f->count - 1].unseen = true;
	va_start(args, fmt);
	findings_set(f, &f->all[f->count - 1].text, fmt, args);
	va_end(args);
}

void findings_act(struct findings *f, const char *fmt, ...)
{
	va_list args;

	if (!f->count)
		return;
	va_start(args, fmt);
	findings_set(f, &f->all[f->count - 1].act, fmt, args);
	va_end(args);
}

size_t findings_count(const struct findings *f, enum finding_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < f->count; i++)
		count += f->all[i].state == state;
	return count;
}

static void findings_line(const struct finding *one, struct output *out, unsigned width)
{
	unsigned left = FINDINGS_LEFT;
	char head[FINDINGS_LEFT + FINDING_SUBJECT];
	enum columns_first first = COLUMNS_FIRST_AS_IT_IS;
	char *act = NULL;

	snprintf(head, sizeof(head), "%-4s  %-11s %s", finding_states[one->state], one->check,
		 one->subject);
	if (width < FINDINGS_LEFT + FINDINGS_NARROW / 2)
		left = 6;
	if (columns_count(head) >= left) {
		output_printf(out, "%s\n", head);
		first = COLUMNS_FIRST_INDENTED;
	} else {
		output_printf(out, "%-*s", (int)left, head);
	}
	columns_paragraph(out, one->text ?: "out of memory", left, width, first);
	if (one->act && asprintf(&act, "-> %s", one->act) > 0)
		columns_paragraph(out, act, left, width, COLUMNS_FIRST_INDENTED);
	free(act);
}

void findings_text(const struct findings *f, struct output *out, unsigned width)
{
	size_t mend = findings_count(f, FINDING_MEND), note = findings_count(f, FINDING_NOTE);

	for (size_t i = 0; i < f->count; i++)
		findings_line(&f->all[i], out, width);
	if (mend)
		output_printf(out, "\n%zu thing%s to mend, %zu note%s\n", mend,
			      mend == 1 ? "" : "s", note, note == 1 ? "" : "s");
	else
		output_printf(out, "\nnothing to mend, %zu note%s\n", note, note == 1 ? "" : "s");
}

void findings_json(const struct findings *f, struct output *out)
{
	struct json_writer w = {.out = out};

	json_writer_object(&w, NULL);
	json_writer_text(&w, "type", "doctor");
	json_writer_uint(&w, "v", FINDINGS_VERSION);
	json_writer_uint(&w, "mend", findings_count(f, FINDING_MEND));
	json_writer_uint(&w, "notes", findings_count(f, FINDING_NOTE));
	json_writer_array(&w, "checks");
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *one = &f->all[i];

		json_writer_object(&w, NULL);
		json_writer_text(&w, "check", one->check);
		json_writer_text(&w, "subject", *one->subject ? one->subject : NULL);
		json_writer_text(&w, "state", finding_states[one->state]);
		json_writer_bool(&w, "seen", !one->unseen);
		json_writer_text(&w, "text", one->text);
		json_writer_text(&w, "do", one->act);
		json_writer_object_end(&w);
	}
	json_writer_array_end(&w);
	json_writer_object_end(&w);
	output_printf(out, "\n");
}
