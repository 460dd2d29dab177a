// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sandbox.c - what a confined process can and cannot do, tried in child processes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/sandbox.h"
#include "unit.h"

static char path[] = "/tmp/tdsmon-confine-XXXXXX";
static const char cron_path[] = "/etc/cron.d/tdsmon-confine";
static int file, datagram, listener;
static struct sockaddr_un other_name;
static struct sandbox_descriptors fds;
static pid_t victim;

/*
 * The result of try in a child confined to roles: 0, or what failed; -1: it was killed. As nobody,
 * it also gave up its privileges.
 */
static int confined_as(enum sandbox_user who, unsigned int roles, int (*try)(void))
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (who == SANDBOX_USER_NAMED && sandbox_privileges(who, "nobody", 0))
			_exit(97);
		_exit(sandbox_syscalls(roles, &fds) ? 99 : try());
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int confined(unsigned int roles, int (*try)(void))
{
	return confined_as(SANDBOX_USER_SAME, roles, try);
}

/* 0 if the call works, otherwise errno. */
static int answer(long ret)
{
	return ret < 0 ? errno : 0;
}

static int try_read_file(void)
{
	return answer(open("/proc/self/status", O_RDONLY));
}

static int try_read_open_file(void)
{
	char byte;

	return answer(pread(file, &byte, 1, 0));
}

static int try_read_shadow(void)
{
	return answer(open("/etc/shadow", O_RDONLY));
}

static int try_read_victim(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/environ", victim);
	return answer(open(name, O_RDONLY));
}

/* main() unlinks the file. */
static int try_make_cron_job(void)
{
	return answer(open(cron_path, O_WRONLY | O_CREAT, 0600));
}

static int try_temporary_file(void)
{
	return answer(open("/tmp", O_TMPFILE | O_RDWR, 0600));
}

static int try_openat2(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {0};

	return answer(syscall(SYS_openat2, AT_FDCWD, "/etc/shadow", &how, sizeof(how)));
}

static int try_write_file(void)
{
	return answer(open(path, O_WRONLY));
}

static int try_make_file(void)
{
	return answer(openat(AT_FDCWD, "/tmp/tdsmon-confine-new", O_RDWR | O_CREAT, 0600)) ||
	       answer(unlinkat(AT_FDCWD, "/tmp/tdsmon-confine-new", 0));
}

static int try_unlink(void)
{
	return answer(unlink(path));
}

static int try_rename(void)
{
	return answer(renameat(AT_FDCWD, path, AT_FDCWD, path));
}

static int try_change_mode(void)
{
	return answer(fchmod(file, 04755));
}

