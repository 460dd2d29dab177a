/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pcapng_write.h - writes pcapng (draft-ietf-opsawg-pcapng): blocks of the host's byte order, raw
 * IP packets, times in nanoseconds. Internal to save/.
 */
#ifndef TDSMON_PCAPNG_WRITE_H
#define TDSMON_PCAPNG_WRITE_H

#include <stdint.h>

#include <linux/types.h>

#include "lib/strbuf.h"
#include "segment.h"

/* The section header. Texts of any length; what does not fit into an option is cut. */
void pcapng_section(struct strbuf *out, const char *program, const char *comment);

/* An interface; name NULL: unknown. The first is number 0, and so on. */
void pcapng_interface(struct strbuf *out, const char *name);

/*
 * A segment or datagram, with an IP header and a TCP or UDP header made of what seg holds. wall_ns:
 * since 1970. comments: texts, each ended by a NUL, after the last one another NUL; NULL: none.
 */
void pcapng_packet(struct strbuf *out, uint32_t interface, const struct seg *seg,
		   const uint8_t *payload, uint64_t wall_ns, const char *comments);

/* The last block: the interface was captured until then. */
void pcapng_end(struct strbuf *out, uint32_t interface, uint64_t wall_ns);

#endif
