// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * login_history_file.c - a history in a file: a head, the verdicts' names, the slots that are not free, an
 * end, and the CRC-32 of it all. Numbers are in LEB128, and so are the lengths before names. A slot's
 * causes refer to the names, because another version may number its verdicts otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/cursor.h"
#include "lib/output.h"
#include "sink/page/login_history_int.h"

#define FILE_HEAD    "tdsmon history 1\n" /* 1: the layout, and the buckets' bounds */
#define FILE_VERSION (sizeof(FILE_HEAD) - 3)
#define FILE_NAMES   4096 /* verdicts' names at most */
#define LEB128_MAX   10
#define CRC_LEN	     4

struct writer_to {
	struct output out;
	uLong crc;
};

static void put(struct writer_to *to, const void *data, size_t len)
{
	to->crc = crc32(to->crc, data, (uInt)len);
	output_write(&to->out, data, len);
}

static void put_number(struct writer_to *to, uint64_t n)
{
	uint8_t bytes[LEB128_MAX];
	size_t len = 0;

	do {
		bytes[len] = n & 0x7f;
		n >>= 7;
		bytes[len++] |= n ? 0x80 : 0;
	} while (n);
	put(to, bytes, len);
}

static void put_slot(struct writer_to *to, const struct login_history_slot *slot, unsigned period)
{
	unsigned causes = 0, buckets = 0;

	for (unsigned i = 0; i < LOGIN_HISTORY_CAUSES; i++)
		causes += slot->causes[i].count != 0;
	for (unsigned i = 0; i < LOGIN_HISTORY_BUCKETS; i++)
		buckets += slot->buckets[i] != 0;
	put_number(to, period);
	put_number(to, slot->start_s);
	put_number(to, slot->logins);
	put_number(to, slot->failed);
	put_number(to, slot->slow);
	put_number(to, slot->ended);
	put_number(to, causes);
	for (unsigned i = 0; i < LOGIN_HISTORY_CAUSES; i++) {
		if (!slot->causes[i].count)
			continue;
		put_number(to, slot->causes[i].verdict);
		put_number(to, slot->causes[i].count);
	}
	put_number(to, buckets);
	for (unsigned i = 0; i < LOGIN_HISTORY_BUCKETS; i++) {
		if (!slot->buckets[i])
			continue;
		put_number(to, i);
		put_number(to, slot->buckets[i]);
	}
}

int login_history_save(struct login_history *history, int fd)
{
	struct writer_to *to = calloc(1, sizeof(*to));
	uint8_t crc[CRC_LEN];
	int err;

	if (!to)
		return -ENOMEM;
	output_init(&to->out, fd);
	put(to, FILE_HEAD, strlen(FILE_HEAD));
	put_number(to, VERDICT_COUNT);
	for (int i = 0; i < VERDICT_COUNT; i++) {
		const char *name = verdict_name((enum verdict)i) ?: "";

		put_number(to, strlen(name));
		put(to, name, strlen(name));
	}
	for (size_t i = 0; i < LOGIN_HISTORY_SLOTS; i++)
		if (history->slots[i].start_s)
			put_slot(to, &history->slots[i], login_history_period(i));
	put_number(to, 0); /* no period: the end */
	for (int i = 0; i < CRC_LEN; i++)
		crc[i] = (uint8_t)(to->crc >> 8 * i);
	output_write(&to->out, (const char *)crc, sizeof(crc));
	err = output_flush(&to->out);
	free(to);
	if (!err)
		history->unsaved = false;
	return err;
}

static uint64_t take_number(struct cursor *c)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = cursor_u8(c);

		n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	c->bad = true;
	return 0;
}

/* A number that is at most max. */
static uint32_t take_count(struct cursor *c, uint32_t max)
{
	uint64_t n = take_number(c);

	c->bad = c->bad || n > max;
	return c->bad ? 0 : (uint32_t)n;
}

