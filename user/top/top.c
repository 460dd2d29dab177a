// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * top.c - see top.h: the source, the model, and the terminal or the pages of batch mode.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "top/save.h"
#include "top/screen.h"
#include "top/source_find.h"
#include "top/top.h"
#include "top/ui.h"

#define TOP_USAGE      2
#define TOP_WIDTH      132
#define TOP_LINES      40
#define TOP_FRAME      5	     /* lines of a page that are not the table's rows */
#define TOP_AGAIN_NS   1000000000ull /* after a failure, doubled each time */
#define TOP_AGAIN_MOST 10000000000ull
#define TOP_LOADING_NS 250000000ull /* between two pages while a capture is read */

struct top {
	struct top_opts opts;
	struct found_source source;
	struct intake intake;
	struct model *model;
	struct ui ui;
	struct cells cells;
	struct screen *screen; /* NULL in batch mode */
	struct output *out;
	const volatile sig_atomic_t *stop;
	bool reading; /* the source has not ended */
	bool ever;    /* a line has come, ever */
	int err;
	uint64_t again_ns; /* when to start the source again */
	uint64_t pause_ns; /* before that */
	uint64_t drawn_ns;
	bool dirty; /* a key was pressed, or the source changed */
	char trouble[INTAKE_SAID + 64];
	uint32_t pages;
};

static void on_line(void *ctx, const char *text, size_t len)
{
	struct top *top = ctx;

	model_line(top->model, text, len, clock_now_ns());
}

static bool asked_to_end(const struct top *top)
{
	return *top->stop || (top->screen && screen_asked_to_end());
}

/* ---- the source ---- */

static void source_start(struct top *top)
{
	int err = intake_start(&top->intake, &top->source.intake);

	top->reading = !err;
	if (err) {
		snprintf(top->trouble, sizeof(top->trouble), "cannot start a process: %s",
			 strerror(-err));
		top->ui.trouble = top->trouble;
	}
}

/* A capture has ended, or the source is lost: start it again after a while, which grows. */
static void source_ended(struct top *top)
{
	const struct intake *in = &top->intake;
	const char *why = *in->said ? in->said : "it ended";
	bool failed = !top->source.capture || in->status;

	top->reading = false;
	top->dirty = true;
	top->ever |= in->any;
	if (in->any)
		top->pause_ns = 0;
	if (failed && !top->ever) {
		top->err = -EIO; /* nothing to show: the reason goes to standard error */
		return;
	}
	if (top->source.capture) {
		model_ended(top->model);
		if (in->status)
			snprintf(top->trouble, sizeof(top->trouble), "%s", why);
		top->ui.trouble = in->status ? top->trouble : NULL;
		return;
	}
	model_lost_source(top->model);
	top->ui.breaks += in->any;
	top->pause_ns = top->pause_ns ? top->pause_ns * 2 : TOP_AGAIN_NS;
	if (top->pause_ns > TOP_AGAIN_MOST)
		top->pause_ns = TOP_AGAIN_MOST;
	top->again_ns = clock_now_ns() + top->pause_ns;
	snprintf(top->trouble, sizeof(top->trouble), "lost: %s; trying again every few seconds",
		 why);
	top->ui.trouble = top->trouble;
}

static void source_read(struct top *top)
{
	int more;

	if (!top->reading && top->again_ns && clock_now_ns() >= top->again_ns) {
		intake_stop(&top->intake);
		top->again_ns = 0;
		model_resumed(top->model);
		source_start(top);
	}
	if (!top->reading)
		return;
	more = intake_read(&top->intake, on_line, top);
	if (top->intake.any && top->ui.trouble) {
		top->ui.trouble = NULL;
		top->dirty = true;
	}
	if (more < 0)
		source_ended(top);
}

/* Wait for records, keys, or the time. */
static void wait_events(struct top *top, uint64_t until_ns)
{
	uint64_t now_ns = clock_now_ns();
	struct pollfd fds[3] = {
		{.fd = top->screen ? screen_fd(top->screen) : -1, .events = POLLIN},
		{.fd = top->reading ? top->intake.out : -1, .events = POLLIN},
		{.fd = top->reading ? top->intake.err : -1, .events = POLLIN},
	};

	if (top->again_ns && top->again_ns < until_ns)
		until_ns = top->again_ns;
	poll(fds, 3, until_ns > now_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0);
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		top->ui.quit = true; /* the terminal is gone */
}

static uint64_t next_page_ns(const struct top *top)
{
	uint64_t delay_ns = top->opts.delay_ms * 1000000ull;

	if (top->source.capture && top->reading)
		delay_ns = TOP_LOADING_NS;
	return top->drawn_ns + delay_ns;
}

/* ---- the terminal ---- */

static int draw(struct top *top)
{
	int err = screen_fit(top->screen, &top->cells);

	if (err)
		return err;
	top->drawn_ns = clock_now_ns();
	top->dirty = false;
	ui_draw(&top->ui, top->model, top->drawn_ns, &top->cells);
	screen_show(top->screen, &top->cells);
	return 0;
}

static void take_keys(struct top *top)
{
	int key;

	while (!top->ui.quit && (key = screen_key(top->screen)) != UI_NO_KEY) {
		ui_press(&top->ui, top->model, key);
		top->dirty = true;
		if (*top->ui.save)
			save_shown(&top->ui, top->model);
		/* Where the cursor is depends on the table that is shown. */
		ui_draw(&top->ui, top->model, clock_now_ns(), &top->cells);
	}
}

