// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * service.c - see service.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "system/service.h"
#include "lib/units.h"

#define SERVICE_PERIOD_NS   (10 * NS_PER_S) /* of the status, if there is no watchdog */
#define SERVICE_MESSAGE_MAX 1024

/* sd_notify(3): a path, or an abstract name that begins with @. */
static int service_connect(const char *name)
{
	struct sockaddr_un manager = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	int fd;

	if (len < 2 || len >= sizeof(manager.sun_path) || !strchr("/@", *name))
		return -1;
	memcpy(manager.sun_path, name, len);
	if (*name == '@')
		manager.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&manager,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
		return fd;
	fd_close(fd);
	return -1;
}

/* A variable of decimal digits only; 0: it is not set, or holds something else. */
static uint64_t service_number(const char *variable)
{
	const char *text = getenv(variable);
	unsigned long long number;

	if (!text || !*text || text[strspn(text, "0123456789")])
		return 0;
	errno = 0;
	number = strtoull(text, NULL, 10);
	return errno ? 0 : number;
}

/*
 * sd_watchdog_enabled(3): the time-out in ns, 0: no watchdog. A variable that was inherited from a
 * service which is another process names that process.
 */
static uint64_t service_watchdog_ns(void)
{
	uint64_t us = service_number("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") && service_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return us > UINT64_MAX / 1000 ? 0 : us * 1000;
}

void service_open(struct service *service)
{
	const char *name = getenv("NOTIFY_SOCKET");
	uint64_t watchdog_ns = service_watchdog_ns();

	*service = (struct service){.fd = name ? service_connect(name) : -1};
	if (name && service->fd < 0)
		log_warn("cannot reach the service manager at %s: it will not learn that the "
			 "start is complete",
			 name);
	if (watchdog_ns)
		service->period_ns = watchdog_ns / 2;
	else if (service->fd >= 0)
		service->period_ns = SERVICE_PERIOD_NS;
}

void service_close(struct service *service)
{
	fd_close(service->fd);
	service->fd = -1;
}

/* By write(): a confined process may not use send(), which could name another receiver. */
static void __attribute__((format(printf, 2, 3)))
service_say(const struct service *service, const char *fmt, ...)
{
	char text[SERVICE_MESSAGE_MAX];
	va_list args;
	int len;

	if (service->fd < 0)
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len > 0 && write(service->fd, text, strlen(text)) < 0)
		log_debug("the service manager does not listen");
}

void service_ready(const struct service *service, const char *status)
{
	service_say(service, "READY=1\nSTATUS=%s", status);
}

void service_reloading(const struct service *service)
{
	/* Managers since 253 compare this time with that of their request. */
	service_say(service, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now_ns() / 1000);
}

void service_stopping(const struct service *service)
{
	service_say(service, "STOPPING=1");
}

void service_alive(const struct service *service, const char *status)
{
	service_say(service, "WATCHDOG=1\nSTATUS=%s", status);
}
