// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * interfaces.c - see interfaces.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fd.h"
#include "source/live/interfaces.h"
#include "lib/log.h"
#include "source/live/netdev.h"
#include "lib/units.h"

#define INTERFACES_MAX 1024 /* an interface beyond it is logged */
/* No attachment begins later in a round of calls, or at the start: the ring buffer must be read. */
#define FOLLOW_NS 5000000ull
#define START_NS  NS_PER_S

struct watched {
	struct attachment on;
	bool promiscuous;
};

struct interfaces {
	struct attach_programs programs;
	enum attach_mode mode;
	char **names; /* NULL: all that are up */
	size_t name_count;
	struct watched *watched;
	size_t count;
	uint8_t (*addresses)[16];
	size_t address_count;
	struct netdev *devs; /* the latest list */
	size_t dev_count;
	size_t next; /* index of the next one to try: those before it are attached, or failed */
	struct netlink netlink;
	int changes_fd, slot_fd;
	int promiscuous_fd; /* -errno: not wanted, or not permitted */
	unsigned int slot;
	char *description;
};

static bool is_wanted(const struct interfaces *set, const struct netdev *dev)
{
	if (!set->names)
		return dev->up && attach_link_of(dev->arphrd) != ATTACH_LINK_UNKNOWN;
	for (size_t i = 0; i < set->name_count; i++)
		if (!strcmp(set->names[i], dev->name))
			return true;
	return false;
}

static bool is_watched(const struct interfaces *set, unsigned int ifindex)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->watched[i].on.ifindex == ifindex)
			return true;
	return false;
}

static void watched_release(const struct interfaces *set, struct watched *w)
{
	attach_release(&w->on);
	if (w->promiscuous)
		netdev_promiscuous(set->promiscuous_fd, w->on.ifindex, NETDEV_AS_BEFORE);
}

static void watched_promiscuous(const struct interfaces *set, struct watched *w)
{
	int err = set->promiscuous_fd < 0 ? set->promiscuous_fd
					  : netdev_promiscuous(set->promiscuous_fd, w->on.ifindex,
							       NETDEV_PROMISCUOUS);

	w->promiscuous = !err;
	if (err)
		log_warn("%s: not promiscuous (%s): on a mirror port only packets addressed to "
			 "this host are seen",
			 w->on.name, strerror(-err));
}

static int watch_one(struct interfaces *set, const struct netdev *dev)
{
	struct watched *w = &set->watched[set->count];
	enum attach_link link = attach_link_of(dev->arphrd);
	int err;

	if (set->count == INTERFACES_MAX) {
		log_warn("%s: not watched, there are more than %d interfaces", dev->name,
			 INTERFACES_MAX);
		return 0;
	}
	if (link == ATTACH_LINK_UNKNOWN) {
		log_error("%s: cannot read this kind of interface (ARPHRD %u)", dev->name,
			  dev->arphrd);
		return -EOPNOTSUPP;
	}
	*w = (struct watched){.on.netlink = &set->netlink};
	memcpy(w->on.name, dev->name, sizeof(w->on.name));
	w->on.ifindex = dev->ifindex;
	w->on.clsact_slot = set->slot;
	err = attach_interface(&w->on, &set->programs, link, set->mode);
	if (err) {
		log_error("%s: cannot attach: %s", dev->name, strerror(-err));
		return err;
	}
	if (set->mode == ATTACH_INGRESS_ONLY && link == ATTACH_LINK_ETHERNET)
		watched_promiscuous(set, w);
	set->count++;
	return 0;
}

static void update_description(struct interfaces *set)
{
	size_t size = 256 * (set->count + 1), used = 0;
	char *text = malloc(size);

	if (!text)
		return;
	snprintf(text, size, "no interface");
	for (size_t i = 0; i < set->count; i++) {
		if (i)
			used += (size_t)snprintf(text + used, size - used, ", ");
		attach_describe(&set->watched[i].on, text + used, size - used);
		used += strlen(text + used);
	}
	free(set->description);
	set->description = text;
}

