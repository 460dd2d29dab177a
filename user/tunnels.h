/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tunnels.h - which tunnels to unwrap, as people write it.
 */
#ifndef TDSMON_TUNNELS_H
#define TDSMON_TUNNELS_H

#include "decap.h"

#define TUNNELS_WHY 256 /* bytes, the end mark included; what does not fit is cut */

/*
 * Add tunnels by a list "vxlan:4789,geneve,gre,erspan"; a port that is not given is the usual one,
 * of VXLAN both. 0, or -errno with what is wrong in why.
 */
int tunnels_parse(struct decap_config *config, const char *list, char why[TUNNELS_WHY]);

#endif
