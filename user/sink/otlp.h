/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * otlp.h - the format "otlp": each login as spans of OpenTelemetry, one OTLP/JSON request per line.
 */
#ifndef TDSMON_OTLP_H
#define TDSMON_OTLP_H

#include "sink/sink.h"

extern const struct sink_ops otlp_sink;

#endif
