// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * engine.c - segments of a few connections through the whole engine: reassembly, framing, logins,
 * sessions. Input: u8 configuration, then operations:
 *
 *	u8	bits 0-1 the connection, bit 2 from the server, bits 3-5 what (below), bit 6 time
 *		passes first (u8, scaled), bit 7 the payload is not all captured (u8 missing)
 *	...	what the operation takes: see operate()
 *
 * The harness keeps each side's place in its stream, so that most inputs make sense to the
 * engine; one operation has everything free.
 */
#include "records.h"

#define CONNECTIONS 4
#define PAYLOAD_MAX 0x2000

/* What happens; the order is part of the format. */
enum what {
	WHAT_DATA, /* u16 length, payload: next in order, and acknowledges all */
	WHAT_SYN,  /* of the server: SYN+ACK */
	WHAT_ACK,
	WHAT_FIN,
	WHAT_RST,
	WHAT_FREE, /* u8 flags, u8 rec_flags, i16 seq and i16 ack relative, u16 length, payload; with
		     * SEG_F_UDP a datagram of SQL Server Browser */
	WHAT_AGAIN, /* u16 back, u16 length, payload: bytes that were sent before */
	WHAT_TICK,  /* u8 seconds; or a SYN with a new number */
};

static struct {
	uint32_t next[2]; /* by side */
} streams[CONNECTIONS];

static void addresses(struct seg *seg, uint32_t connection, bool server)
{
	static const uint8_t ends[2][2][16] = {
		{{[10] = 0xff, 0xff, 10, 0, 0, 1}, {[10] = 0xff, 0xff, 10, 0, 0, 2}},
		{{0xfd, [15] = 9}, {0xfd, [15] = 2}},
	};
	const uint8_t(*pair)[16] = ends[connection == 2];
	uint16_t port = connection == 3 ? 5000 : 1433;

	memcpy(seg->saddr, pair[server], 16);
	memcpy(seg->daddr, pair[!server], 16);
	seg->sport = server ? port : (uint16_t)(50000 + connection);
	seg->dport = server ? (uint16_t)(50000 + connection) : port;
}

static void send(struct checked *c, struct seg *seg, struct fuzz *in, uint32_t len, uint32_t cut)
{
	uint8_t *payload = fuzz_bytes(in, len, &seg->len);

	seg->cap_len = cut < seg->len ? seg->len - cut : 0;
	if (seg->cap_len < seg->len)
		seg->rec_flags |= SEG_F_TRUNC;
	checked_segment(c, seg, payload);
	free(payload);
}

static void operate(struct checked *c, struct fuzz *in, uint64_t *now_ns)
{
	uint8_t op = fuzz_u8(in);
	bool server = op & 4;
	uint32_t *next = streams[op & 3].next, cut, back;
	struct seg seg = {.ttl = server ? 128 : 64, .window = 512, .ip_id = (uint16_t)c->segments};

	if (op & 0x40)
		*now_ns += (uint64_t)fuzz_u8(in) << 22; /* up to a second */
	cut = op & 0x80 ? fuzz_u8(in) : 0;
	addresses(&seg, op & 3, server);
	seg.ts_ns = *now_ns += 1000;
	seg.seq = next[server];
	seg.ack = next[!server];
	seg.flags = SEG_ACK;
	switch ((enum what)(op >> 3 & 7)) {
	case WHAT_DATA:
		send(c, &seg, in, fuzz_u16(in) % PAYLOAD_MAX, cut);
		next[server] += seg.len;
		return;
	case WHAT_SYN:
		seg.seq--;
		seg.flags = server ? SEG_SYN | SEG_ACK : SEG_SYN;
		send(c, &seg, in, 0, 0);
		return;
	case WHAT_ACK:
		send(c, &seg, in, 0, 0);
		return;
	case WHAT_FIN:
		seg.flags |= SEG_FIN;
		send(c, &seg, in, 0, 0);
		next[server]++;
		return;
	case WHAT_RST:
		seg.flags |= SEG_RST;
		send(c, &seg, in, 0, 0);
		return;
	case WHAT_FREE:
		seg.flags = fuzz_u8(in) & 0x3f;
		seg.rec_flags = fuzz_u8(in);
		seg.ifindex = seg.rec_flags >> 6;
		seg.rec_flags &= SEG_F_HEADS | SEG_F_TRUNC | SEG_F_UDP;
		if (seg.rec_flags & SEG_F_UDP)
			*(server ? &seg.sport : &seg.dport) = SSRP_PORT;
		seg.seq += (uint32_t)(int16_t)fuzz_u16(in);
		seg.ack += (uint32_t)(int16_t)fuzz_u16(in);
		if (op & 0x40)
			seg.ts_ns -= *now_ns / 2; /* time runs backwards in some captures */
		send(c, &seg, in, fuzz_u16(in) % PAYLOAD_MAX, cut);
		return;
	case WHAT_AGAIN:
		back = fuzz_u16(in);
		seg.seq -= back;
		send(c, &seg, in, fuzz_u16(in) % PAYLOAD_MAX, cut);
		return;
	case WHAT_TICK:
		if (server) {
			*now_ns += fuzz_u8(in) * 1000000000ull;
			engine_tick(c->engine, *now_ns);
			checked_stats(c);
			return;
		}
		next[0] = fuzz_u32(in);
		next[1] = ~next[0];
		seg.seq = next[0] - 1;
		seg.flags = SEG_SYN;
		send(c, &seg, in, 0, 0);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in);
	const struct engine_config config = {
		.any_port = how & 1,
		.browser = !(how & 32),
		.identities = how & 2,
		.max_flows = how & 4 ? 2 : 64, /* room is reserved: more would take time */
		.max_buffer = how & 8 ? 1000 : 0,
		.max_messages = how & 64 ? 3000 : 0,
		.reorder_ns = how & 16 ? UINT64_MAX : 0,
		.sql = how & 32,
		.errorlog = how & 128,
		.dependencies = true,
	};
	uint64_t now_ns = 1000000000;
	struct checked c;

	memset(streams, 0, sizeof(streams));
	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		streams[i].next[0] = i ? 1000 * i : (uint32_t)-20; /* one wraps */
		streams[i].next[1] = 5000;
	}
	checked_begin(&c, &config);
	while (in.p < in.end)
		operate(&c, &in, &now_ns);
	checked_end(&c);
	return 0;
}
