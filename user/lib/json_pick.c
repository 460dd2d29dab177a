// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_pick.c - see json_pick.h. Each function takes where to begin and returns where it ended, or
 * NULL if the text there is not what it has to be.
 */
#include <string.h>

#include "lib/json_pick.h"
#include "lib/utf8.h"

#define JSON_LEVELS 32

static const char *value(const char *p, const char *end, const struct json_want *want,
			 struct json_text *picked, int level);

static const char *blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* What follows a backslash. */
static const char *escape(const char *p, const char *end)
{
	if (p == end)
		return NULL;
	if (*p != 'u')
		return *p && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
	if (end - p < 5)
		return NULL;
	for (int i = 1; i <= 4; i++)
		if (hex_digit(p[i]) < 0)
			return NULL;
	return p + 5;
}

static const char *string(const char *p, const char *end)
{
	if (p == end || *p++ != '"')
		return NULL;
	while (p && p < end && *p != '"') {
		if ((unsigned char)*p < 0x20)
			return NULL;
		p = *p == '\\' ? escape(p + 1, end) : p + 1;
	}
	return p && p < end ? p + 1 : NULL;
}

static const char *digits(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > begin ? p : NULL;
}

static const char *number(const char *p, const char *end)
{
	const char *whole = p += p < end && *p == '-';

	p = digits(p, end);
	if (!p || (*whole == '0' && p > whole + 1))
		return NULL;
	if (p < end && *p == '.')
		p = digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		p = digits(p, end);
	}
	return p;
}

static const char *word(const char *p, const char *end, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(end - p) >= len && !memcmp(p, name, len) ? p + len : NULL;
}

static const struct json_want *wanted(const struct json_want *want, const char *name, size_t len)
{
	for (; want && want->name; want++)
		if (want->len == len && !memcmp(want->name, name, len))
			return want;
	return NULL;
}

/* A name, its colon and its value. */
static const char *member(const char *p, const char *end, const struct json_want *want,
			  struct json_text *picked, int level)
{
	const char *name = p + 1;

	p = string(p, end);
	if (!p)
		return NULL;
	want = wanted(want, name, (size_t)(p - 1 - name));
	p = blank(p, end);
	if (p == end || *p++ != ':')
		return NULL;
	name = p = blank(p, end);
	p = value(p, end, want ? want->inside : NULL, picked, level);
	if (p && want)
		picked[want->slot] = (struct json_text){name, (size_t)(p - name)};
	return p;
}

/* An object's members or an array's elements, from the opening character to the closing one. */
static const char *list(const char *p, const char *end, const struct json_want *want,
			struct json_text *picked, int level)
{
	bool object = *p == '{';
	char close = object ? '}' : ']';

	if (level > JSON_LEVELS)
		return NULL;
	p = blank(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		p = object ? member(p, end, want, picked, level)
			   : value(p, end, NULL, picked, level);
		p = p ? blank(p, end) : end;
		if (p == end || (*p != ',' && *p != close))
			return NULL;
		if (*p++ == close)
			return p;
		p = blank(p, end);
	}
}

static const char *value(const char *p, const char *end, const struct json_want *want,
			 struct json_text *picked, int level)
{
	if (p == end)
		return NULL;
	switch (*p) {
	case '{':
	case '[':
		return list(p, end, want, picked, level + 1);
	case '"':
		return string(p, end);
	case 'n':
		return word(p, end, "null");
	case 't':
		return word(p, end, "true");
	case 'f':
		return word(p, end, "false");
	default:
		return number(p, end);
	}
}

bool json_pick(const char *text, size_t len, const struct json_want *want, struct json_text *picked)
{
	const char *end = text + len, *p = blank(text, end);

	if (p == end || *p != '{')
		return false;
	p = value(p, end, want, picked, 0);
	return p && blank(p, end) == end;
}

bool picked_next(struct json_text array, size_t *at, struct json_text *element)
{
	const char *end = array.at ? array.at + array.len : NULL, *p = array.at, *past;

	if (!p || *p != '[')
		return false;
	p = blank(p + (*at ?: 1), end);
	if (p < end && *p == ',')
		p = blank(p + 1, end);
	past = p < end && *p != ']' ? value(p, end, NULL, NULL, 0) : NULL;
	if (!past)
		return false;
	*element = (struct json_text){p, (size_t)(past - p)};
	*at = (size_t)(past - array.at);
	return true;
}

static uint32_t four_digits(const char *p)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 4 | (uint32_t)hex_digit(p[i]);
	return n;
}

/* The character of a \u escape at p, of both of a pair of surrogates (RFC 8259 7). */
static const char *unicode(const char *p, const char *end, uint32_t *cp)
{
	*cp = four_digits(p + 2);
	p += 6;
	if (*cp >= 0xd800 && *cp < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
	    four_digits(p + 2) >= 0xdc00 && four_digits(p + 2) < 0xe000) {
		*cp = 0x10000 + ((*cp - 0xd800) << 10) + (four_digits(p + 2) - 0xdc00);
		return p + 6;
	}
	if (!*cp || (*cp >= 0xd800 && *cp < 0xe000))
		*cp = UTF8_REPLACEMENT;
	return p;
}

/* The bytes of the next character of a string, at most 4, into bytes. */
static const char *character(const char *p, const char *end, char bytes[4], size_t *len)
{
	static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	uint32_t cp;

	if (*p == '\\' && p[1] == 'u') {
		p = unicode(p, end, &cp);
		*len = utf8_put(cp, bytes);
		return p;
	}
	*len = 1;
	bytes[0] = *p == '\\' ? means[strchr(names, p[1]) - names] : *p;
	p += *p == '\\' ? 2 : 1;
	while (*len < 4 && (bytes[0] & 0x80) && (*p & 0xc0) == 0x80)
		bytes[(*len)++] = *p++;
	return p;
}

bool picked_string(struct json_text value, char *out, size_t size)
{
	const char *p = value.at ? value.at + 1 : NULL, *end = p ? value.at + value.len - 1 : NULL;
	size_t used = 0, len = 0;
	char bytes[4];

	*out = '\0';
	if (!p || *value.at != '"')
		return false;
	while (p < end) {
		p = character(p, end, bytes, &len);
		if (used + len >= size)
			break;
		memcpy(out + used, bytes, len);
		used += len;
	}
	out[used] = '\0';
	return true;
}

bool picked_integer(struct json_text value, int64_t *number)
{
	bool minus = value.at && *value.at == '-';
	uint64_t n = 0, most = INT64_MAX;

	if (!value.at || value.len == minus)
		return false;
	for (size_t i = minus; i < value.len; i++) {
		uint64_t digit = (uint64_t)value.at[i] - '0';

		if (digit > 9 || n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = minus ? -(int64_t)n : (int64_t)n;
	return true;
}
