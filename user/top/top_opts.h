/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_opts.h - the options of tdsmon top.
 */
#ifndef TDSMON_TOP_OPTS_H
#define TDSMON_TOP_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/output.h"

struct top_opts {
	char **files; /* captures, or NULL */
	int file_count;
	char **rest; /* after "--": options for the tdsmon that is started */
	int rest_count;
	const char *url, *user_file, *ca_file, *filter, *group, *view; /* or NULL */
	uint32_t delay_ms;
	uint32_t count;	  /* of pages in batch mode; 0: no end */
	int width, lines; /* of pages in batch mode; 0: the default */
	bool batch, ascii;
	bool help;
};

/* 0, or -EINVAL with the reason logged. */
int top_opts_parse(struct top_opts *opts, int argc, char **argv);
void top_opts_help(struct output *out);

#endif
