/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * saved_login.c - see saved_login.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/dependency/service_message.h"
#include "lib/port_set.h"
#include "lib/units.h"
#include "save/mask.h"
#include "save/packets.h"
#include "save/pcapng_write.h"
#include "save/saved_login.h"
#include "service_ports.h"

#define SERVICE_MOST  (1u << 20) /* bytes of packets of services, twice */
#define SERVICE_HEAD  1024u	 /* bytes kept of one; the tap hands over 128 */
#define SERVICE_AHEAD (2 * NS_PER_S)
#define NAMES_AHEAD   (15 * NS_PER_S) /* a client looks up a name before it connects */
#define RPC_VERSION   5		      /* an RPC message's first byte: [C706] 12.6.3.1 */
#define INTERFACES    16	      /* named in a file; the others are not told apart */

#define ABOUT                                                                                      \
	"Saved by tdsmon. IP, TCP and UDP headers are rebuilt: there is no link layer, no option " \
	"and no checksum of TCP or UDP. Lengths are the original ones. Secrets, statements and "   \
	"all that was not parsed are overwritten."

struct save {
	struct save_config config;
	struct packets *services[2]; /* the older ones, and those since */
	uint64_t order;
	uint64_t kept;
	uint64_t left_out;
	struct port_set rpc; /* in captures: ports that are given out when a service starts */
};

struct save *save_new(const struct save_config *config)
{
	struct save *s = calloc(1, sizeof(*s));

	if (s)
		s->config = *config;
	return s;
}

void save_free(struct save *s)
{
	if (!s)
		return;
	free(s->services[0]);
	free(s->services[1]);
	free(s);
}

/* ---- keep ---- */

static size_t room_of(const struct packets *packets)
{
	return packets ? sizeof(*packets) + packets->size : 0;
}

void save_packet(struct save *s, void **slot, const struct seg *seg, const uint8_t *payload)
{
	struct packets *packets = *slot;
	size_t before = room_of(packets);
	struct seg head = *seg;
	bool added = s->kept < SAVE_ALL_MOST;

	s->order++;
	added = added && packets_add(&packets, seg, payload, s->order, SAVE_LOGIN_MOST);
	if (!added)
		s->left_out++;
	if (!added && seg->cap_len && s->kept < SAVE_ALL_MOST) {
		head.cap_len = 0;
		packets_add(&packets, &head, NULL, s->order, SAVE_LOGIN_MOST);
	}
	s->kept += room_of(packets) - before;
	*slot = packets;
}

void save_forget(struct save *s, void *packets)
{
	s->kept -= room_of(packets);
	free(packets);
}

/* Live, the tap knows services. In a capture RPC shows by its messages on which port it is. */
static bool is_service(struct save *s, const struct seg *seg, const uint8_t *payload)
{
	enum rpc_interface bound = RPC_UNBOUND;
	struct service_message m;

	if (seg->rec_flags & (SEG_F_SERVICE | SEG_F_UDP) || service_is_fixed(seg->sport) ||
	    service_is_fixed(seg->dport) || port_set_has(&s->rpc, seg->sport) ||
	    port_set_has(&s->rpc, seg->dport))
		return true;
	if (!seg->cap_len || *payload != RPC_VERSION)
		return false;
	rpc_parse(payload, seg->cap_len, &bound, &m);
	if (m.role != MESSAGE_REQUEST && m.role != MESSAGE_RESPONSE)
		return false;
	port_set_add(&s->rpc, m.role == MESSAGE_REQUEST ? seg->dport : seg->sport);
	return true;
}

void save_service(struct save *s, const struct seg *seg, const uint8_t *payload)
{
	struct seg head = *seg;

	s->order++;
	if (!is_service(s, seg, payload) || seg->rec_flags & SEG_F_SKIPPED)
		return;
	if (head.cap_len > SERVICE_HEAD)
		head.cap_len = SERVICE_HEAD;
	if (packets_add(&s->services[1], &head, payload, s->order, SERVICE_MOST))
		return;
	free(s->services[0]);
	s->services[0] = s->services[1];
	s->services[1] = NULL;
	packets_add(&s->services[1], &head, payload, s->order, SERVICE_MOST);
}

