/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * intake.h - where tdsmon top's records come from: a child process whose standard output is JSON
 * lines. It is a tdsmon that watches or reads, or a client of one that runs.
 */
#ifndef TDSMON_INTAKE_H
#define TDSMON_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct intake_source {
	char **argv;	     /* of the tdsmon to start; NULL: connect */
	bool stdin_is_file;  /* it reads our standard input */
	const char *socket;  /* a UNIX socket, or NULL: */
	const char *url;     /* http or https, without /records */
	const char *user;    /* "name:password", or NULL */
	const char *ca_file; /* the authorities to trust; NULL: the system's */
};

#define INTAKE_SAID 256

struct intake {
	pid_t pid;
	int out, err; /* our ends of its pipes; -1: closed */
	char *buf;
	size_t len, size;
	bool skipping;	  /* the rest of a line that is too long */
	bool any;	  /* a line came */
	char heard[1024]; /* of its standard error, the part of a line */
	size_t heard_len;
	char said[INTAKE_SAID]; /* the latest message, without "tdsmon: " */
	int status;		/* once it has ended: its exit status, 128 + its signal */
};

/* Start it. 0 or -errno. Release it with intake_stop() in both cases. */
int intake_start(struct intake *in, const struct intake_source *source);
/* End the process, if it still runs. */
void intake_stop(struct intake *in);

/*
 * Take what is there, at most about a MiB, and call line() for each line. 1: there may be more; 0:
 * not now; -1: the process has ended, and status and said are set.
 */
int intake_read(struct intake *in, void (*line)(void *ctx, const char *text, size_t len),
		void *ctx);

/* fetch.c: write what the source serves at /records to standard output, and end the process. */
void __attribute__((noreturn)) fetch_run(const struct intake_source *source);

#endif
