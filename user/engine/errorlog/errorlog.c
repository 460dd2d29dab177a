/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * errorlog.c - see errorlog.h.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/errorlog/errorlog.h"
#include "lib/ip_addr.h"
#include "lib/units.h"

#define STALLS	    8
#define REASON_MOST 512 /* bytes that are kept */
#define USER_MOST   520

#define ERROR_LOGIN_FAILED 18456
#define ERROR_UNTRUSTED	   18452
#define ERROR_SSPI	   17806 /* comes with 18452 */
#define ERROR_STALLED	   17884
#define ERROR_DEADLOCKED   17888

struct held_entry {
	struct errorlog_entry entry;
	bool used;  /* there is one here ... */
	bool taken; /* ... and a login has it */
};

struct held_login {
	struct errorlog_login login;
	bool used;
};

/* Those of some clients; the oldest makes room, and lost_ns is the latest time of what did. */
struct entry_set {
	struct held_entry at[ERRORLOG_WAYS];
	uint64_t lost_ns;
	uint32_t next;
};

struct login_set {
	struct held_login at[ERRORLOG_WAYS];
	uint64_t lost_ns;
	uint32_t next;
};

struct errorlog {
	struct entry_set entries[ERRORLOG_SETS];
	struct login_set logins[ERRORLOG_SETS];
	struct {
		uint64_t time_ns;
		uint32_t seconds;
	} stalls[STALLS];
	uint32_t next_stall;
};

static const uint8_t local[16]; /* key of clients on the server's own host */

struct errorlog *errorlog_new(void)
{
	return calloc(1, sizeof(struct errorlog));
}

static void entry_release(struct held_entry *h)
{
	free((char *)h->entry.reason);
	free((char *)h->entry.user);
	*h = (struct held_entry){0};
}

void errorlog_free(struct errorlog *log)
{
	if (!log)
		return;
	for (int i = 0; i < ERRORLOG_SETS; i++)
		for (int j = 0; j < ERRORLOG_WAYS; j++)
			entry_release(&log->entries[i].at[j]);
	free(log);
}

/* FNV-1a; who chooses addresses to share a set makes us join less, no more. */
static uint32_t set_of(const uint8_t client[16])
{
	uint32_t h = 2166136261u;

	for (int i = 0; i < 16; i++)
		h = (h ^ client[i]) * 16777619u;
	return (h ^ h >> 16) % ERRORLOG_SETS;
}

/* The client that an entry names: an address, or `local`, as for "<local machine>". */
static const uint8_t *entry_client(const struct errorlog_entry *entry)
{
	return entry->client == ERRORLOG_LOCAL || ip_is_loopback(entry->addr) ? local : entry->addr;
}

static bool is_near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= ERRORLOG_NEAR_NS;
}

/* ---- what comes in ---- */

static char *copy(const char *text, size_t most)
{
	return text && *text ? strndup(text, most) : NULL;
}

static void add_stall(struct errorlog *log, const struct errorlog_entry *entry)
{
	uint32_t at = log->next_stall++ % STALLS;

	log->stalls[at].time_ns = entry->time_ns;
	log->stalls[at].seconds = entry->stalled_s ? entry->stalled_s : 1;
}

void errorlog_add(struct errorlog *log, const struct errorlog_entry *entry)
{
	struct entry_set *set = &log->entries[set_of(entry_client(entry))];
	struct held_entry *h;

	if (entry->number == ERROR_STALLED || entry->number == ERROR_DEADLOCKED)
		add_stall(log, entry);
	if (entry->client == ERRORLOG_NO_CLIENT)
		return;
	h = &set->at[set->next++ % ERRORLOG_WAYS];
	if (h->used && !h->taken && h->entry.time_ns > set->lost_ns)
		set->lost_ns = h->entry.time_ns;
	entry_release(h);
	h->entry = *entry;
	h->entry.reason = copy(entry->reason, REASON_MOST);
	h->entry.user = copy(entry->user, USER_MOST);
	h->used = true;
}

void errorlog_note(struct errorlog *log, const struct errorlog_login *login)
{
	struct login_set *set = &log->logins[set_of(login->client)];
	struct held_login *h;

	if (login->fit == FIT_NONE)
		return;
	h = &set->at[set->next++ % ERRORLOG_WAYS];
	if (h->used && h->login.end_ns > set->lost_ns)
		set->lost_ns = h->login.end_ns;
	*h = (struct held_login){*login, true};
}

/* ---- joining ---- */

/* Errors of connections that broke off or were not taken: nobody was refused by them. */
static bool is_broken_off(int32_t number)
{
	return (number >= 17187 && number <= 17189) || (number >= 17828 && number <= 17830) ||
	       number == 17832 || number == 17836;
}

