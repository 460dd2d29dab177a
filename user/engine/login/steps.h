/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * steps.h - shared by the parts of a login: login.c (TCP, frames, how it ended), cleartext.c
 * (messages in clear) and encrypted.c (TLS). Internal to them.
 */
#ifndef TDSMON_STEPS_H
#define TDSMON_STEPS_H

#include "engine/login/login.h"

/* ---- steps.c ---- */

/* A step ends at ts_ns; since the previous step the login waited for waited_for. */
void step_mark(struct login *l, enum step_kind kind, enum phase phase, enum side waited_for,
	       uint64_t ts_ns);
/* A message of one side is complete: a step ends, and it is next's turn. */
void step_end_message(struct login *l, enum step_kind kind, enum phase phase, enum side from,
		      enum side next, uint64_t ts_ns);
/* The message that ended the last step continues. */
void step_extend(struct login *l, enum side from, uint64_t ts_ns);
/*
 * The client cancels its request. An ATTENTION is not a message of the login: if the sender then
 * leaves, it has waited up to here.
 */
void step_note_attention(struct login *l);
/* A phase is complete; its times are sound if no segment is missing so far. */
void step_end_phase(struct login *l);
/*
 * Set how the client authenticates; a token that shows less does not replace a mechanism once read.
 */
void login_set_method(struct login *l, enum auth_method method, enum basis basis,
		      const char *grounds);
void login_decide(struct login *l, enum outcome outcome, enum confidence confidence);

/* ---- cleartext.c ---- */

/* A whole TDS message in clear. */
void cleartext_message(struct login *l, enum side from, const struct message *m, uint64_t ts_ns);

/* ---- encrypted.c ---- */

/* Take payload of TDS packets that carry TLS. */
void encrypted_feed(struct login *l, enum side from, const uint8_t *data, uint32_t len,
		    uint64_t ts_ns);
/* A TLS record of one side is complete. */
void encrypted_record(struct login *l, enum side from, uint64_t ts_ns);
/*
 * Judge a hidden login by its messages' sizes and order, by the side that ended it, by its silence
 * (idle), and by how its server answered other logins. True: it is decided now.
 */
bool encrypted_judge(struct flow *f, bool idle);
/* The same for a login that a side has just closed. True: it is decided, if only as incomplete. */
bool encrypted_closed(struct flow *f, uint64_t ts_ns);

/* The error log says that it was refused, which was inferred or not known. */
void encrypted_refused(struct login *l);
/* An answer that sent the client on: to the target, ns after it. */
void encrypted_next(struct login *l, const struct endpoint *target, uint64_t ns);

#endif
