/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * saves.c - see saves.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
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
#define PATIENCE_NS (60 * NS_PER_S) /* files: for those that are being written */

struct saves {
	const struct opts *opts;
	struct opener *opener; /* of its own: a slow disk must not keep others from opening files */
	struct save *save;
	const struct wallclock *clock;
	bool waits; /* reading files: the disk sets the pace, and no file is lost */
	/* Tickets of the files under way, from the first that was sent on: they are written in turn. */
	int under_way[SAVE_SLOTS];
	size_t first, count;
	bool told_slow, told_error;
	int err; /* the first file that could not be written; 0: none */
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

static void saves_tell(const char *dir, int err)
{
	if (err == -EBUSY)
		log_warn("saved packets are lost: %s is slower than logins fail; they are counted",
			 dir);
	else if (err == -EPIPE)
		log_warn("cannot save packets in %s any more: tdsmon-saver was ended; start tdsmon "
			 "again to save packets; what is lost from now on is only counted",
			 dir);
	else if (err == -ENOBUFS)
		log_warn("packets of a login were not kept: too many logins are under way, or "
			 "memory "
			 "is short; what is lost from now on is only counted");
	else
		log_warn("cannot save packets in %s: %s; what is lost from now on is only counted",
			 dir, regular_error(err));
}

/* Said once that the disk is slow, and once that something is wrong: the counter says how many. */
static void saves_lost(struct saves *s, int err)
{
	bool *told = err == -EBUSY ? &s->told_slow : &s->told_error;

	s->lost++;
	if (!s->err && err != -ENOBUFS)
		s->err = err;
	if (!*told)
		saves_tell(s->opts->save, err);
	*told = true;
}

/* Learn what became of the files under way, and wait for that at most so long. */
static void saves_take(struct saves *s, uint64_t within_ns)
{
	uint64_t until_ns = within_ns ? clock_now_ns() + within_ns : 0;

	while (s->count) {
		uint64_t now_ns = within_ns ? clock_now_ns() : 0;
		int err = opener_take_within(s->opener, s->under_way[s->first],
					     until_ns > now_ns ? until_ns - now_ns : 0);

		if (err == -EAGAIN)
			return;
		s->first = (s->first + 1) % SAVE_SLOTS;
		s->count--;
		if (err)
			saves_lost(s, err);
	}
}

void saves_tick(struct saves *s)
{
	if (s)
		saves_take(s, 0);
}

int saves_finish(struct saves *s)
{
	if (!s)
		return 0;
	saves_take(s, s->waits ? PATIENCE_NS : FINISH_NS);
	/* Nobody will learn whether the others are still written. */
	for (; s->count; s->count--)
		saves_lost(s, -EBUSY);
	return s->waits ? s->err : 0;
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
	ticket = s->count < SAVE_SLOTS ? saves_send(s, rec) : -EBUSY;
	if (ticket < 0)
		saves_lost(s, ticket);
	else
		s->under_way[(s->first + s->count++) % SAVE_SLOTS] = ticket;
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
