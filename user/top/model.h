/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * model.h - what tdsmon top knows: the newest logins, those that wait, and what was lost, from the
 * lines of a stream of records. It reads no clock, no file and no terminal. Its memory is bounded,
 * whatever comes.
 */
#ifndef TDSMON_MODEL_H
#define TDSMON_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "top/row_filter.h"
#include "top/row.h"

#define MODEL_ROWS 50000u /* logins kept */
#define MODEL_BYTES                                                                                \
	(24u << 20) /* of their records; and as many of those that failed or were slow */
#define MODEL_PENDING	64
#define MODEL_LOST	16
#define MODEL_WINDOW_NS 60000000000ull /* the header is about the last minute */

/* A login that waits. */
struct model_pending {
	uint64_t id;
	uint64_t ns;	/* of this wait, at at_ns */
	uint64_t at_ns; /* wall time */
	struct name *client, *server, *phase, *waits_on, *what;
	uint32_t beat; /* the heartbeat after which it came */
	char *line;
	uint32_t line_len;
};

struct model_lost {
	struct name *text;
	uint64_t count;
};

struct model;

struct model *model_new(void); /* NULL: out of memory */
void model_free(struct model *model);

/*
 * Take a line without its LF. now_ns: a monotonic clock. A line that is no record is counted and
 * left out: false.
 */
bool model_line(struct model *model, const char *line, size_t len, uint64_t now_ns);

/* The source ended, as a capture does: the clock stands still. */
void model_ended(struct model *model);
/* The source was lost: nothing is known to wait. The clock goes on. */
void model_lost_source(struct model *model);
/* It is there again: logins that it sends for a second time, before its next heartbeat, are skipped. */
void model_resumed(struct model *model);

/* The source's wall time, in ns since 1970; 0: not known yet. */
uint64_t model_now(const struct model *model, uint64_t now_ns);

/* Change the filter, which the model takes over; NULL: all logins match. */
void model_filter(struct model *model, struct filter *filter);

/* Logins kept, oldest first: rows 0 to count - 1. */
size_t model_count(const struct model *model);
const struct row *model_row(const struct model *model, size_t at);
/* The login of that number, or NULL: it is no longer kept. */
const struct row *model_find(const struct model *model, uint64_t seq);
/* Logins ever, and lines that were no records. */
uint64_t model_seen(const struct model *model);
uint64_t model_bad_lines(const struct model *model);

/* Logins that wait, longest first. *total: of those that are not kept, too. */
size_t model_pending(const struct model *model, const struct model_pending **list, uint64_t *total);
uint64_t model_pending_ns(const struct model *model, const struct model_pending *p,
			  uint64_t now_ns);

size_t model_losses(const struct model *model, const struct model_lost **list);

/* Figures of the last minute; of a capture, of all that is kept. */
struct model_summary {
	uint64_t logins, failed, slow;
	double per_s;
	uint64_t quantile_ns[3]; /* 50, 95, 99 %; ROW_NO_NS: none */
	uint64_t span_ns;
	uint64_t lost; /* sum of what was lost */
};

void model_summarize(const struct model *model, uint64_t now_ns, struct model_summary *sum);

/* The value that a share of the values does not exceed, for 50, 95 and 99 %. Reorders values. */
void model_quantiles(uint64_t *values, size_t count, uint64_t out[3]);

#endif
