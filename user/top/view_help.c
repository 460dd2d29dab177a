// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * view_help.c - the help that ? shows.
 */
#include "top/ui.h"

static const struct {
	const char *key, *does;
} lines[] = {
	{"1 2 3", "logins: the newest; those that failed or were slow; those that wait"},
	{"4 to 9", "servers, clients, apps, drivers, causes, dependencies"},
	{"g 0", "group by fields of your own (client,verdict); show these groups again"},
	{"Tab", "the next view; Shift-Tab the one before"},
	{"Enter", "open the login; show the group's logins"},
	{"Esc", "back; without a step back, clear the filter"},
	{"/", "filter: words, client=10. outcome!=ok total>500ms app==\"My App\" !probe"},
	{"", "fields: client server app driver database host user outcome class"},
	{"", "verdict error waits dependency tcp prelogin tls login auth total, or"},
	{"", "any key of the record: tds.spid=57"},
	{"< >", "sort by another column; r reverses"},
	{"Space", "pause: what comes is counted, and shown after the next Space"},
	{"s", "save the records of what is shown, as JSON lines"},
	{"arrows", "move, also j and k, Page Up, Page Down, Home, End"},
	{"q", "quit"},
	{"", ""},
	{"", "F failed, S slow, - ended without a wish to log in, ? unknown"},
};

void help_draw(struct cells *cells, int y, int height)
{
	for (int i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])) && i < height; i++) {
		cells_put(cells, y + i, 2, 9, STYLE_KEY, lines[i].key);
		cells_put(cells, y + i, 12, cells->width - 12, STYLE_PLAIN, lines[i].does);
	}
}
