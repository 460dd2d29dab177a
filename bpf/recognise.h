/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * recognise.h - is a client's first payload TDS? For ports that are not watched. With any_port the
 * connection is followed; without it the port is noted for user space, while user space asks for
 * that.
 */
#ifndef TDSMON_RECOGNISE_H
#define TDSMON_RECOGNISE_H

#include "packet_ctx.h"

/* Payload bytes that recognition reads. */
#define RECOGNISE_PEEK 9u

#define RECOGNISE_MAX 1024u /* longer than any PRELOGIN packet in practice */

/* Look for TDS on ports that are not watched. User space sets and clears this. */
__u32 tap_recognise_unwatched;
/* Ports on which TDS was found, the latest in each slot (port modulo 8). 0: none. */
__u16 tap_unwatched_tds[8];

TAP_INLINE bool recognise_peek(void *ctx, enum tap_hook hook, __u32 off, __u8 *out)
{
	const __u8 *data, *end;

	if (hook == TAP_HOOK_SKB)
		return !bpf_skb_load_bytes(ctx, off, out, RECOGNISE_PEEK);
	data = (void *)(long)((struct xdp_md *)ctx)->data;
	end = (void *)(long)((struct xdp_md *)ctx)->data_end;
	tap_opaque(off);
	data += off & 0x3fff;
	if (data + RECOGNISE_PEEK > end)
		return false;
	__builtin_memcpy(out, data, RECOGNISE_PEEK);
	return true;
}

/*
 * May this be the first payload of a TDS client? Either a PRELOGIN packet (MS-TDS 2.2.3.1: type
 * 0x12, status 0 or EOM, length, SPID 0, packet ID, window 0; 2.2.6.5: the first option is VERSION,
 * 0), or, if the handshake was seen (first), a TLS ClientHello (RFC 8446 5.1 and 4: handshake 0x16,
 * version 3.x, length, client_hello 1), with which strict encryption starts. Only user space reads
 * its ALPN.
 */
TAP_INLINE bool recognise_tds(const __u8 *b, bool first)
{
	if (b[0] == 0x12)
		return (b[1] & 0xfe) == 0 && (__u32)(b[2] << 8 | b[3]) > RECOGNISE_PEEK && !b[4] &&
		       !b[5] && !b[7] && !b[8];
	return first && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 && b[5] == 1;
}

/* A packet on no watched port: is it a whole PRELOGIN packet, as clients send first? */
TAP_INLINE void recognise_unwatched(void *ctx, enum tap_hook hook, const struct pkt *pkt)
{
	__u32 len = pkt->payload_len;
	__u8 b[RECOGNISE_PEEK] = {};

	if (len <= RECOGNISE_PEEK || len > RECOGNISE_MAX ||
	    !recognise_peek(ctx, hook, pkt->payload_off, b))
		return;
	if ((__u32)(b[2] << 8 | b[3]) == len && recognise_tds(b, false))
		tap_unwatched_tds[pkt->dport & 7] = pkt->dport;
}

#endif
