/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * redact.c - error messages without names: known messages keep their text, of others nothing is
 * kept.
 */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/redact.h"
#include "unit.h"

static void check(const char *message, const char *want)
{
	char *told = redact_message(strdup(message));

	CHECK_STR(told, want);
	free(told);
}

UNIT_CASE(names_are_hidden)
{
	check("Login failed for user 'brien'.", "Login failed for user '<hidden>'.");
	check("Login failed for user \"brien\"", "Login failed for user \"<hidden>\"");
	check("Login failed for user 'CONTOSO\\brien'.", "Login failed for user '<hidden>'.");
	check("Login failed for user ''.", "Login failed for user '<hidden>'.");
	check("Logon failed for login 'brien' due to trigger execution.",
	      "Logon failed for login '<hidden>' due to trigger execution.");
	check("The server principal \"brien\" is not able to access the database \"shop\" under "
	      "the "
	      "current security context.",
	      "The server principal \"<hidden>\" is not able to access the database \"shop\" under "
	      "the current security context.");
	check("Login failed for user 'brien'. Reason: The account is disabled.",
	      "Login failed for user '<hidden>'. Reason: The account is disabled.");
	check("Login failed for user 'brien'. Reason: brien is on leave",
	      "Login failed for user '<hidden>'. Reason: <hidden>");
	check("Cannot open user default database. Login failed. Login failed for user 'brien'.",
	      "Cannot open user default database. Login failed. Login failed for user '<hidden>'.");
}

/* Whatever a name consists of, it does not end before its message does. */
UNIT_CASE(names_with_quotes)
{
	check("Login failed for user 'o'brien'.", "Login failed for user '<hidden>'.");
	check("Login failed for user 'a'. 'b'.", "Login failed for user '<hidden>'.");
	check("Login failed for user 'brien'. Reason: The account is disabled.'.",
	      "Login failed for user '<hidden>'.");
	/* A name that looks like the rest of the message, in which a database would be shown */
	check("The server principal \"x\" is not able to access the database \"brien\" is not able "
	      "to access the database \"shop\" under the current security context.",
	      "<hidden>");
}

UNIT_CASE(messages_without_names)
{
	check("Login failed.", "Login failed.");
	check("Cannot open database \"shop\" requested by the login. The login failed.",
	      "Cannot open database \"shop\" requested by the login. The login failed.");
	check("database \"shop\" does not exist", "database \"shop\" does not exist");
	check("Could not connect because the maximum number of '100' user connections has already "
	      "been reached. The system administrator can use sp_configure.",
	      "Could not connect because the maximum number of '100' user connections has already "
	      "been reached. <hidden>");
	check("The service is currently busy. Retry the request after 10 seconds. Incident ID: "
	      "8a9b-12. Code: 131072.",
	      "The service is currently busy. Retry the request after 10 seconds. Incident ID: "
	      "8a9b-12. Code: 131072.");
	/* A number that is not one */
	check("The service has encountered an error processing your request. Please try again. "
	      "Error code brien.",
	      "<hidden>");
}

/* Another language, other quotes, or none; and unknown messages. */
UNIT_CASE(messages_that_are_not_known)
{
	static const char *const messages[] = {
		"Accesso non riuscito per l'utente 'brien'.",
		"Fehler bei der Anmeldung f\u00fcr den Benutzer \"brien\".",
		"\u00c9chec de l'ouverture de session de l'utilisateur 'brien'.",
		"\u7528\u6237 'brien' \u767b\u5f55\u5931\u8d25\u3002",
		"\u30e6\u30fc\u30b6\u30fc 'brien' \u306f\u30ed\u30b0\u30a4\u30f3\u3067\u304d\u307e"
		"\u305b\u3093\u3067\u3057\u305f\u3002",
		"Login failed for user \u2018brien\u2019.",
		"Login failed for user \u00abbrien\u00bb.",
		"Login failed for user brien.",
		"Login failed for user 'brien.",
		"login failed for user 'brien'.",
		"The login 'brien' does not have CONNECT permission on the endpoint.",
		"brien",
		"'",
		"%h",
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		check(messages[i], "<hidden>");
	CHECK(!redact_message(NULL));
}

/* In place nothing moves, and a masked message is masked like the message itself. */
UNIT_CASE(in_place)
{
	static const struct {
		const char *message, *want;
	} rows[] = {
		{"Login failed for user 'brien'.", "Login failed for user 'xxxxx'."},
		{"Login failed for user ''.", "Login failed for user ''."},
		{"Login failed for user 'brien'. Reason: gone",
		 "Login failed for user 'xxxxx'. Reason: xxxx"},
		{"Cannot open database \"shop\" requested by the login. The login failed.",
		 "Cannot open database \"shop\" requested by the login. The login failed."},
		{"login failed for brien", "xxxxxxxxxxxxxxxxxxxxxx"},
		{"", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = strdup(rows[i].message), *told;

		redact_in_place(text);
		CHECK_STR(text, rows[i].want);
		told = redact_message(strdup(rows[i].message));
		check(text, told);
		free(told);
		free(text);
	}
}

int main(void)
{
	RUN(names_are_hidden);
	RUN(names_with_quotes);
	RUN(messages_without_names);
	RUN(messages_that_are_not_known);
	RUN(in_place);
	return unit_status();
}
