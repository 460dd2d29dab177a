// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * companions.c - packets between a few hosts and the services that logins depend on, and the share
 * of logins in them. Input: records of a byte of flags, a byte of hosts and port, a byte of time, a
 * byte of sequence, a length and that many bytes of payload.
 */
#include "engine/dependency/dependency.h"
#include "fuzz.h"

#define HOSTS 3

static const uint16_t ports[] = {53, 80, 88, 135, 389, 443, 445, 49152};

static struct endpoint host(uint8_t number, uint16_t port)
{
	return (struct endpoint){.addr = {[10] = 0xff, 0xff, 10, 0, 0, number}, .port = port};
}

/* The parts of each step that has any add up to it; nothing is longer than the login. */
static void check_findings(const struct dependency_login *login,
			   const struct dependency_findings *f)
{
	uint64_t sums[3] = {0};

	FUZZ_ASSERT(f->part_count <= PARTS_MOST && f->count <= DEPENDENCIES_MOST);
	for (size_t i = 0; i < f->part_count; i++) {
		FUZZ_ASSERT(f->parts[i].step < login->step_count && f->parts[i].ns);
		FUZZ_ASSERT(i == 0 || f->parts[i].step >= f->parts[i - 1].step);
		sums[f->parts[i].step] += f->parts[i].ns;
	}
	for (size_t i = 0; i < login->step_count; i++)
		FUZZ_ASSERT(!sums[i] || sums[i] == login->steps[i].ns);
	for (size_t i = 0; i < f->count; i++) {
		const struct dependency *d = &f->list[i];

		FUZZ_ASSERT(d->requests && d->unanswered <= d->requests && d->in_flight_most);
		FUZZ_ASSERT(!d->target || strlen(d->target) < MESSAGE_TARGET_LEN);
	}
	FUZZ_ASSERT(f->cause < CAUSE_COUNT && (f->cause == CAUSE_NONE || f->part_count));
}

static void check_login(struct companions *c, struct fuzz *in, uint64_t now_ns)
{
	struct endpoint client = host(fuzz_u8(in) % HOSTS, 40000), server = host(1, 1433);
	uint64_t first = fuzz_u8(in) * 10000000ull, second = fuzz_u8(in) * 10000000ull;
	const struct step steps[] = {{STEP_PRELOGIN, PHASE_PRELOGIN, SIDE_CLIENT, first},
				     {STEP_RESPONSE, PHASE_LOGIN, SIDE_SERVER, second}};
	const struct dependency_login login = {
		.id = now_ns,
		.client = client.addr,
		.server = server.addr,
		.start_ns = now_ns > first + second ? now_ns - first - second : 0,
		.steps = steps,
		.step_count = 2,
		.authority = (enum authority)(fuzz_u8(in) % 3),
	};
	struct dependency_findings findings;
	uint64_t dns_ns =
		dependency_dns_before(c, now_ns, client.addr, server.addr, login.start_ns);

	FUZZ_ASSERT(dns_ns == NO_NS || dns_ns <= now_ns);
	dependency_find(c, &login, &findings);
	check_findings(&login, &findings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t seed[2];
	struct fuzz in = {data, data + size};
	struct companions *c = companions_new(seed, false);
	uint64_t now_ns = 1000000000;

	while (c && in.p < in.end) {
		uint8_t flags = fuzz_u8(&in), hosts = fuzz_u8(&in), time = fuzz_u8(&in);
		struct endpoint a = host(hosts & 1, (uint16_t)(40000 + (hosts >> 6)));
		struct endpoint b = host(2, ports[hosts >> 3 & 7]);
		struct seg seg = {.flags = flags & 0x1f, .seq = fuzz_u8(&in), .ack = fuzz_u8(&in)};
		size_t len = fuzz_u8(&in), cut;

		now_ns += (uint64_t)time * time * 1000000;
		if (flags & 0x20) {
			check_login(c, &in, now_ns);
			continue;
		}
		if (len > (size_t)(in.end - in.p))
			len = (size_t)(in.end - in.p);
		cut = hosts & 4 ? len / 2 : len;
		seg.ts_ns = now_ns;
		seg.rec_flags = flags & 0x40 ? SEG_F_UDP : 0;
		memcpy(seg.saddr, hosts & 2 ? b.addr : a.addr, 16);
		memcpy(seg.daddr, hosts & 2 ? a.addr : b.addr, 16);
		seg.sport = hosts & 2 ? b.port : a.port;
		seg.dport = hosts & 2 ? a.port : b.port;
		seg.len = (uint32_t)len;
		seg.cap_len = (uint32_t)cut;
		companions_segment(c, &seg, in.p);
		if (flags & 0x80)
			companions_lost(c, seg.ts_ns);
		in.p += len;
	}
	companions_free(c);
	return 0;
}
