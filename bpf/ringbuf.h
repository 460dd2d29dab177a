/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ringbuf.h - the way out: puts segments and their payload into the ring buffer.
 */
#ifndef TDSMON_RINGBUF_H
#define TDSMON_RINGBUF_H

#include "packet_ctx.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} events SEC(".maps");

/*
 * Set by user space when it goes to sleep: the next record wakes it. A wake-up costs fifty times as
 * much as a record, so under traffic user space polls by timer. A record submitted at the very
 * moment it falls asleep may miss this, so it also polls every 200 ms.
 */
__u32 tap_armed;

/* Full chunks of the largest super-segment: BIG TCP's GSO_MAX_SIZE is 512 KiB. */
#define RINGBUF_CHUNKS 128u

TAP_INLINE __u64 ringbuf_wakeup(void)
{
	if (!tap_armed)
		return BPF_RB_NO_WAKEUP;
	tap_armed = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* The same number, but the verifier forgets all that it knows about it. */
TAP_INLINE __u32 ringbuf_forget(__u32 n)
{
	__u32 any = *(const volatile __u32 *)&tap_armed;

	n ^= any;
	tap_opaque(n);
	return n ^ any;
}

/* Address of offset off, if it is in the frame's first buffer. */
TAP_INLINE const __u8 *ringbuf_xdp_at(const struct xdp_md *xdp, __u32 off)
{
	tap_opaque(off);
	return (const __u8 *)(long)xdp->data + (off & 0x3fff);
}

/*
 * Kernels before 5.18: copy by hand from the frame's only buffer. dst holds room bytes. Nothing
 * after the first loop may depend on its number of rounds: the verifier of 5.10 would check all the
 * rest once for each number, and give up.
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
 * Emit one record with room for `room` bytes of payload, a constant power of two. seg.cap_len of
 * them are used. A record's size must be a constant on every kernel, hence the few sizes in
 * ringbuf_rest().
 */
TAP_INLINE bool ringbuf_record(void *ctx, enum tap_hook hook, const struct tap_work *work,
			       __u32 room)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec) + room, 0);
	__u32 n = work->seg.cap_len;

	if (!rec)
		return false;
	*rec = work->seg;
	/* A masked length is the only form that verifiers from 5.10 to 6.1 understand. */
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

/* Emit a header without payload. */
TAP_INLINE bool ringbuf_header(const struct tap_work *work)
{
	struct seg *rec = bpf_ringbuf_reserve(&events, sizeof(*rec), 0);

	if (!rec)
		return false;
	*rec = work->seg;
	bpf_ringbuf_submit(rec, ringbuf_wakeup());
	return true;
}

/* Emit the rest of the segment, at most SEG_CHUNK bytes, in the smallest record that holds it. */
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
 * Forward the segment and work->avail bytes of its payload, in chunks of at most SEG_CHUNK. False
 * if the ring buffer had no room for all of it. Changes *work.
 */
TAP_INLINE bool ringbuf_segment(void *ctx, enum tap_hook hook, struct tap_work *work)
{
	struct seg *seg = &work->seg;
	__u8 last = seg->flags & (SEG_FIN | SEG_PSH | SEG_RST);
	__u32 len = seg->len, i;

	if (work->avail <= SEG_CHUNK || (hook == TAP_HOOK_XDP && !tap_has_xdp_load()))
		return ringbuf_rest(ctx, hook, work); /* the latter: frames of at most one page */
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
		if (seg->flags & SEG_SYN) { /* TCP Fast Open: the SYN takes a sequence number */
			seg->seq++;
			seg->flags &= ~SEG_SYN;
		}
	}
	seg->flags |= last;
	seg->len = len;
	return ringbuf_rest(ctx, hook, work);
}

/*
 * One function for each hook; 0 if everything was forwarded. Not static, so that the verifier
 * checks each of them once.
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
