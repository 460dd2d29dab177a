// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tap_load.c - loads the tap into the kernel.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "decap.h"
#include "decap.skel.h"
#include "source/live/kernel.h"
#include "source/live/services.h"
#include "source/live/tap_load.h"
#include "lib/log.h"

#define VERIFIER_LOG_SIZE (4u << 20) /* bytes; only touched if the verifier rejects a program */
#define VERIFIER_LOG_TAIL 12	     /* last lines of it that are shown */

/* Bytes of kernel memory: docs/PERFORMANCE.md. */
#define RING_BYTES  (16u << 20) /* the ring buffer, by default */
#define MAX_FLOWS   65536	/* connections, by default */
#define FLOW_BYTES  168
#define OTHER_BYTES (4u << 20)

static int __attribute__((format(printf, 2, 0)))
quiet_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[1024];
	int n = vsnprintf(text, sizeof(text), fmt, args);

	(void)level;
	text[strcspn(text, "\n")] = 0;
	log_trace("%s", text);
	return n;
}

void tap_messages(void)
{
	libbpf_set_print(quiet_print);
}

/* The effective capabilities, bit n for capability n; none if they cannot be read. */
static __u64 effective_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (__u64)data[1].effective << 32;
}

static int check_capabilities(void)
{
	static const struct {
		const char *name;
		int cap;
		int stands_in; /* another capability that includes it, or itself */
	} needed[] = {
		{"CAP_BPF", CAP_BPF, CAP_SYS_ADMIN},
		{"CAP_PERFMON", CAP_PERFMON, CAP_SYS_ADMIN},
		{"CAP_NET_ADMIN", CAP_NET_ADMIN, CAP_NET_ADMIN},
	};
	__u64 have = effective_capabilities();
	char missing[64] = "";

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (have >> needed[i].cap & 1 || have >> needed[i].stands_in & 1)
			continue;
		if (*missing)
			strcat(missing, ", ");
		strcat(missing, needed[i].name);
	}
	if (!*missing)
		return 0;
	log_error("not privileged, missing: %s. Run it as root (sudo), or grant it once: setcap "
		  "cap_bpf,cap_perfmon,cap_net_admin+ep PROGRAM",
		  missing);
	return -EPERM;
}

/* Is bpf() forbidden in spite of all capabilities? That would look like an old kernel. */
static int check_permitted(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), sizeof(__u32), 1, NULL);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno != EPERM)
		return 0;
	log_error(
		"the system call bpf() is refused here although all capabilities are present: by a "
		"container's filter (podman, docker: --security-opt seccomp=unconfined; "
		"Kubernetes: seccompProfile), or by kernel lockdown");
	return -EPERM;
}

uint64_t tap_memory(const struct live_config *config)
{
	return (config->ring_size ?: RING_BYTES) +
	       (uint64_t)(config->max_flows ?: MAX_FLOWS) * FLOW_BYTES + OTHER_BYTES;
}

/* Kernels that count BPF's memory as locked memory refuse it by EPERM, as for lack of privileges. */
static int check_memory(const struct live_config *config)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit limit = {0};

	if (kernel_has(KERNEL_MEMCG) || !setrlimit(RLIMIT_MEMLOCK, &unlimited))
		return 0;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur >= tap_memory(config))
		return 0;
	log_error("this kernel counts BPF's memory as locked memory, which is limited to %llu KiB; "
		  "about %llu are needed: ulimit -l unlimited, LimitMEMLOCK=infinity in a unit, or "
		  "Linux %s or later",
		  (unsigned long long)limit.rlim_cur >> 10,
		  (unsigned long long)tap_memory(config) >> 10, kernel_fact(KERNEL_MEMCG)->since);
	return -EPERM;
}

