// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * parse.c - see parse.h. The grammar is in docs/PROTOCOL.md 14.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "source/errorlog/parse.h"
#include "lib/ip_addr.h"

#define ERROR_BROKEN_OFF 17830
#define ERROR_STALLED	 17884 /* new requests wait for a worker thread */
#define ERROR_DEADLOCKED 17888 /* so do all schedulers of a node */
#define WORD_MOST	 40    /* bytes before a number of the first line, and of "Reason" */
#define ADJUSTMENT_MOST	 80
#define WIDE_COLON	 "\xef\xbc\x9a" /* U+FF1A */
#define WIDE_STOP	 "\xe3\x80\x82" /* U+3002 */
#define NO_BREAK_SPACE	 "\xc2\xa0"

/* A part of a line. */
struct span {
	const char *at, *end;
};

/* Is this text what follows? Then step over it. */
static bool skip(const char **s, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *s) < len || memcmp(*s, text, len))
		return false;
	*s += len;
	return true;
}

static void skip_blanks(const char **s, const char *end)
{
	while (skip(s, end, " ") || skip(s, end, "\t") || skip(s, end, NO_BREAK_SPACE))
		;
}

static bool is_digit(const char *s, const char *end)
{
	return s < end && isdigit((unsigned char)*s);
}

/* Digits, at most `digits` of them. False: no digit, or more of them. */
static bool number(const char **s, const char *end, int digits, uint32_t *out)
{
	uint32_t n = 0;
	int count = 0;

	for (; is_digit(*s, end) && count < digits; (*s)++, count++)
		n = n * 10 + (uint32_t)(**s - '0');
	*out = n;
	return count && !is_digit(*s, end);
}

/* ---- dates ---- */

/* One field of a date: so many digits at most, within its bounds, and what follows it. */
static bool field(const char **s, const char *end, uint32_t least, uint32_t most, const char *after,
		  int32_t *out)
{
	uint32_t n;

	if (!number(s, end, most > 99 ? 4 : 2, &n) || n < least || n > most || !skip(s, end, after))
		return false;
	*out = (int32_t)n;
	return true;
}

/* ".57" is 570 ms. */
static uint32_t fraction(const char **s, const char *end)
{
	uint32_t ns = 0, unit = 100000000;

	if (!skip(s, end, "."))
		return 0;
	for (; is_digit(*s, end); (*s)++, unit /= 10)
		ns += (uint32_t)(**s - '0') * unit;
	return ns;
}

/* "2021-01-01 00:01:56.57 ", which every entry begins with. */
static bool date(const char **s, const char *end, struct parse_time *t)
{
	if (!field(s, end, 1990, 2261, "-", &t->year) || !field(s, end, 1, 12, "-", &t->month) ||
	    !field(s, end, 1, 31, " ", &t->day))
		return false;
	skip_blanks(s, end);
	if (!field(s, end, 0, 23, ":", &t->hour) || !field(s, end, 0, 59, ":", &t->minute) ||
	    !field(s, end, 0, 60, "", &t->second))
		return false;
	t->ns = fraction(s, end);
	if (!skip(s, end, " "))
		return false;
	skip_blanks(s, end);
	return true;
}

int64_t parse_seconds(const struct parse_time *t)
{
	/* Days of the Gregorian calendar, counted in years that begin in March. */
	int64_t year = t->month > 2 ? t->year : t->year - 1;
	int64_t month = t->month > 2 ? t->month - 3 : t->month + 9;
	int64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
		       t->day - 1 - 719468;

	return ((days * 24 + t->hour) * 60 + t->minute) * 60 + t->second;
}

static bool same_time(const struct parse_time *a, const struct parse_time *b)
{
	return parse_seconds(a) == parse_seconds(b) && a->ns == b->ns;
}

/* ---- the first line of an error ---- */

