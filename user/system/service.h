/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service.h - messages of a service to its manager, where there is one (sd_notify(3)); else nothing
 * is done.
 */
#ifndef TDSMON_SERVICE_H
#define TDSMON_SERVICE_H

#include <stdint.h>

struct service {
	int fd; /* a datagram socket connected to the manager's; -1: there is no manager */
	uint64_t period_ns;
};

/*
 * Connect to the manager: a confined process can't. The period is how often service_alive() is due:
 * half of what the manager waits; 0: there is none.
 */
void service_open(struct service *service);
void service_close(struct service *service);

/* Started, or reloaded; status: a line for people. */
void service_ready(const struct service *service, const char *status);

/* Settings are being read again; service_ready() is due when they are. */
void service_reloading(const struct service *service);

void service_stopping(const struct service *service);

/* We are not stuck; status as above. */
void service_alive(const struct service *service, const char *status);

#endif
