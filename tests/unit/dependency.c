// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dependency.c - requests to DNS, KDCs, domain controllers and directories: their messages, the
 * exchanges made of them, and a login's share. Without an engine: packets in, findings out.
 */
#include "exchanges.h"
#include "guard.h"

static const uint8_t query[] = "\x85\x85\1\0\0\1\0\0\0\0\0\0\3sql\7example\4test\0\0\1\0\1";
static const uint8_t reply[] = "\x85\x85\x85\x80\0\1\0\1\0\0\0\0\3sql\7example\4test\0\0\1\0\1"
			       "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\x0a\x4d\0\x14";
/* A Netlogon request 39 over a secure channel, without its body and signature. */
static const uint8_t samlogon[] = "\5\0\0\3\x10\0\0\0\x28\0\x08\0\7\0\0\0\0\0\0\0\0\0\x27\0"
				  "\x44\6\0\0\1\0\0\0\0\0\0\0\0\0\0\0";
static const uint8_t samlogon_response[] = "\5\0\2\3\x10\0\0\0\x18\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0";
static const uint8_t search[] = "\x30\x0c\2\1\2\x63\7\4\5dc=ex";
static const uint8_t search_done[] = "\x30\x0c\2\1\2\x65\7\x0a\1\0\4\0\4\0";
/* KRB-ERROR 7 for MSSQLSvc/web */
static const uint8_t krb_error[] =
	"\x7e\x2b\x30\x29\xa0\3\2\1\5\xa1\3\2\1\x1e\xa6\3\2\1\7\xaa\x18\x30\x16\xa0\3\2\1\1"
	"\xa1\x0f\x30\x0d\x1b\x08MSSQLSvc\x1b\1w";

UNIT_CASE(dns_query_and_response)
{
	struct service_message m, answer;

	dns_parse(guarded(query, sizeof(query) - 1), sizeof(query) - 1, &m);
	CHECK_INT(m.role, MESSAGE_REQUEST);
	CHECK_STR(m.target, "sql.example.test");
	CHECK_STR(m.operation, "A");
	dns_parse(guarded(reply, sizeof(reply) - 1), sizeof(reply) - 1, &answer);
	CHECK_INT(answer.role, MESSAGE_RESPONSE);
	CHECK(answer.id == m.id);
	CHECK_STR(answer.result, "ok");
	CHECK_INT(answer.address_count, 1);
	CHECK_INT(answer.addresses[0][15], 0x14);
}

UNIT_CASE(every_cut_of_every_message_is_read_safely)
{
	static const struct {
		const uint8_t *p;
		size_t len;
	} all[] = {{BYTES(query)},    {BYTES(reply)},
		   {BYTES(samlogon)}, {BYTES(samlogon_response)},
		   {BYTES(search)},   {BYTES(search_done)},
		   {BYTES(krb_error)}};
	struct service_message m;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t n = 0; n <= all[i].len; n++) {
			const uint8_t *p = guarded(all[i].p, n);
			enum rpc_interface interface = RPC_UNBOUND;
			struct rpc_pipes pipes = {.next = 0};

			dns_parse(p, n, &m);
			kerberos_parse(p, n, &m);
			ldap_parse(p, n, &m);
			http_parse(p, n, &m);
			rpc_parse(p, n, &interface, &m);
			smb_parse(p, n, &pipes, &m);
			CHECK(m.role <= MESSAGE_ONE_WAY);
		}
	}
}

UNIT_CASE(kerberos_error_by_name)
{
	struct service_message m;

	kerberos_parse(guarded(BYTES(krb_error)), sizeof(krb_error) - 1, &m);
	CHECK_INT(m.role, MESSAGE_RESPONSE);
	CHECK_STR(m.result, "KDC_ERR_S_PRINCIPAL_UNKNOWN");
	CHECK_STR(m.target, "MSSQLSvc/w");
}

UNIT_CASE(netlogon_call_by_its_number_and_trailer)
{
	enum rpc_interface interface = RPC_UNBOUND;
	struct service_message m;

	rpc_parse(guarded(BYTES(samlogon)), sizeof(samlogon) - 1, &interface, &m);
	CHECK_INT(m.role, MESSAGE_REQUEST);
	CHECK_INT(m.kind, DEPENDENCY_NETLOGON);
	CHECK_STR(m.operation, "SamLogon");
	CHECK_INT(m.id, 7);
	rpc_parse(guarded(BYTES(samlogon_response)), sizeof(samlogon_response) - 1, &interface, &m);
	CHECK_INT(m.role, MESSAGE_RESPONSE);
	CHECK_INT(m.id, 7);
}

