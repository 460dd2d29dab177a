// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * blame.c - requests of other programs on a login's host that only coincide with its wait, and the
 * login's own ones beside them. A login waits from A_MS to B_MS.
 */
#include "exchanges.h"

#define A_MS 10000u
#define B_MS 12000u

static const uint8_t search[] = "\x30\x0c\2\1\2\x63\7\4\5dc=ex";
static const uint8_t search_done[] = "\x30\x0c\2\1\2\x65\7\x0a\1\0\4\0\4\0";
static const uint8_t tgs_request[] = "\0\0\0\7\x6c\5\x30\3\2\1\5";
static const uint8_t tgs_reply[] = "\0\0\0\7\x6d\5\x30\3\2\1\5";
static const uint8_t get[] = "GET /ca.crl HTTP/1.1\r\nHost: crl.example.test\r\n\r\n";
static const uint8_t got[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const uint8_t hello[] = "\x16\3\1\0\1\1";
static const uint8_t query[] = "\x85\x85\1\0\0\1\0\0\0\0\0\0\4else\0\0\1\0\1";
static const uint8_t reply[] = "\x85\x85\x85\x80\0\1\0\0\0\0\0\0\4else\0\0\1\0\1";
/* A WRITE to a file: SMB2's head and fixed part, without data; and its response. */
static const uint8_t smb_write[4 + 64 + 48 + 1] = {
	[3] = 112, [4] = 0xfe, [5] = 'S', [6] = 'M', [7] = 'B',
	[8] = 64,  [16] = 9,   [28] = 7,  [68] = 49};
static const uint8_t smb_written[4 + 64 + 16 + 1] = {
	[3] = 80, [4] = 0xfe, [5] = 'S', [6] = 'M', [7] = 'B',
	[8] = 64, [16] = 9,   [20] = 1,	 [28] = 7,  [68] = 17};

/* A service by its port, one request to it, and the response. */
struct service_spec {
	uint16_t port;
	bool udp;
	const uint8_t *request;
	size_t request_len;
	const uint8_t *response;
	size_t response_len;
};

static const struct service_spec services[] = {
	{389, false, BYTES(search), BYTES(search_done)},
	{88, false, BYTES(tgs_request), BYTES(tgs_reply)},
	{80, false, BYTES(get), BYTES(got)},
	{443, false, BYTES(hello), BYTES(hello)},
	{53, true, BYTES(query), BYTES(reply)},
	{445, false, BYTES(smb_write), BYTES(smb_written)},
};
#define SERVICES (sizeof(services) / sizeof(services[0]))
#define LDAP	 (&services[0])
#define KDC	 (&services[1])
#define WEB	 (&services[2])
#define DNS	 (&services[4])
#define FILES	 (&services[5])

static uint16_t ask_port;

/* One request of the host, on ports of its own. to_ms 0: it is not answered. */
static void ask(struct companions *c, const struct endpoint *host, const struct service_spec *of,
		uint64_t from_ms, uint64_t to_ms)
{
	uint16_t port = (uint16_t)(20000 + ask_port++ % 40000);
	struct seg seg = {.seq = 1, .flags = SEG_ACK, .rec_flags = of->udp ? SEG_F_UDP : 0};

	packet(c, host, port, &dc, of->port, from_ms * MS, seg, of->request, of->request_len);
	if (!to_ms)
		return;
	seg.ack = 1 + (uint32_t)of->request_len;
	packet(c, &dc, of->port, host, port, to_ms * MS, seg, of->response, of->response_len);
}

/* Requests one after the other from one time to another: one each `every` ms, `takes` ms long. */
static void ask_on(struct companions *c, const struct endpoint *host, const struct service_spec *of,
		   uint64_t from_ms, uint64_t until_ms, uint64_t every, uint64_t takes)
{
	for (uint64_t at = from_ms; at + takes <= until_ms; at += every)
		ask(c, host, of, at, at + takes);
}

/* A Netlogon request 39 over a secure channel, and its response. */
static void call(struct companions *c, uint64_t from_ms, uint64_t to_ms)
{
	static const uint8_t samlogon[] = "\5\0\0\3\x10\0\0\0\x28\0\x08\0\7\0\0\0\0\0\0\0\0\0\x27\0"
					  "\x44\6\0\0\1\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t response[] = "\5\0\2\3\x10\0\0\0\x18\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0";
	const struct service_spec netlogon = {dc.port, false, BYTES(samlogon), BYTES(response)};

	ask(c, &server, &netlogon, from_ms, to_ms);
}

static enum cause cause_of(struct companions *c, enum authority authority)
{
	struct dependency_findings f;

	find(c, 99, A_MS * MS, B_MS * MS, authority, &f);
	return f.cause;
}

/* Of a login whose client takes that time between the PRELOGIN response and LOGIN7. */
static enum cause cause_at_client(struct companions *c)
{
	const struct step steps[] = {{STEP_PRELOGIN_RESPONSE, PHASE_PRELOGIN, SIDE_SERVER, MS},
				     {STEP_LOGIN7, PHASE_LOGIN, SIDE_CLIENT, (B_MS - A_MS) * MS},
				     {STEP_LOGINACK, PHASE_LOGIN, SIDE_SERVER, MS}};
	const struct dependency_login login = {.id = 99,
					       .client = client.addr,
					       .server = server.addr,
					       .start_ns = (A_MS - 1) * MS,
					       .steps = steps,
					       .step_count = 3,
					       .authority = AUTHORITY_UNKNOWN};
	struct dependency_findings f;

	dependency_find(c, &login, &f);
	return f.cause;
}

/* Another program asks all the time, however fast and in whichever phase: that proves nothing. */
UNIT_CASE(requests_that_go_on_all_the_time)
{
	static const uint64_t rates[][2] = {{10, 9},	{50, 40},   {50, 49},	{120, 100},
					    {200, 150}, {300, 295}, {500, 490}, {900, 899}};

	for (size_t i = 0; i < SERVICES; i++)
		for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++)
			for (uint64_t phase = 0; phase < rates[k][0];
			     phase += 1 + rates[k][0] / 9) {
				struct companions *c = new_companions();
				enum cause of_server, of_client;

				ask(c, &server, LDAP, 100,
				    101); /* the peer is a domain controller */
				ask_on(c, &server, &services[i], 5000 + phase, B_MS, rates[k][0],
				       rates[k][1]);
				ask_on(c, &client, &services[i], 5000 + phase, B_MS, rates[k][0],
				       rates[k][1]);
				of_server = cause_of(c, AUTHORITY_NONE);
				of_client = cause_at_client(c);
				if (of_server != CAUSE_NONE || of_client != CAUSE_NONE)
					UNIT_FAIL("port %u, every %u ms, phase %u: %d, %d",
						  services[i].port, (unsigned int)rates[k][0],
						  (unsigned int)phase, of_server, of_client);
				companions_free(c);
			}
}

