// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_pick.c - values picked out of lines that a tdsmon sent to tdsmon top. Input: a line. What jansson
 * takes for an object is one, and has the same values.
 */
#include <jansson.h>

#include "fuzz.h"
#include "lib/json_pick.h"

#define LEVELS 32 /* json_pick.h */

enum { PICK_ID, PICK_NUMBER, PICK_LIST, PICK_REST, PICKS };

static const struct json_want inside[] = {JSON_WANT("number", PICK_NUMBER, NULL), {0}};
static const struct json_want want[] = {JSON_WANT("id", PICK_ID, NULL),
					JSON_WANT("dependencies", PICK_LIST, NULL),
					JSON_WANT("error", PICK_REST, inside),
					{0}};

static size_t elements(struct json_text list)
{
	struct json_text one, picked[PICKS] = {0};
	size_t at = 0, count = 0;
	char text[16];

	for (; picked_next(list, &at, &one); count++) {
		FUZZ_ASSERT(one.len && one.at >= list.at && one.at + one.len <= list.at + list.len);
		json_pick(one.at, one.len, want, picked);
		picked_string(one, text, sizeof(text));
		FUZZ_ASSERT(strlen(text) < sizeof(text));
	}
	return count;
}

static void compare(const json_t *tree, const struct json_text *picked)
{
	const json_t *id = json_object_get(tree, "id"),
		     *list = json_object_get(tree, "dependencies"),
		     *n = json_object_get(json_object_get(tree, "error"), "number");
	int64_t number;
	char text[256];

	if (json_is_string(id) && json_string_length(id) < sizeof(text)) {
		FUZZ_ASSERT(picked_string(picked[PICK_ID], text, sizeof(text)));
		FUZZ_ASSERT(!strcmp(text, json_string_value(id)));
		fuzz_text(*text ? text : NULL);
	}
	if (json_is_integer(n) && json_integer_value(n) > INT64_MIN)
		FUZZ_ASSERT(picked_integer(picked[PICK_NUMBER], &number) &&
			    number == json_integer_value(n));
	FUZZ_ASSERT(elements(picked[PICK_LIST]) == json_array_size(list));
}

static size_t most_levels(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '[' || text[i] == '{';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = {data, data + size};
	struct json_text picked[PICKS] = {0};
	uint32_t len;
	char *text = (char *)fuzz_bytes(&f, (uint32_t)size, &len);
	json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	bool good = json_pick(text, len, want, picked);

	/* jansson passes over a NUL after a number. */
	if (json_is_object(tree) && most_levels(text, len) <= LEVELS && !memchr(text, 0, len)) {
		FUZZ_ASSERT(good);
		compare(tree, picked);
	}
	if (good)
		elements(picked[PICK_LIST]);
	json_decref(tree);
	free(text);
	return 0;
}
