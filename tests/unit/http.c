// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.c - the HTTP server: answers, refusals, time-outs, streams, and the web configuration. The
 * server runs in a separate process, because its clients wait for it.
 */
#include <arpa/inet.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/clock.h"
#include "http/http.h"
#include "http/http_host.h"
#include "unit.h"
#include "http/web_config.h"

#define ANSWER_MAX (4u << 20)
#define BIG	   3000000
#define STREAM	   65536
#define WAIT_MS	   10000
#define GUESSES	   10

/* "secret", cost 4 */
#define HASH "$2y$04$MaYyACmMVmJ3xcRBm7a7tuBLp48.7XN0LaMoyq.bSbZ1.cDFXqswi"

struct server {
	struct http *http;
	struct http_stream *stream;
	bool flood;
};

static char answer[ANSWER_MAX];
static size_t answer_len;

/* ---- the server ---- */

static void get_hello(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	const char *name = http_query(req, "name");

	(void)ctx;
	strbuf_addf(&reply->body, "hello %s\n", name ? name : "nobody");
}

static void get_big(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	(void)ctx;
	(void)req;
	for (unsigned i = 0; reply->body.len < BIG; i++) {
		strbuf_addu(&reply->body, i);
		strbuf_adds(&reply->body, "\n");
	}
}

static void get_stats(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct server *s = ctx;
	const struct http_stats *stats = http_stats(s->http);

	(void)req;
	strbuf_addf(&reply->body, "refused=%d timed_out=%d streams=%d dropped=%d unauthorized=%d",
		    (int)stats->refused, (int)stats->timed_out, (int)stats->streams,
		    (int)stats->streams_dropped, (int)stats->unauthorized);
}

static void get_events(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct server *s = ctx;

	(void)req;
	reply->type = "text/event-stream";
	reply->stream = s->stream;
	strbuf_adds(&reply->body, "data: first\n\n");
}

static void next_piece(void *ctx, uint64_t *from, uint64_t to, struct strbuf *out)
{
	(void)ctx;
	if (*from < to)
		strbuf_addf(out, "piece %d\n", (int)(*from)++);
}

static void get_pieces(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	(void)ctx;
	(void)req;
	reply->backlog = (struct http_backlog){next_piece, NULL, 0, 3};
}

static void get_publish(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct server *s = ctx;
	const char *text = http_query(req, "text");

	strbuf_addf(&reply->body, "%zu", http_stream_clients(s->stream));
	if (text)
		http_stream_publish(s->stream, text, strlen(text));
	s->flood |= http_query(req, "flood") != NULL;
}

static volatile sig_atomic_t reload;

static void on_usr1(int sig)
{
	reload = sig;
}

static int flood(void *ctx)
{
	static char data[STREAM / 4];
	struct server *s = ctx;

	memset(data, 'x', sizeof(data));
	if (s->flood)
		http_stream_publish(s->stream, data, sizeof(data));
	return 0;
}

static void server_main(int ready, const char *web_config)
{
	struct server s = {0};
	const struct http_route routes[] = {
		{"/hello", get_hello, &s, false},     {"/big", get_big, &s, false},
		{"/stats", get_stats, &s, false},     {"/events", get_events, &s, false},
		{"/publish", get_publish, &s, false}, {"/any", get_hello, &s, true},
		{"/pieces", get_pieces, &s, false},
	};
	const struct http_config config = {.listen = "127.0.0.1:0",
					   .web_config = web_config,
					   .routes = routes,
					   .route_count = sizeof(routes) / sizeof(routes[0]),
					   .allowed_hosts = (const char *const[]){"x", "sql1.test"},
					   .allowed_host_count = 2,
					   .allow_hint = "Allow it by --hint.",
					   .request_ns = 1000000000};
	struct loop *loop = loop_new();
	char url[64] = "";
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_usr1);
	s.http = http_open(&config, loop, &err);
	if (s.http) {
		s.stream = http_stream_new(s.http, STREAM);
		snprintf(url, sizeof(url), "%s", http_url(s.http));
		loop_every(loop, 1000000, flood, &s);
	}
	if (write(ready, url, sizeof(url)) < 0 || !s.http)
		_exit(1);
	while (!loop_round(loop)) {
		if (reload)
			http_reload(s.http);
		reload = 0;
	}
	_exit(1);
}