static int check_kernel(void)
{
	struct utsname name = {0};

	uname(&name);
	for (enum kernel_feature feature = 0; feature < KERNEL_FEATURES; feature++) {
		const struct kernel_fact *fact = kernel_fact(feature);

		if (!fact->needed || kernel_has(feature))
			continue;
		log_error("kernel %s has no %s, which Linux has since %s: %s. Captures can be read "
			  "with any kernel (-r FILE)",
			  name.release, fact->what, fact->since, fact->without);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* The end of the verifier's log, for whoever is to mend the program: shown by -vv. */
static void show_verifier_log(const char *program, char *text)
{
	char *line = text + strlen(text);
	int lines = 0;

	while (line > text && lines < VERIFIER_LOG_TAIL)
		if (*--line == '\n')
			lines++;
	log_error("the kernel rejected program %s: please report this, with the output of -vv",
		  program);
	for (char *save, *part = strtok_r(line, "\n", &save); part;
	     part = strtok_r(NULL, "\n", &save))
		log_trace("  %s", part);
}

static void configure_tap(struct tap_bpf *tap, const struct live_config *config)
{
	_Static_assert(sizeof(tap->bss->tap_ports) == sizeof(config->ports->bits),
		       "the same set of ports");

	if (config->ports)
		memcpy(tap->bss->tap_ports, config->ports->bits, sizeof(config->ports->bits));
	tap->rodata->tap_any_port = config->any_port;
	tap->rodata->tap_mirror = config->mirror;
	tap->rodata->tap_sql_browser = config->browser;
	if (config->sql)
		tap->rodata->tap_budget = UINT32_MAX;
	tap->rodata->tap_commands = config->commands;
	services_configure(tap, config);
	if (config->decap)
		memcpy((void *)&tap->rodata->tap_decap, config->decap, sizeof(*config->decap));
	/* Early at boot there may be none yet; then the seed is 0. */
	if (getrandom((void *)tap->rodata->tap_seed, sizeof(tap->rodata->tap_seed), GRND_NONBLOCK) <
	    0)
		log_debug("no random numbers: %s", strerror(errno));
	if (config->ring_size)
		bpf_map__set_max_entries(tap->maps.events, config->ring_size);
	if (config->max_flows)
		bpf_map__set_max_entries(tap->maps.flows, config->max_flows);
	if (config->hook != LIVE_HOOK_XDP)
		bpf_program__set_autoload(tap->progs.tap_xdp, false);
	else if (kernel_has(KERNEL_XDP_FRAGS))
		bpf_program__set_flags(tap->progs.tap_xdp, BPF_F_XDP_HAS_FRAGS);
}

static int load_with_logs(struct tap_bpf *tap)
{
	struct bpf_program *prog;
	char *text;
	int err;

	bpf_object__for_each_program(prog, tap->obj)
	{
		text = malloc(VERIFIER_LOG_SIZE);
		if (!text)
			return -ENOMEM;
		*text = 0;
		bpf_program__set_log_buf(prog, text, VERIFIER_LOG_SIZE);
	}
	err = tap_bpf__load(tap);
	bpf_object__for_each_program(prog, tap->obj)
	{
		size_t size;

		text = (char *)bpf_program__log_buf(prog, &size);
		if (err && text && *text)
			show_verifier_log(bpf_program__name(prog), text);
		bpf_program__set_log_buf(prog, NULL, 0);
		free(text);
	}
	return err;
}

struct tap_bpf *tap_skeleton(bool decap)
{
	struct tap_bpf *tap;
	int err;

	_Static_assert(sizeof(*tap->rodata) == sizeof(*((struct decap_bpf *)0)->rodata) &&
			       sizeof(*tap->bss) == sizeof(*((struct decap_bpf *)0)->bss),
		       "the same maps and programs, except for the instructions");
	if (!decap)
		return tap_bpf__open();
	tap = calloc(1, sizeof(*tap));
	if (!tap)
		return NULL;
	err = tap_bpf__create_skeleton(tap);
	if (!err) {
		tap->skeleton->data = (void *)decap_bpf__elf_bytes(&tap->skeleton->data_sz);
		err = bpf_object__open_skeleton(tap->skeleton, NULL);
	}
	if (!err)
		return tap;
	tap_bpf__destroy(tap);
	errno = -err;
	return NULL;
}

int tap_load(struct tap_bpf **tap, const struct live_config *config)
{
	int err;

	tap_messages();
	err = check_capabilities();
	if (!err)
		err = check_memory(config);
	if (!err)
		err = check_permitted();
	if (!err)
		err = check_kernel();
	if (err)
		return err;
	*tap = tap_skeleton(config->decap);
	if (!*tap) {
		err = -errno;
		log_error("cannot open the tap's BPF object: %s", strerror(-err));
		return err;
	}
	configure_tap(*tap, config);
	err = load_with_logs(*tap);
	if (!err)
		return 0;
	log_error("cannot load the tap into the kernel: %s%s", strerror(-err),
		  err == -ENOMEM  ? " (is there room for the ring buffer, is RLIMIT_MEMLOCK low?)"
		  : err == -EPERM ? " (is BPF locked down here: a container, RLIMIT_MEMLOCK?)"
				  : "");
	tap_bpf__destroy(*tap);
	*tap = NULL;
	return err;
}
