/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record.h - the engine's output: login, close and command records, which are all that the sinks
 * see of the engine. Strings are UTF-8 and live until the callback returns; NULL is "not seen".
 * Durations are ns; times are ns on the source's clock. NO_NS is "did not happen".
 *
 * id names the connection in all its records. It is SipHash-2-4 of the time of the connection's
 * first packet (on the source's clock), its two ends, the lower address first, and its tunnel (0:
 * no tunnel). The key is fixed, so that a capture gives the same ids whenever it is read.
 */
#ifndef TDSMON_RECORD_H
#define TDSMON_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/verdict/verdict_list.h"

#define NO_NS UINT64_MAX

struct endpoint {
	uint8_t addr[16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	uint16_t port;	  /* host order */
};

static inline bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
	return !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static inline bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && endpoint_same_host(a, b);
}

/*
 * Split a record's tunnel (0: no tunnel). Returns the kind, "vxlan", "geneve", "gre" or "erspan",
 * or NULL for no tunnel; and the VNI, key or session, or -1 if the tunnel has none that is known.
 */
const char *tunnel_kind(uint32_t tunnel);
int64_t tunnel_id(uint32_t tunnel);

/* X-macros keep an enum and its words together: X(enumerator, "word in JSON"). */
#define VANTAGES(X)                                                                                \
	X(VANTAGE_UNKNOWN, "unknown")                                                              \
	X(VANTAGE_SERVER, "server")                                                                \
	X(VANTAGE_CLIENT, "client")                                                                \
	X(VANTAGE_MIDDLE, "middle")

#define OUTCOMES(X)                                                                                \
	X(OUTCOME_INCOMPLETE, "incomplete")                                                        \
	X(OUTCOME_UNANSWERED, "unanswered")                                                        \
	X(OUTCOME_REJECTED, "rejected")                                                            \
	X(OUTCOME_NOT_TDS, "not_tds")                                                              \
	X(OUTCOME_OK, "ok")                                                                        \
	X(OUTCOME_REFUSED, "refused")                                                              \
	X(OUTCOME_REDIRECTED, "redirected")                                                        \
	X(OUTCOME_TIMED_OUT, "timed_out")                                                          \
	X(OUTCOME_TLS_FAILED, "tls_failed")                                                        \
	X(OUTCOME_PROBE, "probe")                                                                  \
	X(OUTCOME_ABANDONED, "abandoned")                                                          \
	X(OUTCOME_DROPPED, "dropped")

#define PHASES(X)                                                                                  \
	X(PHASE_TCP, "tcp")                                                                        \
	X(PHASE_PRELOGIN, "prelogin")                                                              \
	X(PHASE_TLS, "tls")                                                                        \
	X(PHASE_LOGIN, "login")                                                                    \
	X(PHASE_AUTH, "auth")                                                                      \
	X(PHASE_SESSION, "session") /* close records only */

#define SIDES(X)                                                                                   \
	X(SIDE_CLIENT, "client")                                                                   \
	X(SIDE_SERVER, "server")                                                                   \
	X(SIDE_NETWORK, "network") /* steps only */                                                \
	X(SIDE_NONE, NULL)	   /* null in JSON */

/* PRELOGIN's ENCRYPTION option, MS-TDS 2.2.6.5, without the client certificate bit (0x80). */
#define ENCRYPT_OPTIONS(X)                                                                         \
	X(ENCRYPT_NOT_SEEN, NULL)                                                                  \
	X(ENCRYPT_OFF, "off")                                                                      \
	X(ENCRYPT_ON, "on")                                                                        \
	X(ENCRYPT_NOT_SUP, "not_supported")                                                        \
	X(ENCRYPT_REQ, "required")

/* How much of the connection is encrypted, as seen on the wire. */
#define ENCRYPTIONS(X)                                                                             \
	X(ENCRYPTION_UNKNOWN, "unknown")                                                           \
	X(ENCRYPTION_NONE, "none")                                                                 \
	X(ENCRYPTION_LOGIN, "login")                                                               \
	X(ENCRYPTION_FULL, "full")                                                                 \
	X(ENCRYPTION_STRICT, "strict")

