// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Moves a connection's bytes through TLS, SMP and TDS framing, and holds back answers. */
#include <stdlib.h>
#include <string.h>

#include "conn.h"

enum {
	OUT_LIMIT = 256 * 1024, /* no more rows are made while so much waits to be sent */
	TX_LIMIT = 64 * 1024,
	SMP_HEADER = 16,
	SMP_ID = 0x53,
	SMP_SYN = 1,
	SMP_ACK = 2,
	SMP_FIN = 4,
	SMP_DATA = 8,
	SMP_WINDOW = 4, /* MC-SMP 3.1.3 */
	MESSAGE_LIMIT = 16 << 20,
};

struct conn *conn_new(const struct config *cfg, struct counts *counts, uint16_t spid)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->cfg = cfg;
	c->counts = counts;
	c->packet_size = TDS_LOGIN_PACKET;
	c->version = TDS_7_4;
	c->next_spid = spid;
	c->phase = PHASE_ACCEPT;
	c->main.ready = true; /* the accept itself is the first thing to be answered */
	counts->connections++;
	return c;
}

static void session_release(struct session *s)
{
	buf_release(&s->rx);
	buf_release(&s->msg);
	buf_release(&s->body);
	buf_release(&s->tx);
	free(s->prepared);
}

void conn_free(struct conn *c)
{
	struct session *s;

	if (!c)
		return;
	while ((s = c->smp)) {
		c->smp = s->next;
		session_release(s);
		free(s);
	}
	session_release(&c->main);
	buf_release(&c->in);
	buf_release(&c->clear);
	buf_release(&c->out);
	tls_free(c->tls);
	free(c);
}

/* Bytes of the TDS or SMP stream, sealed if all is. */
static void transmit(struct conn *c, const uint8_t *p, size_t n)
{
	if (c->layer == LAYER_TLS)
		tls_write(c->tls, p, n, &c->out);
	else
		buf_put(&c->out, p, n);
}

static void smp_header(struct buf *b, const struct session *s, unsigned flags, size_t payload)
{
	buf_u8(b, SMP_ID);
	buf_u8(b, flags);
	buf_le16(b, s->sid);
	buf_le32(b, SMP_HEADER + payload);
	buf_le32(b, s->tx_seq);
	buf_le32(b, s->rx_window);
}

static void smp_control(struct conn *c, struct session *s, unsigned flags)
{
	struct buf b = {0};

	smp_header(&b, s, flags, 0);
	transmit(c, buf_head(&b), buf_len(&b));
	buf_release(&b);
}

static size_t packet_length(const struct buf *b)
{
	return buf_head(b)[2] << 8 | buf_head(b)[3];
}

/* Sends the packets of s that SMP's window and the limit of out allow. */
static void session_pump(struct conn *c, struct session *s)
{
	struct buf framed = {0};

	while (buf_len(&s->tx) && buf_len(&c->out) < OUT_LIMIT) {
		size_t n = packet_length(&s->tx);

		if (!s->smp) {
			transmit(c, buf_head(&s->tx), n);
		} else if (s->tx_seq != s->tx_window) {
			s->tx_seq++;
			s->rx_window = s->rx_seq + SMP_WINDOW;
			buf_clear(&framed);
			smp_header(&framed, s, SMP_DATA, n);
			buf_put(&framed, buf_head(&s->tx), n);
			transmit(c, buf_head(&framed), buf_len(&framed));
		} else {
			break;
		}
		buf_take(&s->tx, n);
	}
	buf_release(&framed);
}

void session_send(struct conn *c, struct session *s, enum tds_type type, bool last)
{
	size_t max = c->packet_size - TDS_HEADER;

	while (buf_len(&s->body) > max || (last && buf_len(&s->body))) {
		size_t n = buf_len(&s->body) < max ? buf_len(&s->body) : max;
		bool final = last && n == buf_len(&s->body);

		tds_packet(&s->tx, type, final ? STATUS_EOM : 0, c->spid, ++s->packet_id,
			   buf_head(&s->body), n);
		buf_take(&s->body, n);
		if (final)
			s->packet_id = 0;
	}
	session_pump(c, s);
}

