/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * engine.h - the engine's interface: it takes segments and returns records. Pure: no system call,
 * no clock, no stdio, no global state. Only the segments and engine_tick() bring the time.
 */
#ifndef TDSMON_ENGINE_H
#define TDSMON_ENGINE_H

#include <linux/types.h>

#include "engine/decrypt/decrypt_stats.h"
#include "engine/dependency/witness.h"
#include "engine/record.h"
#include "lib/port_set.h"
#include "segment.h"

struct engine;

struct engine_config {
	const struct port_set *ports; /* server ports; must outlive the engine. A port added or
				       * removed later counts for new connections */
	bool any_port;		      /* also recognise TDS by a flow's first payload */
	bool browser;		      /* also watch ports that SQL Server Browser names */
	bool identities;	      /* fill user, domain, workstation */
	bool sql;		      /* report the text of requests in clear */
	bool kernel_times_commands;   /* live: the kernel times the commands whose heads it does not
				       * forward; only forwarded ones produce records */
	bool keys;		      /* secrets will come: engine_secret(), */
	bool keys_late;		      /* and may come after the packets that they decrypt */
	bool errorlog;		      /* entries of the server's error log come: logins that were
				       * refused or broke off wait a second for theirs */
	bool dependencies;	      /* follow what hosts ask of DNS, KDCs, domain controllers */
	uint64_t seed[2];	      /* of hash tables, secret; 0: files', always the same. No
				       * record depends on it */
	uint32_t max_flows;	      /* 0: default, 65,536; the least recently used is evicted */
	uint64_t max_buffer;	      /* bytes held for reassembly over all flows; 0: 64 MiB */
	uint64_t max_messages;	      /* bytes, over all flows, of incomplete messages that are put
				       * together from packets, and of MARS sessions; 0: 64 MiB */
	uint64_t reorder_ns;	      /* how long to wait for bytes that a peer acknowledged and
				       * that were not seen; 0: 500 ms. Files: UINT64_MAX, only
				       * packets decide */
	uint64_t give_up_ns;	      /* silence after which a login is given up; 0: 75 s */
	bool keep_silent; /* such a login's record waits for the connection's next packet, or
				       * for the end: a packet may show that others are missing */
	uint64_t slow_prelogin_ns; /* tcp, prelogin and tls together; 0: 1 s */
	uint64_t slow_login_ns;	   /* the whole login; 0: 2 s */
	uint64_t idle_ns;	   /* silence after which a session is forgotten; 0: 4 h */
};

/* A capture, not the tap: packets may be missing without notice, and only packets end a wait. */
static inline bool engine_reads_capture(const struct engine_config *config)
{
	return config->reorder_ns == UINT64_MAX;
}

/* Callbacks; any may be NULL. They must not call the engine. */
struct engine_ops {
	void (*login)(void *ctx, const struct login_record *rec);
	void (*close)(void *ctx, const struct close_record *rec);
	void (*command)(void *ctx, const struct command_record *rec);
	/*
	 * A login waits: called after 5, 15, 30 and 60 s of one wait, at most 50 times in a second.
	 */
	void (*pending)(void *ctx, const struct pending_record *rec);
	/*
	 * The source hands over this much of the flow from now on. client: which of the key's ends.
	 */
	void (*tap)(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level);
	/*
	 * Ask the source what it knows of a flow that ends, and has not reported; false: nothing.
	 */
	bool (*state)(void *ctx, const struct flow_key *key, struct tap_state *out);
	/* A client asked SQL Server Browser, and got no answer. */
	void (*browser)(void *ctx, const struct browser_record *rec);
	/* SQL Server Browser says that the port is a server's from now on, or no longer. */
	void (*port)(void *ctx, uint16_t port, bool serves);
	/*
	 * A login under way takes this packet. *packets is the caller's own: NULL at first, handed
	 * on in the login's record, and given to forget(), unless it is NULL, when the login ends,
	 * which may be without a record.
	 */
	void (*packet)(void *ctx, void **packets, const struct seg *seg, const uint8_t *payload);
	void (*forget)(void *ctx, void *packets);
	/* A packet between a host and a service that a login may depend on. */
	void (*service)(void *ctx, const struct seg *seg, const uint8_t *payload);
	/* True if addr (16 bytes) is this host's own. NULL: a capture; the vantage is estimated. */
	bool (*is_local)(void *ctx, const uint8_t *addr);
};

struct engine_stats {
	uint64_t segments;		     /* handed in */
	uint64_t ignored;		     /* belong to no TDS port or flow */
	uint64_t flows;			     /* now in the table: */
	uint64_t in_login, in_session, over; /* with a login under way, after it, closed */
	uint64_t flows_evicted;		     /* table full: max_flows */
	uint64_t buffer_evicted;	     /* streams given up, no room: max_buffer */
	uint64_t messages_refused;	     /* messages left unread, MARS sessions not followed:
				    * max_messages reached */
	uint64_t missing_bytes;		     /* declared missing, all streams */
	uint64_t out_of_window;		     /* segments too far from their stream to be believed */
	uint64_t duplicates;		     /* the same packet seen twice */
	uint64_t clock_steps;		     /* times that a capture's clock jumped */
	uint64_t one_sided;		     /* connections of which one side was never seen */
	uint64_t lost_sync;		     /* streams that stopped framing as TDS, TLS or SMP */
	uint64_t logins, closes;	     /* records emitted */
	uint64_t pending_suppressed;	     /* pending records left out, too many at once */
	uint64_t errorlog_entries, errorlog_joined; /* handed in; joined to a login */

