// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sandbox_syscalls.c - tables of the system calls that a running tdsmon makes.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "system/sandbox.h"

#define EVERYBODY (SANDBOX_WATCHER | SANDBOX_OPENER)
#define WATCHER	  SANDBOX_WATCHER
#define OPENER	  SANDBOX_OPENER
#define WRITER	  SANDBOX_WRITER
#define LOOKER	  SANDBOX_LOOKER

/* Calls that an architecture does not have are skipped. */
struct call {
	unsigned int roles;
	int number;
};

static const struct call calls[] = {
	/* descriptors that are open, memory, time */
	{EVERYBODY, SCMP_SYS(read)},
	{EVERYBODY, SCMP_SYS(readv)},
	{EVERYBODY, SCMP_SYS(pread64)},
	{EVERYBODY, SCMP_SYS(write)},
	{EVERYBODY, SCMP_SYS(writev)},
	{EVERYBODY, SCMP_SYS(close)},
	{EVERYBODY, SCMP_SYS(lseek)},
	{EVERYBODY, SCMP_SYS(_llseek)},
	{EVERYBODY, SCMP_SYS(fstat)},
	{EVERYBODY, SCMP_SYS(fstat64)},
	{WATCHER | LOOKER, SCMP_SYS(getdents64)},
	{EVERYBODY, SCMP_SYS(brk)},
	{EVERYBODY, SCMP_SYS(munmap)},
	{EVERYBODY, SCMP_SYS(mremap)},
	{EVERYBODY, SCMP_SYS(madvise)},
	{EVERYBODY, SCMP_SYS(clock_gettime)},
	{EVERYBODY, SCMP_SYS(clock_gettime64)},
	{EVERYBODY, SCMP_SYS(clock_getres)},
	{EVERYBODY, SCMP_SYS(clock_nanosleep)},
	{EVERYBODY, SCMP_SYS(clock_nanosleep_time64)},
	{EVERYBODY, SCMP_SYS(nanosleep)},
	{EVERYBODY, SCMP_SYS(gettimeofday)},
	{EVERYBODY, SCMP_SYS(time)},
	{EVERYBODY, SCMP_SYS(getrandom)},
	{EVERYBODY, SCMP_SYS(futex)},
	{EVERYBODY, SCMP_SYS(futex_time64)},
	{EVERYBODY, SCMP_SYS(sched_yield)},
	/* the loop */
	{WATCHER, SCMP_SYS(epoll_create1)},
	{WATCHER, SCMP_SYS(epoll_ctl)},
	{WATCHER, SCMP_SYS(epoll_wait)},
	{WATCHER, SCMP_SYS(epoll_pwait)},
	{WATCHER, SCMP_SYS(epoll_pwait2)},
	{EVERYBODY, SCMP_SYS(poll)},
	{EVERYBODY, SCMP_SYS(ppoll)},
	{EVERYBODY, SCMP_SYS(ppoll_time64)},
	{WATCHER, SCMP_SYS(eventfd2)},
	{WATCHER, SCMP_SYS(timerfd_create)},
	{WATCHER, SCMP_SYS(timerfd_settime)},
	{WATCHER, SCMP_SYS(timerfd_settime64)},
	/* open sockets: netlink, HTTP clients, the opener and its client */
	{WATCHER, SCMP_SYS(accept)},
	{WATCHER, SCMP_SYS(accept4)},
	{WATCHER, SCMP_SYS(shutdown)},
	{WATCHER, SCMP_SYS(getsockname)},
	{WATCHER, SCMP_SYS(getpeername)},
	{WATCHER, SCMP_SYS(getsockopt)},
	{WATCHER, SCMP_SYS(setsockopt)},
	{EVERYBODY, SCMP_SYS(recvfrom)},
	{EVERYBODY, SCMP_SYS(recv)},
	{EVERYBODY, SCMP_SYS(recvmsg)},
	/* the process itself, and its end */
	{EVERYBODY, SCMP_SYS(getpid)},
	{EVERYBODY, SCMP_SYS(gettid)},
	{EVERYBODY, SCMP_SYS(getuid)},
	{EVERYBODY, SCMP_SYS(geteuid)},
	{EVERYBODY, SCMP_SYS(getgid)},
	{EVERYBODY, SCMP_SYS(getegid)},
	{WATCHER, SCMP_SYS(capget)},
	{WATCHER, SCMP_SYS(getrusage)},
	{WATCHER, SCMP_SYS(uname)},
	{WATCHER, SCMP_SYS(sysinfo)},
	{WATCHER, SCMP_SYS(sched_getaffinity)},
	{EVERYBODY, SCMP_SYS(rt_sigaction)},
	{EVERYBODY, SCMP_SYS(rt_sigprocmask)},
	{EVERYBODY, SCMP_SYS(rt_sigreturn)},
	{EVERYBODY, SCMP_SYS(sigreturn)},
	{EVERYBODY, SCMP_SYS(restart_syscall)},
	{EVERYBODY, SCMP_SYS(exit)},
	{EVERYBODY, SCMP_SYS(exit_group)},
	/* files: a filter only sees the address of a path */
	{OPENER, SCMP_SYS(stat)},
	{OPENER, SCMP_SYS(stat64)},
	{OPENER, SCMP_SYS(lstat)},
	{OPENER, SCMP_SYS(newfstatat)},
	{OPENER, SCMP_SYS(fstatat64)},
	{OPENER, SCMP_SYS(statx)},
	{LOOKER, SCMP_SYS(readlink)},
	{LOOKER, SCMP_SYS(readlinkat)},
	{WRITER, SCMP_SYS(open)},
	{WRITER, SCMP_SYS(openat)},
	{OPENER | WRITER, SCMP_SYS(openat2)}, /* and of its flags */
	{WRITER, SCMP_SYS(renameat)},
	{WRITER, SCMP_SYS(renameat2)},
	{WRITER, SCMP_SYS(unlinkat)},
};

