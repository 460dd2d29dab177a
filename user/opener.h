/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * opener.h - a second process that opens files that the watching process may not. It starts before
 * that process is confined, takes typed requests, never a path, and passes descriptors. It sees no
 * packet, and ends when the watching process does.
 */
#ifndef TDSMON_OPENER_H
#define TDSMON_OPENER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#define OPENER_NAME 52 /* room for a plain name */

/* Kinds of requests, the rows of the table in opener.c. */
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

struct opener;

/*
 * Start the process, with the files that it may ever open. NULL with *err 0: no file has to be
 * opened later. NULL with *err -errno, the reason logged. The process keeps its user, and only
 * those capabilities that its rows need.
 */
struct opener *opener_start(const struct opener_config *config, int *err);
/* The process then ends by itself. NULL is accepted. */
void opener_stop(struct opener *opener);

/*
 * Returns a descriptor, or 0 if the kind opens none. -errno: the opener's; -ETIMEDOUT: it did not
 * answer in time; -EPIPE: it is gone; -EINVAL: it was not started with that setting.
 */
int opener_ask(struct opener *opener, enum opener_kind kind);
/* The same of a kind that takes a number. */
int opener_ask_number(struct opener *opener, enum opener_kind kind, uint32_t number);

/*
 * The same without waiting: a ticket from 0 on, or -errno; -EBUSY: too many are under way. number and
 * name as the kind takes them.
 */
int opener_send(struct opener *opener, enum opener_kind kind, uint32_t number, const char *name);
/* The answer to a ticket, which ends it; -EAGAIN: not yet. */
int opener_take(struct opener *opener, int ticket);
/* The same, but wait for it: -EAGAIN: it did not come within ns. */
int opener_take_within(struct opener *opener, int ticket, uint64_t ns);
/* The same, for an answer that nobody wants any more. */
void opener_forget(struct opener *opener, int ticket);

/* Have a saved file written, without waiting: a ticket as above, or -errno. data is copied. */
int opener_save(struct opener *opener, const char *name, const void *data, size_t len);
/* How many saved files were removed so far to make room. */
uint64_t opener_saves_removed(const struct opener *opener);

#endif
