// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * errorlogs.c - see errorlogs.h.
 */
#include <errno.h>
#include <inttypes.h>

#include "errorlogs.h"
#include "lib/log.h"
#include "source/errorlog/follow.h"

static int errorlogs_reopen(void *ctx, size_t place)
{
	struct app *app = ctx;
	int fd = opener_ask_number(app->opener, OPENER_ERRORLOG, (uint32_t)place);

	return fd ? fd : -EIO; /* an answer without a descriptor */
}

int errorlogs_open(struct app *app, bool live)
{
	const struct follow_config config = {.paths = app->opts->errorlogs,
					     .count = app->opts->errorlog_count,
					     .reopen = live ? errorlogs_reopen : NULL,
					     .ctx = app};
	int err = 0;

	if (config.count)
		app->errorlogs = follow_open(&config, &err);
	if (live && app->errorlogs)
		follow_judge(app->errorlogs);
	return err;
}

void errorlogs_close(struct app *app)
{
	follow_close(app->errorlogs);
}

static void errorlogs_entry(void *ctx, const struct errorlog_entry *entry)
{
	struct errorlog_entry on_source = *entry;
	struct app *app = ctx;

	on_source.time_ns -= (uint64_t)app->clock.offset_ns;
	engine_errorlog(app->engine, &on_source);
}

void errorlogs_read(struct app *app, uint64_t until_ns)
{
	if (app->errorlogs)
		follow_read(app->errorlogs, wallclock_ns(&app->clock, until_ns), clock_now_ns(),
			    errorlogs_entry, app);
}

void errorlogs_summary(const struct app *app)
{
	const struct engine_stats *stats;

	if (!app->errorlogs)
		return;
	stats = engine_stats(app->engine);
	log_debug("error logs: %" PRIu64 " entries of logins and stalls, %" PRIu64
		  " joined to a login",
		  stats->errorlog_entries, stats->errorlog_joined);
	if (!app->live)
		follow_judge(app->errorlogs);
}
