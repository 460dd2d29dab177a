// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * errorlog.c - SQL Server's error log: bytes into lines, lines into entries.
 */
#include <stdlib.h>

#include "source/errorlog/lines.h"
#include "source/errorlog/parse.h"
#include "unit.h"

/* ---- lines ---- */

static char got[16384];
static int got_lines;

static void keep(void *ctx, const char *text)
{
	(void)ctx;
	got_lines++;
	strncat(got, text, sizeof(got) - strlen(got) - 2);
	strcat(got, "|");
}

/* All of it, in pieces of so many bytes. */
static void feed(enum lines_encoding encoding, const void *data, size_t len, size_t piece)
{
	static struct lines l;
	const uint8_t *bytes = data;

	got[0] = '\0';
	got_lines = 0;
	lines_init(&l, encoding);
	for (size_t at = 0; at < len; at += piece)
		lines_feed(&l, bytes + at, len - at < piece ? len - at : piece, keep, NULL);
}

static void check_lines(const void *data, size_t len, const char *want)
{
	for (size_t piece = 1; piece <= 5; piece++) {
		feed(LINES_UNKNOWN, data, len, piece);
		CHECK_STR(got, want);
	}
}

#define LINES(bytes, want) check_lines(bytes, sizeof(bytes) - 1, want)

UNIT_CASE(utf8_lines)
{
	LINES("one\r\ntwo\n\n", "one|two||");
	LINES("\xef\xbb\xbfone\n", "one|");
	LINES("no end", "");
	LINES("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\n",
	      "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z|");
	/* A NUL, bytes that are no character, and characters that were cut. */
	LINES("ab\0c\n", "ab\xef\xbf\xbd"
			 "c|");
	LINES("ab\xff\n", "ab\xef\xbf\xbd|");
	LINES("ab\xe2\x82\nx\n", "ab\xef\xbf\xbd\xef\xbf\xbd|x|");
	LINES("ab\xed\xa0\x80\n", "ab\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|");
}

UNIT_CASE(utf16_lines)
{
	LINES("\xff\xfeo\0n\0\r\0\n\0t\0\n\0", "on|t|");
	LINES("o\0n\0\r\0\n\0t\0\n\0", "on|t|");
	LINES("a\0\xe9\0\xac\x20\n\0", "a\xc3\xa9\xe2\x82\xac|");
	LINES("a\0\x3d\xd8\x00\xde\n\0", "a\xf0\x9f\x98\x80|");
	/* Half a surrogate pair, one before a line's end, and a second half without the first. */
	LINES("a\0\x3d\xd8z\0\n\0", "a\xef\xbf\xbdz|");
	LINES("a\0\x3d\xd8\n\0", "a\xef\xbf\xbd|");
	LINES("a\0\x00\xde\n\0", "a\xef\xbf\xbd|");
	LINES("a\0\0\0\n\0", "a\xef\xbf\xbd|");
}

UNIT_CASE(long_lines)
{
	size_t len = 3u << 20;
	char *data = malloc(len);

	if (!data)
		return;
	memset(data, 'x', len);
	memcpy(data + len - 7, "\nlast\n", 6);
	feed(LINES_UNKNOWN, data, len, 4096);
	CHECK_STR(got, "|last|"); /* nothing of it is half told */
	CHECK_INT(got_lines, 2);
	/* The longest that fits, and one byte more. */
	memset(data, 'x', LINES_TEXT);
	data[LINES_TEXT - 1] = '\n';
	feed(LINES_UNKNOWN, data, LINES_TEXT, 4096);
	CHECK_INT(strlen(got), LINES_TEXT);
	data[LINES_TEXT - 1] = 'x';
	data[LINES_TEXT] = '\n';
	feed(LINES_UNKNOWN, data, LINES_TEXT + 1, 4096);
	CHECK_STR(got, "|");
	free(data);
}

UNIT_CASE(skipped_lines)
{
	static struct lines l;

	lines_init(&l, LINES_UTF8);
	lines_skip(&l);
	got[0] = '\0';
	lines_feed(&l, (const uint8_t *)"half a line\nwhole\n", 18, keep, NULL);
	CHECK_STR(got, "|whole|");
}

/* ---- entries ---- */

static struct parse parser;

/* The result of the last line. */
static enum parse_result parse(const char *first, const char *second)
{
	enum parse_result result;

