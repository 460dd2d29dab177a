// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * witness.c - the socket witness without a kernel: samples beside segments, and what the engine makes
 * of them: parts of steps, the host's facts, the verdict.
 */
#include <string.h>

#include "bytes.h"
#include "engine_fixture.h"

#define PARTS 16

/* The kernel's answer about the socket that is waited for. */
struct socket_state {
	enum witness_answer here, accepted, stopped;
	bool frozen, has_unread, is_throttled, has_process;
	uint32_t unread, queue;
	uint64_t throttled_ns;
};

struct test {
	WIRE;
	struct socket_state socket;
	uint32_t looks;
	uint64_t look_ns[256]; /* when, the first of them */
	enum side looked;      /* the last of them: for whom */
	struct flow_key key;
	uint8_t end;
	/* of the one login */
	uint32_t logins, pendings;
	uint64_t pending_unread_ns, pending_unacked_ns;
	struct login_record r;
	struct step steps[32];
	struct step_part parts[PARTS];
	enum verdict verdict;
	char text[512], process[32], container[80];
};

static void on_login(void *ctx, const struct login_record *r)
{
	struct test *t = ctx;

	t->logins++;
	t->r = *r;
	CHECK(r->step_count <= 32 && r->part_count <= PARTS);
	memcpy(t->steps, r->steps, r->step_count * sizeof(*r->steps));
	memcpy(t->parts, r->parts, r->part_count * sizeof(*r->parts));
	t->verdict = r->verdict.id;
	snprintf(t->text, sizeof(t->text), "%s", r->verdict.text);
	if (r->host) {
		snprintf(t->process, sizeof(t->process), "%s", r->host->process ?: "(null)");
		snprintf(t->container, sizeof(t->container), "%s", r->host->container ?: "(null)");
	}
	for (size_t i = 0; i < r->step_count; i++) {
		uint64_t sum = 0;
		bool any = false;

		for (size_t p = 0; p < r->part_count; p++) {
			any |= r->parts[p].step == i;
			sum += r->parts[p].step == i ? r->parts[p].ns : 0;
		}
		if (any)
			CHECK_INT(sum, r->steps[i].ns);
	}
}

static void on_pending(void *ctx, const struct pending_record *r)
{
	struct test *t = ctx;
	uint64_t sum = 0;

	for (size_t i = 0; i < r->part_count; i++) {
		CHECK_INT(r->parts[i].step, 0);
		sum += r->parts[i].ns;
		if (r->parts[i].part == PART_UNREAD)
			t->pending_unread_ns = r->parts[i].ns;
		if (r->parts[i].part == PART_UNACKNOWLEDGED)
			t->pending_unacked_ns = r->parts[i].ns;
	}
	if (r->part_count)
		CHECK_INT(sum, r->ns);
	t->pendings++;
}

static void begin(struct test *t)
{
	static const struct engine_ops ops = {.login = on_login, .pending = on_pending};

	memset(t, 0, sizeof(*t));
	wire_begin(&t->wire, (struct engine_config){0}, &ops, t);
	t->ttl[CLIENT] = t->ttl[SERVER] = 64;
	t->socket = (struct socket_state){.here = WITNESS_YES,
					  .accepted = WITNESS_YES,
					  .stopped = WITNESS_NO,
					  .has_unread = true};
}

static void data(struct test *t, int side, const void *bytes, uint32_t len, uint64_t after)
{
	wire_send(&t->wire, side, SEG_ACK | SEG_PSH, bytes, len, after);
}

static void handshake(struct test *t)
{
	wire_handshake(&t->wire, 0, 100 * US, 50 * US);
}

/* With encryption not supported LOGIN7 goes in clear. */
static void prelogin(struct test *t, int side, uint64_t after)
{
	uint32_t len = side == CLIENT ? 47 : 43;
	uint8_t bytes[64];

	memcpy(bytes, side == CLIENT ? prelogin_request : prelogin_reply, len);
	bytes[8 + 0x20] = 2; /* ENCRYPTION */
	data(t, side, bytes, len, after);
}