/* "Error: ", ", Severity: ": a word in any language, a colon, then a digit. */
static bool label(const char **s, const char *end)
{
	const char *begin = *s;
	bool colon = false;

	while (*s < end && !isdigit((unsigned char)**s)) {
		if (*s - begin > WORD_MOST || strchr("'\"[]<>()\\/", **s))
			return false;
		if (skip(s, end, ":") || skip(s, end, WIDE_COLON))
			colon = true;
		else
			(*s)++;
	}
	return colon;
}

struct head {
	uint32_t number, severity, state;
	bool terse; /* the message stands behind it, as far as there is one */
};

/* "Error: 18456, Severity: 14, State: 8." */
static bool head(const char *s, const char *end, struct head *h)
{
	if (!label(&s, end) || !number(&s, end, 6, &h->number) || !label(&s, end) ||
	    !number(&s, end, 2, &h->severity) || !label(&s, end) ||
	    !number(&s, end, 3, &h->state) || h->severity > 25 || h->state > 255)
		return false;
	if (!skip(&s, end, "."))
		skip(&s, end, WIDE_STOP);
	skip_blanks(&s, end);
	h->terse = skip(&s, end, "(Params:");
	return h->terse || s == end;
}

static enum parse_result begin_error(struct parse *p, const struct head *h, struct span source)
{
	size_t len = (size_t)(source.end - source.at);
	bool unsure = p->open;

	p->open = false;
	/* Two errors at once: which message is whose is not known. */
	if (unsure || len >= sizeof(p->source))
		return PARSE_NOTHING;
	p->number = (int32_t)h->number;
	p->severity = (uint8_t)h->severity;
	p->state = (uint8_t)h->state;
	memcpy(p->source, source.at, len);
	p->source[len] = '\0';
	p->opened = p->time;
	p->open = !h->terse;
	if (!h->terse || (p->number != ERROR_STALLED && p->number != ERROR_DEADLOCKED))
		return PARSE_NOTHING;
	p->entry = (struct errorlog_entry){
		.number = p->number, .severity = p->severity, .state = p->state};
	return PARSE_ENTRY;
}

/* ---- its message ---- */

/* The words for "local machine" in the languages of SQL Server, as far as they are known. */
static bool is_local(struct span s)
{
	static const char *const words[] = {
		"local",
		"lokal",
		"\xd0\xbb\xd0\xbe\xd0\xba\xd0\xb0\xd0\xbb",	    /* локал */
		"\xe6\x9c\xac\xe5\x9c\xb0",			    /* 本地 */
		"\xe6\x9c\xac\xe6\xa9\x9f",			    /* 本機 */
		"\xe3\x83\xad\xe3\x83\xbc\xe3\x82\xab\xe3\x83\xab", /* ローカル */
		"\xeb\xa1\x9c\xec\xbb\xac" /* 로컬 */};

	for (const char *at = s.at; at < s.end; at++)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if ((size_t)(s.end - at) >= strlen(words[i]) &&
			    !strncasecmp(at, words[i], strlen(words[i])))
				return true;
	return false;
}

static bool address(struct span s, uint8_t addr[16])
{
	const char *scope = memchr(s.at, '%', (size_t)(s.end - s.at));
	char text[INET6_ADDRSTRLEN];
	size_t len = (size_t)((scope ? scope : s.end) - s.at);

	if (len >= sizeof(text))
		return false;
	memcpy(text, s.at, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, addr) == 1)
		return true;
	if (inet_pton(AF_INET, text, addr + IP_V4_AT) != 1)
		return false;
	ip_map_v4(addr, addr + IP_V4_AT);
	return true;
}

