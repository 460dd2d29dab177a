// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.c - the HTTP server: libmicrohttpd's daemon on the program's loop, its routes, access
 * control and time limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "http/http_int.h"
#include "lib/log.h"

#define OPTIONS_MAX 16
#define HTTP_RUNS   8

const char *http_query(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_url(const struct http *http)
{
	return http->url;
}

const struct http_stats *http_stats(const struct http *http)
{
	return &http->stats;
}

static uint64_t request_ns(const struct http *http)
{
	return http->config.request_ns ? http->config.request_ns : HTTP_REQUEST_NS;
}

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *http = cls;
	struct http_peer *peer;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			http_peer_free(http, *context);
		return;
	}
	*context = peer = http_peer_new(http, connection);
	if (!peer || !peer->connection)
		return;
	http_peer_set(peer, HTTP_PEER_ASKING, clock_now_ns() + request_ns(http));
	http_peers_make_room(http, peer, HTTP_PEER_ANY);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode how)
{
	struct http_peer *peer = peer_of(connection);

	(void)cls;
	(void)request;
	(void)how;
	if (!peer)
		return;
	http_peer_set(peer, HTTP_PEER_IDLE, clock_now_ns() + HTTP_IDLE_NS);
}

/* Does the client's certificate satisfy the web configuration? */
static bool certificate_fits(const struct http *http, struct MHD_Connection *connection)
{
	enum web_config_client_auth want = http->web.client_auth;
	const union MHD_ConnectionInfo *info;
	gnutls_session_t session;
	unsigned count = 0, status = 0;

	if (!http->web.cert || want == WEB_CONFIG_NO_CLIENT_CERT)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info)
		return false;
	session = info->tls_session;
	if (!gnutls_certificate_get_peers(session, &count) || !count)
		return want == WEB_CONFIG_VERIFY_CLIENT_CERT_IF_GIVEN;
	return !gnutls_certificate_verify_peers2(session, &status) && !status;
}

static const char *header_value(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name) ?: "";
}

static const struct http_route *route_of(const struct http *http, const char *path)
{
	for (size_t i = 0; i < http->config.route_count; i++)
		if (!strcmp(http->config.routes[i].path, path))
			return &http->config.routes[i];
	return NULL;
}

static enum MHD_Result call_route(struct http *http, struct http_peer *peer, const char *path,
				  const struct http_route *route)
{
	struct http_reply reply = {.status = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
	const struct http_request req = {
		.path = path,
		.accept = header_value(peer->connection, MHD_HTTP_HEADER_ACCEPT),
		.last_event_id = header_value(peer->connection, "Last-Event-ID"),
		.connection = peer->connection,
	};

	if (route) {
		route->handle(route->ctx, &req, &reply);
	} else {
		reply.status = MHD_HTTP_NOT_FOUND;
		strbuf_adds(&reply.body, "Not found\n");
	}
	return http_reply_queue(http, peer, &reply);
}

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	unsigned *hosts = cls;

	(void)kind;
	(void)value;
	*hosts += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
	return MHD_YES;
}

/*
 * Is the request meant for this host? host is the one in the request's target, which takes
 * precedence (RFC 9112 3.2.2), or "". A request that names none, as HTTP/1.0 allows, is not from a
 * browser, so it cannot be a rebinding attack. Passwords make the check unnecessary: a browser
 * sends them only to the site that asked for them.
 */
static bool is_meant(const struct http *http, struct MHD_Connection *connection, const char *host)
{
	unsigned hosts = 0;

	if (http->auth)
		return true;
	if (*host)
		return http_host_is_ours(&http->hosts, host);
	MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &hosts);
	return !hosts ||
	       (hosts == 1 &&
		http_host_is_ours(&http->hosts, header_value(connection, MHD_HTTP_HEADER_HOST)));
}

static enum MHD_Result refuse_host(struct http *http, struct http_peer *peer)
{
	struct http_reply reply = {.status = MHD_HTTP_MISDIRECTED_REQUEST,
				   .type = "text/plain; charset=utf-8"};

	strbuf_addf(&reply.body,
		    "The host that this request names is not known to be this one (a protection "
		    "against DNS rebinding).\n%s\n",
		    http->config.allow_hint ?: "");
	return http_reply_queue(http, peer, &reply);
}

