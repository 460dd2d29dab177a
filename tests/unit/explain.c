// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * explain.c - messages of clients, literally, and the row that each leads to.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "explain/explain.h"
#include "unit.h"

static const struct {
	const char *text, *row;
} messages[] = {
	/* SqlClient */
	{"A network-related or instance-specific error occurred while establishing a connection to "
	 "SQL Server. The "
	 "server was not found or was not accessible. Verify that the instance name is correct and "
	 "that SQL Server is "
	 "configured to allow remote connections. (provider: SQL Network Interfaces, error: 26 - "
	 "Error Locating "
	 "Server/Instance Specified)",
	 "browser_unanswered"},
	{"Netzwerkbezogener oder instanzspezifischer Fehler beim Herstellen einer Verbindung mit "
	 "SQL Server. (provider: "
	 "SQL-Netzwerkschnittstellen, error: 26 - Fehler beim Bestimmen des angegebenen "
	 "Servers/der angegebenen Instanz)",
	 "browser_unanswered"},
	{"... was not accessible. (provider: Named Pipes Provider, error: 40 - Could not open a "
	 "connection to SQL Server)",
	 "cannot_connect"},
	{"(provider: TCP Provider, error: 0 - No connection could be made because the target "
	 "machine actively refused it.)",
	 "refused"},
	{"(provider: TCP Provider, error: 0 - A connection attempt failed because the connected "
	 "party did not properly "
	 "respond after a period of time, or established connection failed because connected host "
	 "has failed to respond.)",
	 "unanswered"},
	{"provider: TCP Provider, error: 0 - No such host is known.", "name_unknown"},
	{"A connection was successfully established with the server, but then an error occurred "
	 "during the pre-login "
	 "handshake. (provider: TCP Provider, error: 0 - An existing connection was forcibly "
	 "closed by the remote host.)",
	 "prelogin_broken"},
	{"A connection was successfully established with the server, but then an error occurred "
	 "during the pre-login "
	 "handshake. (provider: SSL Provider, error: 0 - The certificate chain was issued by an "
	 "authority that is not "
	 "trusted.)",
	 "certificate_untrusted"},
	{"A connection was successfully established with the server, but then an error occurred "
	 "during the login process. "
	 "(provider: SSL Provider, error: 0 - The target principal name is incorrect.)",
	 "certificate_name"},
	{"A connection was successfully established with the server, but then an error occurred "
	 "during the pre-login "
	 "handshake. (provider: SSL Provider, error: 31 - Encryption(ssl/tls) handshake failed)",
	 "tls_broken_off"},
	{"Connection Timeout Expired.  The timeout period elapsed while attempting to consume the "
	 "pre-login handshake "
	 "acknowledgement.  This could be because the pre-login handshake failed or the server was "
	 "unable to respond back "
	 "in time.  The duration spent while attempting to connect to this server was - "
	 "[Pre-Login] initialization=23; "
	 "handshake=14979;",
	 "timeout_prelogin"},
	{"Connection Timeout Expired. The timeout period elapsed during the post-login phase. The "
	 "connection could have "
	 "timed out while waiting for server to complete the login process and respond",
	 "timeout_post_login"},
	{"Connection Timeout Expired. The timeout period elapsed while attempting to create and "
	 "initialize a socket to the "
	 "server.",
	 "unanswered"},
	{"Timeout expired.  The timeout period elapsed prior to obtaining a connection from the "
	 "pool.  This may have "
	 "occurred because all pooled connections were in use and max pool size was reached.",
	 "timeout_pool"},
	{"Execution Timeout Expired.  The timeout period elapsed prior to completion of the "
	 "operation or the server is not "
	 "responding.",
	 "timeout_command"},
	{"A transport-level error has occurred when receiving results from the server. (provider: "
	 "TCP Provider, error: 0 - "
	 "An existing connection was forcibly closed by the remote host.)",
	 "session_broken"},
	{"The target principal name is incorrect.  Cannot generate SSPI context.",
	 "certificate_name"},
	{"Cannot generate SSPI context.", "sspi_context"},
	{"Login failed. The login is from an untrusted domain and cannot be used with Windows "
	 "authentication.",
	 "untrusted_domain"},
	{"Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.", "anonymous"},
	{"Login failed for user 'sa'.", "login_failed"},
	{"Cannot open database \"Sales\" requested by the login. The login failed.\nLogin failed "
	 "for user 'web'.",
	 "database_unavailable"},
	{"Cannot open server 'x' requested by the login. Client with IP address '1.2.3.4' is not "
	 "allowed to access the "
	 "server.",
	 "azure_firewall"},
	{"Logon failed for login 'web' due to trigger execution.", "logon_trigger"},
	{"The instance of SQL Server you attempted to connect to requires encryption but this "
	 "machine does not support it.",
	 "encryption_mismatch"},
	{"The client and server cannot communicate, because they do not possess a common algorithm",
	 "tls_nothing_in_common"},
	/* msodbcsql */
	{"[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired", "timeout_any"},
	{"[08001] [Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Error code 0x274D "
	 "(10061)",
	 "refused"},
	{"[08001] [Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Error code 0x2746 "
	 "(10054)",
	 "reset"},
	{"[08001] [Microsoft][ODBC Driver 17 for SQL Server]TCP Provider: Timeout error [258]. ; "
	 "Unable to complete login "
	 "process due to delay in prelogin response",
	 "timeout_prelogin"},
	{"[08001] SSL Provider: [error:0A000086:SSL routines::certificate verify "
	 "failed:self-signed certificate]",
	 "certificate_untrusted"},
	{"[08S01] [Microsoft][ODBC Driver 18 for SQL Server]Communication link failure (0)",
	 "session_broken"},
	{"[HY000] SSPI Provider: No Kerberos credentials available (default cache: "
	 "FILE:/tmp/krb5cc_0)",
	 "sspi_context"},
	/* JDBC */
	{"The TCP/IP connection to the host sql1, port 1433 has failed. Error: \"Connection "
	 "refused (Connection refused). "
	 "Verify the connection properties. Make sure that an instance of SQL Server is running on "
	 "the host and accepting "
	 "TCP/IP connections at the port. Make sure that TCP connections to the port are not "
	 "blocked by a firewall.\".",
	 "refused"},
	{"The TCP/IP connection to the host sql1, port 1433 has failed. Error: \"connect timed "
	 "out. Verify the connection "
	 "properties.\"",
	 "unanswered"},
	{"The driver could not establish a secure connection to SQL Server by using Secure Sockets "
	 "Layer (SSL) encryption. "
	 "Error: \"PKIX path building failed: "
	 "sun.security.provider.certpath.SunCertPathBuilderException: unable to find "
	 "valid certification path to requested target\".",
	 "certificate_untrusted"},
	{"The driver could not establish a secure connection to SQL Server by using Secure Sockets "
	 "Layer (SSL) encryption. "
	 "Error: \"The server selected protocol version TLS10 is not accepted by client "
	 "preferences [TLS12]\".",
	 "tls_nothing_in_common"},
	{"The connection to the host sql1, named instance dev failed. Error: "
	 "\"java.net.SocketTimeoutException: Receive "
	 "timed out\".",
	 "browser_unanswered"},
	/* localised: only the number is known */
	{"Fehler bei der Anmeldung f\xc3\xbcr den Benutzer 'sa'. (Microsoft SQL Server, Fehler: "
	 "18456)",
	 "login_failed"},
	{"\xc3\x89"
	 "chec de l'ouverture de session (erreur 18\xc2\xa0"
	 "456)",
	 "login_failed"},
	{"Error 18,452", "untrusted_domain"},
	{"Fout 18.452", "untrusted_domain"},
	/* however it is quoted */
	{"\"LOGIN FAILED FOR USER \xe2\x80\x9csa\xe2\x80\x9d\"", "login_failed"},
	{"(18456, b\"Login failed for user 'sa'.\\nDB-Lib error message 20018\")", "login_failed"},
	{"b'DB-Lib error message 20002, severity 9:\\nAdaptive Server connection failed "
	 "(server)\\n'",
	 "closed_by_server"},
};

