// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * cgroup_path.c - containers and pods by the paths of their cgroups, as runtimes name them.
 */
#include <string.h>

#include "cgroup_path.h"
#include "unit.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

static struct witness_process read_of(const char *text)
{
	struct witness_process process = {0};

	cgroup_path_read(&process, text);
	return process;
}

UNIT_CASE(no_container)
{
	struct witness_process p = read_of("0::/system.slice/mssql-server.service\n");

	CHECK_STR(p.cgroup, "/system.slice/mssql-server.service");
	CHECK_STR(p.container, "");
	CHECK_STR(p.pod, "");
	CHECK_STR(read_of("0::/\n").cgroup, "/");
	CHECK_STR(read_of("").cgroup, "");
	CHECK_STR(read_of("nonsense\n:\n").cgroup, "");
}

UNIT_CASE(containers)
{
	CHECK_STR(read_of("0::/system.slice/docker-" ID ".scope\n").container, ID);
	CHECK_STR(read_of("0::/docker/" ID "\n").container, ID);
	CHECK_STR(read_of("0::/machine.slice/libpod-" ID ".scope/container\n").container, ID);
	CHECK_STR(read_of("0::/kubepods.slice/crio-" ID ".scope\n").container, ID);
	CHECK_STR(read_of("0::/lxc.payload." ID "\n").container, ID);
	CHECK_STR(read_of("0::/a" ID "\n").container, ""); /* 65 digits */
}

UNIT_CASE(pods)
{
	struct witness_process p = read_of(
		"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
		"pod0a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9.slice/cri-containerd-" ID ".scope\n");

	CHECK_STR(p.container, ID);
	CHECK_STR(p.pod, POD);
	p = read_of("4:cpu,cpuacct:/kubepods/besteffort/pod" POD "/" ID "\n");
	CHECK_STR(p.container, ID);
	CHECK_STR(p.pod, POD);
	CHECK_STR(read_of("0::/podman-pod/podium\n").pod, "");
}

/* Version 1 and hybrid: the line that names a container, else the CPU controller's. */
UNIT_CASE(the_line_that_says_most)
{
	CHECK_STR(read_of("9:name=systemd:/\n4:memory:/docker/" ID "\n1:cpu:/\n0::/\n").container,
		  ID);
	CHECK_STR(read_of("4:cpuset:/a\n3:cpu,cpuacct:/b\n0::/\n").cgroup, "/b");
	CHECK_STR(read_of("4:memory:/a\n0::/b\n").cgroup, "/b");
	CHECK_STR(read_of("4:memory:/a\n0::/\n").cgroup, "/a");
}

UNIT_CASE(a_path_is_harmless_and_bounded)
{
	static char text[8192] = "0::/a\033[2Jb/\xc3\xa9";
	size_t len = strlen(text);

	CHECK_STR(read_of(text).cgroup, "/a?[2Jb/??");
	memset(text + len, 'x', sizeof(text) - len - 1);
	CHECK_INT(strlen(read_of(text).cgroup), 255);
}

int main(void)
{
	RUN(no_container);
	RUN(containers);
	RUN(pods);
	RUN(the_line_that_says_most);
	RUN(a_path_is_harmless_and_bounded);
	return unit_status();
}
