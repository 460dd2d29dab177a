/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * save.h - writes the records of what tdsmon top shows to a file.
 */
#ifndef TDSMON_SAVE_H
#define TDSMON_SAVE_H

#include "top/ui.h"

/*
 * Write to the new file ui->save, mode 0600, and say in ui->message how many records or why not. A
 * file that exists stays as it is; one that could not be completed is removed.
 */
void save_shown(struct ui *ui, const struct model *model);

#endif
