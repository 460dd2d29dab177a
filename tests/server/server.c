// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A server of the TDS protocol without a database, for real clients to log in to. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conn.h"

enum {
	MAX_LISTEN = 8,
	MAX_THREADS = 64,
	EVENTS = 256,
	READ_SIZE = 64 * 1024,
	LINGER_MS = 2000, /* how long a client may leave our FIN unanswered */
};

struct server {
	struct config cfg;
	int listeners[MAX_LISTEN];
	unsigned n_listeners, n_threads;
	uint64_t max_connections; /* 0: no end */
	atomic_uint_fast64_t accepted, closed;
	atomic_uint spid;
	atomic_bool stop;
	int done_fd; /* written when max_connections are over */
	FILE *log;   /* NULL: none */
};

/* A connection and its socket, in its worker's list of those that wait for a time. */
struct client {
	struct client *prev, *next;
	struct conn *conn;
	uint64_t deadline_ns;
	int fd;
	unsigned port; /* the client's */
	bool writing, shut;
};

struct worker {
	struct server *server;
	pthread_t thread;
	struct counts counts;
	struct client timers; /* list head; the earliest deadline first */
	int epoll_fd, wake_fd;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void timer_cancel(struct client *cl)
{
	if (!cl->next)
		return;
	cl->prev->next = cl->next;
	cl->next->prev = cl->prev;
	cl->prev = cl->next = NULL;
}

/* Sorted from the end: deadlines mostly come in their order. */
static void timer_set(struct worker *w, struct client *cl, uint64_t deadline_ns)
{
	struct client *at;

	timer_cancel(cl);
	if (!deadline_ns)
		return;
	cl->deadline_ns = deadline_ns;
	for (at = w->timers.prev; at != &w->timers && at->deadline_ns > deadline_ns; at = at->prev)
		;
	cl->prev = at;
	cl->next = at->next;
	at->next->prev = cl;
	at->next = cl;
}

static void client_close(struct worker *w, struct client *cl)
{
	struct server *srv = w->server;

	timer_cancel(cl);
	if (srv->log)
		log_facts(srv->log, &cl->conn->facts, cl->port);
	if (cl->conn->end == END_RESET)
		setsockopt(cl->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
	close(cl->fd);
	conn_free(cl->conn);
	free(cl);
	if (atomic_fetch_add(&srv->closed, 1) + 1 == srv->max_connections)
		eventfd_write(srv->done_fd, 1);
}

static void watch_output(struct worker *w, struct client *cl, bool on)
{
	struct epoll_event ev = {EPOLLIN | (on ? EPOLLOUT : 0), {.ptr = cl}};

	if (cl->writing == on)
		return;
	cl->writing = on;
	epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, cl->fd, &ev);
}

/* Writes what there is; false if the socket is gone. */
static bool client_write(struct worker *w, struct client *cl)
{
	struct conn *c = cl->conn;

	while (buf_len(&c->out)) {
		ssize_t n = send(cl->fd, buf_head(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		buf_take(&c->out, n);
		/* A long result goes on as soon as there is room. */
		if (!buf_len(&c->out) && !c->end)
			conn_run(c, now_ns());
	}
	watch_output(w, cl, buf_len(&c->out));
	return true;
}

/* Lets the connection work on what it has; false if it is over. */
static bool client_run(struct worker *w, struct client *cl)
{
	struct conn *c = cl->conn;

	if (!c->end)
		conn_run(c, now_ns());
	if (c->end == END_RESET || !client_write(w, cl))
		return false;
	if (!c->end) {
		timer_set(w, cl, c->wake_ns);
	} else if (!buf_len(&c->out) && !cl->shut) {
		cl->shut = true;
		shutdown(cl->fd, SHUT_WR);
		timer_set(w, cl, now_ns() + LINGER_MS * 1000000ull);
	}
	return true;
}

/* False if the client closed. */
static bool client_read(struct client *cl)
{
	struct buf *in = &cl->conn->in;
	ssize_t n = recv(cl->fd, buf_room(in, READ_SIZE), READ_SIZE, 0);

	if (n < 0)
		return errno == EAGAIN;
	if (!n)
		return false;
	if (!cl->conn->end)
		buf_grow(in, n);
	return true;
}

static void client_event(struct worker *w, struct client *cl, uint32_t events)
{
	bool open = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		open = client_read(cl);
	if (!open || !client_run(w, cl))
		client_close(w, cl);
}

static unsigned peer_port(int fd)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof(a);

	/* at the same place for both families */
	return getpeername(fd, (struct sockaddr *)&a, &len)
		       ? 0
		       : ntohs(((struct sockaddr_in *)&a)->sin_port);
}

static void client_new(struct worker *w, int fd)
{
	struct server *srv = w->server;
	struct client *cl = calloc(1, sizeof(*cl));
	struct epoll_event ev = {EPOLLIN, {.ptr = cl}};

	if (!cl)
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	cl->fd = fd;
	cl->port = peer_port(fd);
	cl->conn = conn_new(&srv->cfg, &w->counts, atomic_fetch_add(&srv->spid, 1));
	epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	if (!client_run(w, cl))
		client_close(w, cl);
}

static void accept_clients(struct worker *w, int listener)
{
	struct server *srv = w->server;

	for (int i = 0; i < 64; i++) {
		int fd;

		if (srv->max_connections && atomic_load(&srv->accepted) >= srv->max_connections)
			return;
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		atomic_fetch_add(&srv->accepted, 1);
		client_new(w, fd);
	}
}

/* Serves those whose time has come; returns how long to sleep, in ms, -1 for ever. */
static int run_timers(struct worker *w)
{
	struct client *cl;

	while ((cl = w->timers.next) != &w->timers) {
		uint64_t now = now_ns();

		if (cl->deadline_ns > now)
			return (cl->deadline_ns - now + 999999) / 1000000;
		timer_cancel(cl);
		if (cl->shut || !client_run(w, cl))
			client_close(w, cl);
	}
	return -1;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct server *srv = w->server;
	struct epoll_event ev[EVENTS];

	while (!atomic_load(&srv->stop)) {
		int n = epoll_wait(w->epoll_fd, ev, EVENTS, run_timers(w));

		for (int i = 0; i < n; i++) {
			int *listener = ev[i].data.ptr;

			if (listener >= srv->listeners && listener < srv->listeners + MAX_LISTEN)
				accept_clients(w, *listener);
			else if (ev[i].data.ptr != w)
				client_event(w, ev[i].data.ptr, ev[i].events);
		}
	}
	return NULL;
}

static int worker_start(struct worker *w, struct server *srv)
{
	struct epoll_event ev = {EPOLLIN, {.ptr = w}};

	*w = (struct worker){.server = srv};
	w->timers.prev = w->timers.next = &w->timers;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->wake_fd < 0)
		return -errno;
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &ev))
		return -errno;
	for (unsigned i = 0; i < srv->n_listeners; i++) {
		ev = (struct epoll_event){EPOLLIN | EPOLLEXCLUSIVE, {.ptr = &srv->listeners[i]}};
		if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, srv->listeners[i], &ev))
			return -errno;
	}
	return -pthread_create(&w->thread, NULL, worker_main, w);
}

