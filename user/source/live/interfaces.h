/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * interfaces.h - the interfaces that the tap is attached to: those that were named, or all that are
 * up; they are followed as they come and go. And the addresses of this host.
 */
#ifndef TDSMON_INTERFACES_H
#define TDSMON_INTERFACES_H

#include "source/live/attach.h"

struct interfaces;

/*
 * names NULL: all that are up and that the tap can read. NULL on failure, *err then
 * -errno: -ENODEV if there is no interface of a name, which is logged.
 */
struct interfaces *interfaces_new(const char *const *names, size_t count, int *err);

/*
 * Attach to them, in mode ATTACH_INGRESS_ONLY promiscuously, and remove what a run that was killed
 * left on any. 0, or -errno, where an interface that was named is the reason with that logged.
 * Those that were named are all attached then; of very many others some are pending.
 */
int interfaces_watch(struct interfaces *set, const struct attach_programs *programs,
		     enum attach_mode mode);

/* Detaches, too. set may be NULL. */
void interfaces_free(struct interfaces *set);

/* A descriptor that is readable when interfaces came or went, for interfaces_follow(). */
int interfaces_fd(const struct interfaces *set);

/*
 * Attach to those that came, forget those that went. Failures are logged. An attachment takes the
 * kernel 20 to 40 ms: of many interfaces a few are attached at a time.
 */
void interfaces_follow(struct interfaces *set);

/* Some are not attached yet: interfaces_follow() is to be called again soon. */
bool interfaces_pending(const struct interfaces *set);

/* How many are watched now. */
size_t interfaces_count(const struct interfaces *set);

/* True if there are any, and all are attached to by links, which takes no privilege to undo. */
bool interfaces_by_links(const struct interfaces *set);

/* True if addr (IPv4 as ::ffff:a.b.c.d) is assigned to any interface of this network namespace. */
bool interfaces_are_at(const struct interfaces *set, const uint8_t addr[16]);

/* "eth0 (tcx), lo (tcx ingress)"; valid until the next interfaces_follow(). */
const char *interfaces_describe(const struct interfaces *set);

/* An interface's name, valid until the next interfaces_follow(); NULL: there is none. */
const char *interfaces_name(const struct interfaces *set, unsigned int ifindex);

#endif