/* "[CLIENT: 10.0.0.5]" at the message's end, which is cut off. */
static void client(struct span *message, struct errorlog_entry *entry)
{
	const char *end = message->end, *open, *s;
	struct span value;

	while (end > message->at && strchr(" .", end[-1]))
		end--;
	if (end == message->at || end[-1] != ']')
		return;
	open = memrchr(message->at, '[', (size_t)(end - message->at));
	if (!open)
		return;
	s = open + 1;
	end--;
	while (s < end && *s != ':' && strncmp(s, WIDE_COLON, strlen(WIDE_COLON)) != 0)
		s++;
	if (!skip(&s, end, ":") && !skip(&s, end, WIDE_COLON))
		return;
	skip_blanks(&s, end);
	value = (struct span){s, end};
	message->end = open;
	if (s < end && *s == '<')
		entry->client = is_local(value) ? ERRORLOG_LOCAL : ERRORLOG_NO_CLIENT;
	else if (address(value, entry->addr))
		entry->client = ERRORLOG_ADDRESS;
}

/* Where the word before this colon begins, if it is a sentence's first; NULL otherwise. */
static const char *first_word(struct span message, const char *colon)
{
	const char *s = colon;

	while (s > message.at && colon - s <= WORD_MOST) {
		unsigned char c = (unsigned char)s[-1];
		const char *stop = s - strlen(WIDE_STOP);

		if (c == '.' || (stop >= message.at && !memcmp(stop, WIDE_STOP, strlen(WIDE_STOP))))
			return s == colon ? NULL : s;
		if (isdigit(c) || strchr("'\"[]<>\\/:;,", c))
			return NULL;
		s--;
	}
	return NULL;
}

static size_t count_of(struct span s, char c)
{
	size_t n = 0;

	for (; s.at < s.end; s.at++)
		n += *s.at == c;
	return n;
}

/*
 * What follows the last "Reason:", in any language: where a sentence begins with a word and a
 * colon. The name, which the client chooses, stands before it. *word: where the sentence begins.
 */
static struct span reason_of(struct span message, const char **word)
{
	struct span reason = {NULL, NULL};

	for (const char *s = message.at; s < message.end; s++) {
		const char *after = s, *begin;

		if (!skip(&after, message.end, ":") && !skip(&after, message.end, WIDE_COLON))
			continue;
		begin = first_word(message, s);
		if (!begin)
			continue;
		skip_blanks(&after, message.end);
		reason = (struct span){after, message.end};
		*word = begin;
	}
	while (reason.end > reason.at && reason.end[-1] == ' ')
		reason.end--;
	/* It ends with a quote that began before it: it is the end of a name. */
	if (reason.end - reason.at > 2 && (reason.end[-1] == '\'' || reason.end[-2] == '\'') &&
	    count_of(reason, '\'') % 2)
		reason.at = reason.end = NULL;
	return reason;
}

static bool names_user(int32_t number)
{
	return (number >= 18450 && number < 18500) || number == 17892;
}

/* Between the first quote and the last one before the reason. */
static struct span user_of(struct span message, const char *reason)
{
	const char *end = reason ? reason : message.end;
	const char *open = memchr(message.at, '\'', (size_t)(end - message.at));
	const char *close = memrchr(message.at, '\'', (size_t)(end - message.at));

	return open && close > open + 1 ? (struct span){open + 1, close}
					: (struct span){NULL, NULL};
}

