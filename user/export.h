/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * export.h - shows a running tdsmon: the live page, metrics and health by HTTP (--listen), and
 * metrics in a file (--textfile).
 */
#ifndef TDSMON_EXPORT_H
#define TDSMON_EXPORT_H

#include "app.h"
#include "lib/loop.h"

struct exporter;

/*
 * Serve and write as the options say, in the loop's rounds. app must be open. NULL on failure, *err
 * then -errno with the reason logged.
 */
struct exporter *export_open(struct app *app, struct loop *loop, int *err);
/* Call it before the loop is freed. */
void export_close(struct exporter *x);

/* Read the web configuration again. 0, or -errno with the reason logged; the old one then stays. */
int export_reload(struct exporter *x);

/* Its URL, "http://127.0.0.1:9433/", else its UNIX socket's path, or NULL. */
const char *export_url(const struct exporter *x);

/* The listening socket, which export_reload() duplicates; -1: none. */
int export_listener(const struct exporter *x);

/*
 * Write --textfile, completely or not at all; nothing without the option. 0, or -errno with the
 * reason logged.
 */
int export_textfile(struct app *app);

#endif
