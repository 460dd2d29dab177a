/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * engine_private.h - the engine's own structure: what it composes of its rooms. Only files of this
 * folder include it; each room has a structure of its own.
 */
#ifndef TDSMON_ENGINE_PRIVATE_H
#define TDSMON_ENGINE_PRIVATE_H

#include "engine/browser/browser.h"
#include "engine/engine.h"
#include "engine/logwait.h"
#include "engine/login/answers.h"
#include "engine/login/login.h"
#include "engine/pending.h"
#include "engine/protocol/byte_buf.h"
#include "engine/protocol/x509.h"
#include "engine/session/session_env.h"
#include "engine/stranger.h"
#include "engine/stream/flow_table.h"
#include "engine/stream/reassembly.h"
#include "engine/stream/timeline.h"
#include "engine/verdict/recent.h"
#include "engine/verdict/stalls.h"

struct companions;
struct decryption;
struct engine;
struct waiting;

/* Connections that wait for secrets, and what is held of them: late_keys.h. */
struct late_keys {
	/* Takes a segment whose wait is over. */
	void (*take)(struct engine *e, const struct seg *seg, const uint8_t *payload);
	struct waiting *first;
	uint32_t count;
	uint64_t bytes;
};

struct engine {
	struct engine_config config;
	struct engine_ops ops;
	void *ctx;
	struct engine_stats stats;
	struct flow_table flows;
	uint64_t now_ns, swept_ns;
	struct login_env logins;
	struct spare_logins spare_logins;
	struct timeline timeline;
	struct reassembly reassembly;
	struct pool pool; /* for messages put together, TLS handshakes, MARS sessions */
	struct session_env sessions;
	struct history history;
	struct answers answers;
	struct browser browser;
	struct cert_cache certs;
	struct pending pending;
	struct strangers strangers;
	struct companions *companions; /* NULL: not followed */
	struct decryption *decryption; /* NULL: there are no secrets */
	struct late_keys late;
	struct errorlog *errorlog; /* NULL: none is followed */
	struct logwaits logwaits;
	struct stalls stalls;
};

#endif
