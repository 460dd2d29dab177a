/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* refused.c - see rule.h: logins that the server refused, or sent on. */
#include "engine/protocol/wire_text.h"
#include "engine/verdict/errorlog_words.h"
#include "engine/verdict/recent.h"
#include "engine/verdict/rule.h"

#define GUESSING_NS    (60 * NS_PER_S) /* this many refusals ... */
#define GUESSING_LEAST 20	       /* ... are not typing errors any more */

/* SQL Server's errors of a login, by number: their names here, and the advice. */
static const struct cause {
	int32_t number;
	enum verdict verdict;
	const char *text;
} causes[] = {
	{18456, V_LOGIN_FAILED,
	 "login failed (18456): wrong name or password, or a Windows account without a login; only "
	 "the server's error log has the state that tells which"},
	{4002, V_LOGIN_FAILED,
	 "login failed (4002): wrong name or password, on Sybase or a SQL Server before 7.0"},
	{18452, V_UNTRUSTED_DOMAIN,
	 "Windows login from an untrusted domain (18452): no Kerberos ticket, null credentials or "
	 "a local account; see the SPN, the trust and the client's account"},
	{18470, V_ACCOUNT_DISABLED,
	 "the account is disabled (18470): ALTER LOGIN ... ENABLE lets it in"},
	{18486, V_ACCOUNT_LOCKED,
	 "the account is locked out (18486): somebody tried wrong passwords; ALTER LOGIN ... "
	 "UNLOCK lets it in"},
	{18487, V_PASSWORD_EXPIRED, "the password has expired (18487): give the login a new one"},
	{18488, V_PASSWORD_MUST_CHANGE,
	 "the password must be changed first (18488): the client must offer that, or an "
	 "administrator sets a new one"},
	{4060, V_DATABASE_UNAVAILABLE,
	 "the database can't be opened (4060): see its name, its state, and whether the login has "
	 "a user in it"},
	{4061, V_DATABASE_UNAVAILABLE,
	 "neither the database asked for nor the login's default database can be opened (4061)"},
	{4064, V_DATABASE_UNAVAILABLE,
	 "the login's default database can't be opened (4064): it was dropped, is offline, or the "
	 "login has no user in it"},
	{911, V_DATABASE_UNAVAILABLE,
	 "there is no such database (911): see the connection string's spelling"},
	{40613, V_DATABASE_UNAVAILABLE,
	 "the database is not available just now (40613): try again, it may be starting or moving"},
	{4221, V_DATABASE_UNAVAILABLE,
	 "the readable secondary was not ready (4221): a long transaction on the primary holds it "
	 "up"},
	{976, V_REPLICA_NOT_READABLE,
	 "the database is in an availability group and not readable here (976): connect to the "
	 "listener "
	 "or the primary"},
	{978, V_REPLICA_NOT_READABLE,
	 "the secondary replica takes only read-only logins (978): ApplicationIntent=ReadOnly is "
	 "missing"},
	{979, V_REPLICA_NOT_READABLE,
	 "the replica takes no read-only logins (979): see its role's connection setting"},
	{983, V_REPLICA_NOT_READABLE,
	 "the replica is neither primary nor secondary just now (983): see the availability "
	 "group's state"},
	{17892, V_LOGON_TRIGGER,
	 "a logon trigger refused the login (17892): see the trigger and what it printed in the "
	 "error log"},
	{18461, V_SINGLE_USER,
	 "the server is in single user mode (18461): another connection has the one place"},
	{18451, V_ADMINISTRATORS_ONLY,
	 "only administrators may connect at this time (18451): the server starts, stops or is "
	 "being serviced"},
	{18401, V_UPGRADING,
	 "the server is in script upgrade mode (18401): wait until its upgrade is done, see its "
	 "error log"},
	{18458, V_LICENSE_LIMIT, "the licensed number of users is reached (18458)"},
	{18459, V_LICENSE_LIMIT, "the licensed number of workstations is reached (18459)"},
	{18460, V_LICENSE_LIMIT, "the licensed number of connections is reached (18460)"},
	{17809, V_TOO_MANY_CONNECTIONS,
	 "the largest number of user connections is reached (17809): see sp_configure 'user "
	 "connections' and who leaves connections open"},
	{17810, V_DAC_IN_USE,
	 "the dedicated administrator connection is in use (17810): there is only one"},
	{18489, V_DAC_IN_USE,
	 "the dedicated administrator connection is in use (18489): there is only one"},
	{18462, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18462): the old password is too new to be changed"},
	{18463, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18463): that password can't be used at this time"},
	{18464, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18464): the new password is too short"},
	{18465, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18465): the new password is too long"},
	{18466, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18466): the new password is not complex enough"},
	{18467, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18467): a password filter refused the new one"},
	{18468, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18468): an error in checking the new password"},
	{18471, V_PASSWORD_CHANGE_FAILED,
	 "the password change failed (18471): the login may not change its password"},
	{17187, V_SERVER_STARTING,
	 "the server is not ready for connections yet (17187): it starts, wait until it is up"},
	{17188, V_SERVER_STOPPING, "the server shuts down and takes no connections (17188)"},
	{17189, V_NO_THREAD,
	 "the server could not start a thread for the connection (17189): check its memory and its "
	 "worker threads"},
	{17806, V_SSPI_FAILED,
	 "the SSPI handshake failed (17806): see the server's account, its domain controller and "
	 "the SPN"},
	{17828, V_LOGIN_MALFORMED,
	 "the server could not read the PRELOGIN packet (17828): the client's driver does not fit, "
	 "or another service's client connected"},
	{17829, V_LOGIN_BROKEN_OFF, "a network error broke the login off (17829)"},
	{17830, V_LOGIN_BROKEN_OFF,
	 "a network error broke the login off (17830): the server's error log has its timers"},
	{17832, V_LOGIN_MALFORMED,
	 "the server could not read the login packet (17832): the client's driver does not fit, or "
	 "a device changed it"},
	{17835, V_ENCRYPTION_REQUIRED,
	 "the server requires encryption and the client does not encrypt (17835)"},
	{17836, V_LOGIN_MALFORMED,
	 "the login packet's length is wrong (17836): the client's driver does not fit"},
	{18056, V_POOL_RESET_FAILED,
	 "a pooled connection could not be reset (18056): see the errors before it in the server's "
	 "error log"},
	{18061, V_POOL_RESET_FAILED,
	 "a pooled connection could not be reset for another login (18061)"},
	{4014, V_LOGIN_MALFORMED,
	 "the server could not read on from the network (4014): see the path and the client"},
	{4019, V_LANGUAGE_UNKNOWN, "the server does not know the requested language (4019)"},
	{40615, V_FIREWALL_RULE,
	 "the server's firewall does not allow this address (40615): add a rule for it"},
	{40532, V_SERVER_UNKNOWN,
	 "the gateway knows no such server (40532): see the server's name, and user@server"},
	{40197, V_SERVICE_ERROR, "the service had an error (40197): try again after some seconds"},
	{40501, V_SERVICE_BUSY, "the service is busy (40501): try again after ten seconds"},
	{49918, V_SERVICE_BUSY, "too few resources for the request (49918): try again later"},
	{49919, V_SERVICE_BUSY, "too many create or update operations (49919): try again later"},
	{49920, V_SERVICE_BUSY, "too many operations are under way (49920): try again later"},
	{10928, V_RESOURCE_LIMIT,
	 "the database's limit of workers or sessions is reached (10928): see what holds them"},
	{10929, V_RESOURCE_LIMIT,
	 "the server is too busy for more than the guaranteed minimum (10929): try again later"},
};