/* ---- its client ---- */

static pid_t server_pid;
static unsigned server_port;

static void serve(const char *web_config)
{
	char url[64] = "";
	int ready[2];

	if (pipe(ready))
		return;
	server_pid = fork();
	if (!server_pid)
		server_main(ready[1], web_config);
	close(ready[1]);
	if (read(ready[0], url, sizeof(url)) > 0 && *url)
		server_port = (unsigned)atoi(strrchr(url, ':') + 1);
	close(ready[0]);
	CHECK(server_port);
}

static void serve_end(void)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	server_port = 0;
}

static int connect_client(int receive_buffer)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)server_port),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

static void say(int fd, const char *text)
{
	CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until the answer contains `until` or (NULL) the server closes. */
static bool hear(int fd, const char *until)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (answer_len < ANSWER_MAX - 1) {
		ssize_t n;

		answer[answer_len] = '\0';
		if (until && memmem(answer, answer_len, until, strlen(until)))
			return true;
		if (poll(&p, 1, WAIT_MS) <= 0)
			return false;
		n = recv(fd, answer + answer_len, ANSWER_MAX - 1 - answer_len, 0);
		if (n <= 0)
			return !until;
		answer_len += (size_t)n;
	}
	return false;
}

/* The whole answer to one request. */
static const char *ask(const char *request)
{
	int fd = connect_client(0);

	answer_len = 0;
	say(fd, request);
	CHECK(hear(fd, NULL));
	close(fd);
	return answer;
}

static const char *get(const char *path)
{
	char request[512];

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	return ask(request);
}

