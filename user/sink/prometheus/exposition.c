// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * exposition.c - writes metrics in Prometheus's formats.
 */
#include <stdlib.h>
#include <strings.h>

#include "sink/prometheus/exposition.h"
#include "lib/utf8.h"

#define Q_NONE -1.0 /* not given */

const char *exposition_content_type(enum exposition_format format)
{
	return format == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}

/* The value of a media range's parameter, up to its end; NULL: not given. */
static const char *range_parameter(const char *at, const char *end, const char *name)
{
	size_t len = strlen(name);

	while ((at = memchr(at, ';', (size_t)(end - at)))) {
		at++;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		if ((size_t)(end - at) > len && !strncasecmp(at, name, len) && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

static bool is_type(const char *at, const char *end, const char *type)
{
	size_t len = strlen(type);

	return (size_t)(end - at) >= len && !strncasecmp(at, type, len) &&
	       (at + len == end || strchr("; \t", at[len]));
}

/* Apply one media range's weight to the two formats. */
static void weigh_range(const char *at, const char *end, double q[2])
{
	const char *weight = range_parameter(at, end, "q"),
		   *version = range_parameter(at, end, "version");
	double value = weight ? strtod(weight, NULL) : 1;

	if (is_type(at, end, "application/openmetrics-text")) {
		if ((!version || !strncmp(version, "1.0.0", 5)) &&
		    value > q[EXPOSITION_OPENMETRICS])
			q[EXPOSITION_OPENMETRICS] = value;
	} else if (is_type(at, end, "text/plain") || is_type(at, end, "text/*") ||
		   is_type(at, end, "*/*")) {
		if (value > q[EXPOSITION_TEXT])
			q[EXPOSITION_TEXT] = value;
	}
}

enum exposition_format exposition_negotiate(const char *accept)
{
	double q[2] = {Q_NONE, Q_NONE};

	while (*accept) {
		const char *end;

		accept += strspn(accept, " \t,");
		end = accept + strcspn(accept, ",");
		weigh_range(accept, end, q);
		accept = end;
	}
	return q[EXPOSITION_OPENMETRICS] > 0 && q[EXPOSITION_OPENMETRICS] >= q[EXPOSITION_TEXT]
		       ? EXPOSITION_OPENMETRICS
		       : EXPOSITION_TEXT;
}

/* Number of leading bytes that need no escape in a label's value. */
static size_t plain_len(const char *text)
{
	size_t n = 0;

	while (text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void add_escaped(struct strbuf *out, const char *text)
{
	for (;;) {
		size_t len = plain_len(text);
		char utf8[4];
		uint32_t cp;

		strbuf_add(out, text, len);
		text += len;
		len = utf8_next(text, &cp);
		if (!len)
			return;
		if (cp == '\n')
			strbuf_adds(out, "\\n");
		else if (cp == '"' || cp == '\\')
			strbuf_add(out, (const char[]){'\\', (char)cp}, 2);
		else
			strbuf_add(out, utf8, utf8_put(cp < 0xa0 ? UTF8_REPLACEMENT : cp, utf8));
		text += len;
	}
}

/* A sample name's suffix. Only in the text format the family's name has it, too. */
static const char *type_suffix(enum exposition_type type)
{
	return type == EXPOSITION_COUNTER ? "_total" : type == EXPOSITION_INFO ? "_info" : "";
}

void exposition_family(struct exposition *e, const char *name, enum exposition_type type,
		       const char *help)
{
	static const char *const types[] = {[EXPOSITION_COUNTER] = "counter",
					    [EXPOSITION_GAUGE] = "gauge",
					    [EXPOSITION_HISTOGRAM] = "histogram",
					    [EXPOSITION_INFO] = "info"};
	bool text = e->format == EXPOSITION_TEXT;
	const char *more = text ? type_suffix(type) : "";

	e->name = name;
	e->type = type;
	strbuf_addf(e->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, more, help, name, more,
		    types[text && type == EXPOSITION_INFO ? EXPOSITION_GAUGE : type]);
}

static void add_labels(struct strbuf *out, const struct exposition_label *labels, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		strbuf_add(out, i ? "," : "{", 1);
		strbuf_adds(out, labels[i].name);
		strbuf_add(out, "=\"", 2);
		add_escaped(out, labels[i].value);
		strbuf_add(out, "\"", 1);
	}
	if (count)
		strbuf_add(out, "}", 1);
}

static void add_name(struct exposition *e, const char *more, const struct exposition_label *labels,
		     size_t count)
{
	strbuf_adds(e->out, e->name);
	strbuf_adds(e->out, more);
	add_labels(e->out, labels, count);
	strbuf_add(e->out, " ", 1);
}

void exposition_count(struct exposition *e, const struct exposition_label *labels, size_t count,
		      uint64_t value)
{
	add_name(e, type_suffix(e->type), labels, count);
	strbuf_addu(e->out, value);
	strbuf_add(e->out, "\n", 1);
}

void exposition_seconds(struct exposition *e, const struct exposition_label *labels, size_t count,
			uint64_t ns)
{
	add_name(e, type_suffix(e->type), labels, count);
	strbuf_add_seconds(e->out, ns);
	strbuf_add(e->out, "\n", 1);
}

static void add_exemplar(struct strbuf *out, const struct exposition_exemplar *exemplar)
{
	strbuf_add(out, " # ", 3);
	add_labels(out, exemplar->labels, exemplar->label_count);
	strbuf_add(out, " ", 1);
	strbuf_add_seconds(out, exemplar->ns);
	strbuf_add(out, " ", 1);
	strbuf_add_seconds(out, exemplar->time_ns);
}

/* A bucket's line is the same up to its bound, so it is copied from the first one. */
void exposition_histogram(struct exposition *e, struct exposition_label *labels, size_t count,
			  const struct fixed_histogram *buckets,
			  const struct fixed_histogram_bounds *bounds,
			  const struct exposition_exemplar *exemplars)
{
	size_t start = e->out->len, len;
	struct strbuf *out = e->out;
	uint64_t sum = 0;

	strbuf_adds(out, e->name);
	strbuf_adds(out, "_bucket");
	labels[count] = (struct exposition_label){"le", ""};
	add_labels(out, labels, count + 1);
	len = out->len - start - 2; /* without the final "} */
	out->len = start;
	for (size_t i = 0; i <= bounds->count; i++) {
		char *at = strbuf_reserve(out, len);

		if (!at)
			return;
		if (i)
			memcpy(at, out->data + start, len);
		out->len += len;
		strbuf_adds(out, i < bounds->count ? bounds->le[i] : "+Inf");
		strbuf_add(out, "\"} ", 3);
		sum += buckets->counts[i];
		strbuf_addu(out, sum);
		if (e->format == EXPOSITION_OPENMETRICS && exemplars && exemplars[i].label_count)
			add_exemplar(out, &exemplars[i]);
		strbuf_add(out, "\n", 1);
	}
	add_name(e, "_sum", labels, count);
	strbuf_add_seconds(out, buckets->sum_ns);
	strbuf_add(out, "\n", 1);
	add_name(e, "_count", labels, count);
	strbuf_addu(out, sum);
	strbuf_add(out, "\n", 1);
}

void exposition_end(struct exposition *e)
{
	if (e->format == EXPOSITION_OPENMETRICS)
		strbuf_adds(e->out, "# EOF\n");
}
