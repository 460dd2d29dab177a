// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * servers.c - the counts of each server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink/prometheus/drivers.h"
#include "sink/prometheus/bounds.h"
#include "sink/prometheus/servers.h"

/* Reserve places for the known drivers, whatever comes first. */
void servers_init(struct servers *s)
{
	for (size_t i = 0; i < drivers_count(); i++)
		label_set_id(&s->drivers, drivers_name(i));
}

void servers_release(struct servers *s)
{
	for (size_t i = 0; i <= SERVERS_MAX; i++)
		free(s->all[i]);
}

/* FNV-1a, over address and port. */
static uint32_t endpoint_hash(const struct endpoint *ep)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(ep->addr); i++)
		hash = (hash ^ ep->addr[i]) * 16777619u;
	hash = (hash ^ (ep->port & 0xff)) * 16777619u;
	return (hash ^ (ep->port >> 8)) * 16777619u;
}

/* A server's slot, or the free one for it. At most a quarter of the table is in use. */
static struct server **slot_for(struct servers *s, const struct endpoint *ep)
{
	uint32_t at = endpoint_hash(ep) % SERVERS_SLOTS;

	while (s->slots[at] && !endpoint_same(&s->slots[at]->endpoint, ep))
		at = (at + 1) % SERVERS_SLOTS;
	return &s->slots[at];
}

static struct server *server_new(const char *name)
{
	struct server *server = calloc(1, sizeof(*server));

	if (server)
		snprintf(server->name, sizeof(server->name), "%s", name);
	return server;
}

static struct server *server_other(struct servers *s)
{
	if (!s->all[SERVERS_MAX])
		s->all[SERVERS_MAX] = server_new("other");
	return s->all[SERVERS_MAX];
}

/* answered: this record shows that a server exists there. NULL: out of memory. */
static struct server *server_for(struct servers *s, const struct endpoint *ep, bool answered)
{
	struct server **slot = slot_for(s, ep);
	char name[SINK_ENDPOINT_MAX];

	if (!*slot) {
		if (s->count == SERVERS_MAX || (!answered && s->silent == SERVERS_SILENT_MAX)) {
			s->folded++;
			return server_other(s);
		}
		*slot = server_new(sink_endpoint(ep, name));
		if (!*slot)
			return NULL;
		(*slot)->endpoint = *ep;
		s->all[s->count++] = *slot;
		s->silent++;
	}
	if (answered && !(*slot)->answered) {
		(*slot)->answered = true;
		s->silent--;
	}
	return *slot;
}

static bool login_answered(const struct login_record *rec)
{
	return rec->outcome == OUTCOME_OK || rec->outcome == OUTCOME_REFUSED ||
	       rec->outcome == OUTCOME_REDIRECTED || rec->tds.server_version || rec->tls.version;
}

static enum server_tls tls_version(const struct tls_facts *tls)
{
	static const char *const versions[] = {
		[SERVER_TLS_10] = "1.0",
		[SERVER_TLS_11] = "1.1",
		[SERVER_TLS_12] = "1.2",
		[SERVER_TLS_13] = "1.3",
	};

	if (!tls->version)
		return SERVER_TLS_NONE;
	for (int i = SERVER_TLS_10; i < SERVER_TLS_OTHER; i++)
		if (!strcmp(versions[i], tls->version))
			return (enum server_tls)i;
	return SERVER_TLS_OTHER;
}

static void count_times(struct server *server, const struct login_record *rec,
			const struct wallclock *clock)
{
	struct server_exemplar *exemplar;

	if (!sink_timed(rec) || rec->total_ns == NO_NS)
		return;
	exemplar = &server->exemplars[fixed_histogram_add(&server->duration,
							  &prometheus_login_bounds, rec->total_ns)];
	*exemplar = (struct server_exemplar){.id = rec->id,
					     .ns = rec->total_ns,
					     .time_ns = wallclock_ns(clock, rec->end_ns),
					     .client = rec->client,
					     .set = true};
	if (rec->tds.connection_id)
		snprintf(exemplar->connection_id, sizeof(exemplar->connection_id), "%s",
			 rec->tds.connection_id);
	for (int i = 0; i < PHASE_SESSION; i++)
		if (rec->phase_ns[i] != NO_NS)
			fixed_histogram_add(&server->phases[i], &prometheus_login_bounds,
					    rec->phase_ns[i]);
	for (size_t i = 0; i < rec->step_count; i++) {
		const struct step *step = &rec->steps[i];

		if (step->phase < PHASE_SESSION && step->waits_on < SIDE_NONE)
			server->wait_ns[step->phase][step->waits_on] += step->ns;
	}
	for (size_t i = 0; i < rec->part_count; i++)
		server->part_ns[rec->parts[i].part] += rec->parts[i].ns;
}

