// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * server_families.c - the metrics that have samples for each server.
 */
#include "sink/prometheus/prometheus_int.h"

/* A server's sample with up to two more labels; a NULL name ends them. */
static void put_count(struct page *p, const struct server *s, const char *name1, const char *value1,
		      const char *name2, const char *value2, uint64_t value)
{
	const struct exposition_label labels[] = {
		{"server", s->name}, {name1, value1}, {name2, value2}};

	exposition_count(&p->expo, labels, !name1 ? 1 : !name2 ? 2 : 3, value);
}

static void put_one(struct page *p, const struct server *s, uint64_t value)
{
	put_count(p, s, NULL, NULL, NULL, NULL, value);
}

static uint64_t histogram_count(const struct fixed_histogram *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= FIXED_HISTOGRAM_BUCKETS; i++)
		sum += b->counts[i];
	return sum;
}

void server_put_logins(struct page *p, const struct server *s)
{
	static const enum basis bases[] = {BASIS_OBSERVED, BASIS_INFERRED};

	/* Also those of 0: if a count first appears with a failure, its increase is not visible. */
	for (int o = 0; o < OUTCOME_COUNT; o++)
		for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++)
			put_count(p, s, "outcome", outcome_name(o), "basis", basis_name(bases[b]),
				  s->outcomes[o][bases[b]]);
}

void server_put_classes(struct page *p, const struct server *s)
{
	for (int c = 0; c < VERDICT_CLASS_COUNT; c++)
		put_count(p, s, "class", verdict_class_name(c), NULL, NULL, s->classes[c]);
}

void server_put_in_progress(struct page *p, const struct server *s)
{
	put_one(p, s, s->in_progress);
}

void server_put_oldest(struct page *p, const struct server *s)
{
	exposition_seconds(&p->expo, &(struct exposition_label){"server", s->name}, 1,
			   s->oldest_ns);
}

void server_put_duration(struct page *p, const struct server *s)
{
	struct exposition_label labels[2] = {{"server", s->name}},
				all[FIXED_HISTOGRAM_BUCKETS + 1][3];
	struct exposition_exemplar exemplars[FIXED_HISTOGRAM_BUCKETS + 1] = {0};
	char clients[FIXED_HISTOGRAM_BUCKETS + 1][SINK_ENDPOINT_MAX],
		ids[FIXED_HISTOGRAM_BUCKETS + 1][SINK_ID_MAX];

	for (size_t i = 0; p->expo.format == EXPOSITION_OPENMETRICS && i <= FIXED_HISTOGRAM_BUCKETS;
	     i++) {
		const struct server_exemplar *e = &s->exemplars[i];

		if (!e->set)
			continue;
		all[i][0] = LABEL("client", sink_endpoint(&e->client, clients[i]));
		all[i][1] = LABEL("id", sink_id(e->id, ids[i]));
		all[i][2] = LABEL("connection_id", e->connection_id);
		exemplars[i] = (struct exposition_exemplar){all[i], *e->connection_id ? 3 : 2,
							    e->ns, e->time_ns};
	}
	exposition_histogram(&p->expo, labels, 1, &s->duration, &prometheus_login_bounds,
			     exemplars);
}

void server_put_phases(struct page *p, const struct server *s)
{
	for (int i = 0; i < PHASE_SESSION; i++) {
		struct exposition_label labels[3] = {{"server", s->name}, {"phase", phase_name(i)}};

		if (histogram_count(&s->phases[i]))
			exposition_histogram(&p->expo, labels, 2, &s->phases[i],
					     &prometheus_login_bounds, NULL);
	}
}

void server_put_waits(struct page *p, const struct server *s)
{
	for (int i = 0; i < PHASE_SESSION; i++) {
		if (!histogram_count(&s->phases[i]))
			continue;
		for (int side = 0; side < SIDE_NONE; side++) {
			const struct exposition_label labels[] = {{"server", s->name},
								  {"phase", phase_name(i)},
								  {"side", side_name(side)}};

			exposition_seconds(&p->expo, labels, 3, s->wait_ns[i][side]);
		}
	}
}

void server_put_parts(struct page *p, const struct server *s)
{
	for (int part = 0; part < PART_COUNT; part++) {
		const struct exposition_label labels[] = {{"server", s->name},
							  {"part", wait_part_name(part)}};

		if (s->part_ns[part])
			exposition_seconds(&p->expo, labels, 2, s->part_ns[part]);
	}
}

