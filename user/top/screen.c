// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * screen.c - see screen.h.
 */
#define NCURSES_WIDECHAR 1

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/log.h"
#include "top/screen.h"
#include "top/ui.h"

/* Last, because they define macros with everyday names. */
#include <curses.h>
#include <term.h>

#define SCREEN_ESCAPE_MS 50 /* the rest of a key's sequence comes within this time */
#define SCREEN_RESTORE	 256

struct screen {
	SCREEN *term;
	FILE *keys; /* the terminal, if standard input is not */
	int fd;
	attr_t attrs[STYLE_COUNT];
	short pairs[STYLE_COUNT];
};

/* For signal handlers: the terminal's state before, and what puts its display back. */
static struct termios screen_before;
static char screen_restore_text[SCREEN_RESTORE];
static volatile sig_atomic_t screen_is_open, screen_stop;

/* ---- the end, whatever causes it ---- */

static void screen_restore(void)
{
	size_t len = strlen(screen_restore_text), done = 0;

	if (!screen_is_open)
		return;
	screen_is_open = 0;
	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, screen_restore_text + done, len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	tcsetattr(STDOUT_FILENO, TCSANOW, &screen_before);
}

/* The first signal ends the program in good order, a second one at once. */
static void on_end(int sig)
{
	if (screen_stop) {
		screen_restore();
		_exit(128 + sig);
	}
	screen_stop = sig;
}

static void on_crash(int sig)
{
	screen_restore();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void watch_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct sigaction end = {.sa_handler = on_end}, crash = {.sa_handler = on_crash};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &end, NULL);
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &crash, NULL);
}

static void note_restore(void)
{
	static const char *const names[] = {"sgr0", "rmkx", "cnorm", "rmcup"};

	screen_restore_text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = tigetstr((char *)names[i]);

		if (text && text != (char *)-1 &&
		    strlen(screen_restore_text) + strlen(text) < SCREEN_RESTORE)
			strcat(screen_restore_text, text);
	}
}

bool screen_asked_to_end(void)
{
	return screen_stop;
}

/* ---- colours ---- */

static void use_colours(struct screen *screen)
{
	static const short colours[STYLE_COUNT] = {
		[STYLE_PLAIN] = -1,
		[STYLE_DIM] = -1,
		[STYLE_BOLD] = -1,
		[STYLE_HEAD] = -1,
		[STYLE_KEY] = COLOR_CYAN,
		[STYLE_GOOD] = COLOR_GREEN,
		[STYLE_SLOW] = COLOR_YELLOW,
		[STYLE_BAD] = COLOR_RED,
		[STYLE_CLIENT] = COLOR_CYAN,
		[STYLE_SERVER] = COLOR_MAGENTA,
		[STYLE_NETWORK] = COLOR_BLUE,
	};

	start_color();
	use_default_colors();
	for (short i = 1; i < STYLE_COUNT; i++) {
		short colour = colours[i];

		if (i == STYLE_DIM && COLORS >= 16)
			colour = 8; /* grey; A_DIM is not shown everywhere */
		if (colour >= 0 && colour != 8 && COLORS >= 16 && i != STYLE_NETWORK)
			colour = (short)(colour + 8); /* bright ones are read better on black */
		if (init_pair(i, colour, -1) != ERR)
			screen->pairs[i] = i;
	}
}

static void use_styles(struct screen *screen)
{
	static const attr_t attrs[STYLE_COUNT] = {
		[STYLE_BOLD] = A_BOLD, [STYLE_HEAD] = A_UNDERLINE, [STYLE_KEY] = A_BOLD,
		[STYLE_SLOW] = A_BOLD, [STYLE_BAD] = A_BOLD,
	};
	const char *no_color = getenv("NO_COLOR"); /* no-color.org */

	memcpy(screen->attrs, attrs, sizeof(attrs));
	if (has_colors() && !(no_color && *no_color))
		use_colours(screen);
}

/* ---- opening and closing ---- */

static FILE *key_source(void)
{
	return isatty(STDIN_FILENO) ? stdin : fopen("/dev/tty", "re");
}

