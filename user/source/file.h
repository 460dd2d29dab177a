/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * file.h - the capture file source: pcap and pcapng through libpcap, one packet at a time, so
 * that a file of any size is read in bounded memory.
 */
#ifndef TDSMON_FILE_H
#define TDSMON_FILE_H

#include "source.h"

struct file;

struct file_stats {
	uint64_t packets;   /* frames read */
	uint64_t segments;  /* of them, TCP segments handed over */
	uint64_t other;	    /* not TCP; of them, SQL Server Browser's are handed over, too */
	uint64_t malformed; /* cut short or inconsistent before the end of the TCP or UDP header */
	uint64_t fragments; /* IP fragments other than the first */
	uint64_t truncated; /* segments whose payload the capture cut short (snap length) */
	uint64_t bytes_read, bytes_total; /* of the file; total 0: not known (a pipe) */
};

/*
 * path "-": standard input. NULL on failure, *err then -errno and the reason already logged,
 * naming the file and what to do (not there, not readable, not a capture, link type unknown).
 */
struct file *file_open(const char *path, int *err);
void file_close(struct file *file);

/*
 * 1: *seg and *payload hold the next TCP segment, or datagram of SQL Server Browser, until the
 * next call. 0: end of the file.
 * -errno: the file broke off (logged: after which packet); what came before it stands.
 */
int file_next(struct file *file, struct seg *seg, const uint8_t **payload);

const struct file_stats *file_stats(const struct file *file);

#endif
