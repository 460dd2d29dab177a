/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service.h - a service's messages to its manager (sd_notify(3)). Without a manager the functions
 * do nothing.
 */
#ifndef TDSMON_SERVICE_H
#define TDSMON_SERVICE_H

#include <stdint.h>

struct service {
	int fd; /* a datagram socket, connected to the manager's; -1: no manager */
	uint64_t period_ns;
};

/*
 * Connect to the manager, before the process is confined. period_ns is how often service_alive() is
 * due: half of the watchdog's time-out, or 10 s without a watchdog; 0: there is no manager.
 */
void service_open(struct service *service);
void service_close(struct service *service);

/* The service has started, or has reloaded. status: a line for people. */
void service_ready(const struct service *service, const char *status);

/* The settings are being read again. Call service_ready() afterwards. */
void service_reloading(const struct service *service);

void service_stopping(const struct service *service);

/* The service is not stuck. status: as above. */
void service_alive(const struct service *service, const char *status);

#endif
