// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json_pick.c - values picked out of JSON: what is found, what is no JSON, and that jansson reads the
 * same, whatever a record was turned into.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_pick.h"
#include "unit.h"

enum { PICK_ID, PICK_A, PICK_DEEP, PICK_NUMBER, PICK_LIST, PICK_REST, PICKS };

static const struct json_want deep[] = {JSON_WANT("deep", PICK_DEEP, NULL), {0}};
static const struct json_want inside[] = {JSON_WANT("b", PICK_REST, deep), {0}};
static const struct json_want want[] = {
	JSON_WANT("id", PICK_ID, NULL),	      JSON_WANT("a", PICK_A, inside),
	JSON_WANT("n", PICK_NUMBER, NULL),    JSON_WANT("list", PICK_LIST, NULL),
	JSON_WANT("rest", PICK_REST, inside), {0}};

/* text in a block of its own, so that a sanitizer or valgrind sees a read past its end. */
static bool pick(const char *text, size_t len, struct json_text picked[PICKS])
{
	memset(picked, 0, PICKS * sizeof(*picked));
	return json_pick(text, len, want, picked);
}

static bool is_json(const char *text)
{
	struct json_text picked[PICKS];
	char *copy = malloc(strlen(text) + 1);
	bool good;

	memcpy(copy, text, strlen(text));
	good = pick(copy, strlen(text), picked);
	free(copy);
	return good;
}

static const char *raw(struct json_text value)
{
	static char text[256];

	snprintf(text, sizeof(text), "%.*s", (int)value.len, value.at ?: "");
	return text;
}

UNIT_CASE(values_are_found_where_they_are_wanted)
{
	static const char text[] =
		" {\"x\":{\"id\":1},\"id\" : \"7\" ,\"a\":{\"c\":[{\"deep\":1}],\"b\":"
		"{\"deep\":-3}},\n\"list\":[ 1 , [2,3],\"]\" ],\"n\":12e3} ";
	struct json_text picked[PICKS];

	CHECK(pick(text, sizeof(text) - 1, picked));
	CHECK_STR(raw(picked[PICK_ID]), "\"7\"");
	CHECK_STR(raw(picked[PICK_DEEP]), "-3");
	CHECK_STR(raw(picked[PICK_A]), "{\"c\":[{\"deep\":1}],\"b\":{\"deep\":-3}}");
	CHECK_STR(raw(picked[PICK_LIST]), "[ 1 , [2,3],\"]\" ]");
	CHECK_STR(raw(picked[PICK_NUMBER]), "12e3");
	CHECK(pick("{\"a\":null,\"id\":1,\"id\":2}", 24, picked));
	CHECK_STR(raw(picked[PICK_ID]), "2");
	CHECK_STR(raw(picked[PICK_A]), "null");
	CHECK(!picked[PICK_DEEP].at && !picked[PICK_LIST].at);
}

UNIT_CASE(elements_come_one_by_one)
{
	struct json_text picked[PICKS], element;
	static const char text[] = "{\"list\":[ 1 , [2,3],\"],\" ,{}]}";
	static const char *const elements[] = {"1", "[2,3]", "\"],\"", "{}"};
	size_t at = 0;

	CHECK(pick(text, sizeof(text) - 1, picked));
	for (int i = 0; i < 4; i++) {
		CHECK(picked_next(picked[PICK_LIST], &at, &element));
		CHECK_STR(raw(element), elements[i]);
	}
	CHECK(!picked_next(picked[PICK_LIST], &at, &element));
	at = 0;
	CHECK(pick("{\"list\":[]}", 11, picked) && !picked_next(picked[PICK_LIST], &at, &element));
	CHECK(pick("{\"list\":12}", 11, picked) && !picked_next(picked[PICK_LIST], &at, &element));
	CHECK(!picked_next((struct json_text){0}, &at, &element));
}

UNIT_CASE(what_is_no_object_is_refused)
{
	static const char *const bad[] = {"",
					  "[]",
					  "7",
					  "{",
					  "{}}",
					  "{\"a\"}",
					  "{\"a\":}",
					  "{\"a\":1,}",
					  "{a:1}",
					  "{\"a\":1 \"b\":2}",
					  "{\"a\":[1,]}",
					  "{\"a\":[1}",
					  "{\"a\":01}",
					  "{\"a\":1.}",
					  "{\"a\":-}",
					  "{\"a\":1e}",
					  "{\"a\":nul}",
					  "{\"a\":nulll}",
					  "{\"a\":\"}",
					  "{\"a\":\"\\x\"}",
					  "{\"a\":\"\\u12\"}",
					  "{\"a\":\"\\u12g4\"}",
					  "{\"a\":\"\n\"}",
					  "{\"a\":\"\\",
					  "{\"a\":+1}"};
	char nested[256] = "{\"a\":";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_json(bad[i]))
			UNIT_FAIL("%s was taken", bad[i]);
	CHECK(is_json("{}") && is_json("{\"a\":[{},[],-0.5E+3,true,false,null]}"));
	memset(nested + 5, '[', 31);
	memset(nested + 5 + 31, ']', 31);
	strcpy(nested + 5 + 62, "}");
	CHECK(is_json(nested));
	memset(nested + 5, '[', 32);
	memset(nested + 5 + 32, ']', 32);
	strcpy(nested + 5 + 64, "}");
	CHECK(!is_json(nested));
}