/* (argument & mask) == value */
struct condition {
	unsigned int arg;
	uint64_t mask, value;
};

/* Calls that are allowed with some arguments only: all conditions of a row must hold. */
struct guarded {
	unsigned int roles;
	int number;
	struct condition when[3]; /* one with a mask of 0 is unused */
};

/*
 * The kernel reads 32 bits of an int, whatever the rest of the register holds. A pointer has 64,
 * and is only NULL if all of them are 0.
 */
#define INT	UINT32_MAX
#define POINTER UINT64_MAX
#define WRITES	(O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

#define FCNTL(command)                                                                             \
	{                                                                                          \
		EVERYBODY, SCMP_SYS(fcntl),                                                        \
		{                                                                                  \
			{                                                                          \
				1, INT, command                                                    \
			}                                                                          \
		}                                                                                  \
	}
#define FCNTL64(command)                                                                           \
	{                                                                                          \
		EVERYBODY, SCMP_SYS(fcntl64),                                                      \
		{                                                                                  \
			{                                                                          \
				1, INT, command                                                    \
			}                                                                          \
		}                                                                                  \
	}
#define BPF(command)                                                                               \
	{                                                                                          \
		WATCHER, SCMP_SYS(bpf),                                                            \
		{                                                                                  \
			{                                                                          \
				0, INT, command                                                    \
			}                                                                          \
		}                                                                                  \
	}

