/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * save_slots.c - see save_slots.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/log.h"
#include "save/save_name.h"
#include "save_slots.h"

struct save_shared {
	uint64_t removed;
	struct {
		char name[SAVE_NAME];
		uint32_t len;
		uint8_t data[SAVE_FILE_MOST];
	} slots[SAVE_SLOTS];
};

int save_slots_open(struct save_slots *s, const char *dir, size_t files_most, uint64_t bytes_most)
{
	int err = bounded_dir_open(&s->dir, dir, files_most, bytes_most, save_name_is);
	void *shared;

	if (err) {
		log_error("cannot save packets in %s: %s; name a directory that exists and can be "
			  "written to",
			  dir, strerror(-err));
		return err;
	}
	shared = mmap(NULL, sizeof(*s->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		err = -errno;
		log_error("cannot save packets: %s", strerror(-err));
		return err;
	}
	s->shared = shared;
	return 0;
}

void save_slots_close(struct save_slots *s)
{
	bounded_dir_close(&s->dir);
	if (s->shared)
		munmap(s->shared, sizeof(*s->shared));
	s->shared = NULL;
}

int save_slots_fill(const struct save_slots *s, unsigned slot, const char *name, const void *data,
		    size_t len)
{
	if (len > SAVE_FILE_MOST)
		return -EFBIG;
	if (strlen(name) >= SAVE_NAME)
		return -ENAMETOOLONG;
	strcpy(s->shared->slots[slot].name, name);
	s->shared->slots[slot].len = (uint32_t)len;
	memcpy(s->shared->slots[slot].data, data, len);
	return 0;
}

int save_slots_write(struct save_slots *s, unsigned slot)
{
	char name[SAVE_NAME];
	uint32_t len;
	int err;

	if (slot >= SAVE_SLOTS)
		return -EINVAL;
	memcpy(name, s->shared->slots[slot].name, sizeof(name));
	len = *(volatile uint32_t *)&s->shared->slots[slot].len;
	if (!memchr(name, '\0', sizeof(name)) || !save_name_is(name) || len > SAVE_FILE_MOST)
		return -EINVAL;
	err = bounded_dir_write(&s->dir, name, s->shared->slots[slot].data, len);
	s->shared->removed = s->dir.removed;
	return err;
}

uint64_t save_slots_removed(const struct save_slots *s)
{
	return s->shared->removed;
}
