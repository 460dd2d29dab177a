// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * bounds.c - see bounds.h.
 */
#include "sink/prometheus/bounds.h"
#include "lib/units.h"

#define US 1000ull
#define MS 1000000ull
#define S  NS_PER_S

/* 100 µs to 60 s, including the default time-outs of drivers, 15 and 30 s. */
const struct fixed_histogram_bounds prometheus_login_bounds = {
	.count = 19,
	.ns =
		{
			100 * US, 250 * US, 500 * US, MS,	2500 * US, 5 * MS, 10 * MS,
			25 * MS,  50 * MS,  100 * MS, 250 * MS, 500 * MS,  S,	   2500 * MS,
			5 * S,	  10 * S,   15 * S,   30 * S,	60 * S,
		},
	.le =
		{
			"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
			"0.025",  "0.05",    "0.1",    "0.25",	"0.5",	  "1.0",   "2.5",
			"5.0",	  "10.0",    "15.0",   "30.0",	"60.0",
		},
};

/* 2^17 ns (131 µs) to 2^36 ns (69 s), each twice the one before. */
const struct fixed_histogram_bounds prometheus_command_bounds = {
	.count = 20,
	.ns =
		{
			1ull << 17, 1ull << 18, 1ull << 19, 1ull << 20, 1ull << 21,
			1ull << 22, 1ull << 23, 1ull << 24, 1ull << 25, 1ull << 26,
			1ull << 27, 1ull << 28, 1ull << 29, 1ull << 30, 1ull << 31,
			1ull << 32, 1ull << 33, 1ull << 34, 1ull << 35, 1ull << 36,
		},
	.le =
		{
			"0.000131072", "0.000262144",  "0.000524288",  "0.001048576",
			"0.002097152", "0.004194304",  "0.008388608",  "0.016777216",
			"0.033554432", "0.067108864",  "0.134217728",  "0.268435456",
			"0.536870912", "1.073741824",  "2.147483648",  "4.294967296",
			"8.589934592", "17.179869184", "34.359738368", "68.719476736",
		},
};