static const char *body(void)
{
	const char *at = strstr(answer, "\r\n\r\n");

	return at ? at + 4 : "";
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* ---- the cases ---- */

UNIT_CASE(a_route_answers_with_its_headers)
{
	CHECK(starts(get("/hello?name=a%20b"), "HTTP/1.1 200 OK\r\n"));
	CHECK_STR(body(), "hello a b\n");
	CHECK(strstr(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	CHECK(strstr(answer, "\r\nX-Content-Type-Options: nosniff\r\n"));
	CHECK(strstr(answer, "\r\nX-Frame-Options: DENY\r\n"));
	CHECK(strstr(answer, "\r\nCache-Control: no-store\r\n"));
	CHECK(strstr(answer, "\r\nContent-Security-Policy: default-src 'none'; "));
	CHECK(starts(ask("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
		     "HTTP/1.1 200 OK\r\n"));
	CHECK(strstr(answer, "\r\nContent-Length: 13\r\n"));
	CHECK_STR(body(), "");
}

/* The headers of an answer, without its first line, Date and what is only about the body's transfer. */
static char *headers_of(const char *text)
{
	static const char *const apart[] = {"HTTP/1.1",
					    "Date:", "Connection:", "Transfer-Encoding:"};
	char *kept = calloc(1, strlen(text) + 1);

	for (const char *at = text, *end; (end = strstr(at, "\r\n")) && end > at; at = end + 2) {
		bool left_out = false;

		for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
			left_out |= starts(at, apart[i]);
		if (!left_out)
			strncat(kept, at, (size_t)(end + 2 - at));
	}
	return kept;
}

/* The whole answer to a HEAD is that of GET up to the empty line; the next answer begins there. */
static void head_is_get(const char *path, const char *more, const char *status, bool again)
{
	char request[512], *of_get, *of_head;
	int fd = connect_client(0);

	answer_len = 0;
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, more);
	say(fd, request);
	CHECK(hear(fd, "\r\n\r\n"));
	close(fd);
	of_get = headers_of(answer);
	snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: x\r\n%s%s\r\n%s", path, more,
		 again ? "" : "Connection: close\r\n",
		 again ? "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" : "");
	ask(request);
	of_head = headers_of(answer);
	CHECK_STR(of_head, of_get);
	CHECK(starts(answer, status));
	if (*body() && !(again && starts(body(), "HTTP/1.1 200 OK\r\n")))
		UNIT_FAIL("after the headers of HEAD %s: %s", path, body());
	free(of_get);
	free(of_head);
}

UNIT_CASE(head_has_the_headers_and_no_body)
{
	static const char gzip[] = "Accept-Encoding: gzip\r\n";

	serve(NULL);
	for (int again = 0; again < 2; again++) {
		head_is_get("/hello", "", "HTTP/1.1 200 ", again);
		head_is_get("/big", "", "HTTP/1.1 200 ", again);
		head_is_get("/big", gzip, "HTTP/1.1 200 ", again);
		head_is_get("/pieces", "", "HTTP/1.1 200 ", again);
		head_is_get("/nowhere", gzip, "HTTP/1.1 404 ", again);
		head_is_get("/hello", "Host: evil.test\r\n", "HTTP/1.1 421 ", again);
	}
	CHECK(starts(ask("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 "));
	CHECK(strstr(answer, "\r\nContent-Type: text/event-stream\r\n"));
	CHECK_STR(body(), "");
	CHECK(starts(ask("HEAD /hello HTTP/1.1\r\nHost\r\n\r\n"), "HTTP/1.1 400 "));
	CHECK_STR(body(), "");
	get("/stats");
	CHECK(strstr(body(), " streams=0 ")); /* a HEAD joins none */
	serve_end();
}

UNIT_CASE(a_connection_serves_twice)
{
	int fd = connect_client(0);

	answer_len = 0;
	say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(hear(fd, "hello nobody\n"));
	say(fd, "GET /hello?name=again HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(hear(fd, "hello again\n"));
	close(fd);
}

UNIT_CASE(what_is_not_there_is_refused)
{
	CHECK(starts(get("/nowhere"), "HTTP/1.1 404 "));
	CHECK(starts(get("/hello/../big"), "HTTP/1.1 404 "));
	CHECK(starts(ask("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n"),
		     "HTTP/1.1 405 "));
	CHECK(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
	CHECK(starts(ask("DELETE /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
		     "HTTP/1.1 405 "));
	get("/stats");
	CHECK(starts(body(), "refused=4 "));
}

UNIT_CASE(a_header_without_end_is_refused)
{
	int fd = connect_client(0);
	char line[1024];

	answer_len = 0;
	memset(line, 'a', sizeof(line));
	memcpy(line, "X: ", 3);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 64 && send(fd, line, sizeof(line), MSG_NOSIGNAL) > 0; i++)
		;
	/* 431, unless the reset that follows arrives first. */
	hear(fd, NULL);
	CHECK(!answer_len || starts(answer, "HTTP/1.1 431 ") || starts(answer, "HTTP/1.1 4"));
	CHECK(!memmem(answer, answer_len, "hello", 5));
	close(fd);
	CHECK(starts(get("/hello"), "HTTP/1.1 200 "));
}

static size_t inflated(const char *data, size_t len, char *out, size_t max)
{
	z_stream z = {.next_in = (unsigned char *)data,
		      .avail_in = (unsigned)len,
		      .next_out = (unsigned char *)out,
		      .avail_out = (unsigned)max};
	int status;

	inflateInit2(&z, 15 + 16);
	status = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return status == Z_STREAM_END ? max - z.avail_out : 0;
}

UNIT_CASE(a_big_answer_comes_compressed)
{
	static char plain[ANSWER_MAX];
	size_t len;

	ask("GET /big HTTP/1.0\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n");
	CHECK(strstr(answer, "\r\nContent-Encoding: gzip\r\n"));
	len = inflated(body(), answer_len - (size_t)(body() - answer), plain, sizeof(plain));
	CHECK(answer_len < BIG / 2);
	ask("GET /big HTTP/1.0\r\nAccept-Encoding: gzip;q=0\r\n\r\n");
	CHECK(!strstr(answer, "\r\nContent-Encoding"));
	CHECK_INT(answer_len - (size_t)(body() - answer), len);
	CHECK(len >= BIG && !memcmp(body(), plain, len));
}

UNIT_CASE(a_request_that_does_not_come_is_given_up)
{
	int fd = connect_client(0);
	uint64_t start_ns = clock_now_ns(), took_ns;

	answer_len = 0;
	say(fd, "GET /hello HTTP/1.1\r\nHo");
	CHECK(hear(fd, NULL));
	took_ns = clock_now_ns() - start_ns;
	CHECK(took_ns >= 900000000 && took_ns < WAIT_MS * 1000000ull);
	close(fd);
	get("/stats");
	CHECK(strstr(body(), "timed_out=1 "));
}

UNIT_CASE(a_stream_tells_what_is_published)
{
	int fd = connect_client(0);

	answer_len = 0;
	say(fd, "GET /events HTTP/1.0\r\n\r\n");
	CHECK(hear(fd, "data: first\n\n"));
	CHECK(strstr(answer, "\r\nContent-Type: text/event-stream\r\n"));
	get("/publish?text=data:+one%0A%0A");
	CHECK_STR(body(), "1");
	get("/publish?text=data:+two%0A%0A");
	answer_len = 0;
	CHECK(hear(fd, "data: two\n\n"));
	CHECK_STR(answer, "data: one\n\ndata: two\n\n");
	/* Longer than the limit for a request, which does not apply to streams. */
	usleep(1700000);
	get("/publish?text=data:+three%0A%0A");
	answer_len = 0;
	CHECK(hear(fd, "data: three\n\n"));
	close(fd);
	/* A client that has left is noticed without sending it anything. */
	for (int i = 0; i < 200 && (!i || !strstr(body(), "streams=0 ")); i++) {
		usleep(20000);
		get("/stats");
	}
	CHECK(strstr(body(), "streams=0 dropped=0 "));
}

UNIT_CASE(a_slow_streams_client_is_dropped)
{
	int slow = connect_client(4096);

	say(slow, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 200; i++) {
		get("/publish?flood=1");
		get("/stats");
		if (strstr(body(), "dropped=1 "))
			break;
		usleep(20000);
	}
	CHECK(strstr(body(), "dropped=1 "));
	for (int i = 0; i < 200 && !strstr(body(), "streams=0 "); i++) {
		usleep(20000);
		get("/stats");
	}
	CHECK(strstr(body(), "streams=0 "));
	close(slow);
}

static const char *get_of(const char *target, const char *host)
{
	char request[512];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n%s%s%sConnection: close\r\n\r\n",
		 target, host ? "Host: " : "", host ? host : "", host ? "\r\n" : "");
	return ask(request);
}

/* DNS rebinding: the requests name the page's own host. */
UNIT_CASE(requests_for_other_hosts_are_refused)
{
	static const char *const ours[] = {"x",
					   "X",
					   "sql1.test:9433",
					   "sql1.test.",
					   "127.0.0.1",
					   "127.0.0.1:9433",
					   "10.1.2.3:80",
					   "[::1]:9433",
					   "[2001:db8::1]",
					   "localhost",
					   "LocalHost:9433"};
	static const char *const others[] = {"attacker.example",
					     "attacker.example:9433",
					     "x.attacker.example",
					     "127.0.0.1.attacker.example",
					     "localhost.attacker.example",
					     "",
					     ":9433",
					     "127.1",
					     "2130706433",
					     "[::1].attacker.example",
					     "[x]",
					     "::1",
					     "x:y",
					     "x@attacker.example",
					     "attacker.example@x"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (!starts(get_of("/hello", ours[i]), "HTTP/1.1 200 "))
			printf("# refused: %s\n", ours[i]);
		CHECK(starts(answer, "HTTP/1.1 200 "));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!starts(get_of("/hello", others[i]), "HTTP/1.1 421 "))
			printf("# not refused: %s\n", others[i]);
		CHECK(starts(answer, "HTTP/1.1 421 "));
		CHECK(strstr(body(), "Allow it by --hint."));
		CHECK(!strstr(body(), "hello"));
	}
	CHECK(starts(get_of("/nowhere", "attacker.example"), "HTTP/1.1 421 "));
	CHECK(starts(get_of("/any", "attacker.example"), "HTTP/1.1 200 "));
	/* An absolute target takes precedence over the header. */
	CHECK(starts(get_of("http://x:9433/hello", "attacker.example"), "HTTP/1.1 200 "));
	CHECK(starts(get_of("http://attacker.example/hello", "x"), "HTTP/1.1 421 "));
	CHECK(starts(get_of("http://x@attacker.example/hello", "x"), "HTTP/1.1 4"));
	CHECK(starts(get_of("http://attacker.example/any", "x"), "HTTP/1.1 200 "));
	/* No host: an error in HTTP/1.1, not in HTTP/1.0. Two hosts are an error, too. */
	CHECK(starts(get_of("/hello", NULL), "HTTP/1.1 400 "));
	CHECK(strstr(ask("GET /hello HTTP/1.0\r\n\r\n"), " 200 "));
	CHECK(!strstr(get_of("/hello", "x\r\nHost: attacker.example"), " 200 "));
	CHECK(!strstr(get_of("/hello", "attacker.example\r\nHost: x"), " 200 "));
}

UNIT_CASE(this_host_has_names)
{
	struct http_hosts hosts;
	char own[HTTP_HOST_MAX] = "", with_port[HTTP_HOST_MAX + 8], longer[HTTP_HOST_MAX + 8];

	gethostname(own, sizeof(own) - 1);
	snprintf(with_port, sizeof(with_port), "%s:9433", own);
	snprintf(longer, sizeof(longer), "%s.attacker.example", own);
	CHECK_INT(http_hosts_init(&hosts, NULL, 0), 0);
	CHECK(http_host_is_ours(&hosts, own));
	CHECK(http_host_is_ours(&hosts, with_port));
	CHECK(!http_host_is_ours(&hosts, longer));
	CHECK(!http_host_is_ours(&hosts, "x"));
	http_hosts_release(&hosts);
	CHECK(http_host_is_name("sql1.corp.example") && http_host_is_name("sql_1"));
	CHECK(!http_host_is_name("") && !http_host_is_name("a:1") && !http_host_is_name("*.a"));
	CHECK(!http_host_is_name("http://a") && !http_host_is_name("a b"));
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
}

static const char *get_as(const char *base64)
{
	char request[512];

	snprintf(request, sizeof(request), "GET /hello HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n",
		 base64);
	return ask(request);
}

UNIT_CASE(users_are_asked_for_their_passwords)
{
	char path[] = "/tmp/tdsmon-web-XXXXXX";
	int stream;

	close(mkstemp(path));
	write_file(path, "basic_auth_users:\n  ann: " HASH "\n");
	serve(path);
	CHECK(starts(get("/hello"), "HTTP/1.1 401 "));
	CHECK(strstr(answer, "\r\nWWW-Authenticate: Basic realm=\"tdsmon\""));
	CHECK(starts(get_as("YW5uOnNlY3JldA=="), "HTTP/1.1 200 ")); /* ann:secret */
	CHECK(starts(get_as("YW5uOndyb25n"), "HTTP/1.1 401 "));	    /* ann:wrong */
	CHECK(starts(get_as("Ym9iOnNlY3JldA=="), "HTTP/1.1 401 ")); /* bob:secret */
	/* Another configuration, while a stream waits, which ends. */
	stream = connect_client(0);
	answer_len = 0;
	say(stream, "GET /events HTTP/1.0\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
	CHECK(hear(stream, "data: first\n\n"));
	write_file(path, "");
	CHECK(starts(get_as("YW5uOnNlY3JldA=="), "HTTP/1.1 200 "));
	kill(server_pid, SIGUSR1);
	answer_len = 0;
	CHECK(hear(stream, NULL));
	close(stream);
	CHECK(starts(get("/hello"), "HTTP/1.1 200 "));
	serve_end();
	unlink(path);
}

static uint64_t server_cpu_ns(void)
{
	struct timespec used = {0};
	clockid_t id;

	clock_getcpuclockid(server_pid, &id);
	clock_gettime(id, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

/* ann:guess0 to ann:guess9 */
static void say_guess(int fd, int i)
{
	char text[] = "ann:guess0", base64[32], request[256];

	text[strlen(text) - 1] = (char)('0' + i);
	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)text, (int)strlen(text));
	snprintf(request, sizeof(request), "GET /hello HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n",
		 base64);
	say(fd, request);
}

/*
 * From the same address, and before it: the correct one gets its turn, and there are pauses between
 * checks.
 */
UNIT_CASE(wrong_passwords_do_not_keep_the_right_one_out)
{
	char path[] = "/tmp/tdsmon-web-XXXXXX", text[128];
	uint64_t start_ns, took_ns, cpu_ns;
	int fds[GUESSES];

	close(mkstemp(path));
	snprintf(text, sizeof(text), "basic_auth_users:\n  ann: %s\n",
		 crypt("secret", "$2b$09$abcdefghijklmnopqrstuu"));
	write_file(path, text);
	serve(path);
	start_ns = clock_now_ns();
	cpu_ns = server_cpu_ns();
	for (int i = 0; i < GUESSES; i++) {
		fds[i] = connect_client(0);
		say_guess(fds[i], i);
	}
	CHECK(starts(get_as("YW5uOnNlY3JldA=="), "HTTP/1.1 200 ")); /* ann:secret */
	for (int i = 0; i < GUESSES; i++) {
		answer_len = 0;
		CHECK(hear(fds[i], NULL));
		CHECK(starts(answer, "HTTP/1.1 401 "));
		close(fds[i]);
	}
	took_ns = clock_now_ns() - start_ns;
	cpu_ns = server_cpu_ns() - cpu_ns;
	CHECK(cpu_ns < took_ns / 2);
	/* Now that it is known, it does not wait. */
	for (int i = 0; i < GUESSES; i++) {
		fds[i] = connect_client(0);
		say_guess(fds[i], i);
	}
	start_ns = clock_now_ns();
	CHECK(starts(get_as("YW5uOnNlY3JldA=="), "HTTP/1.1 200 "));
	for (int i = 0; i < GUESSES; i++)
		close(fds[i]);
	serve_end();
	unlink(path);
}

/* Waiting requests end when another configuration is loaded. */
UNIT_CASE(another_configuration_while_passwords_wait)
{
	char path[] = "/tmp/tdsmon-web-XXXXXX", text[128];
	int fds[GUESSES];

	close(mkstemp(path));
	snprintf(text, sizeof(text), "basic_auth_users:\n  ann: %s\n",
		 crypt("secret", "$2b$11$abcdefghijklmnopqrstuu"));
	write_file(path, text);
	serve(path);
	for (int i = 0; i < GUESSES; i++) {
		fds[i] = connect_client(0);
		say_guess(fds[i], i);
	}
	usleep(100000);
	write_file(path, "");
	kill(server_pid, SIGUSR1);
	for (int i = 0; i < GUESSES; i++) {
		answer_len = 0;
		CHECK(hear(fds[i], NULL));
		CHECK(!starts(answer, "HTTP/1.1 200 "));
		close(fds[i]);
	}
	CHECK(starts(get("/hello"), "HTTP/1.1 200 "));
	serve_end();
	unlink(path);
}

/* web_config_read()'s result for a file with that text. */
static int read_text(const char *text, struct web_config *web)
{
	char path[] = "/tmp/tdsmon-web-XXXXXX";
	int err;

	close(mkstemp(path));
	write_file(path, text);
	err = web_config_read(web, path, NULL, NULL);
	unlink(path);
	return err;
}

UNIT_CASE(web_configurations_are_read_or_refused)
{
	static const char *const wrong[] = {
		"basic_auth_users:\n  ann: secret\n",
		"basic_auth_users:\n  ann: $2y$31$MaYyACmMVmJ3xcRBm7a7tuBLp48.7XN0LaMoyq"
		".bSbZ1.cDFXqswi\n",
		"basic_auth_users: [ann]\n",
		"tls_server_config:\n  cert_file: /nowhere\n",
		"tls_server_config:\n  cert_file: /nowhere\n  key_file: /nowhere\n",
		"tls_server_config:\n  cipher_suites: [A]\n",
		"tls_server_config:\n  min_version: SSL3\n",
		"tls_server_config:\n  client_auth_type: RequireAnyClientCert\n",
		"unknown: 1\n",
		"- a\n",
		"a: [\n",
	};
	struct web_config web;

	CHECK_INT(read_text("", &web), 0);
	CHECK_INT(web.user_count, 0);
	web_config_release(&web);
	CHECK_INT(read_text("http_server_config:\n  http2: true\nbasic_auth_users:\n  ann: " HASH
			    "\n  bob: " HASH "\n",
			    &web),
		  0);
	CHECK_INT(web.user_count, 2);
	CHECK_STR(web.users[1].name, "bob");
	CHECK_INT(web.min_version, 12);
	web_config_release(&web);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CHECK_INT(read_text(wrong[i], &web), -EINVAL);
		web_config_release(&web);
	}
	CHECK_INT(web_config_read(&web, "/nowhere/at/all", NULL, NULL), -ENOENT);
	web_config_release(&web);
}

UNIT_CASE(text_grows)
{
	struct strbuf b = {0};

	strbuf_addu(&b, 0);
	strbuf_addu(&b, UINT64_MAX);
	strbuf_adds(&b, " ");
	strbuf_add_seconds(&b, 18500000);
	strbuf_adds(&b, " ");
	strbuf_add_seconds(&b, 15000000000);
	strbuf_adds(&b, " ");
	strbuf_add_seconds(&b, 1000000001);
	strbuf_add(&b, "", 1);
	CHECK_STR(b.data, "018446744073709551615 0.0185 15 1.000000001");
	for (int i = 0; i < 10000; i++)
		strbuf_addf(&b, "%05d", i);
	CHECK_INT(b.len, 44 + 50000);
	CHECK(!b.failed);
	strbuf_release(&b);
}

int main(void)
{
	RUN(text_grows);
	RUN(web_configurations_are_read_or_refused);
	serve(NULL);
	RUN(a_route_answers_with_its_headers);
	RUN(a_connection_serves_twice);
	RUN(what_is_not_there_is_refused);
	RUN(requests_for_other_hosts_are_refused);
	RUN(this_host_has_names);
	RUN(a_header_without_end_is_refused);
	RUN(a_big_answer_comes_compressed);
	RUN(a_request_that_does_not_come_is_given_up);
	RUN(a_stream_tells_what_is_published);
	RUN(a_slow_streams_client_is_dropped);
	serve_end();
	RUN(head_has_the_headers_and_no_body);
	RUN(users_are_asked_for_their_passwords);
	RUN(wrong_passwords_do_not_keep_the_right_one_out);
	RUN(another_configuration_while_passwords_wait);
	return unit_status();
}