/* Whether the answer of the connection's phase may be given now. */
static bool gate(struct conn *c, struct session *s, uint64_t now)
{
	if (!s->wake_ns) {
		uint64_t wait_ms = c->cfg->phase[c->phase].delay_ms;

		if (c->phase == PHASE_BATCH)
			wait_ms += command_wait_ms(c, s);
		s->wake_ns = now + wait_ms * 1000000;
	}
	if (now < s->wake_ns)
		return false;
	s->wake_ns = 0;
	switch (c->cfg->phase[c->phase].action) {
	case ACT_ANSWER:
		return true;
	case ACT_DROP:
		c->end = END_FIN;
		break;
	case ACT_RESET:
		c->end = END_RESET;
		break;
	case ACT_SILENT:
		c->silent = true;
		break;
	}
	return false;
}

static void start_tls(struct conn *c)
{
	c->tls = tls_new(c->cfg->tls, true);
	c->layer = c->cfg->encrypt == ENCRYPT_STRICT ? LAYER_TLS : LAYER_HANDSHAKE;
	c->phase = c->cfg->encrypt == ENCRYPT_STRICT ? PHASE_PRELOGIN : PHASE_LOGIN;
}

/* Answers the message of s if it is time. Returns whether it did. */
static bool answer(struct conn *c, struct session *s, uint64_t now)
{
	if (!s->ready || !gate(c, s, now))
		return false;
	s->ready = false;
	switch (c->phase) {
	case PHASE_ACCEPT:
		c->phase = PHASE_PRELOGIN;
		break;
	case PHASE_TLS:
		start_tls(c);
		break;
	case PHASE_BATCH:
		c->counts->commands++;
		c->facts.commands++;
		if (c->cfg->rekey && c->layer == LAYER_TLS) {
			tls_rekey(c->tls, &c->out);
			c->facts.rekeyed++;
		}
		command_run(c, s);
		buf_clear(&s->msg);
		break;
	default:
		login_message(c, s);
		if (!s->ready)
			buf_clear(&s->msg);
	}
	return true;
}

/* Adds a packet to the message of s. Returns false if it can't belong there. */
static bool deliver(struct conn *c, struct session *s, const uint8_t *p, size_t n)
{
	if (p[0] == TDS_ATTENTION && c->phase == PHASE_BATCH) {
		bool interrupts = s->ready;

		s->ready = s->in_msg = false;
		s->wake_ns = 0;
		buf_clear(&s->msg);
		command_attention(c, s, interrupts);
		return true;
	}
	if (s->ready || (s->in_msg && s->msg_type != p[0]))
		return false;
	if (!s->in_msg) {
		s->in_msg = true;
		s->msg_type = p[0];
		s->msg_status = p[1];
	}
	/* A bulk load has no limit of length, but its count of rows stops here. */
	if (s->msg_type != TDS_BULK || buf_len(&s->msg) < MESSAGE_LIMIT)
		buf_put(&s->msg, p + TDS_HEADER, n - TDS_HEADER);
	if (p[1] & STATUS_EOM) {
		s->in_msg = false;
		s->ready = true;
	}
	/* A login without PRELOGIN: TDS 7.1 clients may. */
	if (c->phase == PHASE_PRELOGIN && p[0] == TDS_LOGIN7 && s->ready)
		c->phase = PHASE_LOGIN;
	return s->msg_type == TDS_BULK || buf_len(&s->msg) <= MESSAGE_LIMIT;
}

/* The length of the packet at the head of b; 0: not all there; < 0: no packet. */
static int whole_packet(const struct buf *b)
{
	size_t n;

	if (buf_len(b) < TDS_HEADER)
		return 0;
	n = packet_length(b);
	if (n < TDS_HEADER)
		return -1;
	return buf_len(b) < n ? 0 : (int)n;
}

static struct session *smp_open(struct conn *c, uint16_t sid)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->smp = true;
	s->sid = sid;
	s->tx_window = s->rx_window = SMP_WINDOW;
	s->next = c->smp;
	c->smp = s;
	return s;
}

static struct session **smp_find(struct conn *c, uint16_t sid)
{
	struct session **at = &c->smp;

