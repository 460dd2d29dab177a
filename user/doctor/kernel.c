// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel.c - what the tap needs of the kernel: its version, BTF, ring buffers, privileges, memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "doctor/doctor.h"
#include "lib/fd.h"
#include "source/live/tap_load.h"
#include "system/sandbox.h"

#define BTF_FILE       "/sys/kernel/btf/vmlinux"
#define LOCKDOWN_FILE  "/sys/kernel/security/lockdown"
#define VERSION(a, b)  ((a)*1000 + (b))
#define VERSION_LEAST  VERSION(5, 8)  /* ring buffers */
#define VERSION_TESTED VERSION(5, 10) /* the oldest in tests/vm */
#define VERSION_MEMCG  VERSION(5, 11) /* BPF memory is no longer locked memory */

static unsigned kernel_version(const struct utsname *name)
{
	unsigned major = 0, minor = 0;

	sscanf(name->release, "%u.%u", &major, &minor);
	return VERSION(major, minor);
}

static void kernel_release(struct findings *f, const struct utsname *name)
{
	unsigned version = kernel_version(name);

	findings_add(f, "kernel", NULL);
	if (version < VERSION_LEAST && libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1) {
		findings_say(f, FINDING_NOTE,
			     "Linux %s: its distribution has added ring buffers; it should do, but "
			     "no such kernel was tried",
			     name->release);
	} else if (version < VERSION_LEAST) {
		findings_say(f, FINDING_MEND, "Linux %s is too old", name->release);
		findings_act(f, "boot Linux 5.8 or later; tdsmon -r reads captures on any kernel");
	} else if (version < VERSION_TESTED) {
		findings_say(f, FINDING_NOTE,
			     "Linux %s: it should do, but 5.10 is the oldest tried", name->release);
	} else {
		findings_say(f, FINDING_OK, "Linux %s", name->release);
	}
}

static void kernel_btf(struct findings *f)
{
	struct btf *btf = btf__load_vmlinux_btf();

	findings_add(f, "btf", NULL);
	if (btf) {
		findings_say(f, FINDING_OK, "the kernel describes its types");
	} else if (access(BTF_FILE, F_OK)) {
		findings_say(f, FINDING_MEND, "this kernel has no " BTF_FILE);
		findings_act(f, "use a kernel built with CONFIG_DEBUG_INFO_BTF, as distributions' "
				"kernels are");
	} else {
		findings_say(f, FINDING_MEND, BTF_FILE " cannot be read: %s", strerror(errno));
		findings_act(f, "see who may read that file, and whether /sys is mounted as usual");
	}
	btf__free(btf);
}

/* The capabilities that loading takes and that are not there; "": all are. */
static void kernel_missing(char text[96])
{
	static const struct {
		const char *name;
		int cap, stands_in;
	} needed[] = {
		{"CAP_BPF", CAP_BPF, CAP_SYS_ADMIN},
		{"CAP_PERFMON", CAP_PERFMON, CAP_SYS_ADMIN},
		{"CAP_NET_ADMIN", CAP_NET_ADMIN, CAP_NET_ADMIN},
	};

	*text = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!sandbox_has(needed[i].cap) && !sandbox_has(needed[i].stands_in)) {
			if (*text)
				strcat(text, ", ");
			strcat(text, needed[i].name);
		}
}

