// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opener.c - what the opener opens and refuses, and its end; and the files that it uses.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener.h"
#include "lib/regular.h"
#include "lib/replace.h"
#include "unit.h"

#define WAIT_MS 5000

static char folder[] = "/tmp/tdsmon-opener-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][128];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_folder(name), "w");

	CHECK(f && fputs(text, f) >= 0);
	if (f)
		fclose(f);
}

/* A descriptor's text, "-" without one; closes it. */
static const char *text_of(int fd)
{
	static char text[256];
	ssize_t n = fd > 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;

	if (fd > 0)
		close(fd);
	if (n < 0)
		return "-";
	text[n] = '\0';
	return text;
}

static const char *text_at(const char *name)
{
	return text_of(open(in_folder(name), O_RDONLY));
}

static struct opener *start(const char *config, const char *web_config, const char *textfile)
{
	const struct opener_config paths = {
		.config = config, .web_config = web_config, .textfile = textfile};
	int err;
	struct opener *opener = opener_start(&paths, &err);

	CHECK_INT(err, 0);
	CHECK(opener);
	return opener;
}

/* The first child of this process, or 0. */
static pid_t child(void)
{
	char path[64];
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static bool child_ends(void)
{
	for (int ms = 0; ms < WAIT_MS && child(); ms++)
		usleep(1000);
	return !child();
}

/* A line of its /proc/PID/status. */
static long long status(pid_t pid, const char *format)
{
	char path[64], line[256];
	long long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &value) == 1)
			break;
	if (f)
		fclose(f);
	return value;
}

UNIT_CASE(regular_files_only)
{
	struct opener *o;

	put("config", "first");
	o = start(in_folder("config"), NULL, NULL);
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "first");
	unlink(in_folder("config"));
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -ENOENT);
	/* Nobody writes to it: opening it would wait forever. */
	mkfifo(in_folder("config"), 0600);
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -ENOTSUP);
	CHECK_STR(regular_error(-ENOTSUP), "not a regular file");
	unlink(in_folder("config"));
	CHECK(!symlink("/dev/zero", in_folder("config")));
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -ENOTSUP);
	unlink(in_folder("config"));
	CHECK(!mkdir(in_folder("config"), 0700));
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -EISDIR);
	rmdir(in_folder("config"));
	/* As Kubernetes mounts a ConfigMap. */
	put("data", "second");
	CHECK(!symlink("data", in_folder("config")));
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "second");
	opener_stop(o);
	CHECK(child_ends());
	unlink(in_folder("config"));
	unlink(in_folder("data"));
}

UNIT_CASE(what_the_web_configuration_names)
{
	char text[256];
	struct opener *o;

	put("cert", "CERT");
	put("key", "KEY");
	put("cert2", "CERT2");
	snprintf(text, sizeof(text), "tls_server_config:\n  cert_file: cert\n  key_file: %s\n",
		 in_folder("key"));
	put("web", text);
	o = start(NULL, in_folder("web"), NULL);
	CHECK_INT(opener_ask(o, OPENER_WEB_CERT), -ENOENT);
	CHECK_STR(text_of(opener_ask(o, OPENER_WEB_CONFIG)), text);
	CHECK_STR(text_of(opener_ask(o, OPENER_WEB_CERT)), "CERT");
	CHECK_STR(text_of(opener_ask(o, OPENER_WEB_KEY)), "KEY");
	CHECK_INT(opener_ask(o, OPENER_WEB_CLIENT_CA), -ENOENT);
	put("web", "tls_server_config:\n  cert_file: cert2\n");
	CHECK_STR(text_of(opener_ask(o, OPENER_WEB_CERT)), "CERT");
	close(opener_ask(o, OPENER_WEB_CONFIG));
	CHECK_STR(text_of(opener_ask(o, OPENER_WEB_CERT)), "CERT2");
	CHECK_INT(opener_ask(o, OPENER_WEB_KEY), -ENOENT);
	opener_stop(o);
	CHECK(child_ends());
}

