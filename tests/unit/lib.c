// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lib.c - the small tools: times and durations as text, UTF-8, JSON, and output that keeps errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/decimal.h"
#include "lib/json_writer.h"
#include "lib/output.h"
#include "lib/siphash.h"
#include "unit.h"
#include "lib/utf8.h"

#define CHECK_TEXT(call, want)                                                                     \
	do {                                                                                       \
		char *made = call;                                                                 \
		CHECK_STR(made, want);                                                             \
		free(made);                                                                        \
	} while (0)

UNIT_CASE(decimal_numbers)
{
	static const uint64_t around[] = {0,
					  10,
					  100,
					  1000,
					  65535,
					  10000000000,
					  UINT64_MAX / 10,
					  10000000000000000000ull,
					  UINT64_MAX};

	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		for (int step = -1; step <= 1; step++) {
			uint64_t n = around[i] + (uint64_t)step;
			char got[DECIMAL_MAX + 1], want[DECIMAL_MAX + 1];

			*decimal_put(got, n) = 0;
			snprintf(want, sizeof(want), "%llu", (unsigned long long)n);
			CHECK_STR(got, want);
		}
}

/* The paper's key, and messages of bytes that count up from 0: its appendix A, and OpenSSL's. */
UNIT_CASE(siphash_is_siphash)
{
	static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint64_t words[6] = {0x0706050403020100};

	CHECK(siphash(key, words, 0) == 0x726fdb47dd0e0e31);
	CHECK(siphash(key, words, 1) == 0x93f5f5799a932462);
	for (int i = 1; i < 6; i++)
		words[i] = words[i - 1] + 0x0808080808080808;
	CHECK(siphash(key, words, 2) == 0x3f2acc7f57c29bdb);
	CHECK(siphash(key, words, 6) == 0xe612a3cb9ecba951);
}

UNIT_CASE(durations_have_three_digits)
{
	char t[CLOCK_TEXT];

	CHECK_STR(clock_duration(0, t), "0ns");
	CHECK_STR(clock_duration(999, t), "999ns");
	CHECK_STR(clock_duration(1000, t), "1.00µs");
	CHECK_STR(clock_duration(30000, t), "30.0µs");
	CHECK_STR(clock_duration(976000, t), "976µs");
	CHECK_STR(clock_duration(999499, t), "999µs");
	CHECK_STR(clock_duration(999500, t), "1.00ms");
	CHECK_STR(clock_duration(8590000, t), "8.59ms");
	CHECK_STR(clock_duration(9996000, t), "10.0ms");
	CHECK_STR(clock_duration(110068000, t), "110ms");
	CHECK_STR(clock_duration(15000000000, t), "15.0s");
	CHECK_STR(clock_duration(4000000000000, t), "4000s");
}

UNIT_CASE(times_are_rfc3339_with_nine_decimals)
{
	char t[CLOCK_TEXT];
	struct wallclock clock = {.offset_ns = -1};

	CHECK_STR(clock_rfc3339(1609459316577669800, t), "2021-01-01T00:01:56.577669800Z");
	CHECK_STR(clock_rfc3339(0, t), "1970-01-01T00:00:00.000000000Z");
	CHECK_STR(clock_rfc3339(UINT64_MAX, t), "2554-07-21T23:34:33.709551615Z");
	CHECK_INT(wallclock_ns(&clock, 5), 4);
}

UNIT_CASE(valid_utf8_is_kept)
{
	CHECK_TEXT(utf8_printable(""), "");
	CHECK_TEXT(utf8_printable("aµ€\U0001f600"), "aµ€\U0001f600");
}

