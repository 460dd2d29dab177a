/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A remote procedure call, as far as the test server needs it: MS-TDS 2.2.6.6 */
#ifndef SERVER_RPC_H
#define SERVER_RPC_H

#include "buf.h"

enum rpc_proc {
	RPC_OTHER = 0,
	RPC_CURSOROPEN = 2,
	RPC_EXECUTESQL = 10,
	RPC_PREPARE = 11,
	RPC_EXECUTE = 12,
	RPC_PREPEXEC = 13,
	RPC_UNPREPARE = 15,
};

struct rpc {
	enum rpc_proc proc;
	char *text[2]; /* the first two parameters that are text; NULL where there are not so many
			*/
};

/* body: the message behind ALL_HEADERS. Parameters of types unknown here end the reading. */
void rpc_parse(struct rpc *rpc, const uint8_t *body, size_t len, bool with_collation);
void rpc_release(struct rpc *rpc);

#endif
