/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * save_slots.h - saved files on their way from the watching process to the one that writes them:
 * memory that both share. So a disk that is slow or full stops the other process only.
 */
#ifndef TDSMON_SAVE_SLOTS_H
#define TDSMON_SAVE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/bounded_dir.h"

#define SAVE_SLOTS     128	    /* as many logins may fail at once as a pool has */
#define SAVE_FILE_MOST (128u << 10) /* bytes of a file: a login's packets, and comments */

struct save_shared;

struct save_slots {
	struct save_shared *shared; /* NULL: none */
	struct bounded_dir dir;	    /* used by the process that writes */
};

/* Before that process is started. 0, or -errno with the reason logged. */
int save_slots_open(struct save_slots *s, const char *dir, size_t files_most, uint64_t bytes_most);
void save_slots_close(struct save_slots *s);

/* The watching process: fill a slot. -EFBIG, -ENAMETOOLONG. */
int save_slots_fill(const struct save_slots *s, unsigned slot, const char *name, const void *data,
		    size_t len);
/* The other: write a slot's file. 0 or -errno. Nothing in the slot is relied on. */
int save_slots_write(struct save_slots *s, unsigned slot);

/* How many files were removed so far to make room. */
uint64_t save_slots_removed(const struct save_slots *s);

#endif
