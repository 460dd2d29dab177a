// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * doctor.c - see doctor.h.
 */
#include "doctor/doctor.h"

void doctor_examine(struct findings *f, const struct doctor_config *config)
{
	doctor_kernel(f, config);
	doctor_hooks(f, config);
	doctor_servers(f, config);
	doctor_host(f, config);
}