	while (*at && (*at)->sid != sid)
		at = &(*at)->next;
	return at;
}

static bool smp_data(struct conn *c, struct session *s, const uint8_t *p, size_t n)
{
	int len;

	s->rx_seq++;
	buf_put(&s->rx, p, n);
	while ((len = whole_packet(&s->rx)) > 0) {
		if (!deliver(c, s, buf_head(&s->rx), len))
			return false;
		buf_take(&s->rx, len);
	}
	/* MC-SMP 3.1.5: a lone ACK when the window has moved by two */
	if (s->rx_window - s->rx_seq <= SMP_WINDOW - 2) {
		s->rx_window = s->rx_seq + SMP_WINDOW;
		smp_control(c, s, SMP_ACK);
	}
	return len >= 0;
}

/* One SMP packet at the head of b: > 0 its length, 0 not all there, < 0 wrong. */
static int smp_packet(struct conn *c, struct buf *b)
{
	struct reader r = {buf_head(b) + 1, buf_len(b) - 1, false};
	unsigned flags = read_u8(&r), sid = read_le16(&r);
	uint32_t len = read_le32(&r), window;
	struct session **at = smp_find(c, sid), *s = *at;

	read_le32(&r);
	window = read_le32(&r);
	if (r.bad)
		return 0;
	if (len < SMP_HEADER || len > SMP_HEADER + 65536)
		return -1;
	if (buf_len(b) < len)
		return 0;
	if (flags == SMP_SYN) {
		if (s)
			return -1;
		s = smp_open(c, sid);
	}
	if (!s)
		return -1;
	s->tx_window = window;
	if (flags == SMP_DATA && !smp_data(c, s, buf_head(b) + SMP_HEADER, len - SMP_HEADER))
		return -1;
	if (flags == SMP_FIN) {
		smp_control(c, s, SMP_FIN);
		*at = s->next;
		session_release(s);
		free(s);
	}
	return len;
}

/* A packet of either kind at the head of b. */
static int next_of_stream(struct conn *c, struct buf *b)
{
	int n;

	if (c->mars && c->phase == PHASE_BATCH && buf_len(b) && *buf_head(b) == SMP_ID) {
		n = smp_packet(c, b);
	} else {
		n = whole_packet(b);
		if (n > 0 && !deliver(c, &c->main, buf_head(b), n))
			n = -1;
	}
	if (n > 0)
		buf_take(b, n);
	return n;
}

/* Wraps our part of the handshake in 0x12 packets of at most 4096 bytes: MS-TDS 2.2.6.5 */
static void send_handshake(struct conn *c, struct buf *records)
{
	enum { MAX = TDS_LOGIN_PACKET - TDS_HEADER };
	unsigned id = 0;

	while (buf_len(records)) {
		size_t n = buf_len(records) < MAX ? buf_len(records) : MAX;

		tds_packet(&c->out, TDS_PRELOGIN, n == buf_len(records) ? STATUS_EOM : 0, 0, id++,
			   buf_head(records), n);
		buf_take(records, n);
	}
}

static int handshake(struct conn *c)
{
	struct buf records = {0};
	int ret = tls_handshake(c->tls, &records);

	if (c->layer == LAYER_HANDSHAKE)
		send_handshake(c, &records);
	else
		buf_put(&c->out, buf_head(&records), buf_len(&records));
	buf_release(&records);
	if (ret < 0)
		c->counts->tls_failed++;
	return ret;
}

static bool is_record(const struct buf *b)
{
	return buf_len(b) >= 5 && buf_head(b)[0] >= 0x14 && buf_head(b)[0] <= 0x17 &&
	       buf_head(b)[1] == 3;
}

/* One record at the head of in, fed to TLS; 0: not all there. */
static int feed_record(struct conn *c)
{
	size_t n = 5 + (buf_head(&c->in)[3] << 8 | buf_head(&c->in)[4]);

	if (buf_len(&c->in) < n)
		return 0;
	tls_feed(c->tls, buf_head(&c->in), n);
	buf_take(&c->in, n);
	return 1;
}

