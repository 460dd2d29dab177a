/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service.h - what a service tells its manager, where there is one (sd_notify(3)); else nothing is
 * done.
 */
#ifndef TDSMON_SERVICE_H
#define TDSMON_SERVICE_H

#include <stdint.h>

/* What was to be started is, or what was to be reloaded; status: a line for people. */
void service_ready(const char *status);

/* Settings are being read anew; service_ready() is due when they are. */
void service_reloading(void);

void service_stopping(void);

/* How often service_alive() is due, ns: half of what the manager waits; 0: there is none. */
uint64_t service_period_ns(void);

/* We are not stuck; status as above. */
void service_alive(const char *status);

#endif
