/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ports.h - reads and writes sets of ports as text.
 */
#ifndef TDSMON_PORTS_H
#define TDSMON_PORTS_H

#include "lib/port_set.h"

#define PORTS_WHY  256 /* bytes, with the NUL; longer texts are cut */
#define PORTS_TEXT 128

/* Add the ports of a list, "1433,1500-1510". 0, or -EINVAL with the reason in why. */
int ports_parse(struct port_set *ports, const char *list, char why[PORTS_WHY]);

/* "1433, 1500-1510"; ends with "..." if it does not fit. Returns text. */
const char *ports_text(const struct port_set *ports, char text[PORTS_TEXT]);

#endif
