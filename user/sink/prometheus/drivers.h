/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * drivers.h - the client drivers that are known by name.
 */
#ifndef TDSMON_DRIVERS_H
#define TDSMON_DRIVERS_H

#include <stddef.h>

/* The driver's name without its version; NULL: unknown, or name is NULL. */
const char *driver_known(const char *name);

size_t drivers_count(void);
const char *drivers_name(size_t i);

#endif
