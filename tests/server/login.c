// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Answers PRELOGIN, LOGIN7 and the messages of the authentication. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "conn.h"
#include "login7.h"
#include "ntlm.h"

/* MS-TDS 2.2.6.5: the reply by the client's value and the server's setting. */
static uint8_t encrypt_reply(enum encrypt server, unsigned client)
{
	unsigned value = client & 0x0f;

	if (value == ENC_NOT_SUP && client & ENC_CLIENT_CERT)
		return ENC_REQ;
	if (server == ENCRYPT_NOT_SUPPORTED)
		return ENC_NOT_SUP;
	if (value == ENC_ON || value == ENC_REQ)
		return ENC_ON;
	if (server == ENCRYPT_ON)
		return ENC_REQ;
	return value == ENC_NOT_SUP ? ENC_NOT_SUP : ENC_OFF;
}

/* What follows on the wire. Where the two don't agree, a client that starts TLS may go on. */
static void agree_encryption(struct conn *c, unsigned client)
{
	unsigned value = client & 0x0f, reply = encrypt_reply(c->cfg->encrypt, client);

	c->encrypt_reply = reply;
	if (c->cfg->encrypt == ENCRYPT_STRICT)
		return;
	c->after_handshake = reply == ENC_OFF ? LAYER_LOGIN_ONLY : LAYER_TLS;
	c->must_not_login = reply == ENC_REQ || reply == ENC_ON || reply == ENC_OFF ||
			    (reply == ENC_NOT_SUP && (value == ENC_ON || value == ENC_REQ));
}

struct prelogin {
	bool seen[8];
	uint8_t encryption, mars, fedauth;
};

/* The options in the client's order do not matter, but VERSION must be first. */
static bool parse_prelogin(struct prelogin *pl, const uint8_t *p, size_t len)
{
	struct reader r = {p, len, false};

	*pl = (struct prelogin){.encryption = ENC_NOT_SUP};
	for (bool first = true;; first = false) {
		unsigned token = read_u8(&r), off, n;

		if (token == PL_END)
			return !first;
		off = read_be16(&r);
		n = read_be16(&r);
		if (r.bad || off + n > len || (first && token != PL_VERSION))
			return false;
		if (token < 8)
			pl->seen[token] = true;
		if (!n)
			continue;
		if (token == PL_ENCRYPTION)
			pl->encryption = p[off];
		else if (token == PL_MARS)
			pl->mars = p[off];
		else if (token == PL_FEDAUTH)
			pl->fedauth = p[off];
	}
}

static void prelogin_option(struct buf *table, struct buf *data, enum prelogin_token token,
			    const void *value, size_t len)
{
	buf_u8(table, token);
	buf_be16(table, buf_len(data)); /* the table's own length is added at the end */
	buf_be16(table, len);
	buf_put(data, value, len);
}

/* Mirrors the client's options; debug options come back empty: MS-TDS 2.2.6.5 */
static void write_prelogin(struct conn *c, const struct prelogin *pl, struct buf *body)
{
	struct buf table = {0}, data = {0};
	uint32_t v = c->cfg->product_version;
	uint8_t version[6] = {v >> 24, v >> 16, v >> 8, v, 0, 0};
	uint8_t zero = 0, mars = c->mars, fedauth = 1;

	prelogin_option(&table, &data, PL_VERSION, version, 6);
	prelogin_option(&table, &data, PL_ENCRYPTION, &c->encrypt_reply, 1);
	if (pl->seen[PL_INSTANCE])
		prelogin_option(&table, &data, PL_INSTANCE, &zero, 1);
	if (pl->seen[PL_THREADID])
		prelogin_option(&table, &data, PL_THREADID, NULL, 0);
	if (pl->seen[PL_MARS])
		prelogin_option(&table, &data, PL_MARS, &mars, 1);
	if (pl->seen[PL_TRACEID])
		prelogin_option(&table, &data, PL_TRACEID, NULL, 0);
	if (pl->fedauth && c->cfg->fedauth)
		prelogin_option(&table, &data, PL_FEDAUTH, &fedauth, 1);
	buf_u8(&table, PL_END);
	for (size_t i = 0; i + 5 < buf_len(&table); i += 5) {
		uint8_t *off = buf_head(&table) + i + 1;
		unsigned at = (off[0] << 8 | off[1]) + buf_len(&table);

		off[0] = at >> 8;
		off[1] = at;
	}
	buf_put(body, buf_head(&table), buf_len(&table));
	buf_put(body, buf_head(&data), buf_len(&data));
	buf_release(&table);
	buf_release(&data);
}

