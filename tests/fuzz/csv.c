// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * csv.c - the CSV of logins, read back, and the reports of what it held. Input: rows, below the heads
 * that a comparison needs.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "report/csv.h"
#include "report/sections.h"
#include "report/tables.h"

#define HEADS                                                                                      \
	"time,client_addr,server_addr,server_port,outcome,verdict,class,total_ms,app,verdict_"     \
	"text\n"

static const struct wallclock wall;

/* A report is valid UTF-8 without control characters, and has no element that a name brought. */
static void check_report(const struct writer_ops *ops, const struct survey *s)
{
	const struct survey_source source = {0};
	struct strbuf text = {0};
	struct writer w = {.ops = ops, .out = &text, .rows_most = 20};

	sections_write(&w, s, &source, s, "old.csv");
	strbuf_add(&text, "", 1);
	FUZZ_ASSERT(!text.failed);
	fuzz_text(text.data);
	for (size_t i = 0; i + 1 < text.len; i++)
		FUZZ_ASSERT((uint8_t)text.data[i] >= 0x20 || text.data[i] == '\n' ||
			    (text.data[i] == '\t' && ops == &html_writer));
	FUZZ_ASSERT(ops != &html_writer || !strstr(text.data, "<script"));
	strbuf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("csv", MFD_CLOEXEC), err;
	struct survey *s = survey_new(&wall);
	uint64_t row;

	FUZZ_ASSERT(s && fd >= 0);
	FUZZ_ASSERT(write(fd, HEADS, sizeof(HEADS) - 1) == (ssize_t)sizeof(HEADS) - 1);
	FUZZ_ASSERT(write(fd, data, size) == (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	err = csv_read(fd, s, &row);
	close(fd);
	FUZZ_ASSERT(!err || err == -EPROTO);
	FUZZ_ASSERT(row >= 1 && s->logins <= row);
	FUZZ_ASSERT(err || s->logins == row - 1);
	check_report(&html_writer, s);
	check_report(&plain_writer, s);
	survey_free(s);
	return 0;
}
