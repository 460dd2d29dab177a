/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * temporary.h - the capture source over bytes in memory. Quiet: that an input is no capture is
 * no news.
 */
#ifndef TDSMON_FUZZ_TEMPORARY_H
#define TDSMON_FUZZ_TEMPORARY_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "lib/log.h"
#include "source/capture/capture.h"

/* In place of the library's. */
void log_error(const char *fmt, ...)
{
	(void)fmt;
}

void log_warn(const char *fmt, ...)
{
	(void)fmt;
}

static int temporary_fd;

/* NULL where data is no capture. Either way it has to be closed. */
static inline struct capture *temporary_open(const uint8_t *data, size_t size,
					     const struct capture_hooks *hooks)
{
	int err = 0, fd = temporary_fd = memfd_create("fuzz", 0);
	struct capture *capture;

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
	capture = capture_open(fd, "fuzz", hooks, &err);
	FUZZ_ASSERT(capture || err < 0);
	return capture;
}

static inline void temporary_close(struct capture *capture)
{
	capture_close(capture);
	close(temporary_fd);
}

#endif