/* Answer a complete request: check its host and its password, then serve it. */
static enum MHD_Result answer_request(struct http *http, struct http_peer *peer, const char *target)
{
	char host[HTTP_HOST_MAX];
	const char *path = http_target(target, host);
	const struct http_route *route = path ? route_of(http, path) : NULL;
	enum basic_auth_answer allowed;

	if (!(route && route->any_host) && !is_meant(http, peer->connection, host))
		return refuse_host(http, peer);
	allowed = http_auth(http, peer);
	if (allowed == BASIC_AUTH_UNKNOWN)
		return MHD_YES;
	if (allowed != BASIC_AUTH_YES) {
		http->stats.unauthorized++;
		return http_reply_unauthorized(peer, allowed);
	}
	return call_route(http, peer, path, route);
}

/*
 * Called when the headers have arrived, and again after the body, which requests to us do not have.
 * So a request is refused on the first call, before its body is read.
 */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_len, void **request)
{
	struct http_peer *peer = peer_of(connection);
	struct http *http = cls;

	(void)version;
	(void)data;
	if (!peer || !peer->connection || !certificate_fits(http, connection))
		return MHD_NO;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
		struct http_reply reply = {.status = MHD_HTTP_METHOD_NOT_ALLOWED,
					   .type = "text/plain"};

		http->stats.requests++;
		return http_reply_queue(http, peer, &reply);
	}
	if (!*request) {
		*request = http;
		return MHD_YES;
	}
	if (*data_len) { /* a GET with a body */
		*data_len = 0;
		return MHD_YES;
	}
	peer->head = !strcmp(method, MHD_HTTP_METHOD_HEAD);
	/* A request whose password has to be checked comes twice; count it once. */
	http->stats.requests += peer->auth == BASIC_AUTH_UNKNOWN;
	http_peer_set(peer, HTTP_PEER_ANSWER, clock_now_ns() + request_ns(http));
	return answer_request(http, peer, url);
}

static void __attribute__((format(printf, 2, 0))) on_log(void *cls, const char *fmt, va_list args)
{
	char line[256];

	(void)cls;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/*
 * Run the daemon a few times: a run sends 16 KiB of a stream, and a busy loop makes few rounds a second. What
 * it could not finish continues after the loop's other work.
 */
static int http_turn(void *ctx)
{
	struct http *http = ctx;
	unsigned long long wait_ms;
	uint64_t count;

	if ((read(http->again, &count, sizeof(count)) < 0 && errno != EAGAIN) ||
	    (read(http->auth_timer, &count, sizeof(count)) < 0 && errno != EAGAIN))
		return -errno;
	http_auth_turn(http);
	for (int i = 0; i < HTTP_RUNS; i++) {
		MHD_run(http->daemon);
		if (MHD_get_timeout(http->daemon, &wait_ms) != MHD_YES || wait_ms)
			return 0;
	}
	count = 1;
	return write(http->again, &count, sizeof(count)) < 0 ? -errno : 0;
}

static int http_tick(void *ctx)
{
	struct http *http = ctx;
	uint64_t now_ns = clock_now_ns();

	for (struct http_peer *peer = http->peers; peer; peer = peer->next) {
		if (peer->closing || now_ns < peer->deadline_ns)
			continue;
		if (peer->waits) {
			http_auth_give_up(peer);
			continue;
		}
		http->stats.timed_out += peer->state != HTTP_PEER_IDLE;
		http_peer_close(peer);
	}
	for (struct http_stream *s = http->streams; s; s = s->next)
		http_stream_tick(s, now_ns);
	return http_turn(http);
}

/* GnuTLS's priority string for the versions from min to max. */
static void tls_priorities(const struct web_config *web, char text[128])
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
	size_t used = (size_t)sprintf(text, "NORMAL:-VERS-ALL");

	for (unsigned v = web->min_version; v <= web->max_version; v++)
		used += (size_t)sprintf(text + used, ":+VERS-TLS%s", versions[v - 10]);
}

static unsigned tls_options(const struct web_config *web, char text[128],
			    struct MHD_OptionItem *options)
{
	unsigned n = 0;

	if (!web->cert)
		return 0;
	tls_priorities(web, text);
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, web->cert};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, web->key};
	options[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, text};
	/* The daemon only asks for a certificate if it has authorities. */
	if (web->client_ca)
		options[n++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, web->client_ca};
	return n;
}

