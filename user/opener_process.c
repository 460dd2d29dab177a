// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opener_process.c - the opener: the files that it may open, and the requests that it serves.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/capability.h>

#include "system/procfs.h"
#include "system/sandbox.h"
#include "lib/log.h"
#include "opener_process.h"
#include "save_slots.h"
#include "lib/regular.h"
#include "lib/number.h"
#include "lib/pass_fd.h"
#include "lib/replace.h"
#include "lib/socket_file.h"
#include "http/web_config.h"

#define OPENER_TITLE "tdsmon-opener"
#define SAVER_TITLE  "tdsmon-saver" /* where saved files are all that it has to do with */
#define OPENER_FDS   16		    /* above every number that stays open */

/* A file that is written under another name, and then takes the place of the old one. */
struct written_file {
	struct replace replace;
	bool begun;
};

/* The files that it replaces, by their kind. */
enum written { WRITTEN_TEXTFILE, WRITTEN_REPORT, WRITTEN_STATE, WRITTEN_COUNT };

/* The files that it may open. */
struct files {
	int socket;
	struct opener_config config;
	struct web_config_names web; /* as in the web configuration when it was last read */
	struct written_file written[WRITTEN_COUNT];
	struct socket_file socket_file; /* of the UNIX socket that is served */
	struct save_slots saves;
};

/* One kind of request. A new kind takes an enum value, a opener_row and its capabilities. */
struct opener_row {
	/* Returns a descriptor to pass on, or 0, or -errno. */
	int (*serve)(struct files *files, const struct opener_request *req);
	bool (*wanted)(const struct opener_config *config); /* do the settings need it? */
	uint64_t capabilities;
	unsigned int roles; /* enum sandbox_role */
	bool takes_number, takes_name;
};

static bool has_config(const struct opener_config *config)
{
	return config->config;
}

static bool has_web_config(const struct opener_config *config)
{
	return config->web_config;
}

static bool has_textfile(const struct opener_config *config)
{
	return config->textfile;
}

static bool has_report(const struct opener_config *config)
{
	return config->report;
}

static bool has_state(const struct opener_config *config)
{
	return config->state;
}

static bool has_socket(const struct opener_config *config)
{
	return config->socket;
}

static bool has_errorlogs(const struct opener_config *config)
{
	return config->errorlog_count;
}

static bool has_processes(const struct opener_config *config)
{
	return config->processes;
}

static bool has_save(const struct opener_config *config)
{
	return config->save;
}

static int serve_config(struct files *files, const struct opener_request *req)
{
	(void)req;
	return regular_open(files->config.config);
}

static int serve_web_config(struct files *files, const struct opener_request *req)
{
	int fd = regular_open(files->config.web_config);

	(void)req;
	web_config_names_release(&files->web);
	if (fd >= 0)
		web_config_names_read(&files->web, fd, files->config.web_config);
	return fd;
}

static int serve_web_file(struct files *files, const struct opener_request *req)
{
	const char *path = files->web.path[req->kind - OPENER_WEB_CERT];

	return path ? regular_open(path) : -ENOENT;
}

static struct written_file *written_file(struct files *files, const struct opener_request *req)
{
	switch (req->kind) {
	case OPENER_REPORT:
	case OPENER_REPORT_COMMIT:
	case OPENER_REPORT_DROP:
		return &files->written[WRITTEN_REPORT];
	case OPENER_STATE:
	case OPENER_STATE_COMMIT:
	case OPENER_STATE_DROP:
		return &files->written[WRITTEN_STATE];
	default:
		return &files->written[WRITTEN_TEXTFILE];
	}
}

static int serve_new(struct files *files, const struct opener_request *req)
{
	struct written_file *file = written_file(files, req);
	int fd = replace_begin(&file->replace);

	file->begun = fd >= 0;
	return fd;
}

static int serve_commit(struct files *files, const struct opener_request *req)
{
	struct written_file *file = written_file(files, req);

	if (!file->begun)
		return -EINVAL;
	file->begun = false;
	return replace_commit(&file->replace);
}

static void written_file_drop(struct written_file *file)
{
	if (file->begun)
		replace_drop(&file->replace);
	file->begun = false;
}

static int serve_drop(struct files *files, const struct opener_request *req)
{
	written_file_drop(written_file(files, req));
	return 0;
}

static int serve_socket_bound(struct files *files, const struct opener_request *req)
{
	(void)req;
	socket_file_note(&files->socket_file);
	return 0;
}

static int serve_errorlog(struct files *files, const struct opener_request *req)
{
	const struct opener_config *config = &files->config;

	return req->number < config->errorlog_count ? regular_open(config->errorlogs[req->number])
						    : -EINVAL;
}

static int serve_socket_stat(struct files *files, const struct opener_request *req)
{
	char *end;
	unsigned long hint = number_parse(req->name, INT32_MAX, &end);

	(void)files;
	return *end ? -EINVAL : procfs_open_stat(req->number, (uint32_t)hint);
}

static int serve_cgroup(struct files *files, const struct opener_request *req)
{
	(void)files;
	return procfs_open_cgroup(req->number);
}

