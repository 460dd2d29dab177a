/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * saves.c - see saves.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/regular.h"
#include "lib/units.h"
#include "opener.h"
#include "save/saved_login.h"
#include "save/save_name.h"
#include "save_slots.h"
#include "saves.h"
#include "sink/sink.h"

#define FILES_MOST  1000u
#define BYTES_MOST  (1ull << 30)
#define FINISH_NS   (2 * NS_PER_S)  /* live: how long the end of the run waits for the disk */
#define PATIENCE_NS (60 * NS_PER_S) /* files: for each file */

struct saves {
	const struct opts *opts;
	struct opener *opener; /* of its own: a slow disk must not keep others from opening files */
	struct save *save;
	const struct wallclock *clock;
	bool waits; /* reading files: the disk sets the pace, and no file is lost */
	bool busy[SAVE_SLOTS];
	bool reported;
	uint64_t lost;
};

struct saves *saves_start(const struct opts *opts, int *err)
{
	const struct opener_config config = {
		.save = opts->save,
		.save_files = opts->save_files ?: FILES_MOST,
		.save_bytes = opts->save_mib ? (uint64_t)opts->save_mib << 20 : BYTES_MOST};
	struct saves *s;

	*err = 0;
	if (!opts->save)
		return NULL;
	s = calloc(1, sizeof(*s));
	*err = s ? 0 : -ENOMEM;
	if (s) {
		s->opts = opts;
		s->waits = opts->file_count;
		s->opener = opener_start(&config, err);
	}
	if (!*err)
		return s;
	free(s);
	return NULL;
}

void saves_stop(struct saves *s)
{
	if (!s)
		return;
	opener_stop(s->opener);
	save_free(s->save);
	free(s);
}

int saves_open(struct saves *s, const struct sink_config *sinks)
{
	if (!s)
		return 0;
	s->clock = sinks->clock;
	s->save = save_new(&(struct save_config){.clock = sinks->clock,
						 .interface_name = sinks->interface_name,
						 .interfaces = sinks->interfaces,
						 .identities = s->opts->show_identities});
	return s->save ? 0 : -ENOMEM;
}

/* Logged once: the counter says how many. */
static void saves_lost(struct saves *s, int err)
{
	s->lost++;
	if (s->reported)
		return;
	s->reported = true;
	if (err == -EBUSY)
		log_warn("saved packets are lost: %s is slower than logins fail; they are counted",
			 s->opts->save);
	else
		log_warn("cannot save packets in %s: %s; what is lost from now on is only counted",
			 s->opts->save, regular_error(err));
}

static void saves_take(struct saves *s, uint64_t within_ns)
{
	for (int i = 0; i < SAVE_SLOTS; i++) {
		int err = s->busy[i] ? opener_take_within(s->opener, i, within_ns) : 0;

		if (!s->busy[i] || err == -EAGAIN)
			continue;
		s->busy[i] = false;
		if (err)
			saves_lost(s, err);
	}
}

void saves_tick(struct saves *s)
{
	if (s)
		saves_take(s, 0);
}

void saves_finish(struct saves *s)
{
	if (s)
		saves_take(s, s->waits ? PATIENCE_NS : FINISH_NS);
}

void saves_packet(struct saves *s, void **packets, const struct seg *seg, const uint8_t *payload)
{
	save_packet(s->save, packets, seg, payload);
}

void saves_forget(struct saves *s, void *packets)
{
	save_forget(s->save, packets);
}

void saves_service(struct saves *s, const struct seg *seg, const uint8_t *payload)
{
	save_service(s->save, seg, payload);
}

static bool saves_may_send(const struct saves *s)
{
	for (int i = 0; i < SAVE_SLOTS; i++)
		if (!s->busy[i])
			return true;
	return false;
}

static int saves_send(struct saves *s, const struct login_record *rec)
{
	struct strbuf file = {0};
	char name[SAVE_NAME];
	int ticket = -ENOBUFS;

	if (save_file(s->save, rec, &file))
		ticket =
			opener_save(s->opener, save_name(rec, s->clock, name), file.data, file.len);
	strbuf_release(&file);
	return ticket;
}

void saves_login(struct saves *s, const struct login_record *rec)
{
	int ticket;

	if (!s || !save_wants(rec))
		return;
	saves_take(s, s->waits ? PATIENCE_NS : 0);
	ticket = saves_may_send(s) ? saves_send(s, rec) : -EBUSY;
	if (ticket < 0)
		saves_lost(s, ticket);
	else
		s->busy[ticket] = true;
}

size_t saves_counters(const struct saves *s, struct counter *out)
{
	out[0] =
		(struct counter){"saved_files_lost",
				 "files of packets that were not saved: the disk was full or slow, "
				 "or the directory is gone",
				 s ? s->lost : 0};
	out[1] = (struct counter){"saved_files_removed",
				  "files of saved packets removed to make room: --save-files, "
				  "--save-size",
				  s ? opener_saves_removed(s->opener) : 0};
	out[2] = (struct counter){"saved_packets_left_out",
				  "packets left out of what is saved, at least their payload: more "
				  "than 64 KiB of a login, or 64 MiB of all",
				  s && s->save ? save_left_out(s->save) : 0};
	return 3;
}