static void print_address(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char host[64], port[8];

	getsockname(fd, (struct sockaddr *)&a, &len);
	getnameinfo((struct sockaddr *)&a, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	printf(a.ss_family == AF_INET6 ? "listening [%s]:%s\n" : "listening %s:%s\n", host, port);
}

/* Splits "host:port" or "[host]:port" in place; false if there is no port. */
static bool split_address(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return false;
	*colon = 0;
	*port = colon + 1;
	*host = text;
	if (*text == '[' && colon > text && colon[-1] == ']') {
		colon[-1] = 0;
		*host = text + 1;
	}
	return true;
}

static int listen_at(struct server *srv, const char *address)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST,
				 .ai_socktype = SOCK_STREAM},
			*ai = NULL;
	char text[128], *host, *port;
	int fd = -1, one = 1, err = -EINVAL;

	snprintf(text, sizeof(text), "%s", address);
	if (srv->n_listeners == MAX_LISTEN || !split_address(text, &host, &port) ||
	    getaddrinfo(*host ? host : NULL, port, &hints, &ai))
		goto out;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 4096)) {
		err = -errno;
		goto out;
	}
	srv->listeners[srv->n_listeners++] = fd;
	print_address(fd);
	err = 0;
out:
	if (ai)
		freeaddrinfo(ai);
	if (err) {
		fprintf(stderr, "tds-server: cannot listen at %s: %s\n", address, strerror(-err));
		if (fd >= 0)
			close(fd);
	}
	return err;
}

