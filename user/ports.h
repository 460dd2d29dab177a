/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ports.h - sets of ports as people write and read them.
 */
#ifndef TDSMON_PORTS_H
#define TDSMON_PORTS_H

#include "engine/engine.h"

#define PORTS_WHY  256 /* bytes, the end mark included; what does not fit is cut */
#define PORTS_TEXT 128

/* Add ports by a list "1433,1500-1510": 0, or -EINVAL with what is wrong of it in why. */
int ports_parse(struct port_set *ports, const char *list, char why[PORTS_WHY]);

/* "1433, 1500-1510", cut with "..." where it does not fit. Returns text. */
const char *ports_text(const struct port_set *ports, char text[PORTS_TEXT]);

#endif
