/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * without.h - for the tests: the environment names features, and the kernel counts as one that lacks them.
 */
#ifndef TDSMON_WITHOUT_H
#define TDSMON_WITHOUT_H

#include <stdbool.h>

/* A list of names of features, with commas between. INSTALL.md has the names. */
#define WITHOUT_VARIABLE "TDSMON_WITHOUT"

/* WITHOUT_VARIABLE names the feature. No system call, so that a confined process may ask. */
bool without_feature(const char *name);

#endif