	memset(&parser, 0, sizeof(parser));
	result = parse_line(&parser, first);
	if (!second)
		return result;
	CHECK_INT(result, PARSE_NOTHING);
	return parse_line(&parser, second);
}

#define AT    "2021-01-01 00:01:56.57 Logon       "
#define ERROR AT "Error: 18456, Severity: 14, State: 8."

UNIT_CASE(login_failed)
{
	CHECK_INT(parse(ERROR, AT "Login failed for user 'sa'. Reason: Password did not match that "
				  "for the login provided. [CLIENT: 10.0.0.5]"),
		  PARSE_ENTRY);
	CHECK_INT(parser.entry.number, 18456);
	CHECK_INT(parser.entry.severity, 14);
	CHECK_INT(parser.entry.state, 8);
	CHECK_INT(parser.entry.client, ERRORLOG_ADDRESS);
	CHECK(!memcmp(parser.entry.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\x05", 16));
	CHECK_STR(parser.entry.reason, "Password did not match that for the login provided.");
	CHECK_STR(parser.entry.user, "sa");
	CHECK_INT(parse_seconds(&parser.time), 1609459316);
	CHECK_INT(parser.time.ns, 570000000);
}

UNIT_CASE(languages)
{
	static const struct {
		const char *head, *message, *reason;
	} cases[] = {
		{"Fehler: 18456, Schweregrad: 14, Status: 8.",
		 "Fehler bei der Anmeldung f\xc3\xbcr den Benutzer 'sa'. Ursache: Das Kennwort "
		 "stimmt nicht mit dem Kennwort der angegebenen Anmeldung \xc3\xbc"
		 "berein. [CLIENT: 10.0.0.5]",
		 "Das Kennwort stimmt nicht mit dem Kennwort der angegebenen Anmeldung \xc3\xbc"
		 "berein."},
		{"Erreur : 18456, Gravit\xc3\xa9 : 14, \xc3\x89tat : 8.",
		 "\xc3\x89"
		 "chec de l'ouverture de session de l'utilisateur 'sa'. Raison\xc2\xa0: le mot de "
		 "passe ne correspond pas \xc3\xa0 celui de l'ID fourni. [CLIENT : 10.0.0.5]",
		 "le mot de passe ne correspond pas \xc3\xa0 celui de l'ID fourni."},
		{"\xe9\x94\x99\xe8\xaf\xaf: 18456\xef\xbc\x8c\xe4\xb8\xa5\xe9\x87\x8d\xe6\x80\xa7: "
		 "14\xef\xbc\x8c\xe7\x8a\xb6\xe6\x80\x81: 8\xe3\x80\x82",
		 "\xe7\x94\xa8\xe6\x88\xb7 'sa' \xe7\x99\xbb\xe5\xbd\x95\xe5\xa4\xb1\xe8\xb4\xa5"
		 "\xe3\x80\x82 \xe5\x8e\x9f\xe5\x9b\xa0: \xe5\xaf\x86\xe7\xa0\x81\xe3\x80\x82 "
		 "[\xe5\xae\xa2\xe6\x88\xb7\xe7\xab\xaf: 10.0.0.5]",
		 "\xe5\xaf\x86\xe7\xa0\x81\xe3\x80\x82"},
	};
	char first[256], second[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(first, sizeof(first), AT "%s", cases[i].head);
		snprintf(second, sizeof(second), AT "%s", cases[i].message);
		CHECK_INT(parse(first, second), PARSE_ENTRY);
		CHECK_INT(parser.entry.number, 18456);
		CHECK_INT(parser.entry.state, 8);
		CHECK_INT(parser.entry.client, ERRORLOG_ADDRESS);
		CHECK_STR(parser.entry.reason, cases[i].reason);
		CHECK_INT(parser.entry.addr[15], 5);
	}
}

UNIT_CASE(clients)
{
	static const struct {
		const char *text;
		enum errorlog_client client;
		uint8_t last;
	} cases[] = {
		{"[CLIENT: 10.0.0.5]", ERRORLOG_ADDRESS, 5},
		{"[CLIENT: 10.0.0.5] ", ERRORLOG_ADDRESS, 5},
		{"[CLIENT:10.0.0.5].", ERRORLOG_ADDRESS, 5},
		{"[CLIENT: fe80::1:9%12]", ERRORLOG_ADDRESS, 9},
		{"[CLIENT: ::ffff:10.0.0.7]", ERRORLOG_ADDRESS, 7},
		{"[CLIENT: <local machine>]", ERRORLOG_LOCAL, 0},
		{"[CLIENT: <lokaler Computer>]", ERRORLOG_LOCAL, 0},
		{"[CLIENT: <named pipe>]", ERRORLOG_NO_CLIENT, 0}, /* no TCP */
		{"[CLIENT: ]", ERRORLOG_NO_CLIENT, 0},
		{"[CLIENT: 10.0.0]", ERRORLOG_NO_CLIENT, 0},
		{"[CLIENT: 10.0.0.5", ERRORLOG_NO_CLIENT, 0},
		{"[10.0.0.5]", ERRORLOG_NO_CLIENT, 0},
		{"CLIENT: 10.0.0.5]", ERRORLOG_NO_CLIENT, 0},
		{"[CLIENT: 10.0.0.5] and more", ERRORLOG_NO_CLIENT, 0},
		{"[CLIENT: 1111:2222:3333:4444:5555:6666:123.123.123.1234]", ERRORLOG_NO_CLIENT, 0},
		{"", ERRORLOG_NO_CLIENT, 0},
	};
	char second[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(second, sizeof(second), AT "Login failed for user 'sa'. %s",
			 cases[i].text);
		CHECK_INT(parse(ERROR, second), PARSE_ENTRY);
		CHECK_INT(parser.entry.client, cases[i].client);
		if (cases[i].client == ERRORLOG_ADDRESS)
			CHECK_INT(parser.entry.addr[15], cases[i].last);
		CHECK(!parser.entry.reason);
	}
}

/* The client chooses its name: it is never taken for the reason, nor for the address. */
UNIT_CASE(names)
{
	CHECK_INT(parse(ERROR,
			AT "Login failed for user 'x'. Reason: y [CLIENT: 1.2.3.4]'. Reason: "
			   "Could not find it. [CLIENT: 10.0.0.5]"),
		  PARSE_ENTRY);
	CHECK_INT(parser.entry.addr[15], 5);
	CHECK_STR(parser.entry.reason, "Could not find it.");
	CHECK_STR(parser.entry.user, "x'. Reason: y [CLIENT: 1.2.3.4]");
	/* No reason of the server's own. */
	parse(ERROR, AT "Login failed for user 'x. Reason: bob'. [CLIENT: 10.0.0.5]");
	CHECK(!parser.entry.reason);
	parse(ERROR, AT "Login failed for user 'a: bob'. [CLIENT: 10.0.0.5]");
	CHECK(!parser.entry.reason);
	parse(ERROR, AT "Login failed for user ''. Reason: A. [CLIENT: 10.0.0.5]");
	CHECK(!parser.entry.user);
	CHECK_STR(parser.entry.reason, "A.");
	parse(ERROR,
	      AT "Login failed for user 'sa'. Reason: Failed to open the explicitly specified "
		 "database 'no'. [CLIENT: 10.0.0.5]");
	CHECK_STR(parser.entry.reason, "Failed to open the explicitly specified database 'no'.");
	CHECK_STR(parser.entry.user, "sa");
	/* A database's name is no user's. */
	parse(AT "Error: 4060, Severity: 11, State: 1.",
	      AT "Cannot open database \"no\" requested by the login 'x'. [CLIENT: 10.0.0.5]");
	CHECK(!parser.entry.user);
}

UNIT_CASE(not_errors)
{
	static const char *const texts[] = {
		"Error: 18456, Severity: 14, State: 8. More",
		"Error: 18456, Severity: 14",
		"Error 18456, Severity 14, State 8.",
		"Error: 18456, Severity: 26, State: 8.",
		"Error: 18456, Severity: 14, State: 256.",
		"Error: 1845600, Severity: 14, State: 8.",
		"Error: 'x', Severity: 14, State: 8.",
		"CPU mask [0]: 18456, Severity: 14, State: 8.",
		"",
	};
	char first[256];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(first, sizeof(first), AT "%s", texts[i]);
		CHECK_INT(parse(first, AT "Login failed for user 'sa'. [CLIENT: 10.0.0.5]"),
			  PARSE_NOTHING);
	}
}

/* The second line has to be the first one's. */
UNIT_CASE(pairs)
{
	static const char message[] = AT "Login failed for user 'sa'. [CLIENT: 10.0.0.5]";

	CHECK_INT(parse(ERROR, message), PARSE_ENTRY);
	CHECK_INT(parse_line(&parser, message), PARSE_NOTHING); /* used once */
	CHECK_INT(
		parse(ERROR, "2021-01-01 00:01:56.58 Logon       Login failed. [CLIENT: 1.2.3.4]"),
		PARSE_NOTHING);
	CHECK_INT(
		parse(ERROR, "2021-01-01 00:01:56.57 spid51      Login failed. [CLIENT: 1.2.3.4]"),
		PARSE_NOTHING);
	CHECK_INT(parse(ERROR, "continued"), PARSE_NOTHING);
	CHECK_INT(parse_line(&parser, message), PARSE_NOTHING);
	/* Two errors at once: whose message is whose is not known. */
	parse(ERROR, NULL);
	CHECK_INT(parse_line(&parser, AT "Error: 18456, Severity: 14, State: 5."), PARSE_NOTHING);
	CHECK_INT(parse_line(&parser, message), PARSE_NOTHING);
	CHECK_INT(parse_line(&parser, message), PARSE_NOTHING);
}

UNIT_CASE(dates)
{
	static const struct {
		const char *date;
		int64_t seconds;
		uint32_t ns;
	} cases[] = {
		{"1999-12-31 23:59:60.00", 946684800, 0},
		{"2000-02-29 12:00:00", 951825600, 0},
		{"2024-03-01 00:00:00.1234567", 1709251200, 123456700},
		{"2100-03-01 00:00:00.99", 4107542400, 990000000},
		{"2021-1-1  0:01:56.57", 1609459316, 570000000},
	};
	char line[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "%s Server UTC adjustment: 0:00", cases[i].date);
		CHECK_INT(parse(line, NULL), PARSE_ADJUSTMENT);
		CHECK_INT(parse_seconds(&parser.time), cases[i].seconds);
		CHECK_INT(parser.time.ns, cases[i].ns);
	}
	CHECK_INT(parser.dated, 1);
	CHECK_INT(parse("2021-13-01 00:00:00.00 Server UTC adjustment: 0:00", NULL), PARSE_NOTHING);
	CHECK_INT(parse("2021-12-01 24:00:00.00 Server UTC adjustment: 0:00", NULL), PARSE_NOTHING);
	CHECK_INT(parse("20211201 00:00:00.00 Server UTC adjustment: 0:00", NULL), PARSE_NOTHING);
	CHECK_INT(parser.dated, 0);
}

