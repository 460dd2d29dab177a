// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decap.c - unwrapping. Input: u8 (bit 0: the frame begins with IP, else Ethernet; bits 1-7: how
 * much longer it was on the wire), then the frame.
 */
#include "decap.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct decap_config config = {
		.vxlan = {DECAP_VXLAN_PORT, DECAP_VXLAN_LINUX},
		.geneve = {DECAP_GENEVE_PORT},
		.gre = 1,
		.erspan = 1,
	};
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in);
	uint32_t len, more = (how >> 1) * 16u;
	uint8_t *frame = fuzz_bytes(&in, 0x10000, &len), *end = frame + len;
	struct seg seg = {0};
	struct pkt pkt;
	enum pkt_result result = decap_parse(&pkt, &config, how & 1 ? PKT_ETH_IP4 : DECAP_ETH_FRAME,
					     frame, end, len + more);

	FUZZ_ASSERT(result >= PKT_TCP && result <= PKT_NESTED);
	if (result == PKT_TCP) {
		const uint8_t *tcp = (const uint8_t *)pkt.tcp;

		FUZZ_ASSERT(!pkt.ip4 != !pkt.ip6);
		FUZZ_ASSERT(tcp > frame && tcp + sizeof(struct pkt_tcp) <= end);
		FUZZ_ASSERT(pkt.payload_off >= tcp + sizeof(struct pkt_tcp) - frame);
		FUZZ_ASSERT(pkt.payload_len <= 0xffff || pkt.payload_len <= len + more);
		pkt_seg(&pkt, &seg);
		FUZZ_ASSERT(seg.len == pkt.payload_len);
	}
	if (result == PKT_UDP) {
		FUZZ_ASSERT(!pkt.ip4 != !pkt.ip6);
		FUZZ_ASSERT(pkt.payload_off >= 28 && pkt.payload_off <= len);
		FUZZ_ASSERT(pkt.payload_len <= 0xffff - 8);
		pkt_datagram(&pkt, &seg);
	}
	free(frame);
	return 0;
}