static int next_handshake(struct conn *c)
{
	int n;

	/* Some clients drop the TDS header for their last flight; OpenSSL doesn't mind. */
	if (is_record(&c->in)) {
		if (!feed_record(c))
			return 0;
	} else {
		n = whole_packet(&c->in);
		if (n <= 0 || *buf_head(&c->in) != TDS_PRELOGIN)
			return n ? -1 : 0;
		tls_feed(c->tls, buf_head(&c->in) + TDS_HEADER, n - TDS_HEADER);
		buf_take(&c->in, n);
	}
	n = handshake(c);
	if (n > 0)
		c->layer = c->after_handshake;
	return n < 0 ? n : 1;
}

static int next_tls(struct conn *c)
{
	int n = 0;

	if (buf_len(&c->in)) {
		tls_feed(c->tls, buf_head(&c->in), buf_len(&c->in));
		buf_clear(&c->in);
		if (!SSL_is_init_finished(c->tls->ssl)) {
			n = handshake(c);
			if (n <= 0)
				return n;
		}
		n = tls_read(c->tls, &c->clear, &c->out);
	}
	return buf_len(&c->clear) || n >= 0 ? next_of_stream(c, &c->clear) : n;
}

/*
 * Login-only: MS-TDS 3.2.5.3 has only the first packet of the LOGIN7 in TLS. Clients that seal all
 * of it are understood too.
 */
static int next_login_only(struct conn *c)
{
	int n;

	while (is_record(&c->in)) {
		if (!feed_record(c))
			return 0;
		tls_read(c->tls, &c->clear, &c->out);
		n = next_of_stream(c, &c->clear);
		if (n)
			return n;
	}
	return buf_len(&c->clear) ? next_of_stream(c, &c->clear) : next_of_stream(c, &c->in);
}

/* Takes one unit from the client: > 0 done, 0 not all there, < 0 it makes no sense. */
static int next_unit(struct conn *c)
{
	bool strict = c->cfg->encrypt == ENCRYPT_STRICT && !c->tls;

	if (!buf_len(&c->in) && !buf_len(&c->clear))
		return 0;
	/* TLS begins with the ClientHello, whose answer may have to wait. */
	if (strict || (c->phase == PHASE_LOGIN && !c->tls && *buf_head(&c->in) == TDS_PRELOGIN)) {
		if (strict ? *buf_head(&c->in) != 0x16 : !c->cfg->tls)
			return -1;
		c->phase = PHASE_TLS;
		c->main.ready = true;
		return 1;
	}
	switch (c->layer) {
	case LAYER_HANDSHAKE:
		return next_handshake(c);
	case LAYER_TLS:
		return next_tls(c);
	case LAYER_LOGIN_ONLY:
		return next_login_only(c);
	default:
		return next_of_stream(c, &c->in);
	}
}

static bool answer_any(struct conn *c, uint64_t now)
{
	bool did = answer(c, &c->main, now);

	for (struct session *s = c->smp; s && !c->end && !c->silent; s = s->next)
		did |= answer(c, s, now);
	return did;
}

static void pump(struct conn *c, struct session *s)
{
	session_pump(c, s);
	while (s->rows_left && buf_len(&s->tx) < TX_LIMIT && buf_len(&c->out) < OUT_LIMIT)
		command_more_rows(c, s);
	if (s->wake_ns && (!c->wake_ns || s->wake_ns < c->wake_ns))
		c->wake_ns = s->wake_ns;
}

void conn_run(struct conn *c, uint64_t now_ns)
{
	while (!c->end && !c->silent) {
		int n;

		if (answer_any(c, now_ns))
			continue;
		/* Before the login is done, one answer is owed at a time. */
		if (c->end || c->silent || (c->main.ready && c->phase != PHASE_BATCH))
			break;
		n = next_unit(c);
		if (n < 0)
			c->end = END_FIN;
		if (n <= 0)
			break;
	}
	c->wake_ns = 0;
	if (c->end || c->silent)
		buf_clear(&c->in);
	if (!c->silent) {
		pump(c, &c->main);
		for (struct session *s = c->smp; s; s = s->next)
			pump(c, s);
	}
	if (c->end == END_FIN && c->layer == LAYER_TLS && SSL_is_init_finished(c->tls->ssl))
		tls_close_notify(c->tls, &c->out);
}