static const char *string_of(const char *text, size_t size)
{
	static char out[64];

	if (!picked_string((struct json_text){text, strlen(text)}, out, size))
		return "no string";
	return out;
}

UNIT_CASE(strings_are_decoded_and_cut_between_characters)
{
	CHECK_STR(string_of("\"a\\\"\\\\\\/\\n\\u00e9\"", 64), "a\"\\/\n\u00e9");
	CHECK_STR(string_of("\"\\ud83d\\ude00\"", 64), "\U0001f600");
	CHECK_STR(string_of("\"\\ud83dx\\ude00\"", 64), "\ufffdx\ufffd");
	CHECK_STR(string_of("\"\\u0000\"", 64), "\ufffd");
	CHECK_STR(string_of("\"ab\u00e9\"", 5), "ab\u00e9");
	CHECK_STR(string_of("\"ab\u00e9\"", 4), "ab");
	CHECK_STR(string_of("\"\"", 1), "");
	CHECK_STR(string_of("null", 64), "no string");
	CHECK_STR(string_of("12", 64), "no string");
}

UNIT_CASE(integers_are_whole_and_fit)
{
	static const struct {
		const char *text;
		bool good;
		int64_t n;
	} rows[] = {{"0", true, 0},
		    {"-12", true, -12},
		    {"9223372036854775807", true, INT64_MAX},
		    {"9223372036854775808", false, 0},
		    {"1.0", false, 0},
		    {"1e3", false, 0},
		    {"null", false, 0},
		    {"\"1\"", false, 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t n = 0;
		bool good =
			picked_integer((struct json_text){rows[i].text, strlen(rows[i].text)}, &n);

		if (good != rows[i].good || n != rows[i].n)
			UNIT_FAIL("%s: %d, %lld", rows[i].text, good, (long long)n);
	}
	CHECK(!picked_integer((struct json_text){0}, &(int64_t){0}));
}

/* Both read text, or neither; what they read is the same. */
static bool same_as_jansson(const char *text, size_t len)
{
	struct json_text picked[PICKS];
	json_t *tree = json_loadb(text, len, JSON_ALLOW_NUL, NULL),
	       *id = json_object_get(tree, "id"), *n = json_object_get(tree, "n");
	bool good = pick(text, len, picked), same = good == json_is_object(tree);
	char out[256];
	int64_t number;

	if (same && good && json_is_string(id) && strlen(json_string_value(id)) < 200 &&
	    strlen(json_string_value(id)) == json_string_length(id))
		same = picked_string(picked[PICK_ID], out, sizeof(out)) &&
		       !strcmp(out, json_string_value(id));
	if (same && good)
		same = picked_integer(picked[PICK_NUMBER], &number) ==
			       (json_is_integer(n) && json_integer_value(n) > INT64_MIN) &&
		       (!json_is_integer(n) || number == json_integer_value(n));
	json_decref(tree);
	return same;
}

/* Every way to change one byte of it, and to cut it. Bytes stay ASCII: UTF-8 is not checked. */
UNIT_CASE(jansson_reads_the_same_of_every_change)
{
	static const char text[] = "{\"id\":\"7f\\u00e9\\n\",\"a\":{\"b\":{\"deep\":[true,false,"
				   "null,{}]}},\"n\":-120,\"x\":1.5e-3}";
	char *copy = malloc(sizeof(text));

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (int c = 1; c < 128; c++) {
			memcpy(copy, text, sizeof(text));
			copy[at] = (char)c;
			if (!same_as_jansson(copy, sizeof(text) - 1))
				UNIT_FAIL("byte %zu as %d: %s", at, c, copy);
		}
	for (size_t len = 0; len < sizeof(text); len++) {
		char *cut = malloc(len + 1);

		memcpy(cut, text, len);
		if (!same_as_jansson(cut, len))
			UNIT_FAIL("cut after %zu", len);
		free(cut);
	}
	free(copy);
}

int main(void)
{
	RUN(values_are_found_where_they_are_wanted);
	RUN(elements_come_one_by_one);
	RUN(what_is_no_object_is_refused);
	RUN(strings_are_decoded_and_cut_between_characters);
	RUN(integers_are_whole_and_fit);
	RUN(jansson_reads_the_same_of_every_change);
	return unit_status();
}