UNIT_CASE(an_smb_interim_response_answers_nothing)
{
	static const uint8_t pending[] =
		"\0\0\0\x49\xfeSMB\x40\0\0\0\3\1\0\0\x0b\0\1\0\x13\0\0\0\0\0\0\0"
		"\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x21";
	struct rpc_pipes pipes = {.next = 0};
	struct service_message m;

	smb_parse(guarded(BYTES(pending)), sizeof(pending) - 1, &pipes, &m);
	CHECK_INT(m.role, MESSAGE_ONE_WAY);
	CHECK_STR(m.operation, "IOCTL");
}

/* ---- packets ---- */

static void call(struct companions *c, uint64_t from_ns, uint64_t to_ns, uint8_t id, uint32_t seq)
{
	uint8_t request[sizeof(samlogon)], response[sizeof(samlogon_response)];

	memcpy(request, samlogon, sizeof(request));
	memcpy(response, samlogon_response, sizeof(response));
	request[12] = response[12] = id;
	packet(c, &server, 42360, &dc, dc.port, from_ns, (struct seg){.seq = seq, .flags = SEG_ACK},
	       request, sizeof(request) - 1);
	if (!to_ns)
		return;
	packet(c, &dc, dc.port, &server, 42360, from_ns + MS,
	       (struct seg){.seq = seq, .ack = seq + 40, .flags = SEG_ACK}, NULL, 0);
	packet(c, &dc, dc.port, &server, 42360, to_ns,
	       (struct seg){.seq = seq, .ack = seq + 40, .flags = SEG_ACK}, response,
	       sizeof(response) - 1);
}

static uint64_t all_parts_ns(const struct dependency_findings *f)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < f->part_count; i++)
		ns += f->parts[i].ns;
	return ns;
}

UNIT_CASE(a_slow_call_is_the_domain_controllers)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 4000 * MS, 7, 100);
	find(c, 1, 999 * MS, 4001 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_DC_SLOW);
	CHECK_INT(part_ns(&f, PART_DC), 3000 * MS);
	CHECK_INT(all_parts_ns(&f), 3002 * MS);
	CHECK_INT(f.count, 1);
	CHECK_INT(f.list[0].kind, DEPENDENCY_NETLOGON);
	CHECK_INT(f.list[0].unanswered, 0);
	companions_free(c);
}

UNIT_CASE(a_sql_login_has_no_call)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 4000 * MS, 7, 100);
	find(c, 1, 999 * MS, 4001 * MS, AUTHORITY_NONE, &f);
	CHECK_INT(f.cause, CAUSE_NONE);
	CHECK_INT(part_ns(&f, PART_DC), 0);
	CHECK_INT(f.count, 1); /* it did happen meanwhile */
	companions_free(c);
}

UNIT_CASE(calls_one_after_another_are_a_queue)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	for (uint64_t i = 0; i < 4; i++)
		call(c, (1000 + 1000 * i) * MS, (2000 + 1000 * i) * MS - 1, (uint8_t)i,
		     (uint32_t)(100 + 40 * i));
	for (uint64_t i = 0; i < 4; i++) {
		find(c, i + 1, 999 * MS, (2000 + 1000 * i) * MS + MS, AUTHORITY_DC, &f);
		CHECK_INT(f.cause, i < 2 ? CAUSE_DC_SLOW : CAUSE_DC_QUEUE);
		CHECK(i < 1 || part_ns(&f, PART_DC_QUEUE) == (1000 * i + 1) * MS);
		CHECK_INT(f.own->id, i);
	}
	CHECK_INT(f.in_flight, 1);
	companions_free(c);
}

