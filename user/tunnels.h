/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tunnels.h - reads which tunnels to unwrap from text.
 */
#ifndef TDSMON_TUNNELS_H
#define TDSMON_TUNNELS_H

#include "decap.h"

#define TUNNELS_WHY 256 /* bytes, with the NUL; longer texts are cut */

/*
 * Add tunnels from a list, "vxlan:4789,geneve,gre,erspan". Without a port, the usual one is meant;
 * VXLAN has two. 0, or -errno with the reason in why.
 */
int tunnels_parse(struct decap_config *config, const char *list, char why[TUNNELS_WHY]);

#endif
