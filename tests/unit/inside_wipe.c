// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * inside_wipe.c - neither a TLS secret nor what was decrypted with one stands in memory that the
 * engine gives back. free() is replaced by one that looks into each block first.
 */
#include <linux/types.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "freed.h"

#define PLAIN	  "\xa5\xe1\x93\xb7\xc3\xd9\x8f\xf1"
#define PLAIN_LEN (sizeof(PLAIN) - 1)
#define SECRETS	  32

/* OpenSSL's two ends are not the engine: look only at what is freed during its calls. */
static int watching;
static unsigned freed, found, secret_count;
static unsigned char secrets[SECRETS][32]; /* the first bytes of each */

static void look(void *data)
{
	size_t len = malloc_usable_size(data);
	int is;

	if (!watching) { /* or what OpenSSL's ends leave would be found when the memory is used next */
		explicit_bzero(data, len);
		return;
	}
	is = memmem(data, len, PLAIN, PLAIN_LEN) != NULL;
	for (unsigned i = 0; i < secret_count; i++)
		is |= memmem(data, len, secrets[i], sizeof(secrets[i])) != NULL;
	freed++;
	found += is;
	if (is)
		explicit_bzero(data, len); /* or it would be found again in what this becomes */
}

#define INSIDE_CALL(call)                                                                          \
	do {                                                                                       \
		watching = 1;                                                                      \
		call;                                                                              \
		watching = 0;                                                                      \
	} while (0)
#define INSIDE_LINE(text) note_secret(text)

static void note_secret(const char *line)
{
	const char *hex = strrchr(line, ' ');

	for (unsigned i = 0; hex && secret_count < SECRETS && i < sizeof(secrets[0]); i++) {
		const char pair[] = {hex[1 + 2 * i], hex[2 + 2 * i], 0};

		secrets[secret_count][i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	secret_count += hex && secret_count < SECRETS;
}

#include "inside.h"

static struct inside test;

/* LOGIN7 whose password is the marker. */
static void send_login7(void)
{
	uint8_t login7[sizeof(login7_sql) + PLAIN_LEN];

	memcpy(login7, login7_sql, sizeof(login7_sql));
	memcpy(login7 + sizeof(login7_sql), PLAIN, PLAIN_LEN);
	login7[3] = sizeof(login7);
	login7[8] = sizeof(login7) - 8;
	login7[8 + 44] = sizeof(login7_sql) - 8; /* ibPassword */
	login7[8 + 46] = PLAIN_LEN / 2;
	SAY(&test, SIDE_CLIENT, login7);
}

static void begin(int version, enum key_log keys, bool strict)
{
	freed = found = secret_count = 0;
	inside_begin(&test, version, keys);
	if (strict)
		inside_tds8(&test);
	else
		inside_tds7(&test, true, false);
}

static void end(void)
{
	INSIDE_CALL(engine_free(test.e));
	pair_release(&test.pair);
	CHECK(secret_count > 0);
	CHECK(freed > 0);
	CHECK_INT(found, 0);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

UNIT_CASE(the_looking_works)
{
	void (*volatile give_back)(void *) = free;
	char *block = calloc(1, 100);

	memcpy(block + 10, PLAIN, PLAIN_LEN);
	freed = found = 0;
	INSIDE_CALL(give_back(block));
	CHECK_INT(freed, 1);
	CHECK_INT(found, 1);
	note_secret("CLIENT_RANDOM 00 "
		    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021");
	block = calloc(1, 100);
	memcpy(block + 50, secrets[0], 32);
	INSIDE_CALL(give_back(block));
	CHECK_INT(found, 2);
}

UNIT_CASE(sessions_that_were_read)
{
	for (int i = 0; i < 4; i++) {
		begin(versions[i & 1], KEYS_ON_TIME, i & 2);
		send_login7();
		let_in(&test);
		SAY(&test, SIDE_CLIENT, batch_after_reset);
		CHECK_INT(test.login.outcome_basis, BASIS_OBSERVED);
		if (i & 1)
			SSL_key_update(test.pair.ssl[0], SSL_KEY_UPDATE_REQUESTED);
		SAY(&test, SIDE_CLIENT, batch_after_reset);
		inside_close(&test);
		end();
	}
}

UNIT_CASE(connections_in_any_state)
{
	for (int i = 0; i < 8; i++) {
		begin(versions[i & 1], i & 2 ? KEYS_LATE : KEYS_ON_TIME, i & 4);
		if (i & 2)
			keys_now(&test);
		test.cut = 20; /* the record is decrypted, its message is not complete */
		send_login7();
		end();
		begin(versions[i & 1], i & 2 ? KEYS_LATE : KEYS_WRONG, i & 4);
		send_login7();
		end();
	}
}

int main(void)
{
	RUN(the_looking_works);
	RUN(sessions_that_were_read);
	RUN(connections_in_any_state);
	return unit_status();
}
