/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wrapped.h - packets in tunnels, as literal bytes with the expected result, for the tests of the
 * parser and of the tap. Those with TCP hold one segment, from port 40000 to port 1433, with five
 * bytes of payload, 01 to 05.
 */
#ifndef TDSMON_TESTS_WRAPPED_H
#define TDSMON_TESTS_WRAPPED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkt.h"

#define WRAPPED_MAX 1024

struct wrapped {
	const char *name;
	const char *hex;
	enum pkt_result result;
	uint32_t payload_off;
	const char *kind; /* of the tunnel; NULL: none */
	int64_t id;	  /* -1: none, or unknown */
};

#define MACS                                                                                       \
	"020000000002"                                                                             \
	"020000000001"
/* The segment: 45 bytes in IPv4, 65 in IPv6. */
#define TCP_5                                                                                      \
	"9c400599"                                                                                 \
	"000003e8"                                                                                 \
	"000007d0"                                                                                 \
	"5018"                                                                                     \
	"01f6"                                                                                     \
	"00000000"                                                                                 \
	"0102030405"
#define IP4_5                                                                                      \
	"4500002d"                                                                                 \
	"12340000"                                                                                 \
	"3906"                                                                                     \
	"0000"                                                                                     \
	"0a000001"                                                                                 \
	"0a000002" TCP_5
#define IP6_5                                                                                      \
	"60000000"                                                                                 \
	"0019"                                                                                     \
	"06"                                                                                       \
	"39"                                                                                       \
	"20010db8000000000000000000000001"                                                         \
	"20010db8000000000000000000000002" TCP_5
#define FRAME_5 MACS "0800" IP4_5 /* 59 bytes */
/* An outer header; len: length of the whole packet, four hex digits. */
#define IP4(len, protocol)                                                                         \
	"4500" len "00010000"                                                                      \
	"40" protocol "0000"                                                                       \
	"c0000201"                                                                                 \
	"c0000202"
#define IP6(len, next)                                                                             \
	"60000000" len next "40"                                                                   \
	"fe800000000000000000000000000001"                                                         \
	"fe800000000000000000000000000002"
#define UDP(port, len) "c351" port len "0000"
#define VXLAN(vni)     "08000000" vni "00"

#define VXLAN_42(len, udp_len) MACS "0800" IP4(len, "11") UDP("12b5", udp_len) VXLAN("00002a")
#define GRE(len, flags, type)  MACS "0800" IP4(len, "2f") flags type
#define LABELLED(label)	       MACS "8847" label
#define PSEUDOWIRE	       "000101ff" /* label 16, the last one */

#define TCP_IN(off, kind, id) PKT_TCP, off, kind, id
#define NO_TCP(result)	      result, 0, NULL, -1

