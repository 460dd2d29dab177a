/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn_login.h - a connection's login: how long it takes what comes, how it is reported, and how it is
 * dropped if the connection had logged in before.
 */
#ifndef TDSMON_CONN_LOGIN_H
#define TDSMON_CONN_LOGIN_H

#include "engine/engine_private.h"

/* Does the login still take what comes? After it is decided, only for a late answer. */
bool conn_login_listens(const struct flow *f);

/* The server may have sent its client on: does the login's record wait for the client to follow? */
bool conn_awaits_next(const struct engine *e, const struct flow *f);
/* A side left, after an answer that may have sent the client on. */
void conn_login_left(struct engine *e, const struct flow *f);

/* Joined in the middle, with nothing framed so far that shows where: assume a login. */
bool conn_joined_blind(const struct flow *f);
/* Joined in the middle, and ended before any frame was recognised: not a login. */
bool conn_left_blind(const struct flow *f);
/*
 * On any port, a flow's first client payload identifies TDS: a PRELOGIN, or a ClientHello that
 * offers tds/8.0. The engine drops all other flows.
 */
void conn_recognise(struct engine *e, struct flow *f);

/* Report a login that is decided, unless its client has left and an answer may still come. */
void conn_login_settle(struct engine *e, struct flow *f);
/* Report it in any case, and begin its session. */
void conn_login_report(struct engine *e, struct flow *f);
/* There was no login: the connection is a session, and the source need hand over less. */
void conn_login_drop(struct engine *e, struct flow *f);
/* The same for a connection that has ended. */
void conn_login_forget(struct flow *f);
/* l may be NULL. */
void conn_login_free(struct login *l);

#endif
