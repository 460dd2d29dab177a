/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opts.h - the command line and the configuration file. One table of options is the source for
 * parsing both, the help, the manual page and shell completion.
 */
#ifndef TDSMON_OPTS_H
#define TDSMON_OPTS_H

#include "engine/engine.h"
#include "lib/output.h"
#include "sink/by.h"
#include "sink/filter.h"
#include "sink/sink.h"
#include "source/live/live.h"
#include "source/live/sockets.h"

#define OPTS_PORT_DEFAULT   1433
#define OPTS_LISTEN_DEFAULT "127.0.0.1:9433"
#define OPTS_SOCKET_NAME    "tdsmon.sock"
#define OPTS_SOCKET_DEFAULT "/run/tdsmon/" OPTS_SOCKET_NAME

/* The origin of a setting. Later ones take precedence. */
enum opts_source {
	OPTS_FROM_NOWHERE,
	OPTS_FROM_FILE,
	OPTS_FROM_LINE,
};

struct opts_words;

/* How tdsmon report writes. */
enum opts_report {
	OPTS_REPORT_BY_NAME, /* as the name of its file ends, else HTML */
	OPTS_REPORT_HTML,
	OPTS_REPORT_TEXT,
	OPTS_REPORT_CSV,
};

struct opts {
	const struct opts_words *words; /* of a subcommand; NULL: tdsmon's own */
	const char **interfaces, **files, **allowed_hosts,
		**errorlogs; /* point into argv and text */
	size_t interface_count, file_count, allowed_host_count, errorlog_count;
	struct port_set ports;
	const char *config; /* the configuration file, or NULL */
	const char *run_as; /* the user to become once attached, or NULL */
	char *text;	    /* of the configuration file; settings point into it */
	unsigned line;	    /* its current line; 0: none */
	const struct sink_ops *format;
	const char *live_only; /* a given option that does not apply to files, or NULL */
	const char *listen;    /* where HTTP is served, or NULL */
	const char *socket;    /* the UNIX socket that --socket names, or NULL */
	const char *state_dir; /* where the page's history is kept, or NULL */
	const char *web_config, *textfile, *keylog; /* files, or NULL */
	uint32_t top_clients;
	uint32_t max_connections; /* 0: the default */
	uint32_t ring_mib;	  /* 0: the default */
	enum live_hook hook;
	enum sockets_way witness;
	enum opts_source source, ports_from, interfaces_from, allowed_hosts_from, decap_from,
		errorlogs_from, filter_from[FILTER_KINDS];
	struct by_keys by;			  /* none: each record is written */
	uint32_t every_ms;			  /* 0: the default */
	struct filter filter;			  /* of the records that are written */
	struct decap_config decap;		  /* if decap_from says so */
	uint32_t slow_prelogin_ms, slow_login_ms; /* 0: the default */
	bool sql_browser, dependencies, local;	  /* on by default */
	bool any_port, mirror, show_identities, commands, sql, explain, one_line, only_problems,
		heartbeat;
	unsigned verbose; /* how often -v was given */
	enum opts_report report_format;
	const char *output, *against;  /* of tdsmon report: files, or NULL */
	const char *report;	       /* a live run's report: a file, or NULL */
	const char *save;	       /* the directory of saved packets, or NULL */
	uint32_t save_files, save_mib; /* its bounds; 0: the default */
	bool again; /* parsed again after SIGHUP: former names were logged before */
};

enum opts_result {
	OPTS_RUN,
	OPTS_HELP,
	OPTS_VERSION,
	OPTS_USAGE, /* wrong usage; the reason was logged */
};

/*
 * Reads the configuration file first, if --config names one, then the command line. Options that
 * can be repeated replace those in the file. Call opts_release() whatever it returns.
 */
enum opts_result opts_parse(struct opts *opts, int argc, char **argv);
/* The same with a configuration file that is already open; config_fd as for config_read(). */
enum opts_result opts_parse_again(struct opts *opts, int argc, char **argv, int config_fd);
/* The same of a subcommand, whose name is argv[0] and which has no configuration file. */
enum opts_result opts_parse_words(struct opts *opts, const struct opts_words *words, int argc,
				  char **argv);
void opts_release(struct opts *opts);

/* Print --help, 80 columns wide; of a subcommand, or (NULL) tdsmon's own. */
void opts_help(struct output *out);
void opts_help_words(struct output *out, const struct opts_words *words);

#endif
