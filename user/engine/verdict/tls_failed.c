/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* tls_failed.c - see rule.h: logins that failed in TLS, or because a side lacks it. */
#include "engine/protocol/tls_registry.h"
#include "engine/protocol/wire_text.h"
#include "engine/verdict/rule.h"

/* Alerts by their meaning for a login: RFC 5246 7.2, RFC 8446 6, and docs/PROTOCOL.md 3.6 */
static const struct alert_cause {
	uint8_t least, most; /* descriptions */
	uint8_t from;	     /* enum side; SIDE_NONE: either */
	enum verdict verdict;
	const char *look;
} alert_causes[] = {
	{70, 70, SIDE_NONE, V_TLS_NO_COMMON_VERSION,
	 "client and server have no TLS version in common; old clients offer TLS 1.0 or 1.1, which "
	 "current servers have switched off, and old servers know no more"},
	{86, 86, SIDE_NONE, V_TLS_NO_COMMON_VERSION,
	 "the client came back with an older TLS version, which the server takes for an attack"},
	{40, 40, SIDE_NONE, V_TLS_NO_COMMON_CIPHER,
	 "client and server have no cipher suite in common, or no key exchange; compare what both "
	 "sides have switched off"},
	{71, 71, SIDE_NONE, V_TLS_NO_COMMON_CIPHER,
	 "the server wants stronger cipher suites than the client offers"},
	{45, 45, SIDE_CLIENT, V_CERTIFICATE_REFUSED, "the server's certificate has expired"},
	{48, 48, SIDE_CLIENT, V_CERTIFICATE_REFUSED,
	 "the client does not know the issuer of the server's certificate: install one that it "
	 "trusts, or let it trust this one"},
	{42, 46, SIDE_CLIENT, V_CERTIFICATE_REFUSED,
	 "the client refused the server's certificate: see its name, dates and purpose"},
	{42, 48, SIDE_SERVER, V_CLIENT_CERTIFICATE_REFUSED,
	 "the server refused the client's certificate"},
	{116, 116, SIDE_SERVER, V_CLIENT_CERTIFICATE_REFUSED,
	 "the server asks for a client certificate and got none"},
	{112, 112, SIDE_SERVER, V_TLS_WRONG_NAME,
	 "the server does not know the name that the client asked for (SNI)"},
	{120, 120, SIDE_SERVER, V_TDS8_NOT_SPOKEN,
	 "the server does not speak TDS 8.0 (ALPN tds/8.0): Encrypt=Strict needs SQL Server 2022 "
	 "or later"},
	{0, 255, SIDE_NONE, V_TLS_ALERT, "see both sides' TLS settings and logs"},
};

static const struct alert_cause *alert_cause(const struct login *l)
{
	const struct alert_cause *a = alert_causes;
	uint8_t d = l->tls.alert.description;

	while (d < a->least || d > a->most ||
	       (a->from != SIDE_NONE && a->from != l->tls.alert.from))
		a++; /* the last row matches all */
	return a;
}

static bool is_tls_alert(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->tls.alert.from != SIDE_NONE &&
	       r->tls.alert.description;
}

static enum verdict tls_alert_verdict(const struct login *l, const struct login_record *r)
{
	(void)r;
	return alert_cause(l)->verdict;
}

static char *tls_alert_text(const struct login *l, const struct login_record *r)
{
	return text_format("the %s ended the TLS handshake with the alert %s: %s",
			   l->tls.alert.from == SIDE_CLIENT ? "client" : "server",
			   r->tls.alert.description, alert_cause(l)->look);
}

/* ---- encryption that one side can't, or won't ---- */

static const char *says(enum encrypt_option o)
{
	return encrypt_option_name(o) ? encrypt_option_name(o) : "nothing";
}

static bool is_encryption_mismatch(const struct login *l, const struct login_record *r)
{
	return (r->outcome == OUTCOME_ABANDONED || r->outcome == OUTCOME_DROPPED ||
		r->outcome == OUTCOME_TLS_FAILED) &&
	       !l->login7_clear && !l->login7_hidden && !l->tls.server_hello &&
	       login_encryption_excludes(l);
}

static char *encryption_mismatch_text(const struct login *l, const struct login_record *r)
{
	const char *why = "the client wants encryption and the server has none: give the server a "
			  "certificate, or do not ask for encryption";

	if (r->encryption.client == ENCRYPT_NOT_SUP)
		why = "the client can't or won't encrypt and the server requires it: switch it on "
		      "in the client, or lift Force Encryption";
	else if (r->encryption.server == ENCRYPT_OFF)
		why = "the client wants all encrypted and the server agreed to only the login, "
		      "which the protocol does not allow";
	return text_format("the %s left because of encryption: the client says %s, the server %s; "
			   "%s",
			   l->closed_by == SIDE_SERVER ? "server" : "client",
			   says(r->encryption.client), says(r->encryption.server), why);
}

static bool is_tls_not_agreed(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_SERVER &&
	       !l->tls.server_hello && r->encryption.server == ENCRYPT_NOT_SUP;
}