static const struct cause *cause_of_number(int32_t number)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].number == number)
			return &causes[i];
	}
	return NULL;
}

static const struct cause *cause_of(const struct login_record *r)
{
	return r->has_error ? cause_of_number(r->error.number) : NULL;
}

const char *verdict_error_text(int32_t number)
{
	const struct cause *cause = cause_of_number(number);

	return cause ? cause->text : NULL;
}

static uint32_t failures(const struct login *l, const struct login_record *r)
{
	return history_failures(l->env->history, login_record_client(r), r->end_ns, GUESSING_NS);
}

static bool is_guessing(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_REFUSED && login_record_guess(r) &&
	       failures(l, r) >= GUESSING_LEAST;
}

static char *guessing_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"%u logins of this client were refused within a minute: somebody guesses "
		"passwords, or a service goes on with an old one",
		failures(l, r));
}

/* ---- let in after many refusals ---- */

static uint32_t guesses(const struct login *l, const struct login_record *r)
{
	uint32_t login7 = l->units.count ? l->units.at[0].most : l->login7_size;

	return answers_guesses(l->env->answers, login_record_client(r), &r->server, login7,
			       r->start_ns);
}

static bool is_guessed(const struct login *l, const struct login_record *r)
{
	return r->outcome == OUTCOME_OK && guesses(l, r) >= GUESSING_LEAST;
}