/* A copy, cut at a character's beginning if it is too long; NULL: there is nothing. */
static const char *copy(char *to, size_t room, struct span s)
{
	size_t len = (size_t)(s.end - s.at);

	if (!len)
		return NULL;
	if (len >= room) {
		len = room - 1;
		while (len && ((unsigned char)s.at[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(to, s.at, len);
	to[len] = '\0';
	return *to ? to : NULL;
}

/* The decimal numbers of a message, at most `most`; how many there are, UINT32_MAX: not readable. */
static uint32_t numbers(struct span s, uint32_t *out, uint32_t most)
{
	uint32_t count = 0, n;

	while (s.at < s.end) {
		if (skip(&s.at, s.end, "0x")) {
			while (s.at < s.end && isxdigit((unsigned char)*s.at))
				s.at++;
			continue;
		}
		if (!is_digit(s.at, s.end)) {
			s.at++;
			continue;
		}
		if (!number(&s.at, s.end, 9, &n))
			return UINT32_MAX;
		if (count < most)
			out[count] = n;
		count++;
	}
	return count;
}

static void timers(struct span message, struct errorlog_entry *entry)
{
	entry->has_timers = numbers(message, entry->timer_ms, TIMER_COUNT) == TIMER_COUNT;
	for (int i = 0; i < TIMER_COUNT; i++)
		entry->has_timers &= entry->timer_ms[i] <= entry->timer_ms[TIMER_TOTAL];
}

static enum parse_result end_error(struct parse *p, struct span message)
{
	const char *word = NULL;
	struct span reason;
	uint32_t n[2];

	p->entry = (struct errorlog_entry){
		.number = p->number, .severity = p->severity, .state = p->state};
	if (p->number == ERROR_STALLED && numbers(message, n, 2) != UINT32_MAX)
		p->entry.stalled_s = numbers(message, n, 2) >= 2 ? n[1] : 0;
	client(&message, &p->entry);
	if (p->number == ERROR_BROKEN_OFF)
		timers(message, &p->entry);
	if (p->entry.client == ERRORLOG_NO_CLIENT)
		return PARSE_ENTRY;
	reason = reason_of(message, &word);
	p->entry.reason = copy(p->reason, sizeof(p->reason), reason);
	if (names_user(p->number))
		p->entry.user = copy(p->user, sizeof(p->user), user_of(message, word));
	return PARSE_ENTRY;
}

/* ---- other lines ---- */

/* "UTC adjustment: -5:00", in any language. */
static bool adjustment(const char *s, const char *end, int32_t *out)
{
	uint32_t hours, minutes;
	bool west;

	if (end - s > ADJUSTMENT_MOST || !memmem(s, (size_t)(end - s), "UTC", 3))
		return false;
	while (s < end && !isdigit((unsigned char)*s))
		s++;
	if (s == end)
		return false;
	west = s[-1] == '-'; /* the word stands before it */
	if (!number(&s, end, 2, &hours) || !skip(&s, end, ":") || !number(&s, end, 2, &minutes) ||
	    hours > 14 || minutes > 59)
		return false;
	skip(&s, end, ".");
	skip_blanks(&s, end);
	if (s != end)
		return false;
	*out = (int32_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

/* Some versions write the message of 17884 without the line before it. */
static bool is_stall(struct parse *p, struct span message)
{
	static const char words[] = "not been picked up by a worker thread in the last ";
	const char *s =
		memmem(message.at, (size_t)(message.end - message.at), words, strlen(words));
	uint32_t seconds;

	if (!s)
		return false;
	s += strlen(words);
	p->entry = (struct errorlog_entry){.number = ERROR_STALLED, .severity = 10, .state = 1};
	p->entry.stalled_s = number(&s, message.end, 6, &seconds) ? seconds : 0;
	return true;
}

enum parse_result parse_line(struct parse *p, const char *text)
{
	const char *s = text, *end = text + strlen(text);
	struct span source;
	struct head h;
	bool open;

	if (!date(&s, end, &p->time)) {
		p->open = false;
		return PARSE_NOTHING;
	}
	p->dated++;
	source.at = s;
	while (s < end && *s != ' ' && *s != '\t')
		s++;
	source.end = s;
	skip_blanks(&s, end);
	if (head(s, end, &h))
		return begin_error(p, &h, source);
	open = p->open && strlen(p->source) == (size_t)(source.end - source.at) &&
	       !memcmp(p->source, source.at, strlen(p->source)) && same_time(&p->opened, &p->time);
	p->open = false;
	if (open)
		return end_error(p, (struct span){s, end});
	if (is_stall(p, (struct span){s, end}))
		return PARSE_ENTRY;
	return adjustment(s, end, &p->adjustment_s) ? PARSE_ADJUSTMENT : PARSE_NOTHING;
}