UNIT_CASE(messages_lead_to_their_row)
{
	const struct explain_row *row;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		size_t count = explain_find(messages[i].text, &row, 1);

		if (!count || strcmp(row->name, messages[i].row))
			UNIT_FAIL("\"%.60s\" leads to %s, not %s", messages[i].text,
				  count ? row->name : "nothing", messages[i].row);
	}
}

UNIT_CASE(unknown_text_has_nearest_rows)
{
	const struct explain_row *rows[EXPLAIN_NEAREST];

	CHECK_INT(explain_find("something odd about a database", rows, 1), 0);
	CHECK(explain_nearest("something odd about a database", rows) >= 1);
	CHECK_INT(explain_nearest("xyzzy", rows), 0);
	CHECK_INT(explain_find("", rows, 1), 0);
	CHECK_INT(explain_nearest("", rows), 0);
}

/* Addresses, ports, versions, lines and parts of words are not the server's numbers. */
UNIT_CASE(numbers_that_are_not_errors)
{
	static const char *const texts[] = {
		"10.0.0.5:18456", "port[::1]:4060", "16.0.4060",       "192.168.184.56",  "a18456",
		"184560",	  "18456a",	    "[fd00::1]:18452", "1845618456184561"};
	const struct explain_row *row;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (explain_find(texts[i], &row, 1))
			UNIT_FAIL("%s leads to %s", texts[i], row->name);
	CHECK_INT(explain_find("error:18456", &row, 1), 1);
}

