/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * attempts.h - finds connections of one client that were attempts at the same login: addresses
 * tried at the same time, or one after the other because the first did not answer.
 */
#ifndef TDSMON_ATTEMPTS_H
#define TDSMON_ATTEMPTS_H

#include "engine/verdict/recent.h"

/* Drivers begin parallel attempts within half a second of each other: docs/PROTOCOL.md 11.4 */
#define ATTEMPTS_STAGGER_NS 600000000ull

/*
 * This attempt, begun at ts_ns, lost: find the one that won. It went to another server at the same
 * port, began within the drivers' stagger, and took a login; this attempt was given up after it was
 * connected. NULL: no attempt won, so this one's failure counts.
 */
const struct history_attempt *attempts_winner(const struct history *h,
					      const struct endpoint *client,
					      const struct endpoint *server, uint64_t ts_ns);

/*
 * Did the client go on to another address because this attempt, begun at ts_ns, failed, and log in
 * there?
 */
bool attempts_gone_on(const struct history *h, const struct endpoint *client,
		      const struct endpoint *server, uint64_t ts_ns);

/* Fill before with the client's vain attempts before the connection that began at ts_ns. */
void attempts_before(const struct history *h, const struct endpoint *client,
		     const struct endpoint *server, uint64_t ts_ns, struct before *before);

/* Did the server take any client's connection within so many ns of ts_ns? */
bool attempts_served(const struct history *h, const struct endpoint *server, uint64_t ts_ns,
		     uint64_t within_ns);

/* Did one source port connect to several servers within a second, as only scanners do? */
bool attempts_one_port(const struct history *h, const struct endpoint *client,
		       const struct endpoint *server, uint64_t ts_ns);

#endif
