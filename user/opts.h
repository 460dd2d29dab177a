/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opts.h - the command line: one table of options, from which parsing and help come.
 */
#ifndef TDSMON_OPTS_H
#define TDSMON_OPTS_H

#include "engine.h"
#include "output.h"
#include "sink/sink.h"
#include "source/live.h"

#define OPTS_PORT_DEFAULT 1433

struct opts {
	const char **interfaces, **files; /* into argv; room for argc of each */
	size_t interface_count, file_count;
	struct port_set ports;
	const struct sink_ops *format;
	const char *live_only;	  /* an option given that is of no use with files, or NULL */
	uint32_t max_connections; /* 0: the default */
	enum live_hook hook;
	bool has_ports; /* -p was given */
	uint32_t slow_prelogin_ms, slow_login_ms; /* 0: the default */
	bool any_port, mirror, identities, commands, explain, verbose;
};

enum opts_result {
	OPTS_RUN,
	OPTS_HELP,
	OPTS_VERSION,
	OPTS_USAGE, /* wrong; the reason was logged */
};

/* opts_release() is due after any result. */
enum opts_result opts_parse(struct opts *opts, int argc, char **argv);
void opts_release(struct opts *opts);

/* --help, for 80 columns. */
void opts_help(struct output *out);

/* Add ports by a list "1433,1500-1510": 0, or -EINVAL with the part that is wrong logged. */
int opts_ports(struct port_set *ports, const char *list);

#define OPTS_PORTS_TEXT 128

/* "1433, 1500-1510", cut with "..." where it does not fit. Returns text. */
const char *opts_ports_text(const struct port_set *ports, char text[OPTS_PORTS_TEXT]);

#endif
