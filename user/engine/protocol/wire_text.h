/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire_text.h - converts text from the wire into UTF-8: UTF-16LE strings, GUIDs, versions.
 */
#ifndef TDSMON_WIRE_TEXT_H
#define TDSMON_WIRE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Characters; no name is longer: 128 in LOGIN7 (MS-TDS 2.2.6.4), 255 in NTLM and in DNS. */
#define TEXT_NAME_MOST 256

/*
 * All return allocated, NUL-ended text for free(). They return NULL if there is no memory, or no
 * text (no bytes, or none before the padding NULs). Invalid UTF-16 becomes U+FFFD.
 */
char *text_utf16(const uint8_t *p, size_t bytes);
char *text_name(const uint8_t *p, size_t bytes);   /* the same, up to TEXT_NAME_MOST */
char *text_latin1(const uint8_t *p, size_t bytes); /* up to the first NUL, or TEXT_NAME_MOST */
/* One byte a character: ASCII, else U+FFFD, because the character set is not known. */
char *text_bytes(const uint8_t *p, size_t bytes);
char *text_guid(const uint8_t p[16]); /* NULL for all zeros */
/* "16.0.4135": bytes, big-endian build. Written to text. */
#define TEXT_VERSION sizeof("255.255.65535")
void text_version(char text[TEXT_VERSION], const uint8_t p[4]);
/* "BEFORE12.345 ms", for text of every login's record: text_format() takes ten times as long. */
char *text_after_ms(const char *before, uint64_t ns);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Take text over: free what *slot held, store text there. NULL leaves *slot as it is. */
void text_set(char **slot, char *text);

#endif
