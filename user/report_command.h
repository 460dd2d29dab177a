/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_command.h - tdsmon report: reads captures and writes what they show.
 */
#ifndef TDSMON_REPORT_COMMAND_H
#define TDSMON_REPORT_COMMAND_H

#include "subcommand.h"

/* The subcommand's run, see subcommand.h. */
int report_command(const struct subcommand_io *io, int argc, char **argv);

#endif