UNIT_CASE(the_text_file_is_replaced)
{
	char temporary[64];
	struct opener *o;
	struct stat st;
	int fd;

	put("victim", "precious");
	chmod(in_folder("victim"), 0600);
	put("prom", "old");
	snprintf(temporary, sizeof(temporary), "prom.%d.tmp", getpid());
	o = start(NULL, NULL, in_folder("prom"));
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE_COMMIT), -EINVAL);
	/* Somebody who may write to the directory plants links, at both names. */
	CHECK(!symlink(in_folder("victim"), in_folder(temporary)));
	fd = opener_ask(o, OPENER_TEXTFILE);
	CHECK(fd > 0);
	CHECK_STR(text_at("prom"), "old");
	CHECK_INT(replace_fill(fd, "new", 3), 0);
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE_COMMIT), 0);
	CHECK_STR(text_at("prom"), "new");
	CHECK(!stat(in_folder("prom"), &st) && (st.st_mode & 07777) == 0644);
	unlink(in_folder("prom"));
	CHECK(!symlink(in_folder("victim"), in_folder("prom")));
	CHECK_INT(replace_fill(opener_ask(o, OPENER_TEXTFILE), "newer", 5), 0);
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE_COMMIT), 0);
	CHECK_STR(text_at("prom"), "newer");
	CHECK_STR(text_at("victim"), "precious");
	CHECK(!stat(in_folder("victim"), &st) && (st.st_mode & 07777) == 0600);
	/* A new file that is abandoned, and one that is never completed. */
	CHECK_INT(replace_fill(opener_ask(o, OPENER_TEXTFILE), "half", 4), 0);
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE_DROP), 0);
	CHECK(access(in_folder(temporary), F_OK));
	close(opener_ask(o, OPENER_TEXTFILE));
	CHECK(!access(in_folder(temporary), F_OK));
	opener_stop(o);
	CHECK(child_ends());
	CHECK(access(in_folder(temporary), F_OK));
	CHECK_STR(text_at("prom"), "newer");
}

UNIT_CASE(a_text_file_that_cannot_be)
{
	const struct opener_config nowhere = {.textfile = in_folder("no/prom")};
	const struct opener_config device = {.textfile = "/dev/null"};
	const struct opener_config directory = {.textfile = in_folder("")};
	int err;

	CHECK(!opener_start(&nowhere, &err));
	CHECK_INT(err, -ENOENT);
	CHECK(!opener_start(&device, &err));
	CHECK_INT(err, -ENOTSUP);
	CHECK(!opener_start(&directory, &err));
	CHECK_INT(err, -EISDIR);
}

/* The socket to the opener: the only one of its type. */
static int opener_socket(void)
{
	for (int fd = 3; fd < 64; fd++) {
		socklen_t len = sizeof(int);
		int type = 0;

		if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_SEQPACKET)
			return fd;
	}
	return -1;
}

/* Its answer to a request that opener_ask() would not send. */
static int ask_raw(struct opener_request req)
{
	struct opener_answer answer = {.err = 1};
	int fd = opener_socket();

	req.seq = 77;
	CHECK_INT(send(fd, &req, sizeof(req), 0), sizeof(req));
	CHECK_INT(recv(fd, &answer, sizeof(answer), 0), sizeof(answer));
	CHECK_INT(answer.seq, 77);
	return answer.err;
}

UNIT_CASE(error_logs_by_number)
{
	char first[128], second[128];
	const char *logs[] = {first, second};
	const struct opener_config config = {.errorlogs = logs, .errorlog_count = 2};
	struct opener *o;
	int err;

	snprintf(first, sizeof(first), "%s", in_folder("errorlog"));
	snprintf(second, sizeof(second), "%s", in_folder("other"));
	put("errorlog", "one");
	put("other", "two");
	o = opener_start(&config, &err);
	CHECK(o);
	CHECK_STR(text_of(opener_ask_number(o, OPENER_ERRORLOG, 0)), "one");
	CHECK_STR(text_of(opener_ask_number(o, OPENER_ERRORLOG, 1)), "two");
	CHECK_INT(opener_ask_number(o, OPENER_ERRORLOG, 2), -EINVAL);
	CHECK_INT(opener_ask_number(o, OPENER_ERRORLOG, UINT32_MAX), -EINVAL);
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -EINVAL);
	CHECK_INT(unlink(first), 0);
	CHECK_INT(opener_ask_number(o, OPENER_ERRORLOG, 0), -ENOENT);
	put("errorlog", "new");
	CHECK_STR(text_of(opener_ask_number(o, OPENER_ERRORLOG, 0)), "new");
	opener_stop(o);
	CHECK(child_ends());
}

