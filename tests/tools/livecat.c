// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * livecat.c - the live source by itself: prints what it hands over as lines of JSON, and does
 * what lines on standard input say ("counters", "level N" for the last segment's flow), until
 * there are no more.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "source/live/live.h"

static struct flow_key last;

/* As bpf/flow.h has it: the lower address and port first. */
static void remember(const struct seg *seg)
{
	int order = memcmp(seg->saddr, seg->daddr, 16);
	int first = order < 0 || (!order && seg->sport <= seg->dport) ? 0 : 1;

	memcpy(last.addr[first], seg->saddr, 16);
	memcpy(last.addr[!first], seg->daddr, 16);
	last.port[first] = seg->sport;
	last.port[!first] = seg->dport;
}

static void print_segment(void *ctx, const struct seg *seg, const uint8_t *payload)
{
	const struct live *live = ctx;
	char s[INET6_ADDRSTRLEN], d[INET6_ADDRSTRLEN];
	struct timespec now;
	uint32_t sum = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (uint32_t i = 0; i < seg->cap_len; i++)
		sum += payload[i];
	remember(seg);
	printf("{\"saddr\":\"%s\",\"sport\":%u,\"daddr\":\"%s\",\"dport\":%u,\"flags\":%u,"
	       "\"seq\":%u,\"ack\":%u,\"len\":%u,\"cap_len\":%u,\"sum\":%u,\"dir\":%u,\"note\":%u,"
	       "\"ifindex\":%u,\"ttl\":%u,\"local\":%d,\"ts\":%" PRIu64 ",\"age_ns\":%" PRId64
	       "}\n",
	       inet_ntop(AF_INET6, seg->saddr, s, sizeof(s)), seg->sport,
	       inet_ntop(AF_INET6, seg->daddr, d, sizeof(d)), seg->dport, seg->flags, seg->seq,
	       seg->ack, seg->len, seg->cap_len, sum, seg->dir, seg->rec_flags, seg->ifindex,
	       seg->ttl, live_is_local(live, seg->saddr), (uint64_t)seg->ts_ns,
	       (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)seg->ts_ns);
}

static void print_counters(const struct live *live)
{
	uint64_t n[TAP_CNT_MAX];

	live_counters(live, n);
	printf("{\"counters\":[");
	for (int i = 0; i < TAP_CNT_MAX; i++)
		printf("%s%" PRIu64, i ? "," : "", n[i]);
	printf("]}\n");
}

static void print_description(const struct live *live)
{
	static char old[4096];
	const char *text = live_describe(live);

	if (strcmp(old, text))
		printf("{\"describe\":\"%s\"}\n", text);
	snprintf(old, sizeof(old), "%s", text);
}

static bool obey(struct live *live)
{
	char line[64];
	ssize_t n = read(0, line, sizeof(line) - 1);

	if (n <= 0)
		return false;
	line[n] = 0;
	if (!strncmp(line, "counters", 8))
		print_counters(live);
	if (!strncmp(line, "level ", 6)) {
		live_tap(live, &last, 0, (enum tap_level)atoi(line + 6));
		printf("{\"level\":%d}\n", atoi(line + 6));
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct port_set ports;
	const char *names[16];
	struct live_config config = {.ports = &ports};
	struct live *live;
	int opt, err;

	while ((opt = getopt(argc, argv, "i:p:xmad")) != -1) {
		if (opt == 'i' && config.interface_count < 16)
			names[config.interface_count++] = optarg;
		else if (opt == 'p')
			port_set_add(&ports, (uint16_t)atoi(optarg));
		else if (opt == 'x')
			config.hook = LIVE_HOOK_XDP;
		else if (opt == 'm')
			config.mirror = true;
		else if (opt == 'a')
			config.any_port = true;
		else if (opt == 'd')
			log_set_level(LOG_LEVEL_DEBUG);
		else
			return 2;
	}
	config.interfaces = config.interface_count ? names : NULL;
	live = live_open(&config, &err);
	if (!live)
		return 1;
	for (;;) {
		struct pollfd fds[2] = {{.fd = live_fd(live), .events = POLLIN},
					{.fd = 0, .events = POLLIN}};

		print_description(live);
		fflush(stdout);
		poll(fds, 2, 100);
		err = live_dispatch(live, print_segment, live);
		if (err < 0 || (fds[1].revents && !obey(live)))
			break;
	}
	live_close(live);
	return err < 0;
}