void servers_login(struct servers *s, const struct login_record *rec, const struct wallclock *clock)
{
	struct server *server = server_for(s, &rec->server, login_answered(rec));
	char number[16];

	if (!server)
		return;
	count_times(server, rec, clock);
	server->outcomes[rec->outcome][rec->outcome_basis]++;
	server->classes[rec->verdict.class]++;
	server->auth[rec->auth.method]++;
	server->encryption[rec->encryption.effective][tls_version(&rec->tls)]++;
	server->verdicts[rec->verdict.id]++;
	server->drivers[label_set_id(&s->drivers,
				     driver_known(rec->tds.driver) ?: rec->tds.driver)]++;
	if (rec->has_error) {
		snprintf(number, sizeof(number), "%d", rec->error.number);
		server->errors[label_set_id(&s->errors, number)]++;
	}
	server->has_socket |= rec->host && rec->host->side == SIDE_SERVER;
	if (rec->host && rec->host->side == SIDE_SERVER && rec->host->throttled_ns != NO_NS) {
		server->has_throttled = true;
		server->throttled_ns += rec->host->throttled_ns;
	}
	server->syn_retransmits += rec->tcp.syn_retransmits;
	server->retransmits += rec->tcp.retransmits;
	server->out_of_order += rec->tcp.out_of_order;
	server->zero_windows += rec->tcp.zero_windows;
	if (rec->tls.seen && rec->tls.cert.subject) {
		server->has_cert = true;
		server->cert_not_after_s = rec->tls.cert.not_after_s;
	}
}

void servers_close(struct servers *s, const struct close_record *rec)
{
	struct server *server = server_for(s, &rec->server, rec->phase == PHASE_SESSION);

	if (!server)
		return;
	server->closes[rec->by][rec->graceful ? SERVER_CLOSE_GRACEFUL : rec->how]++;
	server->resets += rec->reset_connections;
	if (!rec->has_mars)
		return;
	server->mars_sessions += rec->mars_sessions;
	server->mars_window_stalls += rec->mars_window_stalls;
}

void servers_command(struct servers *s, const struct command_record *rec)
{
	struct server *server;

	if (rec->total_ns == NO_NS)
		return;
	server = server_for(s, &rec->server, true);
	if (server)
		fixed_histogram_add(&server->commands[rec->kind], &prometheus_command_bounds,
				    rec->total_ns);
}

/* As server_for(), but a server without a place was already counted with its first record. */
static struct server *server_again(struct servers *s, const struct endpoint *ep, bool answered)
{
	uint64_t folded = s->folded;
	struct server *server = server_for(s, ep, answered);

	s->folded = folded;
	return server;
}

void servers_add_progress(struct servers *s, const struct pending_record *rec)
{
	struct server *server = server_again(s, &rec->server, false);
	uint64_t age_ns = rec->time_ns > rec->start_ns ? rec->time_ns - rec->start_ns : 0;

	if (!server)
		return;
	server->in_progress++;
	if (rec->waits_on == SIDE_SERVER && rec->unread) {
		server->has_socket = true;
		server->unread_logins++;
		server->unread_bytes += rec->unread;
	}
	if (age_ns > server->oldest_ns)
		server->oldest_ns = age_ns;
}

void servers_add_commands(struct servers *s, const struct endpoint *ep, enum command_kind kind,
			  const struct fixed_histogram *times)
{
	struct server *server = ep->port ? server_again(s, ep, true) : server_other(s);

	if (server)
		fixed_histogram_merge(&server->kernel_commands[kind], times);
}
