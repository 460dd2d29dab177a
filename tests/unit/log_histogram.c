// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * log_histogram.c - the histogram: exact if possible, otherwise within 1 %, and its bounds.
 */
#include <stdlib.h>

#include "lib/log_histogram.h"
#include "unit.h"

static struct log_histogram hist;

static void log_histogram_of(const uint64_t *values, size_t count)
{
	memset(&hist, 0, sizeof(hist));
	for (size_t i = 0; i < count; i++)
		log_histogram_add(&hist, values[i]);
}

UNIT_CASE(empty_is_zero)
{
	log_histogram_of(NULL, 0);
	CHECK_INT(log_histogram_quantile(&hist, 0.5), 0);
	CHECK_INT(log_histogram_quantile(&hist, 1), 0);
}

UNIT_CASE(one_value_is_exact_at_every_quantile)
{
	log_histogram_of((uint64_t[]){18555000}, 1);
	CHECK_INT(log_histogram_quantile(&hist, 0), 18555000);
	CHECK_INT(log_histogram_quantile(&hist, 0.5), 18555000);
	CHECK_INT(log_histogram_quantile(&hist, 0.99), 18555000);
	CHECK_INT(log_histogram_quantile(&hist, 1), 18555000);
}

UNIT_CASE(small_values_are_exact)
{
	uint64_t values[100];

	for (int i = 0; i < 100; i++)
		values[i] = (uint64_t)i + 1;
	log_histogram_of(values, 100);
	CHECK_INT(log_histogram_quantile(&hist, 0.01), 1);
	CHECK_INT(log_histogram_quantile(&hist, 0.5), 50);
	CHECK_INT(log_histogram_quantile(&hist, 0.95), 95);
	CHECK_INT(log_histogram_quantile(&hist, 0.99), 99);
	CHECK_INT(log_histogram_quantile(&hist, 1), 100);
}

UNIT_CASE(maximum_and_minimum_are_exact)
{
	log_histogram_of((uint64_t[]){UINT64_MAX, 0, 1000000007}, 3);
	CHECK(log_histogram_quantile(&hist, 1) == UINT64_MAX);
	CHECK_INT(log_histogram_quantile(&hist, 0), 0);
	CHECK_INT(hist.min, 0);
	CHECK_INT(hist.count, 3);
}

/* Three values: the middle one is reported by its bucket, not by minimum or maximum. */
static void check_error(uint64_t value)
{
	uint64_t got, off;

	log_histogram_of((uint64_t[]){0, value, UINT64_MAX}, 3);
	got = log_histogram_quantile(&hist, 0.5);
	off = got > value ? got - value : value - got;
	if (off > value / 100)
		UNIT_FAIL("%llu came out as %llu", (unsigned long long)value,
			  (unsigned long long)got);
}

UNIT_CASE(relative_error_is_below_one_percent_at_all_magnitudes)
{
	for (int bit = 0; bit < 64; bit++) {
		uint64_t power = 1ull << bit;

		check_error(power - 1);
		check_error(power);
		check_error(power + 1);
		check_error(power + power / 2);
		check_error(power + power / 128);
		check_error(power + power / 127);
	}
}

UNIT_CASE(two_percent_apart_are_told_apart)
{
	log_histogram_of((uint64_t[]){1, 1000000, 1020000, 2000000}, 4);
	CHECK(log_histogram_quantile(&hist, 0.5) < log_histogram_quantile(&hist, 0.75));
}

int main(void)
{
	RUN(empty_is_zero);
	RUN(one_value_is_exact_at_every_quantile);
	RUN(small_values_are_exact);
	RUN(maximum_and_minimum_are_exact);
	RUN(relative_error_is_below_one_percent_at_all_magnitudes);
	RUN(two_percent_apart_are_told_apart);
	return unit_status();
}
