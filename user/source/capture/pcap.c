// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pcap.c - the pcap file format: draft-ietf-opsawg-pcap, and its variants in use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/capture/capture_format.h"
#include "lib/units.h"
#include "lib/wire_int.h"

#define PCAP_HEADER   24
#define PCAP_RECORD   16
#define LINK_TYPE     0x0000ffffu /* of the header's last word */
#define LINK_RESERVED 0x03ff0000u
#define LINK_HAS_FCS  0x04000000u
#define LINK_FCS(w)   ((w) >> 28 << 1) /* bytes */

/* The order of a record's two lengths. */
enum lengths {
	CAPTURED_FIRST,
	CAPTURED_SECOND,
	SMALLER_IS_CAPTURED,
};

struct pcap {
	const struct link *link;
	uint32_t unit_ns;    /* unit of the second word of a time */
	uint32_t record_len; /* of a record's header */
	uint32_t fcs;	     /* bytes of the check sequence at the end of each frame */
	enum lengths lengths;
	bool swap;	  /* its numbers have the other byte order */
	uint8_t magic[8]; /* its first bytes, including the version */
};

static const struct variant {
	uint32_t magic, unit_ns, record_len;
} variants[] = {
	{0xa1b2c3d4, 1000, PCAP_RECORD},
	{0xa1b23c4d, 1, PCAP_RECORD},
	{0xa1b2cd34, 1000, PCAP_RECORD + 8}, /* Kuznetzov's: interface, protocol, direction */
};

static const struct variant *variant_find(const uint8_t *magic, bool swap)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (variants[i].magic == host32_at(magic, swap))
			return &variants[i];
	return NULL;
}

static bool pcap_is(const uint8_t magic[CAPTURE_MAGIC])
{
	return variant_find(magic, false) || variant_find(magic, true);
}

/*
 * Up to version 2.2, and in 543 by DG/UX, the captured length came second. In 2.3 it depends on the
 * program.
 */
static enum lengths lengths_of(uint16_t major, uint16_t minor)
{
	if (major == 543 || (major == 2 && minor < 3))
		return CAPTURED_SECOND;
	return major == 2 && minor == 3 ? SMALLER_IS_CAPTURED : CAPTURED_FIRST;
}

/* Parse the file header, which is complete and one of the variants. */
static int pcap_header(struct capture *c, struct pcap *pcap, const uint8_t *header)
{
	bool swap = !variant_find(header, false);
	const struct variant *v = variant_find(header, swap);
	uint16_t major = host16_at(header + 4, swap), minor = host16_at(header + 6, swap);
	uint32_t type = host32_at(header + 20, swap);

	if ((major != 2 && major != 543) || type & LINK_RESERVED)
		return capture_broken(c, "version %u.%u, link type 0x%x: no pcap file has these",
				      major, minor, type);
	*pcap = (struct pcap){.link = link_find(type & LINK_TYPE),
			      .unit_ns = v->unit_ns,
			      .record_len = v->record_len,
			      .fcs = type & LINK_HAS_FCS ? LINK_FCS(type) : 0,
			      .lengths = lengths_of(major, minor),
			      .swap = swap};
	memcpy(pcap->magic, header, sizeof(pcap->magic));
	c->strange_type = type & LINK_TYPE;
	return 0;
}

static int pcap_open(struct capture *c)
{
	const uint8_t *header = input_need(&c->input, PCAP_HEADER);
	int err;

	if (!header)
		return capture_short(c, "its header");
	c->state = calloc(1, sizeof(struct pcap));
	err = c->state ? pcap_header(c, c->state, header) : -ENOMEM;
	if (!err)
		input_take(&c->input, PCAP_HEADER);
	return !err && !((struct pcap *)c->state)->link ? -EPROTONOSUPPORT : err;
}

static void pcap_close(struct capture *c)
{
	free(c->state);
}

/*
 * Is this another file's header instead of a record's, in captures joined with "cat"? A record
 * never looks like that: it would hold no bytes of a packet without length.
 */
static bool pcap_joined(const struct pcap *pcap, const uint8_t *record)
{
	return !memcmp(record, pcap->magic, sizeof(pcap->magic)) && !host32_at(record + 8, false) &&
	       !host32_at(record + 12, false);
}

static void pcap_lengths(const struct pcap *pcap, const uint8_t *record, struct frame *frame)
{
	uint32_t first = host32_at(record + 8, pcap->swap),
		 second = host32_at(record + 12, pcap->swap);
	bool turned = pcap->lengths == CAPTURED_SECOND ||
		      (pcap->lengths == SMALLER_IS_CAPTURED && first > second);

	frame->cap_len = turned ? second : first;
	frame->len = turned ? first : second;
	if (frame->len < frame->cap_len)
		frame->len = frame->cap_len;
}

/* Cut off the check sequence, unless the capture already cut off part or all of it. */
static void pcap_trim(const struct pcap *pcap, struct frame *frame)
{
	if (frame->len < pcap->fcs)
		return;
	frame->len -= pcap->fcs;
	if (frame->cap_len > frame->len)
		frame->cap_len = frame->len;
}

/* Find the next record's header: 1; 0 at the end. */
static int pcap_record(struct capture *c, struct pcap *pcap, const uint8_t **record)
{
	int err;

	for (;;) {
		*record = input_need(&c->input, pcap->record_len);
		if (!*record && !input_left(&c->input) && !c->input.err)
			return 0;
		if (!*record)
			return capture_short(c, "a packet's header");
		if (!pcap_joined(pcap, *record))
			return 1;
		*record = input_need(&c->input, PCAP_HEADER);
		err = *record ? pcap_header(c, pcap, *record) : capture_short(c, "a file's header");
		if (err)
			return err;
		input_take(&c->input, PCAP_HEADER);
	}
}

static int pcap_next(struct capture *c, struct frame *frame, const struct link **link)
{
	struct pcap *pcap = c->state;
	const uint8_t *record;
	int got = pcap_record(c, pcap, &record);
	size_t size;

	if (got <= 0)
		return got;
	pcap_lengths(pcap, record, frame);
	if (frame->cap_len > CAPTURE_PACKET_MAX)
		return capture_broken(c, "a packet of %u bytes, which is impossible",
				      frame->cap_len);
	size = pcap->record_len + frame->cap_len;
	record = input_need(&c->input, size);
	if (!record)
		return capture_short(c, "a packet");
	frame->data = record + pcap->record_len;
	frame->ts_ns = host32_at(record, pcap->swap) * NS_PER_S +
		       (uint64_t)host32_at(record + 4, pcap->swap) * pcap->unit_ns;
	pcap_trim(pcap, frame);
	*link = pcap->link;
	input_take(&c->input, size);
	return 1;
}

const struct capture_format pcap_format = {pcap_is, pcap_open, pcap_next, pcap_close};