static void on_wait(void *ctx, const struct engine_wait *wait)
{
	static const struct witness_process process = {
		.pid = 4711,
		.name = "sqlservr",
		.cgroup = "/docker/0123",
		.container = "0123456789012345678901234567890123456789012345678901234567890123"};
	struct test *t = ctx;
	struct witness_sample sample = {
		.ts_ns = t->now,
		.key = wait->key,
		.end = wait->end,
		.here = t->socket.here,
		.accepted = t->socket.accepted,
		.stopped = t->socket.stopped,
		.frozen = t->socket.frozen,
		.has_unread = t->socket.has_unread,
		.unread = t->socket.unread,
		.has_queue = t->socket.queue > 0,
		.queue_length = t->socket.queue,
		.queue_limit = 128,
		.has_throttled = t->socket.is_throttled,
		.throttled_ns = t->socket.throttled_ns,
		.process = t->socket.has_process ? &process : NULL,
	};

	if (t->looks < 256)
		t->look_ns[t->looks] = t->now;
	t->looks++;
	t->looked = wait->side;
	t->key = wait->key;
	t->end = wait->end;
	CHECK_INT(wait->key.port[wait->end], wait->side == SIDE_SERVER ? 1433 : 50000);
	engine_witness(t->e, &sample);
}

/* Time goes on, and the source looks whenever the engine wants it to. */
static void waits(struct test *t, uint64_t ns)
{
	uint64_t end = t->now + ns;

	for (;;) {
		uint64_t next = engine_waiting(t->e, t->now, on_wait, t);

		CHECK(next > t->now);
		if (next > end)
			break;
		t->now = next;
	}
	t->now = end;
}

static void traced(struct test *t, uint64_t at)
{
	struct witness_sample sample = {.ts_ns = at, .key = t->key, .end = t->end, .is_read = true};

	engine_witness(t->e, &sample);
}

static uint64_t part_ns(const struct test *t, enum wait_part part)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < t->r.part_count; i++)
		ns += t->parts[i].part == part ? t->parts[i].ns : 0;
	return ns;
}

static enum basis part_basis(const struct test *t, enum wait_part part)
{
	for (size_t i = 0; i < t->r.part_count; i++)
		if (t->parts[i].part == part)
			return t->parts[i].basis;
	return BASIS_UNKNOWN;
}

static void end(struct test *t)
{
	engine_finish(t->e);
	CHECK_INT(t->logins, 1);
	engine_free(t->e);
}

/* The rest of a login that was held up before its PRELOGIN response. */
static void goes_on(struct test *t)
{
	prelogin(t, SERVER, 0);
	data(t, CLIENT, login7_sql, sizeof(login7_sql), MS);
	data(t, SERVER, login_success, sizeof(login_success), MS);
	CHECK_INT(t->logins, 1);
	CHECK_INT(t->r.outcome, OUTCOME_OK);
}

UNIT_CASE(a_prompt_login_is_never_looked_at)
{
	struct test t;

	begin(&t);
	handshake(&t);
	waits(&t, 19 * MS);
	prelogin(&t, CLIENT, 0);
	waits(&t, 19 * MS);
	goes_on(&t);
	waits(&t, S);
	CHECK_INT(t.looks, 0);
	CHECK_INT(t.r.part_count, 0);
	CHECK(!t.r.host);
	end(&t);
}

UNIT_CASE(looks_come_at_growing_distances)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	waits(&t, 20 * S);
	CHECK_INT(t.look_ns[0] - t.now, 20 * MS - 20 * S);
	CHECK_INT(t.look_ns[1] - t.look_ns[0], 20 * MS);
	CHECK(t.looks > 60 && t.looks < 120);
	for (uint32_t i = 1; i < t.looks; i++)
		CHECK(t.look_ns[i] - t.look_ns[i - 1] >= 20 * MS &&
		      t.look_ns[i] - t.look_ns[i - 1] <= 500 * MS);
	engine_free(t.e);
}

UNIT_CASE(a_server_that_does_not_read)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	t.socket.has_process = true;
	waits(&t, 3 * S);
	CHECK_INT(t.looked, SIDE_SERVER);
	goes_on(&t);
	/* The first 100 us are the network's; what the last look saw unread was so all the time. */
	CHECK(part_ns(&t, PART_UNREAD) > 2800 * MS && part_ns(&t, PART_UNREAD) < 3 * S);
	CHECK_INT(part_basis(&t, PART_UNREAD), BASIS_SAMPLED);
	CHECK_INT(part_ns(&t, PART_PROCESS) + part_ns(&t, PART_UNREAD), 3 * S - 100 * US);
	CHECK_INT(part_basis(&t, PART_PROCESS), BASIS_INFERRED); /* nobody saw the read */
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK(strstr(t.text, "sqlservr (pid 4711)"));
	CHECK_STR(t.process, "sqlservr");
	CHECK_INT(strlen(t.container), 64);
	CHECK_INT(t.r.host->side, SIDE_SERVER);
	end(&t);
}

