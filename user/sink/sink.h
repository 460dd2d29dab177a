/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sink.h - what the sinks have in common. A sink is a row of sink_ops in its own file; a format
 * is a sink. To add one, write its file and name its row in sink.c.
 */
#ifndef TDSMON_SINK_H
#define TDSMON_SINK_H

#include "lib/clock.h"
#include "lib/output.h"
#include "engine/record.h"

/* What a sink may need; everything pointed to outlives it. */
struct sink_config {
	struct output *out; /* errors are remembered there */
	const struct wallclock *clock;
	/* An interface's name until the next record, or NULL: not known; NULL: never known. */
	const char *(*interface_name)(const void *interfaces, uint32_t ifindex);
	const void *interfaces; /* what it is to be asked of */
	bool terminal;		/* out is a terminal */
	bool colour;		/* that takes colours */
	bool explain;		/* text: the evidence under each login */
	unsigned top_clients;	/* prometheus: so many are shown by themselves */
};

/* One kind of sink. Any callback but open and free may be NULL. */
struct sink_ops {
	const char *name;				 /* as in --format */
	void *(*open)(const struct sink_config *config); /* NULL for want of memory */
	void (*login)(void *sink, const struct login_record *rec);
	void (*close)(void *sink, const struct close_record *rec);
	void (*command)(void *sink, const struct command_record *rec);
	void (*browser)(void *sink, const struct browser_record *rec);
	void (*pending)(void *sink, const struct pending_record *rec);
	void (*free)(void *sink); /* accepts NULL */
};

/* The formats: text first, the default. Ends with NULL. */
extern const struct sink_ops *const sink_formats[];

/* NULL where there is no such format. */
const struct sink_ops *sink_find(const char *name);

/*
 * Whose times count: those who wanted to log in and were answered or kept waiting. Health checks
 * would make everything look fast, and of incomplete ones no time is known.
 */
bool sink_timed(const struct login_record *rec);

/* Somebody wanted to log in, or something else, and could not. */
bool sink_failed(const struct login_record *rec);

/* It failed, or went through but was slow or had an error: the verdict says why. */
bool sink_is_problem(const struct login_record *rec);

/*
 * A session that was cut off; most end as they should, and some pools and drivers reset theirs
 * while nothing is under way. Or a redirect that was not followed.
 */
bool sink_is_cut_off(const struct close_record *rec);

#define SINK_TOP_CLIENTS_MAX 256

#define SINK_ID_MAX 17 /* 16 hex digits and a NUL */

/* A connection's id as it is written everywhere. Returns text. */
const char *sink_id(uint64_t id, char text[SINK_ID_MAX]);

#define SINK_ADDR_MAX	  46		      /* the longest IPv6 address and a NUL */
#define SINK_ENDPOINT_MAX (SINK_ADDR_MAX + 8) /* "[addr]:65535" and a NUL */

/* "10.0.0.1", also for an IPv4-mapped address, or "fd00::1". Returns text. */
const char *sink_addr(const uint8_t addr[16], char text[SINK_ADDR_MAX]);

/* "10.0.0.1:1433" or "[fd00::1]:1433". Returns text. */
const char *sink_endpoint(const struct endpoint *ep, char text[SINK_ENDPOINT_MAX]);

#endif