static void prelogin(struct conn *c, struct session *s)
{
	struct prelogin pl;

	if (s->msg_type != TDS_PRELOGIN ||
	    !parse_prelogin(&pl, buf_head(&s->msg), buf_len(&s->msg))) {
		c->end = END_FIN;
		return;
	}
	agree_encryption(c, pl.encryption);
	c->mars = pl.mars && c->cfg->mars;
	write_prelogin(c, &pl, &s->body);
	session_send(c, s, TDS_REPLY, true);
	c->phase = PHASE_LOGIN;
}

static void put_error(struct conn *c, struct session *s, const struct message *m)
{
	if (!c->facts.error)
		c->facts.error = m->number;
	token_message(&s->body, TOKEN_ERROR, c->version, c->cfg->server_name, m);
}

/* The last message of a login. */
static void end_login(struct conn *c, struct session *s, unsigned done, const char *outcome)
{
	token_done(&s->body, TOKEN_DONE, c->version, done, 0, 0);
	c->facts.outcome = outcome;
	c->facts.answer = buf_len(&s->body);
	session_send(c, s, TDS_REPLY, true);
}

static void refuse(struct conn *c, struct session *s)
{
	end_login(c, s, DONE_ERROR, "refused");
	c->counts->refused++;
	c->end = END_FIN;
}

static void put_login_failed(struct conn *c, struct session *s, const char *user)
{
	char text[500];

	/* The true state is never told: 1 on the wire. */
	snprintf(text, sizeof(text), "Login failed for user '%s'.", user);
	put_error(c, s, &(struct message){18456, 1, 14, text});
}

static bool database_known(const struct config *cfg, const char *name)
{
	if (!cfg->databases[0] || !*name)
		return true;
	for (int i = 0; i < MAX_DATABASES && cfg->databases[i]; i++)
		if (!strcasecmp(cfg->databases[i], name))
			return true;
	return false;
}

static void put_info(struct conn *c, struct session *s, int number, int state, const char *text)
{
	token_message(&s->body, TOKEN_INFO, c->version, c->cfg->server_name,
		      &(struct message){number, state, 0, text});
}

/* Only what the client offered and must have acknowledged: MS-TDS 2.2.7.11 */
static void put_features(struct conn *c, struct session *s)
{
	if (!c->fedauth_echo && !c->utf8)
		return;
	buf_u8(&s->body, TOKEN_FEATUREEXTACK);
	if (c->fedauth_echo) {
		buf_u8(&s->body, FEATURE_FEDAUTH);
		buf_le32(&s->body, 0);
	}
	if (c->utf8) {
		buf_u8(&s->body, FEATURE_UTF8);
		buf_le32(&s->body, 1);
		buf_u8(&s->body, 1);
	}
	buf_u8(&s->body, 0xff);
}

/* The order is that of SQL Server 2000 to 2022. */
static void put_success(struct conn *c, struct session *s, uint32_t packet_size)
{
	char size[12], old[12], text[500];

	token_env_text(&s->body, ENV_DATABASE, c->database, "master");
	snprintf(text, sizeof(text), "Changed database context to '%s'.", c->database);
	put_info(c, s, 5701, 2, text);
	token_env_bytes(&s->body, ENV_COLLATION, tds_collation, 5, NULL, 0);
	token_env_text(&s->body, ENV_LANGUAGE, "us_english", "");
	put_info(c, s, 5703, 1, "Changed language setting to us_english.");
	token_loginack(&s->body, c->version, c->cfg->product, c->cfg->product_version);
	snprintf(size, sizeof(size), "%u", packet_size);
	snprintf(old, sizeof(old), "%u", TDS_LOGIN_PACKET);
	token_env_text(&s->body, ENV_PACKET_SIZE, size, old);
	put_features(c, s);
}

