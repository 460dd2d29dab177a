/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ringbuf.h - the way out: segments and their payload into the ring buffer.
 */
#ifndef TDSMON_RINGBUF_H
#define TDSMON_RINGBUF_H

#include "packet_ctx.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

/*
 * Set by user space when it goes to sleep: the next record wakes it. A wake-up costs fifty times
 * the record, so while there is traffic user space looks by timer. A record submitted in the very
 * moment of falling asleep may miss this; user space looks every 200 ms besides.
 */
__u32 tap_armed;

/* Full chunks of a super-segment: BIG TCP's most, GSO_MAX_SIZE of 512 KiB. */
#define RINGBUF_CHUNKS 128u

TAP_INLINE __u64 ringbuf_wakeup(void)
{
	if (!tap_armed)
		return BPF_RB_NO_WAKEUP;
	tap_armed = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* The number, of which the verifier has forgotten all that it found out. */
TAP_INLINE __u32 ringbuf_forget(__u32 n)
{
	__u32 any = *(const volatile __u32 *)&tap_armed;

	n ^= any;
	tap_opaque(n);
	return n ^ any;
}

/* Where off of the frame is, if that is in its first buffer. */
TAP_INLINE const __u8 *ringbuf_xdp_at(const struct xdp_md *xdp, __u32 off)
{
	tap_opaque(off);
	return (const __u8 *)(long)xdp->data + (off & 0x3fff);
}

/*
 * Kernels before 5.18: what lies within the frame's only buffer, by hand. dst holds room bytes.
 * Nothing behind the first loop may rest on how often it ran: the verifier of 5.10 would look at
 * all the rest once for each time, and give up.
 */
TAP_INLINE long ringbuf_load_direct(struct xdp_md *xdp, __u32 off, __u8 *dst, __u32 n, __u32 room)
{
	const __u8 *end = (const __u8 *)(long)xdp->data_end, *src = ringbuf_xdp_at(xdp, off);
	__u32 i, size = ringbuf_forget(n);

	for (i = 0; i < room / 8; i++) {
		if (i >= size / 8)
			break;
		if (src + 8 > end)
			return -1;
		*(__u64 *)(dst + i * 8) = *(const __u64 *)src;
		src += 8;
	}
	size = ringbuf_forget(n);
	dst += size & (room - 8);
	src = ringbuf_xdp_at(xdp, off + (size & ~7u));
	for (i = 0; i < 7; i++) {
		if (i >= size % 8)
			break;
		if (src + 1 > end)
			return -1;
		dst[i] = *src++;
	}
	return 0;
}

/* Copy n bytes at off of the frame; dst holds room bytes, room is a constant, 1 <= n <= room. */
TAP_INLINE long ringbuf_load(void *ctx, enum tap_hook hook, __u32 off, __u8 *dst, __u32 n,
			     __u32 room)
{
	if (hook == TAP_HOOK_SKB)
		return bpf_skb_load_bytes(ctx, off, dst, n);
	if (tap_has_xdp_load())
		return bpf_xdp_load_bytes(ctx, off, dst, n);
	return ringbuf_load_direct(ctx, off, dst, n, room);
}

/*
 * One record with room for `room` bytes of payload, a constant power of two; n of them are used.
 * A record's size must be a constant on every kernel, hence the few sizes in emit_some().
 */
TAP_INLINE bool ringbuf_record(void *ctx, enum tap_hook hook, const struct tap_work *work,
			       __u32 room)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + room, 0);
	__u32 n = work->seg.cap_len;

	if (!rec)
		return false;
	*rec = work->seg;
	/* A masked length is the one form that verifiers from 5.10 to 6.1 understand. */
	n -= 1;
	tap_opaque(n);
	n = (n & (room - 1)) + 1;
	if (ringbuf_load(ctx, hook, work->payload_off, (__u8 *)(rec + 1), n, room)) {
		rec->cap_len = 0;
		rec->rec_flags |= SEG_F_TRUNC;
	}
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return true;
}

/* A header alone. */
TAP_INLINE bool ringbuf_header(const struct tap_work *work)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return false;
	*rec = work->seg;
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return true;
}

/* What is left of the segment, SEG_CHUNK bytes at most, in the smallest record that holds it. */
TAP_INLINE bool ringbuf_rest(void *ctx, enum tap_hook hook, struct tap_work *work)
{
	struct seg *seg = &work->seg;

	seg->cap_len = work->avail > SEG_CHUNK ? SEG_CHUNK : work->avail;
	if (seg->cap_len < seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	if (!seg->cap_len)
		return ringbuf_header(work);
	if (seg->cap_len <= 128)
		return ringbuf_record(ctx, hook, work, 128);
	if (seg->cap_len <= 512)
		return ringbuf_record(ctx, hook, work, 512);
	if (seg->cap_len <= 2048)
		return ringbuf_record(ctx, hook, work, 2048);
	return ringbuf_record(ctx, hook, work, SEG_CHUNK);
}

/*
 * Hand the segment over, and work->avail bytes of its payload; chunk by chunk what is larger than
 * SEG_CHUNK. False if the ring buffer had no room for all of it. Uses *work up.
 */
TAP_INLINE bool ringbuf_segment(void *ctx, enum tap_hook hook, struct tap_work *work)
{
	struct seg *seg = &work->seg;
	__u8 last = seg->flags & (SEG_FIN | SEG_PSH | SEG_RST);
	__u32 len = seg->len, i;

	if (work->avail <= SEG_CHUNK || (hook == TAP_HOOK_XDP && !tap_has_xdp_load()))
		return ringbuf_rest(ctx, hook, work); /* the latter: frames of one page at most */
	seg->flags &= ~last;
	seg->len = SEG_CHUNK;
	seg->cap_len = SEG_CHUNK;
	for (i = 0; i < RINGBUF_CHUNKS; i++) {
		if (work->avail <= SEG_CHUNK)
			break;
		if (!ringbuf_record(ctx, hook, work, SEG_CHUNK))
			return false;
		work->payload_off += SEG_CHUNK;
		work->avail -= SEG_CHUNK;
		len -= SEG_CHUNK;
		seg->seq += SEG_CHUNK;
		if (seg->flags & SEG_SYN) { /* TCP Fast Open: the SYN takes a number */
			seg->seq++;
			seg->flags &= ~SEG_SYN;
		}
	}
	seg->flags |= last;
	seg->len = len;
	return ringbuf_rest(ctx, hook, work);
}

/*
 * The same for each hook, 0 if all was handed over. Not static, so that the verifier looks at
 * them once, by themselves.
 */
__noinline int ringbuf_skb(struct __sk_buff *skb)
{
	struct tap_work *work = tap_work();

	if (!work)
		return -1;
	return ringbuf_segment(skb, TAP_HOOK_SKB, work) ? 0 : -1;
}

__noinline int ringbuf_xdp(struct xdp_md *xdp)
{
	struct tap_work *work = tap_work();

	if (!work)
		return -1;
	return ringbuf_segment(xdp, TAP_HOOK_XDP, work) ? 0 : -1;
}

#endif
