/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wipe.h - frees memory that held a password, a token or a statement, so that no core dump and no
 * later allocation contains it.
 */
#ifndef TDSMON_WIPE_H
#define TDSMON_WIPE_H

#include <stdlib.h>
#include <string.h>

static inline void wipe_free(void *data, size_t len)
{
	if (data)
		explicit_bzero(data, len);
	free(data);
}

static inline void wipe_text(char *text)
{
	wipe_free(text, text ? strlen(text) : 0);
}

#endif
