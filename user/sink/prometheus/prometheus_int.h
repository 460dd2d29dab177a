/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * prometheus_int.h - shared by the files that write the metrics; all others include prometheus.h.
 */
#ifndef TDSMON_PROMETHEUS_INT_H
#define TDSMON_PROMETHEUS_INT_H

#include "sink/prometheus/prometheus.h"
#include "sink/prometheus/servers.h"
#include "sink/prometheus/top_clients.h"

struct prometheus {
	struct sink_config config;
	struct servers servers;
	struct top_clients *top;
};

/* A page that is being made. */
struct page {
	struct exposition expo;
	const struct prometheus *sink;
	const struct prometheus_facts *facts;
};

#define LABEL(name, value)                                                                         \
	(struct exposition_label)                                                                  \
	{                                                                                          \
		name, value                                                                        \
	}

/* server_families.c: one server's samples of a family. */
void server_put_logins(struct page *p, const struct server *s);
void server_put_classes(struct page *p, const struct server *s);
void server_put_in_progress(struct page *p, const struct server *s);
void server_put_oldest(struct page *p, const struct server *s);
void server_put_duration(struct page *p, const struct server *s);
void server_put_phases(struct page *p, const struct server *s);
void server_put_waits(struct page *p, const struct server *s);
void server_put_parts(struct page *p, const struct server *s);
void server_put_verdicts(struct page *p, const struct server *s);
void server_put_errors(struct page *p, const struct server *s);
void server_put_auth(struct page *p, const struct server *s);
void server_put_encryption(struct page *p, const struct server *s);
void server_put_drivers(struct page *p, const struct server *s);
void server_put_retransmits(struct page *p, const struct server *s);
void server_put_out_of_order(struct page *p, const struct server *s);
void server_put_zero_windows(struct page *p, const struct server *s);
void server_put_certificate(struct page *p, const struct server *s);
void server_put_throttled(struct page *p, const struct server *s);
void server_put_unread_logins(struct page *p, const struct server *s);
void server_put_unread_bytes(struct page *p, const struct server *s);
void server_put_closes(struct page *p, const struct server *s);
void server_put_commands(struct page *p, const struct server *s);
void server_put_resets(struct page *p, const struct server *s);
void server_put_mars_sessions(struct page *p, const struct server *s);
void server_put_mars_stalls(struct page *p, const struct server *s);

/* program_families.c: the samples of a family of the whole program. */
void program_put_build(struct page *p);
void program_put_queue_lengths(struct page *p);
void program_put_queue_limits(struct page *p);
void program_put_dependency_requests(struct page *p);
void program_put_dependency_failures(struct page *p);
void program_put_dependency_seconds(struct page *p);
void program_put_connections(struct page *p);
void program_put_clients(struct page *p);
void program_put_clients_seconds(struct page *p);
void program_put_folded(struct page *p);

#endif
