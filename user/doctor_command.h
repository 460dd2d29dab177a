/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * doctor_command.h - tdsmon doctor [OPTION]...: takes the options of a live run, and says whether
 * that run would work.
 */
#ifndef TDSMON_DOCTOR_COMMAND_H
#define TDSMON_DOCTOR_COMMAND_H

#include "subcommand.h"

/* struct subcommand's run: 0 all well, 1 something to mend, 2 wrong usage. */
int doctor_command(const struct subcommand_io *io, int argc, char **argv);

#endif
