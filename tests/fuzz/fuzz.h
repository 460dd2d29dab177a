/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz.h - shared by the fuzz harnesses: assertions, input in pieces, and checks of text.
 */
#ifndef TDSMON_FUZZ_H
#define TDSMON_FUZZ_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

#define FUZZ_ASSERT(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, consumed from its front; zeros follow it. */
struct fuzz {
	const uint8_t *p, *end;
};

static inline uint8_t fuzz_u8(struct fuzz *f)
{
	return f->p < f->end ? *f->p++ : 0;
}

static inline uint16_t fuzz_u16(struct fuzz *f)
{
	uint8_t high = fuzz_u8(f);

	return (uint16_t)(high << 8 | fuzz_u8(f));
}

static inline uint32_t fuzz_u32(struct fuzz *f)
{
	uint32_t high = fuzz_u16(f);

	return high << 16 | fuzz_u16(f);
}

/* At most n bytes in a block of their own, so that overreads are detected; the caller frees it. */
static inline uint8_t *fuzz_bytes(struct fuzz *f, uint32_t n, uint32_t *got)
{
	uint8_t *copy;

	*got = n < (size_t)(f->end - f->p) ? n : (uint32_t)(f->end - f->p);
	copy = malloc(*got ? *got : 1);
	FUZZ_ASSERT(copy);
	if (*got)
		memcpy(copy, f->p, *got);
	f->p += *got;
	return copy;
}

/* It must be NULL, or valid UTF-8 that is not empty. */
static inline void fuzz_text(const char *s)
{
	uint32_t cp;
	size_t n;

	if (!s)
		return;
	FUZZ_ASSERT(*s);
	/* An invalid byte reads as U+FFFD with length 1; U+FFFD itself has length 3. */
	for (; (n = utf8_next(s, &cp)); s += n)
		FUZZ_ASSERT(cp != UTF8_REPLACEMENT || n == 3);
}

#endif
