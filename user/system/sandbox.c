// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sandbox.c - see sandbox.h.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "system/sandbox.h"
#include "lib/log.h"

/* Keep the permitted capabilities in keep, as permitted and effective ones. */
static int privileges_set(uint64_t keep)
{
	cap_t now = cap_get_proc(), want = cap_init();
	int err = now && want ? 0 : -ENOMEM;

	for (cap_value_t c = 0; !err && c < cap_max_bits(); c++) {
		cap_flag_value_t permitted = CAP_CLEAR;

		if (!(keep >> c & 1))
			continue;
		cap_get_flag(now, c, CAP_PERMITTED, &permitted);
		if (cap_set_flag(want, CAP_PERMITTED, 1, &c, permitted) ||
		    cap_set_flag(want, CAP_EFFECTIVE, 1, &c, permitted))
			err = -errno;
	}
	if (!err && cap_set_proc(want))
		err = -errno;
	cap_free(now);
	cap_free(want);
	return err;
}

/* Limit what a child process can have. Needs CAP_SETPCAP; no_new_privs has the same effect. */
static void privileges_bound(uint64_t keep)
{
	for (cap_value_t c = 0; c < cap_max_bits(); c++)
		if (!(keep >> c & 1) && cap_get_bound(c) == CAP_SET)
			cap_drop_bound(c);
}

/* Become that user, with its group only. */
static int privileges_become(const struct passwd *user)
{
	if (user->pw_uid == geteuid())
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(1, &user->pw_gid) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return -errno;
	return 0;
}

static int privileges_user(const char *name)
{
	const struct passwd *user;
	int err;

	errno = 0;
	user = getpwnam(name);
	if (!user) {
		log_error("no user '%s'%s%s", name, errno ? ": " : "",
			  errno ? strerror(errno) : "");
		return errno ? -errno : -ENOENT;
	}
	err = privileges_become(user);
	if (err)
		log_error("cannot become user '%s': %s", name, strerror(-err));
	return err;
}

/* Root becomes another user if it can: a container may lack CAP_SETUID, or the users. */
static void privileges_default_user(void)
{
	static const char *const names[] = {"tdsmon", "nobody"};
	const struct passwd *user = NULL;
	int err;

	if (geteuid())
		return;
	for (size_t i = 0; !user && i < sizeof(names) / sizeof(names[0]); i++)
		user = getpwnam(names[i]);
	err = user ? privileges_become(user) : -ENOENT;
	if (err)
		log_debug("stays root, without its privileges: %s: %s",
			  user ? "cannot become another user" : "no user tdsmon or nobody",
			  strerror(-err));
	else
		log_debug("goes on as user %s", user->pw_name);
}

int sandbox_privileges(enum sandbox_user who, const char *user, uint64_t keep)
{
	int err = 0;

	privileges_bound(keep);
	if (who == SANDBOX_USER_NAMED)
		err = privileges_user(user);
	else if (who == SANDBOX_USER_DEFAULT)
		privileges_default_user();
	if (err)
		return err;
	cap_reset_ambient();
	err = privileges_set(keep);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (err)
		log_error("cannot give up capabilities: %s", strerror(-err));
	return err;
}

bool sandbox_has(int capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t now = cap_get_proc();

	if (now)
		cap_get_flag(now, capability, CAP_PERMITTED, &value);
	cap_free(now);
	return value == CAP_SET;
}

bool sandbox_works_without(uint64_t without, bool (*call)(void *ctx), void *ctx)
{
	cap_t now = cap_get_proc(), less = now ? cap_dup(now) : NULL;
	bool works = false;

	for (cap_value_t c = 0; less && c < cap_max_bits(); c++)
		if (without >> c & 1)
			cap_set_flag(less, CAP_EFFECTIVE, 1, &c, CAP_CLEAR);
	if (less && !cap_set_proc(less)) {
		works = call(ctx);
		cap_set_proc(now);
	}
	cap_free(less);
	cap_free(now);
	return works;
}
