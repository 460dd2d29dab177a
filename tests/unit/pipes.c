// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pipes.c - Netlogon over a named pipe: SMB2 messages as a domain controller and its members send
 * them, whole and cut as the tap cuts them. Times are of the exchanges made of them.
 */
#include "exchanges.h"
#include "guard.h"

#define SMB_PORT   445
#define FILE_OF(n) (0x969171e1a0ull + (n))

enum { CREATE = 5, READ = 8, WRITE = 9, IOCTL = 11 };

struct message {
	uint8_t p[1024];
	size_t len;
};

static void put(struct message *m, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		m->p[m->len++] = (uint8_t)(value >> 8 * i);
}

static void put_zeros(struct message *m, size_t bytes)
{
	m->len += bytes;
}

static void put_bytes(struct message *m, const void *p, size_t len)
{
	memcpy(m->p + m->len, p, len);
	m->len += len;
}

/* The head of an SMB2 message of that command, with a session and a signature. */
static void smb_begin(struct message *m, uint16_t command, bool response, uint32_t status,
		      uint64_t id)
{
	memset(m, 0, sizeof(*m));
	put(m, 0, 4); /* the length, when it is known */
	put_bytes(m, "\xfeSMB", 4);
	put(m, 64, 2);
	put(m, 1, 2);
	put(m, status, 4);
	put(m, command, 2);
	put(m, 1, 2);
	put(m, response ? 0x09 : 0x18, 4);
	put(m, 0, 4);
	put(m, id, 8);
	put(m, 0, 4);
	put(m, 0xa4a619b7, 4);
	put(m, 0x693a2018, 8);
	for (int i = 0; i < 16; i++)
		put(m, 0xc0 + (unsigned int)i, 1);
}

static void smb_end(struct message *m)
{
	m->p[2] = (uint8_t)((m->len - 4) >> 8);
	m->p[3] = (uint8_t)(m->len - 4);
}

static void file_id(struct message *m, uint64_t file)
{
	put(m, 0x99aa41a7, 8);
	put(m, file, 8);
}

static void create(struct message *m, uint64_t id, const char *name)
{
	smb_begin(m, CREATE, false, 0, id);
	put(m, 57, 2);
	put_zeros(m, 42);
	put(m, 64 + 56, 2);
	put(m, 2 * strlen(name), 2);
	put_zeros(m, 8);
	for (; *name; name++)
		put(m, (uint8_t)*name, 2);
	smb_end(m);
}

static void created(struct message *m, uint64_t id, uint64_t file)
{
	smb_begin(m, CREATE, true, 0, id);
	put(m, 89, 2);
	put_zeros(m, 62);
	file_id(m, file);
	put_zeros(m, 8);
	smb_end(m);
}

struct pdu {
	uint8_t type;
	uint32_t call;
	uint16_t opnum, auth; /* bytes of the trailer's signature */
	uint16_t len;
};

static void put_pdu(struct message *m, const struct pdu *pdu)
{
	size_t end = m->len + pdu->len;

	put_bytes(m, "\5\0", 2);
	put(m, pdu->type, 1);
	put(m, 3, 1);
	put(m, 0x10, 4);
	put(m, pdu->len, 2);
	put(m, pdu->auth, 2);
	put(m, pdu->call, 4);
	put(m, 456, 4);
	put(m, 0, 2);
	put(m, pdu->opnum, 2);
	if (pdu->auth)
		m->p[end - pdu->auth - 8] = pdu->auth == 76 ? 9 : 0x44; /* SPNEGO */
	m->len = end;
}