UNIT_CASE(a_busy_server_calls_late_and_answers_late)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1070 * MS, 1470 * MS, 7, 100);
	call(c, 1475 * MS, 1875 * MS, 8, 140);
	call(c, 1880 * MS, 2280 * MS, 9, 180);
	find(c, 1, 1000 * MS, 1600 * MS, AUTHORITY_DC, &f);
	CHECK(f.own && f.own->id == 7);
	CHECK_INT(part_ns(&f, PART_DC_QUEUE), 0);
	CHECK_INT(f.cause, CAUSE_DC_SLOW);
	find(c, 2, 1001 * MS, 2000 * MS, AUTHORITY_DC, &f);
	CHECK(f.own && f.own->id == 8);
	CHECK_INT(part_ns(&f, PART_DC_QUEUE), 405 * MS);
	find(c, 3, 1001 * MS, 2400 * MS, AUTHORITY_DC, &f);
	CHECK(f.own && f.own->id == 9);
	CHECK_INT(part_ns(&f, PART_DC_QUEUE), 810 * MS);
	CHECK_INT(f.cause, CAUSE_DC_QUEUE);
	companions_free(c);
}

UNIT_CASE(a_prompt_call_leaves_the_rest_to_the_server)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 1002 * MS, 7, 100);
	call(c, 2990 * MS, 2995 * MS, 8, 140); /* another host's, right before the answer */
	find(c, 1, 999 * MS, 3000 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_SERVER_BUSY);
	CHECK_INT(f.own->id, 7);
	companions_free(c);
}

UNIT_CASE(a_call_without_an_ack_is_a_dead_domain_controller)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 0, 7, 100);
	call(c, 1200 * MS, 0, 7, 100);
	find(c, 1, 999 * MS, 11000 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_DC_UNREACHABLE);
	CHECK_INT(f.list[0].unanswered, 1);
	companions_free(c);
}

/* Two calls at a time: the one that is reported first waited for its challenge as the other began. */
UNIT_CASE(a_call_before_the_last_token_is_anothers)
{
	const struct step steps[] = {{STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, MS},
				     {STEP_SSPI_CHALLENGE, PHASE_LOGIN, SIDE_SERVER, 30 * MS},
				     {STEP_SSPI, PHASE_AUTH, SIDE_CLIENT, 10 * MS},
				     {STEP_LOGINACK, PHASE_AUTH, SIDE_SERVER, 60 * MS}};
	const struct dependency_login first = {.id = 1,
					       .client = client.addr,
					       .server = server.addr,
					       .start_ns = 999 * MS,
					       .steps = steps,
					       .step_count = 4,
					       .authority = AUTHORITY_DC};
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1005 * MS, 1405 * MS, 7, 100);
	call(c, 1041 * MS, 1099 * MS, 8, 140);
	dependency_find(c, &first, &f);
	CHECK_INT(f.own->id, 8);
	CHECK_INT(part_ns(&f, PART_DC), 58 * MS);
	find(c, 2, 1004 * MS, 1406 * MS, AUTHORITY_DC, &f);
	CHECK(f.own && f.own->id == 7);
	CHECK_INT(f.cause, CAUSE_DC_SLOW);
	companions_free(c);
}

/* The login that stands behind the call of another, which was reported first. */
UNIT_CASE(a_queue_behind_a_dead_call_is_a_dead_domain_controller)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 0, 7, 100);
	call(c, 1200 * MS, 0, 7, 100);
	call(c, 6000 * MS, 7000 * MS, 7, 100);
	find(c, 1, 999 * MS, 7001 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.own->id, 7);
	find(c, 2, 1500 * MS, 5500 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_DC_UNREACHABLE);
	CHECK_INT(part_ns(&f, PART_DC), 4000 * MS);
	companions_free(c);
}

UNIT_CASE(what_was_lost_is_no_outage)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	call(c, 1000 * MS, 0, 7, 100);
	companions_lost(c, 1001 * MS);
	find(c, 1, 999 * MS, 11000 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_NONE);
	companions_free(c);
}

/* The ring buffer was full, and what it held was read after the loss was noticed. */
UNIT_CASE(what_was_lost_behind_a_request_is_no_outage)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	companions_lost(c, 1500 * MS);
	call(c, 1000 * MS, 0, 7, 100);
	find(c, 1, 999 * MS, 11000 * MS, AUTHORITY_DC, &f);
	CHECK_INT(f.cause, CAUSE_NONE);
	companions_free(c);
}

static void ldap(struct companions *c, uint64_t from_ns, uint64_t to_ns)
{
	packet(c, &server, 56414, &dc, 389, from_ns, (struct seg){.seq = 1, .flags = SEG_ACK},
	       BYTES(search));
	packet(c, &dc, 389, &server, 56414, to_ns,
	       (struct seg){.seq = 1, .ack = 15, .flags = SEG_ACK}, BYTES(search_done));
}

