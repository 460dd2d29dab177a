// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * exchange.c - see exchange.h.
 */
#include <string.h>

#include "engine/dependency/exchange.h"

bool exchange_failed(const struct exchange *x)
{
	return x->result && strcmp(x->result, "ok") && strcmp(x->result, "closed") &&
	       strcmp(x->result, "KDC_ERR_PREAUTH_REQUIRED") &&
	       strcmp(x->result, "KRB_ERR_RESPONSE_TOO_BIG");
}