UNIT_CASE(any_bytes_are_taken)
{
	const struct explain_row *rows[4];
	char text[4096];

	srand(1);
	for (int round = 0; round < 100; round++) {
		size_t len = (size_t)rand() % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(1 + rand() % 255);
		text[len ? len - 1 : 0] = '\0';
		explain_find(text, rows, 4);
		explain_nearest(text, rows);
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_INT(explain_find(text, rows, 4), 0);
	for (size_t i = 1; i < sizeof(text) - 1; i += 2)
		text[i] = ' ';
	CHECK_INT(explain_find(text, rows, 4), 0);
}

/* VERDICTS.md, which tests/docs holds to the program, lists it. */
static bool is_listed(const char *list, const char *name, size_t len)
{
	char row[80];

	snprintf(row, sizeof(row), "\n| `%.*s` |", (int)len, name);
	return strstr(list, row);
}

UNIT_CASE(every_verdict_is_one_of_the_program)
{
	static char list[262144];
	FILE *f = fopen("docs/VERDICTS.md", "r");
	size_t verdicts = 0;

	CHECK(f);
	if (!f)
		return;
	list[fread(list, 1, sizeof(list) - 1, f)] = '\0';
	fclose(f);
	for (const struct explain_row *row = explain_table; row->name; row++)
		for (const char *p = row->verdicts; *p;) {
			size_t len = strcspn(p, " ");

			if (!is_listed(list, p, len))
				UNIT_FAIL("%s leads to %.*s, which is not a verdict", row->name,
					  (int)len, p);
			verdicts++;
			p += len + (p[len] == ' ');
		}
	CHECK(verdicts > 100);
}

/* A phrase is in the form to which texts are brought, else it would fit nothing. */
UNIT_CASE(every_phrase_is_in_its_form_and_finds_its_row)
{
	for (const struct explain_row *row = explain_table; row->name; row++) {
		CHECK(row->phrases[0] && *row->meaning && *row->wire && *row->act);
		for (const char *const *phrase = row->phrases; *phrase; phrase++) {
			const struct explain_row *rows[32];
			char text[128];
			size_t count, i = 0;

			for (const char *p = *phrase; *p; p++)
				if (isupper((unsigned char)*p) ||
				    !(isalnum((unsigned char)*p) || strchr(" *#", *p)))
					UNIT_FAIL("%s: '%s'", row->name, *phrase);
			/* A text that has the gaps and the endings filled. */
			snprintf(text, sizeof(text), "%s", *phrase);
			for (char *p = text; *p; p++)
				*p = *p == '*' || *p == '#' ? 'x' : *p;
			count = explain_find(text, rows, 32);
			while (i < count && rows[i] != row)
				i++;
			if (i == count)
				UNIT_FAIL("'%s' does not lead to %s", *phrase, row->name);
		}
	}
}

int main(void)
{
	RUN(messages_lead_to_their_row);
	RUN(unknown_text_has_nearest_rows);
	RUN(numbers_that_are_not_errors);
	RUN(any_bytes_are_taken);
	RUN(every_verdict_is_one_of_the_program);
	RUN(every_phrase_is_in_its_form_and_finds_its_row);
	return unit_status();
}
