/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn.h - takes a connection's bytes and events from the reassembly, in order. Frames them and
 * passes them to the login, and after the login to the session.
 */
#ifndef TDSMON_CONN_H
#define TDSMON_CONN_H

#include "engine/engine_private.h"

/* Takes the streams of the reassembly. A reset closes no connection: conn_settle() does. */
extern const struct stream_ops conn_stream;
/* After the stream was fed: close the connection if a reset ended it. */
void conn_settle(struct engine *e, struct flow *f);

/* The engine drops the connection, because of `how`: decide the login, emit both records. */
void conn_close(struct engine *e, struct flow *f, enum close_how how, uint64_t now_ns);
/* Free the flow and all that belongs to it. */
void conn_remove(struct engine *e, struct flow *f);
/* The capture's clock jumped to now_ns: report no time that spans the jump. */
void conn_clock_stepped(struct flow *f, uint64_t now_ns);
/* A login has waited for the error log: report it, and the end of a connection that has ended. */
void conn_waited(struct engine *e, struct flow *f);
/* Silence: is it time to give up, or to judge a hidden login? */
void conn_idle(struct engine *e, struct flow *f, uint64_t now_ns);

#endif
