/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * capture.h - the capture source: pcap and pcapng, also compressed, from files and pipes, one
 * packet at a time, so that a file of any size is read in bounded memory.
 */
#ifndef TDSMON_CAPTURE_H
#define TDSMON_CAPTURE_H

#include "source/source.h"

struct capture;

struct capture_stats {
	uint64_t packets;   /* frames read */
	uint64_t segments;  /* of them, TCP segments handed over */
	uint64_t other;	    /* not TCP; of them, SQL Server Browser's are handed over, too */
	uint64_t malformed; /* cut short or inconsistent before the end of the TCP or UDP header */
	uint64_t fragments; /* IP fragments other than the first */
	uint64_t nested;    /* in more tunnels than are unwrapped */
	uint64_t truncated; /* segments whose payload the capture cut short (snap length) */
	uint64_t bytes_read, bytes_total; /* of the file; total 0: not known (a pipe) */
};

/* A comment that people or programs put into a pcapng file. */
struct capture_comment {
	const char *name; /* of the capture */
	uint64_t packet;  /* the packet that it is about, from 1; 0: the capture as a whole */
	const char *text; /* UTF-8 as it stands in the file: of len bytes, not terminated */
	size_t len;
};

/* Keys that decrypt what was captured: a decryption secrets block of a pcapng file. */
struct capture_secrets {
	const char *name; /* of the capture */
	uint32_t type;	  /* 0x544c534b: a TLS key log */
	const uint8_t *data;
	size_t len;
	/* Long ones come in pieces, in order: where this one stands in the whole. */
	uint32_t offset, total;
};

/* Who is told what a capture holds besides packets; each may be NULL. */
struct capture_hooks {
	void *ctx;
	void (*comment)(void *ctx, const struct capture_comment *comment);
	void (*secrets)(void *ctx, const struct capture_secrets *secrets);
};

/*
 * A descriptor of the path, "-" being standard input, which closing leaves open; or -errno with the
 * reason logged. *name is how messages call it.
 */
int capture_open_path(const char *path, const char **name);
void capture_close_path(int fd);

/*
 * Read the capture from fd, which stays the caller's. NULL: *err is -errno with the reason logged,
 * naming the file and what to do; -EINTR is not logged. hooks may be NULL; they and name are kept.
 */
struct capture *capture_open(int fd, const char *name, const struct capture_hooks *hooks, int *err);
void capture_close(struct capture *c);

/* Whether the file begins as a capture does, without a message. */
bool capture_is(int fd);

/*
 * 1: *seg and *payload hold the next TCP segment, or datagram of SQL Server Browser, until the
 * next call. 0: end of the file.
 * -errno: the file broke off (logged: after which packet); what came before it stands.
 */
int capture_next(struct capture *c, struct seg *seg, const uint8_t **payload);

/*
 * When the first packet came, of a capture that is read for this only: 1; 0 where it has none, or
 * none that can be read.
 */
int capture_first(struct capture *c, uint64_t *ts_ns);

const struct capture_stats *capture_stats(struct capture *c);

#endif