static void transceive(struct message *m, uint64_t id, uint64_t file, bool response,
		       const struct pdu *pdu)
{
	smb_begin(m, IOCTL, response, 0, id);
	put(m, response ? 49 : 57, 2);
	put(m, 0, 2);
	put(m, 0x0011c017, 4);
	file_id(m, file);
	put(m, response ? 112 : 120, 4);
	put(m, response ? 0 : pdu->len, 4);
	put(m, response ? 0 : 4280, 4);
	put(m, response ? 112 : 120, 4);
	put(m, response ? pdu->len : 0, 4);
	put(m, response ? 0 : 4280, 4);
	put(m, 1, 4);
	put(m, 0, 4);
	if (response) { /* its fixed part is shorter */
		m->len = 4 + 64 + 24;
		put(m, 112, 4);
		put(m, 0, 4);
		put(m, 112, 4);
		put(m, pdu->len, 4);
		put(m, 0, 8);
	}
	put_pdu(m, pdu);
	smb_end(m);
}

static void write_request(struct message *m, uint64_t id, uint64_t file, const struct pdu *pdu)
{
	smb_begin(m, WRITE, false, 0, id);
	put(m, 49, 2);
	put(m, 112, 2);
	put(m, pdu->len, 4);
	put(m, 0, 8);
	file_id(m, file);
	put_zeros(m, 16);
	put_pdu(m, pdu);
	smb_end(m);
}

static void write_response(struct message *m, uint64_t id, uint32_t status)
{
	smb_begin(m, WRITE, true, status, id);
	put(m, 17, 2);
	put_zeros(m, 14);
	smb_end(m);
}

static void read_request(struct message *m, uint64_t id, uint64_t file)
{
	smb_begin(m, READ, false, 0, id);
	put(m, 49, 2);
	put(m, 0, 2);
	put(m, 4280, 4);
	put(m, 0, 8);
	file_id(m, file);
	put_zeros(m, 17);
	smb_end(m);
}

static void read_response(struct message *m, uint64_t id, const struct pdu *pdu)
{
	smb_begin(m, READ, true, 0, id);
	put(m, 17, 2);
	put(m, 80, 1);
	put(m, 0, 1);
	put(m, pdu->len, 4);
	put_zeros(m, 8);
	put_pdu(m, pdu);
	smb_end(m);
}

#define SAMLOGON(number)    (&(struct pdu){0, number, 39, 56, 552})
#define SAMLOGON_OK(number) (&(struct pdu){2, number, 0, 56, 664})

/* ---- on a connection, which the tap cuts or a capture has whole ---- */

struct smb {
	struct companions *c;
	bool live;
	uint32_t seq[2];
};

static struct smb smb_new(bool live)
{
	return (struct smb){new_companions(), live, {100, 900}};
}

/* What the tap forwards of a message: bpf/dependency.h. */
static size_t as_tapped(struct message *m)
{
	if (m->len <= 128)
		return m->len;
	memset(m->p + 40, 0, 24);
	return m->len < 152 ? m->len : 152;
}

static void sent(struct smb *s, bool by_dc, uint64_t ns, struct message *m)
{
	const struct endpoint *from = by_dc ? &dc : &server, *to = by_dc ? &server : &dc;
	struct seg seg = {.ts_ns = ns,
			  .seq = s->seq[by_dc],
			  .ack = s->seq[!by_dc],
			  .flags = SEG_ACK,
			  .len = (uint32_t)m->len,
			  .sport = by_dc ? SMB_PORT : 58128,
			  .dport = by_dc ? 58128 : SMB_PORT};

	memcpy(seg.saddr, from->addr, 16);
	memcpy(seg.daddr, to->addr, 16);
	seg.cap_len = (uint32_t)(s->live ? as_tapped(m) : m->len);
	s->seq[by_dc] += seg.len;
	companions_segment(s->c, &seg, guarded(m->p, seg.cap_len));
}

static void call_by_transceive(struct smb *s, uint64_t from, uint64_t to, uint64_t id,
			       uint64_t file, uint32_t number)
{
	struct message m;

	transceive(&m, id, file, false, SAMLOGON(number));
	sent(s, false, from, &m);
	if (!to)
		return;
	smb_begin(&m, IOCTL, true, 0x103, id); /* an interim response */
	put(&m, 9, 9);
	smb_end(&m);
	sent(s, true, from + MS, &m);
	transceive(&m, id, file, true, SAMLOGON_OK(number));
	sent(s, true, to, &m);
}

