/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_tls.c - see verdict_row.h: logins that failed in TLS, or for want of it.
 */
#include "text.h"
#include "verdict_row.h"

static bool is_tls_alert(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->tls.alert.from != SIDE_NONE &&
	       r->tls.alert.description;
}

static char *tls_alert_text(const struct login *l, const struct login_record *r)
{
	uint8_t d = l->tls.alert.description;
	const char *next = "see both sides' TLS settings";

	if (d == 70)
		next = "client and server have no TLS version in common";
	else if (d == 40 || d == 71)
		next = "client and server have no cipher suite in common";
	else if (d >= 42 && d <= 48)
		next = "the server's certificate was refused";
	else if (d == 120)
		next = "the server does not speak TDS 8.0 (ALPN tds/8.0)";
	return text_format("the %s ended the TLS handshake with the alert %s: %s",
			   l->tls.alert.from == SIDE_CLIENT ? "client" : "server",
			   r->tls.alert.description, next);
}

static bool is_certificate(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_CLIENT &&
	       l->tls.server_hello;
}

static char *certificate_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"the client left %s without sending LOGIN7, as drivers do that do not "
		"trust the server's certificate%s%s%s",
		l->tls.done ? "after the TLS handshake was complete"
			    : "after the server's part of the TLS handshake",
		r->tls.cert.subject ? " (" : "", r->tls.cert.subject ? r->tls.cert.subject : "",
		r->tls.cert.subject ? r->tls.cert.self_signed ? ", self-signed)" : ")" : "");
}

static bool is_tls_refused(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_SERVER &&
	       !l->tls.server_hello;
}

static char *tls_refused_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	if (l->strict)
		return text_format("the server closed on a TLS ClientHello: it does not speak "
				   "TDS 8.0 (Encrypt=Strict)");
	return text_format(
		"the server closed on the ClientHello: no TLS version or cipher suite in "
		"common, or TLS was not agreed on");
}

static bool is_tls_failed(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TLS_FAILED;
}

static char *tls_failed_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the %s ended the connection in the TLS handshake%s",
			   l->closed_by == SIDE_SERVER ? "server" : "client",
			   l->tls.version == TLS_1_3 && !l->strict
				   ? ": TLS 1.3 was chosen inside TDS 7, which can't carry it"
				   : "");
}

static bool is_encryption_mismatch(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_ABANDONED && l->state == LOGIN_DECIDED && !l->login7_clear &&
	       !l->login7_hidden && l->prelogin[SIDE_SERVER].version;
}

static char *encryption_mismatch_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the client left because of encryption: it says %s, the server %s",
			   encrypt_option_name(r->encryption.client)
				   ? encrypt_option_name(r->encryption.client)
				   : "nothing",
			   encrypt_option_name(r->encryption.server)
				   ? encrypt_option_name(r->encryption.server)
				   : "nothing");
}

const struct verdict verdict_tls[] = {
	{"tls_alert", is_tls_alert, tls_alert_text},
	{"certificate_refused", is_certificate, certificate_text},
	{"tls_refused", is_tls_refused, tls_refused_text},
	{"tls_failed", is_tls_failed, tls_failed_text},
	{"encryption_mismatch", is_encryption_mismatch, encryption_mismatch_text},
	{NULL, NULL, NULL},
};