/* A refusal for a reason that is read is logged as that, or as a login that failed in some state. */
static bool fits_number(const struct errorlog_login *login, int32_t number)
{
	switch (login->fit) {
	case FIT_READ:
		return number == login->number || number == ERROR_LOGIN_FAILED ||
		       (number == ERROR_SSPI && login->number == ERROR_UNTRUSTED);
	case FIT_REFUSED:
		return !is_broken_off(number);
	case FIT_EARLY:
		return is_broken_off(number);
	case FIT_FAILED:
	case FIT_ANY:
		return true;
	case FIT_NONE:
		break;
	}
	return false;
}

static bool same_client(const struct errorlog_login *login, const struct errorlog_entry *entry)
{
	const uint8_t *client = entry_client(entry);

	return !memcmp(client, login->client, 16) || !memcmp(client, login->addr, 16);
}

bool errorlog_fits(const struct errorlog_login *login, const struct errorlog_entry *entry)
{
	return same_client(login, entry) && is_near(login->end_ns, entry->time_ns) &&
	       fits_number(login, entry->number);
}

/* Something of that time may have been forgotten. */
static bool has_lost(uint64_t lost_ns, uint64_t at_ns)
{
	return lost_ns && lost_ns + ERRORLOG_NEAR_NS >= at_ns;
}

/* The entries of one set that fit, SSPI's apart. */
struct found {
	const struct errorlog_entry *entry, *sspi;
	uint32_t count, sspi_count;
};

static void find_in(const struct entry_set *set, const struct errorlog_login *login,
		    struct found *found)
{
	if (has_lost(set->lost_ns, login->end_ns))
		found->count = 2;
	for (int i = 0; i < ERRORLOG_WAYS; i++) {
		const struct held_entry *h = &set->at[i];

		if (!h->used || h->taken || !errorlog_fits(login, &h->entry))
			continue;
		if (h->entry.number == ERROR_SSPI) {
			found->sspi = &h->entry;
			found->sspi_count++;
		} else {
			found->entry = &h->entry;
			found->count++;
		}
	}
}

/* Does the entry fit one of the logins that were noted? Or may it have? */
static bool fits_noted(const struct login_set *set, const struct errorlog_entry *entry)
{
	if (has_lost(set->lost_ns, entry->time_ns))
		return true;
	for (int i = 0; i < ERRORLOG_WAYS; i++)
		if (set->at[i].used && errorlog_fits(&set->at[i].login, entry))
			return true;
	return false;
}

const struct errorlog_entry *errorlog_find(const struct errorlog *log,
					   const struct errorlog_login *login)
{
	uint32_t by_client = set_of(login->client), by_addr = set_of(login->addr);
	const struct errorlog_entry *entry;
	struct found found = {0};

	if (login->fit == FIT_NONE || login->fit == FIT_ANY)
		return NULL;
	find_in(&log->entries[by_client], login, &found);
	if (by_addr != by_client)
		find_in(&log->entries[by_addr], login, &found);
	/* A failed SSPI handshake is logged twice: the error in SSPI, and what the client gets. */
	if (found.count + found.sspi_count == 0 || found.count > 1 || found.sspi_count > 1 ||
	    (found.count && found.sspi_count && found.entry->number != ERROR_UNTRUSTED))
		return NULL;
	entry = found.count ? found.entry : found.sspi;
	if (fits_noted(&log->logins[by_client], entry) ||
	    (by_addr != by_client && fits_noted(&log->logins[by_addr], entry)))
		return NULL;
	return entry;
}

void errorlog_take(struct errorlog *log, const struct errorlog_entry *entry)
{
	struct entry_set *set = &log->entries[set_of(entry_client(entry))];

	for (int i = 0; i < ERRORLOG_WAYS; i++) {
		struct held_entry *h = &set->at[i];
		/* The pair that a failed SSPI handshake leaves goes together. */
		bool pair = entry->number == ERROR_UNTRUSTED && h->entry.number == ERROR_SSPI &&
			    is_near(h->entry.time_ns, entry->time_ns) &&
			    !memcmp(entry_client(&h->entry), entry_client(entry), 16);

		h->taken |= h->used && (&h->entry == entry || pair);
	}
}

uint32_t errorlog_stalled(const struct errorlog *log, uint64_t from_ns, uint64_t to_ns)
{
	uint32_t seconds = 0;

	for (int i = 0; i < STALLS; i++) {
		uint64_t end_ns = log->stalls[i].time_ns;
		uint64_t ns = log->stalls[i].seconds * NS_PER_S;

		if (ns && end_ns >= from_ns && (ns > end_ns || end_ns - ns <= to_ns) &&
		    log->stalls[i].seconds > seconds)
			seconds = log->stalls[i].seconds;
	}
	return seconds;
}
