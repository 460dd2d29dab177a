/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * login.h - a login in progress: the state machine from SYN to answer, the marks that become steps
 * and phases, and the facts read on the way. Freed once the login is decided and reported.
 */
#ifndef TDSMON_LOGIN_H
#define TDSMON_LOGIN_H

#include "engine/decrypt/decrypt.h"
#include "engine/protocol/byte_buf.h"
#include "engine/stream/flow_table.h"
#include "engine/login/size_inference.h"
#include "engine/protocol/proxy_header.h"
#include "engine/protocol/sspi.h"
#include "engine/stream/repeats.h"
#include "engine/protocol/tds.h"
#include "engine/protocol/tls.h"
#include "engine/login/login_waits.h"
#include "lib/units.h"

#define LOGIN_MARKS   64
#define LOGIN_IDLE_NS (5 * NS_PER_S) /* a hidden login is judged by silence after this long */
#define LOGIN_WAIT_NS NS_PER_S	     /* a close from here on is timed_out: docs/MANUAL.md */

enum login_state {
	LOGIN_TCP,	     /* no TDS yet */
	LOGIN_PRELOGIN,	     /* the client's PRELOGIN was seen */
	LOGIN_PRELOGIN_DONE, /* PRELOGIN was answered */
	LOGIN_TLS,	     /* ClientHello seen */
	LOGIN_TLS_DONE,	     /* both Finished seen */
	LOGIN_SENT,	     /* LOGIN7 seen, or a message that must be it */
	LOGIN_DECIDED,
};

/* The end of a message: its sender and its phase. The time before it is a step. */
struct mark {
	uint64_t ts_ns;
	uint8_t kind; /* enum step_kind */
	uint8_t phase;
	uint8_t waited_for; /* enum side */
	bool disorder;	    /* since the previous mark, segments were late or sent again */
	bool zero_windows;  /* in that time a side's window was closed */
};

/* The first bytes that a side sent. */
struct beginning {
	uint8_t bytes[8];
	uint8_t len;
	uint8_t lost_at; /* so many of them showed that it is not TDS; 0: it may be TDS */
};

/* A TDS message being put together; if it came in one piece, it is read in place. */
struct message {
	struct buf body;
	const uint8_t *data; /* the whole message, once the last packet's body is there */
	uint32_t len;
	uint8_t type;
	bool open;
	bool headless; /* bytes before or within it are missing */
	bool carrier;  /* its payload is TLS */
	bool inside;   /* it began in a TLS record that was decrypted */
	bool decided;  /* carrier is decided */
};

struct history;
struct witness;

/*
 * All that logins need of their owner, and know of each other. Its owner fills it in.
 */
struct login_env {
	bool capture;		       /* not the tap: packets may be missing without notice */
	bool identities;	       /* names of users are wanted */
	uint64_t slow_prelogin_ns;     /* as in engine_config */
	uint64_t slow_login_ns;	       /* likewise */
	uint64_t lost_ns;	       /* the source lost packets up to this time; 0: never */
	struct pool *pool;	       /* of messages' memory */
	struct spare_logins *spare;    /* NULL: freed logins are not kept */
	struct cert_cache *certs;      /* shared by all */
	const struct answers *answers; /* to the other logins */
	const struct history *history; /* of the other logins: for verdict/, which knows it */
	void (*forget)(void *ctx, void *packets); /* engine_ops' own, and what it takes first */
	void *forget_ctx;
};

/*
 * Memory of freed logins, for the next ones. It begins 0. Builds with sanitizers keep none, so that the use
 * of a freed login is found.
 */
#ifndef SPARE_LOGINS_MOST
#define SPARE_LOGINS_MOST 16
#endif
struct spare_logins {
	struct login *at[SPARE_LOGINS_MOST];
	uint32_t count;
};
void spare_logins_release(struct spare_logins *spare);

struct login {
	struct tcp_facts tcp; /* written by the reassembly: the flow's */
	const struct login_env *env;
	uint64_t first_ns;    /* when this login's first segment was seen */
	struct lookup lookup; /* the client's request before it connected */
	struct wait wait;
	struct witness *witness; /* of its waits' sockets; NULL: none was looked at */
	struct logwait logwait;
	void *packets;				   /* as in engine_ops */
	const struct errorlog_entry *errorlog;	   /* joined to it; NULL: none */
	uint32_t disorder_told, zero_windows_told; /* TCP's counts up to the last mark */
	uint64_t missing_bytes;
	bool ttl_differs; /* the reset came from another distance than its side's other packets */