static int serve_cpu_stat(struct files *files, const struct opener_request *req)
{
	(void)files;
	return procfs_open_cpu_stat(req->number);
}

static int serve_freezer(struct files *files, const struct opener_request *req)
{
	(void)files;
	return procfs_open_freezer(req->number);
}

static int serve_save(struct files *files, const struct opener_request *req)
{
	return save_slots_write(&files->saves, req->number);
}

#define READS  SANDBOX_BIT(CAP_DAC_READ_SEARCH) /* only root may read these files, or write them */
#define WRITES SANDBOX_BIT(CAP_DAC_OVERRIDE)	/* a directory of node_exporter's user */

/* Which descriptors another user's process has, and the folder that lists them. */
#define LOOKS (SANDBOX_BIT(CAP_SYS_PTRACE) | READS)

static const struct opener_row rows[OPENER_KINDS] = {
	[OPENER_CONFIG] = {serve_config, has_config, READS, SANDBOX_OPENER, false, false},
	[OPENER_WEB_CONFIG] = {serve_web_config, has_web_config, READS, SANDBOX_OPENER, false,
			       false},
	[OPENER_WEB_CERT] = {serve_web_file, has_web_config, READS, SANDBOX_OPENER, false, false},
	[OPENER_WEB_KEY] = {serve_web_file, has_web_config, READS, SANDBOX_OPENER, false, false},
	[OPENER_WEB_CLIENT_CA] = {serve_web_file, has_web_config, READS, SANDBOX_OPENER, false,
				  false},
	[OPENER_TEXTFILE] = {serve_new, has_textfile, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
			     false, false},
	[OPENER_TEXTFILE_COMMIT] = {serve_commit, has_textfile, WRITES,
				    SANDBOX_OPENER | SANDBOX_WRITER, false, false},
	[OPENER_TEXTFILE_DROP] = {serve_drop, has_textfile, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
				  false, false},
	[OPENER_SOCKET_BOUND] = {serve_socket_bound, has_socket, WRITES,
				 SANDBOX_OPENER | SANDBOX_WRITER, false, false},
	[OPENER_REPORT] = {serve_new, has_report, WRITES, SANDBOX_OPENER | SANDBOX_WRITER, false,
			   false},
	[OPENER_REPORT_COMMIT] = {serve_commit, has_report, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
				  false, false},
	[OPENER_REPORT_DROP] = {serve_drop, has_report, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
				false, false},
	[OPENER_STATE] = {serve_new, has_state, WRITES, SANDBOX_OPENER | SANDBOX_WRITER, false,
			  false},
	[OPENER_STATE_COMMIT] = {serve_commit, has_state, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
				 false, false},
	[OPENER_STATE_DROP] = {serve_drop, has_state, WRITES, SANDBOX_OPENER | SANDBOX_WRITER,
			       false, false},
	[OPENER_ERRORLOG] = {serve_errorlog, has_errorlogs, READS, SANDBOX_OPENER, true, false},
	[OPENER_SOCKET_STAT] = {serve_socket_stat, has_processes, LOOKS,
				SANDBOX_OPENER | SANDBOX_LOOKER, true, true},
	[OPENER_CGROUP] = {serve_cgroup, has_processes, LOOKS, SANDBOX_OPENER, true, false},
	[OPENER_CPU_STAT] = {serve_cpu_stat, has_processes, LOOKS, SANDBOX_OPENER, true, false},
	[OPENER_FREEZER] = {serve_freezer, has_processes, LOOKS, SANDBOX_OPENER, true, false},
	[OPENER_SAVE] = {serve_save, has_save, WRITES, SANDBOX_OPENER | SANDBOX_WRITER, true,
			 false},
};

/* Is the name a single component of a path that stays in its directory? */
static bool is_plain(const char name[OPENER_NAME])
{
	return memchr(name, '\0', OPENER_NAME) && !strchr(name, '/') && strcmp(name, ".") &&
	       strcmp(name, "..");
}

static int serve_request(struct files *files, const struct opener_request *req)
{
	const struct opener_row *row = req->kind < OPENER_KINDS ? &rows[req->kind] : NULL;

	if (!row || !row->wanted(&files->config) || !is_plain(req->name) ||
	    (!*req->name) == row->takes_name || (req->number && !row->takes_number))
		return -EINVAL;
	return row->serve(files, req);
}

