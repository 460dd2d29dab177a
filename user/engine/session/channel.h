/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * channel.h - one TDS conversation, of a connection or of one of its MARS sessions: its requests,
 * their responses, and the records of both.
 */
#ifndef TDSMON_CHANNEL_H
#define TDSMON_CHANNEL_H

#include "engine/protocol/sql_text.h"
#include "engine/session/session_env.h"
#include "engine/stream/flow_table.h"

/* Of in_message, in addition to a bit of each side */
#define IN_FIRST_TOKEN 0x04 /* the kind of a TDS 5 request is still to be read */
#define IN_WIDTH_SHIFT 4    /* the flow's enum sql_width, of its requests' texts */
#define IN_WIDTH       (3 << IN_WIDTH_SHIFT)

/*
 * A request and the answer to it, of a connection or of one of its MARS sessions. An attention has
 * an answer of its own, which may come in the same message as the end of what it cancels.
 */
struct request {
	uint64_t end_ns;   /* its last byte */
	uint64_t first_ns; /* first byte of the answer; 0: none yet */
	uint64_t attention_ns;
	uint64_t over_ns; /* end of the last answer */
	uint64_t bytes, answer_bytes, attention_bytes;
	struct sql *sql; /* of the request; NULL: not wanted, no text, or no room */
	uint8_t kind;	 /* enum command_kind */
	bool sending, waiting, cancelled, attention;
	bool lossy; /* bytes are missing since it began: neither its times nor its end are
		     * reported */
};

/* One TDS conversation: a connection without MARS, or a MARS session. */
struct channel {
	struct session_env *env;
	struct flow *f;
	struct request *request; /* NULL: commands are not reported */
	uint8_t *in_message;	 /* one bit for each side */
	int32_t session;
};

/* The texts of the connection's requests have letters of this width. */
void channel_set_width(struct flow *f, enum sql_width width);

/* A TDS packet's head, 8 bytes; its last byte. */
void channel_head(const struct channel *c, enum side from, const uint8_t *header, uint64_t ts_ns);
void channel_end(const struct channel *c, enum side from, const uint8_t *header, uint64_t ts_ns);
/* The first byte of a TDS 5 request: its kind, or that it is not a request. */
void channel_token(const struct channel *c, uint8_t token);
/* That byte was not seen: the request's kind remains unknown. */
void channel_token_missing(const struct channel *c);
/* Payload of the client's, for the request's text. r: NULL, or the channel's. */
void channel_text(struct request *r, const struct framer *frame, const uint8_t *data, uint32_t len);
/* The connection is over: report the request that was never answered. */
void channel_close(const struct channel *c);
/* The request goes: free its text. */
void channel_drop_sql(struct session_env *env, struct request *r);

#endif
