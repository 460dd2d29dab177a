/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * silence.h - logins of a capture that were silent for give_up_ns. A capture may lack packets without
 * notice, and the connection's next packet shows whether it does. Until that packet, or the end, the login's
 * record is kept back.
 */
#ifndef TDSMON_SILENCE_H
#define TDSMON_SILENCE_H

#include "engine/engine_private.h"

/* The login has been silent for give_up_ns. True: it is kept back; false: give it up now. */
bool silence_keeps(struct engine *e, struct flow *f);

/*
 * A segment of the flow comes. A login that was kept back is given up as it was when its time was over, or
 * as incomplete if the segment shows that packets are missing.
 */
void silence_ends(struct engine *e, struct flow *f, enum side from, const struct seg *seg);

/*
 * The segment is the server's answer to the client's only SYN, which came minutes before: no TCP waits so
 * long, so the time of one of the two is wrong.
 */
bool silence_is_wrong(const struct engine *e, const struct flow *f, enum side from,
		      const struct seg *seg);

/* The clock that said so was wrong: the login goes on as if it had never been silent. */
void silence_was_none(struct engine *e, struct flow *f);

/* When the time of this login, which is given up, was over. now_ns: unless it was silent before. */
uint64_t silence_over_ns(const struct engine *e, const struct flow *f, uint64_t now_ns);

#endif