/* False: no program can be loaded by this process. */
static bool kernel_privileges(struct findings *f, bool mirror)
{
	char missing[96];
	int fd;

	findings_add(f, "privileges", NULL);
	kernel_missing(missing);
	if (*missing) {
		findings_say(f, FINDING_MEND, "missing: %s", missing);
		findings_act(f, "run as root (sudo), or grant them once: setcap "
				"cap_bpf,cap_perfmon,cap_net_admin+ep PROGRAM; what needs them is "
				"not checked below");
		return false;
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), sizeof(__u32), 1, NULL);
	fd_close(fd);
	if (fd < 0) {
		findings_say(f, FINDING_MEND,
			     "bpf() is refused although all capabilities are there: %s",
			     strerror(errno));
		findings_act(f,
			     "allow it in the container's filter (podman, docker: --security-opt "
			     "seccomp=unconfined), or see kernel lockdown");
		return false;
	}
	if (mirror && !sandbox_has(CAP_NET_RAW)) {
		findings_say(f, FINDING_MEND, "--mirror also needs CAP_NET_RAW");
		findings_act(f, "grant it, or run as root");
		return true;
	}
	findings_say(f, FINDING_OK, "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN are there");
	return true;
}

static void kernel_lockdown(struct findings *f)
{
	char text[128] = "";
	int fd = open(LOCKDOWN_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	fd_close(fd);
	if (n <= 0 || !strstr(text, "[confidentiality]"))
		return;
	findings_add(f, "lockdown", NULL);
	findings_say(f, FINDING_MEND, "kernel lockdown forbids BPF programs to read kernel memory");
	findings_act(f,
		     "boot with lockdown=integrity, or watch from another host by a mirror port");
}

static void kernel_ring_buffer(struct findings *f, bool privileged, unsigned version)
{
	int has = privileged ? libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) : -EPERM;

	findings_add(f, "ring buffer", NULL);
	if (has == 1)
		findings_say(f, FINDING_OK, "the kernel has BPF ring buffers");
	else if (has < 0 && version >= VERSION_LEAST)
		findings_unseen(f, "not tried: without privileges; this kernel's version has them");
	else
		findings_say(f, FINDING_MEND, "the kernel has no BPF ring buffers");
}

static void kernel_memlock(struct findings *f, const struct live_config *live, unsigned version)
{
	rlim_t needed = tap_memory(live);
	struct rlimit limit = {0};

	findings_add(f, "memlock", NULL);
	if (version >= VERSION_MEMCG) {
		findings_say(f, FINDING_OK,
			     "since Linux 5.11 RLIMIT_MEMLOCK does not count for BPF");
		return;
	}
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur >= needed || sandbox_has(CAP_SYS_RESOURCE)) {
		findings_say(f, FINDING_OK, "RLIMIT_MEMLOCK suffices, or may be raised");
		return;
	}
	findings_say(f, FINDING_MEND, "RLIMIT_MEMLOCK is %llu KiB, and about %llu are needed",
		     (unsigned long long)limit.rlim_cur >> 10, (unsigned long long)needed >> 10);
	findings_act(f, "ulimit -l unlimited, or LimitMEMLOCK=infinity in the unit");
}

/* The tap itself, with these options. It is loaded, attached nowhere, and released. */
static void kernel_tap(struct findings *f, const struct live_config *live, bool privileged)
{
	struct tap_bpf *tap = NULL;
	int err;

	findings_add(f, "tap", NULL);
	if (!privileged) {
		findings_unseen(f, "not loaded: that needs the privileges above");
		return;
	}
	err = tap_load(&tap, live);
	if (err) {
		findings_say(f, FINDING_MEND, "the kernel does not take tdsmon's programs: %s",
			     strerror(-err));
		findings_act(f, "see the messages above, and -vv for all of libbpf's");
		return;
	}
	tap_bpf__destroy(tap);
	findings_say(f, FINDING_OK, "the kernel takes tdsmon's programs (loaded, not attached)");
}

void doctor_kernel(struct findings *f, const struct doctor_config *config)
{
	struct utsname name = {0};
	bool privileged;

	tap_messages();
	uname(&name);
	kernel_release(f, &name);
	kernel_btf(f);
	privileged = kernel_privileges(f, config->live->mirror);
	kernel_lockdown(f);
	kernel_ring_buffer(f, privileged, kernel_version(&name));
	kernel_memlock(f, config->live, kernel_version(&name));
	kernel_tap(f, config->live, privileged);
}
