/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_options.h - the options of tdsmon report.
 */
#ifndef TDSMON_REPORT_OPTIONS_H
#define TDSMON_REPORT_OPTIONS_H

#include "opts.h"

extern const struct opts_words report_words;

/*
 * The format in which a report goes to that file: as format says, or else as the file's name ends,
 * or else HTML. path NULL: to standard output.
 */
enum opts_report report_format_of(enum opts_report format, const char *path);

/* Check what the options ask for together. 0, or -EINVAL with the reason logged. */
int report_options_check(struct opts *opts);

#endif