/* Only where it is known of a process of this host. */
void server_put_unread_logins(struct page *p, const struct server *s)
{
	if (s->has_socket)
		put_one(p, s, s->unread_logins);
}

void server_put_unread_bytes(struct page *p, const struct server *s)
{
	if (s->has_socket)
		put_one(p, s, s->unread_bytes);
}

void server_put_throttled(struct page *p, const struct server *s)
{
	if (s->has_throttled)
		exposition_seconds(&p->expo, &LABEL("server", s->name), 1, s->throttled_ns);
}

/* Counts by learned names. A count of 0 means that only another server has the name. */
static void put_names(struct page *p, const struct server *s, const char *label,
		      const struct label_set *names, const uint64_t counts[LABEL_SET_IDS])
{
	for (size_t i = 0; i < LABEL_SET_IDS; i++)
		if (counts[i])
			put_count(p, s, label, label_set_text(names, i), NULL, NULL, counts[i]);
}

void server_put_verdicts(struct page *p, const struct server *s)
{
	for (int v = V_NONE + 1; v < VERDICT_COUNT; v++)
		if (s->verdicts[v])
			put_count(p, s, "verdict", verdict_name((enum verdict)v), NULL, NULL,
				  s->verdicts[v]);
}

void server_put_errors(struct page *p, const struct server *s)
{
	put_names(p, s, "error", &p->sink->servers.errors, s->errors);
}

void server_put_drivers(struct page *p, const struct server *s)
{
	put_names(p, s, "driver", &p->sink->servers.drivers, s->drivers);
}

void server_put_auth(struct page *p, const struct server *s)
{
	for (int i = 0; i < AUTH_COUNT; i++)
		if (s->auth[i])
			put_count(p, s, "method", auth_method_name(i), NULL, NULL, s->auth[i]);
}

void server_put_encryption(struct page *p, const struct server *s)
{
	static const char *const versions[] = {"none", "1.0", "1.1", "1.2", "1.3", "other"};

	for (int e = 0; e < ENCRYPTION_COUNT; e++)
		for (int v = 0; v < SERVER_TLS_COUNT; v++)
			if (s->encryption[e][v])
				put_count(p, s, "encryption", encryption_name(e), "tls_version",
					  versions[v], s->encryption[e][v]);
}

void server_put_retransmits(struct page *p, const struct server *s)
{
	put_count(p, s, "segment", "syn", NULL, NULL, s->syn_retransmits);
	put_count(p, s, "segment", "data", NULL, NULL, s->retransmits);
}

void server_put_out_of_order(struct page *p, const struct server *s)
{
	put_one(p, s, s->out_of_order);
}

void server_put_zero_windows(struct page *p, const struct server *s)
{
	put_one(p, s, s->zero_windows);
}

/* A date before 1970 is not written: no certificate in use has one. */
void server_put_certificate(struct page *p, const struct server *s)
{
	if (s->has_cert && s->cert_not_after_s >= 0)
		put_one(p, s, (uint64_t)s->cert_not_after_s);
}

void server_put_closes(struct page *p, const struct server *s)
{
	for (int by = 0; by < SIDE_COUNT; by++)
		for (int kind = 0; kind < SERVER_CLOSE_KINDS; kind++)
			if (s->closes[by][kind])
				put_count(p, s, "by", side_name(by) ?: "none", "kind",
					  kind == SERVER_CLOSE_GRACEFUL ? "graceful"
									: close_how_name(kind),
					  s->closes[by][kind]);
}

void server_put_commands(struct page *p, const struct server *s)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		struct exposition_label labels[3] = {
			{"server", s->name}, {"kind", command_kind_name(i) ?: LABEL_SET_UNKNOWN}};
		struct fixed_histogram times = s->commands[i];

		fixed_histogram_merge(&times, &s->kernel_commands[i]);
		if (histogram_count(&times))
			exposition_histogram(&p->expo, labels, 2, &times,
					     &prometheus_command_bounds, NULL);
	}
}

void server_put_resets(struct page *p, const struct server *s)
{
	put_one(p, s, s->resets);
}

void server_put_mars_sessions(struct page *p, const struct server *s)
{
	put_one(p, s, s->mars_sessions);
}

void server_put_mars_stalls(struct page *p, const struct server *s)
{
	put_one(p, s, s->mars_window_stalls);
}
