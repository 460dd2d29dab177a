/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sink.h - common to all sinks. A sink is a row of sink_ops in a file of its own; a format is a
 * sink. To add one, write its file; a format also has its row in formats.c.
 */
#ifndef TDSMON_SINK_H
#define TDSMON_SINK_H

#include "lib/clock.h"
#include "lib/output.h"
#include "engine/record.h"

struct by_keys;

/* The input of sinks; everything pointed to outlives them. */
struct sink_config {
	struct output *out; /* keeps the errors */
	const struct wallclock *clock;
	/*
	 * An interface's name, valid until the next record, or NULL: unknown. NULL: names are never
	 * known.
	 */
	const char *(*interface_name)(const void *interfaces, uint32_t ifindex);
	const void *interfaces;	  /* its first argument */
	bool terminal;		  /* out is a terminal */
	bool colour;		  /* the terminal shows colours */
	const struct by_keys *by; /* by: what makes a group */
	bool explain;		  /* text: the evidence under each login */
	bool priorities;	  /* out is the journal: a record begins with its priority */
	bool one_line;		  /* text: each record on one line */
	unsigned top_clients;	  /* prometheus: how many have samples of their own */
};

/* One kind of sink. Callbacks may be NULL, except open and free. */
struct sink_ops {
	const char *name;				 /* as in --format */
	void *(*open)(const struct sink_config *config); /* NULL: out of memory */
	void (*login)(void *sink, const struct login_record *rec);
	void (*close)(void *sink, const struct close_record *rec);
	void (*command)(void *sink, const struct command_record *rec);
	void (*browser)(void *sink, const struct browser_record *rec);
	void (*pending)(void *sink, const struct pending_record *rec);
	void (*free)(void *sink); /* accepts NULL */
};

/*
 * Do its times count? Those of logins that were answered or kept waiting do. Health checks would
 * make everything look fast, and incomplete logins have no times.
 */
bool sink_timed(const struct login_record *rec);

/* Did somebody want to log in, or do something else, and fail? */
bool sink_failed(const struct login_record *rec);

/* Did it fail, or succeed but slowly or with an error? The verdict says why. */
bool sink_is_problem(const struct login_record *rec);

/* Was its client sent on to another server, and never connected there? */
bool sink_is_stranded(const struct close_record *rec);
/*
 * Was the session cut off, or a redirect not followed? Most sessions end properly, and some pools
 * and drivers reset theirs while no request is in progress.
 */
bool sink_is_cut_off(const struct close_record *rec);

#define SINK_TOP_CLIENTS_MAX 256

#define SINK_ID_MAX 17 /* 16 hex digits and a NUL */

/* A connection's id, as in all formats. Returns text. */
const char *sink_id(uint64_t id, char text[SINK_ID_MAX]);

#define SINK_ADDR_MAX	  46		      /* the longest IPv6 address and a NUL */
#define SINK_ENDPOINT_MAX (SINK_ADDR_MAX + 8) /* "[addr]:65535" and a NUL */

/* "10.0.0.1", also for an IPv4-mapped address, or "fd00::1". Returns text. */
const char *sink_addr(const uint8_t addr[16], char text[SINK_ADDR_MAX]);

/* "10.0.0.1:1433" or "[fd00::1]:1433". Returns text. */
const char *sink_endpoint(const struct endpoint *ep, char text[SINK_ENDPOINT_MAX]);

#endif
