// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * formats.c - the table of formats.
 */
#include <string.h>

#include "sink/formats.h"
#include "sink/json.h"
#include "sink/otlp.h"
#include "sink/text.h"

const struct sink_ops *const sink_formats[] = {&text_sink, &json_sink, &otlp_sink, NULL};

const struct sink_ops *sink_find(const char *name)
{
	const struct sink_ops *const *ops = sink_formats;

	while (*ops && strcmp((*ops)->name, name))
		ops++;
	return *ops;
}
