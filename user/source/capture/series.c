// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * series.c - see series.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "source/capture/netmon.h"
#include "source/capture/series.h"

#define NO_FOLDER SIZE_MAX

struct member {
	const char *name;
	char *path;    /* owns the name, if it was built here */
	size_t folder; /* the folder that contains it; NO_FOLDER: it was named */
	int fd;
	bool is_file; /* not a pipe */
	dev_t dev;
	ino_t ino;
	uint64_t first_ns; /* of its first packet */
	struct capture *capture;
	/* An open capture's next packet, while it is not the current one. */
	struct seg seg;
	const uint8_t *payload;
};

/* A directory that was named. */
struct folder {
	const char *name;
	size_t captures;
};

struct series {
	const struct capture_hooks *hooks;
	struct member *members; /* ordered by their first packets, if `ordered` */
	size_t count, room;
	struct folder *folders;
	size_t folder_count;
	size_t left_out; /* files in them that are not captures */
	bool ordered;	 /* the order is known */
	bool has_pipes;
	bool resumed; /* the result of series_resumed() */
	bool crowded; /* too many overlap to be merged */
	size_t next;  /* the first one that was not opened yet */
	struct member *open[SERIES_OPEN];
	size_t open_count;
	struct member *current;	  /* the one in open[] that is being read */
	uint64_t until_ns;	  /* as long as its packets are no later than this */
	struct capture_stats sum; /* sum of the closed ones */
	int err;
};

static struct member *member_add(struct series *s)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 8;
		struct member *grown = realloc(s->members, room * sizeof(*grown));

		if (!grown)
			return NULL;
		s->members = grown;
		s->room = room;
	}
	s->members[s->count] = (struct member){.fd = -1, .folder = NO_FOLDER};
	return &s->members[s->count++];
}

static void member_release(struct member *m)
{
	capture_close(m->capture);
	capture_close_path(m->fd);
	free(m->path);
}

static const struct member *member_same(const struct series *s, const struct member *m)
{
	for (size_t i = 0; i + 1 < s->count; i++)
		if (s->members[i].is_file && s->members[i].dev == m->dev &&
		    s->members[i].ino == m->ino)
			return &s->members[i];
	return NULL;
}

/* Examine the member that was added last. False: it cannot be opened, or is there already. */
static bool member_examine(struct series *s, struct member *m, const struct stat *st)
{
	const struct member *same;
	int fd;

	m->is_file = S_ISREG(st->st_mode);
	m->dev = st->st_dev;
	m->ino = st->st_ino;
	if (!m->is_file) {
		s->has_pipes = true;
		return true;
	}
	same = member_same(s, m);
	if (same) {
		log_warn("%s and %s are the same file, which is read once", same->name, m->name);
		return false;
	}
	if (!netmon_is(m->fd))
		return true;
	fd = netmon_convert(m->fd, m->name);
	if (fd < 0) {
		s->err = fd;
		return false;
	}
	capture_close_path(m->fd);
	m->fd = fd;
	return true;
}

static void member_drop_last(struct series *s)
{
	member_release(&s->members[--s->count]);
}

/* Add a file of a directory, which may be anything. 0 or -ENOMEM. */
static int folder_file(struct series *s, size_t folder, int dir, const char *name)
{
	struct member *m;
	struct stat st;

	/* Skip what is not a regular file: it may never end, or not even open. */
	if (name[0] == '.' || fstatat(dir, name, &st, 0) || !S_ISREG(st.st_mode))
		return 0;
	m = member_add(s);
	if (!m || asprintf(&m->path, "%s/%s", s->folders[folder].name, name) < 0) {
		if (m)
			m->path = NULL;
		return -ENOMEM;
	}
	m->name = m->path;
	m->folder = folder;
	m->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (m->fd < 0) {
		s->err = -errno;
		log_error("cannot read %s: %s", m->name, strerror(errno));
		member_drop_last(s);
	} else if (fstat(m->fd, &st) || !member_examine(s, m, &st)) {
		member_drop_last(s);
	}
	return 0;
}

