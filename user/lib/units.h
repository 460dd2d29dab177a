/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * units.h - times in nanoseconds.
 */
#ifndef TDSMON_UNITS_H
#define TDSMON_UNITS_H

#define NS_PER_S 1000000000ull

#endif
