/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tap_control.c - see tap_control.h.
 */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "lib/log.h"
#include "source/live/tap_control.h"

void tap_control_init(struct tap_control *control, int program)
{
	memset(control, 0, sizeof(*control));
	control->program = program;
}

void tap_control_add(struct tap_control *control, const struct tap_steer *one)
{
	control->packet.at[control->count++] = *one;
	if (control->count == TAP_STEERS)
		tap_control_flush(control);
}

void tap_control_flush(struct tap_control *control)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &control->packet,
		    .data_size_in = (__u32)(offsetof(struct tap_steers, at) +
					    control->count * sizeof(control->packet.at[0])));
	int err;

	if (!control->count)
		return;
	err = bpf_prog_test_run_opts(control->program, &run);
	if (err)
		log_debug("cannot set the tap level of %u connections: %s", control->count,
			  strerror(-err));
	control->count = 0;
}
