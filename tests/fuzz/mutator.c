/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mutator.c - whole captures, disturbed: packets lost, retransmitted, late, forged, cut short, or
 * with other contents and times, through the engine and every sink. Input: u8 configuration, u32
 * which capture (hash of its file name), u8 another that follows (0: none), then operations of
 * tests/fuzz/session.h: u8 which, u16 the packet, u16, u8. Run it from the top of the source tree.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_valid.h"
#include "records.h"
#include "session.h"
#include "sink/json.h"
#include "sink/otlp.h"
#include "sink/page/page.h"
#include "sink/prometheus/prometheus.h"
#include "sink/summary.h"
#include "sink/text.h"
#include "source/capture/capture.h"

#define FOLDER		"tests/captures"
#define CAPTURES	512
#define CAPTURE_PACKETS 400
#define CAPTURE_LARGE	1000000 /* larger files are left out */
#define OPERATIONS_MOST 64
#define TOP_CLIENTS	16

static struct loaded {
	uint32_t name; /* FNV-1a */
	uint32_t count;
	struct packet *packets;
} captures[CAPTURES];
static uint32_t capture_count;

static struct session session;
static struct port_set capture_ports;
static const struct wallclock clock_of_files;
static struct output json, text, page;

/* The first one's output is checked. */
static const struct sink_ops *const sinks[] = {
	&json_sink, &text_sink, &summary_sink, &prometheus_sink, &page_sink, &otlp_sink,
};

#define SINKS (sizeof(sinks) / sizeof(sinks[0]))

struct told {
	void *of[SINKS];
};

/* ---- captures ---- */

static uint32_t hash(const char *name)
{
	uint32_t h = 2166136261u;

	while (*name)
		h = (h ^ (uint8_t)*name++) * 16777619u;
	return h;
}

/*
 * Find the servers' ports, as -p would give them: the receiver of a SYN's, otherwise the lower one.
 */
static void learn_port(const struct seg *seg)
{
	bool syn = (seg->flags & (SEG_SYN | SEG_ACK)) == SEG_SYN;

	if (!(seg->rec_flags & SEG_F_UDP))
		port_set_add(&capture_ports,
			     syn || seg->dport < seg->sport ? seg->dport : seg->sport);
}

static void load(const char *name)
{
	char path[512];
	struct loaded *c = &captures[capture_count];
	struct capture *capture;
	const uint8_t *payload;
	struct stat st;
	struct seg seg;
	int fd, err;

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_ASSERT(fd >= 0 && !fstat(fd, &st));
	capture = st.st_size < CAPTURE_LARGE ? capture_open(fd, name, NULL, &err) : NULL;
	c->name = hash(name);
	c->packets = capture ? calloc(CAPTURE_PACKETS, sizeof(*c->packets)) : NULL;
	while (capture && c->count < CAPTURE_PACKETS &&
	       capture_next(capture, &seg, &payload) == 1) {
		struct packet *p = &c->packets[c->count++];

		*p = (struct packet){.seg = seg, .data = payload};
		packet_own(p, seg.cap_len);
		p->own = NULL; /* lives as long as the program */
		learn_port(&seg);
	}
	capture_count += c->count > 0;
	capture_close(capture);
	close(fd);
}

static int is_capture(const struct dirent *entry)
{
	return strstr(entry->d_name, ".pcap") != NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dirent **names;
	int n = scandir(FOLDER, &names, is_capture, alphasort), null;

	(void)argc, (void)argv;
	FUZZ_ASSERT(n > 0 && n <= CAPTURES); /* is this the top of the source tree? */
	for (int i = 0; i < n; i++) {
		load(names[i]->d_name);
		free(names[i]);
	}
	free(names);
	FUZZ_ASSERT(capture_count);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	FUZZ_ASSERT(null >= 0);
	output_init(&json, null);
	output_init(&text, null);
	output_init(&page, null);
	return 0;
}

