// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * csv_read.c - reads logins from CSV, see csv.h. Columns are found by their heads, so that files
 * of versions that have more or fewer can be read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/ip_addr.h"
#include "lib/strbuf.h"
#include "lib/units.h"
#include "report/csv.h"
#include "report/csv_columns.h"

#define CSV_CELLS   128
#define CSV_ROW_MAX (1u << 20) /* bytes; a longer row is no row of ours */
#define CSV_BUFFER  65536

/* The columns that a comparison needs. */
enum csv_column {
	COLUMN_TIME,
	COLUMN_CLIENT,
	COLUMN_SERVER,
	COLUMN_PORT,
	COLUMN_OUTCOME,
	COLUMN_VERDICT,
	COLUMN_CLASS,
	COLUMN_TOTAL,
	COLUMN_APP,
	COLUMN_TEXT,
	COLUMNS
};

static const char *const column_heads[COLUMNS] = {
	"time",	   "client_addr", "server_addr", "server_port", "outcome",
	"verdict", "class",	  "total_ms",	 "app",		"verdict_text"};

struct csv_reader {
	int fd, err;
	char buffer[CSV_BUFFER];
	size_t at, len;
	struct strbuf row; /* the cells, each with its NUL */
	size_t cell[CSV_CELLS], cells;
	int column[COLUMNS]; /* the cell of each; -1: the file does not have it */
};

bool csv_is(const char *text, size_t len)
{
	static const char begin[] = "time,id,client_addr,";

	return len >= sizeof(begin) - 1 && !memcmp(text, begin, sizeof(begin) - 1);
}

/* The next byte; -1 at the end, or after an error. */
static int csv_byte(struct csv_reader *r)
{
	ssize_t n = 0;

	if (r->at < r->len)
		return (unsigned char)r->buffer[r->at++];
	do
		n = read(r->fd, r->buffer, sizeof(r->buffer));
	while (n < 0 && errno == EINTR);
	r->err = n < 0 ? -errno : 0;
	r->len = n > 0 ? (size_t)n : 0;
	r->at = 0;
	return n > 0 ? (unsigned char)r->buffer[r->at++] : -1;
}

static void csv_cell_begin(struct csv_reader *r)
{
	if (r->cells < CSV_CELLS)
		r->cell[r->cells] = r->row.len;
	r->cells++;
}

/* A byte within quotation marks. Returns whether they are still open. */
static bool csv_quoted(struct csv_reader *r, int c)
{
	char byte = (char)c;

	if (c == '"') {
		c = csv_byte(r);
		if (c != '"') {
			r->at -= c >= 0;
			return false;
		}
	}
	strbuf_add(&r->row, &byte, 1);
	return true;
}

/* Read a row. 1; 0: the file has ended; -EPROTO: it ends within quotation marks, or is too long. */
static int csv_row(struct csv_reader *r)
{
	bool quoted = false, any = false;
	int c;

	r->row.len = 0;
	r->cells = 0;
	csv_cell_begin(r);
	while ((c = csv_byte(r)) >= 0 && (quoted || c != '\n')) {
		char byte = (char)c;

		any = true;
		if (r->row.len >= CSV_ROW_MAX || r->row.failed)
			return -EPROTO;
		if (quoted) {
			quoted = csv_quoted(r, c);
		} else if (c == '"') {
			quoted = true;
		} else if (c == ',') {
			strbuf_add(&r->row, "", 1);
			csv_cell_begin(r);
		} else if (c != '\r') {
			strbuf_add(&r->row, &byte, 1);
		}
	}
	strbuf_add(&r->row, "", 1);
	if (quoted || r->row.failed)
		return -EPROTO;
	return c >= 0 || any;
}

static const char *csv_cell(const struct csv_reader *r, enum csv_column column)
{
	int at = r->column[column];

	return at < 0 ? "" : r->row.data + r->cell[at];
}

static int csv_heads(struct csv_reader *r)
{
	int found = csv_row(r);

	if (found != 1)
		return found < 0 ? found : -EPROTO;
	for (int i = 0; i < COLUMNS; i++) {
		r->column[i] = -1;
		for (size_t k = 0; k < r->cells && k < CSV_CELLS; k++)
			if (!strcmp(r->row.data + r->cell[k], column_heads[i]))
				r->column[i] = (int)k;
	}
	for (int i = 0; i <= COLUMN_TOTAL; i++)
		if (r->column[i] < 0)
			return -EPROTO;
	return 0;
}

