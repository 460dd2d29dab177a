/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * temporary.h - the capture file source over bytes in memory. Quiet: that an input is no capture is
 * no news.
 */
#ifndef TDSMON_FUZZ_TEMPORARY_H
#define TDSMON_FUZZ_TEMPORARY_H

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "log.h"
#include "source/file.h"

/* In place of the library's. */
void log_error(const char *fmt, ...)
{
	(void)fmt;
}

/* NULL where data is no capture. */
static inline struct file *temporary_open(const uint8_t *data, size_t size)
{
	int err = 0, fd = memfd_create("fuzz", 0);
	struct file *file;
	char path[32];

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	file = file_open(path, &err);
	FUZZ_ASSERT(file || err < 0);
	close(fd);
	return file;
}

#endif
