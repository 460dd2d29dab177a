// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Writes what the server knows of a connection. */
#include "log.h"

static void put_text(FILE *log, const char *key, const char *text)
{
	if (!text) {
		fprintf(log, "\"%s\":null,", key);
		return;
	}
	fprintf(log, "\"%s\":\"", key);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < 0x20)
			fprintf(log, "\\u%04x", c);
		else
			fprintf(log, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	fputs("\",", log);
}

void log_facts(FILE *log, const struct facts *f, unsigned client_port)
{
	flockfile(log);
	fprintf(log, "{\"client_port\":%u,", client_port);
	put_text(log, "app", f->auth ? f->app : NULL);
	put_text(log, "host", f->auth ? f->host : NULL);
	put_text(log, "database", f->auth ? f->database : NULL);
	put_text(log, "tls", f->tls);
	put_text(log, "auth", f->auth);
	put_text(log, "outcome", f->outcome);
	fprintf(log,
		"\"version\":%u,\"packet_size\":%u,\"error\":%d,\"answer\":%u,\"commands\":%u,"
		"\"rekeyed\":%u,\"resumed\":%s}\n",
		f->version, f->packet_size, f->error, f->answer, f->commands, f->rekeyed,
		f->resumed ? "true" : "false");
	fflush(log);
	funlockfile(log);
}
