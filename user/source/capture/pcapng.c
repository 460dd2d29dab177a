// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pcapng.c - the pcapng file format: draft-ietf-opsawg-pcapng.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/capture/capture_format.h"
#include "lib/units.h"
#include "lib/wire_int.h"

#define BLOCK_HEAD 8  /* type, length */
#define BLOCK_LEAN 12 /* and the length again, at the end */

#define SECTION	       0x0a0d0d0au /* the same in either byte order */
#define SECTION_MAGIC  0x1a2b3c4du
#define INTERFACES_MAX 65536u /* most in a section; each is stored */
#define SECRETS_PIECE  (64u * 1024)

/* The options that are read. */
#define OPT_COMMENT  1
#define OPT_ENDTIME  3 /* of an interface's statistics */
#define OPT_TSRESOL  9
#define OPT_TSOFFSET 14

/* An interface description: how to interpret its packets. */
struct interface {
	const struct link *link;
	uint32_t type;
	uint32_t snap_len; /* 0: none */
	int64_t offset_s;  /* offset of its times */
	uint64_t mul, div; /* converts its units to nanoseconds */
	uint8_t shift;	   /* the same, if the units are powers of two */
};

struct pcapng {
	bool swap; /* the section's numbers have the other byte order */
	struct interface *interfaces;
	uint32_t interface_count, interface_room;
};

/* The part of a whole block between its two lengths. */
struct block {
	const uint8_t *body;
	uint32_t len;
};

static uint32_t ng32(const struct pcapng *ng, const uint8_t *p)
{
	return host32_at(p, ng->swap);
}

static uint16_t ng16(const struct pcapng *ng, const uint8_t *p)
{
	return host16_at(p, ng->swap);
}

static uint64_t ng64(const struct pcapng *ng, const uint8_t *p)
{
	return host64_at(p, ng->swap);
}

/* The next option at *at. False: no more options, or this one does not fit. */
struct option {
	uint16_t code, len;
	const uint8_t *value;
};

static bool option_next(const struct pcapng *ng, const uint8_t **at, const uint8_t *end,
			struct option *option)
{
	size_t left = (size_t)(end - *at), size;

	if (left < 4)
		return false;
	*option = (struct option){ng16(ng, *at), ng16(ng, *at + 2), *at + 4};
	size = 4 + (option->len + 3u) / 4 * 4;
	if (!option->code || size > left)
		return false;
	*at += size;
	return true;
}

/* Pass on the comments among a block's options, which begin at from. packet 0: the capture's. */
static void ng_comments(const struct capture *c, const struct block *block, size_t from,
			uint64_t packet)
{
	const uint8_t *at = block->body + from, *end = block->body + block->len;
	struct option option;

	if (!c->hooks || !c->hooks->comment || from >= block->len)
		return;
	while (option_next(c->state, &at, end, &option)) {
		const struct capture_comment comment = {
			.name = c->name,
			.packet = packet,
			.text = (const char *)option.value,
			.len = option.len,
		};

		if (option.code == OPT_COMMENT)
			c->hooks->comment(c->hooks->ctx, &comment);
	}
}

/* if_tsresol: the unit of time, as a negative power of 10 or, with the top bit, of 2 seconds */
static void interface_resolution(struct interface *in, uint8_t resolution)
{
	uint8_t power = resolution & 0x7f;

	in->mul = in->div = 1;
	in->shift = 0;
	if (resolution & 0x80) {
		in->mul = NS_PER_S;
		in->shift = power;
		return;
	}
	for (; power < 9; power++)
		in->mul *= 10;
	for (; power > 9 && in->div <= UINT64_MAX / 10; power--)
		in->div *= 10;
	if (power > 9)
		/* all that 64 bits of such units can count is less than a nanosecond */
		in->mul = 0;
}

/* Convert a time to ns since 1970; CAPTURE_NO_TIME: it does not fit. */
static uint64_t interface_time(const struct interface *in, uint64_t units)
{
	unsigned __int128 ns = (unsigned __int128)units * in->mul;
	__int128 at;

	if (in->shift)
		ns >>= in->shift;
	else if (in->div > 1)
		ns /= in->div;
	at = (__int128)ns + (__int128)in->offset_s * NS_PER_S;
	return at >= 0 && at < CAPTURE_NO_TIME ? (uint64_t)at : CAPTURE_NO_TIME;
}

