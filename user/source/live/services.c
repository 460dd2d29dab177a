// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * services.c - see services.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "service_ports.h"
#include "source/live/services.h"

#define DYNAMIC_PORT	 49152 /* RFC 6335 6: the first; RPC services listen there */
#define CONNECTIONS_MOST 256
#define ESTABLISHED	 1 /* of /proc/net/tcp: TCP_ESTABLISHED */

static void port_add(struct tap_bpf *tap, unsigned int port)
{
	tap->bss->tap_services[port / 64] |= 1ull << port % 64;
}

void services_configure(struct tap_bpf *tap, const struct live_config *config)
{
	tap->rodata->tap_dependencies = config->dependencies && !config->mirror;
	for (unsigned int port = 1; port <= UINT16_MAX; port++)
		if (service_is_fixed((__u16)port))
			port_add(tap, port);
}

void services_init(struct services *s, const struct tap_bpf *tap)
{
	memset(s, 0, sizeof(*s));
	s->hosts_fd = bpf_map__fd(tap->maps.dependency_hosts);
}

void services_release(struct services *s)
{
	free(s->hosts);
	s->hosts = NULL;
	s->host_count = 0;
}

static bool hosts_have(const uint8_t (*hosts)[16], size_t count, const uint8_t addr[16])
{
	for (size_t i = 0; i < count; i++)
		if (!memcmp(hosts[i], addr, 16))
			return true;
	return false;
}

int services_hosts(struct services *s, const uint8_t (*hosts)[16], size_t count)
{
	uint8_t(*copy)[16] = malloc(count ? count * sizeof(*copy) : 1);
	uint8_t one = 1;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, hosts, count * sizeof(*copy));
	for (size_t i = 0; i < s->host_count; i++)
		if (!hosts_have(hosts, count, s->hosts[i]))
			bpf_map_delete_elem(s->hosts_fd, s->hosts[i]);
	for (size_t i = 0; i < count; i++)
		if (bpf_map_update_elem(s->hosts_fd, hosts[i], &one, BPF_ANY))
			err = -errno;
	free(s->hosts);
	s->hosts = copy;
	s->host_count = count;
	return err;
}

/* An address of /proc/net/tcp: 32-bit words of this machine's byte order. */
static bool address_parse(const char *hex, uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	size_t words = strlen(hex) / 8;

	if (words != 1 && words != 4)
		return false;
	memcpy(addr, mapped, sizeof(mapped));
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(hex + i * 8, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(addr + (words == 1 ? 12 : i * 4), &word, sizeof(word));
	}
	return true;
}

/* The peer of an established connection, if it may be an RPC service of another host. */
static bool connection_parse(const struct services *s, const char *line,
			     struct dependency_endpoint *peer)
{
	char hex[33];
	unsigned int state, port;

	if (sscanf(line, " %*u: %*32[0-9A-F]:%*x %32[0-9A-F]:%x %x", hex, &port, &state) != 3 ||
	    state != ESTABLISHED || port < DYNAMIC_PORT || port > UINT16_MAX ||
	    !address_parse(hex, peer->addr))
		return false;
	peer->port = port;
	return !hosts_have((const uint8_t(*)[16])s->hosts, s->host_count, peer->addr);
}

static size_t connections_read(const struct services *s, struct tap_bpf *tap, const char *path,
			       size_t most)
{
	FILE *f = fopen(path, "re");
	char line[256];
	size_t count = 0;
	uint8_t one = 1;

	if (!f) {
		log_debug("%s: %s", path, strerror(errno));
		return 0;
	}
	while (count < most && fgets(line, sizeof(line), f)) {
		struct dependency_endpoint peer;

		if (!connection_parse(s, line, &peer) ||
		    bpf_map_update_elem(bpf_map__fd(tap->maps.dependency_rpc), &peer, &one,
					BPF_ANY))
			continue;
		port_add(tap, peer.port);
		count++;
	}
	fclose(f);
	return count;
}

size_t services_connections(const struct services *s, struct tap_bpf *tap)
{
	size_t count = connections_read(s, tap, "/proc/net/tcp", CONNECTIONS_MOST);

	return count + connections_read(s, tap, "/proc/net/tcp6", CONNECTIONS_MOST - count);
}
