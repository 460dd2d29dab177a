/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opener_process.h - the opener's side: what it may open, its requests and answers. opener.h is the
 * way to ask it.
 */
#ifndef TDSMON_OPENER_PROCESS_H
#define TDSMON_OPENER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct save_slots;

#define OPENER_NAME 52 /* room for a plain name */

/* Kinds of requests, the rows of the table in opener_process.c. */
enum opener_kind {
	OPENER_CONFIG,		/* the configuration file */
	OPENER_WEB_CONFIG,	/* the web configuration file */
	OPENER_WEB_CERT,	/* the files that it named when it was last opened */
	OPENER_WEB_KEY,		/* ... */
	OPENER_WEB_CLIENT_CA,	/* ... */
	OPENER_TEXTFILE,	/* a new file for the metrics, to write to */
	OPENER_TEXTFILE_COMMIT, /* put it in the old one's place: 0 */
	OPENER_TEXTFILE_DROP,	/* remove it: 0 */
	OPENER_REPORT,		/* a new file for the report, and so on as for the metrics */
	OPENER_REPORT_COMMIT,	/* ... */
	OPENER_REPORT_DROP,	/* ... */
	OPENER_STATE,		/* a new file for the page's history, and so on */
	OPENER_STATE_COMMIT,	/* ... */
	OPENER_STATE_DROP,	/* ... */
	OPENER_ERRORLOG,	/* the error log of that number */
	OPENER_SOCKET_STAT,	/* number: a socket's inode, name: a process that may have it, "0":
				 * any. /proc/PID/stat of the process that has it */
	OPENER_CGROUP,		/* number: a process. Its /proc/PID/cgroup */
	OPENER_SOCKET_BOUND,	/* the UNIX socket exists now; it is removed at the end: 0 */
	OPENER_CPU_STAT,	/* number: a process. cpu.stat of the cgroup that limits its CPU */
	OPENER_FREEZER, /* number: a process. The file that says whether its cgroup is frozen */
	OPENER_SAVE,	/* number: a slot of save_slots.h. Write its file: 0 */
	OPENER_KINDS
};

/* A request and its answer on the socket pair. */
struct opener_request {
	uint32_t kind;		/* enum opener_kind */
	uint32_t seq;		/* the answer has the request's */
	uint32_t number;	/* for rows that take one, otherwise 0 */
	char name[OPENER_NAME]; /* for rows that take one: no slash, not "." or ".."; else "" */
};
_Static_assert(sizeof(struct opener_request) == 64, "no padding");

struct opener_answer {
	uint32_t seq;
	int32_t err; /* 0, or -errno; a descriptor only comes with 0 */
};

/* Paths from the settings, or NULL. */
struct opener_config {
	const char *config, *web_config, *textfile, *report, *state, *socket;
	const char *const *errorlogs;
	size_t errorlog_count;
	bool processes;	  /* find the processes that have sockets, which takes CAP_SYS_PTRACE */
	const char *save; /* the directory of saved files, and its limits */
	size_t save_files;
	uint64_t save_bytes;
};

/*
 * Fork the opener, with the files that it may ever open. Returns the socket that takes its requests,
 * 0 if no setting needs it, or -errno, the reason logged. *saves is set with the socket; the caller
 * closes both.
 */
int opener_process_start(const struct opener_config *config, struct save_slots *saves);

#endif
