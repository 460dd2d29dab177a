/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * errorlog_words.c - see errorlog_words.h.
 */
#include <stdlib.h>

#include "engine/protocol/wire_text.h"
#include "engine/verdict/errorlog_words.h"

#define LOGIN_FAILED 18456

/* The states of error 18456: Microsoft's documentation of MSSQLSERVER_18456. */
static const struct {
	uint8_t first, last;
	const char *text;
} states[] = {
	{2, 2, "the server has no login of that name"},
	{5, 5, "the server has no login of that name"},
	{6, 6,
	 "the client gave a Windows account's name for a SQL login: use integrated security, or a "
	 "SQL "
	 "login's name"},
	{7, 7, "the login is disabled, and the password was wrong"},
	{8, 8,
	 "the login exists and the password was wrong: check the password that this client has "
	 "stored"},
	{9, 9, "the password is not valid"},
	{11, 11,
	 "the Windows account is valid and may not connect to this server: check that it, or a "
	 "group "
	 "of its, has a login with CONNECT SQL; on the server's own host run the client as "
	 "administrator"},
	{12, 12,
	 "the login is valid and may not connect to this server: check its CONNECT SQL permission "
	 "and "
	 "that on the endpoint"},
	{13, 13, "the SQL Server service is paused"},
	{18, 18, "the password must be changed first"},
	{38, 38,
	 "the server could not open the database that the client asked for: check its name, its "
	 "state, "
	 "and whether the login has a user in it"},
	{40, 40,
	 "the server could not open the login's default database: it was dropped, is offline, or "
	 "the "
	 "login has no user in it"},
	{46, 46, "the server found no database of the name that the client asked for"},
	{58, 58,
	 "the server takes Windows logins only, and this was a SQL login: use integrated security, "
	 "or "
	 "set the server to mixed mode"},
	{102, 111, "Microsoft Entra ID did not authenticate the client"},
	{122, 124, "the name or the password was empty"},
	{126, 126, "the database that the client asked for does not exist"},
	{132, 133, "Microsoft Entra ID did not authenticate the client"},
};

static const char *state_text(const struct errorlog_entry *entry)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (entry->number == LOGIN_FAILED && entry->state >= states[i].first &&
		    entry->state <= states[i].last)
			return states[i].text;
	return NULL;
}

char *errorlog_refused_text(const struct login_record *r, const char *text, const char *after)
{
	const struct errorlog_entry *entry = r->errorlog;
	const char *state = state_text(entry), *reason = entry->reason;

	if (state)
		return text_format("login failed (18456): %s%s; inferred from state %u in the "
				   "server's error log, whose entry fits this login only",
				   state, after, entry->state);
	if (text && entry->number != LOGIN_FAILED)
		return text_format("%s%s; inferred from the server's error log, whose entry "
				   "(state %u) fits this login only",
				   text, after, entry->state);
	return text_format("the server refused the login with error %d, state %u%s (inferred from "
			   "its error log, whose entry fits this login only)%s%s",
			   entry->number, entry->state, after, reason ? ": " : "",
			   reason ? reason : "");
}

/* Where most of the time went, by the timers of 17830. */
static const char *longest_timer(const struct errorlog_entry *entry, uint32_t *ms)
{
	static const struct {
		enum errorlog_timer timer;
		const char *text;
	} parts[] = {
		{TIMER_ENQUEUED, "waiting for a worker thread"},
		{TIMER_TLS, "in the TLS handshake"},
		{TIMER_SSPI, "in SSPI, which waits for the client and for the domain controller"},
		{TIMER_VALIDATION, "validating the login, logon triggers included"},
		{TIMER_NETWORK_READS, "reading from the network, which waits for the client"},
		{TIMER_NETWORK_WRITES, "writing to the network"},
	};
	const char *text = NULL;

	*ms = 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (entry->timer_ms[parts[i].timer] <= *ms)
			continue;
		*ms = entry->timer_ms[parts[i].timer];
		text = parts[i].text;
	}
	return text;
}

static char *entry_text(const struct errorlog_entry *entry, const char *text)
{
	const char *longest = NULL;
	uint32_t ms = 0;

	if (entry->has_timers)
		longest = longest_timer(entry, &ms);
	if (longest)
		return text_format("of %u ms the server spent %u ms %s",
				   entry->timer_ms[TIMER_TOTAL], ms, longest);
	if (state_text(entry))
		return text_format("%s", state_text(entry));
	if (text)
		return text_format("%s", text);
	return text_format("%s", entry->reason ? entry->reason : "the login failed");
}

char *errorlog_ended_text(const struct login_record *r, const char *text, char *verdict)
{
	const struct errorlog_entry *entry = r->errorlog;
	char *more, *whole;

	if (!entry || r->outcome == OUTCOME_REFUSED || !verdict)
		return verdict;
	more = entry_text(entry, text);
	whole = more ? text_format("%s; the server's error log has an entry that fits this login "
				   "only (error %d, state %u, inferred): %s",
				   verdict, entry->number, entry->state, more)
		     : NULL;
	free(more);
	if (!whole)
		return verdict;
	free(verdict);
	return whole;
}
