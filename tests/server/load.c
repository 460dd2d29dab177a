// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Logs in to a TDS server many times at once, and reports how that went. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ntlm.h"
#include "tds.h"
#include "tls.h"

enum encrypt { ENCRYPT_NONE, ENCRYPT_LOGIN, ENCRYPT_FULL, ENCRYPT_STRICT };
enum kind { KIND_GOOD, KIND_BAD_PASSWORD, KIND_NTLM, KIND_KERBEROS, KINDS };
enum { EVENTS = 256, READ_SIZE = 64 * 1024, KERBEROS_BLOB = 1800 };

struct options {
	struct sockaddr_storage address;
	socklen_t address_len;
	const char *user, *password, *database;
	enum encrypt encrypt;
	uint64_t count, seconds, every[KINDS]; /* 0: without end, never */
	double rate;			       /* logins per second; 0: as fast as possible */
	unsigned concurrency, batches, rows, width, timeout;
	bool reset, resume;
};

enum state { CONNECTING, WAIT_PRELOGIN, WAIT_TLS, WAIT_LOGIN, WAIT_BATCH };
enum failure {
	FAIL_CONNECT,
	FAIL_CLOSED,
	FAIL_TLS,
	FAIL_PROTOCOL,
	FAIL_LOGIN,
	FAIL_TIMEOUT,
	FAILS
};

static const char *const failure_names[FAILS] = {"connect",  "closed", "tls",
						 "protocol", "login",  "timeout"};

struct peer {
	struct peer *prev, *next; /* in the order of their starts */
	struct buf in, clear, out, msg;
	struct tls *tls;
	uint64_t start_ns;
	unsigned batches;
	int fd;
	enum state state;
	enum kind kind;
	bool sealed, login_only, writing;
};

