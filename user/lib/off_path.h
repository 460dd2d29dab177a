/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * off_path.h - marks a function that few packets reach. It is not inlined, so the frames of its
 * callers, which all packets go through, stay small.
 */
#ifndef TDSMON_OFF_PATH_H
#define TDSMON_OFF_PATH_H

#define OFF_PATH __attribute__((noinline))

#endif
