// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * smp.c - a session after its login: commands, and SMP with TDS inside. Input: pieces of the two
 * streams, each u8 (bit 0: of the server, bit 1: not captured), u16 length and its bytes.
 */
#include "fuzz.h"
#include "engine/session/session.h"

static struct flow_table flows; /* without a tunnel */
static uint64_t refused;
static struct pool pool;
static struct session_env env = {.flows = &flows, .pool = &pool};
static enum side sender;
static uint64_t told, now_ns;

static void command(void *ctx, const struct command_record *r)
{
	(void)ctx;
	command_kind_name(r->kind);
	basis_name(r->basis);
	FUZZ_ASSERT(r->session >= -1 && r->session <= 0xffff);
	FUZZ_ASSERT(r->time_ns <= now_ns);
	FUZZ_ASSERT(r->total_ns == NO_NS || r->total_ns <= now_ns - r->time_ns);
	FUZZ_ASSERT(r->first_byte_ns == NO_NS || r->first_byte_ns <= now_ns - r->time_ns);
	told++;
}

static void head(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	session_head(&env, ctx, sender, f, ts_ns);
}

static void body(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	session_body(&env, ctx, sender, f, data, len, ts_ns);
}

static void end(void *ctx, const struct framer *f, uint64_t ts_ns)
{
	session_end(&env, ctx, sender, f, ts_ns);
}

static void lost(void *ctx, const struct framer *f, const uint8_t *data, uint32_t len,
		 uint64_t ts_ns)
{
	(void)ctx, (void)f, (void)data, (void)len, (void)ts_ns;
}

static const struct frame_ops ops = {head, body, end, lost};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = {data, data + size};
	struct flow *f = calloc(1, sizeof(*f));
	struct close_record r = {0};
	uint64_t commands = 0;

	FUZZ_ASSERT(f);
	env.command = size & 1 ? command : NULL;
	env.sql = size & 4;
	pool = (struct pool){.max = size & 8 ? 4096 : 1 << 24, .refused = &refused};
	f->mid_stream = size & 2; /* TLS is followed then, too */
	told = now_ns = 0;
	while (in.p < in.end) {
		uint8_t how = fuzz_u8(&in);
		uint32_t want = fuzz_u16(&in), len;
		uint8_t *bytes = fuzz_bytes(&in, want, &len);

		sender = how & 1 ? SIDE_SERVER : SIDE_CLIENT;
		frame_feed(&f->half[sender].framer, &ops, f, how & 2 ? NULL : bytes, len, ++now_ns);
		free(bytes);
	}
	session_close(&env, f);
	for (int i = 0; i < COMMAND_COUNT; i++)
		commands += f->commands[i];
	FUZZ_ASSERT(commands <= size / 8 && f->resets <= commands && told <= commands);
	session_mars(f, &r);
	FUZZ_ASSERT(r.mars_open <= r.mars_sessions && r.mars_sessions <= size / 16);
	FUZZ_ASSERT(r.mars_window_stalls <= size / 16);
	session_free(&env, f);
	FUZZ_ASSERT(!env.sql_count && !pool.used);
	free(f);
	return 0;
}
