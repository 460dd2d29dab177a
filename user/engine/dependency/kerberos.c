// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kerberos.c - Kerberos messages, RFC 4120 5.4 and 5.9: AS and TGS requests and replies, KRB-ERROR.
 * Request and reply share no id, so the requests of a connection are answered in order.
 */
#include <openssl/asn1.h>
#include <string.h>

#include "engine/protocol/der.h"
#include "engine/dependency/service_message.h"
#include "lib/wire_int.h"

#define KERBEROS_LENGTH 4	/* before each message over TCP: RFC 4120 7.2.2 */
#define KERBEROS_MOST	1048576 /* no reply is longer: MIT's limit */

/* Application tags, which are also the message types: RFC 4120 5.10 */
enum { AS_REQ = 10, AS_REP = 11, TGS_REQ = 12, TGS_REP = 13, KRB_ERROR = 30 };

/* The element that member [tag] of a SEQUENCE's content wraps. */
static bool der_member(const struct der *sequence, int tag, struct der *out)
{
	const uint8_t *p = sequence->p;
	struct der member;

	while (der_next(&p, sequence->end, &member))
		if (member.class == V_ASN1_CONTEXT_SPECIFIC && member.tag == tag) {
			p = member.p;
			return der_next(&p, member.end, out);
		}
	return false;
}

/* Read a PrincipalName's strings, as in "MSSQLSvc/host:1433": RFC 4120 5.2.2 */
static void principal(const struct der *name, struct service_message *m)
{
	struct der strings, text;
	const uint8_t *p;
	bool more = false;

	if (!der_member(name, 1, &strings))
		return;
	for (p = strings.p; der_next(&p, strings.end, &text); more = true) {
		if (more)
			message_target(m, "/", 1);
		message_target(m, text.p, (size_t)(text.end - text.p));
		if (text.cut)
			message_target(m, "...", 3);
	}
}

static const char *error_name(long code)
{
	static const struct {
		long code;
		const char *name;
	} names[] = {
		/* RFC 4120 7.5.9, with the usual names */
		{3, "KDC_ERR_BAD_PVNO"},
		{6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"},
		{7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"},
		{8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"},
		{12, "KDC_ERR_POLICY"},
		{13, "KDC_ERR_BADOPTION"},
		{14, "KDC_ERR_ETYPE_NOSUPP"},
		{18, "KDC_ERR_CLIENT_REVOKED"},
		{23, "KDC_ERR_KEY_EXPIRED"},
		{24, "KDC_ERR_PREAUTH_FAILED"},
		{25, "KDC_ERR_PREAUTH_REQUIRED"},
		{29, "KDC_ERR_SVC_UNAVAILABLE"},
		{32, "KRB_AP_ERR_TKT_EXPIRED"},
		{33, "KRB_AP_ERR_TKT_NYV"},
		{37, "KRB_AP_ERR_SKEW"},
		{41, "KRB_AP_ERR_MODIFIED"},
		{52, "KRB_ERR_RESPONSE_TOO_BIG"},
		{60, "KRB_ERR_GENERIC"},
		{68, "KDC_ERR_WRONG_REALM"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "KRB-ERROR";
}

static void kerberos_error(const struct der *sequence, struct service_message *m)
{
	struct der code, sname;
	long value = 0;

	m->role = MESSAGE_RESPONSE;
	m->result = "KRB-ERROR";
	if (!der_member(sequence, 6, &code) || code.cut || code.end - code.p > 4)
		return;
	for (const uint8_t *p = code.p; p < code.end; p++)
		value = value << 8 | *p;
	m->result = error_name(value);
	if (der_member(sequence, 10, &sname))
		principal(&sname, m);
}

static void kerberos_request(const struct der *sequence, struct service_message *m)
{
	struct der body, sname;

	m->role = MESSAGE_REQUEST;
	if (der_member(sequence, 4, &body) && der_member(&body, 3, &sname))
		principal(&sname, m);
}

uint32_t kerberos_tcp_length(const uint8_t *p, size_t len)
{
	uint32_t n;

	if (len < KERBEROS_LENGTH)
		return 0;
	n = be32_at(p);
	return n && n <= KERBEROS_MOST ? n + KERBEROS_LENGTH : 0;
}

void kerberos_parse(const uint8_t *p, size_t len, struct service_message *m)
{
	struct der outer, sequence;
	const uint8_t *at = p;

	memset(m, 0, sizeof(*m));
	m->kind = DEPENDENCY_KERBEROS;
	if (!len || !der_next(&at, p + len, &outer) || outer.class != V_ASN1_APPLICATION ||
	    !der_sequence(&outer, &sequence))
		return;
	switch (outer.tag) {
	case AS_REQ:
		m->operation = "AS-REQ";
		kerberos_request(&sequence, m);
		break;
	case TGS_REQ:
		m->operation = "TGS-REQ";
		kerberos_request(&sequence, m);
		break;
	case AS_REP:
	case TGS_REP:
		m->role = MESSAGE_RESPONSE;
		m->result = "ok";
		break;
	case KRB_ERROR:
		kerberos_error(&sequence, m);
		break;
	default:
		break;
	}
}