	uint64_t datagrams;	     /* of SQL Server Browser; not among the segments */
	uint64_t browser_questions;  /* each counts once, however often it was repeated */
	uint64_t browser_unanswered; /* of them, reported as unanswered */
	uint64_t browser_evicted;    /* of them, dropped without an answer, no room */
	uint64_t browser_malformed;  /* datagrams that are neither question nor answer */
	uint64_t browser_cut;	     /* answers captured in part */
	uint64_t instances;	     /* known now */
	uint64_t instances_evicted;  /* no room */

	struct decrypt_stats decrypt; /* all 0 without secrets */
};

/* NULL: no memory. ops is copied. */
struct engine *engine_new(const struct engine_config *config, const struct engine_ops *ops,
			  void *ctx);
void engine_free(struct engine *e);

/*
 * Take one segment, or with SEG_F_UDP one datagram. payload holds seg->cap_len bytes, or what
 * seg->rec_flags says; the caller may reuse it on return. Segments of one source come in the order
 * in which they were seen; the engine tolerates time that goes backwards.
 */
void engine_segment(struct engine *e, const struct seg *seg, const uint8_t *payload);

/*
 * Take a line of a TLS key log (SSLKEYLOGFILE), without its line end. The engine decrypts with it
 * from then on. It does not decrypt connections that began before the first line, unless
 * engine_config says that lines will come. True: the line is a secret that may be of use; false: it
 * is something else, or there is no memory. The line stays the caller's, who wipes it.
 */
bool engine_secret(struct engine *e, const char *line, size_t len);
/* As keys_late in engine_config, for connections that begin from now on. */
void engine_expect_late_keys(struct engine *e);
/* As keep_silent in engine_config. */
void engine_keep_silent(struct engine *e);

/*
 * An entry of the server's error log; its strings are copied. Entries may come before the segments of
 * their time, and up to a second after them. Without engine_config's errorlog nothing is done.
 */
void engine_errorlog(struct engine *e, const struct errorlog_entry *entry);

/*
 * The source lost packets of unknown connections, at now_ns or before. They may be the ones that a
 * login lacks that began before now_ns, so the engine concludes nothing from their absence. now_ns
 * is the source's clock when it noticed the loss, not the time of the last segment: segments from
 * before the loss may still be on their way here.
 */
void engine_lost(struct engine *e, uint64_t now_ns);

/*
 * Nothing was captured until now_ns, when the next segment comes. After a pause as long as
 * give_up_ns, the engine decides logins in progress as at the end. Sessions go on.
 */
void engine_resume(struct engine *e, uint64_t now_ns);

/* Nothing more was captured, until now_ns: waits go on until then. engine_finish() follows. */
void engine_ends(struct engine *e, uint64_t now_ns);

/* Advance time to now_ns (source's clock): give up, evict and emit what is due. */
void engine_tick(struct engine *e, uint64_t now_ns);

/* No more segments will come: decide every login and emit every close. */
void engine_finish(struct engine *e);

/*
 * Report every login in progress and what it waits for now, however short the wait. Half-open
 * connections count once the client repeats its SYN.
 */
typedef void engine_in_progress_fn(void *ctx, const struct pending_record *rec);
void engine_in_progress(const struct engine *e, engine_in_progress_fn *fn, void *ctx);

/*
 * Report what the services that logins depend on were asked so far, by kind and peer: at most
 * ENGINE_DEPENDENCIES. Nothing, if they are not followed.
 */
#define ENGINE_DEPENDENCIES (DEPENDENCY_COUNT * (DEPENDENCY_PEERS + 1))
typedef void engine_dependency_fn(void *ctx, const struct dependency_total *total);
void engine_dependencies(struct engine *e, engine_dependency_fn *fn, void *ctx);

/* A login waits for a side whose socket may be on this host. */
struct engine_wait {
	struct flow_key key;
	uint8_t end; /* the end that is waited for, of the key's two */
	enum side side;
	uint64_t since_ns;
	uint32_t ifindex; /* that side's packets are seen here; 0: not known */
};

/*
 * Report each login that has waited for WITNESS_FIRST_NS or more, at growing intervals, so that the
 * source looks at its socket now. fn may call engine_witness(). Returns when to call again, at the
 * latest; NO_NS: not before a login begins. Costs nothing for a prompt login.
 */
typedef void engine_wait_fn(void *ctx, const struct engine_wait *wait);
uint64_t engine_waiting(struct engine *e, uint64_t now_ns, engine_wait_fn *fn, void *ctx);

/*
 * Take what the source found of a socket. Dropped if the connection does not exist, or if its login
 * does not wait for that end.
 */
void engine_witness(struct engine *e, const struct witness_sample *sample);

/* Set the times from which a login is slow, as in engine_config; 0: the default. */
void engine_set_slow(struct engine *e, uint64_t slow_prelogin_ns, uint64_t slow_login_ns);

/* Add the server ports of all present connections to ports. */
void engine_ports_in_use(const struct engine *e, struct port_set *ports);

/*
 * The first ports, not watched, on which clients spoke TDS before any login on a watched port was
 * seen. Returns how many.
 */
#define ENGINE_STRANGERS 8
size_t engine_strangers(const struct engine *e, uint16_t ports[ENGINE_STRANGERS]);

/* The counts as of now, valid until the next call. */
const struct engine_stats *engine_stats(struct engine *e);

#endif
