/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tls_registry.h - cipher suites, alerts and versions of TLS by number.
 */
#ifndef TDSMON_TLS_REGISTRY_H
#define TDSMON_TLS_REGISTRY_H

#include <stdint.h>

struct tls_suite {
	uint16_t id;
	uint8_t least, most; /* bytes that it adds to a record, TLS 1.2 */
	const char *name;
};

/* NULL: the suite is not known. */
const struct tls_suite *tls_suite_find(uint16_t id);

/* NULL: the code is not known. */
const char *tls_alert_name(uint8_t code);

/* "1.2" for 0x0303 and so on; NULL if it is not a TLS version. */
const char *tls_version_name(uint16_t version);

#endif
