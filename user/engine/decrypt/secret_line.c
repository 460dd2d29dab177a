/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * secret_line.c - a line of a key log: "LABEL client-random secret", both in hexadecimal. The
 * format of SSLKEYLOGFILE, draft-ietf-tls-keylogfile.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "engine/decrypt/secrets.h"

/* Other labels are of early data, of exporters, or of secrets that these give. */
static const struct {
	const char *name;
	enum secret_kind kind;
} labels[] = {
	{"CLIENT_RANDOM", SECRET_MASTER},
	{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", SECRET_CLIENT_HANDSHAKE},
	{"SERVER_HANDSHAKE_TRAFFIC_SECRET", SECRET_SERVER_HANDSHAKE},
	{"CLIENT_TRAFFIC_SECRET_0", SECRET_CLIENT_DATA},
	{"SERVER_TRAFFIC_SECRET_0", SECRET_SERVER_DATA},
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A word of hexadecimal digits of at most max bytes: how many bytes, or -1. */
static int hex(uint8_t *out, size_t max, const char *word, size_t len)
{
	if (len % 2 || len / 2 > max)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = digit(word[2 * i]), low = digit(word[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

/* The next word of the line, which is stepped over; its length, 0 at the end. */
static size_t word_of(const char **line, size_t *left, const char **word)
{
	size_t len = 0;

	while (*left && (**line == ' ' || **line == '\t')) {
		++*line;
		--*left;
	}
	*word = *line;
	while (len < *left && !strchr(" \t\r\n", (*line)[len]))
		len++;
	*line += len;
	*left -= len;
	return len;
}

static bool kind_of(const char *word, size_t len, enum secret_kind *kind)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strlen(labels[i].name) == len && !memcmp(labels[i].name, word, len)) {
			*kind = labels[i].kind;
			return true;
		}
	}
	return false;
}

bool secret_line_parse(struct secret_line *out, const char *line, size_t len)
{
	const char *word;
	size_t n = word_of(&line, &len, &word);
	int bytes;

	if (!kind_of(word, n, &out->kind))
		return false;
	n = word_of(&line, &len, &word);
	if (hex(out->random, TLS_RANDOM, word, n) != TLS_RANDOM)
		return false;
	n = word_of(&line, &len, &word);
	bytes = hex(out->secret.bytes, SECRET_MAX, word, n);
	/* A master secret is of 48 bytes, RFC 5246 8.1; the others are as long as their hash. */
	if (bytes != SECRET_MAX && (bytes != 32 || out->kind == SECRET_MASTER)) {
		OPENSSL_cleanse(out, sizeof(*out));
		return false;
	}
	out->secret.len = (uint8_t)bytes;
	return true;
}