/* A search's entry, so long that the bytes which are forwarded live hold nothing of what follows. */
static void ldap_entry(struct companions *c, uint64_t ns, uint32_t seq, size_t seen, size_t len)
{
	uint8_t entry[512] = "\x30\x81\xb7\2\1\2\x64\x81\xb1\4\5dc=ex\x30\x81\xa7";
	struct seg seg = {.ts_ns = ns, .seq = seq, .ack = 15, .flags = SEG_ACK, .sport = 389};

	memcpy(seg.saddr, dc.addr, 16);
	memcpy(seg.daddr, server.addr, 16);
	seg.dport = 56414;
	seg.len = (uint32_t)len;
	seg.cap_len = (uint32_t)seen;
	companions_segment(c, &seg, entry);
}

static void ldap_request(struct companions *c, uint64_t ns, uint32_t seq)
{
	packet(c, &server, 56414, &dc, 389, ns, (struct seg){.seq = seq, .flags = SEG_ACK},
	       BYTES(search));
}

UNIT_CASE(a_response_of_which_the_end_was_cut_off_is_no_outage)
{
	struct companions *c = new_companions();
	const struct exchange *x;

	ldap_request(c, 1000 * MS, 1);
	x = companions_newest(c);
	ldap_entry(c, 1010 * MS, 1, 128, 200); /* 186 bytes, and search_done behind */
	CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1010 * MS && !x->result);
	ldap_entry(c, 1300 * MS, 1, 128, 200); /* sent again */
	CHECK(x && x->end_ns == 1010 * MS);
	ldap_entry(c, 1500 * MS, 201, 128, 200); /* more entries */
	CHECK(x && x->end_ns == 1500 * MS);
	CHECK(x == companions_newest(c));
	ldap_request(c, 1600 * MS, 15);
	CHECK(x != companions_newest(c));
	ldap_entry(c, 1700 * MS, 401, 128, 200);
	CHECK(x && x->end_ns == 1500 * MS);
	x = companions_newest(c);
	CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1700 * MS);
	CHECK_INT(companions_stats(c)->responses, 2);
	companions_free(c);
}

UNIT_CASE(a_response_ends_with_the_datagram_that_begins_it)
{
	struct companions *c = new_companions();
	struct seg udp = {.rec_flags = SEG_F_UDP};
	uint8_t entry[128] = "\x30\x81\xb7\2\1\2\x64\x81\xb1\4\5dc=ex\x30\x81\xa7";
	const struct exchange *x;

	packet(c, &server, 56414, &dc, 389, 1000 * MS, udp, BYTES(search));
	packet(c, &dc, 389, &server, 56414, 1008 * MS, udp, entry, sizeof(entry));
	x = companions_newest(c);
	CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1008 * MS);
	companions_free(c);
}

UNIT_CASE(a_search_right_before_the_answer_was_waited_for)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	ldap(c, 1010 * MS, 3500 * MS);
	find(c, 1, 1000 * MS, 3503 * MS, AUTHORITY_NONE, &f);
	CHECK_INT(f.cause, CAUSE_LDAP);
	CHECK_INT(part_ns(&f, PART_LDAP), 2490 * MS);
	CHECK_STR(f.list[0].operation, "search");
	companions_free(c);
}

struct totals_seen {
	struct dependency_total all[64];
	size_t count;
};

static void note_total(void *ctx, const struct dependency_total *total)
{
	struct totals_seen *seen = ctx;

	if (seen->count < 64)
		seen->all[seen->count++] = *total;
}

static struct dependency_total total_of(struct companions *c, uint64_t now_ns,
					enum dependency_kind kind)
{
	struct totals_seen seen = {.count = 0};

	companions_totals(c, now_ns, note_total, &seen);
	for (size_t i = 0; i < seen.count; i++)
		if (seen.all[i].kind == kind)
			return seen.all[i];
	return (struct dependency_total){0};
}

