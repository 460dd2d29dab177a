// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ssrp.c - see ssrp.h.
 */
#include <errno.h>
#include <strings.h>

#include "engine/protocol/ssrp.h"
#include "lib/utf8.h"

/* MC-SQLR 2.2.1 to 2.2.6 */
#define CLNT_BCAST_EX	0x02
#define CLNT_UCAST_EX	0x03
#define CLNT_UCAST_INST 0x04
#define CLNT_UCAST_DAC	0x0f
#define SVR_RESP	0x05
#define DAC_VERSION	0x01
#define DAC_SIZE	6 /* RESP_SIZE of a DAC answer counts the whole message */

/*
 * Set a name as UTF-8; empty, and false, if it is too long. The protocol does not state the code
 * page: Latin-1 accepts any byte.
 */
static bool name_set(char out[SSRP_NAME_TEXT], const uint8_t *p, size_t n)
{
	char *at = out;

	if (!n || n > SSRP_NAME)
		n = 0;
	for (size_t i = 0; i < n; i++)
		at += utf8_put(p[i], at);
	*at = '\0';
	return n;
}

/* Read the rest of a question, up to a NUL that some clients leave out. */
static bool question_name(struct cursor *c, char out[SSRP_NAME_TEXT])
{
	size_t left = cursor_left(c), n;
	const uint8_t *p = cursor_take(c, left);
	const uint8_t *nul = left ? memchr(p, 0, left) : NULL;

	n = nul ? (size_t)(nul - p) : left;
	return name_set(out, p, n);
}

int ssrp_question(struct ssrp_question *q, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_init(data, len);

	*q = (struct ssrp_question){0};
	if (!len)
		return 0;
	switch (cursor_u8(&c)) {
	case CLNT_BCAST_EX:
		q->kind = SSRP_BROADCAST;
		return 1;
	case CLNT_UCAST_EX:
		q->kind = SSRP_LIST;
		return 1;
	case CLNT_UCAST_INST:
		q->kind = SSRP_INSTANCE;
		break;
	case CLNT_UCAST_DAC:
		q->kind = SSRP_DAC;
		if (len > 1 && cursor_u8(&c) != DAC_VERSION)
			return -EPROTO;
		break;
	default:
		return -EPROTO;
	}
	if (!cursor_left(&c))
		return 0;
	return question_name(&c, q->name) ? (int)len : -EPROTO;
}

int ssrp_answer(struct ssrp_answer *a, const uint8_t *data, size_t len)
{
	struct cursor c = cursor_init(data, len);
	uint8_t type = cursor_u8(&c);
	uint16_t size = cursor_le16(&c);

	*a = (struct ssrp_answer){0};
	if (len && type != SVR_RESP)
		return -EPROTO;
	if (c.bad)
		return 0;
	if (size == DAC_SIZE && cursor_left(&c) && *c.p == DAC_VERSION) {
		cursor_skip(&c, 1);
		a->dac_port = cursor_le16(&c);
		if (c.bad)
			return 0;
		return a->dac_port ? DAC_SIZE : -EPROTO;
	}
	a->cut = size > cursor_left(&c);
	a->text = cursor_sub(&c, a->cut ? cursor_left(&c) : size);
	return (int)(len - cursor_left(&c));
}

/* The text before the next semicolon, or up to the end of the whole text. */
static bool answer_word(struct ssrp_answer *a, struct cursor *word)
{
	size_t left = cursor_left(&a->text);
	const uint8_t *semicolon = left ? memchr(a->text.p, ';', left) : NULL;

	if (!left || (!semicolon && a->cut))
		return false;
	*word = cursor_sub(&a->text, semicolon ? (size_t)(semicolon - a->text.p) : left);
	if (semicolon)
		cursor_skip(&a->text, 1);
	return true;
}

static bool word_is(const struct cursor *word, const char *text)
{
	size_t n = strlen(text);

	return cursor_left(word) == n && !strncasecmp((const char *)word->p, text, n);
}

/* A decimal number from 1 to 65535 and nothing else; 0 if the word is not one. */
static uint16_t word_port(struct cursor word)
{
	uint32_t port = 0;

	if (cursor_left(&word) > 5)
		return 0;
	while (cursor_left(&word)) {
		uint8_t digit = (uint8_t)(cursor_u8(&word) - '0');

		if (digit > 9)
			return 0;
		port = port * 10 + digit;
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/*
 * Read an instance: keys and values, and an empty key at the end: MC-SQLR 2.2.5. The end of a
 * complete text also ends an instance. False: there is no further instance.
 */
static bool instance_read(struct ssrp_answer *a, struct ssrp_instance *i)
{
	struct cursor key, value;
	bool any = false;

	*i = (struct ssrp_instance){0};
	while (answer_word(a, &key)) {
		any = true;
		if (!cursor_left(&key))
			return true;
		if (!answer_word(a, &value))
			break;
		if (word_is(&key, "InstanceName"))
			name_set(i->name, value.p, cursor_left(&value));
		else if (word_is(&key, "tcp"))
			i->port = word_port(value);
		if (!cursor_left(&value))
			return true;
	}
	return any && !a->cut;
}

bool ssrp_instance(struct ssrp_answer *a, struct ssrp_instance *i)
{
	while (instance_read(a, i))
		if (*i->name)
			return true;
	return false;
}
