/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * recognise.h - is a client's first payload TDS? On ports that are not watched: with any_port the
 * connection is followed then, else, as long as user space wants to know, the port is noted.
 */
#ifndef TDSMON_RECOGNISE_H
#define TDSMON_RECOGNISE_H

#include "packet_ctx.h"

/* The first payload bytes that recognition looks at. */
#define RECOGNISE_PEEK 9u

#define RECOGNISE_MAX 1024u /* a PRELOGIN packet is no longer in practice */

/* Look for TDS on ports that are not watched: user space's to set and to clear. */
__u32 tap_recognise_unwatched;
/* What was found, by the port's number: the last of each place. 0: nothing. */
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
 * True if the first payload of a client may be TDS: a PRELOGIN packet (MS-TDS 2.2.3.1: type 0x12,
 * status 0 or EOM, length, SPID 0, packet ID, window 0; 2.2.6.5: the first option is VERSION, 0),
 * or, the handshake having been seen, a TLS ClientHello (RFC 8446 5.1 and 4: handshake 0x16,
 * version 3.x, length, client_hello 1), as strict encryption starts with. Whether its ALPN names
 * TDS is for user space to see.
 */
TAP_INLINE bool recognise_tds(const __u8 *b, bool first)
{
	if (b[0] == 0x12)
		return (b[1] & 0xfe) == 0 && (__u32)(b[2] << 8 | b[3]) > RECOGNISE_PEEK && !b[4] &&
		       !b[5] && !b[7] && !b[8];
	return first && b[0] == 0x16 && b[1] == 3 && b[2] <= 4 && b[5] == 1;
}

/* A packet of no watched port: is it a PRELOGIN packet by itself, as a client begins with? */
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
