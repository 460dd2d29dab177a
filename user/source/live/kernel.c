// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel.c - see kernel.h.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "lib/without.h"
#include "source/live/kernel.h"
#include "source/live/socket_bpf.h"
#include "source/live/socket_diag.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type of Linux 6.6 */
#define LOOPBACK    1  /* its ifindex in every network namespace */

/* A probe that fails for another reason, such as lack of memory, does not say no. */
static bool has_ring_buffer(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) != 0;
}

static bool has_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	btf__free(btf);
	return btf;
}

static bool has_tcx(void)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);

	return bpf_prog_query_opts(LOOPBACK, (enum bpf_attach_type)TCX_INGRESS, &opts) != -EINVAL;
}

static bool has_xdp(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) != 0;
}

static bool has_xdp_frags(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) == 1;
}

static bool has_socket_bpf(void)
{
	struct socket_bpf *program;
	int err = socket_bpf_open(&program);

	if (!err)
		socket_bpf_close(program);
	return !err;
}

static bool has_sock_diag(void)
{
	struct netlink nl;
	int err = socket_diag_open(&nl);

	if (!err)
		netlink_close(&nl);
	return !err;
}

/* The type of the tracepoint that bpf/socket_reads.bpf.c attaches to. */
static bool has_read_trace(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool found = btf && btf__find_by_name_kind(btf, "btf_trace_tcp_rcv_space_adjust",
						   BTF_KIND_TYPEDEF) > 0;

	btf__free(btf);
	return found;
}

/* libbpf takes the same helper for a sign: it came with the accounting by control groups. */
static bool has_memcg(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_coarse_ns,
				       NULL) != 0;
}

static bool has_openat2(void)
{
	return syscall(SYS_openat2, -1, "", NULL, 0) >= 0 || errno != ENOSYS;
}

static const struct {
	struct kernel_fact fact;
	bool (*probe)(void);
} features[KERNEL_FEATURES] = {
	[KERNEL_RING_BUFFER] =
		{{"ring_buffer", "5.8", "BPF ring buffer",
		  "take a kernel 5.8 or later; on Ubuntu 20.04 install linux-generic-hwe-20.04 "
		  "(5.15), on RHEL 8 update to 8.4 or later, on SLES 15 to SP4 or later",
		  true},
		 has_ring_buffer},
	[KERNEL_BTF] =
		{{"btf", "5.4", "BTF (/sys/kernel/btf/vmlinux)",
		  "use a kernel built with CONFIG_DEBUG_INFO_BTF, as distributions' kernels are",
		  true},
		 has_btf},
	[KERNEL_TCX] = {{"tcx", "6.6", "tcx links",
			 "clsact filters are used, and CAP_NET_ADMIN is kept to remove them",
			 false},
			has_tcx},
	[KERNEL_XDP] = {{"xdp", "5.9", "XDP links", "--hook xdp uses tc instead", false}, has_xdp},
	[KERNEL_XDP_FRAGS] =
		{{"xdp_frags", "5.18", "XDP with several buffers",
		  "--hook xdp cannot read frames in several buffers, such as jumbo frames", false},
		 has_xdp_frags},
	[KERNEL_SOCKET_BPF] = {{"socket_bpf", "5.9", "sockets looked at by BPF",
				"sock_diag is used: only in tdsmon's own network namespace", false},
			       has_socket_bpf},
	[KERNEL_SOCK_DIAG] =
		{{"sock_diag", "4.1", "sock_diag (module tcp_diag)",
		  "without socket_bpf, too: why a login waits for a process is not known", false},
		 has_sock_diag},
	[KERNEL_READ_TRACE] = {{"read_trace", "5.9", "tracepoint tcp_rcv_space_adjust with BTF",
				"when a process reads is seen only when its socket is looked at",
				false},
			       has_read_trace},
	[KERNEL_MEMCG] = {{"memcg", "5.11", "BPF memory counted by control groups",
			   "RLIMIT_MEMLOCK has to allow it: tdsmon raises it if it may", false},
			  has_memcg},
	[KERNEL_OPENAT2] = {{"openat2", "5.6", "openat2()",
			     "a path is opened component by component", false},
			    has_openat2},
};

const struct kernel_fact *kernel_fact(enum kernel_feature feature)
{
	return &features[feature].fact;
}

bool kernel_denied(enum kernel_feature feature)
{
	return without_feature(features[feature].fact.name);
}

bool kernel_has(enum kernel_feature feature)
{
	return !kernel_denied(feature) && features[feature].probe();
}