static int csv_addr(const char *text, uint8_t addr[16])
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		ip_map_v4(addr, v4);
		return 0;
	}
	return inet_pton(AF_INET6, text, addr) == 1 ? 0 : -EPROTO;
}

/* "18.555000" in ns; "": NO_NS. */
static uint64_t csv_ns(const char *text)
{
	double ms = strtod(text, NULL);

	return !*text || !(ms >= 0 && ms < 1e12) ? NO_NS : (uint64_t)(ms * 1e6 + 0.5);
}

static int csv_time(const char *text, uint64_t *ns)
{
	struct tm tm = {0};
	time_t s;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return -EPROTO;
	s = timegm(&tm);
	*ns = s > 0 ? (uint64_t)s * NS_PER_S : 0;
	return 0;
}

/* The number of the word in a table of words; -1: it is not there. */
static int csv_word(const char *word, const char *(*name)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(name(i), word))
			return i;
	return -1;
}

static const char *outcome_word(int i)
{
	return outcome_name((enum outcome)i);
}

static const char *verdict_word(int i)
{
	return verdict_name((enum verdict)i) ?: "";
}

static const char *class_word(int i)
{
	return verdict_class_name((enum verdict_class)i);
}

/* The apostrophe that csv_sink puts before a formula is not the name's. */
static const char *csv_unguarded(const char *text)
{
	return text[0] == '\'' && text[1] && strchr("=+-@", text[1]) ? text + 1 : text;
}

static int csv_login_of(const struct csv_reader *r, struct login_record *rec)
{
	int outcome = csv_word(csv_cell(r, COLUMN_OUTCOME), outcome_word, OUTCOME_COUNT);
	int verdict = csv_word(csv_cell(r, COLUMN_VERDICT), verdict_word, VERDICT_COUNT);
	int class = csv_word(csv_cell(r, COLUMN_CLASS), class_word, VERDICT_CLASS_COUNT);
	const char *app = csv_unguarded(csv_cell(r, COLUMN_APP));

	*rec = (struct login_record){.mars = -1, .tls.alert.from = SIDE_NONE};
	for (int i = 0; i < COLUMNS; i++)
		if (r->column[i] >= (int)r->cells)
			return -EPROTO;
	if (outcome < 0 || class < 0 || csv_addr(csv_cell(r, COLUMN_CLIENT), rec->client.addr) ||
	    csv_addr(csv_cell(r, COLUMN_SERVER), rec->server.addr) ||
	    csv_time(csv_cell(r, COLUMN_TIME), &rec->start_ns))
		return -EPROTO;
	rec->server.port = (uint16_t)atoi(csv_cell(r, COLUMN_PORT));
	rec->end_ns = rec->start_ns;
	rec->outcome = (enum outcome)outcome;
	rec->verdict.class = (enum verdict_class) class;
	/* A later version may have verdicts that this one does not know. */
	rec->verdict.id = verdict < 0 ? V_NONE : (enum verdict)verdict;
	rec->verdict.text = csv_cell(r, COLUMN_TEXT);
	rec->tds.app = *app ? app : NULL;
	rec->total_ns = csv_ns(csv_cell(r, COLUMN_TOTAL));
	for (int i = 0; i < PHASE_SESSION; i++)
		rec->phase_ns[i] = NO_NS;
	for (int i = 0; i < SIDE_NONE; i++)
		rec->wait_ns[i] = NO_NS;
	return 0;
}

int csv_read(int fd, struct survey *s, uint64_t *row)
{
	struct csv_reader *r = calloc(1, sizeof(*r));
	struct login_record rec;
	int err;

	if (!r)
		return -ENOMEM;
	r->fd = fd;
	*row = 1;
	err = csv_heads(r);
	while (!err && (err = csv_row(r)) == 1) {
		++*row;
		err = csv_login_of(r, &rec);
		if (!err)
			survey_login(s, &rec);
	}
	err = r->err ? r->err : err;
	strbuf_release(&r->row);
	free(r);
	return err;
}
