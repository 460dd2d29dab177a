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

/* LOGIN7's fields, MS-TDS 2.2.6.4: u16 offset and u16 count each. */
enum {
	L7_HOST = 36,
	L7_USER = 40,
	L7_PASSWORD = 44,
	L7_APP = 48,
	L7_SERVER = 52,
	L7_EXTENSION = 56,
	L7_LIBRARY = 60,
	L7_LANGUAGE = 64,
	L7_DATABASE = 68,
	L7_CLIENT_ID = 72, /* six bytes: the client's MAC address */
	L7_SSPI = 78,
	L7_FILE = 82,
	L7_FIXED = 86, /* TDS 7.0 and 7.1; later 94 */
	L7_CHANGE_PASSWORD = 86,
	L7_SSPI_LONG = 90,
	L7_FIXED_LONG = 94,
	L7_FEATURE_FEDAUTH = 0x02,
	L7_FEATURE_END = 0xff,
};

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

/* A token of a server's message, as tds_answer_parse() walks them. */
struct tds_token {
	uint32_t from, len; /* within the message, with its first byte and its length */
	bool whole;	    /* false: the walk stops here, because it is cut or not known */
	uint8_t width;	    /* of an error, a message or a change: bytes per character */
	bool old;	    /* before TDS 7, where some numbers stand for other tokens */
};
typedef void tds_token_fn(void *ctx, const struct tds_token *token);
void tds_tokens(const uint8_t *data, uint32_t len, enum tds_era era, tds_token_fn *fn, void *ctx);

enum tds_token_kind {
	TOKEN_MSG = 0x65,    /* TDS 5 */
	TOKEN_LOGOUT = 0x71, /* TDS 5 */
	TOKEN_OFFSET = 0x78,
	TOKEN_RETURNSTATUS = 0x79,
	TOKEN_PROCID = 0x7c, /* TDS 4.2 */
	TOKEN_ORDER = 0xa9,
	TOKEN_ERROR = 0xaa,
	TOKEN_INFO = 0xab,
	TOKEN_LOGINACK = 0xad,
	TOKEN_FEATUREEXTACK = 0xae, /* TDS 5: CONTROL */
	TOKEN_CAPABILITY = 0xe2,    /* TDS 5 */
	TOKEN_ENVCHANGE = 0xe3,
	TOKEN_SESSIONSTATE = 0xe4,
	TOKEN_EED = 0xe5,      /* TDS 5 */
	TOKEN_PARAMFMT = 0xec, /* TDS 5 */
	TOKEN_SSPI = 0xed,
	TOKEN_FEDAUTHINFO = 0xee, /* TDS 5: ROWFMT */
	TOKEN_DONE = 0xfd,
	TOKEN_DONEPROC = 0xfe,
	TOKEN_DONEINPROC = 0xff,
};

enum {
	ENV_DATABASE = 1,
	ENV_PACKET_SIZE = 4,
	ENV_COLLATION = 7,
	ENV_ROUTING = 20,
	ENV_ENHANCED_ROUTING = 21,
};

/* "7.4" for 0x74000004 and so on; NULL if version is not a TDS version. */
const char *tds_version_name(uint32_t version);
enum tds_era tds_era(uint32_t version);

/* Add a feature. Beyond FEATURES_MAX it is left out. */
void tds_feature_add(struct feature_list *list, uint8_t id);

#endif
