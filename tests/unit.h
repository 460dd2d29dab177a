/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unit.h - what a unit test program needs: checks within a case, and a line per case.
 *
 *	UNIT_CASE(empty) { CHECK_INT(f(""), 0); }
 *	int main(void) { RUN(empty); return unit_status(); }
 */
#ifndef TDSMON_UNIT_H
#define TDSMON_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool unit_case_failed, unit_any_failed;

#define UNIT_CASE(name) static void name(void)

/* The first check that fails names the case's reason; the rest of the case still runs. */
#define UNIT_FAIL(...)                                                                             \
	do {                                                                                       \
		if (!unit_case_failed) {                                                           \
			printf("not ok - %s: line %d: ", __func__, __LINE__);                      \
			printf(__VA_ARGS__);                                                       \
			printf("\n");                                                              \
		}                                                                                  \
		unit_case_failed = unit_any_failed = true;                                         \
	} while (0)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			UNIT_FAIL("%s", #condition);                                               \
	} while (0)

#define CHECK_INT(got, want)                                                                       \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_)                                                                 \
			UNIT_FAIL("%s is %lld, not %lld", #got, got_, want_);                      \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (!got_ || strcmp(got_, want_))                                                  \
			UNIT_FAIL("%s is \"%s\", not \"%s\"", #got, got_ ? got_ : "(null)",        \
				  want_);                                                          \
	} while (0)

#define RUN(name)                                                                                  \
	do {                                                                                       \
		unit_case_failed = false;                                                          \
		name();                                                                            \
		if (!unit_case_failed)                                                             \
			printf("ok - %s\n", #name);                                                \
		fflush(stdout);                                                                    \
	} while (0)

static inline int unit_status(void)
{
	return unit_any_failed;
}

#endif
