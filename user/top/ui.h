/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ui.h - what tdsmon top shows and what its keys do, without a terminal: keys in, cells out.
 */
#ifndef TDSMON_UI_H
#define TDSMON_UI_H

#include "top/cells.h"
#include "top/groups.h"
#include "top/model.h"

/* Keys that are no character. Characters are their code points. */
enum ui_key {
	UI_NO_KEY = 0,
	UI_BACKSPACE = 8,
	UI_TAB = 9,
	UI_ENTER = 10,
	UI_CLEAR = 21, /* ^U */
	UI_ESCAPE = 27,
	UI_UP = 0x110000, /* above all characters */
	UI_DOWN,
	UI_LEFT,
	UI_RIGHT,
	UI_PAGE_UP,
	UI_PAGE_DOWN,
	UI_HOME,
	UI_END,
	UI_BACK_TAB,
};

enum ui_view {
	VIEW_NEWEST,
	VIEW_WORST,
	VIEW_PENDING,
	VIEW_SERVERS,
	VIEW_CLIENTS,
	VIEW_APPS,
	VIEW_DRIVERS,
	VIEW_CAUSES,
	VIEW_NEEDS,
	VIEW_GROUP, /* by the fields that the user names */
	VIEWS
};

enum ui_prompt {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_GROUP,
	PROMPT_SAVE,
};

#define UI_TEXT	 256
#define UI_STACK 8 /* steps back */

/* Where a table is, and by what it is sorted. */
struct ui_place {
	int order;
	bool reversed;
	int cursor, first; /* number of the selected row, and of the first one on the screen */
	bool moved;	   /* by a key: the selection follows the cursor, not the cursor it */
	uint64_t
		selected; /* a login's number or id, a group's hash; 0: the first row, whichever it is */
};

struct ui_step {
	enum ui_view view;
	char filter[UI_TEXT];
};

struct ui {
	enum ui_view view;
	struct ui_place places[VIEWS];
	struct group_by group_by; /* of VIEW_GROUP */
	char group_text[UI_TEXT];
	char filter[UI_TEXT];
	enum ui_prompt prompt;
	char typed[UI_TEXT];
	char message[UI_TEXT]; /* shown until the next key */
	bool message_bad;
	bool help, quit;
	bool batch;	    /* pages are printed: no keys, no selection */
	uint64_t paused_at; /* number of the newest login when it was paused; 0: it is not */
	char *detail;	    /* a login's record, shown instead of the table; or NULL */
	size_t detail_len;
	int detail_first, detail_lines;
	struct ui_step stack[UI_STACK];
	int depth;
	int list_count;		   /* rows of the table when it was last drawn */
	int page;		   /* of them on the screen */
	uint64_t item_seq;	   /* the selected login's number; 0: none */
	char item_filter[UI_TEXT]; /* the selected group as a filter; "": none */
	char save[UI_TEXT];	   /* a file to write what is shown to; the caller clears it */
	/* set by the caller */
	const char *source;  /* "live: /run/tdsmon/tdsmon.sock" */
	unsigned breaks;     /* how often the source was lost */
	const char *trouble; /* the source is lost, in words; NULL: all is well */
};

void ui_init(struct ui *ui);
void ui_release(struct ui *ui);

/* A key that was pressed. */
void ui_press(struct ui *ui, struct model *model, int key);

/* Draw all of it. now_ns: as for model_line(). */
void ui_draw(struct ui *ui, const struct model *model, uint64_t now_ns, struct cells *cells);

/* The records of what is shown, line by line, until line() returns an error, which is returned. */
int ui_lines(const struct ui *ui, const struct model *model,
	     int (*line)(void *ctx, const char *text, size_t len), void *ctx);

/* Filter, as by the prompt. False: ui->message says why not. */
bool ui_filter(struct ui *ui, struct model *model, const char *text);

const char *ui_view_name(enum ui_view view);
/* A view by its name's beginning, without case, or -1. */
int ui_view_find(const char *name);

/* ---- the parts of the screen, in files of their own ---- */

/* The figures at the top, 3 lines from y on. */
void header_draw(const struct ui *ui, const struct model *model, uint64_t now_ns,
		 struct cells *cells, int y);

/* Tables, from line y on, height lines with their titles. They set what ui says of the selection. */
void logins_draw(struct ui *ui, const struct model *model, struct cells *cells, int y, int height);
void pending_draw(struct ui *ui, const struct model *model, uint64_t now_ns, struct cells *cells,
		  int y, int height);
void group_table_draw(struct ui *ui, const struct model *model, struct cells *cells, int y,
		      int height);
/* By how many columns a view can be sorted. */
int logins_orders(void);

/* What groups a view shows. */
struct group_by ui_group_by(const struct ui *ui);

/* The logins of a view in its order. Returns their number, -ENOMEM; the caller frees *list. */
int logins_list(const struct ui *ui, const struct model *model, const struct row ***list);

/* One login in full, from its line ui->detail_first on. */
void login_draw(struct ui *ui, struct cells *cells, int y, int height);

void help_draw(struct cells *cells, int y, int height);

/* For tables: place the cursor and scroll. ids: of the rows, as ui_place.selected has them. */
void ui_scroll(struct ui *ui, const uint64_t *ids, int count, int height);

/* A time of day, and a duration or "-", as the tables have them. */
#define UI_CLOCK 32
const char *ui_clock(uint64_t wall_ns, int width, char text[UI_CLOCK]);
const char *ui_ns(uint64_t ns, char text[UI_CLOCK]);
/* A longer time for people: "45 s", "12 min", "26 h", "9 days". */
const char *ui_span(uint64_t ns, char text[UI_CLOCK]);
int ui_class_style(int class);

#endif
