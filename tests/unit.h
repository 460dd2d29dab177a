/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unit.h - cases and checks of a unit test program, which prints a line for each case.
 *
 *	UNIT_CASE(empty) { CHECK_INT(f(""), 0); }
 *	int main(void) { RUN(empty); return unit_status(); }
 *
 *	PROGRAM           run every case
 *	PROGRAM CASE      run the cases whose name is CASE or matches it as a shell pattern
 *	PROGRAM --list    print the name of each case, run none
 */
#ifndef TDSMON_UNIT_H
#define TDSMON_UNIT_H

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool unit_case_failed, unit_any_failed;
static bool unit_lists, unit_found; /* --list; there is a case of that name */
static const char *unit_pattern;    /* NULL: every case */

/* glibc gives a constructor the arguments of main(), which need not hand them on. */
__attribute__((constructor)) static void unit_arguments(int argc, char **argv)
{
	unit_lists = argc > 1 && !strcmp(argv[1], "--list");
	unit_pattern = argc > 1 && !unit_lists ? argv[1] : NULL;
}

/* Whether to run a case. */
static inline bool unit_wants(const char *name)
{
	if (unit_lists) {
		printf("%s\n", name);
		return false;
	}
	if (unit_pattern && fnmatch(unit_pattern, name, 0))
		return false;
	unit_found = true;
	return true;
}

#define UNIT_CASE(name) static void name(void)

/* Report the first check that fails. The rest of the case still runs. */
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
		if (!unit_wants(#name))                                                            \
			break;                                                                     \
		unit_case_failed = false;                                                          \
		name();                                                                            \
		if (!unit_case_failed)                                                             \
			printf("ok - %s\n", #name);                                                \
		fflush(stdout);                                                                    \
	} while (0)

/* The exit status of main(). */
static inline int unit_status(void)
{
	if (unit_pattern && !unit_found) {
		fprintf(stderr, "no case %s; --list prints their names\n", unit_pattern);
		return 2;
	}
	return unit_any_failed;
}

#endif
