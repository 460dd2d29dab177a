// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * replay.c - a run that reads capture files.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

#include "app.h"
#include "system/sandbox.h"
#include "errorlogs.h"
#include "export.h"
#include "lib/log.h"
#include "lib/replace.h"
#include "ports.h"
#include "saves.h"
#include "source/capture/series.h"
#include "lib/units.h"

#define PROGRESS_EVERY	  4096 /* segments between two readings of the clock */
#define PROGRESS_NS	  200000000ull
#define PROGRESS_BAR	  24
#define COMMENT_MAX	  512	     /* bytes shown */
#define SECRETS_TLS	  0x544c534b /* a block's type: "TLSK" */
#define TIME_BIAS_NS	  1 /* the engine takes time 0 for "not seen", but a capture may begin at 0 */
#define ENDED_MOST_NS	  (3600 * NS_PER_S) /* after the last packet; more is not believed */
#define ERRORLOG_AHEAD_NS NS_PER_S	    /* entries may be this much later than their logins */

/* "[######..................]  25 %, " */
static void progress_bar(struct output *out, double share)
{
	int done = (int)(share * PROGRESS_BAR);

	output_printf(out, "[%.*s%.*s] %3.0f %%, ", done, "########################",
		      PROGRESS_BAR - done, "........................", share * 100);
}

/* The next progress line or message overwrites it. */
static void progress_show(struct app *app, const struct series *series)
{
	uint64_t now_ns = clock_now_ns();
	const struct capture_stats *stats;
	const char *name;

	if (!app->progress || now_ns - app->progress_ns < PROGRESS_NS)
		return;
	stats = series_current(series, &name);
	if (!stats)
		return;
	app->progress_ns = now_ns;
	output_printf(app->messages, "\033[Kreading %s: ", name);
	if (stats->bytes_total)
		progress_bar(app->messages, (double)stats->bytes_read / (double)stats->bytes_total);
	output_printf(app->messages, "%" PRIu64 " packets, %" PRIu64 " MB\r", stats->packets,
		      stats->bytes_read / 1000000);
	output_flush(app->messages);
}

static void progress_erase(struct app *app)
{
	if (!app->progress_ns)
		return;
	output_printf(app->messages, "\033[K");
	output_flush(app->messages);
	app->progress_ns = 0;
}

/* A comment in a capture; shown with -v. */
static void on_comment(void *ctx, const struct capture_comment *comment)
{
	int len = comment->len < COMMENT_MAX ? (int)comment->len : COMMENT_MAX;

	(void)ctx;
	if (comment->packet)
		log_debug("%s: comment on packet %" PRIu64 ": %.*s", comment->name, comment->packet,
			  len, comment->text);
	else
		log_debug("%s: comment: %.*s", comment->name, len, comment->text);
}

/* A capture's own key log; blocks of other types are of other protocols. */
static void on_secrets(void *ctx, const struct capture_secrets *secrets)
{
	struct app *app = ctx;

	if (secrets->type != SECRETS_TLS)
		return;
	if (!secrets->offset)
		log_debug("%s holds %" PRIu32 " bytes of TLS keys", secrets->name, secrets->total);
	keylog_feed(&app->secrets, app->engine, secrets->data, secrets->len);
	if (secrets->offset + secrets->len == secrets->total)
		keylog_ends(&app->secrets, app->engine);
}

static int read_series(struct app *app, struct series *series)
{
	const uint8_t *payload;
	uint64_t count = 0;
	struct seg seg;

	/* Records of a capture that is still being written are flushed at once. */
	app->prompt |= series_is_live(series);
	/* Nobody waits for the records of a capture that is over: they can wait for its packets. */
	if (!series_is_live(series))
		engine_keep_silent(app->engine);
	if (app->keylog && series_is_live(series))
		engine_expect_late_keys(app->engine);
	else
		keylog_read_whole(app->keylog, app->engine);
	while (!*app->stop && !app->out->err && series_next(series, &seg, &payload) > 0) {
		app->last_ns = seg.ts_ns > app->last_ns ? seg.ts_ns : app->last_ns;
		seg.ts_ns += TIME_BIAS_NS;
		if (series_resumed(series))
			engine_resume(app->engine, seg.ts_ns);
		errorlogs_read(app, seg.ts_ns + ERRORLOG_AHEAD_NS);
		engine_segment(app->engine, &seg, payload);
		if (++count % PROGRESS_EVERY == 0)
			progress_show(app, series);
		if (app->prompt || count % PROGRESS_EVERY == 0)
			keylog_read(app->keylog, app->engine);
	}
	keylog_read(app->keylog, app->engine);
	progress_erase(app);
	series_stats(series, &app->read);
	return series_err(series);
}

/* Why nothing may have been found: the wrong ports. */
static void read_hint(const struct app *app)
{
	const struct engine_stats *stats = engine_stats(app->engine);
	uint16_t strangers[ENGINE_STRANGERS];
	char ports[PORTS_TEXT];
	size_t n = stats->logins ? 0 : engine_strangers(app->engine, strangers);

	for (size_t i = 0; i < n; i++)
		log_warn("TDS seen on port %u, which is not watched: -p %u", strangers[i],
			 strangers[i]);
	if (!app->read.segments || stats->ignored < stats->segments)
		return;
	log_info("none of %" PRIu64 " TCP segments was to or from port %s; -p names other ports, "
		 "--any-port looks at all",
		 app->read.segments, ports_text(&app->opts->ports, ports));
}

/* A capture may state that it went on after its last packet. Any time could stand there. */
static void replay_ends(struct app *app)
{
	uint64_t ended_ns = app->read.ended_ns, last_ns = app->last_ns;

	if (last_ns && ended_ns > last_ns && ended_ns - last_ns < ENDED_MOST_NS)
		engine_ends(app->engine, ended_ns + TIME_BIAS_NS);
}

/*
 * Load what is read once and kept, while its files can still be opened. OpenSSL parses and decrypts
 * here, which depends on no settings: it must not look for its file later, when that is denied.
 */
static void replay_prepare(void)
{
	tzset();
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

/* A file that cannot be read does not keep the others from being read. */
int replay_run(struct app *app)
{
	struct capture_hooks hooks = {app, on_comment, on_secrets};
	struct series *series = NULL;
	int err;

	app->clock.offset_ns = -TIME_BIAS_NS;
	app->saves = saves_start(app->opts, &err);
	if (!err && app->opts->textfile)
		err = replace_try_path(app->opts->textfile);
	if (!err)
		err = errorlogs_open(app, false);
	if (!err)
		err = app_open(app);
	if (!err) {
		series = series_open(app->opts->files, app->opts->file_count, &hooks);
		err = series ? 0 : -ENOMEM;
	}
	if (!err) {
		replay_prepare();
		/* Captures may be malicious. Not every kernel has filters. */
		sandbox_syscalls(
			SANDBOX_WATCHER |
				(app->opts->textfile || app->opts->output ? SANDBOX_WRITER : 0),
			&(struct sandbox_descriptors){-1, -1});
		err = read_series(app, series);
		replay_ends(app);
		engine_finish(app->engine);
		err = saves_finish(app->saves) ?: err;
		if (app->by)
			by_print(app->by->sink, 0);
		output_flush(app->out);
		err = app_memory(app) ?: err;
		err = export_textfile(app) ?: err;
		if (app->read.packets || !err)
			app_summary(app);
		read_hint(app);
		errorlogs_summary(app);
	}
	series_close(series);
	app_release(app);
	errorlogs_close(app);
	saves_stop(app->saves);
	return err;
}
