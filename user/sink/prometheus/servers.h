/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * servers.h - the counts of each server, for a bounded number of servers.
 */
#ifndef TDSMON_SERVERS_H
#define TDSMON_SERVERS_H

#include "lib/fixed_histogram.h"
#include "sink/prometheus/label_set.h"
#include "sink/sink.h"

#define SERVERS_MAX 256
/* Most addresses that never answered: a scan must not take all places. */
#define SERVERS_SILENT_MAX (SERVERS_MAX / 2)
#define SERVERS_SLOTS	   1024 /* of the hash table, a power of two */

/* TLS versions as label values. */
enum server_tls {
	SERVER_TLS_NONE,
	SERVER_TLS_10,
	SERVER_TLS_11,
	SERVER_TLS_12,
	SERVER_TLS_13,
	SERVER_TLS_OTHER,
	SERVER_TLS_COUNT
};

/* How connections ended: the words of close records, and one for a graceful end. */
#define SERVER_CLOSE_GRACEFUL CLOSE_COUNT
#define SERVER_CLOSE_KINDS    (CLOSE_COUNT + 1)

/* The latest login in a bucket of the histogram. */
struct server_exemplar {
	uint64_t id;	      /* of the login record */
	uint64_t ns, time_ns; /* time_ns: wall time */
	struct endpoint client;
	char connection_id[RECORD_GUID_LEN]; /* "": not seen */
	bool set;
};

struct server {
	struct endpoint endpoint;
	bool answered;
	char name[SINK_ENDPOINT_MAX]; /* the label's value */

	struct fixed_histogram duration, phases[PHASE_SESSION], commands[COMMAND_COUNT];
	struct fixed_histogram
		kernel_commands[COMMAND_COUNT]; /* commands that the kernel counted */
	struct server_exemplar exemplars[FIXED_HISTOGRAM_BUCKETS + 1]; /* of duration */
	uint64_t wait_ns[PHASE_SESSION][SIDE_NONE];
	uint64_t part_ns[PART_COUNT];
	uint64_t throttled_ns;
	bool has_throttled;
	bool has_socket; /* its sockets were seen: it is on this host */
	uint64_t outcomes[OUTCOME_COUNT][BASIS_COUNT];
	uint64_t classes[VERDICT_CLASS_COUNT];
	uint64_t auth[AUTH_COUNT];
	uint64_t encryption[ENCRYPTION_COUNT][SERVER_TLS_COUNT];
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t errors[LABEL_SET_IDS], drivers[LABEL_SET_IDS];
	uint64_t syn_retransmits, retransmits, out_of_order, zero_windows;
	int64_t cert_not_after_s;
	bool has_cert;
	uint64_t closes[SIDE_COUNT][SERVER_CLOSE_KINDS];
	uint64_t in_progress, oldest_ns;      /* current logins, and the age of the oldest */
	uint64_t unread_logins, unread_bytes; /* those of them of which it has bytes to read */
	uint64_t resets, mars_sessions, mars_window_stalls;
};

struct servers {
	struct label_set errors, drivers;
	size_t count, silent;
	uint64_t folded; /* records of servers without a place */
	struct server *slots[SERVERS_SLOTS];
	struct server *all[SERVERS_MAX + 1]; /* the last one is "other", allocated when needed */
};

void servers_init(struct servers *s); /* s is all zeroes */
void servers_release(struct servers *s);

/* Count a record. */
void servers_login(struct servers *s, const struct login_record *rec,
		   const struct wallclock *clock);
void servers_close(struct servers *s, const struct close_record *rec);
void servers_command(struct servers *s, const struct command_record *rec);

/* Count a login in progress. The caller removes it before the next page. */
void servers_add_progress(struct servers *s, const struct pending_record *rec);

/*
 * Count commands that a source counted itself since its beginning; port 0: those of all other
 * servers. The caller removes them before the next page.
 */
void servers_add_commands(struct servers *s, const struct endpoint *server, enum command_kind kind,
			  const struct fixed_histogram *times);

#endif
