// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tunnels.c - see tunnels.h.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "tunnels.h"

/* A kind of tunnel: either a flag of the configuration, or UDP ports. */
static const struct tunnel {
	const char *name;
	size_t offset;
	uint16_t ports[DECAP_PORTS]; /* the usual ones; none: not in UDP */
} tunnels[] = {
	{"vxlan", offsetof(struct decap_config, vxlan), {DECAP_VXLAN_PORT, DECAP_VXLAN_LINUX}},
	{"geneve", offsetof(struct decap_config, geneve), {DECAP_GENEVE_PORT}},
	{"gre", offsetof(struct decap_config, gre), {0}},
	{"erspan", offsetof(struct decap_config, erspan), {0}},
};

static const struct tunnel *tunnel_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++)
		if (strlen(tunnels[i].name) == len && !memcmp(tunnels[i].name, name, len))
			return &tunnels[i];
	return NULL;
}

/* False: the kind already has as many as possible. */
static bool tunnel_add_port(uint16_t ports[DECAP_PORTS], uint16_t port)
{
	for (int i = 0; i < DECAP_PORTS; i++) {
		if (!ports[i] || ports[i] == port) {
			ports[i] = port;
			return true;
		}
	}
	return false;
}

static int tunnel_add_ports(uint16_t to[DECAP_PORTS], const uint16_t ports[DECAP_PORTS],
			    const char *item, char why[TUNNELS_WHY])
{
	for (int i = 0; i < DECAP_PORTS; i++) {
		if (!ports[i] || tunnel_add_port(to, ports[i]))
			continue;
		snprintf(why, TUNNELS_WHY,
			 "'%s' is one port too many: a kind of tunnel has at most %u", item,
			 (unsigned)DECAP_PORTS);
		return -EINVAL;
	}
	return 0;
}

/* Add one kind; item is nothing else. */
static int tunnel_parse(struct decap_config *config, const char *item, char why[TUNNELS_WHY])
{
	const char *colon = strchrnul(item, ':');
	const struct tunnel *tunnel = tunnel_find(item, (size_t)(colon - item));
	uint16_t ports[DECAP_PORTS] = {0};
	char *end;

	if (!tunnel) {
		snprintf(why, TUNNELS_WHY,
			 "'%s' is not a tunnel: use vxlan, vxlan:PORT, geneve, geneve:PORT, gre or "
			 "erspan",
			 item);
		return -EINVAL;
	}
	if (*colon && !tunnel->ports[0]) {
		snprintf(why, TUNNELS_WHY, "'%s' has a port: %s is not in UDP, write %s", item,
			 tunnel->name, tunnel->name);
		return -EINVAL;
	}
	if (!tunnel->ports[0]) {
		*((uint8_t *)config + tunnel->offset) = 1;
		return 0;
	}
	if (!*colon)
		return tunnel_add_ports((uint16_t *)((char *)config + tunnel->offset),
					tunnel->ports, item, why);
	ports[0] = (uint16_t)number_parse(colon + 1, 65535, &end);
	if (!ports[0] || *end) {
		snprintf(why, TUNNELS_WHY, "'%s' has no port: use a number from 1 to 65535", item);
		return -EINVAL;
	}
	return tunnel_add_ports((uint16_t *)((char *)config + tunnel->offset), ports, item, why);
}

int tunnels_parse(struct decap_config *config, const char *list, char why[TUNNELS_WHY])
{
	char *copy = strdup(list), *rest = copy, *item;
	int err = 0;

	if (!copy) {
		snprintf(why, TUNNELS_WHY, "out of memory");
		return -ENOMEM;
	}
	while (!err && (item = strsep(&rest, ",")))
		err = tunnel_parse(config, item, why);
	free(copy);
	return err;
}