static const char usage[] =
	"usage: tds-server [options]\n"
	"  --listen ADDR:PORT    repeatable; [ADDR]:PORT for IPv6; port 0 takes a free one\n"
	"  --encrypt MODE        off|on|required|not_supported|strict (off); on and required are "
	"one\n"
	"  --tls-max, --tls-min  1.0|1.1|1.2|1.3 (max 1.2, strict 1.3; min 1.2)\n"
	"  --cert, --key FILE    PEM; else a self-signed certificate is made\n"
	"  --cn NAME             its subject (SSL_Self_Signed_Fallback)\n"
	"  --cert-out FILE       write it, for clients that must trust it\n"
	"  --ecdsa               its key is P-256, not RSA 2048\n"
	"  --groups LIST         of the key exchange, as P-384; a client that guessed another has "
	"to "
	"retry\n"
	"  --rekey               new keys before each answer to a command: a key update, before "
	"TLS 1.3 "
	"a\n"
	"                        renegotiation\n"
	"  --keylog FILE         append the keys, for decryption\n"
	"  --log FILE            append a line of JSON for each connection\n"
	"  --user NAME, --password PW   the only login; without them any is accepted\n"
	"  --database NAME       repeatable; the first is the default; without them any is known\n"
	"  --ntlm                take integrated logins by NTLM; NTLMv2 is verified by --password\n"
	"  --kerberos-like       take integrated logins by Kerberos, unverified\n"
	"  --fedauth             take federated logins, unverified\n"
	"  --mars                agree to MARS\n"
	"  --redirect HOST:PORT  route each login there\n"
	"  --error N[,STATE,CLASS,MESSAGE]  answer each login with this error\n"
	"  --delay PHASE=MS      repeatable; before the answer in a phase:\n"
	"                        accept|prelogin|tls|login|auth|batch\n"
	"  --drop, --reset, --silent PHASE  close, reset or do nothing in place of the answer\n"
	"  --spid N              the first session id (51)\n"
	"  --packet-size N       the largest to agree to (32767)\n"
	"  --server-version A.B.C, --product NAME, --server-name NAME\n"
	"  --threads N           (1)\n"
	"  --count N             exit after N connections\n";

enum option_id {
	OPT_LISTEN = 256,
	OPT_ENCRYPT,
	OPT_TLS_MAX,
	OPT_TLS_MIN,
	OPT_CERT,
	OPT_KEY,
	OPT_CN,
	OPT_CERT_OUT,
	OPT_ECDSA,
	OPT_USER,
	OPT_PASSWORD,
	OPT_DATABASE,
	OPT_NTLM,
	OPT_KERBEROS,
	OPT_FEDAUTH,
	OPT_MARS,
	OPT_REDIRECT,
	OPT_ERROR,
	OPT_DELAY,
	OPT_DROP,
	OPT_RESET,
	OPT_SILENT,
	OPT_SPID,
	OPT_PACKET_SIZE,
	OPT_SERVER_VERSION,
	OPT_PRODUCT,
	OPT_SERVER_NAME,
	OPT_THREADS,
	OPT_COUNT,
	OPT_GROUPS,
	OPT_REKEY,
	OPT_KEYLOG,
	OPT_LOG,
};

