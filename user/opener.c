// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * opener.c - the watching process's end of the opener: requests, and the answers to them.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "opener.h"
#include "save_slots.h"
#include "lib/pass_fd.h"

#define OPENER_WAIT_NS 2000000000ull /* the watching process waits no longer */
#define OPENER_TICKETS 8 /* requests under way; saved files have SAVE_SLOTS of their own */

/* A request whose answer nobody waits for. */
struct ticket {
	uint32_t seq; /* 0: the place is free */
	bool answered;
	int result;
};

struct opener {
	int socket;
	uint32_t seq;
	uint32_t late; /* the request of opener_ask() whose answer is still due, or 0 */
	struct ticket tickets[SAVE_SLOTS]; /* a saved file's slot has its ticket's number */
	struct save_slots saves;
};

struct opener *opener_start(const struct opener_config *config, int *err)
{
	struct opener *opener = calloc(1, sizeof(*opener));
	int result = opener ? opener_process_start(config, &opener->saves) : -ENOMEM;

	*err = result < 0 ? result : 0;
	if (result <= 0) {
		free(opener);
		return NULL;
	}
	opener->socket = result;
	return opener;
}

void opener_stop(struct opener *opener)
{
	if (!opener)
		return;
	close(opener->socket);
	save_slots_close(&opener->saves);
	free(opener);
}

/* An answer that is not the one waited for: a ticket's, or one that nobody wants any more. */
static void opener_keep_answer(struct opener *opener, uint32_t seq, int result)
{
	if (seq == opener->late)
		opener->late = 0;
	for (size_t i = 0; i < SAVE_SLOTS; i++) {
		struct ticket *t = &opener->tickets[i];

		if (t->seq != seq || t->answered)
			continue;
		t->answered = true;
		t->result = result;
		return;
	}
	if (result > 0)
		close(result);
}

/* Wait for the answer to that request; 0: only take those that are there. */
static int opener_wait(struct opener *opener, uint32_t seq, uint64_t until_ns)
{
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		struct pollfd p = {.fd = opener->socket, .events = POLLIN};
		struct opener_answer text;
		int fd, result, err = pass_fd_receive(opener->socket, &text, sizeof(text), &fd);

		if (err && err != -EAGAIN)
			return err;
		result = err ? 0 : text.err ? text.err : fd < 0 ? 0 : fd;
		if (!err && text.seq == seq)
			return result;
		if (!err) {
			opener_keep_answer(opener, text.seq, result);
			continue;
		}
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		poll(&p, 1, (int)((until_ns - now_ns) / 1000000) + 1);
	}
}

static int opener_request(struct opener *opener, struct opener_request *req, int flags)
{
	req->seq = ++opener->seq ?: ++opener->seq; /* 0 stands for no request */
	if (send(opener->socket, req, sizeof(*req), MSG_NOSIGNAL | flags) < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

int opener_ask(struct opener *opener, enum opener_kind kind)
{
	return opener_ask_number(opener, kind, 0);
}

int opener_ask_number(struct opener *opener, enum opener_kind kind, uint32_t number)
{
	struct opener_request req = {.kind = kind, .number = number};
	int result;

	if (!opener)
		return -EINVAL;
	/* If it hangs in open(), as on a network file system, only the first request waits. */
	result = opener->late ? opener_wait(opener, 0, 0) : 0;
	if (opener->late)
		return result;
	result = opener_request(opener, &req, 0);
	if (result)
		return result;
	result = opener_wait(opener, req.seq, clock_now_ns() + OPENER_WAIT_NS);
	if (result == -ETIMEDOUT)
		opener->late = req.seq;
	return result;
}

/* A free one of the first `most` places for the answer; -EBUSY: all are taken. */
static int opener_ticket(const struct opener *opener, int most)
{
	for (int i = 0; i < most; i++)
		if (!opener->tickets[i].seq)
			return i;
	return -EBUSY;
}

/* Returns the ticket. */
static int opener_send_request(struct opener *opener, int ticket, struct opener_request *req)
{
	int err = opener_request(opener, req, MSG_DONTWAIT);

	if (err)
		return err == -EAGAIN ? -EBUSY : err;
	opener->tickets[ticket] = (struct ticket){.seq = req->seq};
	return ticket;
}

int opener_send(struct opener *opener, enum opener_kind kind, uint32_t number, const char *name)
{
	struct opener_request req = {.kind = kind, .number = number};
	int ticket;

	if (!opener || strlen(name) >= sizeof(req.name))
		return -EINVAL;
	strcpy(req.name, name);
	ticket = opener_ticket(opener, OPENER_TICKETS);
	return ticket < 0 ? ticket : opener_send_request(opener, ticket, &req);
}

int opener_save(struct opener *opener, const char *name, const void *data, size_t len)
{
	int ticket = opener_ticket(opener, SAVE_SLOTS), err;
	struct opener_request req = {.kind = OPENER_SAVE, .number = (uint32_t)ticket};

	if (ticket < 0)
		return ticket;
	err = save_slots_fill(&opener->saves, (unsigned)ticket, name, data, len);
	return err ? err : opener_send_request(opener, ticket, &req);
}

uint64_t opener_saves_removed(const struct opener *opener)
{
	return save_slots_removed(&opener->saves);
}

int opener_take_within(struct opener *opener, int ticket, uint64_t ns)
{
	struct ticket *t = &opener->tickets[ticket];
	uint32_t seq = t->seq;
	int result = t->answered ? t->result : -ETIMEDOUT;

	/* An answer to nobody's request: only to take those that are there. */
	if (!t->answered && !ns)
		result = opener_wait(opener, 0, 0);
	else if (!t->answered)
		result = opener_wait(opener, seq, clock_now_ns() + ns);
	if (t->answered)
		result = t->result;
	else if (result == -ETIMEDOUT)
		return -EAGAIN;
	t->seq = 0;
	return result;
}

int opener_take(struct opener *opener, int ticket)
{
	return opener_take_within(opener, ticket, 0);
}

void opener_forget(struct opener *opener, int ticket)
{
	int result = opener_take(opener, ticket);

	if (result > 0)
		close(result);
	opener->tickets[ticket].seq = 0; /* an answer that comes later is nobody's */
}
