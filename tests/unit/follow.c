// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * follow.c - error logs as files: read whole, or followed while they grow, are renamed, replaced and
 * emptied, in every encoding and cut at every byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "source/errorlog/follow.h"
#include "unit.h"

#define S     1000000000ull
#define AT    "2021-01-01 00:01:56.57 Logon       "
#define AT_NS (1609459316ull * S + S * 57 / 100)
#define FLOOD 100000 /* entries: several times what is read at once */

static char folder[64], path[128], other[128];
static int states[64], state_count;
static uint64_t last_ns, now_ns;
static int opened; /* descriptors that reopen() gave */
static bool denied;

static void keep(void *ctx, const struct errorlog_entry *entry)
{
	(void)ctx;
	if (state_count < 64)
		states[state_count++] = entry->state;
	last_ns = entry->time_ns;
}

static int reopen(void *ctx, size_t place)
{
	(void)ctx;
	CHECK_INT(place, 0);
	if (denied)
		return -EACCES;
	opened++;
	return regular_open(path);
}

/* Text into a file, as UTF-16LE where wanted. */
static void put(const char *name, const char *text, bool append, bool wide)
{
	int fd = open(name, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0600);

	CHECK(fd >= 0);
	for (; *text; text++) {
		char bytes[2] = {*text, 0};

		CHECK_INT(write(fd, bytes, wide ? 2 : 1), wide ? 2 : 1);
	}
	close(fd);
}

static const char *example(int state)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 AT "Error: 18456, Severity: 14, State: %d.\n" AT
		    "Login failed for user 'sa'. Reason: No. [CLIENT: 10.0.0.5]\n",
		 state);
	return text;
}

static struct follow *begin(bool live)
{
	const char *paths[] = {path};
	static const char *kept[1];
	struct follow_config config = {.paths = kept, .count = 1, .reopen = live ? reopen : NULL};
	int err;
	struct follow *f;

	kept[0] = paths[0];
	state_count = opened = 0;
	now_ns = 100 * S;
	denied = false;
	f = follow_open(&config, &err);
	CHECK(f);
	CHECK_INT(err, 0);
	return f;
}