/* ---- the dependencies' packets ---- */

static bool is_end(const struct seg *seg, const struct endpoint *end)
{
	return !memcmp(seg->saddr, end->addr, sizeof(end->addr)) ||
	       !memcmp(seg->daddr, end->addr, sizeof(end->addr));
}

/* May the login have waited for this packet? Live, services' packets are all this host's. */
static bool is_dependency(const struct login_record *rec, const struct seg *seg)
{
	bool own = rec->vantage == VANTAGE_SERVER || rec->vantage == VANTAGE_CLIENT;

	bool names = seg->rec_flags & SEG_F_UDP;
	uint64_t ahead_ns = names ? NAMES_AHEAD : SERVICE_AHEAD;

	if (seg->ts_ns + ahead_ns < rec->start_ns || seg->ts_ns > rec->end_ns)
		return false;
	return (own && seg->rec_flags & SEG_F_SERVICE) || is_end(seg, &rec->client) ||
	       is_end(seg, &rec->server);
}

/* Those that overlap the login, masked; NULL: none. */
static struct packets *dependencies_of(struct save *s, const struct login_record *rec)
{
	const struct packets *own = rec->packets;
	struct packets *found = NULL;
	size_t most = SAVE_LOGIN_MOST - own->len;

	for (int i = 0; i < 2; i++) {
		struct packets *services = s->services[i];

		for (struct packet *p = NULL; services && (p = packets_next(services, p));)
			if (is_dependency(rec, &p->seg) &&
			    !packets_add(&found, &p->seg, p->data, p->order, most))
				s->left_out++;
	}
	for (struct packet *p = NULL; found && (p = packets_next(found, p));)
		mask_service(p);
	return found;
}

/* ---- comments ---- */

/* The packet with which a step ended, of the side that was waited for if several came then. */
static const struct packet *packet_at(const struct login_record *rec, uint64_t ns, enum side side)
{
	const struct endpoint *end = side == SIDE_CLIENT ? &rec->client : &rec->server;
	const struct packet *found = NULL;

	for (struct packet *p = NULL; (p = packets_next(rec->packets, p));) {
		if (p->seg.ts_ns != ns)
			continue;
		if (packet_is_from(p, end))
			return p;
		found = found ? found : p;
	}
	return found;
}

static uint64_t steps_begin(const struct login_record *rec)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < rec->step_count; i++)
		ns += rec->steps[i].ns;
	return rec->mid_stream ? rec->end_ns - ns : rec->start_ns;
}

static void comment_end(struct strbuf *text)
{
	strbuf_add(text, "", 1);
}

/* Which packet each step ended with; NULL: no memory, or there are no steps. */
static const struct packet **step_ends(const struct login_record *rec)
{
	const struct packet **ends = calloc(rec->step_count ? rec->step_count : 1, sizeof(*ends));
	uint64_t at = steps_begin(rec);

	for (size_t i = 0; ends && i < rec->step_count; i++) {
		at += rec->steps[i].ns;
		ends[i] = packet_at(rec, at, rec->steps[i].waits_on);
	}
	return ends;
}

static void comment_step(const struct login_record *rec, size_t i, struct strbuf *text)
{
	const struct step *step = &rec->steps[i];
	const char *side = side_name(step->waits_on);
	char took[CLOCK_TEXT];

	strbuf_addf(text, "step %zu ends: %s, phase %s, %s", i + 1, step_kind_name(step->kind),
		    phase_name(step->phase), clock_duration(step->ns, took));
	if (side)
		strbuf_addf(text, ", waited for the %s", side);
	if (i + 1 < rec->step_count)
		strbuf_addf(text, "; step %zu begins", i + 2);
	comment_end(text);
}

