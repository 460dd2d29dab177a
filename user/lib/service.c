// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * service.c - see service.h.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <systemd/sd-daemon.h>

#include "clock.h"
#include "service.h"

#define SERVICE_PERIOD_NS 10000000000ull /* of the status, where there is no watchdog */

void service_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_reloading(void)
{
	/* Managers from 253 on compare that time with when they asked. */
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
}

void service_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

uint64_t service_period_ns(void)
{
	uint64_t us;

	if (sd_watchdog_enabled(0, &us) > 0)
		return us * 1000 / 2;
	return getenv("NOTIFY_SOCKET") ? SERVICE_PERIOD_NS : 0;
}

void service_alive(const char *status)
{
	sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}
