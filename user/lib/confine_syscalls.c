// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * confine_syscalls.c - the system calls that a running tdsmon makes, as tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/bpf.h>
#include <linux/sockios.h>

#include "confine.h"

#define ALWAYS 0

/* Names that an architecture does not have are passed over. */
struct call {
	unsigned int need; /* of confine_syscalls(), or ALWAYS */
	int number;
};

static const struct call calls[] = {
	/* descriptors that are open, memory, time */
	{ALWAYS, SCMP_SYS(read)},
	{ALWAYS, SCMP_SYS(readv)},
	{ALWAYS, SCMP_SYS(pread64)},
	{ALWAYS, SCMP_SYS(write)},
	{ALWAYS, SCMP_SYS(writev)},
	{ALWAYS, SCMP_SYS(close)},
	{ALWAYS, SCMP_SYS(dup)},
	{ALWAYS, SCMP_SYS(lseek)},
	{ALWAYS, SCMP_SYS(_llseek)},
	{ALWAYS, SCMP_SYS(fcntl)},
	{ALWAYS, SCMP_SYS(fcntl64)},
	{ALWAYS, SCMP_SYS(fstat)},
	{ALWAYS, SCMP_SYS(fstat64)},
	{ALWAYS, SCMP_SYS(stat)},
	{ALWAYS, SCMP_SYS(stat64)},
	{ALWAYS, SCMP_SYS(lstat)},
	{ALWAYS, SCMP_SYS(newfstatat)},
	{ALWAYS, SCMP_SYS(fstatat64)},
	{ALWAYS, SCMP_SYS(statx)},
	{ALWAYS, SCMP_SYS(access)},
	{ALWAYS, SCMP_SYS(faccessat)},
	{ALWAYS, SCMP_SYS(faccessat2)},
	{ALWAYS, SCMP_SYS(readlink)},
	{ALWAYS, SCMP_SYS(readlinkat)},
	{ALWAYS, SCMP_SYS(getdents64)},
	{ALWAYS, SCMP_SYS(brk)},
	{ALWAYS, SCMP_SYS(munmap)},
	{ALWAYS, SCMP_SYS(mremap)},
	{ALWAYS, SCMP_SYS(madvise)},
	{ALWAYS, SCMP_SYS(clock_gettime)},
	{ALWAYS, SCMP_SYS(clock_gettime64)},
	{ALWAYS, SCMP_SYS(clock_getres)},
	{ALWAYS, SCMP_SYS(clock_nanosleep)},
	{ALWAYS, SCMP_SYS(clock_nanosleep_time64)},
	{ALWAYS, SCMP_SYS(nanosleep)},
	{ALWAYS, SCMP_SYS(gettimeofday)},
	{ALWAYS, SCMP_SYS(time)},
	{ALWAYS, SCMP_SYS(getrandom)},
	/* the loop */
	{ALWAYS, SCMP_SYS(epoll_create1)},
	{ALWAYS, SCMP_SYS(epoll_ctl)},
	{ALWAYS, SCMP_SYS(epoll_wait)},
	{ALWAYS, SCMP_SYS(epoll_pwait)},
	{ALWAYS, SCMP_SYS(epoll_pwait2)},
	{ALWAYS, SCMP_SYS(poll)},
	{ALWAYS, SCMP_SYS(ppoll)},
	{ALWAYS, SCMP_SYS(ppoll_time64)},
	{ALWAYS, SCMP_SYS(eventfd2)},
	{ALWAYS, SCMP_SYS(timerfd_create)},
	{ALWAYS, SCMP_SYS(timerfd_settime)},
	{ALWAYS, SCMP_SYS(timerfd_settime64)},
	{ALWAYS, SCMP_SYS(futex)},
	{ALWAYS, SCMP_SYS(futex_time64)},
	{ALWAYS, SCMP_SYS(sched_yield)},
	/* sockets: the service manager's, netlink, those who scrape */
	{ALWAYS, SCMP_SYS(bind)},
	{ALWAYS, SCMP_SYS(accept)},
	{ALWAYS, SCMP_SYS(accept4)},
	{ALWAYS, SCMP_SYS(shutdown)},
	{ALWAYS, SCMP_SYS(getsockname)},
	{ALWAYS, SCMP_SYS(getpeername)},
	{ALWAYS, SCMP_SYS(getsockopt)},
	{ALWAYS, SCMP_SYS(setsockopt)},
	{ALWAYS, SCMP_SYS(sendto)},
	{ALWAYS, SCMP_SYS(send)},
	{ALWAYS, SCMP_SYS(sendmsg)},
	{ALWAYS, SCMP_SYS(sendmmsg)},
	{ALWAYS, SCMP_SYS(sendfile)},
	{ALWAYS, SCMP_SYS(recvfrom)},
	{ALWAYS, SCMP_SYS(recv)},
	{ALWAYS, SCMP_SYS(recvmsg)},
	/* about ourselves, and the end */
	{ALWAYS, SCMP_SYS(getpid)},
	{ALWAYS, SCMP_SYS(gettid)},
	{ALWAYS, SCMP_SYS(getuid)},
	{ALWAYS, SCMP_SYS(geteuid)},
	{ALWAYS, SCMP_SYS(getgid)},
	{ALWAYS, SCMP_SYS(getegid)},
	{ALWAYS, SCMP_SYS(capget)},
	{ALWAYS, SCMP_SYS(getrusage)},
	{ALWAYS, SCMP_SYS(uname)},
	{ALWAYS, SCMP_SYS(sysinfo)},
	{ALWAYS, SCMP_SYS(sched_getaffinity)},
	{ALWAYS, SCMP_SYS(rt_sigaction)},
	{ALWAYS, SCMP_SYS(rt_sigprocmask)},
	{ALWAYS, SCMP_SYS(rt_sigreturn)},
	{ALWAYS, SCMP_SYS(sigreturn)},
	{ALWAYS, SCMP_SYS(restart_syscall)},
	{ALWAYS, SCMP_SYS(tgkill)}, /* abort() */
	{ALWAYS, SCMP_SYS(exit)},
	{ALWAYS, SCMP_SYS(exit_group)},
	{CONFINE_WRITE, SCMP_SYS(open)},
	{CONFINE_WRITE, SCMP_SYS(openat)},
	{CONFINE_WRITE, SCMP_SYS(rename)},
	{CONFINE_WRITE, SCMP_SYS(renameat)},
	{CONFINE_WRITE, SCMP_SYS(renameat2)},
	{CONFINE_WRITE, SCMP_SYS(unlink)},
	{CONFINE_WRITE, SCMP_SYS(unlinkat)},
	{CONFINE_WRITE, SCMP_SYS(fchmod)},
	{CONFINE_WRITE, SCMP_SYS(fsync)},
	{CONFINE_WRITE, SCMP_SYS(fdatasync)},
	{CONFINE_WRITE, SCMP_SYS(ftruncate)},
};