/* Another program begins to ask while the login waits. Its requests are short and many. */
UNIT_CASE(requests_that_begin_in_the_middle)
{
	static const uint64_t rates[][2] = {{10, 9}, {50, 40}, {200, 150}, {300, 295}};

	for (size_t i = 0; i < SERVICES; i++)
		for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
			struct companions *c = new_companions();

			ask_on(c, &server, &services[i], A_MS + 300, B_MS, rates[k][0],
			       rates[k][1]);
			if (cause_of(c, AUTHORITY_NONE) != CAUSE_NONE)
				UNIT_FAIL("port %u, every %u ms", services[i].port,
					  (unsigned int)rates[k][0]);
			companions_free(c);
		}
}

UNIT_CASE(one_long_request_is_waited_for)
{
	/* the login's only one; behind the server's own work; beside another program's prompt ones */
	static const uint64_t from[] = {A_MS + 3, A_MS + 900, A_MS + 10};

	for (size_t i = 0; i < 3; i++) {
		struct companions *c = new_companions();

		if (i == 2)
			ask_on(c, &server, LDAP, 5000, B_MS, 50, 40);
		ask(c, &server, LDAP, from[i], B_MS - 2);
		CHECK_INT(cause_of(c, AUTHORITY_NONE), CAUSE_LDAP);
		companions_free(c);
	}
}

UNIT_CASE(many_short_requests_that_begin_with_the_wait)
{
	static const enum cause causes[SERVICES] = {
		CAUSE_LDAP,  CAUSE_DC_FAR, CAUSE_CERTIFICATE_CHECK,
		CAUSE_TOKEN, CAUSE_DNS,	   CAUSE_NONE};

	for (size_t i = 0; i < SERVICES; i++) {
		struct companions *c = new_companions();

		/* seconds ago, too, for another login */
		ask_on(c, &server, &services[i], A_MS - 3000, A_MS - 2000, 50, 40);
		ask_on(c, &server, &services[i], A_MS + 1, B_MS, 50, 45);
		CHECK_INT(cause_of(c, AUTHORITY_NONE), causes[i]);
		companions_free(c);
	}
}