#define AUTH_METHODS(X)                                                                            \
	X(AUTH_UNKNOWN, "unknown")                                                                 \
	X(AUTH_SQL, "sql")                                                                         \
	X(AUTH_WINDOWS, "windows")                                                                 \
	X(AUTH_NTLM, "ntlm")                                                                       \
	X(AUTH_KERBEROS, "kerberos")                                                               \
	X(AUTH_FEDAUTH, "fedauth")

#define BASES(X)                                                                                   \
	X(BASIS_UNKNOWN, "unknown")                                                                \
	X(BASIS_OBSERVED, "observed")                                                              \
	X(BASIS_SAMPLED, "sampled") /* seen by sampling: exact to the time between two samples */  \
	X(BASIS_INFERRED, "inferred")

#define CONFIDENCES(X)                                                                             \
	X(CONFIDENCE_CERTAIN, "certain")                                                           \
	X(CONFIDENCE_HIGH, "high")                                                                 \
	X(CONFIDENCE_MEDIUM, "medium")                                                             \
	X(CONFIDENCE_LOW, "low")

/* Classes of verdicts, so that code need not know the verdicts' names. */
#define VERDICT_CLASSES(X)                                                                         \
	X(VERDICT_UNKNOWN, "unknown") /* packets are missing, or encryption hides it */            \
	X(VERDICT_OK, "ok")                                                                        \
	X(VERDICT_SLOW, "slow")	    /* it succeeded, but slowly */                                 \
	X(VERDICT_FAILED, "failed") /* a login that failed, a session cut off */                   \
	X(VERDICT_ENDED, "ended")   /* no login was intended: a probe, a scan, a losing attempt */

#define CLOSE_HOWS(X)                                                                              \
	X(CLOSE_OPEN, "open")                                                                      \
	X(CLOSE_FIN, "fin")                                                                        \
	X(CLOSE_RST, "rst")                                                                        \
	X(CLOSE_IDLE, "idle")                                                                      \
	X(CLOSE_EVICTED, "evicted")

#define COMMAND_KINDS(X)                                                                           \
	X(COMMAND_BATCH, "batch")                                                                  \
	X(COMMAND_RPC, "rpc")                                                                      \
	X(COMMAND_BULK, "bulk")                                                                    \
	X(COMMAND_TRANSACTION, "transaction")                                                      \
	X(COMMAND_ATTENTION, "attention")                                                          \
	X(COMMAND_UNKNOWN, NULL) /* TLS hides it, or TDS 5 that was not captured; null in JSON */

/* The messages and events that end a step. */
#define STEP_KINDS(X)                                                                              \
	X(STEP_SYN, "syn")                                                                         \
	X(STEP_SYN_RETRANSMIT, "syn_retransmit")                                                   \
	X(STEP_SYN_ACK, "syn_ack")                                                                 \
	X(STEP_ACK, "ack")                                                                         \
	X(STEP_PRELOGIN, "prelogin")                                                               \
	X(STEP_PRELOGIN_RESPONSE, "prelogin_response")                                             \
	X(STEP_CLIENT_HELLO, "client_hello")                                                       \
	X(STEP_HELLO_RETRY, "hello_retry")                                                         \
	X(STEP_SERVER_HELLO, "server_hello")                                                       \
	X(STEP_CLIENT_FINISHED, "client_finished")                                                 \
	X(STEP_SERVER_FINISHED, "server_finished")                                                 \
	X(STEP_TLS_ALERT, "tls_alert")                                                             \
	X(STEP_LOGIN7, "login7")                                                                   \
	X(STEP_LOGIN, "login")                                                                     \
	X(STEP_RESPONSE, "response")                                                               \
	X(STEP_SSPI_CHALLENGE, "sspi_challenge")                                                   \
	X(STEP_SSPI, "sspi")                                                                       \
	X(STEP_FEDAUTH_INFO, "fedauth_info")                                                       \
	X(STEP_FEDAUTH_TOKEN, "fedauth_token")                                                     \
	X(STEP_REQUEST, "request")                                                                 \
	X(STEP_AUTH_MESSAGE, "auth_message")                                                       \
	X(STEP_AUTH_ANSWER, "auth_answer")                                                         \
	X(STEP_ANSWER, "answer")                                                                   \
	X(STEP_LOGINACK, "loginack")                                                               \
	X(STEP_ERROR, "error")                                                                     \
	X(STEP_NOT_TDS, "not_tds")                                                                 \
	X(STEP_CLIENT_CLOSE, "client_close")                                                       \
	X(STEP_CLIENT_RESET, "client_reset")                                                       \
	X(STEP_SERVER_CLOSE, "server_close")                                                       \
	X(STEP_SERVER_RESET, "server_reset")                                                       \
	X(STEP_LAST_PACKET, "last_packet")                                                         \
	X(STEP_GAVE_UP, "gave_up")