/* Serve until the other end is closed, by its process or by its death. */
static void serve_all(struct files *files)
{
	struct opener_request req;
	ssize_t n;

	for (;;) {
		struct opener_answer answer;
		int result;

		n = recv(files->socket, &req, sizeof(req), MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (n != sizeof(req))
			continue; /* malformed: nobody waits for an answer */
		result = serve_request(files, &req);
		answer = (struct opener_answer){.seq = req.seq, .err = result < 0 ? result : 0};
		pass_fd_send(files->socket, &answer, sizeof(answer), result > 0 ? result : -1);
		if (result > 0)
			close(result);
	}
	for (int i = 0; i < WRITTEN_COUNT; i++)
		written_file_drop(&files->written[i]);
	socket_file_remove(&files->socket_file);
}

/*
 * Close all inherited descriptors except those that are needed, which move to the first numbers
 * after the standard ones.
 */
static void opener_keep(struct files *files)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int *kept[] = {&files->socket,
		       &files->written[WRITTEN_TEXTFILE].replace.dir,
		       &files->written[WRITTEN_REPORT].replace.dir,
		       &files->written[WRITTEN_STATE].replace.dir,
		       &files->socket_file.dir,
		       &files->saves.dir.fd};
	int count = 3;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (*kept[i] >= 0)
			*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, OPENER_FDS);
	for (int fd = 0; fd < count; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (*kept[i] >= 0)
			*kept[i] = dup2(*kept[i], count++);
	if (!close_range((unsigned)count, ~0u, 0))
		return;
	for (int fd = count; fd < (int)sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

/* Signals to the whole process group are for the watching process, which still needs this one. */
static void opener_ignore_signals(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

static void __attribute__((noreturn))
opener_run(struct files *files, uint64_t capabilities, unsigned int roles)
{
	if (!sandbox_privileges(SANDBOX_USER_SAME, NULL, capabilities)) {
		sandbox_syscalls(roles, &(struct sandbox_descriptors){-1, -1});
		serve_all(files);
	}
	_exit(0);
}

/* Do the settings need any row? */
static bool opener_is_wanted(const struct opener_config *config)
{
	for (size_t i = 0; i < OPENER_KINDS; i++)
		if (rows[i].wanted(config))
			return true;
	return false;
}

/* The union of what the rows that the settings need require. */
static void opener_needs(const struct opener_config *config, uint64_t *capabilities,
			 unsigned int *roles)
{
	*capabilities = 0;
	*roles = 0;
	for (size_t i = 0; i < OPENER_KINDS; i++) {
		if (!rows[i].wanted(config))
			continue;
		*capabilities |= rows[i].capabilities;
		*roles |= rows[i].roles;
	}
}

static int opener_fork(struct files *files, uint64_t capabilities, unsigned int roles)
{
	int pair[2], err;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	signal(SIGCHLD, SIG_IGN); /* the kernel reaps it */
	child = fork();
	err = child < 0 ? -errno : 0;
	if (!child) {
		opener_ignore_signals();
		files->socket = pair[1];
		opener_keep(files);
		prctl(PR_SET_NAME, files->config.save ? SAVER_TITLE : OPENER_TITLE);
		opener_run(files, capabilities, roles);
	}
	close(pair[1]);
	if (!err)
		return pair[0];
	close(pair[0]);
	return err;
}

static bool may_write_in(int dir)
{
	return dir < 0 || !faccessat(dir, ".", W_OK, AT_EACCESS);
}

static bool may_write(void *ctx)
{
	const struct files *files = ctx;

	for (int i = 0; i < WRITTEN_COUNT; i++)
		if (!may_write_in(files->written[i].replace.dir))
			return false;
	return may_write_in(files->socket_file.dir) && may_write_in(files->saves.dir.fd);
}

/* A file that is written later; path NULL: none. */
static int opener_replaces(struct replace *file, const char *path)
{
	int err = path ? replace_open(file, path) ?: replace_try(file) : 0;

	if (err)
		replace_refused(path, err);
	return err;
}

static int opener_begin(struct files *files)
{
	const struct opener_config *config = &files->config;
	const char *const paths[WRITTEN_COUNT] = {[WRITTEN_TEXTFILE] = config->textfile,
						  [WRITTEN_REPORT] = config->report,
						  [WRITTEN_STATE] = config->state};
	uint64_t capabilities;
	unsigned int roles;
	int err = 0;

	for (int i = 0; i < WRITTEN_COUNT && !err; i++)
		err = opener_replaces(&files->written[i].replace, paths[i]);
	if (err)
		return err;
	if (config->socket)
		err = socket_file_open(&files->socket_file, config->socket);
	if (err) {
		log_error("cannot serve %s: %s", config->socket, strerror(-err));
		return err;
	}
	if (config->save)
		err = save_slots_open(&files->saves, config->save, config->save_files,
				      config->save_bytes);
	if (err)
		return err;
	opener_needs(config, &capabilities, &roles);
	if (capabilities & WRITES && sandbox_works_without(WRITES, may_write, files))
		capabilities &= ~WRITES;
	err = opener_fork(files, capabilities, roles);
	if (err < 0)
		log_error("cannot start the process that opens files later: %s", strerror(-err));
	return err;
}

int opener_process_start(const struct opener_config *config, struct save_slots *saves)
{
	struct files files = {.socket = -1,
			      .config = *config,
			      .written = {[0 ... WRITTEN_COUNT - 1] = {.replace.dir = -1}},
			      .socket_file.dir = -1,
			      .saves.dir.fd = -1};
	int result;

	if (!opener_is_wanted(config))
		return 0;
	result = opener_begin(&files);
	for (int i = 0; i < WRITTEN_COUNT; i++)
		replace_close(&files.written[i].replace);
	socket_file_close(&files.socket_file);
	bounded_dir_close(&files.saves.dir); /* it is the other process's */
	if (result < 0)
		save_slots_close(&files.saves);
	else
		*saves = files.saves;
	return result;
}
