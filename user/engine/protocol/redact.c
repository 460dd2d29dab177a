// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * redact.c - see redact.h. The list is an allow-list: a message that is not in it is hidden.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/record.h"
#include "engine/protocol/redact.h"

/* Characters; a database's or a server's name has fewer (128). */
#define SHOWN_MOST 256

#define LOGIN	  "Login failed for user '%h'."
#define THE_LOGIN "The login failed for user '%h'. The password change failed. "
#define POLICY                                                                                     \
	LOGIN " Reason: Password change failed. The password does not meet Windows policy "        \
	      "requirements because it is "
#define OPEN_SERVER "Cannot open server '%d' requested by the login. "

/*
 * The messages of SQL Server, Azure SQL, Babelfish and Sybase about logins; sys.messages has most
 * of them. %h is hidden. %d is shown: a database, a server or an edition, without a quotation mark
 * in it. %n is a number, an address or a GUID. A ' also matches a ". A %h at the end may match
 * nothing.
 */
static const char *const known[] = {
	"Login failed.",
	LOGIN,
	"Login failed for user '%h'",
	LOGIN " The user is not associated with a trusted SQL Server connection.",
	LOGIN " Only administrators may connect at this time.",
	LOGIN " Reason: Server is in single user mode. Only one administrator can connect at this "
	      "time.",
	LOGIN " Reason: Server is in script upgrade mode. Only administrator can connect at this "
	      "time.",
	LOGIN " Reason: The account is disabled.",
	LOGIN "  Reason: The password of the account has expired.",
	LOGIN "  Reason: The password of the account must be changed.",
	POLICY "too short.",
	POLICY "too long.",
	POLICY "not complex enough.",
	LOGIN " Reason: %h",
	"Login failed for user '%h' because the account is currently locked out. The system "
	"administrator can unlock it.",
	"Login failed for login '%h'. The login is not defined as a valid login of a trusted SQL "
	"Server connection.",
	THE_LOGIN "The password for the user is too recent to change.",
	THE_LOGIN "The password cannot be used at this time.",
	THE_LOGIN "The password does not meet the requirements of the password filter DLL.",
	THE_LOGIN "An unexpected error occurred during password validation.",
	THE_LOGIN "The user does not have permission to change the password.",
	"Login failed. The login is from an untrusted domain and cannot be used with Integrated "
	"authentication.",
	"Login failed. The login is from an untrusted domain and cannot be used with Windows "
	"authentication.",
	"Login failed. The workstation licensing limit for SQL Server access has already been "
	"reached.",
	"Login failed. The number of simultaneous users already equals the %n registered licenses "
	"for this server. %h",
	"Login failed. The number of simultaneous users has already reached the limit of %n "
	"licenses for this '%d' server. %h",
	"Logon failed for login '%h' due to trigger execution.",
	"Cannot open database '%d' requested by the login. The login failed.",
	"Cannot open database '%d' that was requested by the login. Using the user default "
	"database '%d' instead.",
	"Cannot open user default database. Login failed.",
	"Cannot open user default database. Login failed. " LOGIN,
	"Cannot open user default database. Using master database instead.",
	"Database '%d' does not exist. Make sure that the name is entered correctly.",
	"database '%d' does not exist",
	"Could not locate entry in sysdatabases for database '%d'. No entry found with that name. "
	"Make sure that the name is entered correctly.",
	"The server principal '%h' is not able to access the database '%d' under the current "
	"security context.",
	"Language requested in login '%d' is not an official name on this SQL Server. %h",
	"The target database, '%d', is participating in an availability group and is currently not "
	"accessible for queries. %h",
	"The target database ('%d') is in an availability group and is currently accessible for "
	"connections when the application intent is set to read only. %h",
	"The target database ('%d') is in an availability group and currently does not allow read "
	"only connections. %h",
	"Unable to access availability database '%d' because the database replica is not in the "
	"PRIMARY or SECONDARY role. %h",
	"Login to read-secondary failed due to long wait on "
	"'HADR_DATABASE_WAIT_FOR_TRANSITION_TO_VERSIONING'. %h",
	"Could not connect because the maximum number of '%n' user connections has already been "
	"reached. %h",
	"Could not connect because the maximum number of '%n' dedicated administrator connections "
	"already exists. %h",
	"The login packet used to open the connection is structurally invalid; the connection has "
	"been closed. Please contact the vendor of the client library. %h",
	"Length specified in network packet payload did not match number of bytes read; the "
	"connection has been closed. Please contact the vendor of the client library. %h",
	"Encryption is required to connect to this server but the client library does not support "
	"encryption; the connection has been closed. Please upgrade your client library. %h",
	"The client was unable to reuse a session with SPID %n, which had been reset for "
	"connection "
	"pooling. The failure ID is %n. %h",
	"A fatal error occurred while reading the input stream from the network. The session will "
	"be terminated (input error: %n, output error: %n).",
	"The service has encountered an error processing your request. Please try again. Error "
	"code "
	"%n.",
	"The service is currently busy. Retry the request after %n seconds. Incident ID: %n. Code: "
	"%n.",
	"Cannot process request. Not enough resources to process request. The service is currently "
	"busy. Please retry the request later.",
	"Database '%d' on server '%d' is not currently available. Please retry the connection "
	"later. If the problem persists, contact customer support, and provide them the session "
	"tracing ID of '%n'.",
	OPEN_SERVER "The login failed.",
	OPEN_SERVER "Client with IP address '%n' is not allowed to access the server. %h",
	"Resource ID: %n. The %d limit for the %d is %n and has been reached. %h",
	"Resource ID: %n. The %d minimum guarantee is %n, maximum limit is %n and the current "
	"usage "
	"for the database is %n. However, the server is currently too busy to support requests "
	"greater than %n for this database. %h",
};

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