/* Services that a login may depend on. */
#define DEPENDENCY_KINDS(X)                                                                        \
	X(DEPENDENCY_DNS, "dns")                                                                   \
	X(DEPENDENCY_KERBEROS, "kerberos")                                                         \
	X(DEPENDENCY_NETLOGON, "netlogon")                                                         \
	X(DEPENDENCY_LDAP, "ldap")                                                                 \
	X(DEPENDENCY_SMB, "smb")                                                                   \
	X(DEPENDENCY_HTTP, "http")                                                                 \
	X(DEPENDENCY_HTTPS, "https")                                                               \
	X(DEPENDENCY_OTHER, "other")

/* Parts of a wait. Where two overlap, the time counts for the earlier one in this list. */
#define WAIT_PARTS(X)                                                                              \
	X(PART_UNACKNOWLEDGED, "unacknowledged")                                                   \
	X(PART_UNACCEPTED, "unaccepted")                                                           \
	X(PART_STOPPED, "stopped")                                                                 \
	X(PART_THROTTLED, "throttled")                                                             \
	X(PART_UNREAD, "unread")                                                                   \
	X(PART_DC, "dc")                                                                           \
	X(PART_DC_QUEUE, "dc_queue")                                                               \
	X(PART_KDC, "kdc")                                                                         \
	X(PART_LDAP, "ldap")                                                                       \
	X(PART_DNS, "dns")                                                                         \
	X(PART_CRL, "crl")                                                                         \
	X(PART_TOKEN, "token")                                                                     \
	X(PART_PROCESS, "process")

/* The timers of error 17830, in the order of SQL Server's message. */
#define ERRORLOG_TIMERS(X)                                                                         \
	X(TIMER_TOTAL, "total")                                                                    \
	X(TIMER_ENQUEUED, "enqueued")                                                              \
	X(TIMER_NETWORK_WRITES, "network_writes")                                                  \
	X(TIMER_NETWORK_READS, "network_reads")                                                    \
	X(TIMER_TLS, "tls")                                                                        \
	X(TIMER_TLS_NETWORK_READS, "tls_network_reads")                                            \
	X(TIMER_TLS_NETWORK_WRITES, "tls_network_writes")                                          \
	X(TIMER_TLS_SECURE_CALLS, "tls_secure_calls")                                              \
	X(TIMER_TLS_ENQUEUED, "tls_enqueued")                                                      \
	X(TIMER_SSPI, "sspi")                                                                      \
	X(TIMER_SSPI_NETWORK_READS, "sspi_network_reads")                                          \
	X(TIMER_SSPI_NETWORK_WRITES, "sspi_network_writes")                                        \
	X(TIMER_SSPI_SECURE_CALLS, "sspi_secure_calls")                                            \
	X(TIMER_SSPI_ENQUEUED, "sspi_enqueued")                                                    \
	X(TIMER_VALIDATION, "validation")                                                          \
	X(TIMER_USER_PROCESSING, "user_processing")

