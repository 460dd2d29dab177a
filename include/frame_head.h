/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * frame_head.h - the heads of TDS packets, TLS records and SMP packets. Their first bytes never
 * coincide, so the first byte of a frame tells which of the three it is. Included by BPF programs
 * (after vmlinux.h) and by user space (after <linux/types.h>); p always is the frame's start.
 */
#ifndef TDSMON_FRAME_HEAD_H
#define TDSMON_FRAME_HEAD_H

#define FRAME_HEAD_INLINE static inline __attribute__((always_inline))

/* Bytes of a head. */
#define TDS_HEADER 8  /* MS-TDS 2.2.3.1 */
#define TLS_HEADER 5  /* RFC 5246 6.2.1 */
#define SMP_HEADER 16 /* MC-SMP 2.2.1 */

/* Bounds on lengths. */
#define FRAME_TLS_MAX (16384 + 2048) /* of a record without its head, RFC 5246 6.2.3 */
#define FRAME_TDS_MAX 32767	     /* of a packet, MS-TDS 2.2.3.1.3 */
#define FRAME_SMP_MAX (1u << 20)     /* one TDS packet in practice; MC-SMP sets no bound */

/* TDS packet types, MS-TDS 2.2.3.1.1 */
enum tds_type {
	TDS_BATCH = 0x01,
	TDS_LOGIN_OLD = 0x02, /* before TDS 7 */
	TDS_RPC = 0x03,
	TDS_RESULT = 0x04,
	TDS_ATTENTION = 0x06,
	TDS_BULK = 0x07,
	TDS_FEDAUTH_TOKEN = 0x08,
	TDS_TRANSACTION = 0x0e,
	TDS_NORMAL_OLD = 0x0f, /* TDS 5 */
	TDS_LOGIN7 = 0x10,
	TDS_SSPI = 0x11,
	TDS_PRELOGIN = 0x12,
};
#define TDS_TYPES                                                                                  \
	(1u << TDS_BATCH | 1u << TDS_LOGIN_OLD | 1u << TDS_RPC | 1u << TDS_RESULT |                \
	 1u << TDS_ATTENTION | 1u << TDS_BULK | 1u << TDS_FEDAUTH_TOKEN | 1u << TDS_TRANSACTION |  \
	 1u << TDS_NORMAL_OLD | 1u << TDS_LOGIN7 | 1u << TDS_SSPI | 1u << TDS_PRELOGIN)

/* TDS packet status, MS-TDS 2.2.3.1.2 */
#define TDS_STATUS_EOM	 0x01
#define TDS_STATUS_RESET 0x18 /* RESETCONNECTION and RESETCONNECTIONSKIPTRAN */

/* TLS content types, RFC 5246 6.2.1 and RFC 6520 3 */
#define TLS_TYPE_FIRST 0x14 /* change_cipher_spec */
#define TLS_TYPE_DATA  0x17 /* application_data */
#define TLS_TYPE_LAST  0x18 /* heartbeat */

#define SMP_SMID 0x53 /* MC-SMP 2.2.1 */

/* SMP flags: exactly one of them, MC-SMP 2.2.1 */
enum smp_flags {
	SMP_SYN = 1,
	SMP_ACK = 2,
	SMP_FIN = 4,
	SMP_DATA = 8, /* the only packet with a payload */
};

FRAME_HEAD_INLINE __u32 frame_be16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

FRAME_HEAD_INLINE bool frame_is_tds_type(__u8 first)
{
	return first < 32 && TDS_TYPES >> first & 1;
}

FRAME_HEAD_INLINE bool frame_is_tls_type(__u8 first)
{
	return first >= TLS_TYPE_FIRST && first <= TLS_TYPE_LAST;
}

/* Length of the whole frame, by a complete head of its kind. */
FRAME_HEAD_INLINE __u32 frame_tds_len(const __u8 *p)
{
	return frame_be16(p + 2);
}

FRAME_HEAD_INLINE __u32 frame_tls_len(const __u8 *p)
{
	return TLS_HEADER + frame_be16(p + 3);
}

FRAME_HEAD_INLINE __u32 frame_smp_len(const __u8 *p)
{
	return p[4] | (__u32)p[5] << 8 | (__u32)p[6] << 16 | (__u32)p[7] << 24;
}

FRAME_HEAD_INLINE bool frame_tds_len_valid(__u32 len)
{
	return len >= TDS_HEADER && len <= FRAME_TDS_MAX;
}

FRAME_HEAD_INLINE bool frame_tls_len_valid(__u32 len)
{
	return len <= TLS_HEADER + FRAME_TLS_MAX;
}

FRAME_HEAD_INLINE bool frame_smp_len_valid(__u32 len)
{
	return len >= SMP_HEADER && len <= FRAME_SMP_MAX;
}

/* Can a complete TDS head be one? */
FRAME_HEAD_INLINE bool frame_tds_valid(const __u8 *p)
{
	return frame_is_tds_type(p[0]) && frame_tds_len_valid(frame_tds_len(p));
}

/* The version of SSL 3.0 to TLS 1.3, as far as a head of n bytes has it. RFC 8446 5.1 */
FRAME_HEAD_INLINE bool frame_tls_version_valid(const __u8 *p, __u32 n)
{
	return (n < 2 || p[1] == 3) && (n < 3 || p[2] <= 4);
}

FRAME_HEAD_INLINE bool frame_smp_flags_valid(const __u8 *p)
{
	return p[1] == SMP_SYN || p[1] == SMP_ACK || p[1] == SMP_FIN || p[1] == SMP_DATA;
}

/* A TDS head as real peers write it: no undefined status bit, window 0. For resynchronising. */
FRAME_HEAD_INLINE bool frame_tds_is_typical(const __u8 *p)
{
	return !(p[1] & 0xe0) && !p[7];
}

#endif
