/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decrypt_stats.h - what became of the connections that a key log was to decrypt.
 */
#ifndef TDSMON_DECRYPT_STATS_H
#define TDSMON_DECRYPT_STATS_H

#include <stdint.h>

/* Connections, each once; all but the first are read no further, and judged from outside. */
struct decrypt_stats {
	uint64_t decrypted;   /* at least one record was */
	uint64_t missing;     /* the key log has no secret for it */
	uint64_t wrong;	      /* the secret does not fit, or a record was damaged */
	uint64_t unsupported; /* by its version or suite */
	uint64_t broken;      /* packets are missing, or memory for its records was used up */
	uint64_t evicted;     /* secrets dropped before any use: there were too many */
};

#endif
