/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opts.h - the command line and the configuration file: one table of options, from which the
 * parsing of both, the help, the manual page and the shells' completions come.
 */
#ifndef TDSMON_OPTS_H
#define TDSMON_OPTS_H

#include "engine/engine.h"
#include "lib/output.h"
#include "sink/sink.h"
#include "source/live/live.h"

#define OPTS_PORT_DEFAULT   1433
#define OPTS_LISTEN_DEFAULT "127.0.0.1:9433"

/* Where a setting comes from; what comes later takes precedence. */
enum opts_source {
	OPTS_FROM_NOWHERE,
	OPTS_FROM_FILE,
	OPTS_FROM_LINE,
};

struct opts {
	const char **interfaces, **files, **allowed_hosts; /* into argv and text */
	size_t interface_count, file_count, allowed_host_count;
	struct port_set ports;
	const char *config; /* the configuration file, or NULL */
	const char *run_as; /* the user to become once attached, or NULL */
	char *text;	    /* of the configuration file; settings point into it */
	unsigned line;	    /* the line of it that is being read; 0: none */
	const struct sink_ops *format;
	const char *live_only; /* an option given that is of no use with files, or NULL */
	const char *listen;    /* where HTTP is served, or NULL */
	const char *web_config, *textfile, *keylog; /* files, or NULL */
	uint32_t top_clients;
	uint32_t max_connections; /* 0: the default */
	uint32_t ring_mib;	  /* 0: the default */
	enum live_hook hook;
	enum opts_source source, ports_from, interfaces_from, allowed_hosts_from, decap_from;
	struct decap_config decap;		  /* where decap_from says so */
	uint32_t slow_prelogin_ms, slow_login_ms; /* 0: the default */
	bool sql_browser;			  /* on by default */
	bool any_port, mirror, show_identities, commands, sql, explain, only_problems, verbose;
	bool again; /* parsed again by SIGHUP: former names are not logged twice */
};

enum opts_result {
	OPTS_RUN,
	OPTS_HELP,
	OPTS_VERSION,
	OPTS_USAGE, /* wrong; the reason was logged */
};

/*
 * The configuration file first, if --config names one, then the command line. What may be given
 * several times replaces what the file says of it. opts_release() is due after any result.
 */
enum opts_result opts_parse(struct opts *opts, int argc, char **argv);
/* The same with a configuration file that somebody else opened; config_fd as in config_read(). */
enum opts_result opts_parse_again(struct opts *opts, int argc, char **argv, int config_fd);
void opts_release(struct opts *opts);

/* --help, for 80 columns. */
void opts_help(struct output *out);

#endif