static const struct option options[] = {
	{"listen", 1, NULL, OPT_LISTEN},
	{"encrypt", 1, NULL, OPT_ENCRYPT},
	{"tls-max", 1, NULL, OPT_TLS_MAX},
	{"tls-min", 1, NULL, OPT_TLS_MIN},
	{"cert", 1, NULL, OPT_CERT},
	{"key", 1, NULL, OPT_KEY},
	{"cn", 1, NULL, OPT_CN},
	{"cert-out", 1, NULL, OPT_CERT_OUT},
	{"ecdsa", 0, NULL, OPT_ECDSA},
	{"user", 1, NULL, OPT_USER},
	{"password", 1, NULL, OPT_PASSWORD},
	{"database", 1, NULL, OPT_DATABASE},
	{"ntlm", 0, NULL, OPT_NTLM},
	{"kerberos-like", 0, NULL, OPT_KERBEROS},
	{"fedauth", 0, NULL, OPT_FEDAUTH},
	{"mars", 0, NULL, OPT_MARS},
	{"redirect", 1, NULL, OPT_REDIRECT},
	{"error", 1, NULL, OPT_ERROR},
	{"delay", 1, NULL, OPT_DELAY},
	{"drop", 1, NULL, OPT_DROP},
	{"reset", 1, NULL, OPT_RESET},
	{"silent", 1, NULL, OPT_SILENT},
	{"spid", 1, NULL, OPT_SPID},
	{"packet-size", 1, NULL, OPT_PACKET_SIZE},
	{"server-version", 1, NULL, OPT_SERVER_VERSION},
	{"product", 1, NULL, OPT_PRODUCT},
	{"server-name", 1, NULL, OPT_SERVER_NAME},
	{"threads", 1, NULL, OPT_THREADS},
	{"count", 1, NULL, OPT_COUNT},
	{"groups", 1, NULL, OPT_GROUPS},
	{"rekey", 0, NULL, OPT_REKEY},
	{"keylog", 1, NULL, OPT_KEYLOG},
	{"log", 1, NULL, OPT_LOG},
	{0},
};

/* The place of name among names, -1 if it isn't there; len bytes of it count. */
static int find_name(const char *const names[], size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return i;
	return -1;
}

static int phase_named(const char *name, size_t len)
{
	static const char *const names[PHASES] = {"accept", "prelogin", "tls",
						  "login",  "auth",	"batch"};

	return find_name(names, PHASES, name, len);
}

static bool set_encrypt(struct config *cfg, const char *arg)
{
	static const char *const names[] = {"off", "on", "required", "not_supported", "strict"};
	static const enum encrypt modes[] = {ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_ON,
					     ENCRYPT_NOT_SUPPORTED, ENCRYPT_STRICT};
	int i = find_name(names, 5, arg, strlen(arg));

	if (i >= 0)
		cfg->encrypt = modes[i];
	return i >= 0;
}

static bool set_tls_version(int *version, const char *arg)
{
	static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
	int i = find_name(names, 4, arg, strlen(arg));

	*version = TLS1_VERSION + i;
	return i >= 0;
}

static bool set_delay(struct config *cfg, const char *arg)
{
	size_t len = strcspn(arg, "=");
	int phase = phase_named(arg, len);

	if (phase < 0 || !arg[len])
		return false;
	cfg->phase[phase].delay_ms = strtoul(arg + len + 1, NULL, 10);
	return true;
}

static bool set_action(struct config *cfg, const char *arg, enum action action)
{
	int phase = phase_named(arg, strlen(arg));

	if (phase >= 0)
		cfg->phase[phase].action = action;
	return phase >= 0;
}

static bool set_database(struct config *cfg, const char *arg)
{
	int i = 0;

	while (i < MAX_DATABASES - 1 && cfg->databases[i])
		i++;
	cfg->databases[i] = arg;
	return true;
}

