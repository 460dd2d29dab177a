/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * capture_format.h - the interface between capture.c and the formats that it reads.
 */
#ifndef TDSMON_CAPTURE_FORMAT_H
#define TDSMON_CAPTURE_FORMAT_H

#include "source/capture/capture.h"
#include "source/capture/input.h"
#include "source/capture/link.h"

#define CAPTURE_PACKET_MAX 262144u /* most bytes of a captured packet, as in libpcap */
#define CAPTURE_MAGIC	   4	   /* first bytes, which determine the format */
#define CAPTURE_WHY	   160
#define CAPTURE_NO_TIME	   UINT64_MAX

struct capture_format {
	bool (*is)(const uint8_t magic[CAPTURE_MAGIC]);
	/*
	 * Read the part before the first packet. 0, or the result of capture_broken();
	 * -EPROTONOSUPPORT: all links are of unknown types, and c->strange_type is one of them.
	 */
	int (*open)(struct capture *c);
	/*
	 * 1: the next packet; its ts_ns is CAPTURE_NO_TIME if it has no time that 64 bits of ns can
	 * hold. If its link type is unknown, *link is NULL, and c->strange_type is set. 0: the end;
	 * or the result of capture_broken().
	 */
	int (*next)(struct capture *c, struct frame *frame, const struct link **link);
	void (*close)(struct capture *c);
};

extern const struct capture_format pcap_format, pcapng_format;

struct capture {
	struct input input;
	const struct capture_format *format;
	void *state; /* the format's */
	const struct capture_hooks *hooks;
	const char *name; /* for messages */
	struct capture_stats stats;
	uint64_t last_ns;      /* time of the previous packet */
	uint64_t timeless;     /* packets without a time */
	uint64_t strange;      /* packets of unknown link types */
	uint32_t strange_type; /* the last of these types */
	char why[CAPTURE_WHY]; /* reason why it cannot be read further */
};

/* Note why the rest of the file cannot be read. Returns -EIO. */
int capture_broken(struct capture *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* input_need() or input_skip() failed in the part that `within` names. Returns -errno. */
int capture_short(struct capture *c, const char *within);

/* Log what the file is, since it is not a capture. */
void foreign_explain(struct capture *c);

#endif