#define RECORD_ENUM(name, word) name,
enum vantage { VANTAGES(RECORD_ENUM) VANTAGE_COUNT };
enum outcome { OUTCOMES(RECORD_ENUM) OUTCOME_COUNT };
enum phase { PHASES(RECORD_ENUM) PHASE_COUNT };
enum side { SIDES(RECORD_ENUM) SIDE_COUNT };
enum encrypt_option { ENCRYPT_OPTIONS(RECORD_ENUM) ENCRYPT_COUNT };
enum encryption { ENCRYPTIONS(RECORD_ENUM) ENCRYPTION_COUNT };
enum auth_method { AUTH_METHODS(RECORD_ENUM) AUTH_COUNT };
enum basis { BASES(RECORD_ENUM) BASIS_COUNT };
enum confidence { CONFIDENCES(RECORD_ENUM) CONFIDENCE_COUNT };
enum verdict_class { VERDICT_CLASSES(RECORD_ENUM) VERDICT_CLASS_COUNT };
enum close_how { CLOSE_HOWS(RECORD_ENUM) CLOSE_COUNT };
enum command_kind { COMMAND_KINDS(RECORD_ENUM) COMMAND_COUNT };
enum step_kind { STEP_KINDS(RECORD_ENUM) STEP_COUNT };
enum wait_part { WAIT_PARTS(RECORD_ENUM) PART_COUNT };
enum errorlog_timer { ERRORLOG_TIMERS(RECORD_ENUM) TIMER_COUNT };
enum dependency_kind { DEPENDENCY_KINDS(RECORD_ENUM) DEPENDENCY_COUNT };
#undef RECORD_ENUM
#define RECORD_ENUM(name, word, class) name,
enum verdict { VERDICTS(RECORD_ENUM) VERDICT_COUNT };
#undef RECORD_ENUM

/* The words of the JSON contract; NULL where it says null. A value out of range is a bug. */
const char *vantage_name(enum vantage v);
const char *outcome_name(enum outcome o);
const char *phase_name(enum phase p);
const char *side_name(enum side s);
const char *encrypt_option_name(enum encrypt_option e);
const char *encryption_name(enum encryption e);
const char *auth_method_name(enum auth_method m);
const char *basis_name(enum basis b);
const char *confidence_name(enum confidence c);
const char *verdict_class_name(enum verdict_class c);
const char *verdict_name(enum verdict v);
const char *close_how_name(enum close_how h);
const char *command_kind_name(enum command_kind k);
const char *dependency_kind_name(enum dependency_kind k);
const char *step_kind_name(enum step_kind k);
const char *wait_part_name(enum wait_part p);
const char *errorlog_timer_name(enum errorlog_timer t);

/* The class that the list gives: VERDICT_BY_OUTCOME where a verdict has several. */
enum verdict_class verdict_class_of(enum verdict v);

/* Extensions of LOGIN7 by id: MS-TDS 2.2.6.4. USERAGENT is known only from the drivers. */
#define FEATURES(X)                                                                                \
	X(0x01, "sessionrecovery")                                                                 \
	X(0x02, "fedauth")                                                                         \
	X(0x04, "columnencryption")                                                                \
	X(0x05, "globaltransactions")                                                              \
	X(0x08, "azuresqlsupport")                                                                 \
	X(0x09, "dataclassification")                                                              \
	X(0x0a, "utf8")                                                                            \
	X(0x0b, "azuresqldnscaching")                                                              \
	X(0x0d, "json")                                                                            \
	X(0x0e, "vector")                                                                          \
	X(0x0f, "enhancedrouting")                                                                 \
	X(0x10, "useragent")

#define FEATURES_MAX 30 /* more than exist; the rest is left out */

struct feature_list {
	bool known; /* the list was read to its end; it may be empty */
	uint8_t count;
	uint8_t ids[FEATURES_MAX];
};

/* NULL: the id has no name. */
const char *feature_name(uint8_t id);

#define RECORD_GUID_LEN 37 /* 8-4-4-4-12 and a NUL */

struct tls_facts {
	bool seen;	     /* a ClientHello was seen; false: all else is unset */
	const char *version; /* "1.0" ... "1.3"; NULL before ServerHello */
	const char *cipher;  /* IANA name, or "0xC02F" if the table has no name */
	const char *sni;
	const char *alpn; /* chosen by the server, or the client's only offer */
	bool resumed;
	struct {
		enum side from;		 /* SIDE_NONE: no alert read */
		const char *level;	 /* "warning", "fatal" */
		const char *description; /* RFC 8446 6 names, or "alert_123" */
	} alert;
	struct {
		const char *subject, *issuer; /* RFC 2253 text; both NULL: no certificate read */
		int64_t not_after_s;	      /* Unix time */
		bool self_signed;
	} cert;
};

