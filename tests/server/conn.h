/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One connection of the server, free of I/O: bytes are put into `in`, conn_run() is called, bytes
 * are taken from `out`. Between the two: TLS, SMP, packets, messages.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include "config.h"
#include "log.h"
#include "tls.h"

enum end { END_NOT, END_FIN, END_RESET };

/* How the client's bytes are to be read, and ours to be written. */
enum layer {
	LAYER_CLEAR,
	LAYER_HANDSHAKE,  /* TLS records inside 0x12 packets */
	LAYER_TLS,	  /* all in TLS records */
	LAYER_LOGIN_ONLY, /* TLS records or packets from the client, packets from us */
};

/* A conversation: the connection itself, or an SMP session within it (MC-SMP 2.2.1). */
struct session {
	struct session *next;
	bool smp;
	uint16_t sid;
	uint32_t tx_seq, tx_window, rx_seq, rx_window;
	struct buf rx; /* SMP payload not yet framed */

	struct buf msg;	  /* the client's message, its packets joined */
	uint64_t wake_ns; /* 0, or when the message may be answered */
	uint8_t msg_type, msg_status;
	bool in_msg, ready; /* a part of it came; all of it came */

	struct buf body; /* our message, not yet cut into packets */
	struct buf tx;	 /* our packets, not yet allowed out by SMP's window */
	uint8_t packet_id;

	uint64_t rows_left, rows; /* of a result that is being written */
	unsigned row_width;
	char *prepared; /* the last prepared statement */
};

struct counts {
	uint64_t connections, logins, refused, commands, tls_failed;
};

struct conn {
	const struct config *cfg;
	struct counts *counts;
	struct buf in, clear, out;
	struct tls *tls;
	struct session main, *smp;
	uint64_t wake_ns; /* 0, or when conn_run() wants to be called at the latest */
	uint64_t transaction;
	uint32_t version, packet_size, want_packet_size;
	enum phase phase;
	enum layer layer, after_handshake;
	enum end end; /* close once out is empty */
	uint16_t spid, next_spid;
	uint8_t encrypt_reply;
	bool must_not_login; /* PRELOGIN ended in no agreement */
	bool mars, fedauth_echo, silent, unasked, challenged;
	bool utf8;
	struct facts facts;
	uint8_t challenge[8];
	char database[400];
};

struct conn *conn_new(const struct config *cfg, struct counts *counts, uint16_t spid);
void conn_free(struct conn *c);
/* now_ns: CLOCK_MONOTONIC */
void conn_run(struct conn *c, uint64_t now_ns);

/* Cuts what stands in s->body into packets; with last, down to its end. */
void session_send(struct conn *c, struct session *s, enum tds_type type, bool last);

/* login.c: answers s->msg before the login is done. */
void login_message(struct conn *c, struct session *s);

/* command.c: how long the command itself asks to wait; its answer; more of a long answer. */
unsigned command_wait_ms(const struct conn *c, const struct session *s);
void command_run(struct conn *c, struct session *s);
/* interrupts: a command was still waiting for its answer. */
void command_attention(struct conn *c, struct session *s, bool interrupts);
void command_more_rows(struct conn *c, struct session *s);

#endif
