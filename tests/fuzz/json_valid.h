/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_valid.h - is a text one JSON value (RFC 8259)? Strict, and independent of the writer.
 */
#ifndef TDSMON_FUZZ_JSON_VALID_H
#define TDSMON_FUZZ_JSON_VALID_H

#include "fuzz.h"

#define JSON_DEPTH_MAX 16

static const char *json_digits(const char *p)
{
	FUZZ_ASSERT(*p >= '0' && *p <= '9');
	return p + strspn(p, "0123456789");
}

static const char *json_number(const char *p)
{
	p += *p == '-';
	FUZZ_ASSERT(*p != '0' || p[1] < '0' || p[1] > '9');
	p = json_digits(p);
	return *p == '.' ? json_digits(p + 1) : p;
}

static const char *json_string(const char *p)
{
	uint32_t cp;
	size_t n;

	FUZZ_ASSERT(*p == '"');
	for (p++; *p != '"'; p += n) {
		n = utf8_next(p, &cp);
		FUZZ_ASSERT(n && cp >= 0x20 && (cp != UTF8_REPLACEMENT || n == 3));
		if (*p != '\\')
			continue;
		if (*++p == 'u') {
			FUZZ_ASSERT(strspn(p + 1, "0123456789abcdefABCDEF") >= 4);
			n = 5;
			continue;
		}
		FUZZ_ASSERT(*p && strchr("\"\\/bfnrt", *p));
	}
	return p + 1;
}

static const char *json_value(const char *p, int depth);

/* Parse members or elements, up to the closing character. */
static const char *json_list(const char *p, char close, int depth)
{
	FUZZ_ASSERT(depth < JSON_DEPTH_MAX);
	for (p++; *p != close;) {
		if (close == '}') {
			p = json_string(p);
			FUZZ_ASSERT(*p++ == ':');
		}
		p = json_value(p, depth + 1);
		FUZZ_ASSERT(*p == close || (*p == ',' && p[1] != close));
		p += *p == ',';
	}
	return p + 1;
}

/* The position after the value at p. Aborts if it is not a value. */
static const char *json_value(const char *p, int depth)
{
	static const char *const words[] = {"null", "true", "false"};

	if (*p == '{' || *p == '[')
		return json_list(p, *p == '{' ? '}' : ']', depth);
	if (*p == '"')
		return json_string(p);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strncmp(p, words[i], strlen(words[i])))
			return p + strlen(words[i]);
	}
	return json_number(p);
}

#endif