/* Length of the fixed text that a template begins with: up to the first %, or its end. */
static size_t fixed_length(const char *template)
{
	return strcspn(template, "%");
}

static bool fixed_at(const char *message, const char *fixed, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (message[i] != fixed[i] && !(fixed[i] == '\'' && message[i] == '"'))
			return false;
	}
	return true;
}

/* May a %d or a %n match these bytes? */
static bool may_be(char kind, const char *p, size_t len)
{
	static const char number[] = "0123456789abcdefABCDEFx.,:-";

	if (kind == 'h')
		return true;
	if (!len || len > SHOWN_MOST)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (kind == 'n' ? !strchr(number, p[i]) : is_quote(p[i]))
			return false;
	}
	return true;
}

/*
 * Where the fixed text begins, at or after p. last: it is the template's last. NULL: it was not
 * found.
 */
static const char *fixed_find(const char *p, const char *fixed, size_t len, bool last)
{
	size_t left = strlen(p);

	if (last)
		return left >= len && fixed_at(p + left - len, fixed, len) ? p + left - len : NULL;
	for (; left >= len; p++, left--) {
		if (fixed_at(p, fixed, len))
			return p;
	}
	return NULL;
}

#define PARTS_MOST 3 /* hidden by a template, at most */

/* The parts of a message that are hidden. */
struct hidden {
	size_t count;
	struct {
		size_t from, len;
	} parts[PARTS_MOST];
};

/* Is the message the template's? Then find what is hidden of it. */
static bool match(const char *message, const char *template, struct hidden *hidden)
{
	size_t len = fixed_length(template);
	const char *p = message, *next;
	char kind;

	hidden->count = 0;
	for (;;) {
		if (strlen(p) < len || !fixed_at(p, template, len))
			return false;
		p += len;
		template += len;
		if (!*template)
			return !*p;
		kind = template[1];
		template += 2;
		len = fixed_length(template);
		next = fixed_find(p, template, len, !template[len]);
		if (!next || !may_be(kind, p, (size_t)(next - p)))
			return false;
		if (kind == 'h' && (next > p || *template)) {
			if (hidden->count == PARTS_MOST)
				return false; /* a template with more parts hides everything */
			hidden->parts[hidden->count].from = (size_t)(p - message);
			hidden->parts[hidden->count++].len = (size_t)(next - p);
		}
		p = next;
	}
}

/* Find what is hidden of a message: of an unknown one, all. */
static void hidden_find(const char *message, struct hidden *hidden)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (match(message, known[i], hidden))
			return;
	hidden->count = 1;
	hidden->parts[0].from = 0;
	hidden->parts[0].len = strlen(message);
}

char *redact_message(char *message)
{
	char *redacted =
		message ? malloc(strlen(message) + (PARTS_MOST + 1) * sizeof(RECORD_HIDDEN)) : NULL;
	const char *p = message;
	struct hidden hidden;
	char *out = redacted;

	if (redacted) {
		hidden_find(message, &hidden);
		for (size_t i = 0; i < hidden.count; i++) {
			const char *from = message + hidden.parts[i].from;

			memcpy(out, p, (size_t)(from - p));
			out += from - p;
			out = stpcpy(out, RECORD_HIDDEN);
			p = from + hidden.parts[i].len;
		}
		strcpy(out, p);
	}
	free(message);
	return redacted;
}

void redact_in_place(char *message)
{
	struct hidden hidden;

	hidden_find(message, &hidden);
	for (size_t i = 0; i < hidden.count; i++)
		memset(message + hidden.parts[i].from, REDACT_FILL, hidden.parts[i].len);
}
