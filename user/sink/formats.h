/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * formats.h - the formats of --format, by their names.
 */
#ifndef TDSMON_FORMATS_H
#define TDSMON_FORMATS_H

#include "sink/sink.h"

/* The formats: text first, the default. Ends with NULL. */
extern const struct sink_ops *const sink_formats[];

/* NULL: no such format. */
const struct sink_ops *sink_find(const char *name);

#endif