UNIT_CASE(a_traced_read_is_exact)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	waits(&t, 3 * S);
	traced(&t, t.now - 1234);
	traced(&t, t.now - 234); /* the first one counts */
	goes_on(&t);
	CHECK_INT(part_ns(&t, PART_UNREAD), 3 * S - 100 * US - 1234);
	CHECK_INT(part_basis(&t, PART_UNREAD), BASIS_OBSERVED);
	CHECK_INT(part_ns(&t, PART_PROCESS), 1234);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	end(&t);
}

UNIT_CASE(a_server_that_does_not_accept)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.accepted = WITNESS_NO;
	t.socket.unread = 47;
	t.socket.queue = 129;
	waits(&t, 3 * S);
	goes_on(&t);
	CHECK(part_ns(&t, PART_UNACCEPTED) > 2800 * MS);
	CHECK_INT(part_ns(&t, PART_UNREAD), 0); /* of two that overlap the earlier one has it */
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK(strstr(t.text, "up to 129 connections") && strstr(t.text, "limit 128"));
	CHECK_INT(t.r.host->queue_length, 129);
	end(&t);
}

/* The client's PRELOGIN, once more. */
static void again(struct test *t, uint64_t after)
{
	t->seq[CLIENT] -= 47;
	prelogin(t, CLIENT, after);
}

/* Its host drops what the client sends, for the accept queue is full. */
UNIT_CASE(a_server_whose_accept_queue_is_full)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.accepted = WITNESS_NO;
	t.socket.has_unread = false;
	t.socket.queue = 129;
	for (int i = 0; i < 5; i++) {
		waits(&t, (200 << i) * MS);
		again(&t, 0);
	}
	t.now += MS;
	goes_on(&t);
	CHECK(part_ns(&t, PART_UNACKNOWLEDGED) > 6 * S);
	CHECK_INT(part_basis(&t, PART_UNACKNOWLEDGED), BASIS_OBSERVED);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	end(&t);
}

/* It has not come to the server's host so far: that wait is the path's. */
UNIT_CASE(a_wait_for_an_ack_that_goes_on)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	for (int i = 0; i < 5; i++)
		again(&t, (200 << i) * MS);
	engine_tick(t.e, t.now);
	engine_tick(t.e, t.now + S);
	CHECK_INT(t.pendings, 1);
	CHECK(t.pending_unacked_ns > 6 * S);
	engine_free(t.e);
}

UNIT_CASE(accepted_late_and_read_later)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.accepted = WITNESS_NO;
	t.socket.unread = 47;
	waits(&t, S);
	t.socket.accepted = WITNESS_YES;
	waits(&t, S);
	traced(&t, t.now);
	t.socket.unread = 0;
	waits(&t, S);
	goes_on(&t);
	CHECK(part_ns(&t, PART_UNACCEPTED) > 900 * MS && part_ns(&t, PART_UNACCEPTED) < S);
	CHECK_INT(part_ns(&t, PART_UNACCEPTED) + part_ns(&t, PART_UNREAD), 2 * S - 100 * US);
	CHECK_INT(part_ns(&t, PART_PROCESS), S);
	end(&t);
}

UNIT_CASE(a_stopped_process)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	t.socket.stopped = WITNESS_YES;
	waits(&t, 3 * S);
	goes_on(&t);
	CHECK(part_ns(&t, PART_STOPPED) > 2800 * MS);
	/* That it was so before the first look is not known, that its bytes lay unread is. */
	CHECK(part_ns(&t, PART_UNREAD) >= 19 * MS && part_ns(&t, PART_UNREAD) <= 20 * MS);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK(strstr(t.text, "state T"));
	end(&t);
}

UNIT_CASE(a_frozen_cgroup)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	t.socket.stopped = WITNESS_YES;
	t.socket.frozen = true;
	waits(&t, 3 * S);
	t.socket.stopped = WITNESS_NO;
	t.socket.frozen = false;
	waits(&t, S);
	goes_on(&t);
	CHECK(part_ns(&t, PART_STOPPED) > 2800 * MS);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK(strstr(t.text, "its cgroup was frozen"));
	CHECK(!strstr(t.text, "state T"));
	end(&t);
}