static char *guessed_text(const struct login *l, const struct login_record *r)
{
	return text_format(
		"logged in right after %u refusals in a row of this client: a password "
		"was guessed, or a service got the right one at last; see what this "
		"login does%s%s%s",
		guesses(l, r), l->outcome_grounds ? " (that it succeeded is inferred: " : "",
		l->outcome_grounds ? l->outcome_grounds : "", l->outcome_grounds ? ")" : "");
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
		"for lack of a Kerberos delegation or a logged-in user");
}

static bool is_refused(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REFUSED;
}

static enum verdict refused_verdict(const struct login *l, const struct login_record *r)
{
	const struct cause *cause = cause_of(r);

	(void)l;
	return cause ? cause->verdict : V_LOGIN_REFUSED;
}

static char *refused_text(const struct login *l, const struct login_record *r)
{
	const struct cause *cause = cause_of(r);
	char after[VERDICT_AFTER];

	if (r->errorlog)
		return errorlog_refused_text(r, verdict_error_text(r->errorlog->number),
					     verdict_after(l, r, after));
	if (l->answer.refused && !r->has_error)
		return text_format("the server refused the login%s and did not say why: see its "
				   "error log",
				   verdict_after(l, r, after));
	if (!r->has_error)
		return text_format("the server refused the login%s (inferred: %s); encryption "
				   "hides why: see its error log",
				   verdict_after(l, r, after),
				   l->outcome_grounds ? l->outcome_grounds : "it closed");
	if (cause)
		return text_format("%s%s", cause->text, verdict_after(l, r, after));
	return text_format("the server refused the login with error %d, severity %u%s",
			   r->error.number, r->error.class_, verdict_after(l, r, after));
}

static bool is_redirected(const struct login *l, const struct login_record *r)
{
	(void)l;
	return r->outcome == OUTCOME_REDIRECTED;
}

static char *redirected_text(const struct login *l, const struct login_record *r)
{
	char after[VERDICT_AFTER];

	if (l->next.port)
		return text_format("the server sent the client on to port %u%s (inferred: the "
				   "connection ended after one answer, and %.3f ms after that the "
				   "client connected to port %u, one of those to which Azure's "
				   "gateways send)",
				   l->next.port, verdict_after(l, r, after),
				   (double)l->next_ns / 1e6, l->next.port);
	return text_format("the server sent the client on to %s port %u%s; the record of "
			   "this connection's end says whether it went there",
			   r->redirect_host ? r->redirect_host : "?", r->redirect_port,
			   verdict_after(l, r, after));
}

const struct verdict_row verdict_refused[] = {
	{.verdict = V_GUESS_SUCCEEDED, .match = is_guessed, .text = guessed_text},
	{.verdict = V_GUESSING, .match = is_guessing, .text = guessing_text},
	{.verdict = V_NULL_CREDENTIALS,
	 .match = is_null_credentials,
	 .text = null_credentials_text},
	{.verdict = V_LOGIN_REFUSED,
	 .match = is_refused,
	 .text = refused_text,
	 .pick = refused_verdict},
	{.verdict = V_REDIRECTED, .match = is_redirected, .text = redirected_text},
	{0},
};
