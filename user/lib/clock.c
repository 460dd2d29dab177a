// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * clock.c - clocks and how times and durations are written.
 */
#include <stdio.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/decimal.h"
#include "lib/units.h"

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

/* Write the last count digits of value, then after. Returns the end. */
static char *put_digits(char *to, unsigned value, int count, char after)
{
	to = decimal_put_last(to, value, (size_t)count);
	*to = after;
	return to + 1;
}

/* Not by strftime() and snprintf(): they take longer than the rest of a record. */
const char *clock_rfc3339(uint64_t wall_ns, char text[CLOCK_TEXT])
{
	time_t s = (time_t)(wall_ns / NS_PER_S);
	char *to = text;
	struct tm tm;

	gmtime_r(&s, &tm);
	to = put_digits(to, (unsigned)tm.tm_year + 1900, 4, '-');
	to = put_digits(to, (unsigned)tm.tm_mon + 1, 2, '-');
	to = put_digits(to, (unsigned)tm.tm_mday, 2, 'T');
	to = put_digits(to, (unsigned)tm.tm_hour, 2, ':');
	to = put_digits(to, (unsigned)tm.tm_min, 2, ':');
	to = put_digits(to, (unsigned)tm.tm_sec, 2, '.');
	to = put_digits(to, (unsigned)(wall_ns % NS_PER_S), 9, 'Z');
	*to = '\0';
	return text;
}

const char *clock_duration(uint64_t ns, char text[CLOCK_TEXT])
{
	static const char *const units[] = {"ns", "µs", "ms", "s"};
	double value = (double)ns;
	unsigned unit = 0;
	int decimals;

	/* 999.5 would be printed as 1000, so it belongs to the next unit */
	while (unit < 3 && value >= 999.5) {
		value /= 1000;
		unit++;
	}
	decimals = !unit || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	snprintf(text, CLOCK_TEXT, "%.*f%s", decimals, value, units[unit]);
	return text;
}