/* Which verdict of this program has the name? V_NONE: none. */
static uint16_t verdict_of(const uint8_t *name, size_t len)
{
	for (uint16_t i = V_NONE + 1; name && i < VERDICT_COUNT; i++) {
		const char *known = verdict_name((enum verdict)i);

		if (strlen(known) == len && !memcmp(known, name, len))
			return i;
	}
	return V_NONE;
}

/* Returns how many there are. */
static uint32_t take_names(struct cursor *c, uint16_t verdicts[FILE_NAMES])
{
	uint32_t count = take_count(c, FILE_NAMES);

	for (uint32_t i = 0; i < count && !c->bad; i++) {
		uint32_t len = take_count(c, UINT32_MAX);

		verdicts[i] = verdict_of(cursor_take(c, len), len);
	}
	return count;
}

/* Returns the slot's period, 0 at the end. */
static unsigned take_slot(struct cursor *c, struct login_history_slot *slot,
			  const uint16_t *verdicts, uint32_t names)
{
	unsigned period = take_count(c, 60), count;

	*slot = (struct login_history_slot){0};
	if (!period)
		return 0;
	slot->start_s = take_number(c);
	slot->logins = take_count(c, UINT32_MAX);
	slot->failed = take_count(c, UINT32_MAX);
	slot->slow = take_count(c, UINT32_MAX);
	slot->ended = take_count(c, UINT32_MAX);
	count = take_count(c, LOGIN_HISTORY_CAUSES);
	for (unsigned i = 0; i < count && !c->bad; i++) {
		uint32_t name = take_count(c, names - 1), n = take_count(c, UINT32_MAX);

		if (!c->bad && n)
			login_history_add_cause(slot, verdicts[name], n);
	}
	count = take_count(c, LOGIN_HISTORY_BUCKETS);
	for (unsigned i = 0; i < count && !c->bad; i++) {
		uint32_t bucket = take_count(c, LOGIN_HISTORY_BUCKETS - 1),
			 n = take_count(c, UINT32_MAX);

		if (!c->bad)
			slot->buckets[bucket] = n;
	}
	c->bad = c->bad || (period != 1 && period != 60) || !slot->start_s ||
		 slot->start_s % period || slot->failed > slot->logins || slot->slow > slot->logins;
	return c->bad ? 0 : period;
}

/* Read all slots; the history takes those that are not too old. False: there is a fault. */
static bool take_slots(struct login_history *history, struct cursor *c, uint64_t now_s)
{
	uint16_t *verdicts = calloc(FILE_NAMES, sizeof(*verdicts));
	uint32_t names = verdicts ? take_names(c, verdicts) : 0;
	struct login_history_slot slot;
	unsigned period;

	c->bad = c->bad || !names;
	while (!c->bad && (period = take_slot(c, &slot, verdicts, names))) {
		struct login_history_slot *to =
			&history->slots[login_history_index(slot.start_s, period)];

		if (slot.start_s <= now_s && slot.start_s > to->start_s)
			*to = slot;
	}
	free(verdicts);
	return !c->bad && !cursor_left(c);
}

const char *login_history_load(struct login_history *history, const void *data, size_t len,
			       uint64_t now_s)
{
	size_t head = strlen(FILE_HEAD);
	const uint8_t *bytes = data;
	struct cursor c;

	if (len < head || memcmp(data, FILE_HEAD, FILE_VERSION))
		return "it is no history of tdsmon's";
	if (memcmp(data, FILE_HEAD, head))
		return "another version of tdsmon wrote it in another layout";
	if (len < head + CRC_LEN ||
	    crc32(0, data, (uInt)(len - CRC_LEN)) != le32_at(bytes + len - CRC_LEN))
		return "it is damaged: its checksum does not fit";
	c = cursor_init(bytes + head, len - head - CRC_LEN);
	history->now_s = now_s;
	if (take_slots(history, &c, now_s))
		return NULL;
	memset(history, 0, sizeof(*history));
	return "it is damaged: its numbers contradict each other";
}