/* The states of the entries since the last look, as text. */
static const char *look(struct follow *f)
{
	static char text[256];
	size_t len = 0;

	state_count = 0;
	now_ns += S / 5;
	follow_read(f, UINT64_MAX, now_ns, keep, NULL);
	text[0] = '\0';
	for (int i = 0; i < state_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ", states[i]);
	return text;
}

/* ---- beside captures ---- */

UNIT_CASE(a_file)
{
	struct follow *f;

	put(path, AT "UTC adjustment: 0:00\n", false, false);
	put(path, example(5), true, false);
	put(path, example(8), true, false);
	f = begin(false);
	CHECK_STR(look(f), "5 8 ");
	CHECK_INT(last_ns, AT_NS);
	CHECK_STR(look(f), "");
	follow_close(f);
}

UNIT_CASE(up_to_a_time)
{
	struct follow *f;

	put(path, AT "UTC adjustment: 0:00\n", false, false);
	put(path, example(5), true, false);
	f = begin(false);
	follow_read(f, AT_NS - 1, 0, keep, NULL);
	CHECK_INT(state_count, 0);
	follow_read(f, AT_NS, 0, keep, NULL);
	CHECK_INT(state_count, 1);
	follow_read(f, UINT64_MAX, 0, keep, NULL);
	CHECK_INT(state_count, 1);
	follow_close(f);
}

/* The log's zone counts; a log without one is of this host's. */
UNIT_CASE(zones)
{
	static const struct {
		const char *host, *adjustment;
		int64_t offset_s;
	} cases[] = {
		{"UTC", "0:00", 0},
		{"UTC", "-5:00", -18000},
		{"Europe/Berlin", "5:30", 19800},
		{"Europe/Berlin", NULL, 3600},
		{"America/St_Johns", NULL, -12600},
	};
	char line[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct follow *f;

		setenv("TZ", cases[i].host, 1);
		snprintf(line, sizeof(line), AT "UTC adjustment: %s\n", cases[i].adjustment);
		put(path, cases[i].adjustment ? line : "", false, false);
		put(path, example(5), true, false);
		f = begin(false);
		CHECK_STR(look(f), "5 ");
		CHECK_INT((int64_t)last_ns, (int64_t)AT_NS - cases[i].offset_s * (int64_t)S);
		follow_close(f);
	}
	setenv("TZ", "UTC", 1);
}

UNIT_CASE(what_can_not_be_opened)
{
	static const char *const paths[] = {"/nonexistent/errorlog", "/tmp", "/dev/null"};
	static const int errors[] = {-ENOENT, -EISDIR, -ENOTSUP};

	for (int i = 0; i < 3; i++) {
		struct follow_config config = {.paths = &paths[i], .count = 1};
		int err = 0;

		CHECK(!follow_open(&config, &err));
		CHECK_INT(err, errors[i]);
	}
}

/* ---- followed ---- */

/* Entries from before are not reported; a line that has begun already is left out. */
UNIT_CASE(from_the_end_on)
{
	for (int wide = 0; wide < 2; wide++) {
		struct follow *f;

		put(path, example(1), false, wide);
		f = begin(true);
		CHECK_STR(look(f), "");
		put(path, example(2), true, wide);
		CHECK_STR(look(f), "2 ");
		CHECK_STR(look(f), "");
		follow_close(f);

		put(path, AT "a part of a li", false, wide);
		f = begin(true);
		put(path, "ne\n", true, wide);
		put(path, example(3), true, wide);
		CHECK_STR(look(f), "3 ");
		follow_close(f);
	}
}

UNIT_CASE(from_nothing_on)
{
	struct follow *f;

	put(path, "", false, false);
	f = begin(true);
	CHECK_STR(look(f), "");
	put(path, "\xff", true, false);
	CHECK_STR(look(f), "");
	put(path, "\xfe", true, false);
	put(path, example(2), true, true);
	CHECK_STR(look(f), "2 ");
	follow_close(f);
}

/* It comes byte by byte. */
UNIT_CASE(piece_by_piece)
{
	for (int wide = 0; wide < 2; wide++) {
		char text[512], piece[2] = "";
		struct follow *f;
		int count = 0;

		put(path, example(1), false, wide);
		f = begin(true);
		snprintf(text, sizeof(text), "%.400s", example(2));
		for (const char *s = text; *s; s++) {
			piece[0] = *s;
			put(path, piece, true, wide);
			look(f);
			count += state_count;
		}
		CHECK_INT(count, 1);
		follow_close(f);
	}
}

/* The server starts: errorlog becomes errorlog.1, and a new one begins. */
UNIT_CASE(a_new_file)
{
	struct follow *f;

	put(path, example(1), false, true);
	f = begin(true);
	put(path, example(2), true, true);
	CHECK(!rename(path, other));
	put(other, example(3), true, true); /* its last lines */
	put(path, AT "UTC adjustment: -5:00\n", false, false);
	put(path, example(4), true, false);
	CHECK_STR(look(f), "2 3 4 ");
	CHECK_INT(last_ns, AT_NS + 18000 * S);
	put(path, example(5), true, false);
	CHECK_STR(look(f), "5 ");
	CHECK_INT(opened, 1);
	/* Once more, as a file that was ready under another name. */
	put(other, example(6), false, false);
	CHECK(!rename(other, path));
	CHECK_STR(look(f), "6 ");
	CHECK_INT(opened, 2);
	follow_close(f);
}

/* Other files in the same directory are nobody's business. */
UNIT_CASE(other_files)
{
	struct follow *f;

	put(path, example(1), false, false);
	f = begin(true);
	put(other, example(2), false, false);
	CHECK_STR(look(f), "");
	CHECK_INT(opened, 0);
	follow_close(f);
}

/* For a while nobody may read the new one, or it is not there yet. */
UNIT_CASE(a_new_file_that_comes_late)
{
	struct follow *f;

	put(path, example(1), false, false);
	f = begin(true);
	CHECK(!rename(path, other));
	put(path, example(2), false, false);
	denied = true;
	CHECK_STR(look(f), "");
	put(other, example(3), true, false); /* the old one is still read */
	CHECK_STR(look(f), "3 ");
	denied = false;
	now_ns += 2 * S;
	CHECK_STR(look(f), "2 ");
	follow_close(f);
}

/* Where no event tells, as of a file behind a link, it is found all the same. */
UNIT_CASE(a_link)
{
	char link[160];
	struct follow *f;

	snprintf(link, sizeof(link), "%s/elsewhere", folder);
	CHECK(!mkdir(link, 0700));
	strcat(link, "/log");
	put(link, example(1), false, false);
	unlink(path);
	CHECK(!symlink(link, path));
	f = begin(true);
	CHECK_STR(look(f), "");
	CHECK(!unlink(link));
	put(link, example(2), false, false);
	CHECK_STR(look(f), "");
	now_ns += 6 * S;
	CHECK_STR(look(f), "2 ");
	follow_close(f);
	unlink(link);
	unlink(path);
	*strrchr(link, '/') = '\0';
	rmdir(link);
}

UNIT_CASE(an_emptied_file)
{
	struct follow *f;

	put(path, example(1), false, true);
	f = begin(true);
	put(path, example(2), false, false);
	CHECK(!truncate(path, 100));
	put(path, "\n", true, false);
	put(path, example(3), true, false);
	look(f);
	put(path, example(4), true, false);
	CHECK_STR(look(f), "4 ");
	follow_close(f);
}

static void count(void *ctx, const struct errorlog_entry *entry)
{
	(void)entry;
	++*(int *)ctx;
}

/* A flood of lines is taken in parts, so that packets are not kept waiting. */
UNIT_CASE(a_flood)
{
	int rounds = 0, entries = 0, before;
	struct follow *f;
	FILE *file;

	put(path, "", false, false);
	f = begin(true);
	file = fopen(path, "a");
	CHECK(file);
	for (int i = 0; file && i < FLOOD; i++)
		fputs(example(7), file);
	if (file)
		fclose(file);
	do {
		before = entries;
		follow_read(f, UINT64_MAX, now_ns += S / 5, count, &entries);
		rounds++;
	} while (entries > before);
	CHECK_INT(entries, FLOOD);
	CHECK(rounds > 3);
	follow_close(f);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	log_set_level(LOG_LEVEL_ERROR);
	strcpy(folder, "/tmp/tdsmon-follow-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/errorlog", folder);
	snprintf(other, sizeof(other), "%s/errorlog.1", folder);
	RUN(a_file);
	RUN(up_to_a_time);
	RUN(zones);
	RUN(what_can_not_be_opened);
	RUN(from_the_end_on);
	RUN(from_nothing_on);
	RUN(piece_by_piece);
	RUN(a_new_file);
	RUN(other_files);
	RUN(a_new_file_that_comes_late);
	RUN(a_link);
	RUN(an_emptied_file);
	RUN(a_flood);
	unlink(path);
	unlink(other);
	rmdir(folder);
	return unit_status();
}