struct load {
	struct options o;
	SSL_CTX *ctx;
	SSL_SESSION *session;			  /* the latest one, with --resume */
	struct buf login[KINDS], prelogin, batch; /* whole packets, built once */
	struct peer peers;			  /* list head */
	uint64_t started, open, begin_ns;
	uint64_t logins, refused, batches, failures[FAILS];
	uint32_t *login_us; /* how long each login took */
	size_t login_us_cap;
	int epoll_fd, last_errno;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* MS-TDS 2.2.6.5 */
static void make_prelogin(struct load *l)
{
	static const uint8_t encryption[] = {ENC_NOT_SUP, ENC_OFF, ENC_ON, ENC_NOT_SUP};
	/* clang-format off: a row is an option's token, offset and length */
	uint8_t table[] = {
		PL_VERSION,  0,		  26,
		0,	     6,		  PL_ENCRYPTION,
		0,	     32,	  0,
		1,	     PL_INSTANCE, 0,
		33,	     0,		  1,
		PL_THREADID, 0,		  34,
		0,	     4,		  PL_MARS,
		0,	     38,	  0,
		1,	     PL_END,	  1,
		0,	     0,		  0,
		0,	     0,		  encryption[l->o.encrypt],
		0,	     0,		  0,
		0,	     0,		  0,
	};
	/* clang-format on */

	tds_packet(&l->prelogin, TDS_PRELOGIN, STATUS_EOM, 0, 1, table, sizeof(table));
}

/* Append the text to data, and its offset and length to the fixed part: MS-TDS 2.2.6.4 */
static void login_text(struct buf *fixed, struct buf *data, const char *text, bool password)
{
	size_t at = buf_len(data), units = buf_utf16(data, text);

	buf_le16(fixed, 94 + at);
	buf_le16(fixed, units);
	for (size_t i = at; password && i < buf_len(data); i++) {
		uint8_t c = buf_head(data)[i];

		buf_head(data)[i] = (uint8_t)(c << 4 | c >> 4) ^ 0xa5;
	}
}

static void make_login(struct load *l, enum kind kind)
{
	struct buf fixed = {0}, data = {0}, sspi = {0};
	bool integrated = kind == KIND_NTLM || kind == KIND_KERBEROS;
	static const uint8_t gss[] = {0x60, 0x82, 0x07, 0x04, 0x06, 0x09, 0x2a, 0x86, 0x48,
				      0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00, 0x6e};

	if (kind == KIND_NTLM)
		ntlm_negotiate(&sspi);
	if (kind == KIND_KERBEROS) {
		buf_put(&sspi, gss, sizeof(gss));
		memset(buf_room(&sspi, KERBEROS_BLOB), 0x5a, KERBEROS_BLOB);
		buf_grow(&sspi, KERBEROS_BLOB - sizeof(gss));
	}
	buf_le32(&fixed, 0); /* the length, set below */
	buf_le32(&fixed, l->o.encrypt == ENCRYPT_STRICT ? TDS_8_0 : TDS_7_4);
	buf_le32(&fixed, 4096);
	buf_le32(&fixed, 0x01000000);
	buf_le32(&fixed, getpid());
	buf_le32(&fixed, 0);
	buf_put(&fixed, (uint8_t[]){0xe0, integrated ? 0x83 : 0x03, 0, 0}, 4);
	buf_le32(&fixed, 0);
	buf_le32(&fixed, 0x409);
	login_text(&fixed, &data, "loadhost", false);
	login_text(&fixed, &data, integrated ? "" : l->o.user, false);
	login_text(&fixed, &data,
		   integrated		       ? ""
		   : kind == KIND_BAD_PASSWORD ? "not the password"
					       : l->o.password,
		   true);
	login_text(&fixed, &data, "tds-load", false);
	login_text(&fixed, &data, "server", false);
	buf_le32(&fixed, 0); /* no extension */
	login_text(&fixed, &data, "tds-load", false);
	login_text(&fixed, &data, "", false);
	login_text(&fixed, &data, l->o.database, false);
	buf_put(&fixed, "\2\0\0\0\0\1", 6);
	buf_le16(&fixed, 94 + buf_len(&data));
	buf_le16(&fixed, buf_len(&sspi));
	buf_le64(&fixed, 0);
	buf_le32(&fixed, 0);
	buf_put(&fixed, buf_head(&data), buf_len(&data));
	buf_put(&fixed, buf_head(&sspi), buf_len(&sspi));
	buf_set_le16(&fixed, 0, buf_len(&fixed));
	tds_packet(&l->login[kind], TDS_LOGIN7, STATUS_EOM, 0, 1, buf_head(&fixed),
		   buf_len(&fixed));
	buf_release(&fixed);
	buf_release(&data);
	buf_release(&sspi);
}

static void make_batch(struct load *l)
{
	struct buf body = {0};
	char text[80] = "select 1";

	if (l->o.rows)
		snprintf(text, sizeof(text), "select /* rows=%u width=%u */ 1", l->o.rows,
			 l->o.width);
	/* ALL_HEADERS with the transaction descriptor: MS-TDS 2.2.5.3 */
	buf_le32(&body, 22);
	buf_le32(&body, 18);
	buf_le16(&body, 2);
	buf_le64(&body, 0);
	buf_le32(&body, 1);
	buf_utf16(&body, text);
	tds_packet(&l->batch, TDS_BATCH, STATUS_EOM, 0, 1, buf_head(&body), buf_len(&body));
	buf_release(&body);
}

static void peer_close(struct load *l, struct peer *p)
{
	p->prev->next = p->next;
	p->next->prev = p->prev;
	if (l->o.reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
	close(p->fd);
	tls_free(p->tls);
	buf_release(&p->in);
	buf_release(&p->clear);
	buf_release(&p->out);
	buf_release(&p->msg);
	free(p);
	l->open--;
}

static void peer_fail(struct load *l, struct peer *p, enum failure why)
{
	l->failures[why]++;
	peer_close(l, p);
}

static void peer_watch(struct load *l, struct peer *p, bool writing)
{
	struct epoll_event ev = {EPOLLIN | (writing ? EPOLLOUT : 0), {.ptr = p}};

	if (p->writing != writing)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, p->fd, &ev);
	p->writing = writing;
}

static bool peer_write(struct load *l, struct peer *p)
{
	while (buf_len(&p->out)) {
		ssize_t n = send(p->fd, buf_head(&p->out), buf_len(&p->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		buf_take(&p->out, n);
	}
	peer_watch(l, p, buf_len(&p->out));
	return true;
}

static void transmit(struct peer *p, const struct buf *packet)
{
	if (p->sealed)
		tls_write(p->tls, buf_head(packet), buf_len(packet), &p->out);
	else
		buf_put(&p->out, buf_head(packet), buf_len(packet));
}

static void send_login(struct load *l, struct peer *p)
{
	transmit(p, &l->login[p->kind]);
	p->state = WAIT_LOGIN;
	if (p->login_only) {
		tls_free(p->tls);
		p->tls = NULL;
		p->sealed = p->login_only = false;
	}
}

/* Our part of the handshake, in 0x12 packets except for TDS 8.0. < 0: it failed. */
static int handshake(struct load *l, struct peer *p)
{
	struct buf records = {0};
	int ret = tls_handshake(p->tls, &records);

	if (l->o.encrypt == ENCRYPT_STRICT)
		buf_put(&p->out, buf_head(&records), buf_len(&records));
	else if (buf_len(&records))
		tds_packet(&p->out, TDS_PRELOGIN, STATUS_EOM, 0, 0, buf_head(&records),
			   buf_len(&records));
	buf_release(&records);
	if (ret <= 0)
		return ret;
	p->sealed = true;
	if (l->o.encrypt == ENCRYPT_STRICT) {
		transmit(p, &l->prelogin);
		p->state = WAIT_PRELOGIN;
	} else {
		send_login(l, p);
	}
	return 1;
}

/* OpenSSL's callback for a session that can be resumed. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct load *l = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(l->session);
	l->session = session;
	return 1;
}

static int start_tls(struct load *l, struct peer *p)
{
	p->tls = tls_new(l->ctx, false);
	if (l->session)
		SSL_set_session(p->tls->ssl, l->session);
	p->state = WAIT_TLS;
	return handshake(l, p);
}

/* The encryption that the reply selects; < 0: it is not a PRELOGIN. */
static int prelogin_encryption(const struct buf *msg)
{
	for (size_t i = 0; i + 5 <= buf_len(msg) && buf_head(msg)[i] != PL_END; i += 5) {
		const uint8_t *option = buf_head(msg) + i;
		size_t off = option[1] << 8 | option[2];

		if (option[0] == PL_ENCRYPTION && off < buf_len(msg))
			return buf_head(msg)[off];
	}
	return -1;
}

static int on_prelogin(struct load *l, struct peer *p)
{
	int reply = prelogin_encryption(&p->msg);

	if (reply < 0)
		return -FAIL_PROTOCOL;
	if (l->o.encrypt == ENCRYPT_STRICT || reply == ENC_NOT_SUP) {
		if (l->o.encrypt == ENCRYPT_FULL)
			return -FAIL_TLS;
		send_login(l, p);
		return 1;
	}
	p->login_only = reply == ENC_OFF;
	return start_tls(l, p) < 0 ? -FAIL_TLS : 1;
}

/* The contents of a login's message. */
struct reply {
	const uint8_t *sspi;
	size_t sspi_len;
	bool loginack, error;
};

static struct reply read_reply(const struct buf *msg)
{
	struct reader r = {buf_head(msg), buf_len(msg), false};
	struct reply reply = {0};

	while (r.left) {
		unsigned token = read_u8(&r), n;
		const uint8_t *p;

		if (token >= TOKEN_DONE) {
			read_bytes(&r, 12);
			continue;
		}
		if (token == TOKEN_FEATUREEXTACK)
			break; /* we did not ask for one */
		n = read_le16(&r);
		p = read_bytes(&r, n);
		if (!p)
			break;
		reply.loginack |= token == TOKEN_LOGINACK;
		reply.error |= token == TOKEN_ERROR;
		if (token == TOKEN_SSPI) {
			reply.sspi = p;
			reply.sspi_len = n;
		}
	}
	return reply;
}

static void send_authenticate(struct load *l, struct peer *p, const struct reply *reply)
{
	struct buf blob = {0}, packet = {0};

	/* MS-NLMP 2.2.1.2: the challenge is at 24 */
	ntlm_authenticate(&blob, reply->sspi + 24, "TDSTEST", l->o.user, l->o.password);
	tds_packet(&packet, TDS_SSPI, STATUS_EOM, 0, 1, buf_head(&blob), buf_len(&blob));
	transmit(p, &packet);
	buf_release(&blob);
	buf_release(&packet);
}

static void count_login(struct load *l, struct peer *p)
{
	if (l->logins == l->login_us_cap) {
		l->login_us_cap = l->login_us_cap ? 2 * l->login_us_cap : 65536;
		l->login_us = realloc(l->login_us, l->login_us_cap * sizeof(*l->login_us));
		if (!l->login_us)
			abort();
	}
	l->login_us[l->logins++] = (now_ns() - p->start_ns) / 1000;
}

/* Send the next command. 0: there are no more, and the connection is finished. */
static int next_batch(struct load *l, struct peer *p)
{
	if (p->batches == l->o.batches)
		return 0;
	p->batches++;
	transmit(p, &l->batch);
	p->state = WAIT_BATCH;
	return 1;
}

static int on_login(struct load *l, struct peer *p)
{
	struct reply reply = read_reply(&p->msg);

	if (reply.loginack) {
		count_login(l, p);
		return next_batch(l, p);
	}
	if (reply.error && p->kind == KIND_BAD_PASSWORD) {
		l->refused++;
		return 0;
	}
	if (reply.sspi && ntlm_type(reply.sspi, reply.sspi_len) == NTLM_CHALLENGE &&
	    reply.sspi_len >= 32)
		send_authenticate(l, p, &reply);
	/* A Kerberos token is followed by the login's answer. */
	return reply.sspi ? 1 : -FAIL_LOGIN;
}

/* > 0: go on; 0: the connection is finished; < 0: a negated failure. */
static int on_message(struct load *l, struct peer *p)
{
	switch (p->state) {
	case WAIT_PRELOGIN:
		return on_prelogin(l, p);
	case WAIT_LOGIN:
		return on_login(l, p);
	case WAIT_BATCH:
		l->batches++;
		return next_batch(l, p);
	default:
		return -FAIL_PROTOCOL;
	}
}

/* Handle the packets in b. The result is that of on_message(). */
static int take_packets(struct load *l, struct peer *p, struct buf *b)
{
	int ret = 1;

	while (ret > 0 && buf_len(b) >= TDS_HEADER) {
		const uint8_t *h = buf_head(b);
		size_t n = h[2] << 8 | h[3];
		bool last = h[1] & STATUS_EOM;

		if (n < TDS_HEADER)
			return -FAIL_PROTOCOL;
		if (buf_len(b) < n)
			break;
		if (p->state == WAIT_TLS) {
			tls_feed(p->tls, h + TDS_HEADER, n - TDS_HEADER);
			buf_take(b, n);
			if (handshake(l, p) < 0)
				return -FAIL_TLS;
			continue;
		}
		if (p->state != WAIT_BATCH)
			buf_put(&p->msg, h + TDS_HEADER, n - TDS_HEADER);
		buf_take(b, n);
		if (last) {
			ret = on_message(l, p);
			buf_clear(&p->msg);
		}
	}
	return ret;
}

static int process(struct load *l, struct peer *p)
{
	int ret = 1;

	if (l->o.encrypt != ENCRYPT_STRICT && !p->sealed)
		ret = take_packets(l, p, &p->in);
	/* Under TLS, the rest is TLS. */
	if (ret <= 0 || (!p->sealed && l->o.encrypt != ENCRYPT_STRICT))
		return ret;
	tls_feed(p->tls, buf_head(&p->in), buf_len(&p->in));
	buf_clear(&p->in);
	if (!p->sealed) {
		ret = handshake(l, p);
		if (ret <= 0)
			return ret < 0 ? -FAIL_TLS : 1;
	}
	ret = tls_read(p->tls, &p->clear, &p->out);
	if (ret < 0 && !buf_len(&p->clear))
		return -FAIL_CLOSED;
	return take_packets(l, p, &p->clear);
}

static void peer_read(struct load *l, struct peer *p)
{
	ssize_t n = recv(p->fd, buf_room(&p->in, READ_SIZE), READ_SIZE, 0);
	int ret;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		peer_fail(l, p, FAIL_CLOSED);
		return;
	}
	buf_grow(&p->in, n);
	ret = process(l, p);
	if (ret < 0)
		peer_fail(l, p, -ret);
	else if (ret == 0)
		peer_close(l, p);
	else if (!peer_write(l, p))
		peer_fail(l, p, FAIL_CLOSED);
}

static void peer_event(struct load *l, struct peer *p, uint32_t events)
{
	if (p->state == CONNECTING) {
		int err = 0;
		socklen_t len = sizeof(err);

		getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err) {
			l->last_errno = err;
			peer_fail(l, p, FAIL_CONNECT);
			return;
		}
		p->state = WAIT_PRELOGIN;
		if (l->o.encrypt == ENCRYPT_STRICT)
			start_tls(l, p);
		else
			transmit(p, &l->prelogin);
		if (!peer_write(l, p))
			peer_fail(l, p, FAIL_CLOSED);
		return;
	}
	if ((events & EPOLLOUT) && !peer_write(l, p))
		peer_fail(l, p, FAIL_CLOSED);
	else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		peer_read(l, p);
}

static enum kind kind_of(const struct options *o, uint64_t number)
{
	for (enum kind k = KIND_BAD_PASSWORD; k < KINDS; k++)
		if (o->every[k] && number % o->every[k] == 0)
			return k;
	return KIND_GOOD;
}

static void peer_start(struct load *l)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct epoll_event ev = {EPOLLIN | EPOLLOUT, {.ptr = p}};

