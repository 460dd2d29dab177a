/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text.h - the format "text": one line per login, for a terminal or a log.
 */
#ifndef TDSMON_SINK_TEXT_H
#define TDSMON_SINK_TEXT_H

#include "sink/sink.h"

extern const struct sink_ops text_sink;

#endif
