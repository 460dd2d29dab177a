/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * other_protocol.h - how connections begin that reach SQL Server's port by mistake, or that
 * scanners make.
 */
#ifndef TDSMON_OTHER_PROTOCOL_H
#define TDSMON_OTHER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The protocol of a connection whose side sent these bytes first; 8 are enough. NULL: none that is
 * known. *shown is how many of them tell it; NULL: not asked.
 */
const char *other_protocol(const uint8_t *p, size_t len, size_t *shown);

#endif
