// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * server_probe.c - see server_probe.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "doctor/server_probe.h"
#include "engine/protocol/tds.h"
#include "frame_head.h"
#include "lib/clock.h"
#include "lib/fd.h"
#include "lib/ip_addr.h"
#include "lib/units.h"
#include "lib/wire_int.h"

#define PROBE_WAIT_S 3		     /* for one read */
#define PROBE_NS     (10 * NS_PER_S) /* for a connection */
#define PROBE_PACKET 4096
/* SQL Server's old versions, too: the probe is to say what they have. */
#define PROBE_PRIORITY "NORMAL:+VERS-TLS1.1:+VERS-TLS1.0:%COMPAT"

struct probe_link {
	int fd;
	uint64_t until_ns;
	bool wrapped; /* TLS goes in PRELOGIN packets: TDS 7 */
	size_t left;  /* bytes of the current packet that were not read */
};

static int link_open(struct probe_link *link, const struct endpoint *server)
{
	bool v4 = ip_is_v4(server->addr);
	struct timeval wait = {.tv_sec = PROBE_WAIT_S};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(server->port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(server->port)};
	int err = 0;

	memcpy(&in.sin_addr, server->addr + IP_V4_AT, 4);
	memcpy(&in6.sin6_addr, server->addr, 16);
	*link = (struct probe_link){.until_ns = clock_now_ns() + PROBE_NS};
	link->fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(link->fd, v4 ? (void *)&in : (void *)&in6, v4 ? sizeof(in) : sizeof(in6)))
		err = -errno;
	if (err)
		fd_close(link->fd);
	return err;
}

/* Bytes read, 0 at the end, or -1 with errno set. */
static ssize_t link_read(struct probe_link *link, void *data, size_t len)
{
	if (clock_now_ns() > link->until_ns) {
		errno = ETIMEDOUT;
		return -1;
	}
	return recv(link->fd, data, len, 0);
}

static bool link_read_all(struct probe_link *link, void *data, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = link_read(link, (char *)data + got, len - got);

		if (n <= 0) {
			errno = n ? errno : 0;
			return false;
		}
		got += (size_t)n;
	}
	return true;
}

/* A packet's header: MS-TDS 2.2.3.1. Returns the length of what follows it, 0: it is not TDS. */
static size_t link_header(struct probe_link *link)
{
	uint8_t head[TDS_HEADER];
	size_t len;

	if (!link_read_all(link, head, sizeof(head)))
		return 0;
	len = be16_at(head + 2);
	errno = EPROTO;
	return (head[0] == TDS_RESULT || head[0] == TDS_PRELOGIN) && len > TDS_HEADER
		       ? len - TDS_HEADER
		       : 0;
}

static bool link_send(const struct probe_link *link, const void *data, size_t len)
{
	uint8_t packet[PROBE_PACKET] = {TDS_PRELOGIN, TDS_STATUS_EOM,
					(uint8_t)((TDS_HEADER + len) >> 8),
					(uint8_t)(TDS_HEADER + len)};

	memcpy(packet + TDS_HEADER, data, len);
	return send(link->fd, packet, TDS_HEADER + len, MSG_NOSIGNAL) ==
	       (ssize_t)(TDS_HEADER + len);
}

/* What the peer did, in words. errno 0: it closed. */
static void probe_failed(struct server_probe *out, const char *what)
{
	int err = errno;

	snprintf(out->why, PROBE_TEXT, "%s: %s", what,
		 err == 0	    ? "the server closed the connection"
		 : err == EAGAIN    ? "no answer came within 3 s"
		 : err == ETIMEDOUT ? "it took too long"
		 : err == EPROTO    ? "the answer is not TDS"
				    : strerror(err));
}

/* ---- PRELOGIN ---- */

/* MS-TDS 2.2.6.5: VERSION and ENCRYPTION (on), their data, nothing else. */
static const uint8_t probe_prelogin[] = {0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 1};

static bool probe_ask(struct probe_link *link, struct server_probe *out)
{
	struct tds_prelogin answer;
	uint8_t data[PROBE_PACKET];
	size_t len;

	if (!link_send(link, probe_prelogin, sizeof(probe_prelogin)))
		return false;
	len = link_header(link);
	if (!len || len > sizeof(data) || !link_read_all(link, data, len))
		return false;
	if (tds_prelogin_parse(&answer, data, (uint32_t)len) != 1) {
		tds_prelogin_release(&answer);
		errno = EPROTO;
		return false;
	}
	out->prelogin = true;
	out->encryption = answer.encryption;
	snprintf(out->version, sizeof(out->version), "%s", answer.version);
	tds_prelogin_release(&answer);
	return true;
}

/* ---- TLS ---- */