static bool set_redirect(struct config *cfg, char *arg)
{
	char *host, *port;

	if (!split_address(arg, &host, &port))
		return false;
	cfg->redirect_host = host;
	cfg->redirect_port = atoi(port);
	return cfg->redirect_port;
}

static bool set_error(struct config *cfg, const char *arg)
{
	int number, state = 1, class = 14, at = 0;

	if (sscanf(arg, "%d,%d,%d,%n", &number, &state, &class, &at) < 1 || !number)
		return false;
	cfg->error = (struct message){number, state, class, at ? arg + at : "Login refused."};
	return true;
}

static bool set_version(struct config *cfg, const char *arg)
{
	unsigned major, minor, build = 0;

	if (sscanf(arg, "%u.%u.%u", &major, &minor, &build) < 2)
		return false;
	cfg->product_version = major << 24 | (minor & 0xff) << 16 | (build & 0xffff);
	return true;
}

struct choices {
	struct tls_options tls;
	const char *listen[MAX_LISTEN];
	unsigned n_listen, spid;
};

/* false: the argument makes no sense */
static bool set_server_option(struct server *srv, struct choices *ch, int id, char *arg)
{
	switch (id) {
	case OPT_LISTEN:
		if (ch->n_listen == MAX_LISTEN)
			return false;
		ch->listen[ch->n_listen++] = arg;
		return true;
	case OPT_TLS_MAX:
		return set_tls_version(&ch->tls.max, arg);
	case OPT_TLS_MIN:
		return set_tls_version(&ch->tls.min, arg);
	case OPT_CERT:
		ch->tls.cert = arg;
		return true;
	case OPT_KEY:
		ch->tls.key = arg;
		return true;
	case OPT_CN:
		ch->tls.cn = arg;
		return true;
	case OPT_CERT_OUT:
		ch->tls.cert_out = arg;
		return true;
	case OPT_ECDSA:
		ch->tls.ecdsa = true;
		return true;
	case OPT_GROUPS:
		ch->tls.groups = arg;
		return true;
	case OPT_KEYLOG:
		ch->tls.key_log = arg;
		return true;
	case OPT_LOG:
		srv->log = fopen(arg, "a");
		return srv->log;
	case OPT_SPID:
		ch->spid = atoi(arg);
		return true;
	case OPT_THREADS:
		srv->n_threads = atoi(arg);
		return srv->n_threads && srv->n_threads <= MAX_THREADS;
	case OPT_COUNT:
		srv->max_connections = strtoull(arg, NULL, 10);
		return true;
	}
	return false;
}

static bool set_option(struct server *srv, struct choices *ch, int id, char *arg)
{
	struct config *cfg = &srv->cfg;

	switch (id) {
	case OPT_ENCRYPT:
		return set_encrypt(cfg, arg);
	case OPT_USER:
		cfg->user = arg;
		return true;
	case OPT_PASSWORD:
		cfg->password = arg;
		return true;
	case OPT_DATABASE:
		return set_database(cfg, arg);
	case OPT_NTLM:
		cfg->ntlm = true;
		return true;
	case OPT_KERBEROS:
		cfg->kerberos = true;
		return true;
	case OPT_FEDAUTH:
		cfg->fedauth = true;
		return true;
	case OPT_REKEY:
		cfg->rekey = true;
		return true;
	case OPT_MARS:
		cfg->mars = true;
		return true;
	case OPT_REDIRECT:
		return set_redirect(cfg, arg);
	case OPT_ERROR:
		return set_error(cfg, arg);
	case OPT_DELAY:
		return set_delay(cfg, arg);
	case OPT_DROP:
		return set_action(cfg, arg, ACT_DROP);
	case OPT_RESET:
		return set_action(cfg, arg, ACT_RESET);
	case OPT_SILENT:
		return set_action(cfg, arg, ACT_SILENT);
	case OPT_PACKET_SIZE:
		cfg->packet_size = atoi(arg);
		return cfg->packet_size >= 512 && cfg->packet_size <= 32767;
	case OPT_SERVER_VERSION:
		return set_version(cfg, arg);
	case OPT_PRODUCT:
		cfg->product = arg;
		return true;
	case OPT_SERVER_NAME:
		cfg->server_name = arg;
		return true;
	}
	return set_server_option(srv, ch, id, arg);
}