static void put_redirect(struct conn *c, struct session *s)
{
	token_loginack(&s->body, c->version, c->cfg->product, c->cfg->product_version);
	token_env_routing(&s->body, c->cfg->redirect_host, c->cfg->redirect_port);
	put_features(c, s);
}

/* The end of a login whose user was accepted. */
static void accept_login(struct conn *c, struct session *s, const char *user, uint32_t want_size)
{
	uint32_t most = c->layer == LAYER_TLS ? 16383 : 32767;
	uint32_t size = want_size >= 512 ? want_size : TDS_LOGIN_PACKET;
	char text[500];

	c->spid = c->next_spid;
	most = c->cfg->packet_size < most ? c->cfg->packet_size : most;
	size = size < most ? size : most;
	if (c->cfg->error.number) {
		put_error(c, s, &c->cfg->error);
		refuse(c, s);
		return;
	}
	if (!database_known(c->cfg, c->database)) {
		snprintf(text, sizeof(text),
			 "Cannot open database \"%s\" requested by the login. The login failed.",
			 c->database);
		put_error(c, s, &(struct message){4060, 1, 11, text});
		put_login_failed(c, s, user);
		refuse(c, s);
		return;
	}
	if (!*c->database)
		strcpy(c->database, c->cfg->databases[0] ? c->cfg->databases[0] : "master");
	if (c->cfg->redirect_host)
		put_redirect(c, s);
	else
		put_success(c, s, size);
	end_login(c, s, 0, c->cfg->redirect_host ? "redirected" : "ok");
	c->packet_size = size;
	c->phase = PHASE_BATCH;
	c->counts->logins++;
}

static void refuse_login(struct conn *c, struct session *s, const char *user)
{
	c->spid = c->next_spid;
	put_login_failed(c, s, user);
	refuse(c, s);
}

static void put_sspi(struct session *s, const struct buf *blob)
{
	buf_u8(&s->body, TOKEN_SSPI);
	buf_le16(&s->body, buf_len(blob));
	buf_put(&s->body, buf_head(blob), buf_len(blob));
}

static void challenge(struct conn *c, struct session *s)
{
	struct buf blob = {0};

	RAND_bytes(c->challenge, sizeof(c->challenge));
	ntlm_challenge(&blob, c->challenge, "TDSTEST", c->cfg->server_name);
	put_sspi(s, &blob);
	buf_release(&blob);
	session_send(c, s, TDS_REPLY, true);
	c->challenged = true;
	c->phase = PHASE_AUTH;
}

/*
 * As SQL Server does with Kerberos: its token in one message, and the login response in a second
 * one without a client message between; so the phase AUTH is ready at once.
 */
static void kerberos_token(struct conn *c, struct session *s)
{
	/* the head of an AP-REP under GSS: RFC 4121 4.1; the rest is noise */
	static const uint8_t head[] = {0x60, 0x81, 0x99, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
				       0x12, 0x01, 0x02, 0x02, 0x02, 0x00, 0x6f, 0x81, 0x8b};
	struct buf blob = {0};

	buf_put(&blob, head, sizeof(head));
	RAND_bytes(buf_room(&blob, 0x8b), 0x8b);
	buf_grow(&blob, 0x8b);
	put_sspi(s, &blob);
	buf_release(&blob);
	session_send(c, s, TDS_REPLY, true);
	c->unasked = true;
	s->ready = true;
	c->phase = PHASE_AUTH;
}

/* MS-TDS 2.2.7.12 */
static void fedauth_info(struct conn *c, struct session *s)
{
	struct buf sts = {0}, spn = {0};
	uint32_t offset = 4 + 2 * 9;

	buf_utf16(&sts, "https://login.test.invalid/tds");
	buf_utf16(&spn, "https://database.test.invalid/");
	buf_u8(&s->body, TOKEN_FEDAUTHINFO);
	buf_le32(&s->body, offset + buf_len(&sts) + buf_len(&spn));
	buf_le32(&s->body, 2);
	buf_u8(&s->body, 2);
	buf_le32(&s->body, buf_len(&spn));
	buf_le32(&s->body, offset);
	buf_u8(&s->body, 1);
	buf_le32(&s->body, buf_len(&sts));
	buf_le32(&s->body, offset + buf_len(&spn));
	buf_put(&s->body, buf_head(&spn), buf_len(&spn));
	buf_put(&s->body, buf_head(&sts), buf_len(&sts));
	buf_release(&sts);
	buf_release(&spn);
	session_send(c, s, TDS_REPLY, true);
	c->phase = PHASE_AUTH;
}

