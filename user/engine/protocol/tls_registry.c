/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tls_registry.c - see tls_registry.h.
 */
#include <stddef.h>

#include "engine/protocol/tls_registry.h"

/* By number. Names: IANA TLS Cipher Suites registry. */
static const struct tls_suite suites[] = {
	/* GCM and CCM: 8 nonce, 16 tag; CCM_8: 8 tag. ChaCha20: 16 tag. CBC: 16 IV, MAC, 1..16. */
	{0x0004, 16, 16, "TLS_RSA_WITH_RC4_128_MD5"},
	{0x0005, 20, 20, "TLS_RSA_WITH_RC4_128_SHA"},
	{0x000a, 29, 36, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
	{0x002f, 37, 52, "TLS_RSA_WITH_AES_128_CBC_SHA"},
	{0x0033, 37, 52, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
	{0x0035, 37, 52, "TLS_RSA_WITH_AES_256_CBC_SHA"},
	{0x0039, 37, 52, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
	{0x003c, 49, 64, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
	{0x003d, 49, 64, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
	{0x0067, 49, 64, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
	{0x006b, 49, 64, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
	{0x009c, 24, 24, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
	{0x009d, 24, 24, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
	{0x009e, 24, 24, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
	{0x009f, 24, 24, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
	{0x1301, 17, 17, "TLS_AES_128_GCM_SHA256"},
	{0x1302, 17, 17, "TLS_AES_256_GCM_SHA384"},
	{0x1303, 17, 17, "TLS_CHACHA20_POLY1305_SHA256"},
	{0x1304, 17, 17, "TLS_AES_128_CCM_SHA256"},
	{0x1305, 9, 9, "TLS_AES_128_CCM_8_SHA256"},
	{0xc009, 37, 52, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
	{0xc00a, 37, 52, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
	{0xc011, 20, 20, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"},
	{0xc012, 29, 36, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
	{0xc013, 37, 52, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
	{0xc014, 37, 52, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
	{0xc023, 49, 64, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
	{0xc024, 65, 80, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
	{0xc027, 49, 64, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
	{0xc028, 65, 80, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
	{0xc02b, 24, 24, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	{0xc02c, 24, 24, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
	{0xc02f, 24, 24, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
	{0xc030, 24, 24, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
	{0xc09c, 24, 24, "TLS_RSA_WITH_AES_128_CCM"},
	{0xc09d, 24, 24, "TLS_RSA_WITH_AES_256_CCM"},
	{0xc0ac, 24, 24, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
	{0xc0ad, 24, 24, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
	{0xcca8, 16, 16, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
	{0xcca9, 16, 16, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	{0xccaa, 16, 16, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};

/* RFC 5246 7.2, RFC 8446 6 */
static const struct {
	uint8_t code;
	const char *name;
} alerts[] = {
	{0, "close_notify"},
	{10, "unexpected_message"},
	{20, "bad_record_mac"},
	{21, "decryption_failed"},
	{22, "record_overflow"},
	{30, "decompression_failure"},
	{40, "handshake_failure"},
	{41, "no_certificate"},
	{42, "bad_certificate"},
	{43, "unsupported_certificate"},
	{44, "certificate_revoked"},
	{45, "certificate_expired"},
	{46, "certificate_unknown"},
	{47, "illegal_parameter"},
	{48, "unknown_ca"},
	{49, "access_denied"},
	{50, "decode_error"},
	{51, "decrypt_error"},
	{60, "export_restriction"},
	{70, "protocol_version"},
	{71, "insufficient_security"},
	{80, "internal_error"},
	{86, "inappropriate_fallback"},
	{90, "user_canceled"},
	{100, "no_renegotiation"},
	{109, "missing_extension"},
	{110, "unsupported_extension"},
	{112, "unrecognized_name"},
	{113, "bad_certificate_status_response"},
	{115, "unknown_psk_identity"},
	{116, "certificate_required"},
	{120, "no_application_protocol"},
};

const struct tls_suite *tls_suite_find(uint16_t id)
{
	size_t least = 0, most = sizeof(suites) / sizeof(suites[0]);

	while (least < most) {
		size_t middle = (least + most) / 2;

		if (suites[middle].id == id)
			return &suites[middle];
		if (suites[middle].id < id)
			least = middle + 1;
		else
			most = middle;
	}
	return NULL;
}

const char *tls_alert_name(uint8_t code)
{
	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		if (alerts[i].code == code)
			return alerts[i].name;
	}
	return NULL;
}

const char *tls_version_name(uint16_t v)
{
	static const char *const names[] = {"3.0", "1.0", "1.1", "1.2", "1.3"};

	return v >= 0x0300 && v <= 0x0304 ? names[v - 0x0300] : NULL;
}
