// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ports.c - see ports.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"
#include "ports.h"

/* Add one port or range; item is nothing else. */
static int ports_range(struct port_set *ports, const char *item, char why[PORTS_WHY])
{
	char *end;
	unsigned long first = number_parse(item, 65535, &end), last = first;

	if (first && *end == '-')
		last = number_parse(end + 1, 65535, &end);
	if (!first || !last || *end) {
		snprintf(why, PORTS_WHY,
			 "'%s' is not a port: use a number from 1 to 65535, or a range like "
			 "1500-1510",
			 item);
		return -EINVAL;
	}
	if (last < first) {
		snprintf(why, PORTS_WHY, "'%s' is not a port range: it ends before it begins",
			 item);
		return -EINVAL;
	}
	for (unsigned long port = first; port <= last; port++)
		port_set_add(ports, (uint16_t)port);
	return 0;
}

int ports_parse(struct port_set *ports, const char *list, char why[PORTS_WHY])
{
	char *copy = strdup(list), *rest = copy, *item;
	int err = 0;

	if (!copy) {
		snprintf(why, PORTS_WHY, "out of memory");
		return -ENOMEM;
	}
	while (!err && (item = strsep(&rest, ",")))
		err = ports_range(ports, item, why);
	free(copy);
	return err;
}

/* The last port of the run that begins at first. */
static unsigned ports_run_end(const struct port_set *ports, unsigned first)
{
	unsigned last = first;

	while (last < 65535 && port_set_has(ports, (uint16_t)(last + 1)))
		last++;
	return last;
}

const char *ports_text(const struct port_set *ports, char text[PORTS_TEXT])
{
	const size_t room = PORTS_TEXT - sizeof(", 65535-65535, ...");
	size_t used = 0;

	text[0] = '\0';
	for (unsigned first = 1, last; first <= 65535; first = last + 1) {
		last = first;
		if (!port_set_has(ports, (uint16_t)first))
			continue;
		last = ports_run_end(ports, first);
		if (used > room) {
			strcpy(text + used, ", ...");
			break;
		}
		used += (size_t)sprintf(text + used, last > first ? "%s%u-%u" : "%s%u",
					used ? ", " : "", first, last);
	}
	return text;
}
