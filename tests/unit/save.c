// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The bounds of packets that are kept until it is known whether their login is saved.
 */
#include <string.h>

#include "save/saved_login.h"
#include "unit.h"

#define LOGINS	1500 /* of 64 KiB each: more than may be kept of all */
#define PAYLOAD 1460

static void *packets[LOGINS];
static uint8_t payload[PAYLOAD];

/* Until its own bound, and a packet more. Returns how many there were. */
static unsigned fill(struct save *s, void **slot)
{
	struct seg seg = {.cap_len = PAYLOAD, .len = PAYLOAD};
	uint64_t left_out = save_left_out(s);
	unsigned count = 0;

	for (; save_left_out(s) == left_out; count++)
		save_packet(s, slot, &seg, payload);
	return count;
}

static void test_of_a_login(void)
{
	struct save *s = save_new(&(struct save_config){0});
	unsigned count = fill(s, &packets[0]);

	CHECK(count > SAVE_LOGIN_MOST / 2 / PAYLOAD && count <= SAVE_LOGIN_MOST / PAYLOAD + 1);
	CHECK(save_kept(s) <= SAVE_LOGIN_MOST + 64);
	save_forget(s, packets[0]);
	packets[0] = NULL;
	CHECK_INT(save_kept(s), 0);
	save_free(s);
}

static void test_of_all(void)
{
	struct save *s = save_new(&(struct save_config){0});
	uint64_t kept = 0;
	unsigned whole;

	for (size_t i = 0; i < LOGINS; i++) {
		fill(s, &packets[i]);
		CHECK(save_kept(s) < SAVE_ALL_MOST + SAVE_LOGIN_MOST);
	}
	CHECK(save_kept(s) >= SAVE_ALL_MOST);
	/* A login that began when there was no room has nothing. */
	CHECK(!packets[LOGINS - 1]);
	CHECK_INT(save_left_out(s), LOGINS);
	/* A login that ends makes room for another. */
	kept = save_kept(s);
	save_forget(s, packets[0]);
	save_forget(s, packets[1]);
	packets[0] = packets[1] = NULL;
	CHECK(save_kept(s) < kept);
	whole = fill(s, &packets[0]);
	CHECK(whole > 1 && packets[0]);
	for (size_t i = 0; i < LOGINS; i++)
		save_forget(s, packets[i]);
	CHECK_INT(save_kept(s), 0);
	save_free(s);
}

int main(void)
{
	RUN(test_of_a_login);
	RUN(test_of_all);
	return unit_status();
}