static int try_inet(void)
{
	return answer(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_inet6(void)
{
	return answer(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int try_unix(void)
{
	return answer(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int try_netlink(void)
{
	return answer(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int try_packet(void)
{
	return answer(socket(AF_PACKET, SOCK_RAW, 0));
}

/* An existing socket, such as standard output may be. */
static int try_bind_path(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/tdsmon-confine-sock"};

	return answer(bind(datagram, (struct sockaddr *)&name, sizeof(name)));
}

static int try_connect(void)
{
	struct sockaddr sa = {.sa_family = AF_UNIX};

	return answer(connect(0, &sa, sizeof(sa)));
}

/* To another datagram socket than its peer. */
static int try_send_to(void)
{
	return answer(
		sendto(datagram, "x", 1, 0, (struct sockaddr *)&other_name, sizeof(other_name)));
}

static int try_send_message_to(void)
{
	struct iovec part = {.iov_base = "x", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_name = &other_name,
			     .msg_namelen = sizeof(other_name)};

	return answer(sendmsg(datagram, &msg, 0));
}

static int try_duplicate_and_send(void)
{
	int fd = fcntl(datagram, F_DUPFD_CLOEXEC, 100);

	return fd < 0 ? errno : 0;
}

static int try_dup2(void)
{
	return answer(dup2(datagram, 100));
}

static int try_duplicate_listener(void)
{
	return answer(fcntl(listener, F_DUPFD_CLOEXEC, 100));
}

static int try_send_connected(void)
{
	return answer(write(datagram, "x", 1));
}

/* A listening socket that is shut down connects with its first byte (tcp(7), TCP_FASTOPEN). */
static int try_fast_open(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec part = {.iov_base = "x", .iov_len = 1};
	struct msghdr msg = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_name = &to, .msg_namelen = sizeof(to)};

	shutdown(listener, SHUT_RD);
	return answer(sendmsg(listener, &msg, MSG_FASTOPEN));
}

/* SIGKILL by means of SIGIO: a byte arrives at a socket owned by another process. */
static int try_own(void)
{
	return answer(fcntl(datagram, F_SETOWN, victim));
}

static int try_execute(void)
{
	return answer(execl("/bin/true", "true", NULL));
}

static int try_fork(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (!child)
		_exit(0);
	return answer(child);
}

static int try_trace(void)
{
	return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_kill(void)
{
	return answer(kill(getppid(), 0));
}

static int try_tgkill(void)
{
	return answer(syscall(SYS_tgkill, victim, victim, SIGKILL));
}

static int try_tgkill_self(void)
{
	return answer(syscall(SYS_tgkill, getpid(), gettid(), SIGTERM));
}

static int try_abort(void)
{
	abort();
}

static int try_executable_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int try_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 98 : answer(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_bpf(int command)
{
	union bpf_attr attr = {0};

	return answer(syscall(SYS_bpf, command, &attr, sizeof(attr)));
}

static int try_program(void)
{
	return try_bpf(BPF_PROG_LOAD);
}

static int try_map(void)
{
	return try_bpf(BPF_MAP_CREATE);
}

static int try_program_by_id(void)
{
	return try_bpf(BPF_PROG_GET_FD_BY_ID);
}

/* Descriptor 0 is not a map, which the kernel has to find out. */
static int try_lookup(void)
{
	return try_bpf(BPF_MAP_LOOKUP_ELEM);
}

/* The low half of the address is 0, which is not NULL. */
static int limit_at_low_zero(pid_t process)
{
	uint64_t *limit = mmap((void *)0x700000000000ul, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (limit == MAP_FAILED)
		return 98;
	limit[0] = limit[1] = 100;
	return answer(syscall(SYS_prlimit64, process, RLIMIT_NPROC, limit, NULL));
}

static int try_limit_low_zero(void)
{
	return limit_at_low_zero(0);
}

static int try_limit_victim(void)
{
	return limit_at_low_zero(victim);
}

static int try_ask_limit_victim(void)
{
	struct rlimit limit;

	return answer(syscall(SYS_prlimit64, victim, RLIMIT_NPROC, NULL, &limit));
}

static int try_ask_limit(void)
{
	struct rlimit limit;

	return answer(getrlimit(RLIMIT_NOFILE, &limit));
}

static int try_memory(void)
{
	char *p = malloc(16 << 20);

	if (!p)
		return 1;
	memset(p, 1, 16 << 20);
	free(p);
	return 0;
}

UNIT_CASE(what_goes_on)
{
	CHECK_INT(confined(SANDBOX_WATCHER, try_memory), 0);
	CHECK_INT(confined(SANDBOX_WATCHER, try_read_open_file), 0);
	CHECK_INT(confined(SANDBOX_WATCHER, try_send_connected), 0);
	CHECK_INT(confined(SANDBOX_WATCHER, try_duplicate_listener), 0);
	CHECK_INT(confined(SANDBOX_WATCHER, try_ask_limit), 0);
	CHECK_INT(confined(SANDBOX_WATCHER, try_abort), -1);
	CHECK(confined(SANDBOX_WATCHER, try_lookup) != EPERM || geteuid());
}

/* Attempts of a watching process that was taken over. */
static const struct {
	const char *name;
	int (*try)(void);
} attempts[] = {
	{"read a file", try_read_file},
	{"read /etc/shadow", try_read_shadow},
	{"read it by openat2()", try_openat2},
	{"read another process's environment", try_read_victim},
	{"make a file in /etc/cron.d", try_make_cron_job},
	{"make a file without a name", try_temporary_file},
	{"write a file", try_write_file},
	{"make and remove a file", try_make_file},
	{"remove a file", try_unlink},
	{"rename a file", try_rename},
	{"make a file set-user-ID", try_change_mode},
	{"open a socket of IPv4", try_inet},
	{"open a socket of IPv6", try_inet6},
	{"open a local socket", try_unix},
	{"open a netlink socket", try_netlink},
	{"open a packet socket", try_packet},
	{"bind a local socket to a path", try_bind_path},
	{"connect", try_connect},
	{"send to another local socket", try_send_to},
	{"send to it by sendmsg()", try_send_message_to},
	{"duplicate a socket", try_duplicate_and_send},
	{"duplicate a socket by dup2()", try_dup2},
	{"connect by sending", try_fast_open},
	{"have another process signalled", try_own},
	{"execute", try_execute},
	{"fork", try_fork},
	{"trace", try_trace},
	{"kill", try_kill},
	{"kill by tgkill()", try_tgkill},
	{"signal itself otherwise than by abort()", try_tgkill_self},
	{"map memory that is executable", try_executable_memory},
	{"make memory executable", try_make_executable},
	{"load a BPF program", try_program},
	{"make a BPF map", try_map},
	{"open a BPF program by its ID", try_program_by_id},
	{"set its limits", try_limit_low_zero},
	{"set another process's limits", try_limit_victim},
	{"ask for another process's limits", try_ask_limit_victim},
};

static void check_attempts(enum sandbox_user who)
{
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int got = confined_as(who, SANDBOX_WATCHER, attempts[i].try);
		int want = attempts[i].try == try_make_file ? 1 : EPERM;

		if (got != want)
			printf("# %s: %d\n", attempts[i].name, got);
		CHECK_INT(got, want);
	}
	CHECK(!kill(victim, 0));
	CHECK(access(cron_path, F_OK));
}

UNIT_CASE(what_the_watcher_is_refused)
{
	check_attempts(SANDBOX_USER_SAME);
}

UNIT_CASE(what_it_is_refused_as_another_user)
{
	check_attempts(SANDBOX_USER_NAMED);
}

static int try_read_link(void)
{
	char link[64];

	return answer(readlink("/proc/self/exe", link, sizeof(link)));
}

static int try_list(void)
{
	char entries[1024];

	return answer(
		syscall(SYS_getdents64, open("/proc/self/fd", O_RDONLY), entries, sizeof(entries)));
}

UNIT_CASE(what_the_opener_may)
{
	CHECK_INT(confined(SANDBOX_OPENER, try_read_file), 0);
	CHECK_INT(confined(SANDBOX_OPENER, try_write_file), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER, try_make_file), 1);
	CHECK_INT(confined(SANDBOX_OPENER, try_rename), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_write_file), 0);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_make_file), 0);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_rename), 0);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_execute), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_unix), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_tgkill), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_limit_low_zero), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_lookup), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER, try_list), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_WRITER, try_read_link), EPERM);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_LOOKER, try_list), 0);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_LOOKER, try_read_link), 0);
	CHECK_INT(confined(SANDBOX_OPENER | SANDBOX_LOOKER, try_write_file), EPERM);
}

