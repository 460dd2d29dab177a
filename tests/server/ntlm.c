// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Challenges NTLM clients and verifies NTLMv2 responses. */
#define OPENSSL_SUPPRESS_DEPRECATED /* MD4, DES: as functions they need no legacy provider */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/des.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md4.h>

#include "ntlm.h"

enum {
	/* UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_DOMAIN,
	 * EXTENDED_SESSIONSECURITY, TARGET_INFO, VERSION, 128, 56: MS-NLMP 2.2.2.5 */
	CHALLENGE_FLAGS = (int)0xa2898205,
	CHALLENGE_FIXED = 56,
	AUTHENTICATE_FIXED = 64,
	AV_END = 0,
	AV_COMPUTER = 1,
	AV_DOMAIN = 2,
	AV_DNS_COMPUTER = 3,
	AV_DNS_DOMAIN = 4,
	AV_TIMESTAMP = 7,
};

static const char signature[8] = "NTLMSSP";
static const uint8_t version[8] = {10, 0, 0x61, 0x4a, 0, 0, 0, 15};

unsigned ntlm_type(const uint8_t *p, size_t len)
{
	return len >= 12 && !memcmp(p, signature, 8) ? p[8] : 0;
}

static void av_text(struct buf *b, unsigned id, const char *value)
{
	size_t start;

	buf_le16(b, id);
	buf_le16(b, 0);
	start = buf_len(b);
	buf_utf16(b, value);
	buf_set_le16(b, start - 2, buf_len(b) - start);
}

/* The current time, in 100 ns since 1601. */
static uint64_t filetime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_sec + 11644473600ull) * 10000000 + t.tv_nsec / 100;
}

static void target_info(struct buf *b, const char *domain, const char *computer)
{
	av_text(b, AV_DOMAIN, domain);
	av_text(b, AV_COMPUTER, computer);
	av_text(b, AV_DNS_DOMAIN, domain);
	av_text(b, AV_DNS_COMPUTER, computer);
	buf_le16(b, AV_TIMESTAMP);
	buf_le16(b, 8);
	buf_le64(b, filetime());
	buf_le32(b, AV_END);
}

/* Length, space and offset of a field: MS-NLMP 2.2.1 */
static void field(struct buf *b, size_t len, size_t offset)
{
	buf_le16(b, len);
	buf_le16(b, len);
	buf_le32(b, offset);
}

void ntlm_challenge(struct buf *b, const uint8_t challenge[8], const char *domain,
		    const char *computer)
{
	struct buf name = {0}, info = {0};

	buf_utf16(&name, domain);
	target_info(&info, domain, computer);
	buf_put(b, signature, 8);
	buf_le32(b, NTLM_CHALLENGE);
	field(b, buf_len(&name), CHALLENGE_FIXED);
	buf_le32(b, CHALLENGE_FLAGS);
	buf_put(b, challenge, 8);
	buf_le64(b, 0);
	field(b, buf_len(&info), CHALLENGE_FIXED + buf_len(&name));
	buf_put(b, version, 8);
	buf_put(b, buf_head(&name), buf_len(&name));
	buf_put(b, buf_head(&info), buf_len(&info));
	buf_release(&name);
	buf_release(&info);
}

/* MS-NLMP 3.3.1: NTOWFv1, the hash of the password */
static void nt_hash(const char *password, uint8_t hash[16])
{
	struct buf b = {0};

	buf_utf16(&b, password);
	MD4(buf_len(&b) ? buf_head(&b) : (const uint8_t *)"", buf_len(&b), hash);
	buf_release(&b);
}

/* MS-NLMP 6: DESL, three encryptions of data by the three thirds of a 21-byte key */
static void desl(const uint8_t hash[16], const uint8_t data[8], uint8_t out[24])
{
	uint8_t keys[21] = {0};

	memcpy(keys, hash, 16);
	for (int third = 0; third < 3; third++) {
		const uint8_t *k = keys + 7 * third;
		DES_key_schedule schedule;
		DES_cblock key, in, sealed;

		key[0] = k[0];
		for (int i = 1; i < 7; i++)
			key[i] = k[i - 1] << (8 - i) | k[i] >> i;
		key[7] = k[6] << 1;
		memcpy(in, data, 8);
		DES_set_key_unchecked(&key, &schedule);
		DES_ecb_encrypt(&in, &sealed, &schedule, DES_ENCRYPT);
		memcpy(out + 8 * third, sealed, 8);
	}
}

/* MS-NLMP 3.3.1: NTLMv1; with session security the LM field holds the client's challenge. */
static bool verify_v1(const char *password, const uint8_t challenge[8], const uint8_t *lm,
		      const uint8_t nt[24])
{
	static const uint8_t zero[16];
	uint8_t hash[16], data[16], expected[24], md5[16];

	nt_hash(password, hash);
	memcpy(data, challenge, 8);
	if (!memcmp(lm + 8, zero, 16)) {
		memcpy(data + 8, lm, 8);
		EVP_Digest(data, 16, md5, NULL, EVP_md5(), NULL);
		memcpy(data, md5, 8);
	}
	desl(hash, data, expected);
	return !memcmp(expected, nt, 24);
}

