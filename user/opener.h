/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opener.h - a second process that opens files that the watching process may not. It starts before
 * that process is confined, takes typed requests, never a path, and passes descriptors. It sees no
 * packet, and ends when the watching process does.
 */
#ifndef TDSMON_OPENER_H
#define TDSMON_OPENER_H

#include <stddef.h>
#include <stdint.h>

#include "opener_process.h"

struct opener;

/*
 * Start the process, with the files that it may ever open. NULL with *err 0: no file has to be
 * opened later. NULL with *err -errno, the reason logged. The process keeps its user, and only
 * those capabilities that its rows need.
 */
struct opener *opener_start(const struct opener_config *config, int *err);
/* The process then ends by itself. NULL is accepted. */
void opener_stop(struct opener *opener);

/*
 * Returns a descriptor, or 0 if the kind opens none. -errno: the opener's; -ETIMEDOUT: it did not
 * answer in time; -EPIPE: it is gone; -EINVAL: it was not started with that setting.
 */
int opener_ask(struct opener *opener, enum opener_kind kind);
/* The same of a kind that takes a number. */
int opener_ask_number(struct opener *opener, enum opener_kind kind, uint32_t number);

/*
 * The same without waiting: a ticket from 0 on, or -errno; -EBUSY: too many are under way. number and
 * name as the kind takes them.
 */
int opener_send(struct opener *opener, enum opener_kind kind, uint32_t number, const char *name);
/* The answer to a ticket, which ends it; -EAGAIN: not yet. */
int opener_take(struct opener *opener, int ticket);
/* The same, but wait for it: -EAGAIN: it did not come within ns. */
int opener_take_within(struct opener *opener, int ticket, uint64_t ns);
/* The same, for an answer that nobody wants any more. */
void opener_forget(struct opener *opener, int ticket);

/* Have a saved file written, without waiting: a ticket as above, or -errno. data is copied. */
int opener_save(struct opener *opener, const char *name, const void *data, size_t len);
/* How many saved files were removed so far to make room. */
uint64_t opener_saves_removed(const struct opener *opener);

#endif