struct step {
	enum step_kind kind; /* the message or event that ended it */
	enum phase phase;
	enum side waits_on;
	uint64_t ns;
};

/* A share of a step of 20 ms or more; a step's parts add up to the step. */
struct step_part {
	size_t step; /* index of the record's step */
	enum wait_part part;
	uint64_t ns;
	enum basis basis;
	const char *grounds; /* one sentence; NULL */
	bool has_peer;
	struct endpoint peer; /* the peer that was asked */
};

/* Requests of one kind that a side made to one peer while the login waited for that side. */
struct dependency {
	enum side side;
	enum dependency_kind kind;
	struct endpoint peer;
	const char *operation, *target, *result; /* NULL: not known */
	uint32_t requests, unanswered;
	uint64_t ns;	 /* while at least one of them was in flight */
	uint64_t rtt_ns; /* to the peer, the least seen; NO_NS: not known */
	uint32_t in_flight_most;
};

#define DEPENDENCY_PEERS 16 /* peers of a kind that are counted by themselves */

/* All requests of one kind to one peer so far, whatever login they were for. */
struct dependency_total {
	enum dependency_kind kind;
	struct endpoint peer;
	bool is_rest; /* of all peers of this kind that have no place; peer is unset */
	uint64_t requests;
	uint64_t failures; /* of them, without a response, or with an error */
	uint64_t ns;	   /* from request to response, of those with a response */
};

/* The host of a side that a login waited for, if that side's socket is on this host. */
struct host_facts {
	enum side side;
	uint32_t pid;					/* 0: not known */
	const char *process, *cgroup, *container, *pod; /* NULL: not known */
	bool frozen; /* it was stopped meanwhile, by freezing its cgroup */
	bool has_queue;
	uint32_t queue_length, queue_limit; /* of the accept queue: the longest seen */
	uint64_t throttled_ns;		    /* of its cgroup, during its waits; NO_NS: not known */
};

#define RECORD_HIDDEN "<hidden>" /* replaces names when names were not asked for */

struct login_error {
	int32_t number;
	uint8_t state, class_; /* class_: severity */
	const char *message;   /* without names, if they were not asked for */
};

enum errorlog_client {
	ERRORLOG_NO_CLIENT, /* the entry is about the server, or names a client without an
			     * address */
	ERRORLOG_ADDRESS,
	ERRORLOG_LOCAL, /* "<local machine>" */
};

/* An error that the server wrote to its own log. */
struct errorlog_entry {
	uint64_t time_ns; /* on the source's clock; the log's resolution is 10 ms */
	int32_t number;
	uint8_t severity, state;
	enum errorlog_client client;
	uint8_t addr[16];	   /* ERRORLOG_ADDRESS: as in struct endpoint */
	const char *reason, *user; /* NULL: the entry has none */
	uint32_t stalled_s;	   /* 17884, 17888: nothing moved for so long; 0: not known */
	bool has_timers;	   /* 17830: */
	uint32_t timer_ms[TIMER_COUNT];
};

/* A client's request to SQL Server Browser before it connected. */
struct lookup {
	bool seen;	    /* false: all else is unset */
	uint64_t ns;	    /* from the request to its response; NO_NS: no response */
	uint64_t waited_ns; /* the same, or how long the client waited in vain */
	uint32_t retries;   /* how often it asked again */
};

#define BEFORE_MOST 8

/* The client's earlier attempts, for which the user waited before this connection (inferred). */
struct before {
	uint64_t ns;	 /* since the first of them; 0: no attempts */
	uint64_t dns_ns; /* NO_NS: not seen */
	uint32_t count;
	struct {
		struct endpoint server;
		enum outcome outcome;
		uint64_t ns;
	} attempts[BEFORE_MOST]; /* the earliest first */
};

struct verdict_words {
	enum verdict id; /* V_NONE: there is nothing to report */
	enum verdict_class class;
	const char *text;  /* NULL with V_NONE */
	bool unremarkable; /* it went well, and there is nothing more to report */
};

