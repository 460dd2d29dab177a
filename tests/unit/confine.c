// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * confine.c - what a confined process can and cannot do, tried in children.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "unit.h"

/* What try answers in a child that gave up all but what need says; -1: it was killed. */
static int confined(unsigned int need, int (*try)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(confine_syscalls(need) ? 99 : try());
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char path[] = "/tmp/tdsmon-confine-XXXXXX";

/* 0 where the call works, else errno. */
static int answer(long ret)
{
	return ret < 0 ? errno : 0;
}

static int try_read_file(void)
{
	char byte;
	int fd = open("/proc/self/status", O_RDONLY);

	return fd < 0 || read(fd, &byte, 1) != 1 || close(fd);
}

static int try_write_file(void)
{
	return answer(open(path, O_WRONLY));
}

static int try_make_file(void)
{
	return answer(open("/tmp/tdsmon-confine-new", O_RDWR | O_CREAT, 0600)) ||
	       answer(unlink("/tmp/tdsmon-confine-new"));
}

static int try_rename(void)
{
	return answer(rename(path, path));
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

static int try_connect(void)
{
	struct sockaddr sa = {.sa_family = AF_UNIX};

	return answer(connect(0, &sa, sizeof(sa)));
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

/* Descriptor 0 is no map, which is for the kernel to find. */
static int try_lookup(void)
{
	return try_bpf(BPF_MAP_LOOKUP_ELEM);
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

static int try_limit(void)
{
	struct {
		uint64_t now, most;
	} limit = {1, 1};

	return answer(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
}

UNIT_CASE(what_goes_on)
{
	CHECK_INT(confined(0, try_read_file), 0);
	CHECK_INT(confined(0, try_memory), 0);
	CHECK_INT(confined(0, try_unix), 0);
	CHECK(confined(0, try_lookup) != EPERM || geteuid());
}

UNIT_CASE(what_fails)
{
	CHECK_INT(confined(0, try_write_file), EPERM);
	CHECK_INT(confined(0, try_make_file), 1);
	CHECK_INT(confined(0, try_rename), EPERM);
	CHECK_INT(confined(0, try_inet), EPERM);
	CHECK_INT(confined(0, try_inet6), EPERM);
	CHECK_INT(confined(0, try_connect), EPERM);
	CHECK_INT(confined(0, try_execute), EPERM);
	CHECK_INT(confined(0, try_fork), EPERM);
	CHECK_INT(confined(0, try_trace), EPERM);
	CHECK_INT(confined(0, try_kill), EPERM);
	CHECK_INT(confined(0, try_executable_memory), EPERM);
	CHECK_INT(confined(0, try_make_executable), EPERM);
	CHECK_INT(confined(0, try_program), EPERM);
	CHECK_INT(confined(0, try_map), EPERM);
	CHECK_INT(confined(0, try_limit), EPERM);
}

UNIT_CASE(what_writing_needs)
{
	CHECK_INT(confined(CONFINE_WRITE, try_write_file), 0);
	CHECK_INT(confined(CONFINE_WRITE, try_make_file), 0);
	CHECK_INT(confined(CONFINE_WRITE, try_rename), 0);
	CHECK_INT(confined(CONFINE_WRITE, try_execute), EPERM);
}

static bool may_change_owner(void *ctx)
{
	return !chown(ctx, 1, 1) && !chown(ctx, 0, 0);
}

static int try_privileges(void)
{
	if (!confine_works_without(CONFINE_BIT(CAP_NET_ADMIN), may_change_owner, path) ||
	    confine_works_without(CONFINE_BIT(CAP_CHOWN), may_change_owner, path) ||
	    !may_change_owner(path))
		return 1;
	if (confine_privileges(NULL, CONFINE_BIT(CAP_CHOWN)) || !may_change_owner(path))
		return 2;
	if (confine_privileges("nobody", 0) != -EPERM)
		return 3;
	if (confine_privileges(NULL, 0) || may_change_owner(path))
		return 4;
	return 0;
}

static int try_user(void)
{
	if (confine_privileges("nobody", CONFINE_BIT(CAP_CHOWN)))
		return 1;
	return getuid() == 0 || geteuid() == 0 || getgid() == 0 || !may_change_owner(path);
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
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	close(fd);
	RUN(what_goes_on);
	RUN(what_fails);
	RUN(what_writing_needs);
	if (geteuid())
		printf("skip - capabilities: there are none without root\n");
	else
		RUN(capabilities);
	unlink(path);
	return unit_status();
}
