/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * output.h - buffered writing to a descriptor that remembers the first error, so that writers
 * need not check and nothing that failed goes unnoticed.
 */
#ifndef TDSMON_OUTPUT_H
#define TDSMON_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_BUFFER 65536

struct outqueue;

struct output {
	int fd;
	int err; /* first error, -errno; everything after it is discarded */
	size_t used;
	struct outqueue *queue; /* NULL: a flush waits for the reader, however long that takes */
	bool cut; /* the record that is being written is too long for a queue: it is lost */
	uint64_t cut_lines;
	char buf[OUTPUT_BUFFER];
};

void output_init(struct output *out, int fd);

/*
 * From now on nothing waits for the reader of a pipe, a socket or a terminal: at most size bytes
 * are kept for it, and what comes then is lost, and counted. Files stay as they are. 0 or -ENOMEM.
 */
int output_bound(struct output *out, size_t size);

/* A record ends here. It is written whole, or lost whole. */
void output_record_end(struct output *out);

/* To watch for when the reader takes more, output_flush() then; -1: nothing waits. */
int output_queue_fd(const struct output *out);

/* Lines that were lost as the reader was too slow, and whether more may be: some wait now. */
uint64_t output_lost(const struct output *out);
bool output_waits(const struct output *out);

/*
 * The run ends: a reader that reads gets it all, in ten seconds at most; one that does not take
 * anything for half a second is given up. The first error so far, -ETIMEDOUT for such a reader.
 */
void output_ends(struct output *out);
int output_finish(struct output *out);

void output_write(struct output *out, const char *data, size_t len);
void output_printf(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or the first error so far as -errno. A signal does not break a write off. */
int output_flush(struct output *out);

/* Finish and close the descriptor: some file systems report errors at close only. */
int output_close(struct output *out);

#endif
