/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_control.c - see steer.h.
 */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "source/live/tap_control.h"

void steer_init(struct steer *steer, int program)
{
	memset(steer, 0, sizeof(*steer));
	steer->program = program;
}

void steer_add(struct steer *steer, const struct tap_steer *one)
{
	steer->packet.at[steer->count++] = *one;
	if (steer->count == TAP_STEERS)
		steer_flush(steer);
}

void steer_flush(struct steer *steer)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &steer->packet,
		    .data_size_in = (__u32)(offsetof(struct tap_steers, at) +
					    steer->count * sizeof(steer->packet.at[0])));
	int err;

	if (!steer->count)
		return;
	err = bpf_prog_test_run_opts(steer->program, &run);
	if (err)
		log_debug("cannot tell the kernel about %u connections: %s", steer->count,
			  strerror(-err));
	steer->count = 0;
}
