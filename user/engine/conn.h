/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn.h - what the reassembly tells of a connection, in order. Frames it and hands it to the
 * login while there is one, and to the session after it.
 */
#ifndef TDSMON_CONN_H
#define TDSMON_CONN_H

#include "engine/stream/flow_table.h"

#define KEEPALIVE_LEAST 3 /* so many probes without an answer are no chance */

enum gap_kind {
	GAP_UNREAD,  /* on the wire, seen, but not captured (snap length) */
	GAP_MISSING, /* never seen: the tap lost it */
};

/* len bytes from one side; data NULL never. */
void conn_data(struct engine *e, struct flow *f, enum side from, const uint8_t *data, uint32_t len,
	       uint64_t ts_ns);
void conn_gap(struct engine *e, struct flow *f, enum side from, uint32_t len, enum gap_kind kind,
	      uint64_t ts_ns);
/*
 * len bytes that the kernel saw and kept to itself, frames among them. to_head: what comes next is
 * the head of a frame.
 */
void conn_skip(struct engine *e, struct flow *f, enum side from, uint32_t len, bool to_head,
	       uint64_t ts_ns);
void conn_fin(struct engine *e, struct flow *f, enum side from, uint64_t ts_ns);
/* The stream ends by a reset; nothing after it is handed on. conn_settle() closes the connection. */
void conn_rst(struct engine *e, struct flow *f, enum side from, const struct seg *seg,
	      uint64_t ts_ns);
/* After the stream was fed: close the connection if a reset ended it. */
void conn_settle(struct engine *e, struct flow *f);

/* Commands that the source counted, and has told of now. */
void conn_counts(struct flow *f, const struct tap_counts *counts);
/* Before a connection is given up that did not end: ask what the source knows of it and did not
 * tell. */
void conn_ask(struct engine *e, struct flow *f);
/* It is over: the source need not follow it any longer. */
void conn_over(struct engine *e, const struct flow *f);
/* The source hands over more than it was asked for: it has forgotten the flow. */
void conn_tap_again(struct engine *e, const struct flow *f);

/* The connection is over for us, by `how`: decide the login, emit both records. */
void conn_close(struct engine *e, struct flow *f, enum close_how how, uint64_t now_ns);
/* Free what hangs on the flow, and the flow. */
void conn_remove(struct engine *e, struct flow *f);
/* The capture's clock jumped, and is at now_ns: no time is given that spans it. */
void conn_clock_stepped(struct flow *f, uint64_t now_ns);
/* A login has waited for the error log: report it, and the end of a connection that has ended. */
void conn_waited(struct engine *e, struct flow *f);
/* Silence: is it time to give up, or to judge a hidden login? */
void conn_idle(struct engine *e, struct flow *f, uint64_t now_ns);

#endif