UNIT_CASE(requests_of_no_form_are_refused)
{
	struct opener_request path = {.kind = OPENER_CONFIG}, unending = path;
	struct opener *o;

	put("config", "text");
	o = start(in_folder("config"), NULL, NULL);
	/* Kinds that the settings do not need. */
	CHECK_INT(opener_ask(o, OPENER_WEB_CONFIG), -EINVAL);
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE), -EINVAL);
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE_DROP), -EINVAL);
	CHECK_INT(ask_raw((struct opener_request){.kind = OPENER_KINDS}), -EINVAL);
	CHECK_INT(ask_raw((struct opener_request){.kind = UINT32_MAX}), -EINVAL);
	CHECK_INT(ask_raw((struct opener_request){.kind = OPENER_CONFIG, .number = 1}), -EINVAL);
	CHECK_INT(ask_raw((struct opener_request){.kind = OPENER_CONFIG, .name = "x"}), -EINVAL);
	strcpy(path.name, "/etc/shadow");
	CHECK_INT(ask_raw(path), -EINVAL);
	memset(unending.name, 'a', sizeof(unending.name));
	CHECK_INT(ask_raw(unending), -EINVAL);
	/* Too short: no answer, and the next request is served. */
	CHECK_INT(send(opener_socket(), "x", 1, 0), 1);
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "text");
	opener_stop(o);
	CHECK(child_ends());
}

UNIT_CASE(it_is_confined_and_small)
{
	struct opener *o = start(in_folder("config"), NULL, NULL);
	const uint64_t dac_read_search = 1 << 2;
	char path[64];
	int fds = 0;
	DIR *dir;
	pid_t pid;

	/*
	 * Its answers show that it is in its loop, and that it has closed the descriptors that it
	 * passed on.
	 */
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "text");
	CHECK_INT(opener_ask(o, OPENER_TEXTFILE), -EINVAL);
	pid = child();
	CHECK_INT(status(pid, "Seccomp: %lld"), 2);
	CHECK_INT(status(pid, "NoNewPrivs: %lld"), 1);
	CHECK_INT(status(pid, "CapEff: %llx"), geteuid() ? 0 : dac_read_search);
	CHECK_INT(status(pid, "CapPrm: %llx"), geteuid() ? 0 : dac_read_search);
	CHECK(status(pid, "VmRSS: %lld") < 8192);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		fds++;
	if (dir)
		closedir(dir);
	CHECK_INT(fds, 2 + 4); /* "." and "..", /dev/null three times, the socket */
	/*
	 * Signals of a terminal or a service manager to the whole group are for the watching
	 * process.
	 */
	for (int i = 0; i < 4; i++)
		kill(pid, (const int[]){SIGINT, SIGTERM, SIGHUP, SIGQUIT}[i]);
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "text");
	/* It does not answer for a while: one request times out, the next is answered. */
	kill(pid, SIGSTOP);
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -ETIMEDOUT);
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -ETIMEDOUT);
	kill(pid, SIGCONT);
	for (int ms = 0; ms < WAIT_MS && opener_ask(o, OPENER_WEB_KEY) == -ETIMEDOUT; ms++)
		usleep(1000);
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "text");
	kill(pid, SIGKILL);
	CHECK(child_ends());
	CHECK_INT(opener_ask(o, OPENER_CONFIG), -EPIPE);
	opener_stop(o);
}

/* The answer to a request that nobody waits for. */
static int taken(struct opener *o, int ticket)
{
	int result = -EAGAIN;

	CHECK(ticket >= 0);
	for (int ms = 0; ms < WAIT_MS && result == -EAGAIN; ms++) {
		result = opener_take(o, ticket);
		usleep(1000);
	}
	return result;
}

static uint32_t socket_inode(int fd)
{
	struct stat st;

	CHECK(!fstat(fd, &st));
	return (uint32_t)st.st_ino;
}