/* Forget interfaces that are gone, or no longer have a wanted name. */
static bool drop_gone(struct interfaces *set, const struct netdev *devs, size_t count)
{
	size_t kept = 0;
	bool changed;

	for (size_t i = 0; i < set->count; i++) {
		struct watched *w = &set->watched[i];
		bool there = false;

		for (size_t j = 0; j < count && !there; j++)
			there = devs[j].ifindex == w->on.ifindex &&
				(!set->names || is_wanted(set, &devs[j]));
		if (there) {
			set->watched[kept++] = *w;
			continue;
		}
		log_info("%s: went away, no longer watched", w->on.name);
		watched_release(set, w);
	}
	changed = kept != set->count;
	set->count = kept;
	return changed;
}

/*
 * Attach to wanted interfaces that are not attached yet: at least to one, and to more within
 * budget_ns. Failures are only fatal at the start, and for interfaces that were named.
 */
static int attach_some(struct interfaces *set, uint64_t budget_ns)
{
	uint64_t begin_ns = clock_now_ns();
	bool changed = false;
	int err = 0, one;

	for (; set->next < set->dev_count; set->next++) {
		const struct netdev *dev = &set->devs[set->next];

		if (!is_wanted(set, dev) || is_watched(set, dev->ifindex))
			continue;
		if (changed && clock_now_ns() - begin_ns >= budget_ns)
			break;
		one = watch_one(set, dev);
		changed = true;
		if (one && set->names)
			err = one;
	}
	if (changed)
		update_description(set);
	return err;
}

/* Attach and detach according to the interfaces that exist. Some new ones may stay pending. */
static int follow_links(struct interfaces *set, uint64_t budget_ns)
{
	size_t count;
	struct netdev *devs = netdev_list(&set->netlink, &count);

	if (!devs)
		return -errno;
	if (drop_gone(set, devs, count))
		update_description(set);
	free(set->devs);
	set->devs = devs;
	set->dev_count = count;
	set->next = 0;
	return attach_some(set, budget_ns);
}

static int follow_addresses(struct interfaces *set)
{
	size_t count;
	uint8_t(*addresses)[16] = netdev_addresses(&set->netlink, &count);

	if (!addresses)
		return -errno;
	free(set->addresses);
	set->addresses = addresses;
	set->address_count = count;
	return 0;
}

/* Every given name must exist at the start, so that a typing error is noticed. */
static int check_names(struct interfaces *set)
{
	size_t count;
	struct netdev *devs = netdev_list(&set->netlink, &count);
	char all[1024] = "";
	size_t used = 0;
	int err = 0;

	if (!devs)
		return -errno;
	for (size_t i = 0; i < count && used < sizeof(all); i++)
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "",
					 devs[i].name);
	for (size_t n = 0; n < set->name_count; n++) {
		bool there = false;

		for (size_t i = 0; i < count && !there; i++)
			there = !strcmp(set->names[n], devs[i].name);
		if (there)
			continue;
		log_error("no interface '%s'; there are: %s", set->names[n], all);
		err = -ENODEV;
	}
	free(devs);
	return err;
}

static int copy_names(struct interfaces *set, const char *const *names, size_t count)
{
	if (!names)
		return 0;
	set->names = calloc(count + 1, sizeof(*set->names));
	if (!set->names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		set->names[i] = strdup(names[i]);
		if (!set->names[i])
			return -ENOMEM;
		set->name_count++;
	}
	return 0;
}

/* Remove leftovers of a killed run on all interfaces, also on those not watched now. */
static int clear_leftovers(struct interfaces *set)
{
	size_t count;
	struct netdev *devs;

	set->slot_fd = attach_slot_claim(&set->slot);
	if (set->slot_fd < 0) {
		log_error("too many are running already: no clsact slot is free");
		return set->slot_fd;
	}
	devs = netdev_list(&set->netlink, &count);
	for (size_t i = 0; devs && i < count; i++)
		attach_remove_leftovers(&set->netlink, devs[i].ifindex, set->slot);
	free(devs);
	return 0;
}