	if (!p)
		abort();
	p->kind = kind_of(&l->o, ++l->started);
	p->start_ns = now_ns();
	p->writing = true;
	p->prev = l->peers.prev;
	p->next = &l->peers;
	p->prev->next = p->next->prev = p;
	l->open++;
	p->fd = socket(l->o.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (p->fd < 0 || (connect(p->fd, (struct sockaddr *)&l->o.address, l->o.address_len) &&
			  errno != EINPROGRESS)) {
		l->last_errno = errno;
		peer_fail(l, p, FAIL_CONNECT);
		return;
	}
	epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, p->fd, &ev);
}

static bool more_wanted(const struct load *l, uint64_t now)
{
	return !stopped && (!l->o.count || l->started < l->o.count) &&
	       (!l->o.seconds || now - l->begin_ns < l->o.seconds * 1000000000ull);
}

/* Start the connections that are due. Returns the ms to sleep at most. */
static int start_due(struct load *l)
{
	enum { BURST = 64 }; /* so that the current ones get their turn */

	for (int i = 0; i < BURST; i++) {
		uint64_t now = now_ns(), due;

		if (!more_wanted(l, now) || l->open >= l->o.concurrency)
			return 100;
		if (l->o.rate > 0) {
			due = l->begin_ns + (uint64_t)(l->started / l->o.rate * 1e9);
			if (due > now)
				return (due - now) / 1000000 + 1;
		}
		peer_start(l);
	}
	return 0;
}

