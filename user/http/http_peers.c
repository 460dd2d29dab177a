// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http_peers.c - the HTTP server's connections. If a new one is too many, the least valuable
 * connection of the address that has most is closed. So every client is answered, however many
 * connections others hold.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "http/http_int.h"
#include "lib/ip_addr.h"

/*
 * The party of an address: this host is one party, and so is an IPv6 /64 (RFC 6177). A client of a
 * UNIX socket has no address, and is on this host.
 */
static void party_of(const struct sockaddr *addr, uint8_t party[16])
{
	const struct sockaddr_in6 *v6 = (const void *)addr;
	const struct sockaddr_in *v4 = (const void *)addr;

	memset(party, 0, 16);
	if (!addr || addr->sa_family == AF_UNIX) {
		ip_map_v4(party, &(struct in_addr){htonl(INADDR_LOOPBACK)});
	} else if (addr->sa_family == AF_INET) {
		ip_map_v4(party, &v4->sin_addr);
	} else if (addr->sa_family == AF_INET6) {
		bool whole = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

		memcpy(party, &v6->sin6_addr, whole ? 16 : 8);
		if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) {
			ip_map_v4(party, &(struct in_addr){htonl(INADDR_LOOPBACK)});
		}
	}
	if (ip_is_v4(party) && party[IP_V4_AT] == IN_LOOPBACKNET)
		memset(party + 13, 0, 3);
}

static bool is_counted(const struct http_peer *p, enum http_peer_state which)
{
	return !p->closing && (which == HTTP_PEER_ANY || p->state == which);
}

/* Number of connections of the same party. */
static size_t held_by(const struct http *http, const struct http_peer *like,
		      enum http_peer_state which)
{
	size_t n = 0;

	for (const struct http_peer *p = http->peers; p; p = p->next)
		n += is_counted(p, which) && !memcmp(p->party, like->party, sizeof(p->party));
	return n;
}

static bool is_worth_less(const struct http_peer *p, const struct http_peer *than)
{
	if (p->state != than->state)
		return p->state < than->state;
	/* Of those that wait for a password check, the earliest are next. */
	if (p->waits && than->waits)
		return p->since_ns > than->since_ns;
	return p->since_ns < than->since_ns;
}

/* The connection to close for newcomer; NULL: there is no other. */
static struct http_peer *least_of(const struct http *http, const struct http_peer *newcomer,
				  enum http_peer_state which, bool same_party)
{
	struct http_peer *least = NULL;
	size_t most = 0;

	for (struct http_peer *p = http->peers; p; p = p->next) {
		bool same = !memcmp(p->party, newcomer->party, sizeof(p->party));
		size_t held;

		if (p == newcomer || !is_counted(p, which) || (same_party && !same))
			continue;
		held = held_by(http, p, which);
		if (!least || held > most || (held == most && is_worth_less(p, least)))
			least = p;
		most = held > most ? held : most;
	}
	return least;
}

static void displace_peer(struct http *http, struct http_peer *peer)
{
	if (!peer)
		return;
	http->stats.displaced++;
	http_peer_close(peer);
}

/* The daemon notices the shutdown; that of a stream once its connection is awake. */
void http_peer_close(struct http_peer *peer)
{
	peer->closing = true;
	shutdown(peer->fd, SHUT_RDWR);
	http_auth_give_up(peer);
	if (peer->listener)
		http_listener_end(peer->listener);
}

void http_peer_set(struct http_peer *peer, enum http_peer_state state, uint64_t deadline_ns)
{
	peer->state = state;
	peer->since_ns = clock_now_ns();
	peer->deadline_ns = deadline_ns;
}

void http_peers_make_room(struct http *http, struct http_peer *newcomer, enum http_peer_state which)
{
	size_t all = which == HTTP_PEER_STREAM ? HTTP_STREAMS : HTTP_CONNECTIONS, held = 0;

	if (which == HTTP_PEER_ANY && held_by(http, newcomer, which) > HTTP_CONNECTIONS_PER_IP)
		displace_peer(http, least_of(http, newcomer, which, true));
	for (const struct http_peer *p = http->peers; p; p = p->next)
		held += is_counted(p, which);
	if (held > all)
		displace_peer(http, least_of(http, newcomer, which, false));
}

struct http_peer *http_peer_new(struct http *http, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *addr =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct http_peer *peer = calloc(1, sizeof(*peer));

	if (!peer || !fd)
		return peer; /* no request on it is answered */
	peer->connection = connection;
	peer->fd = fd->connect_fd;
	party_of(addr ? addr->client_addr : NULL, peer->party);
	peer->next = http->peers;
	if (peer->next)
		peer->next->prev = peer;
	http->peers = peer;
	http->stats.connections++;
	return peer;
}

void http_peer_free(struct http *http, struct http_peer *peer)
{
	if (peer->listener)
		peer->listener->peer = NULL;
	if (peer->connection) {
		if (peer->prev)
			peer->prev->next = peer->next;
		else
			http->peers = peer->next;
		if (peer->next)
			peer->next->prev = peer->prev;
		http->stats.connections--;
	}
	free(peer);
}