static bool password_right(const struct config *cfg, const struct login7 *l)
{
	return (!cfg->user || !strcasecmp(cfg->user, l->user)) &&
	       (!cfg->password || !strcmp(cfg->password, l->password));
}

/* Integrated security: which mechanism the client began with decides. */
static void sspi_login(struct conn *c, struct session *s, const struct login7 *l)
{
	if (ntlm_type(l->sspi, l->sspi_len) == NTLM_NEGOTIATE && c->cfg->ntlm)
		challenge(c, s);
	else if (*l->sspi == 0x60 && c->cfg->kerberos)
		kerberos_token(c, s);
	else
		refuse_login(c, s, "");
}

static void note_login7(struct facts *f, const struct conn *c, const struct login7 *l)
{
	memcpy(f->app, l->app, sizeof(f->app));
	memcpy(f->host, l->host, sizeof(f->host));
	memcpy(f->database, l->database, sizeof(f->database));
	f->version = l->version;
	f->packet_size = l->packet_size;
	f->auth = l->sspi_len  ? (*l->sspi == 0x60 ? "kerberos" : "ntlm")
		  : l->fedauth ? "fedauth"
			       : "sql";
	if (c->tls) {
		f->tls = SSL_get_version(c->tls->ssl);
		f->resumed = SSL_session_reused(c->tls->ssl);
	}
}

static void login7(struct conn *c, struct session *s)
{
	struct login7 l;

	if (s->msg_type != TDS_LOGIN7 || (c->must_not_login && !c->tls) ||
	    !login7_parse(&l, buf_head(&s->msg), buf_len(&s->msg))) {
		c->end = END_FIN;
		return;
	}
	note_login7(&c->facts, c, &l);
	if (c->layer == LAYER_LOGIN_ONLY) {
		/* Silently: no close_notify is sent at the switch. */
		tls_free(c->tls);
		c->tls = NULL;
		c->layer = LAYER_CLEAR;
	}
	c->version = l.version == TDS_8_0 || l.version <= TDS_7_4 ? l.version : TDS_7_4;
	c->utf8 = l.utf8;
	memcpy(c->database, l.database, sizeof(c->database));
	c->want_packet_size = l.packet_size;
	if (l.sspi_len)
		sspi_login(c, s, &l);
	else if (l.fedauth && c->cfg->fedauth && l.fedauth_library == FEDAUTH_MSAL)
		fedauth_info(c, s);
	else if ((c->fedauth_echo = l.fedauth && c->cfg->fedauth) || password_right(c->cfg, &l))
		accept_login(c, s, l.user, l.packet_size);
	else
		refuse_login(c, s, l.user);
}

static void auth(struct conn *c, struct session *s)
{
	uint32_t want_size = c->want_packet_size;
	char user[400] = "";

	if (c->unasked) {
		accept_login(c, s, "", want_size);
	} else if (c->challenged && s->msg_type == TDS_SSPI) {
		if (ntlm_verify(buf_head(&s->msg), buf_len(&s->msg), c->challenge, c->cfg->user,
				c->cfg->password, user, sizeof(user)))
			accept_login(c, s, user, want_size);
		else
			refuse_login(c, s, user);
	} else if (!c->challenged && s->msg_type == TDS_FEDAUTH_TOKEN) {
		c->fedauth_echo = true;
		accept_login(c, s, "", want_size);
	} else {
		c->end = END_FIN;
	}
}

void login_message(struct conn *c, struct session *s)
{
	if (c->phase == PHASE_PRELOGIN)
		prelogin(c, s);
	else if (c->phase == PHASE_LOGIN)
		login7(c, s);
	else
		auth(c, s);
}
