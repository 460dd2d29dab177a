// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * decap.bpf.c - the tap that unwraps tunnels: the same programs and maps in a separate object, so
 * that the usual tap has not one instruction for it.
 */
#define TAP_DECAP 1
#include "tap.bpf.c"
