// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - see capture.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/capture/capture_format.h"
#include "lib/log.h"

static const struct capture_format *const formats[] = {&pcap_format, &pcapng_format};

static const struct capture_format *format_find(const uint8_t magic[CAPTURE_MAGIC])
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i]->is(magic))
			return formats[i];
	return NULL;
}

int capture_broken(struct capture *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, args);
	va_end(args);
	return -EIO;
}

int capture_short(struct capture *c, const char *within)
{
	if (c->input.err)
		capture_broken(c, "%s", c->input.why);
	else
		capture_broken(c, "it ends in the middle of %s", within);
	return c->input.err ? c->input.err : -EIO;
}

int capture_open_path(const char *path, const char **name)
{
	bool is_stdin = !strcmp(path, "-");
	int fd;

	*name = is_stdin ? "standard input" : path;
	if (is_stdin && isatty(STDIN_FILENO)) {
		log_error("standard input is a terminal: pipe a capture into -r -");
		return -EINVAL;
	}
	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		log_error("cannot read %s: %s", *name, strerror(-fd));
	}
	return fd;
}

static void capture_strange(const struct capture *c)
{
	log_error(
		"%s was captured on a link of type %u (%s), which tdsmon does not know; capture on "
		"Ethernet, 'any', loopback or raw IP",
		c->name, c->strange_type, link_name(c->strange_type));
}

void capture_close_path(int fd)
{
	if (fd > STDIN_FILENO)
		close(fd);
}

/* Recognise the format by the first bytes, and read the part before the first packet. */
static int capture_recognise(struct capture *c)
{
	const uint8_t *head = input_need(&c->input, CAPTURE_MAGIC);
	int err;

	if (!head && c->input.err) {
		if (c->input.err != -EINTR)
			log_error("cannot read %s: %s", c->name, c->input.why);
		return c->input.err;
	}
	c->format = head ? format_find(head) : NULL;
	if (!c->format) {
		foreign_explain(c);
		return -EINVAL;
	}
	err = c->format->open(c);
	if (err == -EPROTONOSUPPORT)
		capture_strange(c);
	else if (err && err != -EINTR)
		log_error("%s is not a complete capture: %s", c->name,
			  *c->why ? c->why : strerror(-err));
	return err;
}

struct capture *capture_open(int fd, const char *name, const struct capture_hooks *hooks, int *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	struct stat st;

	*err = c ? input_open(&c->input, fd) : -ENOMEM;
	if (*err) {
		if (*err != -EINTR)
			log_error("cannot read %s: %s", name, strerror(-*err));
		free(c);
		return NULL;
	}
	c->name = name;
	c->hooks = hooks;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		c->stats.bytes_total = (uint64_t)st.st_size;
	*err = capture_recognise(c);
	if (!*err)
		return c;
	capture_close(c);
	return NULL;
}

bool capture_is(int fd)
{
	struct input in;
	const uint8_t *head;
	bool is;

	if (input_open(&in, fd))
		return false;
	head = input_need(&in, CAPTURE_MAGIC);
	is = head && format_find(head);
	input_close(&in);
	return is;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	if (c->format)
		c->format->close(c);
	input_close(&c->input);
	free(c);
}

static void capture_count(struct capture_stats *stats, enum pkt_result result)
{
	switch (result) {
	case PKT_TCP:
		stats->segments++;
		break;
	case PKT_SHORT:
		stats->malformed++;
		break;
	case PKT_FRAGMENT:
		stats->fragments++;
		break;
	case PKT_NESTED:
		stats->nested++;
		break;
	default:
		stats->other++;
	}
}

/*
 * Log what was odd about the capture, at its end. 0, or -EPROTONOSUPPORT: no packet could be used.
 */
static int capture_remark(const struct capture *c)
{
	if (c->timeless)
		log_warn("%s: %" PRIu64 " packets have no readable time; each gets the time of the "
			 "packet before it",
			 c->name, c->timeless);
	if (!c->strange)
		return 0;
	if (c->strange < c->stats.packets) {
		log_warn("%s: %" PRIu64 " packets skipped: tdsmon does not know their link type %u "
			 "(%s)",
			 c->name, c->strange, c->strange_type, link_name(c->strange_type));
		return 0;
	}
	capture_strange(c);
	return -EPROTONOSUPPORT;
}

static int capture_end(struct capture *c, int got)
{
	int err;

	if (got == -EINTR)
		return got;
	err = capture_remark(c);
	if (!got)
		return err;
	log_error("%s breaks off after packet %" PRIu64 ": %s; the packets before it are valid",
		  c->name, c->stats.packets, *c->why ? c->why : strerror(-got));
	return got;
}

/* The next frame, of a known link or not, with a time. Results as for capture_format's next(). */
static int capture_frame(struct capture *c, struct frame *frame, const struct link **link)
{
	int got = c->format->next(c, frame, link);

	if (got != 1)
		return got;
	c->stats.packets++;
	if (frame->ts_ns == CAPTURE_NO_TIME) {
		c->timeless++;
		frame->ts_ns = c->last_ns;
	}
	c->last_ns = frame->ts_ns;
	return 1;
}

int capture_next(struct capture *c, struct seg *seg, const uint8_t **payload)
{
	const struct link *link;
	struct frame frame;
	int got;

	while ((got = capture_frame(c, &frame, &link)) == 1) {
		enum pkt_result result =
			link ? link_segment(link, &frame, seg, payload) : PKT_OTHER;

		capture_count(&c->stats, result);
		c->strange += !link;
		if (result != PKT_TCP && result != PKT_UDP)
			continue;
		c->stats.truncated += result == PKT_TCP && seg->rec_flags & SEG_F_TRUNC;
		return 1;
	}
	return capture_end(c, got);
}

int capture_first(struct capture *c, uint64_t *ts_ns)
{
	const struct link *link;
	struct frame frame;
	int got = capture_frame(c, &frame, &link);

	*ts_ns = got == 1 ? frame.ts_ns : 0;
	return got == 1;
}

const struct capture_stats *capture_stats(struct capture *c)
{
	c->stats.bytes_read = c->input.raw_bytes;
	return &c->stats;
}
