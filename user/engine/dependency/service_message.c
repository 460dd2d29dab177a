// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * service_message.c - see service_message.h.
 */
#include <string.h>

#include "engine/dependency/service_message.h"

void message_target(struct service_message *m, const void *p, size_t len)
{
	const uint8_t *from = p;
	size_t at = strlen(m->target);

	for (size_t i = 0; i < len && at < sizeof(m->target) - 1; i++)
		m->target[at++] = from[i] > ' ' && from[i] < 0x7f ? (char)from[i] : '?';
	m->target[at] = 0;
}