static const struct guarded guarded[] = {
	{OPENER, SCMP_SYS(open), {{1, WRITES, O_RDONLY}}},
	{OPENER, SCMP_SYS(openat), {{2, WRITES, O_RDONLY}}},
	{EVERYBODY, SCMP_SYS(mmap), {{2, PROT_EXEC, 0}}},
	{EVERYBODY, SCMP_SYS(mmap2), {{2, PROT_EXEC, 0}}},
	{EVERYBODY, SCMP_SYS(mprotect), {{2, PROT_EXEC, 0}}},
	/* Limits may be read, not set. */
	{EVERYBODY, SCMP_SYS(prlimit64), {{0, INT, 0}, {2, POINTER, 0}}},
	/* This is how fstat() is made. A path can be inspected this way, but not opened. */
	{EVERYBODY, SCMP_SYS(newfstatat), {{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
	{EVERYBODY, SCMP_SYS(fstatat64), {{3, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
	{EVERYBODY, SCMP_SYS(statx), {{2, AT_EMPTY_PATH, AT_EMPTY_PATH}}},
	/* No receiver. MSG_FASTOPEN would connect a socket that has stopped listening. */
	{EVERYBODY, SCMP_SYS(sendto), {{3, MSG_FASTOPEN, 0}, {4, POINTER, 0}}},
	{EVERYBODY, SCMP_SYS(send), {{3, MSG_FASTOPEN, 0}}},
	{EVERYBODY, SCMP_SYS(sendmsg), {{2, MSG_FASTOPEN, 0}}},
	/* F_DUPFD would let a copy evade its descriptor's rule; F_SETOWN would send signals. */
	FCNTL(F_GETFD),
	FCNTL(F_SETFD),
	FCNTL(F_GETFL),
	FCNTL(F_SETFL),
	FCNTL64(F_GETFD),
	FCNTL64(F_SETFD),
	FCNTL64(F_GETFL),
	FCNTL64(F_SETFL),
	{WATCHER, SCMP_SYS(ioctl), {{1, INT, TCGETS}}},
	{WATCHER, SCMP_SYS(ioctl), {{1, INT, TIOCGWINSZ}}},
	{WATCHER, SCMP_SYS(ioctl), {{1, INT, FIONBIO}}},
	{WATCHER, SCMP_SYS(ioctl), {{1, INT, FIONREAD}}},
	BPF(BPF_MAP_LOOKUP_ELEM),
	BPF(BPF_MAP_UPDATE_ELEM),
	BPF(BPF_MAP_DELETE_ELEM),
	BPF(BPF_MAP_GET_NEXT_KEY),
	BPF(BPF_MAP_LOOKUP_BATCH),
	BPF(BPF_MAP_LOOKUP_AND_DELETE_BATCH),
	BPF(BPF_OBJ_GET_INFO_BY_FD),
	BPF(BPF_LINK_CREATE),
	BPF(BPF_PROG_TEST_RUN),
};

static int sandbox_add_calls(scmp_filter_ctx ctx, unsigned int roles)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].roles & roles)
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i].number, 0);
	return err;
}

static int sandbox_add(scmp_filter_ctx ctx, uint32_t action, int number,
		       const struct condition *when, unsigned int most)
{
	struct scmp_arg_cmp match[3];
	unsigned int count = 0;
	int err;

	for (; count < most && when[count].mask; count++)
		match[count] = (struct scmp_arg_cmp){.arg = when[count].arg,
						     .op = SCMP_CMP_MASKED_EQ,
						     .datum_a = when[count].mask,
						     .datum_b = when[count].value};
	err = seccomp_rule_add_array(ctx, action, number, count, match);
	return err == -EEXIST ? 0 : err; /* it is already allowed with any arguments */
}

/* Calls whose allowed arguments are only known at run time. */
static int sandbox_add_known(scmp_filter_ctx ctx, const struct sandbox_descriptors *fds)
{
	const struct condition abort_self[] = {{0, INT, (uint32_t)getpid()}, {2, INT, SIGABRT}};
	const struct condition duplicate[] = {{0, INT, (uint32_t)fds->duplicated},
					      {1, INT, F_DUPFD_CLOEXEC}};
	int err = sandbox_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), abort_self, 2);

	if (!err && fds->duplicated >= 0)
		err = sandbox_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), duplicate, 2);
	if (!err && fds->duplicated >= 0)
		err = sandbox_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl64), duplicate, 2);
	return err;
}

static int sandbox_add_guarded(scmp_filter_ctx ctx, unsigned int roles)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(guarded) / sizeof(guarded[0]); i++)
		if (guarded[i].roles & roles)
			err = sandbox_add(ctx, SCMP_ACT_ALLOW, guarded[i].number, guarded[i].when,
					  3);
	return err;
}

static int sandbox_load(scmp_filter_ctx ctx)
{
	/* Since Linux 4.14 and libseccomp's API 3. Without it nothing is logged. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
	/* No foreign code runs here, so the slow mitigation against it (SSBD) is not needed. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	return seccomp_load(ctx);
}

/* A separate filter, because a rule cannot say "any descriptor except this one". */
static int sandbox_connected(int fd)
{
	const struct condition at_fd = {0, INT, (uint32_t)fd};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? 0 : -ENOMEM;

	if (!err)
		err = sandbox_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(sendmsg), &at_fd, 1);
	if (!err)
		err = sandbox_load(ctx);
	seccomp_release(ctx);
	return err;
}

int sandbox_syscalls(unsigned int roles, const struct sandbox_descriptors *fds)
{
	int err = fds->connected < 0 ? 0 : sandbox_connected(fds->connected);
	scmp_filter_ctx ctx = err ? NULL : seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!err && !ctx)
		err = -ENOMEM;
	if (!err)
		err = sandbox_add_calls(ctx, roles);
	if (!err)
		err = sandbox_add_guarded(ctx, roles);
	if (!err)
		err = sandbox_add_known(ctx, fds);
	if (!err)
		err = sandbox_load(ctx);
	seccomp_release(ctx);
	return err;
}