UNIT_CASE(adjustments)
{
	static const struct {
		const char *text;
		enum parse_result result;
		int32_t seconds;
	} cases[] = {
		{"UTC adjustment: -5:00", PARSE_ADJUSTMENT, -18000},
		{"UTC adjustment: 5:30", PARSE_ADJUSTMENT, 19800},
		{"UTC adjustment: -3:30", PARSE_ADJUSTMENT, -12600},
		{"UTC-Anpassung: 1:00.", PARSE_ADJUSTMENT, 3600},
		{"UTC adjustment: 15:00", PARSE_NOTHING, 0},
		{"UTC adjustment: 5:00 or so", PARSE_NOTHING, 0},
		{"Time adjustment: 5:00", PARSE_NOTHING, 0},
		{"UTC adjustment:", PARSE_NOTHING, 0},
	};
	char line[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), AT "%s", cases[i].text);
		CHECK_INT(parse(line, NULL), cases[i].result);
		CHECK_INT(parser.adjustment_s, cases[i].seconds);
	}
}

#define TIMES                                                                                      \
	"total 15003 ms, enqueued 1 ms, network writes 2 ms, network reads 15003 ms, "             \
	"establishing "                                                                            \
	"SSL 4 ms, network reads during SSL 5 ms, network writes during SSL 6 ms, secure calls "   \
	"during SSL 7 ms, enqueued during SSL 8 ms, negotiating SSPI 9 ms, network reads during "  \
	"SSPI 10 ms, network writes during SSPI 11 ms, secure calls during SSPI 12 ms, enqueued "  \
	"during SSPI 13 ms, validating login 14 ms, including user-defined login processing "