static void expire(struct load *l)
{
	uint64_t now = now_ns();
	struct peer *p;

	while ((p = l->peers.next) != &l->peers && now - p->start_ns > l->o.timeout * 1000000000ull)
		peer_fail(l, p, FAIL_TIMEOUT);
}

static void run(struct load *l)
{
	struct epoll_event ev[EVENTS];

	l->begin_ns = now_ns();
	while (more_wanted(l, now_ns()) || (l->open && !stopped)) {
		int n = epoll_wait(l->epoll_fd, ev, EVENTS, start_due(l));

		for (int i = 0; i < n; i++)
			peer_event(l, ev[i].data.ptr, ev[i].events);
		expire(l);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Print the counts. Returns whether nothing failed. */
static bool report(struct load *l)
{
	double seconds = (now_ns() - l->begin_ns) / 1e9;
	uint64_t failed = 0;

	for (int i = 0; i < FAILS; i++)
		failed += l->failures[i];
	printf("logins %ju refused %ju failed %ju batches %ju seconds %.3f logins/s %.0f",
	       (uintmax_t)l->logins, (uintmax_t)l->refused, (uintmax_t)failed,
	       (uintmax_t)l->batches, seconds, (l->logins + l->refused) / seconds);
	if (l->logins) {
		qsort(l->login_us, l->logins, sizeof(*l->login_us), compare);
		printf(" p50_ms %.3f p99_ms %.3f max_ms %.3f", l->login_us[l->logins / 2] / 1e3,
		       l->login_us[l->logins * 99 / 100] / 1e3, l->login_us[l->logins - 1] / 1e3);
	}
	for (int i = 0; i < FAILS; i++)
		if (l->failures[i])
			printf(" failed-%s %ju", failure_names[i], (uintmax_t)l->failures[i]);
	putchar('\n');
	if (l->failures[FAIL_CONNECT])
		fprintf(stderr, "tds-load: connect: %s\n", strerror(l->last_errno));
	return !failed;
}

static const char usage[] =
	"usage: tds-load [options] ADDR PORT\n"
	"  --encrypt none|login|full|strict  (none)\n"
	"  --count N             logins (1; 0: no end)\n"
	"  --seconds N           stop after so long\n"
	"  --rate N              logins a second (as fast as it goes)\n"
	"  --concurrency N       connections at once (1)\n"
	"  --batches N           commands after each login (0)\n"
	"  --rows N, --width N   rows of each result, bytes of each row (one value)\n"
	"  --close fin|rst       (fin); rst leaves no TIME_WAIT behind\n"
	"  --bad-password-every N, --ntlm-every N, --kerberos-every N\n"
	"  --user NAME, --password PW, --database NAME\n"
	"  --resume              resume the TLS session of an earlier login\n"
	"  --timeout SECONDS     of one connection (30)\n";

enum option_id {
	OPT_ENCRYPT = 256,
	OPT_COUNT,
	OPT_SECONDS,
	OPT_RATE,
	OPT_CONCURRENCY,
	OPT_BATCHES,
	OPT_ROWS,
	OPT_WIDTH,
	OPT_CLOSE,
	OPT_BAD,
	OPT_NTLM,
	OPT_KERBEROS,
	OPT_USER,
	OPT_PASSWORD,
	OPT_DATABASE,
	OPT_TIMEOUT,
	OPT_RESUME,
};

static const struct option options[] = {
	{"encrypt", 1, NULL, OPT_ENCRYPT},
	{"count", 1, NULL, OPT_COUNT},
	{"seconds", 1, NULL, OPT_SECONDS},
	{"rate", 1, NULL, OPT_RATE},
	{"concurrency", 1, NULL, OPT_CONCURRENCY},
	{"batches", 1, NULL, OPT_BATCHES},
	{"rows", 1, NULL, OPT_ROWS},
	{"width", 1, NULL, OPT_WIDTH},
	{"close", 1, NULL, OPT_CLOSE},
	{"bad-password-every", 1, NULL, OPT_BAD},
	{"ntlm-every", 1, NULL, OPT_NTLM},
	{"kerberos-every", 1, NULL, OPT_KERBEROS},
	{"user", 1, NULL, OPT_USER},
	{"password", 1, NULL, OPT_PASSWORD},
	{"database", 1, NULL, OPT_DATABASE},
	{"timeout", 1, NULL, OPT_TIMEOUT},
	{"resume", 0, NULL, OPT_RESUME},
	{0},
};

static bool set_encrypt(struct options *o, const char *arg)
{
	static const char *const names[] = {"none", "login", "full", "strict"};

	for (int i = 0; i < 4; i++)
		if (!strcmp(arg, names[i])) {
			o->encrypt = i;
			return true;
		}
	return false;
}

static bool set_option(struct options *o, int id, const char *arg)
{
	uint64_t number = arg ? strtoull(arg, NULL, 10) : 0;

	switch (id) {
	case OPT_ENCRYPT:
		return set_encrypt(o, arg);
	case OPT_COUNT:
		o->count = number;
		return true;
	case OPT_SECONDS:
		o->seconds = number;
		return true;
	case OPT_RATE:
		o->rate = strtod(arg, NULL);
		return o->rate > 0;
	case OPT_CONCURRENCY:
		o->concurrency = number;
		return number;
	case OPT_BATCHES:
		o->batches = number;
		return true;
	case OPT_ROWS:
		o->rows = number;
		return true;
	case OPT_WIDTH:
		o->width = number;
		return true;
	case OPT_CLOSE:
		o->reset = !strcmp(arg, "rst");
		return o->reset || !strcmp(arg, "fin");
	case OPT_BAD:
		o->every[KIND_BAD_PASSWORD] = number;
		return true;
	case OPT_NTLM:
		o->every[KIND_NTLM] = number;
		return true;
	case OPT_KERBEROS:
		o->every[KIND_KERBEROS] = number;
		return true;
	case OPT_USER:
		o->user = arg;
		return true;
	case OPT_PASSWORD:
		o->password = arg;
		return true;
	case OPT_DATABASE:
		o->database = arg;
		return true;
	case OPT_TIMEOUT:
		o->timeout = number;
		return true;
	case OPT_RESUME:
		o->resume = true;
		return true;
	}
	return false;
}

static bool parse_options(struct options *o, int argc, char **argv)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *ai;
	bool count_given = false;
	int id;

	*o = (struct options){.user = "load",
			      .password = "load",
			      .database = "",
			      .concurrency = 1,
			      .count = 1,
			      .width = 100,
			      .timeout = 30};
	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id == '?')
			return false;
		if (!set_option(o, id, optarg)) {
			fprintf(stderr, "tds-load: bad argument: %s\n", optarg);
			return false;
		}
		count_given |= id == OPT_COUNT;
	}
	if (o->seconds && !count_given)
		o->count = 0;
	if (argc - optind != 2 || getaddrinfo(argv[optind], argv[optind + 1], &hints, &ai))
		return false;
	memcpy(&o->address, ai->ai_addr, ai->ai_addrlen);
	o->address_len = ai->ai_addrlen;
	freeaddrinfo(ai);
	return true;
}