/* Calls that are good for some values of one argument alone: (argument & mask) == value. */
struct guarded {
	int number;
	unsigned int arg;
	uint64_t mask, value;
};

/* The kernel takes no more than this of an int, whatever else a register holds. */
#define ALL    UINT32_MAX
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

static const struct guarded guarded[] = {
	{SCMP_SYS(open), 1, WRITES, O_RDONLY},
	{SCMP_SYS(openat), 2, WRITES, O_RDONLY},
	{SCMP_SYS(mmap), 2, PROT_EXEC, 0},
	{SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
	{SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
	{SCMP_SYS(prlimit64), 2, ALL, 0}, /* asks, sets nothing */
	{SCMP_SYS(socket), 0, ALL, AF_UNIX},
	{SCMP_SYS(socket), 0, ALL, AF_NETLINK},
	{SCMP_SYS(socket), 0, ALL, AF_PACKET},
	{SCMP_SYS(ioctl), 1, ALL, SIOCGIFFLAGS},
	{SCMP_SYS(ioctl), 1, ALL, SIOCGIFHWADDR},
	{SCMP_SYS(ioctl), 1, ALL, SIOCGIFNAME},
	{SCMP_SYS(ioctl), 1, ALL, SIOCGIFINDEX},
	{SCMP_SYS(ioctl), 1, ALL, TCGETS},
	{SCMP_SYS(ioctl), 1, ALL, TIOCGWINSZ},
	{SCMP_SYS(ioctl), 1, ALL, FIONBIO},
	{SCMP_SYS(ioctl), 1, ALL, FIONREAD},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_LOOKUP_ELEM},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_UPDATE_ELEM},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_DELETE_ELEM},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_GET_NEXT_KEY},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_LOOKUP_BATCH},
	{SCMP_SYS(bpf), 0, ALL, BPF_MAP_LOOKUP_AND_DELETE_BATCH},
	{SCMP_SYS(bpf), 0, ALL, BPF_OBJ_GET_INFO_BY_FD},
	{SCMP_SYS(bpf), 0, ALL, BPF_PROG_GET_FD_BY_ID},
	{SCMP_SYS(bpf), 0, ALL, BPF_LINK_CREATE},
	{SCMP_SYS(bpf), 0, ALL, BPF_PROG_TEST_RUN},
};

static int confine_add_calls(scmp_filter_ctx ctx, unsigned int need)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].need == ALWAYS || calls[i].need & need)
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i].number, 0);
	return err;
}

static int confine_add_guarded(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		const struct guarded *g = &guarded[i];
		struct scmp_arg_cmp match = {.arg = g->arg,
					     .op = SCMP_CMP_MASKED_EQ,
					     .datum_a = g->mask,
					     .datum_b = g->value};

		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, g->number, 1, &match);
		if (err == -EEXIST) /* allowed whatever its arguments are */
			err = 0;
	}
	return err;
}

int confine_syscalls(unsigned int need)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = ctx ? 0 : -ENOMEM;

	if (!err)
		err = confine_add_calls(ctx, need);
	if (!err)
		err = confine_add_guarded(ctx);
	if (!err) {
		/* From Linux 4.14 and libseccomp's API 3 on; without it nothing is logged. */
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
		/* No foreign code runs here: the slow guard against it (SSBD) is not wanted. */
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
		err = seccomp_load(ctx);
	}
	seccomp_release(ctx);
	return err;
}
