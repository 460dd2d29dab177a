/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * capture.h - the capture source: pcap and pcapng, also compressed, from files and pipes. It reads
 * one packet at a time, so that a file of any size takes bounded memory.
 */
#ifndef TDSMON_CAPTURE_H
#define TDSMON_CAPTURE_H

#include "source/source.h"

struct capture;

struct capture_stats {
	uint64_t packets;   /* frames read */
	uint64_t segments;  /* TCP segments emitted */
	uint64_t other;	    /* not TCP; some datagrams are emitted, too */
	uint64_t malformed; /* cut short or malformed before the end of the TCP or UDP header */
	uint64_t fragments; /* IP fragments other than the first */
	uint64_t nested;    /* more nested tunnels than are unwrapped */
	uint64_t truncated; /* segments whose payload the capture cut short (snap length) */
	uint64_t ended_ns;  /* packets were captured until then, ns since 1970; 0: not stated */
	uint64_t bytes_read, bytes_total; /* of the file; total 0: unknown (a pipe) */
};

/* A comment in a pcapng file, by a person or a program. */
struct capture_comment {
	const char *name; /* of the capture */
	uint64_t packet;  /* number of the packet that it is about, from 1; 0: the capture */
	const char *text; /* UTF-8 as in the file: len bytes, not terminated */
	size_t len;
};

/* Keys that decrypt the captured traffic: a decryption secrets block of a pcapng file. */
struct capture_secrets {
	const char *name; /* of the capture */
	uint32_t type;	  /* 0x544c534b: a TLS key log */
	const uint8_t *data;
	size_t len;
	/* Long ones come in pieces, in order: the position of this one, and the length of all. */
	uint32_t offset, total;
};

/* Receivers of what a capture holds in addition to packets; each may be NULL. */
struct capture_hooks {
	void *ctx;
	void (*comment)(void *ctx, const struct capture_comment *comment);
	void (*secrets)(void *ctx, const struct capture_secrets *secrets);
};

/*
 * Open the path and return a descriptor, or -errno with the reason logged. "-" is standard input,
 * which stays open when the descriptor is closed. *name is the name for messages.
 */
int capture_open_path(const char *path, const char **name);
void capture_close_path(int fd);

/*
 * Read a capture from fd, which stays the caller's. NULL: *err is -errno, and the file's name, the
 * reason and what to do are logged, except for -EINTR. hooks may be NULL; hooks and name are kept.
 */
struct capture *capture_open(int fd, const char *name, const struct capture_hooks *hooks, int *err);
void capture_close(struct capture *c);

/* Does the file begin like a capture? Logs nothing. */
bool capture_is(int fd);

/*
 * 1: *seg and *payload hold the next TCP segment, or a datagram that the engine reads, until the
 * next call. 0: end of the file. -errno: the file breaks off, which is logged with the packet's
 * number; everything before it is valid.
 */
int capture_next(struct capture *c, struct seg *seg, const uint8_t **payload);

/*
 * The time of the first packet, of a capture that is read only for this. 1; 0: it has no packet, or
 * no readable time.
 */
int capture_first(struct capture *c, uint64_t *ts_ns);

const struct capture_stats *capture_stats(struct capture *c);

#endif