/* Files that the server writes to a share are not its domain controller. */
UNIT_CASE(a_file_server_is_no_domain_controller)
{
	struct companions *c = new_companions();

	ask(c, &server, FILES, A_MS + 1, B_MS - 1);
	CHECK_INT(cause_of(c, AUTHORITY_NONE), CAUSE_NONE);
	companions_free(c);
	c = new_companions();
	ask(c, &server, KDC, 100, 102);
	ask(c, &server, FILES, A_MS + 1, B_MS - 1);
	CHECK_INT(cause_of(c, AUTHORITY_NONE), CAUSE_DC_SLOW);
	companions_free(c);
}

/* Other services of the host have their users verified at a high rate, by the same channel. */
UNIT_CASE(calls_of_other_services_are_no_queue)
{
	static const uint64_t rates[][2] = {{5, 5}, {10, 9}, {50, 45}, {50, 49}, {300, 299}};

	for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++)
		for (uint64_t phase = 0; phase < rates[k][0]; phase += 1 + rates[k][0] / 7) {
			struct companions *c = new_companions();
			struct dependency_findings f;
			enum cause cause;

			for (uint64_t at = 7000 + phase; at < B_MS; at += rates[k][0])
				call(c, at, at + rates[k][1]);
			call(c, 6000, 6003); /* another login's, long over */
			find(c, 1, 5999 * MS, 6004 * MS, AUTHORITY_DC, &f);
			call(c, A_MS + 1, A_MS + 4); /* the login's own */
			cause = cause_of(c, AUTHORITY_DC);
			if (cause != CAUSE_NONE && cause != CAUSE_SERVER_BUSY)
				UNIT_FAIL("every %u ms, phase %u: %d", (unsigned int)rates[k][0],
					  (unsigned int)phase, cause);
			companions_free(c);
		}
}

/* The calls before it are other logins', but for a few. */
UNIT_CASE(calls_of_logins_are_a_queue)
{
	struct companions *c = new_companions();
	struct dependency_findings f;

	for (uint64_t i = 0; i < 8; i++)
		call(c, A_MS + 1 + 249 * i, A_MS + 249 * (i + 1));
	for (uint64_t i = 0; i < 5; i++)
		find(c, i + 1, A_MS * MS, (A_MS + 249 * (i + 1) + 1) * MS, AUTHORITY_DC, &f);
	CHECK_INT(cause_of(c, AUTHORITY_DC), CAUSE_DC_QUEUE);
	companions_free(c);
}

/* A program of the client's host asks a dead name server or KDC all the time. */
UNIT_CASE(requests_that_nobody_answers_whoever_asks)
{
	static const struct service_spec *const of[] = {DNS, KDC};

	for (int i = 0; i < 2; i++) {
		struct companions *c = new_companions();

		for (uint64_t at = 5000; at < B_MS; at += 1000)
			ask(c, &client, of[i], at + 400, 0);
		CHECK_INT(cause_at_client(c), CAUSE_NONE);
		companions_free(c);
		c = new_companions(); /* the login's own, and what follows it */
		ask(c, &client, of[i], A_MS + 2, 0);
		ask(c, &client, of[i], A_MS + 1002, 0);
		CHECK_INT(cause_at_client(c), i ? CAUSE_KDC : CAUSE_DNS);
		companions_free(c);
	}
}

/* Two servers of one host: the look-up of one is not the other's. */
UNIT_CASE(two_servers_of_one_host)
{
	static const uint64_t times[][2] = {
		{A_MS - 700, B_MS - 5}, {A_MS + 2, B_MS + 700}, {A_MS - 700, B_MS - 900}};

	for (size_t i = 0; i < 3; i++) {
		struct companions *c = new_companions();

		ask(c, &server, LDAP, times[i][0], times[i][1]);
		CHECK_INT(cause_of(c, AUTHORITY_NONE), CAUSE_NONE);
		companions_free(c);
	}
}

int main(void)
{
	RUN(requests_that_go_on_all_the_time);
	RUN(requests_that_begin_in_the_middle);
	RUN(one_long_request_is_waited_for);
	RUN(many_short_requests_that_begin_with_the_wait);
	RUN(a_file_server_is_no_domain_controller);
	RUN(calls_of_other_services_are_no_queue);
	RUN(calls_of_logins_are_a_queue);
	RUN(requests_that_nobody_answers_whoever_asks);
	RUN(two_servers_of_one_host);
	return unit_status();
}