UNIT_CASE(broken_off)
{
	static const char first[] = AT "Error: 17830, Severity: 20, State: 11.";
	static const char begin[] = AT "Network error code 0x2746 occurred while establishing a "
				       "connection; the connection has been closed. Time spent "
				       "during login: ";
	char second[2048];

	snprintf(second, sizeof(second), "%s" TIMES "15 ms. [CLIENT: 10.0.0.5]", begin);
	CHECK_INT(parse(first, second), PARSE_ENTRY);
	CHECK_INT(parser.entry.number, 17830);
	CHECK(parser.entry.has_timers);
	CHECK_INT(parser.entry.timer_ms[TIMER_TOTAL], 15003);
	CHECK_INT(parser.entry.timer_ms[TIMER_ENQUEUED], 1);
	CHECK_INT(parser.entry.timer_ms[TIMER_NETWORK_READS], 15003);
	CHECK_INT(parser.entry.timer_ms[TIMER_TLS], 4);
	CHECK_INT(parser.entry.timer_ms[TIMER_SSPI], 9);
	CHECK_INT(parser.entry.timer_ms[TIMER_USER_PROCESSING], 15);
	CHECK_INT(parser.entry.client, ERRORLOG_ADDRESS);
	/* Not the sixteen that are known, or one that is longer than all of it. */
	snprintf(second, sizeof(second), "%s" TIMES "none. [CLIENT: 10.0.0.5]", begin);
	CHECK_INT(parse(first, second), PARSE_ENTRY);
	CHECK(!parser.entry.has_timers);
	snprintf(second, sizeof(second), "%s" TIMES "15 ms, 16 ms. [CLIENT: 10.0.0.5]", begin);
	CHECK_INT(parse(first, second), PARSE_ENTRY);
	CHECK(!parser.entry.has_timers);
	snprintf(second, sizeof(second), "%s" TIMES "15004 ms. [CLIENT: 10.0.0.5]", begin);
	CHECK_INT(parse(first, second), PARSE_ENTRY);
	CHECK(!parser.entry.has_timers);
	snprintf(second, sizeof(second), "%s" TIMES "99999999999 ms. [CLIENT: 10.0.0.5]", begin);
	CHECK_INT(parse(first, second), PARSE_ENTRY);
	CHECK(!parser.entry.has_timers);
}

