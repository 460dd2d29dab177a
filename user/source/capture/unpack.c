// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unpack.c - see unpack.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "source/capture/unpack.h"

#define GZIP_WINDOW (15 + 16) /* the largest one; a gzip header, not zlib's */
/* log2 of 8 MiB: all levels use less, except with --ultra and --long */
#define ZSTD_WINDOW 23

/* A kind of compression, and its files' magic. */
struct kind {
	const char *name;
	uint8_t magic[UNPACK_MAGIC], mask[UNPACK_MAGIC];
	int (*open)(struct unpack *u);
	/* Consumes bytes of u->at. Returns the bytes written to out, or -errno with *why. */
	ssize_t (*step)(struct unpack *u, uint8_t *out, size_t len, const char **why);
	void (*close)(struct unpack *u);
};

struct unpack {
	const struct kind *kind;
	z_stream gzip;
	ZSTD_DCtx *zstd;
	const uint8_t *at, *end; /* compressed bytes not consumed yet */
	bool complete;		 /* the data could end here */
	uint8_t raw[UNPACK_ROOM];
};

static int gzip_open(struct unpack *u)
{
	return inflateInit2(&u->gzip, GZIP_WINDOW) == Z_OK ? 0 : -ENOMEM;
}

static void gzip_close(struct unpack *u)
{
	inflateEnd(&u->gzip);
}

static ssize_t gzip_step(struct unpack *u, uint8_t *out, size_t len, const char **why)
{
	z_stream *z = &u->gzip;
	int result;

	z->next_in = (uint8_t *)u->at;
	z->avail_in = (unsigned int)(u->end - u->at);
	z->next_out = out;
	z->avail_out = (unsigned int)len;
	result = inflate(z, Z_NO_FLUSH);
	if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) {
		*why = u->complete ? "garbage follows the compressed data"
		       : z->msg	   ? z->msg
				   : "the compressed data are damaged";
		return result == Z_MEM_ERROR ? -ENOMEM : -EIO;
	}
	if (z->next_in != u->at)
		u->complete = false;
	if (result == Z_STREAM_END) {
		u->complete = true;
		inflateReset(z);
	}
	u->at = z->next_in;
	return (ssize_t)(len - z->avail_out);
}

static int zstd_open(struct unpack *u)
{
	u->zstd = ZSTD_createDCtx();
	if (!u->zstd)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW);
	return 0;
}

static void zstd_close(struct unpack *u)
{
	ZSTD_freeDCtx(u->zstd);
}

static ssize_t zstd_step(struct unpack *u, uint8_t *out, size_t len, const char **why)
{
	ZSTD_inBuffer from = {.src = u->at, .size = (size_t)(u->end - u->at)};
	ZSTD_outBuffer to = {.dst = out, .size = len};
	size_t result = ZSTD_decompressStream(u->zstd, &to, &from);

	if (ZSTD_isError(result)) {
		*why = ZSTD_getErrorName(result);
		if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
			*why = "it was compressed with a window of more than 8 MiB (--ultra or "
			       "--long), zstd -dc --long=31 FILE | tdsmon -r - reads it";
		else if (u->complete)
			*why = "garbage follows the compressed data";
		return -EIO;
	}
	if (from.pos || to.pos)
		u->complete = !result;
	u->at += from.pos;
	return (ssize_t)to.pos;
}

/* RFC 1952 2.3.1; RFC 8878 3.1.1, and 3.1.2: a skippable frame, which may come first */
static const struct kind kinds[] = {
	{"gzip", {0x1f, 0x8b}, {0xff, 0xff}, gzip_open, gzip_step, gzip_close},
	{"zstd",
	 {0x28, 0xb5, 0x2f, 0xfd},
	 {0xff, 0xff, 0xff, 0xff},
	 zstd_open,
	 zstd_step,
	 zstd_close},
	{"zstd",
	 {0x50, 0x2a, 0x4d, 0x18},
	 {0xf0, 0xff, 0xff, 0xff},
	 zstd_open,
	 zstd_step,
	 zstd_close},
};

static bool kind_is(const struct kind *kind, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < UNPACK_MAGIC && kind->mask[i]; i++)
		if (i >= len || (data[i] & kind->mask[i]) != kind->magic[i])
			return false;
	return true;
}

int unpack_new(struct unpack **out, const uint8_t *data, size_t len)
{
	const struct kind *kind = NULL;
	struct unpack *u;

	*out = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !kind; i++)
		if (kind_is(&kinds[i], data, len))
			kind = &kinds[i];
	if (!kind)
		return 0;
	u = calloc(1, sizeof(*u));
	if (!u || kind->open(u)) {
		free(u);
		return -ENOMEM;
	}
	u->kind = kind;
	u->at = u->raw;
	u->end = u->raw + len;
	memcpy(u->raw, data, len);
	*out = u;
	return 0;
}

void unpack_free(struct unpack *u)
{
	if (u)
		u->kind->close(u);
	free(u);
}

const char *unpack_name(const struct unpack *u)
{
	return u->kind->name;
}

uint8_t *unpack_room(struct unpack *u)
{
	return u->raw;
}

void unpack_in(struct unpack *u, size_t len)
{
	u->at = u->raw;
	u->end = u->raw + len;
}

ssize_t unpack_out(struct unpack *u, uint8_t *out, size_t len, const char **why)
{
	const uint8_t *before;
	ssize_t made;

	do {
		before = u->at;
		made = u->kind->step(u, out, len, why);
	} while (!made && u->at != before && u->at < u->end);
	if (!made && u->at < u->end) {
		*why = "the compressed data are damaged";
		return -EIO;
	}
	return made;
}

int unpack_end(const struct unpack *u, const char **why)
{
	if (u->complete)
		return 0;
	*why = "the compressed data end early";
	return -EIO;
}