/* clang-format off: a name, the bytes, and the result */
static const struct wrapped wrapped[] = {
	{"plain", FRAME_5, TCP_IN(54, NULL, -1)},
	{"three tags",
	 MACS "88a80064"
	      "81000065"
	      "81000066"
	      "0800" IP4_5,
	 TCP_IN(66, NULL, -1)},
	{"0x9200 and 802.1Q",
	 MACS "92000064"
	      "81000065"
	      "86dd" IP6_5,
	 TCP_IN(82, NULL, -1)},
	{"VN-Tag",
	 MACS "8926"
	      "00010001"
	      "0800" IP4_5,
	 TCP_IN(60, NULL, -1)},
	{"VN-Tag, 802.1Q",
	 MACS "8926"
	      "00010001"
	      "81000064"
	      "0800" IP4_5,
	 TCP_IN(64, NULL, -1)},
	{"E-Tag",
	 MACS "893f"
	      "000010010000"
	      "0800" IP4_5,
	 TCP_IN(62, NULL, -1)},

	{"VXLAN", VXLAN_42("005f", "004b") FRAME_5, TCP_IN(104, "vxlan", 42)},
	{"VXLAN, an inner tag",
	 VXLAN_42("0063", "004f") MACS "81000007"
				       "0800" IP4_5,
	 TCP_IN(108, "vxlan", 42)},
	{"VXLAN, IPv6 in it", VXLAN_42("0073", "005f") MACS "86dd" IP6_5, TCP_IN(124, "vxlan", 42)},
	{"VXLAN, the inner frame padded", VXLAN_42("0065", "0051") FRAME_5 "eeeeeeeeeeee",
	 TCP_IN(104, "vxlan", 42)},
	{"VXLAN, group policy",
	 MACS "0800" IP4("005f", "11") UDP("12b5", "004b") "88000123"
							   "ffffff00" FRAME_5,
	 TCP_IN(104, "vxlan", 16777215)},
	{"VXLAN of VNI 0",
	 MACS "0800" IP4("005f", "11") UDP("12b5", "004b") VXLAN("000000") FRAME_5,
	 TCP_IN(104, "vxlan", 0)},
	{"VXLAN, port 8472",
	 MACS "0800" IP4("005f", "11") UDP("2118", "004b") VXLAN("000001") FRAME_5,
	 TCP_IN(104, "vxlan", 1)},
	{"VXLAN over IPv6",
	 MACS "86dd" IP6("004b", "11") UDP("12b5", "004b") VXLAN("00002a") FRAME_5,
	 TCP_IN(124, "vxlan", 42)},
	{"VXLAN, first fragment of two",
	 MACS "0800"
	      "45000050"
	      "00012000"
	      "4011"
	      "0000"
	      "c0000201"
	      "c0000202" UDP("12b5", "004b") VXLAN("00002a") FRAME_5,
	 TCP_IN(104, "vxlan", 42)},
	{"VXLAN, later fragment",
	 MACS "0800"
	      "45000050"
	      "00010009"
	      "4011"
	      "0000"
	      "c0000201"
	      "c0000202" UDP("12b5", "004b") VXLAN("00002a") FRAME_5,
	 NO_TCP(PKT_OTHER)},
	{"VXLAN without a VNI",
	 MACS "0800" IP4("005f", "11") UDP("12b5", "004b") "00000000"
							   "00002a00" FRAME_5,
	 NO_TCP(PKT_UDP)},
	{"VXLAN-GPE",
	 MACS "0800" IP4("005f", "11") UDP("12b5", "004b") "0c000003"
							   "00002a00" FRAME_5,
	 NO_TCP(PKT_UDP)},
	{"from VXLAN's port",
	 MACS "0800" IP4("005f", "11") "12b5c351"
				       "004b"
				       "0000" VXLAN("00002a") FRAME_5,
	 NO_TCP(PKT_UDP)},
	{"a datagram of 7 bytes to VXLAN's port",
	 MACS "0800" IP4("0023", "11") UDP("12b5", "000f") "08000000"
							   "00002a"
							   "0000000000",
	 NO_TCP(PKT_UDP)},
	{"VXLAN, ARP in it",
	 VXLAN_42("004e", "003a") MACS "0806"
				       "0001080006040001"
				       "020000000001"
				       "0a000001"
				       "000000000000"
				       "0a000002",
	 NO_TCP(PKT_OTHER)},
	{"VXLAN, an inner fragment",
	 VXLAN_42("005f", "004b") MACS "0800"
				       "4500002d"
				       "12340010"
				       "3906"
				       "0000"
				       "0a000001"
				       "0a000002" TCP_5,
	 NO_TCP(PKT_FRAGMENT)},
	{"VXLAN, inner total length too short",
	 VXLAN_42("005f", "004b") MACS "0800"
				       "45000027"
				       "12340000"
				       "3906"
				       "0000"
				       "0a000001"
				       "0a000002" TCP_5,
	 NO_TCP(PKT_SHORT)},

	{"GENEVE",
	 MACS "0800" IP4("005f", "11") UDP("17c1", "004b") "00006558"
							   "00002a00" FRAME_5,
	 TCP_IN(104, "geneve", 42)},
	{"GENEVE, IPv4 and options as a gateway load balancer has them",
	 MACS "0800" IP4("0071", "11") UDP("17c1", "005d") "08000800"
							   "00000000"
							   "01080102"
							   "0123456789abcdef"
							   "01080202"
							   "fedcba9876543210"
							   "01080301"
							   "00c0ffee" IP4_5,
	 TCP_IN(122, "geneve", 0)},
	{"GENEVE, IPv6, a critical option",
	 MACS "0800" IP4("006d", "11") UDP("17c1", "0059") "024086dd"
							   "00002a00"
							   "01038001"
							   "00000001" IP6_5,
	 TCP_IN(118, "geneve", 42)},
	{"GENEVE, control message",
	 MACS "0800" IP4("005f", "11") UDP("17c1", "004b") "00806558"
							   "00002a00" FRAME_5,
	 NO_TCP(PKT_UDP)},
	{"GENEVE, version 1",
	 MACS "0800" IP4("005f", "11") UDP("17c1", "004b") "40006558"
							   "00002a00" FRAME_5,
	 NO_TCP(PKT_UDP)},
	{"GENEVE, options beyond the frame",
	 MACS "0800" IP4("005f", "11") UDP("17c1", "004b") "3f006558"
							   "00002a00" FRAME_5,
	 NO_TCP(PKT_SHORT)},

	{"GRE, IPv4", GRE("0045", "0000", "0800") IP4_5, TCP_IN(78, "gre", -1)},
	{"GRE, IPv6", GRE("0059", "0000", "86dd") IP6_5, TCP_IN(98, "gre", -1)},
	{"GRE, a frame", GRE("0053", "0000", "6558") FRAME_5, TCP_IN(92, "gre", -1)},
	{"GRE, key", GRE("0057", "2000", "6558") "0000002a" FRAME_5, TCP_IN(96, "gre", 42)},
	{"GRE, key 0", GRE("0057", "2000", "6558") "00000000" FRAME_5, TCP_IN(96, "gre", 0)},
	{"GRE, a large key", GRE("0049", "2000", "0800") "fcffffff" IP4_5,
	 TCP_IN(82, "gre", 4244635647)},
	{"GRE, a key that is only known as a hash", GRE("0049", "2000", "0800") "fd000000" IP4_5,
	 TCP_IN(82, "gre", -1)},
	{"GRE, checksum", GRE("0049", "8000", "0800") "beef0000" IP4_5, TCP_IN(82, "gre", -1)},
	{"GRE, sequence number", GRE("0049", "1000", "0800") "00000007" IP4_5,
	 TCP_IN(82, "gre", -1)},
	{"GRE, all three",
	 GRE("0051", "b000", "0800") "beef0000"
				     "0001e240"
				     "00000007" IP4_5,
	 TCP_IN(90, "gre", 123456)},
	{"GRE over IPv6, an option before it",
	 MACS "86dd" IP6("0039", "3c") "2f00"
				       "040104010100"
				       "00000800" IP4_5,
	 TCP_IN(106, "gre", -1)},
	{"GRE, a source route", GRE("0049", "4000", "0800") "00000000" IP4_5, NO_TCP(PKT_OTHER)},
	{"GRE, PPTP", GRE("0049", "2001", "880b") "00000000" IP4_5, NO_TCP(PKT_OTHER)},
	{"GRE, later fragment",
	 MACS "0800"
	      "45000045"
	      "00010009"
	      "402f"
	      "0000"
	      "c0000201"
	      "c0000202"
	      "00000800" IP4_5,
	 NO_TCP(PKT_OTHER)},

	{"ERSPAN, type I", GRE("0053", "0000", "88be") FRAME_5, TCP_IN(92, "erspan", -1)},
	{"ERSPAN, type II",
	 GRE("005f", "1000", "88be") "00000001"
				     "1064"
				     "402a"
				     "00000003" FRAME_5,
	 TCP_IN(104, "erspan", 42)},
	{"ERSPAN, type II, session 1023",
	 GRE("0063", "1000", "88be") "00000001"
				     "1064"
				     "1bff"
				     "00000003" MACS "81000064"
				     "0800" IP4_5,
	 TCP_IN(108, "erspan", 1023)},
	{"ERSPAN, type III",
	 GRE("0063", "1000", "22eb") "00000001"
				     "2064"
				     "002a"
				     "00001000"
				     "0000"
				     "0000" FRAME_5,
	 TCP_IN(108, "erspan", 42)},
	{"ERSPAN, type III, platform's header",
	 GRE("006b", "1000", "22eb") "00000001"
				     "2064"
				     "002a"
				     "00001000"
				     "0000"
				     "0001"
				     "1000000000000000" FRAME_5,
	 TCP_IN(116, "erspan", 42)},
	{"ERSPAN, type III, an IP packet",
	 GRE("0069", "1000", "22eb") "00000001"
				     "2064"
				     "002a"
				     "00001000"
				     "0000"
				     "0800" IP6_5,
	 TCP_IN(114, "erspan", 42)},
	{"ERSPAN over IPv6",
	 MACS "86dd" IP6("004b", "2f") "100088be"
				       "00000001"
				       "1064"
				       "002a"
				       "00000003" FRAME_5,
	 TCP_IN(124, "erspan", 42)},
	{"ERSPAN, another version",
	 GRE("005f", "1000", "88be") "00000001"
				     "7064"
				     "002a"
				     "00000003" FRAME_5,
	 NO_TCP(PKT_OTHER)},

	{"MPLS", LABELLED("00010140") IP4_5, TCP_IN(58, NULL, -1)},
	{"MPLS, three labels",
	 LABELLED("00010040") "00012040"
			      "00011140" IP4_5,
	 TCP_IN(66, NULL, -1)},
	{"MPLS, two labels", LABELLED("00010040") "00011140" IP4_5, TCP_IN(62, NULL, -1)},
	{"MPLS, upstream's label, IPv6",
	 MACS "8848"
	      "00011140" IP6_5,
	 TCP_IN(78, NULL, -1)},
	{"MPLS, a frame behind a control word", LABELLED(PSEUDOWIRE) "00000000" FRAME_5,
	 TCP_IN(76, NULL, -1)},
	{"MPLS, a frame behind a numbered control word", LABELLED(PSEUDOWIRE) "00000102" FRAME_5,
	 TCP_IN(76, NULL, -1)},
	{"MPLS, a tagged frame behind a control word",
	 LABELLED(PSEUDOWIRE) "00000000" MACS "81000064"
			      "0800" IP4_5,
	 TCP_IN(80, NULL, -1)},
	{"MPLS, a frame", LABELLED(PSEUDOWIRE) FRAME_5, TCP_IN(72, NULL, -1)},
	{"MPLS, a frame to an address that begins with 0",
	 LABELLED(PSEUDOWIRE) "0050569a0002"
			      "0050569a0001"
			      "0800" IP4_5,
	 TCP_IN(72, NULL, -1)},
	{"MPLS, a tagged frame to an address that begins with 0",
	 LABELLED(PSEUDOWIRE) "0050569a0002"
			      "0050569a0001"
			      "81000064"
			      "0800" IP4_5,
	 TCP_IN(76, NULL, -1)},
	{"MPLS, a frame to an address that begins with 4",
	 LABELLED(PSEUDOWIRE) "48df370a0002"
			      "48df370a0001"
			      "0800" IP4_5,
	 TCP_IN(72, NULL, -1)},
	{"MPLS, a frame to an address that begins with 6",
	 LABELLED(PSEUDOWIRE) "6cb2aef00002"
			      "6cb2aef00001"
			      "86dd" IP6_5,
	 TCP_IN(92, NULL, -1)},
	{"MPLS, neither", LABELLED(PSEUDOWIRE) "ff" FRAME_5, NO_TCP(PKT_OTHER)},
	{"MPLS over GRE", GRE("0049", "0000", "8847") "00011140" IP4_5, TCP_IN(82, "gre", -1)},
	{"MPLS in VXLAN",
	 VXLAN_42("0063", "004f") MACS "8847"
				       "00011140" IP4_5,
	 TCP_IN(108, "vxlan", 42)},

	{"PPPoE",
	 MACS "8864"
	      "11000001"
	      "002f"
	      "0021" IP4_5,
	 TCP_IN(62, NULL, -1)},
	{"PPPoE, 802.1Q, IPv6",
	 MACS "81000007"
	      "8864"
	      "11000001"
	      "0043"
	      "0057" IP6_5,
	 TCP_IN(86, NULL, -1)},
	{"PPPoE, padding",
	 MACS "8864"
	      "11000001"
	      "002f"
	      "0021" IP4_5 "eeeeeeee",
	 TCP_IN(62, NULL, -1)},
	{"PPPoE, LCP",
	 MACS "8864"
	      "11000001"
	      "0016"
	      "c021"
	      "0101"
	      "0000" IP4_5,
	 NO_TCP(PKT_OTHER)},
	{"PPPoE, discovery",
	 MACS "8863"
	      "11090000"
	      "0004"
	      "01010000" IP4_5,
	 NO_TCP(PKT_OTHER)},

	{"IPv4 in IPv4", MACS "0800" IP4("0041", "04") IP4_5, TCP_IN(74, NULL, -1)},
	{"IPv6 in IPv4", MACS "0800" IP4("0055", "29") IP6_5, TCP_IN(94, NULL, -1)},
	{"IPv4 in IPv6", MACS "86dd" IP6("002d", "04") IP4_5, TCP_IN(94, NULL, -1)},
	{"IPv6 in IPv6", MACS "86dd" IP6("0041", "29") IP6_5, TCP_IN(114, NULL, -1)},
	{"IPv4 in IPv4, options",
	 MACS "0800"
	      "46000045"
	      "00010000"
	      "4004"
	      "0000"
	      "c0000201"
	      "c0000202"
	      "01010101" IP4_5,
	 TCP_IN(78, NULL, -1)},

	{"VXLAN in VXLAN: the inner one",
	 VXLAN_42("0091", "007d") MACS "0800" IP4("005f", "11") UDP("12b5", "004b") VXLAN("000007")
		 FRAME_5,
	 TCP_IN(154, "vxlan", 7)},
	{"GRE in VXLAN", VXLAN_42("007b", "0067") GRE("0049", "2000", "0800") "00000009" IP4_5,
	 TCP_IN(132, "gre", 9)},
	{"IPv4 in VXLAN's IPv4", VXLAN_42("0073", "005f") MACS "0800" IP4("0041", "04") IP4_5,
	 TCP_IN(124, "vxlan", 42)},
	{"four tunnels",
	 MACS "0800" IP4("007d", "04") IP4("0069", "04") IP4("0055", "04") IP4("0041", "04") IP4_5,
	 TCP_IN(134, NULL, -1)},
	{"five tunnels",
	 MACS "0800" IP4("0091", "04") IP4("007d", "04") IP4("0069", "04") IP4("0055", "04")
		 IP4("0041", "04") IP4_5,
	 NO_TCP(PKT_NESTED)},
	{"24 tags",
	 MACS "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "81000001"
	      "0800" IP4_5,
	 NO_TCP(PKT_NESTED)},
};
/* clang-format on */

#define WRAPPED_COUNT (sizeof(wrapped) / sizeof(wrapped[0]))

/* Decode the bytes. Returns how many. */
static inline size_t wrapped_bytes(const struct wrapped *w, uint8_t out[WRAPPED_MAX])
{
	size_t n = strlen(w->hex) / 2;

	for (size_t i = 0; i < n && i < WRAPPED_MAX; i++) {
		char two[3] = {w->hex[2 * i], w->hex[2 * i + 1]};

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

#endif
