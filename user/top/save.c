// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * save.c - see save.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "top/save.h"

struct saving {
	FILE *file;
	unsigned long count;
};

static int save_line(void *ctx, const char *text, size_t len)
{
	struct saving *saving = ctx;

	saving->count++;
	return fwrite(text, 1, len, saving->file) == len && fputc('\n', saving->file) != EOF
		       ? 0
		       : -errno;
}

void save_shown(struct ui *ui, const struct model *model)
{
	int fd = open(ui->save, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
	    err = fd < 0 ? -errno : 0;
	struct saving saving = {.file = fd < 0 ? NULL : fdopen(fd, "w")};

	if (saving.file) {
		err = ui_lines(ui, model, save_line, &saving);
		if (fclose(saving.file) && !err)
			err = -errno;
		if (err)
			unlink(ui->save);
	}
	ui->message_bad = err;
	if (err)
		snprintf(ui->message, UI_TEXT, "cannot write %.150s: %s", ui->save,
			 err == -EEXIST ? "it exists, choose another name" : strerror(-err));
	else
		snprintf(ui->message, UI_TEXT, "%lu records written to %.180s", saving.count,
			 ui->save);
	ui->save[0] = '\0';
}