/* MS-NLMP 3.3.2: NTOWFv2; name and domain are UTF-16LE, the name in upper case. */
static void ntowf(const char *password, const uint8_t *name, size_t name_len, const uint8_t *domain,
		  size_t domain_len, uint8_t key[16])
{
	struct buf b = {0};
	uint8_t hash[16];

	nt_hash(password, hash);
	buf_put(&b, name, name_len);
	for (size_t i = 0; i + 1 < name_len; i += 2)
		if (!buf_head(&b)[i + 1])
			buf_head(&b)[i] = toupper(buf_head(&b)[i]);
	buf_put(&b, domain, domain_len);
	HMAC(EVP_md5(), hash, 16, buf_len(&b) ? buf_head(&b) : hash, buf_len(&b), key, NULL);
	buf_release(&b);
}

/* MS-NLMP 3.3.2: NTProofStr over the server's challenge and the client's blob. */
static void proof(const uint8_t key[16], const uint8_t challenge[8], const uint8_t *blob,
		  size_t blob_len, uint8_t out[16])
{
	struct buf b = {0};

	buf_put(&b, challenge, 8);
	buf_put(&b, blob, blob_len);
	HMAC(EVP_md5(), key, 16, buf_head(&b), buf_len(&b), out, NULL);
	buf_release(&b);
}

static const uint8_t *get(const uint8_t *p, size_t len, size_t at, size_t *n)
{
	struct reader r = {p + at, 8, false};
	uint32_t off;

	*n = read_le16(&r);
	read_le16(&r);
	off = read_le32(&r);
	return off <= len && *n <= len - off ? p + off : NULL;
}

bool ntlm_verify(const uint8_t *p, size_t len, const uint8_t challenge[8], const char *want_user,
		 const char *password, char *user, size_t user_size)
{
	const uint8_t *lm, *nt, *domain, *name;
	size_t lm_len, nt_len, domain_len, name_len;
	uint8_t key[16], expected[16];

	*user = 0;
	if (ntlm_type(p, len) != NTLM_AUTHENTICATE || len < 52)
		return false;
	lm = get(p, len, 12, &lm_len);
	nt = get(p, len, 20, &nt_len);
	domain = get(p, len, 28, &domain_len);
	name = get(p, len, 36, &name_len);
	if (!lm || !nt || !domain || !name || (lm_len < 24 && nt_len < 24))
		return false;
	utf8_from_utf16(user, user_size, name, name_len / 2);
	if (want_user && strcasecmp(user, want_user))
		return false;
	if (!password)
		return true;
	if (nt_len == 24)
		return lm_len == 24 && verify_v1(password, challenge, lm, nt);
	ntowf(password, name, name_len, domain, domain_len, key);
	if (nt_len > 24) {
		proof(key, challenge, nt + 16, nt_len - 16, expected);
		if (!memcmp(expected, nt, 16))
			return true;
	}
	/* LMv2, as used by tedious: its NT response has 16 bytes, the proof, and no blob. */
	proof(key, challenge, lm + 16, lm_len == 24 ? 8 : 0, expected);
	return lm_len == 24 && !memcmp(expected, lm, 16);
}

void ntlm_negotiate(struct buf *b)
{
	buf_put(b, signature, 8);
	buf_le32(b, NTLM_NEGOTIATE);
	buf_le32(b, 0xa2088207u);
	buf_le64(b, 0);
	buf_le64(b, 0);
	buf_put(b, version, 8);
}

void ntlm_authenticate(struct buf *b, const uint8_t challenge[8], const char *domain,
		       const char *user, const char *password)
{
	struct buf d = {0}, u = {0}, blob = {0};
	uint8_t key[16], nt[16];
	static const uint8_t lm[24];
	size_t at = AUTHENTICATE_FIXED + 8;

	buf_utf16(&d, domain);
	buf_utf16(&u, user);
	/* MS-NLMP 2.2.2.7: the client challenge structure */
	buf_le64(&blob, 0x0101);
	buf_le64(&blob, filetime());
	buf_le64(&blob, 0x0807060504030201ull);
	buf_le32(&blob, 0);
	target_info(&blob, domain, domain);
	buf_le32(&blob, 0);
	ntowf(password, buf_head(&u), buf_len(&u), buf_head(&d), buf_len(&d), key);
	proof(key, challenge, buf_head(&blob), buf_len(&blob), nt);

	buf_put(b, signature, 8);
	buf_le32(b, NTLM_AUTHENTICATE);
	field(b, sizeof(lm), at + buf_len(&d) + 2 * buf_len(&u));
	field(b, 16 + buf_len(&blob), at + buf_len(&d) + 2 * buf_len(&u) + sizeof(lm));
	field(b, buf_len(&d), at);
	field(b, buf_len(&u), at + buf_len(&d));
	field(b, buf_len(&u), at + buf_len(&d) + buf_len(&u)); /* the workstation: the user's */
	field(b, 0, at);
	buf_le32(b, 0xa2888205u);
	buf_put(b, version, 8);
	buf_put(b, buf_head(&d), buf_len(&d));
	buf_put(b, buf_head(&u), buf_len(&u));
	buf_put(b, buf_head(&u), buf_len(&u));
	buf_put(b, lm, sizeof(lm));
	buf_put(b, nt, 16);
	buf_put(b, buf_head(&blob), buf_len(&blob));
	buf_release(&d);
	buf_release(&u);
	buf_release(&blob);
}
