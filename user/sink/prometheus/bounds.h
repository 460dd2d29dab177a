/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bounds.h - the buckets of the histograms of durations.
 */
#ifndef TDSMON_BOUNDS_H
#define TDSMON_BOUNDS_H

#include "lib/fixed_histogram.h"

extern const struct fixed_histogram_bounds prometheus_login_bounds, prometheus_command_bounds;

#endif