/* Each file of a directory stays open from now on, so raise the limit. */
static void files_allow(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Add the captures in a directory, without its subdirectories. Closes fd. */
static int folder_add(struct series *s, const char *name, int fd)
{
	struct folder *grown = realloc(s->folders, (s->folder_count + 1) * sizeof(*grown));
	DIR *dir = grown ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int err = 0;

	if (grown)
		s->folders = grown;
	if (!dir) {
		fd_close(fd);
		return -ENOMEM;
	}
	s->folders[s->folder_count++] = (struct folder){.name = name};
	files_allow();
	while (!err && (entry = readdir(dir)))
		err = folder_file(s, s->folder_count - 1, dirfd(dir), entry->d_name);
	closedir(dir);
	return err;
}

/* Add a path. 0 or -ENOMEM. */
static int path_add(struct series *s, const char *path)
{
	const char *name;
	struct member *m;
	struct stat st;
	int fd = capture_open_path(path, &name);

	if (fd < 0 || fstat(fd, &st)) {
		s->err = fd < 0 ? fd : -errno;
		capture_close_path(fd);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return folder_add(s, name, fd);
	m = member_add(s);
	if (!m) {
		capture_close_path(fd);
		return -ENOMEM;
	}
	m->name = name;
	m->fd = fd;
	if (!member_examine(s, m, &st))
		member_drop_last(s);
	return 0;
}

struct series *series_open(const char *const *paths, size_t count,
			   const struct capture_hooks *hooks)
{
	struct series *s = calloc(1, sizeof(*s));
	int err = s ? 0 : -ENOMEM;

	if (s)
		s->hooks = hooks;
	for (size_t i = 0; i < count && !err; i++)
		err = path_add(s, paths[i]);
	if (!err)
		return s;
	log_error("cannot read captures: %s", strerror(-err));
	series_close(s);
	return NULL;
}

void series_close(struct series *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		member_release(&s->members[i]);
	free(s->members);
	free(s->folders);
	free(s);
}

bool series_is_live(const struct series *s)
{
	return s->has_pipes;
}

int series_err(const struct series *s)
{
	return s->err;
}

/* Read it if it was named or is a capture; other files in a directory are skipped. */
static bool member_wanted(struct series *s, const struct member *m)
{
	if (m->folder == NO_FOLDER)
		return true;
	if (!capture_is(m->fd)) {
		log_debug("%s skipped: not a capture of a known format", m->name);
		s->left_out++;
		return false;
	}
	lseek(m->fd, 0, SEEK_SET);
	s->folders[m->folder].captures++;
	return true;
}

/* Find the time of its first packet. False: it cannot be read, which is logged. */
static bool member_date(struct series *s, struct member *m)
{
	int err;
	struct capture *c = capture_open(m->fd, m->name, NULL, &err);

	if (c)
		capture_first(c, &m->first_ns);
	else
		s->err = err;
	capture_close(c);
	lseek(m->fd, 0, SEEK_SET);
	return c;
}

static int member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void folders_check(struct series *s)
{
	for (size_t i = 0; i < s->folder_count; i++) {
		if (s->folders[i].captures)
			continue;
		log_error(
			"%s contains no capture; tdsmon reads pcap and pcapng, also compressed by "
			"gzip or zstd",
			s->folders[i].name);
		s->err = -ENOENT;
	}
	if (s->left_out)
		log_info("%zu files skipped: they are not captures; -v names them", s->left_out);
}

static void series_order(struct series *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct member *m = &s->members[i];
		bool look = s->count > 1 && !s->has_pipes;

		if (!member_wanted(s, m) || (look && !member_date(s, m))) {
			member_release(m);
			continue;
		}
		s->members[kept++] = *m;
	}
	s->count = kept;
	folders_check(s);
	if (!s->has_pipes)
		qsort(s->members, s->count, sizeof(*s->members), member_compare);
	s->ordered = true;
}

static void stats_add(struct capture_stats *sum, const struct capture_stats *stats)
{
	sum->packets += stats->packets;
	sum->segments += stats->segments;
	sum->other += stats->other;
	sum->malformed += stats->malformed;
	sum->fragments += stats->fragments;
	sum->nested += stats->nested;
	sum->truncated += stats->truncated;
	if (stats->ended_ns > sum->ended_ns)
		sum->ended_ns = stats->ended_ns;
}

/* An open capture has ended. */
static void member_finish(struct series *s, struct member *m, int err)
{
	if (err && err != -EINTR)
		s->err = err;
	stats_add(&s->sum, capture_stats(m->capture));
	capture_close(m->capture);
	m->capture = NULL;
	capture_close_path(m->fd);
	m->fd = -1;
	for (size_t i = 0; i < s->open_count; i++)
		if (s->open[i] == m)
			s->open[i] = s->open[--s->open_count];
}

/* Open the next one, and read its first packet. 0, or -EINTR. */
static int series_open_next(struct series *s)
{
	struct member *m = &s->members[s->next++];
	int err;

	m->capture = capture_open(m->fd, m->name, s->hooks, &err);
	if (m->capture) {
		s->open[s->open_count++] = m;
		err = capture_next(m->capture, &m->seg, &m->payload);
		if (err == 1)
			return 0;
		member_finish(s, m, err);
	} else if (err != -EINTR) {
		s->err = err;
	}
	return err == -EINTR ? err : 0;
}

/* The open capture with the earliest packet. *second_ns: the earliest packet of the others. */
static struct member *series_earliest(const struct series *s, uint64_t *second_ns)
{
	struct member *first = NULL;

	*second_ns = UINT64_MAX;
	for (size_t i = 0; i < s->open_count; i++) {
		struct member *m = s->open[i];

		if (!first || m->seg.ts_ns < first->seg.ts_ns) {
			if (first)
				*second_ns = first->seg.ts_ns;
			first = m;
		} else if (m->seg.ts_ns < *second_ns) {
			*second_ns = m->seg.ts_ns;
		}
	}
	return first;
}

/* Does the next unopened capture begin before the earliest packet of the open ones? */
static bool series_next_is_due(struct series *s, const struct member *first)
{
	const struct member *next = &s->members[s->next];

	if (s->next == s->count)
		return false;
	if (!first)
		return true;
	if (s->has_pipes || first->seg.ts_ns <= next->first_ns)
		return false;
	if (s->open_count < SERIES_OPEN)
		return true;
	if (!s->crowded)
		log_warn(
			"more than %d captures overlap in time: %s is read when another has ended, "
			"so its packets come late; mergecap -w OUT FILES merges any number",
			SERIES_OPEN, next->name);
	s->crowded = true;
	return false;
}

/* Select s->current, whose next packet is read. 1; 0: all have ended; or -EINTR. */
static int series_turn(struct series *s)
{
	bool begun = s->next;
	uint64_t second_ns;
	struct member *first;

	s->resumed = false;
	while (series_next_is_due(s, first = series_earliest(s, &second_ns))) {
		int err = series_open_next(s);

		s->resumed = begun && !first;

		if (err)
			return err;
	}
	s->current = first;
	s->until_ns = second_ns;
	if (!s->has_pipes && s->next < s->count && s->open_count < SERIES_OPEN &&
	    s->members[s->next].first_ns < second_ns)
		s->until_ns = s->members[s->next].first_ns;
	return first != NULL;
}

int series_next(struct series *s, struct seg *seg, const uint8_t **payload)
{
	struct member *m = s->current;
	int got;

	s->resumed = false;
	if (m) {
		got = capture_next(m->capture, seg, payload);
		if (got == -EINTR || (got == 1 && seg->ts_ns <= s->until_ns))
			return got;
		s->current = NULL;
		m->seg = *seg;
		m->payload = *payload;
		if (got != 1)
			member_finish(s, m, got);
	}
	if (!s->ordered)
		series_order(s);
	got = series_turn(s);
	if (got == 1) {
		*seg = s->current->seg;
		*payload = s->current->payload;
	}
	return got;
}

bool series_resumed(const struct series *s)
{
	return s->resumed;
}

const struct capture_stats *series_current(const struct series *s, const char **name)
{
	if (!s->current)
		return NULL;
	*name = s->current->name;
	return capture_stats(s->current->capture);
}

void series_stats(const struct series *s, struct capture_stats *sum)
{
	*sum = s->sum;
	for (size_t i = 0; i < s->open_count; i++)
		stats_add(sum, capture_stats(s->open[i]->capture));
}
