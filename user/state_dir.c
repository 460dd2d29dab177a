// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * state_dir.c - see state_dir.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "lib/units.h"
#include "sink/page/page.h"
#include "state_dir.h"

#define STATE_NAME "login-history"
#define STATE_NS   (60 * NS_PER_S) /* between two writings */

const char *state_dir_path(const struct opts *opts, char text[STATE_PATH])
{
	const char *dir = opts->state_dir ?: getenv("STATE_DIRECTORY");

	/* A service with several directories, separated by colons, names its own. */
	if (!opts->listen || !dir || (!opts->state_dir && (*dir != '/' || strchr(dir, ':'))))
		return NULL;
	return snprintf(text, STATE_PATH, "%s/" STATE_NAME, dir) < STATE_PATH ? text : NULL;
}

static void state_load(const struct app *app, const char *data, size_t len)
{
	uint64_t now_s = wallclock_ns(&app->clock, clock_now_ns()) / NS_PER_S;
	const char *why = login_history_load(page_logins(app->page->sink), data, len, now_s);

	if (why)
		log_warn("%s is not used: %s. The page's history begins now, and replaces the file",
			 app->state, why);
}

static void state_read(const struct app *app)
{
	int fd = regular_open(app->state);
	char *data;
	size_t len;

	if (fd == -ENOENT)
		return; /* the first start */
	data = fd < 0 ? NULL : regular_text(fd, LOGIN_HISTORY_BYTES, &len);
	if (data)
		state_load(app, data, len);
	else
		log_warn("cannot read %s: %s. The page's history begins now", app->state,
			 regular_error(fd < 0 ? fd : errno));
	free(data);
	if (fd >= 0)
		close(fd);
}

/* The opener replaces the file, since this process may open none. */
static int state_write(struct app *app)
{
	struct login_history *history = page_logins(app->page->sink);
	int fd = opener_ask(app->opener, OPENER_STATE), err;

	if (fd <= 0)
		return fd ?: -EPROTO;
	err = login_history_save(history, fd);
	if (close(fd) && !err)
		err = -errno;
	if (!err)
		return opener_ask(app->opener, OPENER_STATE_COMMIT);
	opener_ask(app->opener, OPENER_STATE_DROP);
	return err;
}

void state_dir_save(struct app *app)
{
	int err;

	if (!app->state || !login_history_is_unsaved(page_logins(app->page->sink)))
		return;
	err = state_write(app);
	if (err && err != app->state_err)
		log_error("cannot write %s: %s. The page's history ends with this run unless a "
			  "later writing succeeds",
			  app->state, regular_error(err));
	else if (!err && app->state_err)
		log_info("%s is written again", app->state);
	app->state_err = err;
}

static int on_minute(void *app)
{
	state_dir_save(app);
	return 0;
}

int state_dir_open(struct app *app, struct loop *loop)
{
	if (!app->state)
		return 0;
	state_read(app);
	return loop_every(loop, STATE_NS, on_minute, app);
}
