/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds.h - parsers of the TDS messages of a login: PRELOGIN, LOGIN7 or the older login record, and
 * the token stream that answers it. Each takes one whole message's payload, as much of it as was
 * captured.
 */
#ifndef TDSMON_TDS_H
#define TDSMON_TDS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/record.h"

struct tds_prelogin {
	char *version; /* "16.0.4135", allocated */
	uint8_t major; /* of it */
	enum encrypt_option encryption;
	char *instance;			   /* client only, allocated */
	int8_t mars;			   /* 0, 1; -1: no such option */
	int8_t fedauth;			   /* 0, 1; -1: no such option */
	char *connection_id, *activity_id; /* client only, allocated */
};

/*
 * MS-TDS 2.2.6.5. 1: a complete option table and its data; 0: as far as it goes it is one;
 * -EPROTO: it is none.
 */
int tds_prelogin_parse(struct tds_prelogin *p, const uint8_t *data, uint32_t len);
void tds_prelogin_release(struct tds_prelogin *p);

struct tds_login7 {
	uint32_t version;
	uint32_t packet_size;
	bool integrated, read_only, change_password;
	char *host, *user, *app, *driver, *database; /* allocated */
	const uint8_t *sspi;			     /* within data */
	uint32_t sspi_len;
	int8_t fedauth_library; /* MS-TDS 2.2.6.4: 1 token, 2 MSAL; -1: no such feature */
	struct feature_list features;
};

/* MS-TDS 2.2.6.4. 1: parsed as far as data goes; -EPROTO: not a LOGIN7. */
int tds_login7_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len);
void tds_login7_release(struct tds_login7 *l);

/*
 * The login record of TDS 4.2 and 5.0: MS-SSTDS 2.2.6.3. The same result, as far as it has such
 * fields; integrated: a security mechanism, which one is not told. 1 or -EPROTO as above.
 */
int tds_login_old_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len);

/* What differs between versions in the tokens that answer a login. */
enum tds_era {
	TDS_ERA_UNKNOWN,
	TDS_ERA_OLD, /* 4.2 and 5.0: one byte a character */
	TDS_ERA_70,  /* 7.0 and 7.1: two, and a DONE of 8 bytes as before */
	TDS_ERA_72,
};

struct tds_answer {
	bool loginack, sspi, fedauth_info, done, attention_ack;
	bool refused;	  /* TDS 5: LOGINACK says so */
	uint32_t version; /* of LOGINACK, as LOGIN7 writes it */
	char *server_version, *program;
	bool has_error;
	struct {
		int32_t number;
		uint8_t state, class_;
		char *message;
	} error;		      /* the first of class 11 or more, else the first */
	struct feature_list features; /* acknowledged */
	char *redirect_host;
	uint16_t redirect_port;
	char *database;
	int32_t packet_size;	   /* -1: not told */
	const uint8_t *sspi_token; /* within data */
	uint32_t sspi_len;
	bool walked; /* to the end, without an unknown token */
};

/*
 * Walk the tokens of a server's message, MS-TDS 2.2.7. era: of the client's login; the tokens tell
 * better where they can. Never fails: stops where it can't follow and keeps what it found.
 */
void tds_answer_parse(struct tds_answer *a, const uint8_t *data, uint32_t len, enum tds_era era);
void tds_answer_release(struct tds_answer *a);

/* "7.4" for 0x74000004 and so on; NULL for a version that is none. */
const char *tds_version_name(uint32_t version);
enum tds_era tds_era(uint32_t version);

/* One more; beyond FEATURES_MAX it is left out. */
void tds_feature_add(struct feature_list *list, uint8_t id);

#endif
