/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * interfaces.h - the interfaces to which the tap is attached, the named ones or all that are up, as
 * they come and go; and this host's addresses.
 */
#ifndef TDSMON_INTERFACES_H
#define TDSMON_INTERFACES_H

#include "source/live/attach.h"

struct interfaces;

/*
 * names NULL: all interfaces that are up and that the tap can read. NULL on failure, *err then
 * -errno; -ENODEV, which is logged: a named interface does not exist.
 */
struct interfaces *interfaces_new(const char *const *names, size_t count, int *err);

/*
 * Attach to the interfaces (ATTACH_INGRESS_ONLY: in promiscuous mode), and remove what a killed run
 * left on any. 0 or -errno; if a named interface is the reason, it is logged. Afterwards all named
 * interfaces are attached, while some of very many others may be pending.
 */
int interfaces_watch(struct interfaces *set, const struct attach_programs *programs,
		     enum attach_mode mode);

/* Also detaches. set may be NULL. */
void interfaces_free(struct interfaces *set);

/* A descriptor that is readable when interfaces have changed; then call interfaces_follow(). */
int interfaces_fd(const struct interfaces *set);

/*
 * Attach to new interfaces, and forget those that are gone. Failures are logged. An attachment
 * takes the kernel 20 to 40 ms, so that of many interfaces only a few are attached per call.
 */
void interfaces_follow(struct interfaces *set);

/* Are some not attached yet? Then call interfaces_follow() again soon. */
bool interfaces_pending(const struct interfaces *set);

/* How many are being watched. */
size_t interfaces_count(const struct interfaces *set);

/* Are there any, and are all attached by links, which need no privilege to detach? */
bool interfaces_by_links(const struct interfaces *set);

/* Is addr (IPv4 as ::ffff:a.b.c.d) assigned to an interface of this network namespace? */
bool interfaces_are_at(const struct interfaces *set, const uint8_t addr[16]);

/* These addresses, 16 bytes each, until the next interfaces_follow(). */
const uint8_t (*interfaces_addresses(const struct interfaces *set, size_t *count))[16];

/* "eth0 (tcx), lo (tcx ingress)"; valid until the next interfaces_follow(). */
const char *interfaces_describe(const struct interfaces *set);

/* An interface's name, valid until the next interfaces_follow(); NULL: no such interface. */
const char *interfaces_name(const struct interfaces *set, unsigned int ifindex);

#endif
