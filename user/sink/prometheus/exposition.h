/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * exposition.h - writes metrics in Prometheus's formats: text 0.0.4 and OpenMetrics 1.0.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
#ifndef TDSMON_EXPOSITION_H
#define TDSMON_EXPOSITION_H

#include "lib/fixed_histogram.h"
#include "lib/strbuf.h"

enum exposition_format {
	EXPOSITION_TEXT,
	EXPOSITION_OPENMETRICS,
};

enum exposition_type {
	EXPOSITION_COUNTER, /* given without _total */
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
	EXPOSITION_INFO, /* given without _info */
};

struct exposition {
	struct strbuf *out;
	enum exposition_format format;
	const char *name; /* of the current family */
	enum exposition_type type;
};

/* Values may hold any bytes; control characters and invalid UTF-8 become U+FFFD. */
struct exposition_label {
	const char *name, *value;
};

/* A bucket's exemplar; its labels have at most 128 characters. */
struct exposition_exemplar {
	const struct exposition_label *labels;
	size_t label_count;
	uint64_t ns, time_ns; /* the value, and its time in ns since 1970 */
};

/* "text/plain; version=0.0.4; ..." */
const char *exposition_content_type(enum exposition_format format);

/* The format that an Accept header prefers (RFC 9110 12.5.1). OpenMetrics must be named in it. */
enum exposition_format exposition_negotiate(const char *accept);

/* Begin a family: its HELP and TYPE. help: plain text without quotation marks. */
void exposition_family(struct exposition *e, const char *name, enum exposition_type type,
		       const char *help);

/* A sample of the current family, as a number, or in seconds. */
void exposition_count(struct exposition *e, const struct exposition_label *labels, size_t count,
		      uint64_t value);
void exposition_seconds(struct exposition *e, const struct exposition_label *labels, size_t count,
			uint64_t ns);

/*
 * A histogram's samples. labels has room for one more, the bound. exemplars: NULL, or one per
 * bucket, which is not used if it has no labels; only OpenMetrics shows them.
 */
void exposition_histogram(struct exposition *e, struct exposition_label *labels, size_t count,
			  const struct fixed_histogram *buckets,
			  const struct fixed_histogram_bounds *bounds,
			  const struct exposition_exemplar *exemplars);

/* End the page. */
void exposition_end(struct exposition *e);

#endif
