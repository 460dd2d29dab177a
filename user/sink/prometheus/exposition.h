/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * exposition.h - metrics as Prometheus reads them: the text format 0.0.4 and OpenMetrics 1.0.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
#ifndef TDSMON_EXPOSITION_H
#define TDSMON_EXPOSITION_H

#include "lib/fixed_histogram.h"
#include "lib/strbuf.h"

enum expo_format {
	EXPO_TEXT,
	EXPO_OPENMETRICS,
};

enum expo_type {
	EXPO_COUNTER, /* its name is given without _total */
	EXPO_GAUGE,
	EXPO_HISTOGRAM,
	EXPO_INFO, /* its name is given without _info */
};

struct expo {
	struct strbuf *out;
	enum expo_format format;
	const char *name; /* of the family begun last */
	enum expo_type type;
};

/* Values may hold any bytes: what is no valid UTF-8, or controls a terminal, becomes U+FFFD. */
struct expo_label {
	const char *name, *value;
};

/* What a bucket's exemplar refers to; its labels have at most 128 characters. */
struct expo_exemplar {
	const struct expo_label *labels;
	size_t label_count;
	uint64_t ns, time_ns; /* the value, and when it was, ns since 1970 */
};

/* "text/plain; version=0.0.4; ..." */
const char *expo_content_type(enum expo_format format);

/* What a request's Accept header prefers (RFC 9110 12.5.1): OpenMetrics only where it is named. */
enum expo_format expo_negotiate(const char *accept);

/* A family of samples: its HELP and TYPE. help: plain text without quotation marks. */
void expo_family(struct expo *e, const char *name, enum expo_type type, const char *help);

/* A sample of the family begun last, as a number, or as seconds. */
void expo_count(struct expo *e, const struct expo_label *labels, size_t count, uint64_t value);
void expo_seconds(struct expo *e, const struct expo_label *labels, size_t count, uint64_t ns);

/*
 * A histogram's samples. labels has room for one more, the bound. exemplars: NULL, or one per
 * bucket, those without labels being none; OpenMetrics alone shows them.
 */
void expo_histogram(struct expo *e, struct expo_label *labels, size_t count,
		    const struct fixed_histogram *buckets,
		    const struct fixed_histogram_bounds *bounds,
		    const struct expo_exemplar *exemplars);

/* The page's end. */
void expo_end(struct expo *e);

#endif
