/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * session_env.h - all that sessions need of their owner.
 */
#ifndef TDSMON_SESSION_ENV_H
#define TDSMON_SESSION_ENV_H

#include "engine/protocol/byte_buf.h"
#include "engine/record.h"
#include "engine/stream/flow_table.h"

/* Its owner fills in all but sql_count, which begins 0. */
struct session_env {
	void (*command)(void *ctx, const struct command_record *rec); /* NULL: not reported */
	void *ctx;
	const struct flow_table *flows; /* which the sessions' flows are in */
	struct pool *pool;		/* for MARS sessions */
	bool sql;			/* report the text of requests in clear */
	bool live;			/* the tap, not a capture: */
	bool kernel_times_commands;	/* as in engine_config */
	uint32_t sql_count;		/* requests whose text is held */
};

#endif
