// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Finds the procedure and the statement in an RPC message. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rpc.h"

/* MS-TDS 2.2.5.4 */
enum {
	TYPE_INT4 = 0x38,
	TYPE_INTN = 0x26,
	TYPE_BITN = 0x68,
	TYPE_NTEXT = 0x63,
	TYPE_NVARCHAR = 0xe7,
	PLP = 0xffff,
};

static const struct {
	const char *name;
	enum rpc_proc proc;
} names[] = {
	{"sp_cursoropen", RPC_CURSOROPEN}, {"sp_executesql", RPC_EXECUTESQL},
	{"sp_prepare", RPC_PREPARE},	   {"sp_execute", RPC_EXECUTE},
	{"sp_prepexec", RPC_PREPEXEC},	   {"sp_unprepare", RPC_UNPREPARE},
};

static enum rpc_proc procedure(struct reader *r)
{
	unsigned units = read_le16(r);
	const uint8_t *p;
	char name[80];

	if (units == 0xffff)
		return read_le16(r);
	p = read_bytes(r, 2 * units);
	if (!p)
		return RPC_OTHER;
	utf8_from_utf16(name, sizeof(name), p, units);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcasecmp(name, names[i].name))
			return names[i].proc;
	return RPC_OTHER;
}

/* A value in chunks: MS-TDS 2.2.5.2.3 */
static void read_plp(struct reader *r, struct buf *value)
{
	uint32_t n;

	read_bytes(r, 8);
	while ((n = read_le32(r))) {
		const uint8_t *p = read_bytes(r, n);

		if (!p)
			break;
		buf_put(value, p, n);
	}
}

static char *read_text(struct reader *r, unsigned type, bool with_collation)
{
	unsigned max = type == TYPE_NTEXT ? read_le32(r) : read_le16(r);
	struct buf value = {0};
	char *text;
	size_t n;

	if (with_collation)
		read_bytes(r, 5);
	if (type == TYPE_NVARCHAR && max == PLP) {
		read_plp(r, &value);
	} else {
		n = type == TYPE_NTEXT ? read_le32(r) : read_le16(r);
		if (n != 0xffff && n != 0xffffffff) { /* NULL */
			const uint8_t *p = read_bytes(r, n);

			if (p)
				buf_put(&value, p, n);
		}
	}
	n = buf_len(&value) / 2;
	text = malloc(3 * n + 8);
	if (!text)
		abort();
	utf8_from_utf16(text, 3 * n + 8, buf_head(&value), n);
	buf_release(&value);
	return text;
}

void rpc_parse(struct rpc *rpc, const uint8_t *body, size_t len, bool with_collation)
{
	struct reader r = {body, len, false};
	unsigned texts = 0;

	*rpc = (struct rpc){.proc = procedure(&r)};
	read_le16(&r);
	while (r.left && texts < 2) {
		unsigned type;

		read_bytes(&r, 2 * read_u8(&r));
		read_u8(&r);
		type = read_u8(&r);
		if (type == TYPE_INT4) {
			read_bytes(&r, 4);
		} else if (type == TYPE_INTN || type == TYPE_BITN) {
			read_u8(&r);
			read_bytes(&r, read_u8(&r));
		} else if (type == TYPE_NTEXT || type == TYPE_NVARCHAR) {
			rpc->text[texts++] = read_text(&r, type, with_collation);
		} else {
			break;
		}
	}
}

void rpc_release(struct rpc *rpc)
{
	free(rpc->text[0]);
	free(rpc->text[1]);
}