/* Has the window another size? ncurses notices it when a key is asked for. */
static bool size_changed(struct top *top)
{
	int width = top->cells.width, height = top->cells.height;

	if (screen_fit(top->screen, &top->cells))
		top->err = -ENOMEM;
	return width != top->cells.width || height != top->cells.height;
}

static int run_screen(struct top *top)
{
	top->screen = screen_open();
	if (!top->screen)
		return -ENOTTY;
	top->err = draw(top);
	while (!top->err && !top->ui.quit && !asked_to_end(top)) {
		wait_events(top, next_page_ns(top));
		source_read(top);
		take_keys(top);
		if (!top->err &&
		    (size_changed(top) || top->dirty || clock_now_ns() >= next_page_ns(top)))
			top->err = draw(top);
	}
	screen_close(top->screen);
	top->screen = NULL;
	return top->err;
}

/* ---- batch mode ---- */

static int print_page(struct top *top)
{
	int last = 0;

	top->drawn_ns = clock_now_ns();
	ui_draw(&top->ui, top->model, top->drawn_ns, &top->cells);
	for (int y = 0; y < top->cells.height; y++)
		for (int x = 0; x < top->cells.width; x++)
			if (top->cells.at[y * top->cells.width + x].ch != L' ')
				last = y;
	if (top->pages++)
		output_printf(top->out, "\n");
	for (int y = 0; y <= last; y++) {
		char *line = cells_line(&top->cells, y);

		if (!line)
			return -ENOMEM;
		output_printf(top->out, "%s\n", line);
		free(line);
	}
	return output_flush(top->out);
}

static int run_batch(struct top *top)
{
	const char *columns = getenv("COLUMNS");
	int width = top->opts.width
			    ?: columns && atoi(columns) > 0 ? atoi(columns)
							    : TOP_WIDTH,
	    lines = top->opts.lines ?: TOP_LINES;
	uint32_t count = top->opts.count ?: top->source.capture ? 1 : 0;

	top->ui.batch = true;
	if (cells_resize(&top->cells, width < 40 ? 40 : width, lines + TOP_FRAME))
		return -ENOMEM;
	top->drawn_ns = clock_now_ns();
	while (!top->err && !asked_to_end(top)) {
		bool due;

		wait_events(top, next_page_ns(top));
		source_read(top);
		due = top->source.capture ? !top->reading : clock_now_ns() >= next_page_ns(top);
		if (due && !top->err)
			top->err = print_page(top);
		if (count && top->pages >= count)
			break;
	}
	return top->err;
}

/* ---- beginning and end ---- */

static int set_up(struct top *top)
{
	const struct top_opts *opts = &top->opts;
	char why[FILTER_WHY];

	top->model = model_new();
	ui_init(&top->ui);
	if (!top->model)
		return -ENOMEM;
	setlocale(LC_CTYPE, "");
	top->cells.ascii = opts->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	top->ui.source = top->source.name;
	if (opts->filter)
		ui_filter(&top->ui, top->model, opts->filter);
	if (opts->group) {
		group_by_parse(&top->ui.group_by, opts->group, why);
		snprintf(top->ui.group_text, UI_TEXT, "%s", opts->group);
		top->ui.view = VIEW_GROUP;
	}
	if (opts->view)
		top->ui.view = (enum ui_view)ui_view_find(opts->view);
	return cells_resize(&top->cells, TOP_WIDTH, TOP_LINES);
}

/* Why nothing came, or why the end of a capture is missing. */
static void report(struct top *top)
{
	if (top->err == -ENOMEM)
		log_error("out of memory");
	else if (top->err == -EIO && top->source.argv && *top->intake.said)
		log_error("%s", top->intake.said);
	else if (top->err == -EIO)
		log_error("%s: %s", top->source.name,
			  *top->intake.said ? top->intake.said : "it ended without a record");
	else if (top->source.capture && top->intake.status && !top->reading)
		log_error("%s", *top->intake.said ? top->intake.said
						  : "the capture could not be read to its end");
}

static int run(struct top *top)
{
	int err = source_find(&top->source, &top->opts);

	if (err)
		return err;
	err = set_up(top);
	if (!err) {
		source_start(top);
		err = top->opts.batch ? run_batch(top) : run_screen(top);
		top->err = err;
		report(top);
		if (!err && top->source.capture && !top->reading && top->intake.status)
			err = -EIO;
		intake_stop(&top->intake);
	}
	model_free(top->model);
	ui_release(&top->ui);
	cells_release(&top->cells);
	return err;
}

int top_run(struct output *out, const volatile sig_atomic_t *stop, int argc, char **argv)
{
	struct top top = {.out = out, .stop = stop};
	int err = top_opts_parse(&top.opts, argc, argv), status = EXIT_SUCCESS;

	if (err) {
		status = TOP_USAGE;
	} else if (top.opts.help) {
		top_opts_help(out);
	} else if (!top.opts.batch && !isatty(STDOUT_FILENO)) {
		log_error("standard output is no terminal: use -b to print pages");
		status = TOP_USAGE;
	} else if (run(&top)) {
		status = EXIT_FAILURE;
	}
	source_release(&top.source);
	free(top.opts.files);
	return status;
}
