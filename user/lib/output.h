/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * output.h - buffered writing to a descriptor that remembers the first error, so that writers
 * need not check and nothing that failed goes unnoticed.
 */
#ifndef TDSMON_OUTPUT_H
#define TDSMON_OUTPUT_H

#include <stddef.h>

#define OUTPUT_BUFFER 65536

struct output {
	int fd;
	int err; /* first error, -errno; everything after it is discarded */
	size_t used;
	char buf[OUTPUT_BUFFER];
};

void output_init(struct output *out, int fd);
void output_write(struct output *out, const char *data, size_t len);
void output_printf(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or the first error so far as -errno. A signal does not break a write off. */
int output_flush(struct output *out);

/* Flush and close the descriptor: some file systems report errors at close only. */
int output_close(struct output *out);

#endif