static const struct loaded *capture_named(uint32_t name)
{
	for (uint32_t i = 0; i < capture_count; i++) {
		if (captures[i].name == name)
			return &captures[i];
	}
	return &captures[name % capture_count];
}

/* Append to the session, its first packet a second after the last. */
static void append(const struct loaded *c)
{
	uint64_t end_ns = session.count ? session.packets[session.count - 1].seg.ts_ns : 0;
	uint64_t later_ns = session.count ? end_ns + 1000000000 - c->packets[0].seg.ts_ns : 0;

	for (uint32_t i = 0; i < c->count; i++) {
		struct packet *p = session_insert(&session, session.count, &c->packets[i]);

		if (p)
			p->seg.ts_ns += later_ns;
	}
}

/* ---- checks of the output ---- */

/* The keys of each type, by the contract. */
static const char *const login_keys[] = {
	"id",		"time",	   "client",	 "server",   "interface",
	"tunnel",	"vantage", "mid_stream", "tds",	     "encryption",
	"tls",		"auth",	   "mars",	 "outcome",  "outcome_basis",
	"confidence",	"error",   "redirect",	 "total_ns", "phases",
	"steps",	"waits",   "verdict",	 "tcp",	     "before",
	"dependencies", NULL,
};
static const char *const close_keys[] = {
	"id",	 "time",     "client", "server",	 "interface", "tunnel",
	"login", "by",	     "how",    "graceful",	 "phase",     "duration_ns",
	"bytes", "commands", "mars",   "unacknowledged", NULL,
};
static const char *const command_keys[] = {
	"id",	    "time",	     "client",
	"server",   "tunnel",	     "spid",
	"kind",	    "session",	     "first_byte_ns",
	"total_ns", "request_bytes", "response_bytes",
	"basis",    "cancelled",     NULL,
};
static const char *const pending_keys[] = {
	"id", "time", "client", "server", "tunnel", "phase", "waits_on", "for", "ns", NULL,
};

/* One line, one object, of the known version, with every key. */
static void check_json(const char *type, const char *const *keys)
{
	char begin[64];
	const char *end;

	output_write(&json, "", 1);
	FUZZ_ASSERT(!json.err && json.used > 1 && json.used < OUTPUT_BUFFER);
	snprintf(begin, sizeof(begin), "{\"type\":\"%s\",\"v\":1,", type);
	FUZZ_ASSERT(!strncmp(json.buf, begin, strlen(begin)));
	end = json_value(json.buf, 0);
	FUZZ_ASSERT(*end == '\n' && end + 2 == json.buf + json.used);
	for (; *keys; keys++) {
		snprintf(begin, sizeof(begin), ",\"%s\":", *keys);
		FUZZ_ASSERT(strstr(json.buf, begin));
	}
	json.used = 0;
}

/* Lines of UTF-8 without control characters. */
static void check_text(void)
{
	uint32_t cp;
	size_t n;

	output_write(&text, "", 1);
	FUZZ_ASSERT(!text.err && text.used < OUTPUT_BUFFER);
	for (const char *p = text.buf; (n = utf8_next(p, &cp)); p += n)
		FUZZ_ASSERT((cp >= ' ' && (cp < 0x7f || cp > 0x9f)) || cp == '\n');
	text.used = 0;
}

static void told_login(void *ctx, const struct login_record *r)
{
	struct told *told = ctx;

	for (size_t i = 0; i < SINKS; i++)
		sinks[i]->login(told->of[i], r);
	check_json("login", login_keys);
	check_text();
}

static void told_close(void *ctx, const struct close_record *r)
{
	struct told *told = ctx;

	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i]->close)
			sinks[i]->close(told->of[i], r);
	}
	check_json("close", close_keys);
	check_text();
}

static void told_command(void *ctx, const struct command_record *r)
{
	struct told *told = ctx;

	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i]->command)
			sinks[i]->command(told->of[i], r);
	}
	check_json("command", command_keys);
	check_text();
}

