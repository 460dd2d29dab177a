/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * capture_format.h - between capture.c and the formats that it reads.
 */
#ifndef TDSMON_CAPTURE_FORMAT_H
#define TDSMON_CAPTURE_FORMAT_H

#include "source/capture/capture.h"
#include "source/capture/input.h"
#include "source/capture/link.h"

#define CAPTURE_PACKET_MAX 262144u /* bytes of a packet that was captured, as libpcap has it */
#define CAPTURE_MAGIC	   4	   /* first bytes, which tell the format */
#define CAPTURE_WHY	   160
#define CAPTURE_NO_TIME	   UINT64_MAX

struct capture_format {
	bool (*is)(const uint8_t magic[CAPTURE_MAGIC]);
	/*
	 * Read what comes before the first packet; 0, or as capture_broken() answers;
	 * -EPROTONOSUPPORT: no packet can be of a link that is known, and c->strange_type says why.
	 */
	int (*open)(struct capture *c);
	/*
	 * 1: the next packet, with ts_ns CAPTURE_NO_TIME if there is none that ns can tell. *link
	 * is NULL, and c->strange_type set, where the packet's link type is not known. 0: the end,
	 * or as capture_broken() answers.
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
	uint64_t last_ns;      /* time of the packet before */
	uint64_t timeless;     /* packets without a time */
	uint64_t strange;      /* packets of links that are not known */
	uint32_t strange_type; /* the type of the last of these */
	char why[CAPTURE_WHY]; /* it can't be read on */
};

/* The file makes no sense from here on, and why: -EIO. */
int capture_broken(struct capture *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* input_need() or input_skip() failed within what is named: -errno. */
int capture_short(struct capture *c, const char *within);

/* Log what a file is that was found not to be a capture. */
void foreign_explain(struct capture *c);

#endif