UNIT_CASE(invalid_utf8_is_replaced)
{
	CHECK_TEXT(utf8_printable("a\xff"), "a\ufffd");
	CHECK_TEXT(utf8_printable("\xc2"), "\ufffd");			  /* truncated by the end */
	CHECK_TEXT(utf8_printable("\xe2\x82"), "\ufffd\ufffd");		  /* the same */
	CHECK_TEXT(utf8_printable("\xc0\x80"), "\ufffd\ufffd");		  /* overlong NUL */
	CHECK_TEXT(utf8_printable("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"); /* a surrogate */
	CHECK_TEXT(utf8_printable("\xf4\x90\x80\x80"),
		   "\ufffd\ufffd\ufffd\ufffd"); /* beyond Unicode */
}

UNIT_CASE(what_controls_a_terminal_is_spelled_out)
{
	CHECK_TEXT(utf8_printable("\033[31m"), "\\x1b[31m");
	CHECK_TEXT(utf8_printable("a\nb\tc\177"), "a\\x0ab\\x09c\\x7f");
	CHECK_TEXT(utf8_printable("\xc2\x9b"), "\\x9b");       /* CSI as one character */
	CHECK_TEXT(utf8_printable("\xe2\x80\xae"), "\\u202e"); /* right-to-left override */
}

/* A JSON writer, and what it has written when it is asked. */
struct json_test {
	struct output out;
	struct json_writer w;
	char text[4096];
};

static const char *json_written(struct json_test *t)
{
	memcpy(t->text, t->out.buf, t->out.used);
	t->text[t->out.used] = '\0';
	return t->text;
}

static const char *json_string_of(const char *text)
{
	static struct json_test t;

	output_init(&t.out, -1);
	t.w = (struct json_writer){.out = &t.out};
	json_writer_text(&t.w, NULL, text);
	return json_written(&t);
}

UNIT_CASE(json_separates_what_stands_side_by_side)
{
	static struct json_test t;
	struct json_writer *w = &t.w;

	output_init(&t.out, -1);
	w->out = &t.out;
	json_writer_object(w, NULL);
	json_writer_object(w, "empty");
	json_writer_object_end(w);
	json_writer_array(w, "list");
	json_writer_array(w, NULL);
	json_writer_array_end(w);
	json_writer_text(w, NULL, "a");
	json_writer_null(w, NULL);
	json_writer_object(w, NULL);
	json_writer_bool(w, "yes", true);
	json_writer_bool(w, "no", false);
	json_writer_object_end(w);
	json_writer_array_end(w);
	json_writer_text(w, "none", NULL);
	json_writer_object_end(w);
	CHECK_STR(json_written(&t), "{\"empty\":{},\"list\":[[],\"a\",null,{\"yes\":true,"
				    "\"no\":false}],\"none\":null}");
}

UNIT_CASE(json_numbers_are_whole)
{
	static struct json_test t;
	struct json_writer *w = &t.w;

	output_init(&t.out, -1);
	w->out = &t.out;
	json_writer_array(w, NULL);
	json_writer_uint(w, NULL, 0);
	json_writer_uint(w, NULL, UINT64_MAX);
	json_writer_int(w, NULL, 0);
	json_writer_int(w, NULL, -1);
	json_writer_int(w, NULL, INT64_MAX);
	json_writer_int(w, NULL, INT64_MIN);
	json_writer_array_end(w);
	CHECK_STR(json_written(&t), "[0,18446744073709551615,0,-1,9223372036854775807,"
				    "-9223372036854775808]");
}

UNIT_CASE(json_text_is_escaped_where_it_must_be)
{
	CHECK_STR(json_string_of(""), "\"\"");
	CHECK_STR(json_string_of("a/b ~"), "\"a/b ~\"");
	CHECK_STR(json_string_of("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	CHECK_STR(json_string_of("\1\37\33[0m"), "\"\\u0001\\u001F\\u001B[0m\"");
	CHECK_STR(json_string_of("\177"), "\"\\u007F\"");
	/* C1 controls, which a terminal obeys like ESC; and the characters after them */
	CHECK_STR(json_string_of("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"),
		  "\"\\u0080\\u009B\\u009F\xc2\xa0\"");
}

UNIT_CASE(json_text_is_valid_utf8)
{
	CHECK_STR(json_string_of("aµ€\U0001f600z"), "\"aµ€\U0001f600z\"");
	CHECK_STR(json_string_of("a\xff"
				 "b"),
		  "\"a\ufffd"
		  "b\"");
	CHECK_STR(json_string_of("\xc2"), "\"\ufffd\"");	   /* truncated by the end */
	CHECK_STR(json_string_of("\xc2\n"), "\"\ufffd\\n\"");	   /* or by another character */
	CHECK_STR(json_string_of("\xc0\xaf"), "\"\ufffd\ufffd\""); /* overlong */
	CHECK_STR(json_string_of("\xed\xa0\x80"), "\"\ufffd\ufffd\ufffd\""); /* a surrogate */
	CHECK_STR(json_string_of("\xf4\x90\x80\x80"), "\"\ufffd\ufffd\ufffd\ufffd\"");
}

/* Each byte by itself is written as JSON of printable ASCII, or as U+FFFD. */
UNIT_CASE(json_text_has_no_byte_to_fear)
{
	for (int c = 1; c < 256; c++) {
		char text[2] = {(char)c};
		const char *made = json_string_of(text);

		if (c >= 0x80)
			CHECK_STR(made, "\"\ufffd\"");
		for (const char *s = made; c < 0x80 && *s; s++)
			CHECK(*s >= 0x20 && *s < 0x7f);
	}
}

UNIT_CASE(output_larger_than_its_buffer_is_complete)
{
	static struct output out;
	static char data[3 * OUTPUT_BUFFER], back[sizeof(data) + 1];
	FILE *f = tmpfile();

	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = 'z';
	output_init(&out, dup(fileno(f)));
	output_printf(&out, "%d", 7);
	output_write(&out, data, sizeof(data));
	CHECK_INT(output_close(&out), 0);
	CHECK_INT(pread(fileno(f), back, sizeof(back), 0), sizeof(back));
	CHECK(back[0] == '7' && !memcmp(back + 1, data, sizeof(data)));
	fclose(f);
}

UNIT_CASE(output_keeps_its_first_error)
{
	static struct output out;

	output_init(&out, open("/dev/full", O_WRONLY));
	output_printf(&out, "x");
	CHECK_INT(out.err, 0);
	CHECK_INT(output_flush(&out), -ENOSPC);
	output_printf(&out, "y");
	CHECK_INT(output_close(&out), -ENOSPC);
}

static void bounded(struct output *out, int fd, bool may_open_again)
{
	if (!may_open_again && !geteuid())
		CHECK_INT(seteuid(65534), 0); /* this user may not open what root made */
	output_init(out, fd);
	CHECK_INT(output_bound(out, 4096), 0);
	if (getuid() != geteuid())
		CHECK_INT(seteuid(0), 0);
}

/*
 * Write records of three lines, 24 bytes, to a reader that stops; back: what it reads when it goes
 * on.
 */
static size_t records_to_a_stopped_reader(struct output *out, int reader, char *back, size_t size)
{
	size_t len = 0;
	ssize_t n;

	for (int i = 0; i < 10000; i++) {
		output_printf(out, "record %4d\n", i);
		output_printf(out, "its second\n\n");
		output_record_end(out);
		if (i % 10 == 0)
			CHECK_INT(output_flush(out), 0);
	}
	CHECK(output_waits(out));
	fcntl(reader, F_SETFL, O_NONBLOCK);
	while ((n = read(reader, back + len, size - len)) > 0 || output_waits(out)) {
		len += n > 0 ? (size_t)n : 0;
		CHECK_INT(output_flush(out), 0);
	}
	return len;
}

static void stopped_reader(int reader, int writer, bool may_open_again)
{
	static struct output out;
	static char back[1 << 20];
	size_t len, records;

	bounded(&out, writer, may_open_again);
	len = records_to_a_stopped_reader(&out, reader, back, sizeof(back));
	records = len / 24;
	CHECK_INT(len % 24, 0);
	CHECK(records >= 4096 / 24 && records < 10000);
	CHECK_INT(records * 3 + output_lost(&out), 30000);
	for (size_t i = 0; i < records; i++)
		CHECK(!memcmp(back + 24 * i, "record ", 7) &&
		      !memcmp(back + 24 * i + 12, "its second\n\n", 12));
	CHECK_INT(fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
	CHECK_INT(output_close(&out), 0);
	close(reader);
}

UNIT_CASE(a_stopped_reader_loses_whole_records)
{
	int fds[2];

	for (int again = 0; again < 2; again++) {
		CHECK_INT(pipe(fds), 0);
		stopped_reader(fds[0], fds[1], again);
	}
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	stopped_reader(fds[0], fds[1], true);
}

UNIT_CASE(a_record_longer_than_the_buffer_is_lost_to_a_queue)
{
	static struct output out;
	static char data[OUTPUT_BUFFER];
	char back[16] = "";
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	bounded(&out, fds[1], true);
	output_printf(&out, "long ");
	output_write(&out, data, sizeof(data));
	output_printf(&out, "\n");
	output_record_end(&out);
	output_printf(&out, "short\n");
	output_record_end(&out);
	CHECK_INT(output_close(&out), 0);
	CHECK_INT(read(fds[0], back, sizeof(back)), 6);
	CHECK_STR(back, "short\n");
	close(fds[0]);
}

UNIT_CASE(the_end_waits_half_a_second_for_a_stopped_reader)
{
	static struct output out;
	uint64_t begin_ns;
	int fds[2];

	CHECK_INT(pipe(fds), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	bounded(&out, fds[1], true);
	for (int i = 0; i < 4096 + 100; i++) {
		output_write(&out, i % 2 ? "\n" : "x", 1);
		CHECK_INT(i % 64 == 63 ? output_flush(&out) : 0, 0);
	}
	begin_ns = clock_now_ns();
	CHECK_INT(output_finish(&out), -ETIMEDOUT);
	CHECK(clock_now_ns() - begin_ns >= 500000000 && clock_now_ns() - begin_ns < 2000000000);
	CHECK_INT(output_lost(&out), 50);
	CHECK_INT(output_close(&out), -ETIMEDOUT);
	close(fds[0]);
}

UNIT_CASE(files_are_not_bounded)
{
	static struct output out;
	FILE *f = tmpfile();

	bounded(&out, dup(fileno(f)), true);
	CHECK_INT(output_queue_fd(&out), -1);
	CHECK_INT(output_close(&out), 0);
	fclose(f);
}

int main(void)
{
	RUN(decimal_numbers);
	RUN(siphash_is_siphash);
	RUN(durations_have_three_digits);
	RUN(times_are_rfc3339_with_nine_decimals);
	RUN(valid_utf8_is_kept);
	RUN(invalid_utf8_is_replaced);
	RUN(what_controls_a_terminal_is_spelled_out);
	RUN(json_separates_what_stands_side_by_side);
	RUN(json_numbers_are_whole);
	RUN(json_text_is_escaped_where_it_must_be);
	RUN(json_text_is_valid_utf8);
	RUN(json_text_has_no_byte_to_fear);
	RUN(output_larger_than_its_buffer_is_complete);
	RUN(output_keeps_its_first_error);
	RUN(a_stopped_reader_loses_whole_records);
	RUN(a_record_longer_than_the_buffer_is_lost_to_a_queue);
	RUN(the_end_waits_half_a_second_for_a_stopped_reader);
	RUN(files_are_not_bounded);
	return unit_status();
}