/* Section header block: it sets the byte order, and its interfaces are described again. */
static int ng_section(struct capture *c, const struct block *block, struct frame *frame,
		      const struct link **link)
{
	struct pcapng *ng = c->state;
	uint16_t major;

	(void)frame;
	(void)link;
	major = ng16(ng, block->body + 4);
	if (major != 1)
		return capture_broken(c, "pcapng of version %u.%u is not known here", major,
				      ng16(ng, block->body + 6));
	ng->interface_count = 0;
	ng_comments(c, block, 16, 0);
	return 0;
}

static int ng_interface(struct capture *c, const struct block *block, struct frame *frame,
			const struct link **link)
{
	struct pcapng *ng = c->state;
	const uint8_t *at = block->body + 8, *end = block->body + block->len;
	struct option option;
	struct interface *in;

	(void)frame;
	(void)link;
	if (ng->interface_count == INTERFACES_MAX)
		return capture_broken(c, "more than %u interfaces", INTERFACES_MAX);
	if (ng->interface_count == ng->interface_room) {
		uint32_t room = ng->interface_room ? 2 * ng->interface_room : 4;

		in = realloc(ng->interfaces, room * sizeof(*in));
		if (!in)
			return -ENOMEM;
		ng->interfaces = in;
		ng->interface_room = room;
	}
	in = &ng->interfaces[ng->interface_count++];
	*in = (struct interface){.type = ng16(ng, block->body),
				 .snap_len = ng32(ng, block->body + 4)};
	in->link = link_find(in->type);
	interface_resolution(in, 6);
	while (option_next(ng, &at, end, &option)) {
		if (option.code == OPT_TSRESOL && option.len == 1)
			interface_resolution(in, option.value[0]);
		else if (option.code == OPT_TSOFFSET && option.len == 8)
			in->offset_s = (int64_t)ng64(ng, option.value);
	}
	ng_comments(c, block, 8, 0);
	return 0;
}

/* A packet whose bytes begin at from; time is in the interface's units. */
static int ng_packet(struct capture *c, const struct block *block, uint32_t interface,
		     uint32_t from, struct frame *frame, const struct link **link)
{
	const struct pcapng *ng = c->state;
	const struct interface *in;

	if (interface >= ng->interface_count)
		return capture_broken(c, "a packet of interface %u, which is not described",
				      interface);
	in = &ng->interfaces[interface];
	if (frame->cap_len > CAPTURE_PACKET_MAX)
		return capture_broken(c, "a packet of %u bytes, which is impossible",
				      frame->cap_len);
	if (frame->cap_len > block->len - from)
		return capture_broken(c, "a packet of %u bytes in a block of %u", frame->cap_len,
				      block->len);
	if (frame->len < frame->cap_len)
		frame->len = frame->cap_len;
	frame->data = block->body + from;
	if (frame->ts_ns != CAPTURE_NO_TIME)
		frame->ts_ns = interface_time(in, frame->ts_ns);
	*link = in->link;
	if (!in->link)
		c->strange_type = in->type;
	ng_comments(c, block, from + (frame->cap_len + 3) / 4 * 4, c->stats.packets + 1);
	return 1;
}

/* Enhanced packet block, and the older packet block: they are equal from offset 4 on. */
static int ng_timed(struct capture *c, const struct block *block, uint32_t interface,
		    struct frame *frame, const struct link **link)
{
	const struct pcapng *ng = c->state;

	frame->ts_ns = (uint64_t)ng32(ng, block->body + 4) << 32 | ng32(ng, block->body + 8);
	frame->cap_len = ng32(ng, block->body + 12);
	frame->len = ng32(ng, block->body + 16);
	return ng_packet(c, block, interface, 20, frame, link);
}

static int ng_enhanced(struct capture *c, const struct block *block, struct frame *frame,
		       const struct link **link)
{
	return ng_timed(c, block, ng32(c->state, block->body), frame, link);
}

static int ng_obsolete(struct capture *c, const struct block *block, struct frame *frame,
		       const struct link **link)
{
	return ng_timed(c, block, ng16(c->state, block->body), frame, link);
}

