/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Bulk load data: MS-TDS 2.2.6.1 */
#ifndef SERVER_BULK_H
#define SERVER_BULK_H

#include "buf.h"

/* The number of rows; 0 too if there is a column of a type that isn't known here. */
uint64_t bulk_rows(const uint8_t *p, size_t len, uint32_t version);

#endif
