/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * saves.h - --save: the files of logins that failed or were slow, in a directory, written by a
 * process of their own. Whatever becomes of a file, the run goes on.
 */
#ifndef TDSMON_SAVES_H
#define TDSMON_SAVES_H

#include "counters.h"
#include "engine/engine.h"
#include "opts.h"

struct saves;
struct sink_config;

/*
 * Open the directory and start the process, before anything is confined and any packet is seen.
 * NULL with *err 0: nothing is to be saved. NULL with *err -errno, the reason logged.
 */
struct saves *saves_start(const struct opts *opts, int *err);
void saves_stop(struct saves *s); /* accepts NULL, as the functions below */

/* Begin to keep packets. config: the sinks'. 0 or -ENOMEM. */
int saves_open(struct saves *s, const struct sink_config *config);
/* Learn what became of the files under way. */
void saves_tick(struct saves *s);
/*
 * The same, and wait for them: live, 2 s at most. Of captures -errno if a file could not be written, which was
 * logged; live 0.
 */
int saves_finish(struct saves *s);

/* As in engine_ops; not for NULL. */
void saves_packet(struct saves *s, void **packets, const struct seg *seg, const uint8_t *payload);
void saves_forget(struct saves *s, void *packets);
void saves_service(struct saves *s, const struct seg *seg, const uint8_t *payload);
/* Save a login's packets, if it failed or was slow. Live, this never waits. */
void saves_login(struct saves *s, const struct login_record *rec);

/* As in counters.h. */
size_t saves_counters(const struct saves *s, struct counter *out);

#endif
