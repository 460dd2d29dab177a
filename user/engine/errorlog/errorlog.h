/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * errorlog.h - entries of the server's own error log, and which of them belongs to which login. An
 * entry names the client's address and not its port, so it is joined to a login only where it fits
 * that login and no other, and the login no other entry. Fixed memory: the newest are remembered,
 * and a login is left alone where one that might have fitted, too, was forgotten.
 */
#ifndef TDSMON_ERRORLOG_H
#define TDSMON_ERRORLOG_H

#include "engine/record.h"
#include "lib/units.h"

#define ERRORLOG_SETS 256 /* a client has its place in one of these ... */
#define ERRORLOG_WAYS 16  /* ... for so many entries and logins, together with others */

#define ERRORLOG_NEAR_NS NS_PER_S /* an entry and its login are no further apart */

/* Which errors a login may have got. */
enum errorlog_fit {
	FIT_NONE,    /* it was let in, or never began */
	FIT_READ,    /* an error was read in clear: this one */
	FIT_REFUSED, /* it may have been refused, which TLS hides */
	FIT_EARLY,   /* it ended before LOGIN7: only errors of connections */
	FIT_FAILED,  /* it ended without an answer: any error */
	FIT_ANY,     /* packets are missing */
};

/* A login, for the purposes of joining. */
struct errorlog_login {
	uint8_t client[16]; /* all zeroes: a client on the server's own host */
	uint8_t addr[16];   /* its address, whatever host it is on */
	uint64_t end_ns;    /* of its answer, or of the connection */
	enum errorlog_fit fit;
	int32_t number; /* FIT_READ */
};

struct errorlog;

/* NULL when out of memory. */
struct errorlog *errorlog_new(void);
void errorlog_free(struct errorlog *log);

/* An entry; its strings are copied. */
void errorlog_add(struct errorlog *log, const struct errorlog_entry *entry);

/* A login is decided. */
void errorlog_note(struct errorlog *log, const struct errorlog_login *login);

/* May this error have been this login's? */
bool errorlog_fits(const struct errorlog_login *login, const struct errorlog_entry *entry);

/*
 * The entry that fits this login, if it is the only one, and if it fits none of the logins that
 * were noted; NULL otherwise. Logins that are not noted yet are the caller's to compare.
 */
const struct errorlog_entry *errorlog_find(const struct errorlog *log,
					   const struct errorlog_login *login);

/* An answer of errorlog_find() is that login's: it fits no other from now on. */
void errorlog_take(struct errorlog *log, const struct errorlog_entry *entry);

/*
 * For how many seconds no worker thread took a new request (17884), by an entry whose time and that
 * time before it touch from_ns to to_ns; 1 where the entry does not say; 0: there is no such entry.
 */
uint32_t errorlog_stalled(const struct errorlog *log, uint64_t from_ns, uint64_t to_ns);

#endif
