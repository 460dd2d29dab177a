/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * handover.h - from a connection's login to its session.
 */
#ifndef TDSMON_HANDOVER_H
#define TDSMON_HANDOVER_H

#include "engine/login/login.h"
#include "engine/session/session.h"

/*
 * The login l succeeded: begin the session. It takes over the messages under TLS that l held and
 * that came after the login.
 */
void handover(struct session_env *env, struct flow *f, const struct login *l);

#endif
