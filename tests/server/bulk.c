// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Counts the rows that a client loads. */
#include "bulk.h"
#include "tds.h"

enum { TOKEN_NBCROW = 0xd2, MAX_COLUMNS = 1024, PLP = 0xffff, CHAR_NULL = 0xffff };

/* How a type is described behind its number, and how a value of it begins: MS-TDS 2.2.5.4 */
enum shape { UNKNOWN, FIXED, BYTE_LENGTH, SHORT_LENGTH, CHUNKS };

struct column {
	enum shape shape;
	unsigned fixed_len;
};

/* clang-format off */
static const struct {
	uint8_t type, shape, info, value; /* bytes of description; bytes of a fixed value */
	bool collation;
} types[] = {
	{ 0x30, FIXED, 0, 1, false }, { 0x32, FIXED, 0, 1, false }, { 0x34, FIXED, 0, 2, false },
	{ 0x38, FIXED, 0, 4, false }, { 0x3a, FIXED, 0, 4, false }, { 0x3b, FIXED, 0, 4, false },
	{ 0x3c, FIXED, 0, 8, false }, { 0x3d, FIXED, 0, 8, false }, { 0x3e, FIXED, 0, 8, false },
	{ 0x7a, FIXED, 0, 4, false }, { 0x7f, FIXED, 0, 8, false },
	{ 0x24, BYTE_LENGTH, 1, 0, false }, { 0x26, BYTE_LENGTH, 1, 0, false },
	{ 0x28, BYTE_LENGTH, 0, 0, false }, { 0x29, BYTE_LENGTH, 1, 0, false },
	{ 0x2a, BYTE_LENGTH, 1, 0, false }, { 0x2b, BYTE_LENGTH, 1, 0, false },
	{ 0x68, BYTE_LENGTH, 1, 0, false }, { 0x6a, BYTE_LENGTH, 3, 0, false },
	{ 0x6c, BYTE_LENGTH, 3, 0, false }, { 0x6d, BYTE_LENGTH, 1, 0, false },
	{ 0x6e, BYTE_LENGTH, 1, 0, false }, { 0x6f, BYTE_LENGTH, 1, 0, false },
	{ 0xa5, SHORT_LENGTH, 2, 0, false }, { 0xad, SHORT_LENGTH, 2, 0, false },
	{ 0xa7, SHORT_LENGTH, 2, 0, true }, { 0xaf, SHORT_LENGTH, 2, 0, true },
	{ 0xe7, SHORT_LENGTH, 2, 0, true }, { 0xef, SHORT_LENGTH, 2, 0, true },
};
/* clang-format on */

static struct column read_column(struct reader *r, uint32_t version)
{
	struct column c = {UNKNOWN, 0};
	unsigned type;

	read_bytes(r, (tds_at_least(version, TDS_7_2) ? 4 : 2) + 2);
	type = read_u8(r);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (types[i].type != type)
			continue;
		c.shape = types[i].shape;
		c.fixed_len = types[i].value;
		if (c.shape != SHORT_LENGTH)
			read_bytes(r, types[i].info);
		else if (read_le16(r) == PLP)
			c.shape = CHUNKS;
		if (types[i].collation && tds_at_least(version, TDS_7_1))
			read_bytes(r, 5);
	}
	read_bytes(r, 2 * read_u8(r));
	return c;
}

static void skip_value(struct reader *r, const struct column *c)
{
	uint32_t n;

	switch (c->shape) {
	case FIXED:
		read_bytes(r, c->fixed_len);
		break;
	case BYTE_LENGTH:
		read_bytes(r, read_u8(r));
		break;
	case SHORT_LENGTH:
		n = read_le16(r);
		read_bytes(r, n == CHAR_NULL ? 0 : n);
		break;
	default:
		n = read_le32(r);
		if (n == 0xffffffff && read_le32(r) == 0xffffffff)
			break; /* NULL */
		if (n != 0xffffffff)
			read_le32(r);
		while ((n = read_le32(r)))
			read_bytes(r, n);
	}
}

uint64_t bulk_rows(const uint8_t *p, size_t len, uint32_t version)
{
	struct reader r = {p, len, false};
	struct column columns[MAX_COLUMNS];
	unsigned n, token;
	uint64_t rows = 0;

	if (read_u8(&r) != TOKEN_COLMETADATA || (n = read_le16(&r)) > MAX_COLUMNS)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		columns[i] = read_column(&r, version);
		if (columns[i].shape == UNKNOWN)
			return 0;
	}
	while ((token = read_u8(&r)) == TOKEN_ROW || token == TOKEN_NBCROW) {
		const uint8_t *nulls = token == TOKEN_NBCROW ? read_bytes(&r, (n + 7) / 8) : NULL;

		for (unsigned i = 0; i < n && !r.bad; i++)
			if (!nulls || !(nulls[i / 8] >> i % 8 & 1))
				skip_value(&r, &columns[i]);
		if (r.bad)
			break;
		rows++;
	}
	return rows;
}