struct dependency_findings;

struct login_record {
	uint64_t id;
	uint64_t start_ns; /* first packet of the connection */
	uint64_t end_ns;   /* end of its last step: start_ns + total_ns, except for mid_stream */
	struct endpoint client, server;
	uint32_t ifindex; /* 0: not known */
	uint32_t tunnel;  /* tunnel_kind() */
	enum vantage vantage;
	bool mid_stream;
	struct lookup browser;
	struct before before;
	bool has_proxied; /* a proxy reported who the client is: PROXY protocol */
	struct endpoint proxied_from;

	struct {
		const char *version;	    /* "7.4" */
		uint32_t version_raw;	    /* 0: not seen */
		const char *server_version; /* "16.0.4135" */
		const char *client_version;
		const char *instance;			 /* from PRELOGIN, or from SQL Server
							  * Browser */
		int32_t spid;				 /* -1: not seen */
		int32_t packet_size;			 /* -1: not seen */
		const char *connection_id, *activity_id; /* GUID text */
		const char *driver, *app, *host, *database;
		int8_t read_only;		    /* -1: not seen */
		struct feature_list features;	    /* of LOGIN7 */
		struct feature_list features_acked; /* of FEATUREEXTACK */
	} tds;
	struct {
		enum encrypt_option client, server;
		enum encryption effective;
	} encryption;
	struct tls_facts tls;
	struct {
		enum auth_method method;
		enum basis basis;
		const char *grounds;
		uint32_t rounds;
		const char *missing_spn; /* NTLM because its KDC does not know this name; NULL */
		const char *user, *domain, *workstation; /* only where identities were asked for */
	} auth;
	int mars; /* negotiated in PRELOGIN; -1: PRELOGIN was not seen */
	enum outcome outcome;
	enum basis outcome_basis;
	enum confidence confidence;
	const char
		*outcome_grounds; /* inferred: why; NULL where it was read, or nothing is known */
	bool has_error;
	struct login_error error;
	const struct errorlog_entry *errorlog; /* the server's own entry; NULL: none was joined */
	const char *redirect_host;	       /* NULL: no redirect */
	uint16_t redirect_port;

	uint64_t total_ns;
	uint64_t phase_ns[PHASE_SESSION]; /* NO_NS: did not happen */
	const struct step *steps;
	size_t step_count;
	const struct step_part *parts; /* by rising step; a step without parts has none known */
	size_t part_count;
	const struct host_facts *host;		    /* NULL: not on this host, or not asked */
	const struct dependency_findings *findings; /* the engine's own, for its verdicts */
	uint32_t workers_stalled_s; /* by the error log, as of then; 0: it does not say so */
	uint32_t stalled_together;  /* logins of the server that waited until the same moment */
	const struct dependency *dependencies; /* NULL: requests were not followed */
	size_t dependency_count;
	uint64_t wait_ns[SIDE_NONE]; /* by enum side */
	void *packets;		     /* what engine_ops' packet() made of them; NULL: nothing */

	struct verdict_words verdict;
	struct {
		uint32_t syn_retransmits, retransmits, out_of_order, zero_windows;
		uint64_t missing_bytes;
		uint16_t mss[2]; /* SIDE_CLIENT, SIDE_SERVER: that its SYN stated; 0: not known */
		/* Payload that held the login up, because the peer never acknowledged it. */
		struct {
			enum side side;
			uint64_t bytes;
			uint32_t sent;	   /* how often; 0: no such payload */
			uint32_t shortest; /* bytes of its shortest segment */
		} unacknowledged;
	} tcp;
};

/* The client as far as known: its own address, reported by a proxy, or else the proxy's. */
static inline const struct endpoint *login_record_client(const struct login_record *r)
{
	return r->has_proxied ? &r->proxied_from : &r->client;
}

/*
 * Do a name and a password that do not fit have this state of error 18456? Clients only get state
 * 1, which hides it. Others are about a database, a permission or the server's mode: Microsoft's
 * documentation of MSSQLSERVER_18456.
 */