	enum login_state state;
	enum side owes;	      /* the side whose message is due */
	uint64_t spoke_ns[2]; /* end of each side's last message, or of the TCP handshake */
	struct message message[2];
	struct framer tls_framer[2]; /* TLS records inside TDS packets */
	struct tls tls;
	struct decrypt *decrypt; /* the flow's; NULL: no key log is read */
	bool inside;		 /* the current frame came in a TLS record that was decrypted */
	uint32_t last_unit;	 /* index of the login's last hidden message, once it is decided */
	uint32_t mark_count;
	uint32_t sound_marks; /* how many of these no loss can have touched; see login_gap() */
	bool framed[2];	      /* a whole frame was seen */
	struct proxy proxy;
	struct beginning beginning[2];
	bool lossy;	    /* segments are missing */
	bool one_sided;	    /* all segments of one direction are missing */
	bool ring_lost;	    /* the tap lost packets in the meantime, perhaps this login's */
	bool clock_stepped; /* the capture's clock jumped: times after sound_marks do not hold */
	bool ack_unsure;    /* the ACK was not recognised, and may be missing: the time when TCP was
			     * established is not known */
	bool cut;	    /* payload was not captured (snap length) */
	bool unread;	    /* the outcome depends on payload that was not captured */
	bool not_tds, strict, login7_clear, login7_hidden;
	bool large_prelogin;   /* TDS 8: the first message inside is larger than a PRELOGIN, */
	bool no_prelogin;      /* and was not answered like one: no message can be named */
	bool answered;	       /* LOGIN7 had its first answer */
	bool has_clear_answer; /* the server gave it in clear */
	bool full;	       /* the server goes on in TLS records after the handshake */
	bool judged_idle;
	bool silent;	   /* its time is over, and its record is kept back: engine/silence.h */
	enum side alerted; /* the side that first sent an alert after the handshake, or SIDE_NONE */
	uint64_t alerted_ns;
	bool answer_cut; /* the answer to LOGIN7 was not captured whole */

	/* facts */
	struct tds_prelogin prelogin[2];
	struct tds_login7 login7;
	struct tds_answer answer; /* the last */
	enum auth_method method;
	enum basis method_basis;
	const char *grounds;
	uint32_t rounds;
	bool token_seen, null_credentials;
	char *ntlm_user, *ntlm_domain, *ntlm_workstation;
	int32_t spid;

	/* decision */
	enum outcome outcome;
	enum basis outcome_basis;
	enum confidence confidence;
	const char *outcome_grounds;	/* NULL: the outcome was read */
	struct answer_size answer_size; /* of the final answer; most 0: not known */
	uint32_t login7_size;		/* in clear */
	uint64_t answer_left_ns;	/* from the final answer to the server's close; or NO_NS */
	bool awaits_next; /* its client's next connection may show whether it was sent on */
	uint32_t next_first, next_final; /* if so, these units are its answers */
	struct endpoint next;		 /* the client went there; port 0: nowhere */
	uint64_t next_ns;		 /* so long after the answer */
	enum side closed_by;
	enum close_how closed_how;
	uint64_t waited_ns; /* by the side that closed, for the other side */
	bool late_answer;   /* an answer came after the client had left */
	int32_t late_error; /* the answer was a refusal with this number; 0: no refusal */
	bool gave_up;	    /* the monitor gave the login up */
	bool at_end;	    /* the capture ended first, */
	bool evicted;	    /* or the connection was evicted */
	/* Bytes that the side that was waited for never got, or never acknowledged. */
	struct unacked unacked;
	uint32_t part, whole; /* bytes of the message that the other side began to send; whole 0: it
			       * began none */

	/* Large, and valid as far as they count: login_new() zeroes nothing from here on. */
	struct units units; /* messages that TLS hides */
	struct mark marks[LOGIN_MARKS];
};

_Static_assert(offsetof(struct login, tcp) == 0, "struct flow has both in one pointer");

/* NULL: no memory. env must outlive the login. first_ns: when its first segment was seen. */
struct login *login_new(const struct login_env *env, uint64_t first_ns);
/* l may be NULL. Its places in lists, and its witness, are its owner's to free before. */
void login_free(struct login *l);

/* TCP's handshake is complete: tcp_facts_segment(). */
void login_established(struct login *l, const struct seg *seg, uint64_t ts_ns);
/* Does a reset of this side show that nobody listens, so that the client may still try again? */
bool login_refused(const struct login *l, enum side by);
void login_head(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns);
void login_body(struct flow *f, enum side from, const struct framer *frame, const uint8_t *data,
		uint32_t len, uint64_t ts_ns);
void login_end(struct flow *f, enum side from, const struct framer *frame, uint64_t ts_ns);
void login_lost(struct flow *f, enum side from, uint64_t ts_ns);
void login_gap(struct flow *f, enum side from, uint32_t len, bool missing);

/* A side left (or SIDE_NONE: nobody did, we stop following): decide. */
void login_closed(struct flow *f, enum side by, enum close_how how, uint64_t ts_ns);
/*
 * Nobody closed. how: CLOSE_IDLE, it was silent too long; else the capture ended, or it was
 * evicted.
 */
void login_give_up(struct flow *f, uint64_t now_ns, enum close_how how);
/* Only a logged-in client sends this frame: does it decide the login? */
bool login_proven_by(struct login *l, enum side from, const struct framer *frame);
/* Nothing has come for a while: the silence may decide a hidden login. */
void login_judge_idle(struct flow *f);

/* Did the capture's clock jump before the login's last step, so that its whole time is not known? */
static inline bool login_clock_jumped(const struct login *l)
{
	return l->clock_stepped && l->sound_marks < l->mark_count;
}

/* Joined in the middle: nothing of the TCP handshake was seen. */
bool login_joined(const struct login *l);

/* Do the values of the ENCRYPTION option exclude a login? MS-TDS 2.2.6.5 */
bool login_encryption_excludes(const struct login *l);

/* The login's current phase, for close records. */
enum phase login_phase(const struct login *l);

#endif
