/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * selection.h - which records pass a filter. Close and command records lack most of what filters ask
 * for, so a login's answer is remembered until its connection's close record.
 */
#ifndef TDSMON_SELECTION_H
#define TDSMON_SELECTION_H

#include "sink/filter.h"

/* Connections that are remembered at most; of further ones only what the record says is known. */
#define SELECTION_MOST (1u << 20)

struct selection_entry {
	uint64_t id; /* 0: free */
	unsigned fits;
};

/* One without a filter is all zeroes, and everything passes it. */
struct selection {
	const struct filter *filter; /* NULL: none */
	struct selection_entry *entries;
	uint32_t size, used; /* size: 0, or a power of two */
	uint64_t logins_out; /* that did not pass */
};

/* filter must outlive the selection. */
void selection_init(struct selection *s, const struct filter *filter);
void selection_release(struct selection *s);

/* Does the record pass? Each record is to be asked for once, in the order in which they come. */
bool selection_login(struct selection *s, const struct login_record *rec);
/* Its own verdict and outcome count like the login's. */
bool selection_close(struct selection *s, const struct close_record *rec);
bool selection_command(const struct selection *s, const struct command_record *rec);
/* Only client, server, and the time waited so far are known of these. */
bool selection_pending(const struct selection *s, const struct pending_record *rec);
bool selection_browser(const struct selection *s, const struct browser_record *rec);

#endif