/* Simple packet block: from the first interface, without time, captured length or options. */
static int ng_simple(struct capture *c, const struct block *block, struct frame *frame,
		     const struct link **link)
{
	const struct pcapng *ng = c->state;
	uint32_t most = block->len - 4;

	if (ng->interface_count && ng->interfaces[0].snap_len && most > ng->interfaces[0].snap_len)
		most = ng->interfaces[0].snap_len;
	frame->ts_ns = CAPTURE_NO_TIME;
	frame->len = ng32(ng, block->body);
	frame->cap_len = frame->len < most ? frame->len : most;
	return ng_packet(c, block, 0, 4, frame, link);
}

/* Interface statistics block. It may say until when packets were captured. */
static int ng_statistics(struct capture *c, const struct block *block, struct frame *frame,
			 const struct link **link)
{
	const struct pcapng *ng = c->state;
	const uint8_t *at = block->body + 12, *end = block->body + block->len;
	uint32_t interface = ng32(ng, block->body);
	struct option option;

	(void)frame;
	(void)link;
	ng_comments(c, block, 12, 0);
	while (interface < ng->interface_count && option_next(ng, &at, end, &option)) {
		uint64_t units, ns;

		if (option.code != OPT_ENDTIME || option.len != 8)
			continue;
		units = (uint64_t)ng32(ng, option.value) << 32 | ng32(ng, option.value + 4);
		ns = interface_time(&ng->interfaces[interface], units);
		if (ns != CAPTURE_NO_TIME && ns > c->stats.ended_ns)
			c->stats.ended_ns = ns;
	}
	return 0;
}

/* Name resolution block: its records, and their end, have the form of options. */
static int ng_names(struct capture *c, const struct block *block, struct frame *frame,
		    const struct link **link)
{
	const uint8_t *at = block->body, *end = at + block->len;
	struct option record;

	(void)frame;
	(void)link;
	while (option_next(c->state, &at, end, &record))
		;
	ng_comments(c, block, (size_t)(at - block->body) + 4, 0);
	return 0;
}

/*
 * Decryption secrets block, of len bytes between its lengths. It may be longer than the input's
 * buffer.
 */
static int ng_secrets(struct capture *c, uint32_t len)
{
	const uint8_t *at = len < 8 ? NULL : input_need(&c->input, 8);
	struct capture_secrets secrets = {.name = c->name};

	if (!at)
		return len < 8 ? capture_broken(c, "secrets of %u bytes", len)
			       : capture_short(c, "secrets");
	secrets.type = ng32(c->state, at);
	secrets.total = ng32(c->state, at + 4);
	if (secrets.total > len - 8)
		return capture_broken(c, "secrets of %u bytes in a block of %u", secrets.total,
				      len);
	input_take(&c->input, 8);
	while (secrets.offset < secrets.total) {
		uint32_t rest = secrets.total - secrets.offset;

		secrets.len = rest < SECRETS_PIECE ? rest : SECRETS_PIECE;
		secrets.data = input_need(&c->input, secrets.len);
		if (!secrets.data)
			return capture_short(c, "secrets");
		if (c->hooks && c->hooks->secrets)
			c->hooks->secrets(c->hooks->ctx, &secrets);
		input_take(&c->input, secrets.len);
		secrets.offset += (uint32_t)secrets.len;
	}
	return input_skip(&c->input, len - 8 - secrets.total) ? 0 : capture_short(c, "secrets");
}

static int ng_skip(struct capture *c, uint32_t len)
{
	return input_skip(&c->input, len) ? 0 : capture_short(c, "a block");
}

/* Blocks of other types (custom ones, the journal's) are skipped. */
static const struct row {
	uint32_t type;
	bool may_be_skipped; /* if it is longer than the input's buffer */
	uint32_t least;	     /* bytes between its lengths */
	/* Handle a whole block: 1: a packet; 0: not a packet; or the result of capture_broken(). */
	int (*whole)(struct capture *c, const struct block *block, struct frame *frame,
		     const struct link **link);
	/* Or read it in pieces: consume the len bytes between its lengths. */
	int (*piecewise)(struct capture *c, uint32_t len);
} rows[] = {
	{6, false, 20, ng_enhanced, NULL},  {3, false, 4, ng_simple, NULL},
	{2, false, 20, ng_obsolete, NULL},  {SECTION, false, 16, ng_section, NULL},
	{1, false, 8, ng_interface, NULL},  {4, true, 0, ng_names, NULL},
	{5, true, 12, ng_statistics, NULL}, {10, true, 0, NULL, ng_secrets},
};