static bool parse_options(struct server *srv, struct choices *ch, int argc, char **argv)
{
	int id;

	srv->n_threads = 1;
	srv->cfg.product = "Microsoft SQL Server";
	srv->cfg.product_version = 0x10001027; /* 16.0.4135 */
	srv->cfg.server_name = "TDSTEST";
	srv->cfg.packet_size = 32767;
	ch->tls.cn = "SSL_Self_Signed_Fallback";
	ch->tls.min = TLS1_2_VERSION;
	ch->spid = 51;
	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id == '?')
			return false;
		if (!set_option(srv, ch, id, optarg)) {
			fprintf(stderr, "tds-server: bad argument: %s\n", optarg);
			return false;
		}
	}
	/* TLS 1.3 inside 0x12 packets is nobody's practice. */
	if (!ch->tls.max)
		ch->tls.max = srv->cfg.encrypt == ENCRYPT_STRICT ? TLS1_3_VERSION : TLS1_2_VERSION;
	ch->tls.strict = srv->cfg.encrypt == ENCRYPT_STRICT;
	return optind == argc && !ch->tls.cert == !ch->tls.key;
}

/* Waits for a signal or the last connection, stops the workers, and adds up their counts. */
static void serve(struct server *srv, struct worker *workers, int signal_fd)
{
	struct counts sum = {0};
	struct epoll_event ev = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, signal_fd, &ev);
	epoll_ctl(ep, EPOLL_CTL_ADD, srv->done_fd, &ev);
	while (epoll_wait(ep, &ev, 1, -1) < 0 && errno == EINTR)
		;
	close(ep);
	atomic_store(&srv->stop, true);
	for (unsigned i = 0; i < srv->n_threads; i++) {
		struct counts *c = &workers[i].counts;

		eventfd_write(workers[i].wake_fd, 1);
		pthread_join(workers[i].thread, NULL);
		sum.connections += c->connections;
		sum.logins += c->logins;
		sum.refused += c->refused;
		sum.commands += c->commands;
		sum.tls_failed += c->tls_failed;
	}
	printf("connections %ju logins %ju refused %ju commands %ju tls-failed %ju\n",
	       (uintmax_t)sum.connections, (uintmax_t)sum.logins, (uintmax_t)sum.refused,
	       (uintmax_t)sum.commands, (uintmax_t)sum.tls_failed);
}

int main(int argc, char **argv)
{
	struct rlimit files = {65536, 65536};
	struct worker workers[MAX_THREADS];
	struct choices ch = {0};
	struct server srv = {0};
	sigset_t signals;
	int signal_fd;

	if (!parse_options(&srv, &ch, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	srv.done_fd = eventfd(0, EFD_CLOEXEC);
	atomic_store(&srv.spid, ch.spid);
	if (srv.cfg.encrypt != ENCRYPT_NOT_SUPPORTED) {
		srv.cfg.tls = tls_server_ctx(&ch.tls);
		if (!srv.cfg.tls)
			return 1;
	}
	if (!ch.n_listen)
		ch.listen[ch.n_listen++] = "127.0.0.1:1433";
	for (unsigned i = 0; i < ch.n_listen; i++)
		if (listen_at(&srv, ch.listen[i]))
			return 1;
	for (unsigned i = 0; i < srv.n_threads; i++) {
		int err = worker_start(&workers[i], &srv);

		if (err) {
			fprintf(stderr, "tds-server: %s\n", strerror(-err));
			return 1;
		}
	}
	fflush(stdout);
	serve(&srv, workers, signal_fd);
	SSL_CTX_free(srv.cfg.tls);
	return 0;
}