static bool is_call(const struct exchange *x, uint64_t from, uint64_t to)
{
	return x && x->kind == DEPENDENCY_NETLOGON && x->operation &&
	       !strcmp(x->operation, "SamLogon") && x->start_ns == from &&
	       (to ? x->state == EXCHANGE_ANSWERED && x->end_ns == to : x->state == EXCHANGE_OPEN);
}

/* The pipe was there before: the call's number and the length of its signature show what it is. */
UNIT_CASE(a_call_in_a_pipe_that_was_there)
{
	for (int live = 0; live < 2; live++) {
		struct smb s = smb_new(live);
		struct dependency_findings f;

		call_by_transceive(&s, 1000 * MS, 4000 * MS, 23, FILE_OF(1), 14);
		CHECK(is_call(companions_newest(s.c), 1000 * MS, 4000 * MS));
		CHECK_INT(companions_stats(s.c)->exchanges, 1);
		find(s.c, 1, 999 * MS, 4001 * MS, AUTHORITY_DC, &f);
		CHECK_INT(f.cause, CAUSE_DC_SLOW);
		CHECK_INT(part_ns(&f, PART_DC), 3000 * MS);
		CHECK_INT(f.list[0].kind, DEPENDENCY_NETLOGON);
		CHECK_INT(f.list[0].peer.port, SMB_PORT);
		companions_free(s.c);
	}
}

UNIT_CASE(a_call_in_a_pipe_that_is_not_answered)
{
	for (int live = 0; live < 2; live++) {
		struct smb s = smb_new(live);

		call_by_transceive(&s, 1000 * MS, 0, 23, FILE_OF(1), 14);
		CHECK(is_call(companions_newest(s.c), 1000 * MS, 0));
		companions_free(s.c);
	}
}

static void open_pipe(struct smb *s, uint64_t ns, uint64_t id, uint64_t file, const char *name)
{
	struct message m;

	create(&m, id, name);
	sent(s, false, ns, &m);
	created(&m, id, file);
	sent(s, true, ns + MS, &m);
}

/* Not protected by a secure channel, but by Kerberos: then the pipe's name shows what it is. */
UNIT_CASE(a_call_in_a_pipe_of_which_the_name_was_seen)
{
	static const char *const names[] = {"netlogon", "NetLogon", "lsarpc", "netlogo",
					    "newfiles"};

	for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
		struct smb s = smb_new(i % 2);
		struct message m;
		const struct exchange *x;

		open_pipe(&s, 10 * MS, 20, FILE_OF(1), names[i / 2]);
		transceive(&m, 23, FILE_OF(1), false, &(struct pdu){0, 14, 39, 76, 552});
		sent(&s, false, 1000 * MS, &m);
		transceive(&m, 23, FILE_OF(1), true, &(struct pdu){2, 14, 0, 76, 664});
		sent(&s, true, 1500 * MS, &m);
		x = companions_newest(s.c);
		CHECK(i / 2 < 2 ? is_call(x, 1000 * MS, 1500 * MS)
				: x && x->kind == DEPENDENCY_SMB && x->end_ns == 1500 * MS);
		companions_free(s.c);
	}
}

/* Both pipes of one connection: each is what it was bound to, whichever was used last. */
UNIT_CASE(two_pipes_of_one_connection)
{
	for (int live = 0; live < 2; live++) {
		struct smb s = smb_new(live);
		const struct exchange *x;
		struct message m;

		call_by_transceive(&s, 1000 * MS, 1010 * MS, 23, FILE_OF(1), 14);
		transceive(&m, 24, FILE_OF(2), false, &(struct pdu){0, 14, 77, 56, 300});
		sent(&s, false, 1100 * MS, &m);
		x = companions_newest(s.c);
		CHECK(x && x->kind == DEPENDENCY_SMB && !strcmp(x->operation, "LookupNames4"));
		/* with the same number, and answered first */
		call_by_transceive(&s, 1200 * MS, 1300 * MS, 25, FILE_OF(1), 14);
		CHECK(is_call(companions_newest(s.c), 1200 * MS, 1300 * MS));
		CHECK(x && x->state == EXCHANGE_OPEN);
		transceive(&m, 24, FILE_OF(2), true, &(struct pdu){2, 14, 0, 56, 300});
		sent(&s, true, 1400 * MS, &m);
		CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1400 * MS);
		companions_free(s.c);
	}
}

