// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ldap.c - heads of LDAP messages, RFC 4511 4.1.1. If a SASL layer encrypts them (RFC 4513 5.2),
 * only their lengths are readable.
 */
#include <openssl/asn1.h>
#include <string.h>

#include "engine/protocol/der.h"
#include "engine/dependency/service_message.h"
#include "lib/wire_int.h"

#define LDAP_SEQUENCE 0x30
#define LDAP_MOST     (16u << 20) /* Active Directory limits a message to less */

enum ldap_part { LDAP_REQUEST, LDAP_RESPONSE, LDAP_PART, LDAP_ONE_WAY };

/* Application tags of RFC 4511 4.2 to 4.13. */
static const struct {
	int tag;
	enum ldap_part part;
	const char *operation;
} operations[] = {
	{0, LDAP_REQUEST, "bind"},
	{1, LDAP_RESPONSE, NULL},
	{2, LDAP_ONE_WAY, "unbind"},
	{3, LDAP_REQUEST, "search"},
	{4, LDAP_PART, NULL},
	{5, LDAP_RESPONSE, NULL},
	{6, LDAP_REQUEST, "modify"},
	{7, LDAP_RESPONSE, NULL},
	{8, LDAP_REQUEST, "add"},
	{9, LDAP_RESPONSE, NULL},
	{10, LDAP_REQUEST, "delete"},
	{11, LDAP_RESPONSE, NULL},
	{12, LDAP_REQUEST, "modify_dn"},
	{13, LDAP_RESPONSE, NULL},
	{14, LDAP_REQUEST, "compare"},
	{15, LDAP_RESPONSE, NULL},
	{16, LDAP_ONE_WAY, "abandon"},
	{19, LDAP_PART, NULL},
	{23, LDAP_REQUEST, "extended"},
	{24, LDAP_RESPONSE, NULL},
	{25, LDAP_PART, NULL},
};

/* resultCode, RFC 4511 4.1.9. A bind in several rounds and a referral are not failures. */
static const char *ldap_result(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {{0, "ok"},
		     {5, "ok"},
		     {6, "ok"},
		     {10, "ok"},
		     {14, "ok"},
		     {1, "operationsError"},
		     {3, "timeLimitExceeded"},
		     {32, "noSuchObject"},
		     {48, "inappropriateAuthentication"},
		     {49, "invalidCredentials"},
		     {50, "insufficientAccessRights"},
		     {51, "busy"},
		     {52, "unavailable"},
		     {53, "unwillingToPerform"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "error";
}

uint32_t ldap_length(const uint8_t *p, size_t len)
{
	uint32_t n = 0, digits;

	if (len < 4)
		return 0;
	if (p[0] != LDAP_SEQUENCE) {
		n = be32_at(p);
		return n && n < LDAP_MOST ? n + 4 : 0;
	}
	if (p[1] < 0x80)
		return p[1] + 2u;
	digits = p[1] & 0x7f;
	if (!digits || digits > 4 || len < 2 + digits)
		return 0;
	for (uint32_t i = 0; i < digits; i++)
		n = n << 8 | p[2 + i];
	return n < LDAP_MOST ? n + 2 + digits : 0;
}

static void ldap_operation(const struct der *op, struct service_message *m)
{
	const uint8_t *p = op->p;
	struct der code;

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (operations[i].tag != op->tag)
			continue;
		m->operation = operations[i].operation;
		m->more = operations[i].part == LDAP_PART;
		m->role = operations[i].part == LDAP_REQUEST   ? MESSAGE_REQUEST
			  : operations[i].part == LDAP_ONE_WAY ? MESSAGE_ONE_WAY
							       : MESSAGE_RESPONSE;
		if (m->role == MESSAGE_RESPONSE && !m->more && der_next(&p, op->end, &code) &&
		    code.tag == V_ASN1_ENUMERATED && code.p < code.end)
			m->result = ldap_result(*code.p);
	}
}

void ldap_parse(const uint8_t *p, size_t len, struct service_message *m)
{
	const uint8_t *at = p;
	struct der outer, id, op;

	memset(m, 0, sizeof(*m));
	m->kind = DEPENDENCY_LDAP;
	if (len < 2 || p[0] != LDAP_SEQUENCE || !der_next(&at, p + len, &outer))
		return;
	at = outer.p;
	if (!der_next(&at, outer.end, &id) || id.tag != V_ASN1_INTEGER || id.cut ||
	    id.end - id.p > 5)
		return;
	for (const uint8_t *digit = id.p; digit < id.end; digit++)
		m->id = m->id << 8 | *digit;
	if (der_next(&at, outer.end, &op) && op.class == V_ASN1_APPLICATION)
		ldap_operation(&op, m);
}
