/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json.h - the format "json": the record contract, one object per line.
 */
#ifndef TDSMON_JSON_H
#define TDSMON_JSON_H

#include "sink/sink.h"

extern const struct sink_ops json_sink;

#endif
