// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * intake.c - see intake.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fd.h"
#include "top/intake.h"

#define INTAKE_LINE  (4u << 20)	  /* a longer line is left out */
#define INTAKE_BLOCK (256u << 10) /* read in one step */
#define INTAKE_PIPE  (1 << 20)	  /* of the pipe, if the system allows it */
#define INTAKE_TURN  (1u << 20)	  /* read before keys are looked at again */

static void __attribute__((noreturn))
child_run(const struct intake_source *source, int out, int err)
{
	static const int reset[] = {SIGINT,  SIGTERM, SIGHUP, SIGPIPE, SIGTSTP, SIGWINCH,
				    SIGCHLD, SIGSEGV, SIGBUS, SIGABRT, SIGFPE,	SIGILL};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	setpgid(0, 0); /* the terminal's signals are for the parent, which ends this process */
	if (!source->stdin_is_file)
		dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (!source->argv)
		fetch_run(source);
	execv("/proc/self/exe", source->argv);
	dprintf(STDERR_FILENO, "tdsmon: cannot start tdsmon: %s\n", strerror(errno));
	_exit(127);
}

int intake_start(struct intake *in, const struct intake_source *source)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, result = 0;

	*in = (struct intake){.pid = -1, .out = -1, .err = -1};
	in->size = INTAKE_BLOCK;
	in->buf = malloc(in->size);
	if (!in->buf)
		return -ENOMEM;
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		result = -errno;
	if (!result) {
		in->pid = fork();
		if (!in->pid)
			child_run(source, out[1], err[1]);
		result = in->pid < 0 ? -errno : 0;
	}
	fd_close(out[1]);
	fd_close(err[1]);
	in->out = out[0];
	in->err = err[0];
	if (!result)
		fcntl(in->out, F_SETPIPE_SZ, INTAKE_PIPE);
	if (!result && (fcntl(in->out, F_SETFL, O_NONBLOCK) || fcntl(in->err, F_SETFL, O_NONBLOCK)))
		result = -errno;
	return result;
}

static void take_status(struct intake *in, int status)
{
	in->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (WIFSIGNALED(status) && !*in->said)
		snprintf(in->said, INTAKE_SAID, "it was ended by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	in->pid = -1;
}

void intake_stop(struct intake *in)
{
	int status;

	fd_close(in->out);
	fd_close(in->err);
	in->out = in->err = -1;
	if (in->pid > 0) {
		kill(in->pid, SIGTERM);
		for (int i = 0; i < 200 && !waitpid(in->pid, &status, WNOHANG); i++)
			usleep(10000);
		if (!kill(in->pid, 0)) {
			kill(in->pid, SIGKILL);
			waitpid(in->pid, &status, 0);
		}
	}
	in->pid = -1;
	free(in->buf);
	in->buf = NULL;
}

/* Lines that begin with "tdsmon: " are messages; the summary at the end is not. */
static void hear_line(struct intake *in, const char *line)
{
	static const char head[] = "tdsmon: ";

	if (!strncmp(line, head, sizeof(head) - 1) && strncmp(line, "tdsmon: watching ", 17))
		snprintf(in->said, INTAKE_SAID, "%.*s", INTAKE_SAID - 1, line + sizeof(head) - 1);
}

static void hear(struct intake *in)
{
	ssize_t n;

	while (in->err >= 0) {
		char *end;

		n = read(in->err, in->heard + in->heard_len, sizeof(in->heard) - 1 - in->heard_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (!n || errno != EAGAIN) {
				close(in->err);
				in->err = -1;
			}
			return;
		}
		in->heard_len += (size_t)n;
		in->heard[in->heard_len] = '\0';
		while ((end = strchr(in->heard, '\n'))) {
			*end = '\0';
			hear_line(in, in->heard);
			in->heard_len -= (size_t)(end + 1 - in->heard);
			memmove(in->heard, end + 1, in->heard_len + 1);
		}
		if (in->heard_len == sizeof(in->heard) - 1)
			in->heard_len = 0;
	}
}

/* Hand on whole lines, and keep the rest. */
static void split_lines(struct intake *in, void (*line)(void *ctx, const char *text, size_t len),
			void *ctx)
{
	char *at = in->buf, *end = in->buf + in->len, *lf;

	while ((lf = memchr(at, '\n', (size_t)(end - at)))) {
		if (!in->skipping && lf > at) {
			in->any = true;
			line(ctx, at, (size_t)(lf - at));
		}
		in->skipping = false;
		at = lf + 1;
	}
	in->len = (size_t)(end - at);
	memmove(in->buf, at, in->len);
}

/* Room for another block. A line that grows too long is skipped to its end. */
static bool make_room(struct intake *in)
{
	char *grown;

	if (in->size - in->len >= INTAKE_BLOCK / 2)
		return true;
	if (in->len >= INTAKE_LINE || in->skipping) {
		in->skipping = true;
		in->len = 0;
		return true;
	}
	grown = realloc(in->buf, in->size * 2);
	if (!grown)
		return false;
	in->buf = grown;
	in->size *= 2;
	return true;
}

/* The pipe's end: the process ends now. */
static int end_of(struct intake *in)
{
	int status = 0;

	close(in->out);
	in->out = -1;
	if (in->pid > 0 && waitpid(in->pid, &status, 0) == in->pid)
		take_status(in, status);
	hear(in);
	return -1;
}

int intake_read(struct intake *in, void (*line)(void *ctx, const char *text, size_t len), void *ctx)
{
	size_t total = 0;

	hear(in);
	while (in->out >= 0 && total < INTAKE_TURN) {
		ssize_t n;

		if (!make_room(in))
			return end_of(in);
		n = read(in->out, in->buf + in->len, in->size - in->len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return end_of(in);
		in->len += (size_t)n;
		total += (size_t)n;
		split_lines(in, line, ctx);
	}
	return in->out >= 0 ? 1 : -1;
}