int main(int argc, char **argv)
{
	struct rlimit files = {65536, 65536};
	struct sigaction stop = {.sa_handler = on_signal};
	struct load l = {0};
	bool strict, good;

	if (!parse_options(&l.o, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	l.peers.prev = l.peers.next = &l.peers;
	l.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	strict = l.o.encrypt == ENCRYPT_STRICT;
	l.ctx = tls_client_ctx(strict ? TLS1_3_VERSION : TLS1_2_VERSION, strict);
	if (l.epoll_fd < 0 || !l.ctx)
		return 1;
	if (l.o.resume) {
		SSL_CTX_set_app_data(l.ctx, &l);
		SSL_CTX_set_session_cache_mode(l.ctx,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(l.ctx, keep_session);
	}
	make_prelogin(&l);
	for (enum kind k = 0; k < KINDS; k++)
		make_login(&l, k);
	make_batch(&l);
	run(&l);
	good = report(&l);
	while (l.peers.next != &l.peers)
		peer_close(&l, l.peers.next);
	for (enum kind k = 0; k < KINDS; k++)
		buf_release(&l.login[k]);
	buf_release(&l.prelogin);
	buf_release(&l.batch);
	free(l.login_us);
	SSL_SESSION_free(l.session);
	SSL_CTX_free(l.ctx);
	return good ? 0 : 1;
}
