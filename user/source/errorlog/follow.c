// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * follow.c - see follow.h. A server that starts renames errorlog to errorlog.1 and makes a new file:
 * the old one is read to its end, then the new one from its beginning.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/regular.h"
#include "source/errorlog/follow.h"
#include "source/errorlog/logfile.h"
#include "lib/units.h"

#define READ_MOST (4u << 20)	/* bytes of a log in one call, live */
#define LOOK_NS	  5000000000ull /* looked at this often for what no event tells */
#define RETRY_NS  NS_PER_S	/* a new file that can't be opened yet */

struct followed {
	const char *path;
	int fd, watch; /* watch: inotify's, of its directory; -1: none */
	struct logfile *file;
	struct errorlog_entry entry;
	bool held;	  /* entry is of later: it waits */
	bool failed;	  /* why the new file can't be read was said */
	uint64_t look_ns; /* when to look for a new file at its path; 0: not set */
};

struct follow {
	struct follow_config config;
	int inotify; /* -1: none */
	struct followed logs[FOLLOW_MOST];
	size_t count;
};

/* The file's name within its directory. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of what is made in its directory, or renamed into it, the kernel tells. */
static int watch_directory(int inotify, const char *path)
{
	size_t len = (size_t)(base_name(path) - path);
	char *dir = len ? strndup(path, len) : strdup(".");
	int watch = -1;

	if (dir && inotify >= 0)
		watch = inotify_add_watch(inotify, dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	free(dir);
	return watch;
}

static void drop(struct followed *log)
{
	logfile_free(log->file);
	fd_close(log->fd);
	log->file = NULL;
	log->fd = -1;
}

/* Take a descriptor over. 0 or -ENOMEM. */
static int take(struct followed *log, int fd, bool at_end)
{
	drop(log);
	log->fd = fd;
	log->file = logfile_new(log->path, fd, at_end);
	return log->file ? 0 : -ENOMEM;
}

static int open_one(struct follow *f, const char *path)
{
	struct followed *log = &f->logs[f->count++];
	bool live = f->config.reopen;
	int fd, err;

	*log = (struct followed){.path = path, .fd = -1, .watch = -1};
	if (live)
		log->watch = watch_directory(f->inotify, path);
	fd = regular_open(path);
	err = fd < 0 ? fd : take(log, fd, live);
	if (err)
		log_error("cannot read the error log %s: %s", path, regular_error(err));
	return err;
}

struct follow *follow_open(const struct follow_config *config, int *err)
{
	struct follow *f = calloc(1, sizeof(*f));

	*err = f ? 0 : -ENOMEM;
	if (!f)
		return NULL;
	f->config = *config;
	f->inotify = config->reopen ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	for (size_t i = 0; i < config->count && i < FOLLOW_MOST && !*err; i++)
		*err = open_one(f, config->paths[i]);
	if (!*err)
		return f;
	follow_close(f);
	return NULL;
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		drop(&f->logs[i]);
	fd_close(f->inotify);
	free(f);
}

/* ---- new files ---- */

static void on_event(struct follow *f, const struct inotify_event *event)
{
	for (size_t i = 0; i < f->count; i++) {
		struct followed *log = &f->logs[i];

		if (event->mask & IN_Q_OVERFLOW || (event->wd == log->watch && event->len &&
						    !strcmp(event->name, base_name(log->path))))
			log->look_ns = 1;
	}
}

static void read_events(struct follow *f)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	ssize_t n;

	while (f->inotify >= 0 && (n = read(f->inotify, buffer.bytes, sizeof(buffer.bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event =
				(const struct inotify_event *)(buffer.bytes + at);

			on_event(f, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The file at its path, if it is another than the one that is read. True: from here on it is read. */
static bool renew(struct follow *f, struct followed *log, uint64_t now_ns)
{
	int fd = f->config.reopen(f->config.ctx, (size_t)(log - f->logs));

	log->look_ns = now_ns + LOOK_NS;
	if (fd < 0) {
		/* The server has not made it yet, or nobody may read it yet. */
		if (!log->failed && fd != -ENOENT)
			log_warn("cannot read the new error log %s: %s; trying again", log->path,
				 regular_error(fd));
		log->failed |= fd != -ENOENT;
		log->look_ns = now_ns + RETRY_NS;
		return false;
	}
	log->failed = false;
	if (log->fd >= 0 && same_file(fd, log->fd)) {
		close(fd);
		return false;
	}
	log_debug("%s: a new file, the server has started", log->path);
	if (take(log, fd, false))
		log_error("out of memory: %s is not followed any more", log->path);
	return log->file;
}

/* ---- entries ---- */

/* All entries up to until_ns, within the budget. True: there are no more. */
static bool read_log(struct followed *log, uint64_t until_ns, uint64_t budget, follow_fn *fn,
		     void *ctx)
{
	while (log->file) {
		int n = log->held ? 1 : logfile_next(log->file, &log->entry, &budget);

		if (n < 0) {
			log_error("cannot read the error log %s any more: %s", log->path,
				  strerror(-n));
			drop(log);
		}
		if (n <= 0)
			return budget;
		log->held = log->entry.time_ns > until_ns;
		if (log->held)
			return false;
		fn(ctx, &log->entry);
	}
	return true;
}

static void read_live(struct follow *f, struct followed *log, uint64_t now_ns, follow_fn *fn,
		      void *ctx)
{
	if (!log->look_ns)
		log->look_ns = now_ns + LOOK_NS;
	if (log->file && logfile_is_cut(log->file)) {
		int fd = log->fd;

		log_debug("%s: it was emptied, and is read from its beginning", log->path);
		log->fd = -1;
		take(log, fd, false);
	}
	if (read_log(log, UINT64_MAX, READ_MOST, fn, ctx) && now_ns >= log->look_ns &&
	    renew(f, log, now_ns))
		read_log(log, UINT64_MAX, READ_MOST, fn, ctx);
}

void follow_read(struct follow *f, uint64_t until_ns, uint64_t now_ns, follow_fn *fn, void *ctx)
{
	if (f->config.reopen)
		read_events(f);
	for (size_t i = 0; i < f->count; i++) {
		if (f->config.reopen)
			read_live(f, &f->logs[i], now_ns, fn, ctx);
		else
			read_log(&f->logs[i], until_ns, UINT64_MAX, fn, ctx);
	}
}

void follow_judge(const struct follow *f)
{
	for (size_t i = 0; i < f->count; i++) {
		uint64_t lines;

		if (f->logs[i].file && logfile_is_foreign(f->logs[i].file, &lines))
			log_warn("%s does not look like an error log of SQL Server: of %" PRIu64
				 " lines none begins with a date and time",
				 f->logs[i].path, lines);
	}
}
