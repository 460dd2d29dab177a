/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opts_int.h - shared by the files of the options; all others include opts.h.
 */
#ifndef TDSMON_OPTS_INT_H
#define TDSMON_OPTS_INT_H

#include <stddef.h>
#include <stdint.h>

#include "opts.h"

#define OPTS_COUNT     52
#define OPTS_OLD_COUNT 5

/* struct opt's traits */
#define OPT_LIVE 0x01 /* does not apply to files */
#define OPT_LINE 0x02 /* only for the command line, not for the configuration file */
#define OPT_LONE 0x04 /* its value is optional */
#define OPT_NO	 0x08 /* clears its flag */
#define OPT_MANY 0x10 /* further values may follow the first */

struct opt {
	const char *name;
	char letter; /* or 0 */
	uint8_t traits;
	const char *arg; /* its name in the help; NULL: the option takes none */
	/* 0, or -EINVAL with the reason logged; or NULL and the offset of a bool to set. */
	int (*set)(struct opts *opts, const char *value);
	size_t flag;
	const char *help;
};

/* A former name of an option: still works, and logs the present name. */
struct opt_old {
	const char *name, *now;
};

extern const struct opt opts_table[OPTS_COUNT];

/* A subcommand's options: its own, and some of the table above. */
struct opts_words {
	const char *subcommand;
	const char *about; /* for the help: a sentence or two, in lines of at most 80 columns */
	const char *examples;
	const struct opt *own;
	size_t own_count;
	const char *const *shared; /* names; ends with NULL */
};
extern const struct opt_old opts_old[OPTS_OLD_COUNT];

/* The i-th option, of a subcommand or (NULL) of tdsmon itself; NULL: there are no more. */
const struct opt *opts_at(const struct opts_words *words, size_t i);

/* Log why a setting is rejected, with its place in the file or a hint to the help. */
void opts_error(const struct opts *opts, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --config's setter, by which the first pass recognises the option. */
int opts_set_config(struct opts *opts, const char *value);

#endif
