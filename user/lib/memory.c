// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * memory.c - see memory.h. The linker replaces the C library's functions with these (ld --wrap, see
 * the Makefile), so no caller can be missed. The program has one thread.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/memory.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **text, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **text, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What _FORTIFY_SOURCE calls instead of them. */
int __real___vasprintf_chk(char **text, int flag, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
int __wrap___vasprintf_chk(char **text, int flag, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
int __wrap___asprintf_chk(char **text, int flag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static uint64_t failures;

uint64_t memory_failures(void)
{
	return failures;
}

void *__wrap_malloc(size_t size)
{
	void *data = __real_malloc(size);

	failures += !data;
	return data;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *data = __real_calloc(count, size);

	failures += !data;
	return data;
}

/* A size of 0 frees, and NULL is no failure. */
void *__wrap_realloc(void *data, size_t size)
{
	void *grown = __real_realloc(data, size);

	failures += !grown && size;
	return grown;
}

char *__wrap_strdup(const char *text)
{
	char *copy = __real_strdup(text);

	failures += !copy;
	return copy;
}

int __wrap_vasprintf(char **text, const char *fmt, va_list args)
{
	int len = __real_vasprintf(text, fmt, args);

	failures += len < 0 && errno == ENOMEM;
	return len;
}

int __wrap_asprintf(char **text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = __wrap_vasprintf(text, fmt, args);
	va_end(args);
	return len;
}

int __wrap___vasprintf_chk(char **text, int flag, const char *fmt, va_list args)
{
	int len = __real___vasprintf_chk(text, flag, fmt, args);

	failures += len < 0 && errno == ENOMEM;
	return len;
}

int __wrap___asprintf_chk(char **text, int flag, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = __wrap___vasprintf_chk(text, flag, fmt, args);
	va_end(args);
	return len;
}