UNIT_CASE(requests_count_once_with_their_time)
{
	struct companions *c = new_companions();
	struct dependency_total netlogon;

	call(c, 1000 * MS, 4000 * MS, 7, 100);
	ldap(c, 1010 * MS, 3500 * MS);
	call(c, 5000 * MS, 0, 8, 140);
	netlogon = total_of(c, 20000 * MS, DEPENDENCY_NETLOGON);
	CHECK_INT(netlogon.requests, 1); /* the other may still be answered */
	CHECK_INT(netlogon.failures, 0);
	CHECK_INT(netlogon.ns, 3000 * MS);
	CHECK_INT(netlogon.peer.port, dc.port);
	CHECK_INT(total_of(c, 20000 * MS, DEPENDENCY_LDAP).ns, 2490 * MS);
	netlogon = total_of(c, 35001 * MS, DEPENDENCY_NETLOGON);
	CHECK_INT(netlogon.requests, 2);
	CHECK_INT(netlogon.failures, 1);
	netlogon = total_of(c, 99000 * MS, DEPENDENCY_NETLOGON);
	CHECK_INT(netlogon.requests, 2);
	CHECK_INT(netlogon.ns, 3000 * MS);
	companions_free(c);
}

UNIT_CASE(what_is_open_at_the_end_has_failed)
{
	struct companions *c = new_companions();

	call(c, 1000 * MS, 0, 7, 100);
	companions_finish(c, 5900 * MS);
	CHECK_INT(total_of(c, 5900 * MS, DEPENDENCY_NETLOGON).requests, 0);
	companions_finish(c, 6100 * MS);
	CHECK_INT(total_of(c, 6100 * MS, DEPENDENCY_NETLOGON).failures, 1);
	companions_free(c);
}

UNIT_CASE(what_was_lost_is_not_counted)
{
	struct companions *c = new_companions();

	call(c, 1000 * MS, 0, 7, 100);
	companions_lost(c, 8000 * MS);
	CHECK_INT(total_of(c, 99000 * MS, DEPENDENCY_NETLOGON).requests, 0);
	companions_free(c);
}

static struct endpoint directory(uint16_t n);

UNIT_CASE(of_more_peers_than_have_a_place_the_rest_count_together)
{
	struct companions *c = new_companions();
	struct totals_seen seen = {.count = 0};

	for (uint16_t i = 0; i < 100; i++) {
		const struct endpoint at = directory(i);

		packet(c, &server, 56414, &at, 389, 1000 * MS,
		       (struct seg){.seq = 1, .flags = SEG_ACK}, BYTES(search));
		packet(c, &at, 389, &server, 56414, 1001 * MS,
		       (struct seg){.seq = 1, .ack = 15, .flags = SEG_ACK}, BYTES(search_done));
	}
	companions_totals(c, 2000 * MS, note_total, &seen);
	CHECK_INT(seen.count, DEPENDENCY_PEERS + 1);
	CHECK(!seen.all[0].is_rest);
	CHECK(seen.all[DEPENDENCY_PEERS].is_rest);
	CHECK_INT(seen.all[DEPENDENCY_PEERS].requests, 100 - DEPENDENCY_PEERS);
	companions_free(c);
}

static struct endpoint directory(uint16_t n)
{
	struct endpoint at = dc;

	at.addr[14] = (uint8_t)(n >> 8);
	at.addr[15] = (uint8_t)n;
	return at;
}

/* Each of a record's steps has parts that add up to it, or none. */
UNIT_CASE(more_parts_than_a_record_has_room_for)
{
	const uint64_t a = 1000 * MS;
	struct step steps[3] = {{STEP_LOGIN7, PHASE_LOGIN, SIDE_SERVER, 1300 * MS},
				{STEP_SSPI, PHASE_LOGIN, SIDE_SERVER, 1300 * MS},
				{STEP_LOGINACK, PHASE_LOGIN, SIDE_SERVER, 1300 * MS}};
	const struct dependency_login login = {.id = 1,
					       .client = client.addr,
					       .server = server.addr,
					       .start_ns = a,
					       .steps = steps,
					       .step_count = 3,
					       .authority = AUTHORITY_NONE};
	struct companions *c = new_companions();
	struct dependency_findings f;

	for (uint16_t i = 0; i < 3 * 52; i++) {
		const struct endpoint at = directory(i);
		uint64_t from = a + i * 25 * MS, to = from + 20 * MS;

		packet(c, &server, 56414, &at, 389, from, (struct seg){.seq = 1, .flags = SEG_ACK},
		       BYTES(search));
		packet(c, &at, 389, &server, 56414, to,
		       (struct seg){.seq = 1, .ack = 15, .flags = SEG_ACK}, BYTES(search_done));
	}
	dependency_find(c, &login, &f);
	CHECK_INT(f.part_count, PARTS_MOST);
	for (size_t step = 0; step < 3; step++) {
		uint64_t ns = 0;

		for (size_t i = 0; i < f.part_count; i++) {
			ns += f.parts[i].step == step ? f.parts[i].ns : 0;
			for (size_t k = i + 1; k < f.part_count; k++)
				CHECK(f.parts[k].step != f.parts[i].step ||
				      f.parts[k].part != PART_PROCESS ||
				      f.parts[i].part != PART_PROCESS);
		}
		CHECK(ns == 0 || ns == steps[step].ns);
		CHECK(step || ns);
	}
	companions_free(c);
}

