// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.c - heads of HTTP/1 messages, RFC 9112: certificate revocation lists, OCSP, tokens.
 */
#include <string.h>

#include "engine/dependency/service_message.h"

static const char *http_method(const uint8_t *p, size_t len)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t n = strlen(methods[i]);

		if (len > n && !memcmp(p, methods[i], n) && p[n] == ' ')
			return methods[i];
	}
	return NULL;
}

/* The Host field's value. */
static void http_host(const uint8_t *p, size_t len, struct service_message *m)
{
	static const char field[] = "\r\nhost:";
	const size_t n = sizeof(field) - 1;

	for (size_t i = 0; i + n < len; i++) {
		size_t from = i + n, to;

		if (strncasecmp((const char *)p + i, field, n))
			continue;
		while (from < len && p[from] == ' ')
			from++;
		for (to = from; to < len && p[to] != '\r' && p[to] != '\n';)
			to++;
		message_target(m, p + from, to - from);
		return;
	}
}

void http_parse(const uint8_t *p, size_t len, struct service_message *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = DEPENDENCY_HTTP;
	m->operation = http_method(p, len);
	if (m->operation) {
		m->role = MESSAGE_REQUEST;
		http_host(p, len, m);
	} else if (len >= 12 && !memcmp(p, "HTTP/1.", 7)) {
		m->role = MESSAGE_RESPONSE;
		m->result = p[9] == '2' || p[9] == '3' ? "ok" : p[9] == '1' ? NULL : "error";
		m->more = p[9] == '1'; /* an interim response */
	}
}
