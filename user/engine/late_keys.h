/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * late_keys.h - a key log that grows while its connections are watched may get a secret after the
 * records that it protects were seen: Node.js, for one, writes it later. So a connection waits after
 * its ClientHello, for a second at most: its segments are held back, with the times at which they
 * were seen.
 */
#ifndef TDSMON_LATE_KEYS_H
#define TDSMON_LATE_KEYS_H

#include "engine/stream/flow_table.h"

/*
 * A segment of the flow. True: it was dealt with, which is to say that it is held, or that the wait
 * was over and it was taken after those held before it; the flow may be gone.
 */
bool late_keys_take(struct engine *e, const struct flow *f, const struct seg *seg,
		    const uint8_t *payload);

/* Secrets came: end the waits of connections that were waiting for them. */
void late_keys_came(struct engine *e);
/* Time has moved on: end the waits that took too long. */
void late_keys_tick(struct engine *e);
/* End the flow's wait, or that of all. True: it waited, and the flow may be gone. */
bool late_keys_end(struct engine *e, const struct flow *f);
void late_keys_end_all(struct engine *e);
/* The flow, or the engine, goes: what is held of it is dropped. */
void late_keys_drop(struct engine *e, const struct flow *f);
void late_keys_release(struct engine *e);

#endif
