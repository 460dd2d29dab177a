/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text.h - the format "text": a line per login for people at a terminal, or in a log.
 */
#ifndef TDSMON_SINK_TEXT_H
#define TDSMON_SINK_TEXT_H

#include "sink/sink.h"

extern const struct sink_ops text_sink;

#endif