#define STALL                                                                                      \
	AT "New queries assigned to process on Node 0 have not been picked up by a worker thread " \
	   "in the last 300 seconds. SQL Process Utilization: 0%. System Idle: 92%."

UNIT_CASE(stalls)
{
	CHECK_INT(parse(AT "Error: 17884, Severity: 10, State: 1.", STALL), PARSE_ENTRY);
	CHECK_INT(parser.entry.number, 17884);
	CHECK_INT(parser.entry.stalled_s, 300);
	CHECK_INT(parser.entry.client, ERRORLOG_NO_CLIENT);
	CHECK_INT(parse(STALL, NULL), PARSE_ENTRY);
	CHECK_INT(parser.entry.number, 17884);
	CHECK_INT(parser.entry.stalled_s, 300);
	CHECK_INT(parse(AT
			"Error: 17884, Severity: 10, State: 1. (Params:). The error is printed in "
			"terse mode because there was error during formatting.",
			NULL),
		  PARSE_ENTRY);
	CHECK_INT(parser.entry.stalled_s, 0);
	CHECK_INT(parse(AT
			"Error: 18456, Severity: 14, State: 8. (Params:). The error is printed in "
			"terse mode.",
			NULL),
		  PARSE_NOTHING);
}

/* Every prefix of a line, and of a pair's second line. */
UNIT_CASE(cut_lines)
{
	static const char second[] =
		AT "Login failed for user 'sa'. Reason: No. [CLIENT: 10.0.0.5]";
	char *text;

	for (size_t len = 0; len < sizeof(second); len++) {
		text = strndup(second, len);
		if (!text)
			return;
		parse(ERROR, text);
		CHECK(parser.entry.client == ERRORLOG_NO_CLIENT || len == sizeof(second) - 1);
		parse(text, NULL);
		free(text);
	}
}

int main(void)
{
	RUN(utf8_lines);
	RUN(utf16_lines);
	RUN(long_lines);
	RUN(skipped_lines);
	RUN(login_failed);
	RUN(languages);
	RUN(clients);
	RUN(names);
	RUN(not_errors);
	RUN(pairs);
	RUN(dates);
	RUN(adjustments);
	RUN(broken_off);
	RUN(stalls);
	RUN(cut_lines);
	return unit_status();
}