static inline bool login_failed_by_credentials(int state)
{
	return state <= 2 || (state >= 5 && state <= 9) || (state >= 102 && state <= 111) ||
	       (state >= 122 && state <= 124) || state == 132 || state == 133;
}

/* Was the login refused for its name or password, as far as known? */
static inline bool login_record_guess(const struct login_record *r)
{
	int state =
		r->errorlog && r->errorlog->number == 18456 ? r->errorlog->state : r->error.state;

	if (r->outcome != OUTCOME_REFUSED)
		return false;
	if (r->has_error && r->error.number == 18456)
		return login_failed_by_credentials(state);
	return !r->has_error || r->error.number == 18486 || r->error.number == 4002;
}

#define NO_HOPS (-1)

struct close_record {
	uint64_t id;
	uint64_t time_ns;     /* the packet that ended it, or when it was given up */
	uint64_t duration_ns; /* NO_NS: the capture's clock jumped in between */
	struct endpoint client, server;
	uint32_t ifindex;
	uint32_t tunnel; /* tunnel_kind() */
	bool has_login;	 /* a login record was emitted for this connection */
	enum outcome login;
	enum side by;
	enum close_how how;
	int reset_hops; /* how: CLOSE_RST: routers that the RST passed, inferred; NO_HOPS: not known */
	bool graceful;
	enum phase phase;
	uint64_t bytes[2]; /* SIDE_CLIENT, SIDE_SERVER: payload that the side sent, each byte
			    * once */
	uint64_t commands[COMMAND_COUNT];
	bool commands_unfollowed; /* TLS hid commands, and not all of them were counted */
	uint64_t reset_connections;
	bool has_mars;
	enum basis mars_basis;
	uint64_t mars_sessions, mars_open, mars_window_stalls;
	/* Payload that the peer never acknowledged, however often it was sent. */
	struct {
		enum side side;
		uint64_t bytes;
		uint32_t sent; /* how often; 0: no such payload */
		uint64_t ns;   /* from the first sending to the connection's end; NO_NS: not
				* known */
	} unacknowledged;
	struct verdict_words verdict;
};

/* A login that waits and is not decided yet. */
struct pending_record {
	uint64_t id;
	uint64_t time_ns;  /* now */
	uint64_t start_ns; /* first packet of the connection */
	uint64_t ns;	   /* length of this wait, which began with the end of the last message */
	struct endpoint client, server;
	uint32_t ifindex;
	uint32_t tunnel; /* tunnel_kind() */
	enum phase phase;
	enum side waits_on;
	const char *what; /* "the answer to LOGIN7"; lives as long as the program */
	uint32_t
		unread; /* bytes that lie unread in the socket of waits_on, if it is on this host */
	const struct step_part *parts; /* of this wait, all with step 0; none: nothing is known */
	size_t part_count;
};

/* A request that SQL Server Browser did not answer. No connection came of it, so it has no id. */
struct browser_record {
	uint64_t time_ns; /* of the request */
	uint64_t waited_ns;
	struct endpoint client, server;
	uint32_t tunnel;      /* tunnel_kind() */
	const char *instance; /* NULL: the client asked for all */
	uint32_t questions;   /* how often the client asked */
};

struct command_record {
	uint64_t id;
	uint64_t time_ns; /* the request's last byte */
	struct endpoint client, server;
	uint32_t tunnel; /* tunnel_kind() */
	int32_t spid;	 /* -1: not seen */
	int32_t session; /* SMP session; -1: no MARS */
	enum command_kind kind;
	uint64_t
		first_byte_ns; /* request's last byte to the response's first; NO_NS: no response */
	uint64_t total_ns;     /* request's last byte to the response's last; NO_NS likewise */
	uint64_t request_bytes, response_bytes; /* TDS packets; inferred: upper bounds */
	enum basis basis;
	int8_t cancelled; /* 1, 0; -1: not known */
	int8_t answered;  /* to the last byte: 1, 0; -1: not known */
	/*
	 * The request's text, only if asked for, with passwords masked; NULL: not seen, or empty.
	 */
	const char *sql;
	const char *procedure; /* RPC: the procedure it calls */
	bool sql_wanted, sql_cut;
};

#endif
