/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* TDS on the wire: packet types, and the tokens that a server writes. */
#ifndef SERVER_TDS_H
#define SERVER_TDS_H

#include "buf.h"

enum { TDS_HEADER = 8, TDS_LOGIN_PACKET = 4096 }; /* MS-TDS 2.2.3.1 */

/* MS-TDS 2.2.3.1.1 */
enum tds_type {
	TDS_BATCH = 0x01,
	TDS_RPC = 0x03,
	TDS_REPLY = 0x04,
	TDS_ATTENTION = 0x06,
	TDS_BULK = 0x07,
	TDS_FEDAUTH_TOKEN = 0x08,
	TDS_TRANSACTION = 0x0e,
	TDS_LOGIN7 = 0x10,
	TDS_SSPI = 0x11,
	TDS_PRELOGIN = 0x12,
};

/* MS-TDS 2.2.3.1.2 */
enum { STATUS_EOM = 0x01, STATUS_IGNORE = 0x02, STATUS_RESET = 0x08, STATUS_RESET_SKIP = 0x10 };

/* MS-TDS 2.2.6.5 */
enum prelogin_token {
	PL_VERSION,
	PL_ENCRYPTION,
	PL_INSTANCE,
	PL_THREADID,
	PL_MARS,
	PL_TRACEID,
	PL_FEDAUTH,
	PL_NONCE,
	PL_END = 0xff,
};
enum { ENC_OFF, ENC_ON, ENC_NOT_SUP, ENC_REQ, ENC_CLIENT_CERT = 0x80 };

/* MS-TDS 2.2.6.4: LOGIN7.TDSVersion as a number */
#define TDS_7_0 0x70000000u
#define TDS_7_1 0x71000000u
#define TDS_7_2 0x72090002u
#define TDS_7_4 0x74000004u
#define TDS_8_0 0x08000000u

/* 8.0 is 7.4 under TLS: its number is small, its layouts are the newest. */
static inline bool tds_at_least(uint32_t version, uint32_t least)
{
	return version == TDS_8_0 || version >= least;
}

/* MS-TDS 2.2.4 */
enum token {
	TOKEN_RETURNSTATUS = 0x79,
	TOKEN_COLMETADATA = 0x81,
	TOKEN_ERROR = 0xaa,
	TOKEN_INFO = 0xab,
	TOKEN_RETURNVALUE = 0xac,
	TOKEN_LOGINACK = 0xad,
	TOKEN_FEATUREEXTACK = 0xae,
	TOKEN_ROW = 0xd1,
	TOKEN_ENVCHANGE = 0xe3,
	TOKEN_SSPI = 0xed,
	TOKEN_FEDAUTHINFO = 0xee,
	TOKEN_DONE = 0xfd,
	TOKEN_DONEPROC = 0xfe,
	TOKEN_DONEINPROC = 0xff,
};

/* MS-TDS 2.2.7.6 */
enum {
	DONE_MORE = 0x01,
	DONE_ERROR = 0x02,
	DONE_INXACT = 0x04,
	DONE_COUNT = 0x10,
	DONE_ATTN = 0x20
};

/* MS-TDS 2.2.7.9 */
enum env_type {
	ENV_DATABASE = 1,
	ENV_LANGUAGE = 2,
	ENV_PACKET_SIZE = 4,
	ENV_COLLATION = 7,
	ENV_BEGIN = 8,
	ENV_COMMIT = 9,
	ENV_ROLLBACK = 10,
	ENV_RESET = 18,
	ENV_ROUTING = 20,
};

/* Latin1_General_CI_AS, LCID 0x409: MS-TDS 2.2.5.1.2 */
extern const uint8_t tds_collation[5];

struct message {
	int32_t number;
	uint8_t state, class;
	const char *text;
};

void token_env_text(struct buf *b, enum env_type type, const char *value, const char *old);
void token_env_bytes(struct buf *b, enum env_type type, const void *value, size_t len,
		     const void *old, size_t old_len);
void token_env_routing(struct buf *b, const char *host, unsigned port);
/* token: TOKEN_ERROR or TOKEN_INFO; version decides on the width of the line number. */
void token_message(struct buf *b, enum token token, uint32_t version, const char *server,
		   const struct message *m);
void token_loginack(struct buf *b, uint32_t version, const char *product, uint32_t product_version);
void token_done(struct buf *b, enum token token, uint32_t version, unsigned status,
		unsigned command, uint64_t rows);

/* Appends one packet of type with n bytes of payload. */
void tds_packet(struct buf *b, enum tds_type type, unsigned status, unsigned spid, unsigned id,
		const void *payload, size_t n);

#endif