/* Times without an ACK come first, and what is left is split as ever. */
UNIT_CASE(what_was_not_acknowledged_was_not_waited_for_inside)
{
	const struct step steps[] = {{STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, 1},
				     {STEP_LOGINACK, PHASE_AUTH, SIDE_SERVER, 4000 * MS},
				     {STEP_CLIENT_CLOSE, PHASE_AUTH, SIDE_NETWORK, 9000 * MS}};
	struct unacked_times u = {.count = 0};
	const struct dependency_login login = {.id = 1,
					       .client = client.addr,
					       .server = server.addr,
					       .start_ns = 1000 * MS - 1,
					       .steps = steps,
					       .step_count = 3,
					       .authority = AUTHORITY_NONE,
					       .unacked = &u};
	struct companions *c = new_companions();
	struct dependency_findings f;

	ldap(c, 2000 * MS, 4990 * MS);
	unacked_times_add(&u, 900 * MS, 2500 * MS);
	unacked_times_add(&u, 2500 * MS, 2500 * MS);
	unacked_times_add(&u, 5000 * MS, UINT64_MAX);
	CHECK_INT(u.count, 2);
	dependency_find(c, &login, &f);
	CHECK_INT(part_ns(&f, PART_UNACKNOWLEDGED), (1500 + 9000) * MS);
	CHECK_INT(part_ns(&f, PART_LDAP), 2490 * MS);
	CHECK_INT(part_ns(&f, PART_PROCESS), 10 * MS);
	CHECK_INT(f.parts[0].part, PART_UNACKNOWLEDGED);
	CHECK_INT(f.parts[0].basis, BASIS_OBSERVED);
	companions_free(c);
	dependency_find(NULL, &login, &f);
	CHECK_INT(part_ns(&f, PART_UNACKNOWLEDGED), (1500 + 9000) * MS);
	CHECK_INT(part_ns(&f, PART_PROCESS), 2500 * MS);
}

/* A sender that gets no ACK sends again, after twice the time each time. */
UNIT_CASE(an_ack_that_comes_much_later_than_the_last_copy_was_not_seen)
{
	CHECK_INT(unacked_until(1000, 1200, 0), 1200);
	CHECK_INT(unacked_until(1000, 1200, 1300), 1300);
	CHECK_INT(unacked_until(1000 * MS, 1200 * MS, 1700 * MS), 1700 * MS);
	CHECK_INT(unacked_until(1000 * MS, 1200 * MS, 1701 * MS), 1200 * MS);
	CHECK_INT(unacked_until(1000 * MS, 2400 * MS, 5100 * MS), 5100 * MS);
	CHECK_INT(unacked_until(1000 * MS, 2400 * MS, 5300 * MS), 2400 * MS);
	CHECK_INT(unacked_until(1000 * MS, 2400 * MS, 2300 * MS), 2300 * MS);
}

UNIT_CASE(a_search_that_began_before_or_goes_on_after_is_anothers)
{
	static const uint64_t times[][2] = {{500, 2500}, {1200, 9000}, {1200, 2000}};

	for (size_t i = 0; i < 3; i++) {
		struct companions *c = new_companions();
		struct dependency_findings f;

		ldap(c, times[i][0] * MS, times[i][1] * MS);
		find(c, 1, 1000 * MS, 2502 * MS, AUTHORITY_NONE, &f);
		CHECK_INT(f.cause, CAUSE_NONE);
		CHECK_INT(part_ns(&f, PART_LDAP), 0);
		companions_free(c);
	}
}

