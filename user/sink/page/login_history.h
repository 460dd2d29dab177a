/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * login_history.h - logins over time: the last hour by the second, the last seven days by the minute. Each
 * slot has counts, problems by verdict, and a histogram of the logins' times. Times are wall time, so
 * that a history outlives the program. Its memory is fixed: below 8 MiB.
 */
#ifndef TDSMON_LOGIN_HISTORY_H
#define TDSMON_LOGIN_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/record.h"
#include "lib/strbuf.h"

#define LOGIN_HISTORY_SECONDS 3600
#define LOGIN_HISTORY_MINUTES 10080
#define LOGIN_HISTORY_BYTES                                                                        \
	(8u << 20)	       /* of memory, and of what login_history_save() writes, at most */
#define LOGIN_HISTORY_LEAST 18 /* log2 ns: shorter times share the first bucket, 0.26 ms */
#define LOGIN_HISTORY_BITS  2  /* buckets per power of two, as in log_histogram.h */
/* Up to 69 s; longer times share the last bucket. A bucket's middle is within 12.5 % of its times. */
#define LOGIN_HISTORY_BUCKETS (2 + (18 << LOGIN_HISTORY_BITS))

struct login_history;

/* NULL: out of memory. */
struct login_history *login_history_new(void);
void login_history_free(struct login_history *history); /* accepts NULL */

/* Say what time it is, about once a second. */
void login_history_tick(struct login_history *history, uint64_t wall_ns);

/* Count a login that ended at that wall time, in ns since 1970; one that is too old is left out. */
void login_history_add(struct login_history *history, uint64_t wall_ns,
		       const struct login_record *rec);

/*
 * A slot in JSON: [period, start, logins, failed, slow, ended, [verdict, count, ...], [bucket, count,
 * ...]]. period is 1 or 60, in s, start in s since 1970. ended: nobody wanted to log in (probes,
 * scans); they are not among the logins.
 *
 * Append those that changed since the last call, separated by commas, to out. Returns how many; -1:
 * too many, and nothing is appended.
 */
int login_history_changed(struct login_history *history, struct strbuf *out);

/*
 * Append the next piece of the whole history as a JSON document to out and advance *from, which begins
 * with 0; nothing at the end. now_s: the document's time, in s since 1970.
 */
void login_history_piece(const struct login_history *history, uint64_t *from, uint64_t now_s,
			 struct strbuf *out);

/* Has a login come since the last call of login_history_save()? */
bool login_history_is_unsaved(const struct login_history *history);

/* Write it to a file that is open, which stays open. 0 or -errno. */
int login_history_save(struct login_history *history, int fd);

/*
 * Take over what login_history_save() of this or another version wrote, except what lies after now_s. The
 * history must be empty, and stays so on failure. NULL, or what is wrong with the data.
 */
const char *login_history_load(struct login_history *history, const void *data, size_t len,
			       uint64_t now_s);

#endif