/* A call that is written lasts until its response is read. Its READ may wait before or after. */
UNIT_CASE(a_call_that_is_written_and_read)
{
	for (int i = 0; i < 4; i++) {
		struct smb s = smb_new(i % 2);
		bool ahead = i / 2;
		struct message m;

		call_by_transceive(&s, 900 * MS, 910 * MS, 20, FILE_OF(1), 13);
		read_request(&m, 22, FILE_OF(1));
		if (ahead)
			sent(&s, false, 920 * MS, &m);
		write_request(&m, 23, FILE_OF(1), SAMLOGON(14));
		sent(&s, false, 1000 * MS, &m);
		write_response(&m, 23, 0);
		sent(&s, true, 1001 * MS, &m);
		CHECK(is_call(companions_newest(s.c), 1000 * MS, 0));
		read_request(&m, 22, FILE_OF(1));
		if (!ahead)
			sent(&s, false, 1002 * MS, &m);
		read_response(&m, 22, SAMLOGON_OK(14));
		sent(&s, true, 3000 * MS, &m);
		CHECK(is_call(companions_newest(s.c), 1000 * MS, 3000 * MS));
		CHECK_INT(companions_stats(s.c)->exchanges, 2);
		companions_free(s.c);
	}
}

UNIT_CASE(a_call_that_could_not_be_written)
{
	struct smb s = smb_new(true);
	const struct exchange *x;
	struct message m;

	write_request(&m, 23, FILE_OF(1), SAMLOGON(14));
	sent(&s, false, 1000 * MS, &m);
	write_response(&m, 23, 0xc00000b0); /* STATUS_PIPE_DISCONNECTED */
	sent(&s, true, 1001 * MS, &m);
	x = companions_newest(s.c);
	CHECK(x && x->state == EXCHANGE_ANSWERED && x->end_ns == 1001 * MS);
	CHECK(x && !strcmp(x->result, "error"));
	companions_free(s.c);
}

/* Files are read and written as ever. */
UNIT_CASE(a_file_is_no_pipe)
{
	struct smb s = smb_new(true);
	const struct exchange *x;
	struct message m;

	read_request(&m, 30, FILE_OF(9));
	sent(&s, false, 1000 * MS, &m);
	smb_begin(&m, READ, true, 0, 30);
	put(&m, 0x00500011, 4);
	put(&m, 400, 4);
	put_zeros(&m, 408);
	smb_end(&m);
	sent(&s, true, 1020 * MS, &m);
	x = companions_newest(s.c);
	CHECK(x && x->kind == DEPENDENCY_SMB && x->end_ns == 1020 * MS);
	CHECK_STR(x->operation, "READ");
	smb_begin(&m, WRITE, false, 0, 31);
	put(&m, 0x00700031, 4);
	put(&m, 400, 4);
	put_zeros(&m, 440);
	smb_end(&m);
	sent(&s, false, 1100 * MS, &m);
	write_response(&m, 31, 0);
	sent(&s, true, 1130 * MS, &m);
	x = companions_newest(s.c);
	CHECK(x && x->end_ns == 1130 * MS && !strcmp(x->operation, "WRITE"));
	CHECK_INT(companions_stats(s.c)->exchanges, 2);
	companions_free(s.c);
}

int main(void)
{
	RUN(a_call_in_a_pipe_that_was_there);
	RUN(a_call_in_a_pipe_that_is_not_answered);
	RUN(a_call_in_a_pipe_of_which_the_name_was_seen);
	RUN(two_pipes_of_one_connection);
	RUN(a_call_that_is_written_and_read);
	RUN(a_call_that_could_not_be_written);
	RUN(a_file_is_no_pipe);
	return unit_status();
}
