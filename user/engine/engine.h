/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * engine.h - the engine's front door: segments in, records out. Pure: no system call, no clock,
 * no stdio, no global state. Time comes with the segments and by engine_tick() alone.
 */
#ifndef TDSMON_ENGINE_H
#define TDSMON_ENGINE_H

#include <linux/types.h>

#include "engine/decrypt/decrypt_stats.h"
#include "engine/dependency/witness.h"
#include "engine/record.h"
#include "segment.h"

struct engine;

/* Ports as a set, shared by engine and sources. */
struct port_set {
	uint64_t bits[65536 / 64];
};

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
	return s->bits[port / 64] >> (port % 64) & 1;
}

static inline void port_set_add(struct port_set *s, uint16_t port)
{
	s->bits[port / 64] |= 1ull << (port % 64);
}

struct engine_config {
	const struct port_set *ports; /* server ports; must outlive the engine. What is added or
				       * removed later holds for new connections */
	bool any_port;		      /* besides, recognise TDS by a flow's first payload */
	bool browser;		      /* besides, ports that SQL Server Browser names */
	bool identities;	      /* fill user, domain, workstation */
	bool sql;		      /* tell what requests in clear say */
	bool live;		      /* segments come from the tap, not from a capture */
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
	uint64_t max_messages;	      /* bytes of messages under way, over all flows, that are put
				       * together from packets, and of MARS sessions; 0: 64 MiB */
	uint64_t reorder_ns;	      /* how long bytes that a peer acknowledged may still turn up;
				       * 0: 500 ms. Files: UINT64_MAX, packets alone decide */
	uint64_t give_up_ns;	      /* silence after which a login is given up; 0: 75 s */
	uint64_t slow_prelogin_ns;    /* tcp, prelogin and tls together; 0: 1 s */
	uint64_t slow_login_ns;	      /* the whole login; 0: 2 s */
	uint64_t idle_ns;	      /* silence after which a session is forgotten; 0: 4 h */
};

/* Callbacks; any may be NULL. They must not call the engine. */
struct engine_ops {
	void (*login)(void *ctx, const struct login_record *rec);
	void (*close)(void *ctx, const struct close_record *rec);
	void (*command)(void *ctx, const struct command_record *rec);
	/* A login that waits, after 5, 15, 30 and 60 s of one wait; at most 50 in a second. */
	void (*pending)(void *ctx, const struct pending_record *rec);
	/* What the source is to hand over of this flow from now on; client: which of the key's ends. */
	void (*tap)(void *ctx, const struct flow_key *key, uint8_t client, enum tap_level level);
	/* What the source knows of a flow that ends, and has not told; false if nothing. */
	bool (*state)(void *ctx, const struct flow_key *key, struct tap_state *out);
	/* SQL Server Browser was asked, and did not answer. */
	void (*browser)(void *ctx, const struct browser_record *rec);
	/* By what SQL Server Browser says a port is one of a server's from now on, or no longer. */
	void (*port)(void *ctx, uint16_t port, bool serves);
	/* True if addr (16 bytes) is this host's own. NULL: a capture, vantage is estimated. */
	bool (*is_local)(void *ctx, const uint8_t *addr);
};

struct engine_stats {
	uint64_t segments;		     /* handed in */
	uint64_t ignored;		     /* of no TDS port or flow */
	uint64_t flows;			     /* now in the table: */
	uint64_t in_login, in_session, over; /* with a login under way, after it, closed */
	uint64_t flows_evicted;		     /* for want of room, max_flows */
	uint64_t buffer_evicted;	     /* streams given up for want of room, max_buffer */
	uint64_t messages_refused; /* messages left unread, MARS sessions not followed, for want of
				    * room, max_messages */
	uint64_t missing_bytes;	   /* declared missing, all streams */
	uint64_t out_of_window;	   /* segments too far from their stream to be believed */
	uint64_t duplicates;	   /* the same packet seen twice */
	uint64_t clock_steps;	   /* times that a capture's clock jumped */
	uint64_t one_sided;	   /* connections of which one side was never seen */
	uint64_t lost_sync;	   /* streams that stopped framing as TDS, TLS or SMP */
	uint64_t logins, closes;   /* records emitted */
	uint64_t pending_suppressed;		    /* pending records left out, too many at once */
	uint64_t errorlog_entries, errorlog_joined; /* handed in; joined to a login */