static char *tls_not_agreed_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format("the client began TLS though the server had said that it does not "
			   "encrypt, and the server closed: the client misread PRELOGIN");
}

/* ---- left without an alert ---- */

static bool is_certificate(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_CLIENT &&
	       l->tls.server_hello;
}

/* The same, where it is also known whether the client checks a certificate. */
static bool is_certificate_refused(const struct login *l, const struct login_record *r)
{
	bool known = l->strict || (r->encryption.client && r->encryption.server);

	return is_certificate(l, r) && (known || !l->tls.done);
}

/* Only the login was to be encrypted: then no driver checks the certificate. MS-TDS 2.2.6.5 */
static bool is_sspi_context(const struct login *l, const struct login_record *r)
{
	return is_certificate(l, r) && l->tls.done && !l->strict &&
	       r->encryption.client == ENCRYPT_OFF && r->encryption.server == ENCRYPT_OFF;
}

static char *sspi_context_text(const struct login *l, const struct login_record *r)
{
	char after[VERDICT_AFTER];

	return text_format("the client left after the TLS handshake was complete without sending "
			   "LOGIN7%s; only the login was to be encrypted, so no certificate was "
			   "checked: most likely it could not make its SSPI context (no Kerberos "
			   "ticket or NTLM credentials): see the SPN, the client's account and its "
			   "domain controller",
			   verdict_after(l, r, after));
}

/* How long the client was silent before it left, when its next message was due. */
static uint64_t kept_still_ns(const struct login *l)
{
	const struct mark *m = &l->marks[l->mark_count - 1];

	/* The last mark is the close. */
	return l->mark_count > 1 && m->ts_ns > m[-1].ts_ns ? m->ts_ns - m[-1].ts_ns : 0;
}

static bool is_certificate_slow(const struct login *l, const struct login_record *r)
{
	return is_certificate(l, r) && l->owes == SIDE_CLIENT && kept_still_ns(l) >= LOGIN_WAIT_NS;
}

static char *certificate_slow_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format(
		"the client left after %.3f s without a message, when it had the server's %s: most "
		"likely it checked the certificate and waited for a revocation list or OCSP server "
		"that it can't reach%s",
		verdict_seconds(kept_still_ns(l)),
		l->tls.done ? "last message of the TLS handshake"
			    : "certificate and its next message of the TLS handshake was due",
		l->tls.done ? ", or for a Kerberos ticket" : "");
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

static bool is_strict_refused(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_SERVER &&
	       !l->tls.server_hello && l->strict;
}

static char *strict_refused_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the server closed on a TLS ClientHello: it does not speak TDS 8.0 "
			   "(Encrypt=Strict), which needs SQL Server 2022 or later%s",
			   l->tls.alpn_tds8 ? ""
					    : "; the client did not name tds/8.0 (ALPN), so it may "
					      "be no TDS client at all");
}

static bool is_tls_refused(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_TLS_FAILED && l->closed_by == SIDE_SERVER &&
	       !l->tls.server_hello;
}

static char *tls_refused_text(const struct login *l, const struct login_record *r)
{
	const char *most = tls_version_name(l->tls.client_version);

	(void)r;
	return text_format("the server closed on the ClientHello, which offers TLS %s at most: no "
			   "TLS version or cipher suite in common (see Schannel in the server's "
			   "system log)",
			   most ? most : "?");
}

static bool is_tls_failed(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_TLS_FAILED;
}

static char *tls_failed_text(const struct login *l, const struct login_record *r)
{
	(void)r;
	return text_format("the %s ended the connection %s the TLS handshake%s",
			   l->closed_by == SIDE_SERVER ? "server" : "client",
			   l->tls.done ? "after" : "in",
			   l->tls.version == TLS_1_3 && !l->strict
				   ? ": TLS 1.3 was chosen inside TDS 7, which can't carry it"
				   : "");
}

const struct verdict_row verdict_tls[] = {
	{.verdict = V_TLS_ALERT,
	 .match = is_tls_alert,
	 .text = tls_alert_text,
	 .pick = tls_alert_verdict},
	{.verdict = V_ENCRYPTION_MISMATCH,
	 .match = is_encryption_mismatch,
	 .text = encryption_mismatch_text},
	{.verdict = V_TLS_NOT_AGREED, .match = is_tls_not_agreed, .text = tls_not_agreed_text},
	{.verdict = V_SSPI_CONTEXT, .match = is_sspi_context, .text = sspi_context_text},
	{.verdict = V_CERTIFICATE_CHECK_SLOW,
	 .match = is_certificate_slow,
	 .text = certificate_slow_text},
	{.verdict = V_CERTIFICATE_REFUSED,
	 .match = is_certificate_refused,
	 .text = certificate_text},
	{.verdict = V_TDS8_NOT_SPOKEN, .match = is_strict_refused, .text = strict_refused_text},
	{.verdict = V_TLS_REFUSED, .match = is_tls_refused, .text = tls_refused_text},
	{.verdict = V_TLS_FAILED, .match = is_tls_failed, .text = tls_failed_text},
	{0},
};