UNIT_CASE(the_process_of_a_socket)
{
	const struct opener_config config = {.config = in_folder("config"), .processes = true};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), tickets[9], err, stat;
	uint32_t inode = socket_inode(fd);
	struct opener *o;
	char want[32];

	put("config", "text");
	o = opener_start(&config, &err);
	snprintf(want, sizeof(want), "%d (", getpid());
	if (!geteuid()) {
		CHECK(!strncmp(text_of(taken(o, opener_send(o, OPENER_SOCKET_STAT, inode, "0"))),
			       want, strlen(want)));
		/* A wrong hint does no harm. */
		CHECK(!strncmp(text_of(taken(o, opener_send(o, OPENER_SOCKET_STAT, inode, "1"))),
			       want, strlen(want)));
		CHECK_INT(status(child(), "CapEff: %llx"), 1 << 2 | 1 << 19);
	}
	CHECK(strchr(text_of(taken(o, opener_send(o, OPENER_CGROUP, (uint32_t)getpid(), ""))),
		     ':'));
	stat = taken(o, opener_send(o, OPENER_CPU_STAT, (uint32_t)getpid(), ""));
	CHECK(stat == -ENOENT || strstr(text_of(stat), "_")); /* nr_periods or usage_usec */
	close(fd);
	CHECK_INT(taken(o, opener_send(o, OPENER_SOCKET_STAT, inode, "0")), -ENOENT);
	CHECK_INT(taken(o, opener_send(o, OPENER_SOCKET_STAT, inode, "x")), -EINVAL);
	CHECK_INT(taken(o, opener_send(o, OPENER_SOCKET_STAT, inode, "")), -EINVAL);
	text_of(taken(o, opener_send(o, OPENER_FREEZER, (uint32_t)getpid(), "")));
	CHECK_INT(taken(o, opener_send(o, OPENER_FREEZER, 0x7fffffff, "")), -ENOENT);
	CHECK_INT(taken(o, opener_send(o, OPENER_CGROUP, 0x7fffffff, "")), -ENOENT);
	/* Answers match their requests, whatever their order, and beside one that is waited for. */
	for (int i = 0; i < 8; i++)
		tickets[i] = opener_send(o, OPENER_CGROUP, i % 2 ? 0x7fffffff : 1, "");
	CHECK_INT(opener_send(o, OPENER_CGROUP, 1, ""), -EBUSY);
	CHECK_STR(text_of(opener_ask(o, OPENER_CONFIG)), "text");
	opener_forget(o, tickets[0]);
	opener_forget(o, tickets[1]);
	for (int i = 7; i > 1; i--) {
		int result = taken(o, tickets[i]);

		CHECK(i % 2 ? result == -ENOENT : result > 0);
		if (result > 0)
			close(result);
	}
	opener_stop(o);
	CHECK(child_ends());
}

/* A process that is killed cannot tell the opener. */
UNIT_CASE(it_ends_with_its_process)
{
	int up[2];
	pid_t watcher, opener = 0;
	char stat[64];

	CHECK(!pipe(up));
	watcher = fork();
	if (!watcher) {
		start(in_folder("config"), NULL, NULL);
		opener = child();
		CHECK_INT(write(up[1], &opener, sizeof(opener)), sizeof(opener));
		pause();
		_exit(0);
	}
	CHECK_INT(read(up[0], &opener, sizeof(opener)), sizeof(opener));
	snprintf(stat, sizeof(stat), "/proc/%d/stat", opener);
	CHECK(opener && !access(stat, F_OK));
	kill(watcher, SIGKILL);
	for (int ms = 0; ms < WAIT_MS && status(opener, "Threads: %lld") > 0; ms++)
		usleep(1000);
	CHECK(status(opener, "Threads: %lld") <= 0);
	close(up[0]);
	close(up[1]);
}

UNIT_CASE(nothing_to_open_starts_nothing)
{
	const struct opener_config none = {0};
	int err = 1;

	CHECK(!opener_start(&none, &err));
	CHECK_INT(err, 0);
	CHECK_INT(opener_ask(NULL, OPENER_CONFIG), -EINVAL);
}

UNIT_CASE(text_of_a_file)
{
	size_t len = 0;
	char *text;
	int fd;

	put("some", "12345");
	fd = regular_open(in_folder("some"));
	text = regular_text(fd, 5, &len);
	CHECK_STR(text, "12345");
	CHECK_INT(len, 5);
	free(text);
	CHECK(!regular_text(fd, 4, &len));
	CHECK_INT(errno, EFBIG);
	close(fd);
}

int main(void)
{
	char command[128];

	if (!mkdtemp(folder) || !freopen("/dev/null", "w", stderr))
		return 1;
	RUN(nothing_to_open_starts_nothing);
	RUN(text_of_a_file);
	RUN(regular_files_only);
	RUN(what_the_web_configuration_names);
	RUN(the_text_file_is_replaced);
	RUN(a_text_file_that_cannot_be);
	RUN(error_logs_by_number);
	RUN(requests_of_no_form_are_refused);
	RUN(it_is_confined_and_small);
	RUN(the_process_of_a_socket);
	RUN(it_ends_with_its_process);
	signal(SIGCHLD, SIG_DFL); /* nobody waits for the opener, but rm is waited for */
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) ? 1 : unit_status();
}