static void told_browser(void *ctx, const struct browser_record *r)
{
	struct told *told = ctx;

	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i]->browser)
			sinks[i]->browser(told->of[i], r);
	}
	check_text();
	json.used = 0;
}

static void told_pending(void *ctx, const struct pending_record *r)
{
	struct told *told = ctx;

	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i]->pending)
			sinks[i]->pending(told->of[i], r);
	}
	check_json("pending", pending_keys);
	check_text();
}

static const struct engine_ops tell = {
	.login = told_login,
	.close = told_close,
	.command = told_command,
	.browser = told_browser,
	.pending = told_pending,
};

static void sinks_open(struct told *told)
{
	struct sink_config config = {.clock = &clock_of_files, .top_clients = TOP_CLIENTS};
	struct output *const outputs[SINKS] = {&json, &text, &page, &page, &page, &page};

	for (size_t i = 0; i < SINKS; i++) {
		config.out = outputs[i];
		config.explain = sinks[i] == &text_sink;
		told->of[i] = sinks[i]->open(&config);
		FUZZ_ASSERT(told->of[i]);
	}
}

/* Write their last output, and free them. */
static void sinks_close(struct told *told)
{
	static const struct prometheus_facts facts;
	struct strbuf out = {0};

	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i] == &summary_sink)
			summary_print(told->of[i], NULL, 0);
		if (sinks[i] == &prometheus_sink)
			prometheus_page(told->of[i], &facts, EXPOSITION_OPENMETRICS, &out);
		sinks[i]->free(told->of[i]);
	}
	strbuf_release(&out);
	page.used = 0;
}

/* ---- a run ---- */

static void feed(struct checked *c)
{
	for (uint32_t i = 0; i < session.count; i++) {
		const struct packet *p = &session.packets[i];
		uint8_t *copy;

		if (p->kind == PACKET_SEGMENT) {
			/* A block of its own, so that overreads are detected. */
			copy = malloc(p->seg.cap_len ? p->seg.cap_len : 1);
			FUZZ_ASSERT(copy);
			if (p->seg.cap_len)
				memcpy(copy, p->data, p->seg.cap_len);
			checked_segment(c, &p->seg, copy);
			free(copy);
		} else if (p->kind == PACKET_TICK) {
			engine_tick(c->engine, p->seg.ts_ns);
			checked_stats(c);
		} else {
			engine_lost(c->engine, p->seg.ts_ns);
		}
	}
}

static void disturb(struct fuzz *in)
{
	for (int i = 0; i < OPERATIONS_MOST && in->p < in->end && session.count; i++) {
		operation_fn *operation = operations[fuzz_u8(in) % OPERATIONS];
		struct operands o = {.at = fuzz_u16(in) % session.count};

		o.arg = fuzz_u16(in);
		o.value = fuzz_u8(in);
		operation(&session, &o);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct checked c; /* too large for the stack */
	struct fuzz in = {data, data + size};
	uint8_t how = fuzz_u8(&in), follows;
	const struct engine_config config = {
		.any_port = how & 1,
		.browser = !(how & 32),
		.identities = how & 2,
		.max_flows = how & 4 ? 2 : 64, /* allocated in advance: more would take time */
		.max_buffer = how & 8 ? 20000 : 0,
		.max_messages = how & 64 ? 20000 : 0,
		.reorder_ns = how & 16 ? 0 : UINT64_MAX,
		.sql = how & 128,
		.errorlog = !(how & 4),
		.dependencies = true,
	};
	struct told told;

	append(capture_named(fuzz_u32(&in)));
	follows = fuzz_u8(&in);
	if (follows)
		append(&captures[(follows - 1u) % capture_count]);
	disturb(&in);
	sinks_open(&told);
	checked_begin(&c, &config);
	c.ports = capture_ports;
	c.tell = &tell;
	c.tell_ctx = &told;
	feed(&c);
	checked_end(&c);
	sinks_close(&told);
	session_remove(&session, 0, session.count);
	return 0;
}