/* Its connections are not accepted: that has the time, and the reason is still that it is stopped. */
UNIT_CASE(a_stopped_process_that_had_not_accepted)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	t.socket.accepted = WITNESS_NO;
	t.socket.stopped = WITNESS_YES;
	waits(&t, 3 * S);
	goes_on(&t);
	CHECK(part_ns(&t, PART_UNACCEPTED) > 2800 * MS);
	CHECK_INT(part_ns(&t, PART_STOPPED), 0);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK(strstr(t.text, "state T"));
	end(&t);
}

UNIT_CASE(a_throttled_cgroup)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.is_throttled = true;
	t.socket.throttled_ns = 77 * S;
	for (int period = 0; period < 30; period++) {
		waits(&t, 100 * MS);
		t.socket.throttled_ns += 95 * MS;
	}
	waits(&t, 50 * MS);
	goes_on(&t);
	CHECK(part_ns(&t, PART_THROTTLED) > 2500 * MS && part_ns(&t, PART_THROTTLED) < 2900 * MS);
	CHECK_INT(t.verdict, V_CPU_THROTTLED);
	CHECK_INT(t.r.host->throttled_ns, part_ns(&t, PART_THROTTLED));
	end(&t);
}

/* What several CPUs count is never more than the time between two looks. */
UNIT_CASE(throttled_time_is_bounded)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.is_throttled = true;
	for (int period = 0; period < 30; period++) {
		waits(&t, 100 * MS);
		t.socket.throttled_ns += S;
	}
	goes_on(&t);
	CHECK(part_ns(&t, PART_THROTTLED) <= 3 * S);
	end(&t);
}

UNIT_CASE(a_process_that_read_at_once_is_not_stalled)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	waits(&t, 3 * S);
	goes_on(&t);
	CHECK_INT(part_ns(&t, PART_PROCESS), 3 * S - 100 * US);
	CHECK_INT(part_basis(&t, PART_PROCESS), BASIS_SAMPLED);
	CHECK_INT(t.verdict, V_SLOW_PRELOGIN);
	end(&t);
}

UNIT_CASE(a_socket_elsewhere_is_asked_once)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.here = WITNESS_NO;
	waits(&t, 3 * S);
	CHECK_INT(t.looks, 1);
	goes_on(&t);
	CHECK_INT(t.r.part_count, 0);
	CHECK(!t.r.host);
	CHECK_INT(t.verdict, V_SLOW_PRELOGIN);
	end(&t);
}

/* The next message had come, and its answer's segments were not read yet, when the source looked. */
UNIT_CASE(a_look_after_the_end_of_its_wait_counts_for_nothing)
{
	struct test t;
	uint64_t now;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	waits(&t, 2 * S);
	t.socket.unread = 47;
	t.socket.stopped = WITNESS_YES;
	now = t.now;
	t.now += 250 * MS;
	engine_waiting(t.e, t.now, on_wait, &t);
	t.now = now;
	goes_on(&t);
	CHECK_INT(part_ns(&t, PART_UNREAD), 0);
	CHECK_INT(part_ns(&t, PART_STOPPED), 0);
	CHECK_INT(part_ns(&t, PART_PROCESS), 2 * S - 100 * US);
	end(&t);
}

UNIT_CASE(a_wait_that_goes_on_has_parts)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.unread = 47;
	for (int i = 0; i < 30; i++) {
		waits(&t, 200 * MS);
		engine_tick(t.e, t.now);
	}
	CHECK_INT(t.pendings, 1);
	CHECK(t.pending_unread_ns > 4500 * MS && t.pending_unread_ns < 6 * S);
	engine_free(t.e);
}

/* TCP holds more, or less, than the message that is waited on: its unread bytes say nothing. */
UNIT_CASE(bytes_of_another_message_count_for_nothing)
{
	struct test t;
	struct witness_sample sample;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.has_unread = false;
	waits(&t, 100 * MS);
	sample = (struct witness_sample){.ts_ns = t.now,
					 .key = t.key,
					 .end = t.end,
					 .here = WITNESS_YES,
					 .accepted = WITNESS_YES,
					 .has_unread = true,
					 .unread = 10,
					 .has_received = true,
					 .received = t.seq[CLIENT] + 10};
	engine_witness(t.e, &sample);
	t.now += MS;
	sample.ts_ns = t.now;
	sample.received = t.seq[CLIENT] - 10;
	engine_witness(t.e, &sample);
	goes_on(&t);
	CHECK_INT(t.r.part_count, 0);
	end(&t);
}

