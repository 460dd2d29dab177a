/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_pick.h - picks a few values out of a JSON text in one pass, without a tree. It allocates
 * nothing; what was picked points into the text.
 */
#ifndef TDSMON_JSON_PICK_H
#define TDSMON_JSON_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value as it stands in the text, without the white space around it. at is NULL: there is no value. */
struct json_text {
	const char *at;
	size_t len;
};

/* A member of an object that is wanted. Lists of them end with {0}. */
struct json_want {
	const char *name; /* without escapes */
	size_t len;
	size_t slot;			/* where it goes in picked[] */
	const struct json_want *inside; /* what is wanted of it if it is an object; or NULL */
};

#define JSON_WANT(name, slot, inside)                                                              \
	{                                                                                          \
		name, sizeof(name) - 1, slot, inside                                               \
	}

/*
 * Pick what is wanted out of the object that text is. Of a name that comes twice the last one
 * counts. False: text is not one JSON object (RFC 8259), or has more than 32 levels; then picked[]
 * may hold a part. Whether strings are valid UTF-8 is not checked.
 */
bool json_pick(const char *text, size_t len, const struct json_want *want,
	       struct json_text *picked);

/* The next element of an array that was picked; *at is 0 before the first. False: it has no more, or is no array. */
bool picked_next(struct json_text array, size_t *at, struct json_text *element);

/*
 * Write a string's characters to out, which has room for size bytes, with a NUL; what does not fit
 * is cut between two characters. A NUL and a lone surrogate become U+FFFD. False: it is no string,
 * and out is empty.
 */
bool picked_string(struct json_text value, char *out, size_t size);

/* A whole number that fits; false: it is something else, or has a fraction or an exponent. */
bool picked_integer(struct json_text value, int64_t *number);

#endif
