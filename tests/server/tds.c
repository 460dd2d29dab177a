// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Writes TDS packets and the tokens of a server's reply. */
#include <string.h>

#include "tds.h"

const uint8_t tds_collation[5] = {0x09, 0x04, 0xd0, 0x00, 0x34};

/* Tokens of u16 length: begin returns where the length goes, end fills it in. */
static size_t token_begin(struct buf *b, enum token token)
{
	buf_u8(b, token);
	buf_le16(b, 0);
	return buf_len(b);
}

static void token_end(struct buf *b, size_t start)
{
	buf_set_le16(b, start - 2, buf_len(b) - start);
}

void token_env_text(struct buf *b, enum env_type type, const char *value, const char *old)
{
	size_t start = token_begin(b, TOKEN_ENVCHANGE);

	buf_u8(b, type);
	buf_bvarchar(b, value);
	buf_bvarchar(b, old);
	token_end(b, start);
}

void token_env_bytes(struct buf *b, enum env_type type, const void *value, size_t len,
		     const void *old, size_t old_len)
{
	size_t start = token_begin(b, TOKEN_ENVCHANGE);

	buf_u8(b, type);
	buf_u8(b, len);
	buf_put(b, value, len);
	buf_u8(b, old_len);
	buf_put(b, old, old_len);
	token_end(b, start);
}

void token_env_routing(struct buf *b, const char *host, unsigned port)
{
	size_t start = token_begin(b, TOKEN_ENVCHANGE), value;

	buf_u8(b, ENV_ROUTING);
	buf_le16(b, 0);
	value = buf_len(b);
	buf_u8(b, 0); /* TCP */
	buf_le16(b, port);
	buf_usvarchar(b, host);
	buf_set_le16(b, value - 2, buf_len(b) - value);
	buf_le16(b, 0);
	token_end(b, start);
}

void token_message(struct buf *b, enum token token, uint32_t version, const char *server,
		   const struct message *m)
{
	size_t start = token_begin(b, token);

	buf_le32(b, m->number);
	buf_u8(b, m->state);
	buf_u8(b, m->class);
	buf_usvarchar(b, m->text);
	buf_bvarchar(b, server);
	buf_bvarchar(b, "");
	if (tds_at_least(version, TDS_7_2))
		buf_le32(b, 1);
	else
		buf_le16(b, 1);
	token_end(b, start);
}

/* The acknowledged version is the requested one in the other byte order, but for two old ones. */
static uint32_t loginack_version(uint32_t version)
{
	return version == TDS_7_0 ? 0x07000000 : version == TDS_7_1 ? 0x07010000 : version;
}

void token_loginack(struct buf *b, uint32_t version, const char *product, uint32_t product_version)
{
	size_t start = token_begin(b, TOKEN_LOGINACK), count;

	buf_u8(b, 1);
	buf_be32(b, loginack_version(version));
	count = buf_len(b);
	buf_bvarchar(b, product);
	buf_le32(b, 0); /* the real one pads its name with two NULs */
	buf_head(b)[count] += 2;
	buf_be32(b, product_version);
	token_end(b, start);
}

void token_done(struct buf *b, enum token token, uint32_t version, unsigned status,
		unsigned command, uint64_t rows)
{
	buf_u8(b, token);
	buf_le16(b, status);
	buf_le16(b, command);
	if (tds_at_least(version, TDS_7_2))
		buf_le64(b, rows);
	else
		buf_le32(b, rows);
}

void tds_packet(struct buf *b, enum tds_type type, unsigned status, unsigned spid, unsigned id,
		const void *payload, size_t n)
{
	buf_u8(b, type);
	buf_u8(b, status);
	buf_be16(b, TDS_HEADER + n);
	buf_be16(b, spid);
	buf_u8(b, id);
	buf_u8(b, 0);
	buf_put(b, payload, n);
}
