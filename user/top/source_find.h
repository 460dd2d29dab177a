/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * source_find.h - which records tdsmon top shows, by its options and by what runs on this host.
 */
#ifndef TDSMON_SOURCE_FIND_H
#define TDSMON_SOURCE_FIND_H

#include "top/intake.h"
#include "top/top_opts.h"

struct found_source {
	struct intake_source intake;
	char name[160]; /* for the screen */
	bool capture;
	char **argv;
	char *user, *url;
};

/* 0, or -errno with the reason logged. */
int source_find(struct found_source *found, const struct top_opts *opts);
void source_release(struct found_source *found);

#endif
