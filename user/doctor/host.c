// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * host.c - around the tap: the server's error log, the clock, what confines tdsmon, its service.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "doctor/doctor.h"
#include "lib/fd.h"
#include "lib/regular.h"
#include "system/sandbox.h"

#define ERRORLOG_USUAL "/var/opt/mssql/log/errorlog" /* SQL Server on Linux */
#define CLOCK_FAR_US   1000000L /* a clock that may be a second off matches no error log */
#define SERVICE	       "tdsmon.service"

static void host_errorlog(struct findings *f, const char *path)
{
	int fd = regular_open(path);

	findings_add(f, "error log", NULL);
	if (fd >= 0) {
		findings_say(f, FINDING_OK, "%s can be read", path);
	} else {
		findings_say(f, FINDING_MEND, "%s cannot be read: %s", path, regular_error(-fd));
		findings_act(f,
			     fd == -EACCES || fd == -EPERM
				     ? "let tdsmon read it: SupplementaryGroups=mssql in the unit, "
				       "or run as root"
				     : "name the file that SQL Server writes: SELECT "
				       "SERVERPROPERTY('ErrorLogFileName')");
	}
	fd_close(fd);
}

/* Without --errorlog: is there one? */
static void host_errorlog_usual(struct findings *f)
{
	int fd = regular_open(ERRORLOG_USUAL);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return;
	findings_add(f, "error log", NULL);
	findings_say(f, FINDING_NOTE, "SQL Server's error log is here, and is not read");
	findings_act(f, "add --errorlog " ERRORLOG_USUAL ": it says why logins are refused, under "
			"encryption, too");
	fd_close(fd);
}

static void host_clock(struct findings *f)
{
	struct timex now = {0};
	int state = adjtimex(&now);

	findings_add(f, "clock", NULL);
	if (state < 0) {
		findings_unseen(f, "the kernel does not say whether the clock is synchronised: %s",
				strerror(errno));
	} else if (state == TIME_ERROR || now.status & STA_UNSYNC) {
		findings_say(f, FINDING_NOTE, "the clock is not synchronised");
		findings_act(f,
			     "start chrony or systemd-timesyncd, else the records' times match no "
			     "other host's");
	} else if (now.maxerror >= CLOCK_FAR_US) {
		findings_say(f, FINDING_NOTE, "the clock is synchronised, but may be %ld ms off",
			     now.maxerror / 1000);
		findings_act(f, "see chronyc tracking, or timedatectl timesync-status");
	} else {
		findings_say(f, FINDING_OK, "synchronised, at most %ld ms off",
			     now.maxerror / 1000);
	}
}

static void host_filter(struct findings *f)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	findings_add(f, "sandbox", NULL);
	if (!syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) {
		findings_say(f, FINDING_OK, "the kernel has system call filters (seccomp)");
		return;
	}
	findings_say(f, FINDING_NOTE, "no system call filters (seccomp) here: %s", strerror(errno));
	findings_act(f,
		     "tdsmon works without, but the process that parses packets is less confined");
}

static void host_user(struct findings *f, const char *run_as)
{
	const char *name = run_as ?: getpwnam("tdsmon") ? run_as ?: "tdsmon" : "nobody";

	if (geteuid())
		return;
	findings_add(f, "user", NULL);
	if (!getpwnam(name)) {
		findings_say(f, run_as ? FINDING_MEND : FINDING_NOTE, "there is no user %s", name);
		findings_act(f, run_as ? "create it, or name another by --run-as"
				       : "tdsmon stays root in name, without capabilities");
	} else if (!sandbox_has(CAP_SETUID) || !sandbox_has(CAP_SETGID)) {
		findings_say(f, run_as ? FINDING_MEND : FINDING_NOTE,
			     "root cannot become %s here: CAP_SETUID or CAP_SETGID is missing",
			     name);
		findings_act(f, run_as ? "grant them, or leave --run-as out"
				       : "tdsmon stays root in name, without capabilities");
	} else {
		findings_say(f, FINDING_OK, "once attached, tdsmon becomes %s", name);
	}
}

static void host_opener(struct findings *f)
{
	findings_add(f, "opener", NULL);
	if (sandbox_has(CAP_SYS_PTRACE)) {
		findings_say(f, FINDING_OK,
			     "a second process names the processes that logins wait "
			     "for");
		return;
	}
	findings_say(f, FINDING_NOTE, "without CAP_SYS_PTRACE the records' host has no process");
	findings_act(f, "run as root, or add AmbientCapabilities= and CapabilityBoundingSet= "
			"CAP_SYS_PTRACE CAP_DAC_READ_SEARCH to the unit");
}

/* ---- the service ---- */

#define SERVICE_STATES                                                                             \
	"LC_ALL=C systemctl show --property=LoadState,ActiveState,UnitFileState " SERVICE
#define SERVICE_WORD 32

struct service_states {
	char load[SERVICE_WORD], active[SERVICE_WORD], enabled[SERVICE_WORD];
};

/* What systemctl says, a property a line. False: it says nothing. */
static bool service_states(struct service_states *states)
{
	FILE *out = popen(SERVICE_STATES " 2>/dev/null", "r");
	char line[128];

	memset(states, 0, sizeof(*states));
	while (out && fgets(line, sizeof(line), out)) {
		sscanf(line, "LoadState=%31s", states->load);
		sscanf(line, "ActiveState=%31s", states->active);
		sscanf(line, "UnitFileState=%31s", states->enabled);
	}
	if (out)
		pclose(out);
	return states->load[0] && states->active[0];
}

static void service_say(struct findings *f, const char *load, const char *active,
			const char *enabled)
{
	if (!strcmp(load, "not-found")) {
		findings_say(f, FINDING_NOTE, SERVICE " is not installed");
		findings_act(f, "make install, or the package, brings it");
	} else if (strcmp(load, "loaded")) {
		findings_say(f, FINDING_MEND, SERVICE " cannot be loaded (%s)", load);
		findings_act(f, "systemctl status " SERVICE " says why");
	} else if (!strcmp(active, "failed")) {
		findings_say(f, FINDING_MEND, SERVICE " has failed");
		findings_act(f, "journalctl -u " SERVICE " says why; systemctl restart " SERVICE);
	} else if (strcmp(active, "active")) {
		findings_say(f, FINDING_NOTE, SERVICE " is installed, and %s", active);
		findings_act(f, "systemctl enable --now " SERVICE);
	} else if (strcmp(enabled, "enabled")) {
		findings_say(f, FINDING_NOTE,
			     SERVICE " runs, and is not enabled: not after a reboot");
		findings_act(f, "systemctl enable " SERVICE);
	} else {
		findings_say(f, FINDING_OK, SERVICE " runs, and is enabled");
	}
}

static void host_service(struct findings *f)
{
	struct service_states states;

	findings_add(f, "service", NULL);
	if (access("/run/systemd/system", F_OK)) /* sd_booted(3) */
		findings_unseen(f, "systemd does not run here");
	else if (service_states(&states))
		service_say(f, states.load, states.active, states.enabled);
	else
		findings_unseen(f, "systemctl does not answer");
}

void doctor_host(struct findings *f, const struct doctor_config *config)
{
	for (size_t i = 0; i < config->errorlog_count; i++)
		host_errorlog(f, config->errorlogs[i]);
	if (!config->errorlog_count)
		host_errorlog_usual(f);
	host_clock(f);
	host_filter(f);
	host_user(f, config->run_as);
	host_opener(f);
	host_service(f);
}
