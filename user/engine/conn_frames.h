/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * conn_frames.h - the frames of a connection's bytes: each goes to the login, to the decryption, or to
 * the session. So do the frames inside TLS records that are decrypted.
 */
#ifndef TDSMON_CONN_FRAMES_H
#define TDSMON_CONN_FRAMES_H

#include "engine/engine_private.h"

/* A piece of a connection's stream on its way. */
struct conn {
	struct engine *e;
	struct flow *f;
	enum side from;
	bool inside; /* in frames that came in TLS records */
};

/* Take len bytes from the side that sends; data NULL: they are missing. */
void conn_frames(struct conn *c, const uint8_t *data, uint32_t len, uint64_t ts_ns);
/* Bytes that the kernel did not forward: as in struct stream_ops. */
void conn_frames_skip(struct conn *c, uint32_t len, bool to_head, uint64_t ts_ns);

/* The session was never proven to be TDS: report nothing of its commands. */
void conn_frames_disown(struct engine *e, struct flow *f);

#endif