static void keys_close(FILE *keys)
{
	if (keys && keys != stdin)
		fclose(keys);
}

struct screen *screen_open(void)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	const char *term = getenv("TERM");
	FILE *keys = screen ? key_source() : NULL;

	if (!screen || !keys || tcgetattr(STDOUT_FILENO, &screen_before)) {
		log_error("%s",
			  !screen ? "out of memory" : "standard output is no terminal: use -b");
		keys_close(keys);
		free(screen);
		return NULL;
	}
	screen->keys = keys;
	screen->fd = fileno(keys);
	set_escdelay(SCREEN_ESCAPE_MS);
	screen->term = newterm(NULL, stdout, keys);
	if (!screen->term) {
		log_error("cannot use the terminal '%s': set TERM, or use -b", term ?: "");
		keys_close(keys);
		free(screen);
		return NULL;
	}
	note_restore();
	screen_is_open = 1;
	watch_signals();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	use_styles(screen);
	return screen;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	if (screen_is_open)
		endwin();
	screen_is_open = 0;
	delscreen(screen->term);
	keys_close(screen->keys);
	free(screen);
}

int screen_fd(const struct screen *screen)
{
	return screen->fd;
}

/* ---- keys ---- */

static int key_of(wint_t code)
{
	static const struct {
		wint_t code;
		int key;
	} keys[] = {{KEY_UP, UI_UP},
		    {KEY_DOWN, UI_DOWN},
		    {KEY_LEFT, UI_LEFT},
		    {KEY_RIGHT, UI_RIGHT},
		    {KEY_PPAGE, UI_PAGE_UP},
		    {KEY_NPAGE, UI_PAGE_DOWN},
		    {KEY_HOME, UI_HOME},
		    {KEY_END, UI_END},
		    {KEY_BTAB, UI_BACK_TAB},
		    {KEY_ENTER, UI_ENTER},
		    {KEY_BACKSPACE, UI_BACKSPACE}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return -1;
}

int screen_key(struct screen *screen)
{
	wint_t code;
	int kind;

	(void)screen;
	while ((kind = get_wch(&code)) != ERR) {
		if (kind == KEY_CODE_YES && code != KEY_RESIZE && key_of(code) > 0)
			return key_of(code);
		if (kind == KEY_CODE_YES)
			continue;
		return code == '\r' ? UI_ENTER : code == 0x7f ? UI_BACKSPACE : (int)code;
	}
	return UI_NO_KEY;
}

/* ---- showing ---- */

int screen_fit(struct screen *screen, struct cells *cells)
{
	int height, width;

	(void)screen;
	getmaxyx(stdscr, height, width);
	if (cells->at && cells->width == width && cells->height == height)
		return 0;
	return cells_resize(cells, width, height);
}

static void show_run(const struct screen *screen, int y, int x, const wchar_t *text, int len,
		     unsigned char style)
{
	int number = style & STYLE_MASK;
	attr_t attr = screen->attrs[number] | (style & STYLE_SELECTED ? A_REVERSE : 0);

	attr_set(attr, screen->pairs[number], NULL);
	mvaddnwstr(y, x, text, len);
}

/* Cells of one style are written in one step. */
static void show_line(const struct screen *screen, const struct cells *cells, int y, wchar_t *text)
{
	const struct cell *line = &cells->at[(size_t)y * (size_t)cells->width];

	for (int x = 0; x < cells->width;) {
		int start = x, len = 0;

		for (; x < cells->width && line[x].style == line[start].style; x++)
			if (line[x].ch)
				text[len++] = line[x].ch;
		show_run(screen, y, start, text, len, line[start].style);
	}
}

void screen_show(struct screen *screen, const struct cells *cells)
{
	wchar_t *text = malloc(((size_t)cells->width + 1) * sizeof(*text));

	for (int y = 0; text && y < cells->height; y++)
		show_line(screen, cells, y, text);
	free(text);
	attr_set(A_NORMAL, 0, NULL);
	refresh();
}
