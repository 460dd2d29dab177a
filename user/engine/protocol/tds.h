/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tds.h - parsers of a login's TDS messages: PRELOGIN, LOGIN7 or the older login record, and the
 * token stream of the response. Each takes one whole message's payload, as far as it was captured.
 */
#ifndef TDSMON_TDS_H
#define TDSMON_TDS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/protocol/wire_text.h"
#include "engine/record.h"

struct tds_prelogin {
	char version[TEXT_VERSION]; /* "16.0.4135"; "": not seen */
	uint8_t major;		    /* of the version */
	enum encrypt_option encryption;
	char *instance;			   /* client only, allocated */
	int8_t mars;			   /* 0, 1; -1: no such option */
	int8_t fedauth;			   /* 0, 1; -1: no such option */
	char *connection_id, *activity_id; /* client only, allocated */
};

/* None so far; it may be released. */
static inline void tds_prelogin_init(struct tds_prelogin *p)
{
	*p = (struct tds_prelogin){.mars = -1, .fedauth = -1};
}

/*
 * MS-TDS 2.2.6.5. Returns 1: a complete option table and its data; 0: a valid but incomplete
 * PRELOGIN; -EPROTO: not a PRELOGIN.
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

static inline void tds_login7_init(struct tds_login7 *l)
{
	*l = (struct tds_login7){.fedauth_library = -1};
}

/* MS-TDS 2.2.6.4. Returns 1: parsed as far as data goes; -EPROTO: not a LOGIN7. */
int tds_login7_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len);
void tds_login7_release(struct tds_login7 *l);

/*
 * Parse the login record of TDS 4.2 and 5.0: MS-SSTDS 2.2.6.3. It fills the same structure, as far
 * as the record has such fields. integrated: a security mechanism, which the record does not name.
 * Returns 1 or -EPROTO as above.
 */
int tds_login_old_parse(struct tds_login7 *l, const uint8_t *data, uint32_t len);

/* The differences between versions in the tokens of a login's response. */
enum tds_era {
	TDS_ERA_UNKNOWN,
	TDS_ERA_OLD, /* 4.2 and 5.0: one byte a character */
	TDS_ERA_70,  /* 7.0 and 7.1: two bytes a character, and a DONE of 8 bytes as before */
	TDS_ERA_72,
};

struct tds_answer {
	bool loginack, sspi, fedauth_info, done, attention_ack;
	bool refused;			   /* TDS 5: LOGINACK says so */
	uint32_t version;		   /* from LOGINACK, in LOGIN7's byte order */
	char server_version[TEXT_VERSION]; /* "": not seen */
	char *program;
	bool has_error;
	struct {
		int32_t number;
		uint8_t state, class_;
		char *message;
	} error;		      /* the first error of class 11 or more, else the first */
	struct feature_list features; /* acknowledged features */
	char *redirect_host;
	uint16_t redirect_port;
	char *database;
	int32_t packet_size;	   /* -1: not reported */
	const uint8_t *sspi_token; /* within data */
	uint32_t sspi_len;
	bool walked; /* walked to the end, without an unknown token */
};

static inline void tds_answer_init(struct tds_answer *a)
{
	*a = (struct tds_answer){.packet_size = -1};
}

/*
 * Walk the tokens of a server's message, MS-TDS 2.2.7. era: the client login's; if the tokens show
 * the era themselves, that takes precedence. Never fails: stops at a token that it can't step over,
 * and keeps what it found.
 */
void tds_answer_parse(struct tds_answer *a, const uint8_t *data, uint32_t len, enum tds_era era);
void tds_answer_release(struct tds_answer *a);

/* "7.4" for 0x74000004 and so on; NULL if version is not a TDS version. */
const char *tds_version_name(uint32_t version);
enum tds_era tds_era(uint32_t version);

/* Add a feature. Beyond FEATURES_MAX it is left out. */
void tds_feature_add(struct feature_list *list, uint8_t id);

#endif
