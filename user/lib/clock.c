// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * clock.c - clocks and how times and durations are written.
 */
#include <stdio.h>
#include <time.h>

#include "clock.h"

#define NS_PER_S 1000000000ull

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

void wallclock_sync(struct wallclock *clock)
{
	clock->offset_ns = (int64_t)(clock_read(CLOCK_REALTIME) - clock_read(CLOCK_MONOTONIC));
}

uint64_t wallclock_ns(const struct wallclock *clock, uint64_t source_ns)
{
	return source_ns + (uint64_t)clock->offset_ns;
}

const char *clock_rfc3339(uint64_t wall_ns, char text[CLOCK_TEXT])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, CLOCK_TEXT - n, ".%09uZ", (unsigned)(wall_ns % NS_PER_S));
	return text;
}

const char *clock_duration(uint64_t ns, char text[CLOCK_TEXT])
{
	static const char *const units[] = {"ns", "µs", "ms", "s"};
	double value = (double)ns;
	unsigned unit = 0;
	int decimals;

	/* 999.5 would be printed as 1000: it belongs to the next unit. */
	while (unit < 3 && value >= 999.5) {
		value /= 1000;
		unit++;
	}
	decimals = !unit || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(text, CLOCK_TEXT, "%.*f%s", decimals, value, units[unit]);
	return text;
}