static const struct row *row_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

/* Read a section's byte order, which is in its header, after the length. */
static int ng_order(struct capture *c, struct pcapng *ng)
{
	const uint8_t *head = input_need(&c->input, BLOCK_HEAD + 4);

	if (!head)
		return capture_short(c, "a section header");
	ng->swap = false;
	ng->swap = ng32(ng, head + BLOCK_HEAD) != SECTION_MAGIC;
	if (ng32(ng, head + BLOCK_HEAD) != SECTION_MAGIC)
		return capture_broken(c, "a section header without its magic number");
	return 0;
}

/* Find the next block: 1, with its type and its plausible length; 0 at the end. */
static int ng_block(struct capture *c, uint32_t *type, uint32_t *len)
{
	struct pcapng *ng = c->state;
	const uint8_t *head = input_need(&c->input, BLOCK_HEAD);
	int err;

	if (!head)
		return input_left(&c->input) || c->input.err ? capture_short(c, "a block's header")
							     : 0;
	*type = ng32(ng, head);
	if (*type == SECTION) {
		err = ng_order(c, ng);
		if (err)
			return err;
		head = c->input.at;
	}
	*len = ng32(ng, head + 4);
	if (*len < BLOCK_LEAN || *len % 4)
		return capture_broken(c, "a block of type 0x%x and %u bytes, which is impossible",
				      *type, *len);
	return 1;
}

static int ng_whole(struct capture *c, const struct row *row, uint32_t len, struct frame *frame,
		    const struct link **link)
{
	const uint8_t *head = input_need(&c->input, len);
	struct block block;
	int got;

	if (!head)
		return capture_short(c, "a block");
	block = (struct block){head + BLOCK_HEAD, len - BLOCK_LEAN};
	if (ng32(c->state, head + len - 4) != len)
		return capture_broken(c, "a block of %u bytes that ends as one of %u", len,
				      ng32(c->state, head + len - 4));
	if (block.len < row->least)
		return capture_broken(c, "a block of type 0x%x and %u bytes, which is impossible",
				      row->type, len);
	got = row->whole(c, &block, frame, link);
	if (got >= 0)
		input_take(&c->input, len);
	return got;
}

static int ng_piecewise(struct capture *c, const struct row *row, uint32_t len)
{
	const uint8_t *tail;
	int err;

	input_take(&c->input, BLOCK_HEAD);
	err = (row && row->piecewise ? row->piecewise : ng_skip)(c, len - BLOCK_LEAN);
	if (err)
		return err;
	tail = input_need(&c->input, 4);
	if (!tail)
		return capture_short(c, "a block");
	if (ng32(c->state, tail) != len)
		return capture_broken(c, "a block of %u bytes that ends as one of %u", len,
				      ng32(c->state, tail));
	input_take(&c->input, 4);
	return 0;
}

static int ng_next(struct capture *c, struct frame *frame, const struct link **link)
{
	uint32_t type, len;
	int got;

	while ((got = ng_block(c, &type, &len)) == 1) {
		const struct row *row = row_find(type);

		if (row && row->whole && len <= INPUT_MAX)
			got = ng_whole(c, row, len, frame, link);
		else if (row && !row->may_be_skipped)
			got = capture_broken(
				c, "a block of type 0x%x and %u bytes, which is impossible", type,
				len);
		else
			got = ng_piecewise(c, row, len);
		if (got)
			break;
	}
	return got;
}

static bool ng_is(const uint8_t magic[CAPTURE_MAGIC])
{
	const struct pcapng ng = {.swap = false};

	return ng32(&ng, magic) == SECTION;
}

/* Read the first section's header now, to find out whether the file is pcapng. */
static int ng_open(struct capture *c)
{
	struct pcapng *ng = c->state = calloc(1, sizeof(*ng));
	uint32_t type, len;
	int got = ng ? ng_block(c, &type, &len) : -ENOMEM;

	return got < 0 ? got : 0;
}

static void ng_close(struct capture *c)
{
	struct pcapng *ng = c->state;

	if (ng)
		free(ng->interfaces);
	free(ng);
}

const struct capture_format pcapng_format = {ng_is, ng_open, ng_next, ng_close};
