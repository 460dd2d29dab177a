/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * explain_command.h - tdsmon explain "TEXT" [OPTION]...: what a client's error means, and with -r the
 * logins that go with it.
 */
#ifndef TDSMON_EXPLAIN_COMMAND_H
#define TDSMON_EXPLAIN_COMMAND_H

#include "subcommand.h"

/* struct subcommand's run: 0 explained, 1 the text is not known or reading failed, 2 wrong usage. */
int explain_command(const struct subcommand_io *io, int argc, char **argv);

#endif