static struct MHD_Daemon *daemon_start(struct http *http, const struct web_config *web)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (web->cert ? MHD_USE_TLS : 0);
	struct MHD_OptionItem options[OPTIONS_MAX];
	char tls[128];
	unsigned n = tls_options(web, tls, options);
	/* The daemon closes its listening socket. */
	int fd = fcntl(http->listener, F_DUPFD_CLOEXEC, 0);
	struct MHD_Daemon *daemon;

	if (fd < 0)
		return NULL;
	options[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		HTTP_CONNECTIONS + HTTP_CLOSING, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_MEMORY, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (!daemon)
		close(fd);
	return daemon;
}

static int watch_fd(struct http *http, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void daemon_stop(struct http *http)
{
	if (!http->daemon)
		return;
	/* A daemon with suspended connections cannot be stopped, so let them end first. */
	http->ending = true;
	for (struct http_stream *s = http->streams; s; s = s->next)
		http_stream_wake(s);
	for (struct http_peer *peer = http->peers; peer; peer = peer->next)
		http_auth_give_up(peer);
	MHD_run(http->daemon);
	epoll_ctl(http->epoll, EPOLL_CTL_DEL, http->daemon_fd, NULL);
	MHD_stop_daemon(http->daemon);
	http->daemon = NULL;
	http->ending = false;
}

/* Switch to a new web configuration, which is taken over on success. */
static int http_adopt(struct http *http, struct web_config *web)
{
	struct basic_auth *auth = NULL;
	struct MHD_Daemon *daemon;

	if (web->user_count) {
		auth = basic_auth_new(&http->web, http->auth); /* it keeps a pointer to this one */
		if (!auth)
			return -ENOMEM;
	}
	daemon = daemon_start(http, web);
	if (!daemon) {
		log_error("cannot serve HTTP%s",
			  web->cert ? "S: is the key the certificate's?" : "");
		basic_auth_free(auth);
		return -EINVAL;
	}
	daemon_stop(http);
	basic_auth_free(http->auth);
	web_config_release(&http->web);
	http->web = *web;
	http->auth = auth;
	*web = (struct web_config){0};
	http->daemon = daemon;
	http->daemon_fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	if (http->config.socket)
		snprintf(http->url, sizeof(http->url), "%s", http->config.socket);
	else
		http_socket_url(http->listener, http->web.cert, http->url);
	return watch_fd(http, http->daemon_fd);
}

/* open_fn is that of web_config_read(). */
static int http_configure(struct http *http, web_config_open_fn *open_fn)
{
	struct web_config web = {0};
	int err = web_config_read(&web, http->config.web_config, open_fn, http->config.open_ctx);

	if (!err)
		err = http_adopt(http, &web);
	web_config_release(&web);
	return err;
}

int http_reload(struct http *http)
{
	return http->config.web_config ? http_configure(http, http->config.open_fn) : 0;
}

static int http_start(struct http *http, struct loop *loop)
{
	struct web_config web = {0};
	int err;

	err = http_hosts_init(&http->hosts, http->config.allowed_hosts,
			      http->config.allowed_host_count);
	if (err)
		return err;
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	http->again = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	http->auth_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (http->epoll < 0 || http->again < 0 || http->auth_timer < 0)
		return -errno;
	http->listener = http->config.socket
				 ? http_local_open(http->config.socket, http->config.socket_group)
				 : http_socket_open(http->config.listen);
	if (http->listener < 0)
		return http->listener;
	err = watch_fd(http, http->again) ?: watch_fd(http, http->auth_timer);
	if (!err)
		err = http->config.web_config ? http_configure(http, NULL) : http_adopt(http, &web);
	if (!err)
		err = loop_add(loop, http->epoll, http_turn, http);
	return err ?: loop_every(loop, HTTP_TICK_NS, http_tick, http);
}

struct http *http_open(const struct http_config *config, struct loop *loop, int *err)
{
	struct http *http = calloc(1, sizeof(*http));

	*err = -ENOMEM;
	if (!http)
		return NULL;
	http->config = *config;
	http->epoll = http->again = http->listener = http->auth_timer = -1;
	*err = http_start(http, loop);
	if (!*err)
		return http;
	http_close(http);
	return NULL;
}

void http_close(struct http *http)
{
	const int fds[] = {http ? http->listener : -1, http ? http->again : -1,
			   http ? http->auth_timer : -1, http ? http->epoll : -1};

	if (!http)
		return;
	daemon_stop(http);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	basic_auth_free(http->auth);
	web_config_release(&http->web);
	http_hosts_release(&http->hosts);
	free(http);
}

int http_listener(const struct http *http)
{
	return http->listener;
}