static ssize_t tls_push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	const struct probe_link *link = ptr;

	if (!link->wrapped)
		return send(link->fd, data, len, MSG_NOSIGNAL);
	if (len > PROBE_PACKET - TDS_HEADER)
		len = PROBE_PACKET - TDS_HEADER;
	return link_send(link, data, len) ? (ssize_t)len : -1;
}

static ssize_t tls_pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct probe_link *link = ptr;
	ssize_t n;

	if (link->wrapped && !link->left) {
		link->left = link_header(link);
		if (!link->left)
			return errno ? -1 : 0;
	}
	n = link_read(link, data, link->wrapped && len > link->left ? link->left : len);
	if (n > 0 && link->wrapped)
		link->left -= (size_t)n;
	return n;
}

/* SO_RCVTIMEO limits each read. */
static int tls_wait(gnutls_transport_ptr_t ptr, unsigned int ms)
{
	(void)ptr;
	(void)ms;
	return 1;
}

static void tls_certificate(gnutls_session_t tls, struct server_probe *out)
{
	unsigned int count = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls, &count);
	gnutls_x509_crt_t cert;
	size_t len = sizeof(out->subject);

	if (!chain || !count || gnutls_x509_crt_init(&cert))
		return;
	if (!gnutls_x509_crt_import(cert, chain, GNUTLS_X509_FMT_DER)) {
		if (gnutls_x509_crt_get_dn(cert, out->subject, &len))
			snprintf(out->subject, sizeof(out->subject),
				 "(a name that cannot be read)");
		out->not_after_s = gnutls_x509_crt_get_expiration_time(cert);
		out->self_signed = gnutls_x509_crt_check_issuer(cert, cert);
	}
	gnutls_x509_crt_deinit(cert);
}

static void tls_result(gnutls_session_t tls, struct server_probe *out)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(tls);
	const char *suite = gnutls_ciphersuite_get(tls);

	out->tls = true;
	out->tls_old = version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3;
	snprintf(out->tls_words, PROBE_TEXT, "%s, %s", gnutls_protocol_get_name(version),
		 suite ?: "an unknown cipher");
	tls_certificate(tls, out);
}

static bool tls_handshake(struct probe_link *link, struct server_probe *out)
{
	static const gnutls_datum_t tds8 = {(unsigned char *)"tds/8.0", 7};
	gnutls_certificate_credentials_t none = NULL;
	gnutls_session_t tls = NULL;
	int err = gnutls_init(&tls, GNUTLS_CLIENT);

	if (!err)
		err = gnutls_certificate_allocate_credentials(&none);
	if (!err)
		err = gnutls_priority_set_direct(tls, PROBE_PRIORITY, NULL);
	if (!err)
		err = gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, none);
	if (!err && !link->wrapped)
		err = gnutls_alpn_set_protocols(tls, &tds8, 1, 0);
	if (!err) {
		gnutls_transport_set_ptr(tls, link);
		gnutls_transport_set_push_function(tls, tls_push);
		gnutls_transport_set_pull_function(tls, tls_pull);
		gnutls_transport_set_pull_timeout_function(tls, tls_wait);
		do
			err = gnutls_handshake(tls);
		while (err && !gnutls_error_is_fatal(err) && clock_now_ns() < link->until_ns);
	}
	if (!err)
		tls_result(tls, out);
	else
		snprintf(out->why, PROBE_TEXT, "the TLS handshake failed: %s",
			 gnutls_strerror(err));
	gnutls_deinit(tls);
	gnutls_certificate_free_credentials(none);
	return !err;
}

/* TLS comes first: TDS 8. */
static bool probe_strict(const struct endpoint *server, struct server_probe *out)
{
	struct probe_link link;

	if (link_open(&link, server))
		return false;
	out->strict = tls_handshake(&link, out);
	fd_close(link.fd);
	return out->strict;
}

bool server_probe(const struct endpoint *server, struct server_probe *out)
{
	char why[PROBE_TEXT];
	struct probe_link link;
	int err;

	*out = (struct server_probe){0};
	err = link_open(&link, server);
	if (err) {
		snprintf(out->why, PROBE_TEXT, "it cannot be connected to: %s", strerror(-err));
		return false;
	}
	if (!probe_ask(&link, out)) {
		probe_failed(out, "PRELOGIN");
		fd_close(link.fd);
		snprintf(why, sizeof(why), "%s", out->why);
		if (probe_strict(server, out))
			return true;
		snprintf(out->why, PROBE_TEXT, "%s", why);
		return false;
	}
	link.wrapped = true;
	if (out->encryption != ENCRYPT_NOT_SUP)
		tls_handshake(&link, out);
	fd_close(link.fd);
	return true;
}
