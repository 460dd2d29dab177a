/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict_refused.c - see verdict_row.h: logins that the server refused, or sent on.
 */
#include "text.h"
#include "verdict_row.h"

#define GUESSING_NS    (60 * NS_PER_S) /* this many refusals ... */
#define GUESSING_LEAST 20	       /* ... are no typing error any more */

static const struct {
	int32_t number;
	const char *name, *text;
} errors[] = {
	{18456, "login_failed",
	 "login failed (18456): the state that tells why is in the server's error log alone"},
	{18452, "untrusted_domain",
	 "Windows login from an untrusted domain (18452): no Kerberos ticket, null credentials or "
	 "a local account"},
	{18470, "account_disabled", "the account is disabled (18470)"},
	{18486, "account_locked", "the account is locked out (18486)"},
	{18487, "password_expired", "the password has expired (18487)"},
	{18488, "password_must_change", "the password must be changed first (18488)"},
	{4060, "database_unavailable",
	 "the database can't be opened (4060): its name, its state, or no access to it"},
	{911, "database_unavailable", "there is no such database (911)"},
	{17892, "logon_trigger", "a logon trigger refused the login (17892)"},
	{18461, "single_user", "the server is in single user mode (18461)"},
	{18401, "upgrading", "the server is in script upgrade mode (18401)"},
	{40613, "database_unavailable",
	 "the database is not available just now (40613): try again"},
	{40615, "firewall_rule", "the server's firewall does not allow this address (40615)"},
};

static bool is_guessing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_REFUSED &&
	       history_failures(l->history, &r->client, r->end_ns, GUESSING_NS) >= GUESSING_LEAST;
}

static char *guessing_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"%u logins of this client were refused within a minute: somebody guesses "
		"passwords, or a service goes on with an old one",
		history_failures(l->history, &r->client, r->end_ns, GUESSING_NS));
}

static bool is_null_credentials(const struct login *l, const struct login_record *r)
{
	(void)r;
	return r->outcome == OUTCOME_REFUSED && l->null_credentials;
}

static char *null_credentials_text(const struct login *l, const struct login_record *r)
{
	(void)l, (void)r;
	return text_format(
		"the client sent NTLM credentials without a name: it could not use its own, "
		"for want of a Kerberos delegation or a logged-in user");
}

bool verdict_is_refused(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REFUSED;
}

static char *refused_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	if (!r->has_error)
		return text_format(
			"the server refused the login; encryption hides why: see its error "
			"log");
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == r->error.number)
			return text_format("%s", errors[i].text);
	}
	return text_format("the server refused the login with error %d, severity %u",
			   r->error.number, r->error.class_);
}

static bool is_redirected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REDIRECTED;
}

static char *redirected_text(const struct login *l, const struct login_record *r)
{
	(void)l;
	return text_format("the server sent the client on to %s port %u",
			   r->redirect_host ? r->redirect_host : "?", r->redirect_port);
}

const char *verdict_refused_name(const struct login_record *r)
{
	for (size_t i = 0; r->has_error && i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number == r->error.number)
			return errors[i].name;
	}
	return "login_refused";
}

const struct verdict verdict_refused[] = {
	{"guessing", is_guessing, guessing_text},
	{"null_credentials", is_null_credentials, null_credentials_text},
	{"login_refused", verdict_is_refused, refused_text},
	{"redirected", is_redirected, redirected_text},
	{NULL, NULL, NULL},
};