static bool may_change_owner(void *ctx)
{
	return !chown(ctx, 1, 1) && !chown(ctx, 0, 0);
}

static int try_privileges(void)
{
	if (!sandbox_works_without(SANDBOX_BIT(CAP_NET_ADMIN), may_change_owner, path) ||
	    sandbox_works_without(SANDBOX_BIT(CAP_CHOWN), may_change_owner, path) ||
	    !may_change_owner(path))
		return 1;
	if (sandbox_privileges(SANDBOX_USER_SAME, NULL, SANDBOX_BIT(CAP_CHOWN)) ||
	    !may_change_owner(path))
		return 2;
	if (sandbox_privileges(SANDBOX_USER_NAMED, "nobody", 0) != -EPERM)
		return 3;
	if (sandbox_privileges(SANDBOX_USER_SAME, NULL, 0) || may_change_owner(path))
		return 4;
	return 0;
}

static int try_user(void)
{
	if (sandbox_privileges(SANDBOX_USER_NAMED, "nobody", SANDBOX_BIT(CAP_CHOWN)))
		return 1;
	return getuid() == 0 || geteuid() == 0 || getgid() == 0 || !may_change_owner(path);
}

/* Root becomes another user by itself. */
static int try_default_user(void)
{
	if (sandbox_privileges(SANDBOX_USER_DEFAULT, NULL, 0))
		return 1;
	return getuid() == 0 || geteuid() == 0 || getgid() == 0 || may_change_owner(path);
}

/* Without CAP_SETUID it stays root, but still loses its privileges. */
static int try_default_user_without(void)
{
	if (sandbox_privileges(SANDBOX_USER_SAME, NULL, SANDBOX_BIT(CAP_SETPCAP)) ||
	    sandbox_privileges(SANDBOX_USER_DEFAULT, NULL, 0))
		return 1;
	return getuid() != 0 || may_change_owner(path);
}

static int forked(int (*try)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(try());
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

UNIT_CASE(capabilities)
{
	CHECK_INT(forked(try_privileges), 0);
	CHECK_INT(forked(try_user), 0);
	CHECK_INT(forked(try_default_user), 0);
	CHECK_INT(forked(try_default_user_without), 0);
}

static int local_socket(const char *name, const char *peer)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un own = {.sun_family = AF_UNIX}, to = {.sun_family = AF_UNIX};

	snprintf(own.sun_path + 1, sizeof(own.sun_path) - 1, "tdsmon-confine-%d-%s", getpid(),
		 name);
	if (peer) {
		snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "tdsmon-confine-%d-%s", getpid(),
			 peer);
		return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -1 : fd;
	}
	other_name = own;
	return bind(fd, (struct sockaddr *)&own, sizeof(own)) ? -1 : fd;
}

/* Open descriptors before confinement, and start a process that must not be harmed. */
static bool scene_open(void)
{
	file = mkstemp(path);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	victim = fork();
	if (!victim) {
		pause();
		_exit(0);
	}
	if (file < 0 || listener < 0 || listen(listener, 1) || victim < 0 ||
	    local_socket("manager", NULL) < 0)
		return false;
	datagram = local_socket("own", "manager");
	fds = (struct sandbox_descriptors){.connected = datagram, .duplicated = listener};
	return datagram >= 0 && local_socket("other", NULL) >= 0 &&
	       freopen("/dev/null", "w", stderr);
}

int main(void)
{
	if (!scene_open())
		return 1;
	RUN(what_goes_on);
	RUN(what_the_watcher_is_refused);
	RUN(what_the_opener_may);
	if (geteuid()) {
		printf("skip - capabilities, other users: these need root\n");
	} else {
		RUN(what_it_is_refused_as_another_user);
		RUN(capabilities);
	}
	kill(victim, SIGKILL);
	unlink(path);
	unlink(cron_path);
	return unit_status();
}
