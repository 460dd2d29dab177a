// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * loop.c - the event loop over epoll.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/units.h"

#define LOOP_EVENTS 16

struct watch {
	struct watch *next;
	int fd;
	int timer; /* the loop's own timerfd, also in fd; -1: the descriptor is the caller's */
	uint32_t events;
	loop_fn *fn;
	void *ctx;
};

struct loop {
	int epoll;
	struct watch *watches;
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->watches) {
		struct watch *w = loop->watches;

		loop->watches = w->next;
		if (w->timer >= 0)
			close(w->timer);
		free(w);
	}
	close(loop->epoll);
	free(loop);
}

static int loop_watch(struct loop *loop, const struct watch *watch)
{
	struct watch *w = malloc(sizeof(*w));
	struct epoll_event event = {.events = watch->events, .data.ptr = w};

	if (!w)
		return -ENOMEM;
	*w = *watch;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, w->fd, &event)) {
		free(w);
		return -errno;
	}
	w->next = loop->watches;
	loop->watches = w;
	return 0;
}

int loop_add(struct loop *loop, int fd, loop_fn *fn, void *ctx)
{
	return loop_watch(
		loop,
		&(struct watch){.fd = fd, .timer = -1, .events = EPOLLIN, .fn = fn, .ctx = ctx});
}

int loop_add_writable(struct loop *loop, int fd, loop_fn *fn, void *ctx)
{
	return loop_watch(
		loop,
		&(struct watch){
			.fd = fd, .timer = -1, .events = EPOLLOUT | EPOLLET, .fn = fn, .ctx = ctx});
}

int loop_every(struct loop *loop, uint64_t period_ns, loop_fn *fn, void *ctx)
{
	struct timespec period = {.tv_sec = (time_t)(period_ns / NS_PER_S),
				  .tv_nsec = (long)(period_ns % NS_PER_S)};
	struct itimerspec spec = {.it_interval = period, .it_value = period};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = timerfd_settime(fd, 0, &spec, NULL) ? -errno : 0;
	if (!err)
		err = loop_watch(
			loop,
			&(struct watch){
				.fd = fd, .timer = fd, .events = EPOLLIN, .fn = fn, .ctx = ctx});
	if (err)
		close(fd);
	return err;
}

int loop_round(struct loop *loop)
{
	struct epoll_event events[LOOP_EVENTS];
	int n = epoll_wait(loop->epoll, events, LOOP_EVENTS, -1);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		struct watch *w = events[i].data.ptr;
		uint64_t expirations;
		int err;

		if (w->timer >= 0 && read(w->timer, &expirations, sizeof(expirations)) < 0)
			continue;
		err = w->fn(w->ctx);
		if (err < 0)
			return err;
	}
	return 0;
}
