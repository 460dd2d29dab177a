// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pkt.c - the packet parser, from Ethernet and from IP. Input: u8 (bit 0: from IP; bits 1-7: how
 * much longer the frame was on the wire), then the frame.
 */
#include "fuzz.h"
#include "pkt.h"

static void check_usual(const uint8_t *frame, const uint8_t *end, uint32_t len)
{
	struct pkt usual = {0}, any = {0};

	if (!pkt_is_usual(frame, end))
		return;
	FUZZ_ASSERT(pkt_set_usual(&usual, frame, end));
	pkt_set_usual_payload(&usual);
	FUZZ_ASSERT(pkt_parse_eth(&any, frame, end, len) == PKT_TCP);
	FUZZ_ASSERT(!memcmp(&usual, &any, sizeof(any)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in);
	uint32_t len, more = (how >> 1) * 16u;
	uint8_t *frame = fuzz_bytes(&in, 0x10000, &len), *end = frame + len;
	struct pkt pkt;
	enum pkt_result result = how & 1 ? pkt_parse_ip(&pkt, frame, end, len + more)
					 : pkt_parse_eth(&pkt, frame, end, len + more);
	struct seg seg = {0};

	if (!(how & 1))
		check_usual(frame, end, len + more);
	FUZZ_ASSERT(result >= PKT_TCP && result <= PKT_UDP);
	if (result == PKT_TCP) {
		const uint8_t *tcp = (const uint8_t *)pkt.tcp;

		FUZZ_ASSERT(!pkt.ip4 != !pkt.ip6);
		FUZZ_ASSERT(tcp > frame && tcp + sizeof(struct pkt_tcp) <= end);
		FUZZ_ASSERT(pkt.payload_off >= tcp + sizeof(struct pkt_tcp) - frame);
		/* No longer than IP can say, or than the frame was. */
		FUZZ_ASSERT(pkt.payload_len <= 0xffff || pkt.payload_len <= len + more);
		pkt_seg(&pkt, &seg);
		FUZZ_ASSERT(!(seg.flags & 0xc0));
		FUZZ_ASSERT(seg.len == pkt.payload_len && !seg.cap_len && !seg.rec_flags);
	}
	if (result == PKT_UDP) {
		FUZZ_ASSERT(!pkt.ip4 != !pkt.ip6);
		FUZZ_ASSERT(pkt.payload_off >= 28 && pkt.payload_off <= len);
		FUZZ_ASSERT(pkt.payload_len <= 0xffff - 8);
		pkt_datagram(&pkt, &seg);
		FUZZ_ASSERT(!seg.flags && !seg.seq && seg.len == pkt.payload_len);
	}
	free(frame);
	return 0;
}