/* The login's comments on one of its packets, as pcapng_packet() takes them. */
static void comments_add(const struct login_record *rec, const struct packet *p,
			 const struct packet **ends, struct strbuf *text)
{
	if (p == packets_next(rec->packets, NULL) && rec->step_count) {
		strbuf_adds(text, "step 1 begins");
		comment_end(text);
	}
	for (size_t i = 0; ends && i < rec->step_count; i++)
		if (ends[i] == p)
			comment_step(rec, i, text);
}

/* ---- the file ---- */

struct interfaces {
	uint32_t index[INTERFACES];
	uint32_t count;
};

/* The number of an interface in the file. The first that has no place shares the last one's. */
static uint32_t interface_of(struct interfaces *known, uint32_t index)
{
	uint32_t i = 0;

	while (i < known->count && known->index[i] != index)
		i++;
	if (i == known->count && i < INTERFACES)
		known->index[known->count++] = index;
	return i < INTERFACES ? i : INTERFACES - 1;
}

static void interfaces_find(struct interfaces *known, struct packets *packets)
{
	for (struct packet *p = NULL; packets && (p = packets_next(packets, p));)
		interface_of(known, p->seg.ifindex);
}

static void interfaces_write(const struct save *s, const struct interfaces *known,
			     struct strbuf *out)
{
	const struct save_config *config = &s->config;

	for (uint32_t i = 0; i < known->count; i++) {
		const char *name = NULL;

		if (config->interface_name && known->index[i])
			name = config->interface_name(config->interfaces, known->index[i]);
		pcapng_interface(out, name);
	}
}

/* Both sorts in the order in which they came. The first packet has the verdict. */
static void packets_write(const struct save *s, const struct login_record *rec,
			  struct packets *others, struct interfaces *known, struct strbuf *out)
{
	struct packet *own = packets_next(rec->packets, NULL);
	struct packet *other = others ? packets_next(others, NULL) : NULL;
	const struct packet **ends = step_ends(rec);
	struct strbuf comments = {0};

	if (rec->verdict.text) {
		strbuf_addf(&comments, "%s: %s", verdict_name(rec->verdict.id), rec->verdict.text);
		comment_end(&comments);
	}
	while (own || other) {
		bool is_own = own && (!other || own->order < other->order);
		struct packet *p = is_own ? own : other;

		if (is_own)
			comments_add(rec, p, ends, &comments);
		comment_end(&comments);
		pcapng_packet(out, interface_of(known, p->seg.ifindex), &p->seg, p->data,
			      wallclock_ns(s->config.clock, p->seg.ts_ns),
			      comments.failed ? NULL : comments.data);
		comments.len = 0;
		if (is_own)
			own = packets_next(rec->packets, own);
		else
			other = packets_next(others, other);
	}
	strbuf_release(&comments);
	free(ends);
}

bool save_wants(const struct login_record *rec)
{
	return rec->verdict.class == VERDICT_FAILED || rec->verdict.class == VERDICT_SLOW;
}

bool save_file(struct save *s, const struct login_record *rec, struct strbuf *out)
{
	struct interfaces known = {.count = 0};
	struct packets *others;

	if (!rec->packets)
		return false;
	others = dependencies_of(s, rec);
	mask_login(rec->packets, &rec->client, s->config.identities);
	pcapng_section(out, "tdsmon " TDSMON_VERSION, ABOUT);
	interfaces_find(&known, rec->packets);
	interfaces_find(&known, others);
	interfaces_write(s, &known, out);
	packets_write(s, rec, others, &known, out);
	/* When it was decided: a reader sees that its last wait went on until then. */
	pcapng_end(out, 0, wallclock_ns(s->config.clock, rec->end_ns));
	free(others);
	return !out->failed;
}

uint64_t save_kept(const struct save *s)
{
	return s->kept;
}

uint64_t save_left_out(const struct save *s)
{
	return s->left_out;
}
