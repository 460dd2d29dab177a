/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * saved_login.h - keeps the packets of logins under way, and makes a file of a login's: masked, with the
 * verdict and the steps as comments. Pure, as the engine is: no system call, no clock.
 */
#ifndef TDSMON_SAVED_LOGIN_H
#define TDSMON_SAVED_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "engine/record.h"
#include "lib/clock.h"
#include "lib/strbuf.h"
#include "segment.h"

#define SAVE_LOGIN_MOST (64u << 10) /* bytes kept of a login */
#define SAVE_ALL_MOST	(64u << 20) /* and of all logins under way */

struct save_config {
	const struct wallclock *clock;
	/* As in struct sink_config. */
	const char *(*interface_name)(const void *interfaces, uint32_t ifindex);
	const void *interfaces;
	bool identities; /* users' names stay */
};

struct save;

/* NULL: no memory. config is copied. */
struct save *save_new(const struct save_config *config);
void save_free(struct save *s); /* accepts NULL */

/* engine_ops' packet(), forget() and service(). */
void save_packet(struct save *s, void **packets, const struct seg *seg, const uint8_t *payload);
void save_forget(struct save *s, void *packets);
void save_service(struct save *s, const struct seg *seg, const uint8_t *payload);

/* Is a login saved? It failed, or was slow. */
bool save_wants(const struct login_record *rec);

/*
 * Append the file of a login's packets, and of its dependencies'. The packets are masked in place.
 * False: nothing was kept of it, or no memory.
 */
bool save_file(struct save *s, const struct login_record *rec, struct strbuf *out);

/* Bytes kept of logins under way, and packets that were left out, in part or whole. */
uint64_t save_kept(const struct save *s);
uint64_t save_left_out(const struct save *s);

#endif
