// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * service.c - what a service manager receives, by a path and by an abstract name, and when the service
 * is to say that it is alive.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/units.h"
#include "system/service.h"
#include "unit.h"

#define WITHOUT_WATCHDOG_NS (10 * NS_PER_S)

/* A manager's socket. Its address begins with @ if the name is abstract; then NUL stands for it. */
static int manager(const char *address)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = strlen(address);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, address, len);
	if (*address == '@')
		at.sun_path[0] = 0;
	else
		unlink(address);
	if (bind(fd, (struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
		UNIT_FAIL("cannot bind %s", address);
	setenv("NOTIFY_SOCKET", address, 1);
	return fd;
}

static const char *received(int fd)
{
	static char text[256];
	ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[len > 0 ? len : 0] = 0;
	return text;
}

static void messages(const char *address)
{
	int fd = manager(address);
	struct service service;

	service_open(&service);
	CHECK(service.fd >= 0);
	service_ready(&service, "watching");
	CHECK_STR(received(fd), "READY=1\nSTATUS=watching");
	service_alive(&service, "one login");
	CHECK_STR(received(fd), "WATCHDOG=1\nSTATUS=one login");
	service_reloading(&service);
	CHECK(!strncmp(received(fd), "RELOADING=1\nMONOTONIC_USEC=", 27));
	service_stopping(&service);
	CHECK_STR(received(fd), "STOPPING=1");
	service_close(&service);
	service_stopping(&service); /* does nothing now */
	CHECK_STR(received(fd), "");
	fd_close(fd);
}

UNIT_CASE(by_path)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/tdsmon-unit-service-%d", getpid());
	messages(path);
	unlink(path);
}

UNIT_CASE(by_abstract_name)
{
	char name[64];

	snprintf(name, sizeof(name), "@tdsmon-unit-service-%d", getpid());
	messages(name);
}

UNIT_CASE(no_manager)
{
	static const char *const none[] = {"", "/", "tdsmon", "/nowhere/at/all",
					   "@tdsmon-nobody-listens"};
	struct service service;

	unsetenv("NOTIFY_SOCKET");
	service_open(&service);
	CHECK_INT(service.fd, -1);
	CHECK_INT(service.period_ns, 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		setenv("NOTIFY_SOCKET", none[i], 1);
		service_open(&service);
		CHECK_INT(service.fd, -1);
		CHECK_INT(service.period_ns, 0);
		service_ready(&service, "nobody listens");
	}
}

static uint64_t period_ns(const char *us, const char *pid)
{
	struct service service;

	setenv("WATCHDOG_USEC", us, 1);
	unsetenv("WATCHDOG_PID");
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	service_open(&service);
	service_close(&service);
	return service.period_ns;
}

UNIT_CASE(watchdog)
{
	char name[64], self[16], parent[16];
	int fd;

	snprintf(name, sizeof(name), "@tdsmon-unit-watchdog-%d", getpid());
	snprintf(self, sizeof(self), "%d", getpid());
	snprintf(parent, sizeof(parent), "%d", getppid());
	fd = manager(name);
	CHECK_INT(period_ns("30000000", NULL), 15 * NS_PER_S);
	CHECK_INT(period_ns("30000000", self), 15 * NS_PER_S);
	CHECK_INT(period_ns("30000000", parent), WITHOUT_WATCHDOG_NS); /* another process's */
	CHECK_INT(period_ns("30000000", "me"), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("0", self), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("", self), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("-1", self), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("30s", self), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("18446744073709551615", self), WITHOUT_WATCHDOG_NS);
	CHECK_INT(period_ns("99999999999999999999999", self), WITHOUT_WATCHDOG_NS);
	fd_close(fd);
	unsetenv("NOTIFY_SOCKET");
	CHECK_INT(period_ns("30000000", self),
		  15 * NS_PER_S); /* as before: the watchdog says how often */
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void)
{
	RUN(by_path);
	RUN(by_abstract_name);
	RUN(no_manager);
	RUN(watchdog);
	return unit_status();
}