struct interfaces *interfaces_new(const char *const *names, size_t count, int *err)
{
	struct interfaces *set = calloc(1, sizeof(*set));

	*err = -ENOMEM;
	if (!set)
		return NULL;
	set->netlink.fd = set->changes_fd = set->slot_fd = set->promiscuous_fd = -1;
	set->watched = calloc(INTERFACES_MAX, sizeof(*set->watched));
	if (set->watched)
		*err = netlink_open(&set->netlink, NETLINK_ROUTE);
	if (!*err)
		*err = copy_names(set, names, count);
	if (!*err)
		*err = check_names(set);
	if (!*err)
		return set;
	interfaces_free(set);
	return NULL;
}

int interfaces_watch(struct interfaces *set, const struct attach_programs *programs,
		     enum attach_mode mode)
{
	int err;

	set->programs = *programs;
	set->mode = mode;
	set->changes_fd = netdev_watch();
	if (set->changes_fd < 0)
		return set->changes_fd;
	if (mode == ATTACH_INGRESS_ONLY)
		set->promiscuous_fd = netdev_promiscuous_open();
	err = clear_leftovers(set);
	if (!err)
		err = follow_addresses(set);
	if (!err)
		err = follow_links(set, set->names ? UINT64_MAX : START_NS);
	if (err)
		return err;
	if (interfaces_pending(set))
		log_info("%zu interfaces are watched so far, the others follow one by one",
			 set->count);
	if (!set->count)
		log_warn("no interface is up yet");
	if (!set->description) /* there was nothing to attach to */
		update_description(set);
	return set->description ? 0 : -ENOMEM;
}

void interfaces_free(struct interfaces *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		watched_release(set, &set->watched[i]);
	fd_close(set->changes_fd);
	fd_close(set->slot_fd);
	fd_close(set->promiscuous_fd);
	netlink_close(&set->netlink);
	for (size_t i = 0; i < set->name_count; i++)
		free(set->names[i]);
	free(set->names);
	free(set->watched);
	free(set->addresses);
	free(set->devs);
	free(set->description);
	free(set);
}

int interfaces_fd(const struct interfaces *set)
{
	return set->changes_fd;
}

void interfaces_follow(struct interfaces *set)
{
	unsigned int changes = netdev_changes(set->changes_fd);

	if (changes & NETDEV_LINKS)
		follow_links(set, FOLLOW_NS);
	else if (interfaces_pending(set))
		attach_some(set, FOLLOW_NS);
	if (changes & NETDEV_ADDRESSES)
		follow_addresses(set);
}

bool interfaces_pending(const struct interfaces *set)
{
	return set->next < set->dev_count;
}

size_t interfaces_count(const struct interfaces *set)
{
	return set->count;
}

bool interfaces_by_links(const struct interfaces *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (attach_is_clsact(&set->watched[i].on))
			return false;
	return set->count;
}

const char *interfaces_describe(const struct interfaces *set)
{
	return set->description;
}

bool interfaces_are_at(const struct interfaces *set, const uint8_t addr[16])
{
	static const uint8_t loopback[13] = {[10] = 0xff, 0xff, 127};

	if (!memcmp(addr, loopback, sizeof(loopback)))
		return true;
	for (size_t i = 0; i < set->address_count; i++)
		if (!memcmp(set->addresses[i], addr, 16))
			return true;
	return false;
}

const uint8_t (*interfaces_addresses(const struct interfaces *set, size_t *count))[16]
{
	*count = set->address_count;
	return (const uint8_t(*)[16])set->addresses;
}

const char *interfaces_name(const struct interfaces *set, unsigned int ifindex)
{
	for (size_t i = 0; i < set->dev_count; i++)
		if (set->devs[i].ifindex == ifindex)
			return set->devs[i].name;
	return NULL;
}
