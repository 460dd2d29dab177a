/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * services.h - what the tap has to know to forward what this host asks of the services that a
 * login depends on: the host's addresses, and the RPC connections that it has at the start.
 */
#ifndef TDSMON_SERVICES_H
#define TDSMON_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "source/live/tap_load.h"

struct services {
	int hosts_fd;	      /* the map "dependency_hosts" */
	uint8_t (*hosts)[16]; /* that are in it */
	size_t host_count;
};

/* Before the tap is loaded: the services' ports. */
void services_configure(struct tap_bpf *tap, const struct live_config *config);

/* For a tap that is loaded. */
void services_init(struct services *s, const struct tap_bpf *tap);
void services_release(struct services *s);

/*
 * This host's addresses are these now. 0, or -ENOMEM, or -errno where the map has no room for all:
 * of the others' requests nothing is forwarded.
 */
int services_hosts(struct services *s, const uint8_t (*hosts)[16], size_t count);

/*
 * Take connections that are there for RPC, where their peer's port is a dynamic one (IANA: 49152
 * and above): to EPM, who would tell, this host may not speak again for days. Returns how many.
 */
size_t services_connections(const struct services *s, struct tap_bpf *tap);

#endif