/* The client's LOGIN7 is due, and its socket is looked at. */
static void begin_client(struct test *t)
{
	begin(t);
	handshake(t);
	prelogin(t, CLIENT, MS);
	prelogin(t, SERVER, MS);
	t->socket.accepted = WITNESS_UNKNOWN;
}

static void client_goes_on(struct test *t)
{
	data(t, CLIENT, login7_sql, sizeof(login7_sql), 0);
	data(t, SERVER, login_success, sizeof(login_success), MS);
}

UNIT_CASE(a_client_that_does_not_read)
{
	struct test t;

	begin_client(&t);
	t.socket.unread = 43;
	waits(&t, 3 * S);
	CHECK_INT(t.looked, SIDE_CLIENT);
	client_goes_on(&t);
	CHECK(part_ns(&t, PART_UNREAD) > 2800 * MS);
	CHECK_INT(t.r.host->side, SIDE_CLIENT);
	CHECK_INT(t.verdict, V_SLOW_CLIENT);
	CHECK(strstr(t.text, "lay unread in the client's socket"));
	end(&t);
}

UNIT_CASE(a_client_that_is_stopped)
{
	struct test t;

	begin_client(&t);
	t.socket.has_process = true;
	waits(&t, 100 * MS); /* it has read all */
	t.socket.stopped = WITNESS_YES;
	waits(&t, 3 * S);
	client_goes_on(&t);
	CHECK(part_ns(&t, PART_STOPPED) > 2700 * MS);
	CHECK_INT(t.verdict, V_SLOW_CLIENT);
	CHECK(strstr(t.text, "sqlservr (pid 4711) did not run for"));
	end(&t);
}

/* A client that took its time, as far as is known. */
UNIT_CASE(a_client_that_had_read_is_not_stalled)
{
	struct test t;

	begin_client(&t);
	waits(&t, 3 * S);
	client_goes_on(&t);
	CHECK_INT(t.verdict, V_SLOW_CLIENT);
	CHECK(strstr(t.text, "the client took"));
	end(&t);
}

UNIT_CASE(a_login_that_times_out_unaccepted)
{
	struct test t;

	begin(&t);
	handshake(&t);
	prelogin(&t, CLIENT, MS);
	t.socket.accepted = WITNESS_NO;
	t.socket.unread = 47;
	waits(&t, 15 * S);
	wire_send(&t.wire, CLIENT, SEG_ACK | SEG_FIN, NULL, 0, 0);
	engine_finish(t.e);
	CHECK_INT(t.r.outcome, OUTCOME_TIMED_OUT);
	CHECK_INT(t.verdict, V_SERVER_STALLED);
	CHECK_INT(t.r.verdict.class, VERDICT_FAILED);
	engine_free(t.e);
}

UNIT_CASE(a_sample_of_no_connection_is_passed_over)
{
	struct witness_sample sample = {.here = WITNESS_YES, .has_unread = true, .unread = 1};
	struct test t;

	begin(&t);
	engine_witness(t.e, &sample);
	CHECK_INT(engine_waiting(t.e, t.now, on_wait, &t), NO_NS);
	engine_free(t.e);
}

int main(void)
{
	RUN(a_prompt_login_is_never_looked_at);
	RUN(looks_come_at_growing_distances);
	RUN(a_server_that_does_not_read);
	RUN(a_traced_read_is_exact);
	RUN(a_server_that_does_not_accept);
	RUN(a_server_whose_accept_queue_is_full);
	RUN(a_wait_for_an_ack_that_goes_on);
	RUN(accepted_late_and_read_later);
	RUN(a_stopped_process);
	RUN(a_frozen_cgroup);
	RUN(a_stopped_process_that_had_not_accepted);
	RUN(a_throttled_cgroup);
	RUN(throttled_time_is_bounded);
	RUN(a_process_that_read_at_once_is_not_stalled);
	RUN(a_socket_elsewhere_is_asked_once);
	RUN(a_look_after_the_end_of_its_wait_counts_for_nothing);
	RUN(a_wait_that_goes_on_has_parts);
	RUN(bytes_of_another_message_count_for_nothing);
	RUN(a_client_that_does_not_read);
	RUN(a_client_that_is_stopped);
	RUN(a_client_that_had_read_is_not_stalled);
	RUN(a_login_that_times_out_unaccepted);
	RUN(a_sample_of_no_connection_is_passed_over);
	return unit_status();
}