UNIT_CASE(a_message_in_pieces_and_sent_again_is_one_request)
{
	struct companions *c = new_companions();
	const struct exchange *x;

	for (uint32_t i = 0; i + 1 < sizeof(search); i++)
		packet(c, &server, 56414, &dc, 389, (1000 + i) * MS,
		       (struct seg){.seq = 1 + i, .flags = SEG_ACK}, search + i, 1);
	packet(c, &server, 56414, &dc, 389, 1300 * MS, (struct seg){.seq = 1, .flags = SEG_ACK},
	       BYTES(search));
	x = companions_newest(c);
	CHECK(x && x->start_ns == 1000 * MS && x->sent == 2);
	CHECK(x && !companions_before(c, x));
	packet(c, &dc, 389, &server, 56414, 1400 * MS,
	       (struct seg){.seq = 1, .ack = 15, .flags = SEG_ACK}, BYTES(search_done));
	CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1400 * MS);
	companions_free(c);
}

UNIT_CASE(dns_before_the_connection_counts_once)
{
	struct companions *c = new_companions();
	struct seg udp = {.rec_flags = SEG_F_UDP};

	packet(c, &client, 5000, &dc, 53, 1000 * MS, udp, BYTES(query));
	packet(c, &client, 5000, &dc, 53, 6000 * MS, udp, BYTES(query));
	packet(c, &dc, 53, &client, 5000, 6001 * MS, udp, BYTES(reply));
	CHECK(dependency_dns_before(c, 1, client.addr, dc.addr, 6002 * MS) == NO_NS);
	CHECK_INT(dependency_dns_before(c, 1, client.addr, server.addr, 6002 * MS), 5001 * MS);
	CHECK(dependency_dns_before(c, 2, client.addr, server.addr, 6003 * MS) == NO_NS);
	companions_free(c);
}

UNIT_CASE(more_exchanges_and_conversations_than_are_kept)
{
	struct companions *c = new_companions();
	struct seg udp = {.rec_flags = SEG_F_UDP};

	for (uint32_t i = 0; i < 3 * COMPANION_EXCHANGES; i++) {
		struct endpoint asker = client;

		asker.addr[13] = (uint8_t)(i >> 16);
		asker.addr[14] = (uint8_t)(i >> 8);
		asker.addr[15] = (uint8_t)i;
		packet(c, &asker, 5000, &dc, 53, i * MS, udp, BYTES(query));
	}
	CHECK_INT(companions_stats(c)->exchanges, 3 * COMPANION_EXCHANGES);
	CHECK_INT(companions_stats(c)->unanswered_forgotten, 2 * COMPANION_EXCHANGES);
	CHECK(companions_stats(c)->conversations_evicted > 0);
	companions_lost(c, 4 * COMPANION_EXCHANGES * MS);
	companions_free(c);
}

int main(void)
{
	RUN(dns_query_and_response);
	RUN(every_cut_of_every_message_is_read_safely);
	RUN(kerberos_error_by_name);
	RUN(netlogon_call_by_its_number_and_trailer);
	RUN(an_smb_interim_response_answers_nothing);
	RUN(a_slow_call_is_the_domain_controllers);
	RUN(a_sql_login_has_no_call);
	RUN(calls_one_after_another_are_a_queue);
	RUN(a_busy_server_calls_late_and_answers_late);
	RUN(a_prompt_call_leaves_the_rest_to_the_server);
	RUN(a_call_without_an_ack_is_a_dead_domain_controller);
	RUN(a_call_before_the_last_token_is_anothers);
	RUN(a_queue_behind_a_dead_call_is_a_dead_domain_controller);
	RUN(what_was_lost_is_no_outage);
	RUN(what_was_lost_behind_a_request_is_no_outage);
	RUN(a_response_of_which_the_end_was_cut_off_is_no_outage);
	RUN(a_response_ends_with_the_datagram_that_begins_it);
	RUN(a_search_right_before_the_answer_was_waited_for);
	RUN(requests_count_once_with_their_time);
	RUN(what_is_open_at_the_end_has_failed);
	RUN(what_was_lost_is_not_counted);
	RUN(of_more_peers_than_have_a_place_the_rest_count_together);
	RUN(more_parts_than_a_record_has_room_for);
	RUN(what_was_not_acknowledged_was_not_waited_for_inside);
	RUN(an_ack_that_comes_much_later_than_the_last_copy_was_not_seen);
	RUN(a_search_that_began_before_or_goes_on_after_is_anothers);
	RUN(a_message_in_pieces_and_sent_again_is_one_request);
	RUN(dns_before_the_connection_counts_once);
	RUN(more_exchanges_and_conversations_than_are_kept);
	return unit_status();
}