	uint64_t datagrams;	     /* of SQL Server Browser, handed in besides the segments */
	uint64_t browser_questions;  /* repeated ones once */
	uint64_t browser_unanswered; /* of them, told as such */
	uint64_t browser_evicted;    /* of them, forgotten for want of room before an answer */
	uint64_t browser_malformed;  /* datagrams that are neither question nor answer */
	uint64_t browser_cut;	     /* answers of which only a part was there */
	uint64_t instances;	     /* known now */
	uint64_t instances_evicted;  /* for want of room */

	struct decrypt_stats decrypt; /* all 0 without secrets */
};

/* NULL for want of memory. ops is copied. */
struct engine *engine_new(const struct engine_config *config, const struct engine_ops *ops,
			  void *ctx);
void engine_free(struct engine *e);

/*
 * Take one segment, or with SEG_F_UDP one datagram; payload holds seg->cap_len bytes, or what
 * seg->rec_flags says, and may be reused on return. Segments of one source come in the order in which
 * they were seen; time going backwards is tolerated.
 */
void engine_segment(struct engine *e, const struct seg *seg, const uint8_t *payload);

/*
 * A line of a TLS key log (SSLKEYLOGFILE), without its line end: what it decrypts is read from then
 * on. Connections that began before the first line are not, unless engine_config says that lines
 * will come. True: it is a secret that may be of use; false: something else, or no memory. The line
 * is the caller's, to be wiped.
 */
bool engine_secret(struct engine *e, const char *line, size_t len);
/* As keys_late in engine_config, for connections that begin from now on. */
void engine_expect_late_keys(struct engine *e);

/*
 * An entry of the server's error log; its strings are copied. Entries may come before the segments of
 * their time, and up to a second after them. Without engine_config's errorlog nothing is done.
 */
void engine_errorlog(struct engine *e, const struct errorlog_entry *entry);

/*
 * The source lost packets, of whatever connections: what a login under way seems to lack may be
 * among them, so nothing is concluded from it any more.
 */
void engine_lost(struct engine *e);

/*
 * Nobody captured what went on until now_ns, when the next segment comes: after a pause as long as a
 * login is given up for, logins under way are decided as at the end. Sessions go on.
 */
void engine_resume(struct engine *e, uint64_t now_ns);

/* Move time on to now_ns (source's clock): give up, evict and emit what is due. */
void engine_tick(struct engine *e, uint64_t now_ns);

/* No more segments will come: decide every login and emit every close. */
void engine_finish(struct engine *e);

/*
 * Every login that is in progress, with what it waits for as of now, however short the wait. Half-open
 * connections count from when the client repeats its SYN.
 */
typedef void engine_in_progress_fn(void *ctx, const struct pending_record *rec);
void engine_in_progress(const struct engine *e, engine_in_progress_fn *fn, void *ctx);

/* A wait of a login whose side's socket may be on this host. */
struct engine_wait {
	struct flow_key key;
	uint8_t end; /* which of the key's ends is waited for */
	enum side side;
	uint64_t since_ns;
	uint32_t ifindex; /* where that side's packets are seen; 0: not known */
};

/*
 * The waits of logins that have gone on for WITNESS_FIRST_NS, each at growing distances, for the
 * source to look at their sockets now. fn may call engine_witness(). Returns when to call again, at
 * the latest; NO_NS: not before a login begins. Costs nothing for a login that is prompt.
 */
typedef void engine_wait_fn(void *ctx, const struct engine_wait *wait);
uint64_t engine_waiting(struct engine *e, uint64_t now_ns, engine_wait_fn *fn, void *ctx);

/*
 * What the source found of a socket. Of a connection that is not there, or whose login does not wait
 * for that end, nothing is kept.
 */
void engine_witness(struct engine *e, const struct witness_sample *sample);

/* What counts as slow from now on, as in engine_config; 0: the default. */
void engine_set_slow(struct engine *e, uint64_t slow_prelogin_ns, uint64_t slow_login_ns);

/* Add the server ports of the connections there are to ports. */
void engine_ports_in_use(const struct engine *e, struct port_set *ports);

/*
 * Ports not watched on which clients spoke TDS before a watched one saw a login, if one did; the
 * first few. Returns how many.
 */
#define ENGINE_STRANGERS 8
size_t engine_strangers(const struct engine *e, uint16_t ports[ENGINE_STRANGERS]);

/* As of now, until the next call. */
const struct engine_stats *engine_stats(struct engine *e);

#endif
