// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * routed.c - the ports to which servers routed clients: the ones named last are kept.
 */
#include "engine/browser/routed.h"
#include "unit.h"

UNIT_CASE(the_last_that_were_named)
{
	struct routed r = {0};

	CHECK(!routed_has(&r, 0));
	for (uint16_t port = 1; port <= ROUTED_PORTS; port++)
		CHECK_INT(routed_learn(&r, port), 0);
	CHECK_INT(routed_learn(&r, 1), 0); /* named again: it is kept longest */
	CHECK_INT(routed_learn(&r, 100), 2);
	CHECK_INT(routed_learn(&r, 101), 3);
	CHECK(routed_has(&r, 1) && routed_has(&r, 100) && routed_has(&r, 101));
	CHECK(!routed_has(&r, 2) && !routed_has(&r, 3));
	CHECK(routed_has(&r, 4) && routed_has(&r, ROUTED_PORTS));
	CHECK_INT(r.count, ROUTED_PORTS);
}

int main(void)
{
	RUN(the_last_that_were_named);
	return unit_status();
}
