/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * output.h - buffered writing to a descriptor. It keeps the first error, so that writers need not
 * check, and no failure goes unnoticed.
 */
#ifndef TDSMON_OUTPUT_H
#define TDSMON_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OUTPUT_BUFFER 65536

struct outqueue;

struct output {
	int fd;
	int err; /* first error, -errno; later output is discarded */
	size_t used;
	struct outqueue *queue; /* NULL: a flush waits for the reader, without limit */
	bool cut;		/* the current record is too long for the queue, and is lost */
	uint64_t cut_lines;
	char buf[OUTPUT_BUFFER];
};

void output_init(struct output *out, int fd);

/*
 * From now on, never wait for the reader of a pipe, a socket or a terminal: at most size bytes are
 * queued for it, and what comes then is lost and counted. Files are written as before. 0 or
 * -ENOMEM.
 */
int output_bound(struct output *out, size_t size);

/* Ends a record. A record is written whole or lost whole. */
void output_record_end(struct output *out);

/* Call output_flush() when this descriptor becomes writable; -1: nothing is queued. */
int output_queue_fd(const struct output *out);

/* Lines lost because the reader was too slow, and whether bytes are still queued. */
uint64_t output_lost(const struct output *out);
bool output_waits(const struct output *out);

/*
 * Call output_ends() when the run ends: then a reader that reads gets everything, within ten
 * seconds; one that reads nothing for half a second is given up. output_finish() returns the first
 * error so far, -ETIMEDOUT for such a reader.
 */
void output_ends(struct output *out);
int output_finish(struct output *out);

/* The slow path of output_write(). */
void output_write_full(struct output *out, const char *data, size_t len);

static inline void output_write(struct output *out, const char *data, size_t len)
{
	if (out->cut || len > sizeof(out->buf) - out->used) {
		output_write_full(out, data, len);
		return;
	}
	memcpy(out->buf + out->used, data, len);
	out->used += len;
}

/* For what every record has, since printf() takes longer than the rest of a record. */
static inline void output_text(struct output *out, const char *text)
{
	output_write(out, text, strlen(text));
}

void output_blanks(struct output *out, size_t count);

/* The text, with blanks after it up to so many bytes, as "%-*s"; output_right() as "%*s". */
void output_left(struct output *out, size_t width, const char *text);
void output_right(struct output *out, size_t width, const char *text);

void output_printf(struct output *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or the first error so far as -errno. A signal does not interrupt a write. */
int output_flush(struct output *out);

/* Finish and close the descriptor. Some file systems report errors only at close. */
int output_close(struct output *out);

#endif
