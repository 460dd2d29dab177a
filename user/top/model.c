// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * model.c - see model.h.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log_histogram.h"
#include "lib/units.h"
#include "top/model.h"

#define MODEL_SORT_MOST 4096u /* more values than this go into a histogram */

/* The records kept of one kind of login: all ok ones, or all that failed or were slow. */
struct kept {
	size_t bytes;
	uint64_t oldest; /* number of the oldest login that may have its record */
};

struct model {
	struct row *rows; /* by number % MODEL_ROWS */
	uint64_t next;	  /* number of the next login; the first is 1 */
	uint64_t oldest;
	struct kept kept[2]; /* by row_is_problem() */
	struct name_table names;
	struct filter *filter;
	struct model_pending pending[MODEL_PENDING];
	size_t pending_count;
	uint64_t waiting;
	uint32_t beat;
	struct model_lost lost[MODEL_LOST];
	size_t lost_count;
	uint64_t bad_lines;
	uint64_t wall_ns, mono_ns; /* the last heartbeat: the source's time, and ours */
	uint64_t latest_ns;	   /* of all records */
	uint64_t first_ns;	   /* when the first heartbeat or login was */
	uint64_t *
		again; /* ids of the logins kept, sorted: the source may send them again; or NULL */
	size_t again_count;
	bool ended;
};

struct model *model_new(void)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->rows = calloc(MODEL_ROWS, sizeof(*model->rows));
	model->next = model->oldest = model->kept[0].oldest = model->kept[1].oldest = 1;
	if (model->rows)
		return model;
	free(model);
	return NULL;
}

static struct row *row_at(const struct model *model, uint64_t seq)
{
	return &model->rows[seq % MODEL_ROWS];
}

/* ---- logins that wait ---- */

static void pending_release(struct model *model, struct model_pending *p)
{
	struct name *const held[] = {p->client, p->server, p->phase, p->waits_on, p->what};

	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		name_release(&model->names, held[i]);
	free(p->line);
	*p = (struct model_pending){0};
}

static void pending_remove(struct model *model, size_t at)
{
	pending_release(model, &model->pending[at]);
	model->pending_count--;
	memmove(&model->pending[at], &model->pending[at + 1],
		(model->pending_count - at) * sizeof(model->pending[0]));
}

/* Remove the login of this id. */
static void pending_over(struct model *model, uint64_t id)
{
	for (size_t i = 0; i < model->pending_count; i++) {
		if (model->pending[i].id != id)
			continue;
		pending_remove(model, i);
		return;
	}
}

static char *line_copy(const char *line, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, line, len);
	copy[len] = '\0';
	return copy;
}

static void take_pending(struct model *model, const json_t *record, const char *line, size_t len)
{
	const char *id = row_string(record, "id");
	char text[ROW_ENDPOINT];
	struct model_pending p = {
		.id = id ? strtoull(id, NULL, 16) : 0,
		.ns = row_ns(record, "ns"),
		.at_ns = row_time_ns(row_string(record, "time")),
		.beat = model->beat,
		.line_len = (uint32_t)len,
	};
	size_t at;

	if (p.ns == ROW_NO_NS || !p.at_ns)
		return;
	pending_over(model, p.id);
	for (at = model->pending_count; at && model->pending[at - 1].ns < p.ns;)
		at--;
	if (at == MODEL_PENDING)
		return;
	if (model->pending_count == MODEL_PENDING)
		pending_remove(model, MODEL_PENDING - 1);
	p.client = name_hold(&model->names, row_string(record, "client.addr"));
	p.server = name_hold(&model->names, row_endpoint(json_object_get(record, "server"), text));
	p.phase = name_hold(&model->names, row_string(record, "phase"));
	p.waits_on = name_hold(&model->names, row_string(record, "waits_on"));
	p.what = name_hold(&model->names, row_string(record, "for"));
	p.line = line_copy(line, len);
	memmove(&model->pending[at + 1], &model->pending[at],
		(model->pending_count - at) * sizeof(p));
	model->pending[at] = p;
	model->pending_count++;
}

size_t model_pending(const struct model *model, const struct model_pending **list, uint64_t *total)
{
	*list = model->pending;
	*total = model->waiting > model->pending_count ? model->waiting : model->pending_count;
	return model->pending_count;
}

uint64_t model_pending_ns(const struct model *model, const struct model_pending *p, uint64_t now_ns)
{
	uint64_t wall_ns = model_now(model, now_ns);

	return p->ns + (wall_ns > p->at_ns ? wall_ns - p->at_ns : 0);
}

/* ---- the heartbeat ---- */

static void lost_clear(struct model *model)
{
	for (size_t i = 0; i < model->lost_count; i++)
		name_release(&model->names, model->lost[i].text);
	model->lost_count = 0;
}

static void again_clear(struct model *model)
{
	free(model->again);
	model->again = NULL;
	model->again_count = 0;
}

static void take_watch(struct model *model, const json_t *record, uint64_t now_ns)
{
	const json_t *lost = json_object_get(record, "lost");

	again_clear(model);
	model->wall_ns = row_time_ns(row_string(record, "time"));
	model->mono_ns = now_ns;
	if (!model->first_ns)
		model->first_ns = model->wall_ns;
	for (size_t i = model->pending_count; i-- > 0;)
		if (model->pending[i].beat != model->beat)
			pending_remove(model, i);
	model->beat++;
	model->waiting = (uint64_t)json_integer_value(json_object_get(record, "waiting"));
	lost_clear(model);
	for (size_t i = 0; i < json_array_size(lost) && i < MODEL_LOST; i++) {
		const json_t *one = json_array_get(lost, i);

		model->lost[model->lost_count++] = (struct model_lost){
			name_hold(&model->names, row_string(one, "text")),
			(uint64_t)json_integer_value(json_object_get(one, "count"))};
	}
}

size_t model_losses(const struct model *model, const struct model_lost **list)
{
	*list = model->lost;
	return model->lost_count;
}

uint64_t model_now(const struct model *model, uint64_t now_ns)
{
	if (!model->wall_ns || model->ended)
		return model->latest_ns;
	return model->wall_ns + (now_ns > model->mono_ns ? now_ns - model->mono_ns : 0);
}

/* ---- logins ---- */

static void line_drop(struct kept *kept, struct row *row)
{
	if (!row->line)
		return;
	kept->bytes -= row->line_len;
	free(row->line);
	row->line = NULL;
}

static void row_forget_oldest(struct model *model)
{
	struct row *row = row_at(model, model->oldest++);

	line_drop(&model->kept[row_is_problem(row)], row);
	row_release(row, &model->names);
}

/* Make room for another record of that kind. */
static void lines_bound(struct model *model, bool problem)
{
	struct kept *kept = &model->kept[problem];

	if (kept->oldest < model->oldest)
		kept->oldest = model->oldest;
	for (; kept->bytes > MODEL_BYTES && kept->oldest < model->next; kept->oldest++) {
		struct row *row = row_at(model, kept->oldest);

		if (row_is_problem(row) == problem)
			line_drop(kept, row);
	}
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void model_resumed(struct model *model)
{
	again_clear(model);
	model->again = malloc((model_count(model) + 1) * sizeof(*model->again));
	for (uint64_t seq = model->oldest; model->again && seq < model->next; seq++)
		model->again[model->again_count++] = row_at(model, seq)->id;
	if (model->again_count)
		qsort(model->again, model->again_count, sizeof(*model->again), compare_ns);
}

/* Was it sent before the connection broke? */
static bool is_again(const struct model *model, uint64_t id)
{
	return model->again &&
	       bsearch(&id, model->again, model->again_count, sizeof(*model->again), compare_ns);
}

/* The filter looks into the record only if it asks for a key that a row does not have. */
static bool matches(const struct model *model, const struct row *row, const char *line, size_t len)
{
	json_t *record =
		filter_needs_record(model->filter) && line ? json_loadb(line, len, 0, NULL) : NULL;
	bool result = filter_match(model->filter, row, record);

	json_decref(record);
	return result;
}

static bool take_login(struct model *model, const char *line, size_t len)
{
	struct row row;

	if (!row_read(&row, line, len, &model->names))
		return false;
	if (is_again(model, row.id)) {
		row_release(&row, &model->names);
		return true;
	}
	pending_over(model, row.id);
	if (model->next - model->oldest == MODEL_ROWS)
		row_forget_oldest(model);
	row.seq = model->next++;
	row.line = line_copy(line, len);
	row.line_len = (uint32_t)len;
	row.matches = matches(model, &row, line, len);
	if (row.end_ns > model->latest_ns)
		model->latest_ns = row.end_ns;
	if (!model->first_ns || row.end_ns < model->first_ns)
		model->first_ns = row.end_ns;
	*row_at(model, row.seq) = row;
	if (row.line)
		model->kept[row_is_problem(&row)].bytes += len;
	lines_bound(model, row_is_problem(&row));
	return true;
}

static bool begins(const char *line, size_t len, const char *type)
{
	static const char head[] = "{\"type\":\"";
	size_t n = strlen(type), at = sizeof(head) - 1;

	return len > at + n && !memcmp(line, head, at) && !memcmp(line + at, type, n) &&
	       line[at + n] == '"';
}

/* A record that comes about once a second: it is read into a tree. */
static bool take_state(struct model *model, const char *line, size_t len, uint64_t now_ns)
{
	json_t *record = json_loadb(line, len, 0, NULL);

	if (!record)
		return false;
	if (begins(line, len, "pending"))
		take_pending(model, record, line, len);
	else
		take_watch(model, record, now_ns);
	json_decref(record);
	return true;
}

bool model_line(struct model *model, const char *line, size_t len, uint64_t now_ns)
{
	bool good;

	if (begins(line, len, "login"))
		good = take_login(model, line, len);
	else if (begins(line, len, "pending") || begins(line, len, "watch"))
		good = take_state(model, line, len, now_ns);
	else
		good = !len || begins(line, len, "close") || begins(line, len, "command");
	model->bad_lines += !good;
	return good;
}

void model_lost_source(struct model *model)
{
	while (model->pending_count)
		pending_remove(model, model->pending_count - 1);
	model->waiting = 0;
}

void model_ended(struct model *model)
{
	model->ended = true;
	model_lost_source(model);
}

void model_filter(struct model *model, struct filter *filter)
{
	filter_free(model->filter);
	model->filter = filter;
	for (uint64_t seq = model->oldest; seq < model->next; seq++) {
		struct row *row = row_at(model, seq);

		row->matches = matches(model, row, row->line, row->line_len);
	}
}

size_t model_count(const struct model *model)
{
	return (size_t)(model->next - model->oldest);
}

const struct row *model_row(const struct model *model, size_t at)
{
	return row_at(model, model->oldest + at);
}

const struct row *model_find(const struct model *model, uint64_t seq)
{
	return seq >= model->oldest && seq < model->next ? row_at(model, seq) : NULL;
}

uint64_t model_seen(const struct model *model)
{
	return model->next - 1;
}

uint64_t model_bad_lines(const struct model *model)
{
	return model->bad_lines;
}

/* ---- figures ---- */

static const double shares[3] = {0.5, 0.95, 0.99};

static void histogram_quantiles(const uint64_t *values, size_t count, uint64_t out[3])
{
	struct log_histogram *hist = calloc(1, sizeof(*hist));

	for (size_t i = 0; hist && i < count; i++)
		log_histogram_add(hist, values[i]);
	for (int i = 0; i < 3; i++)
		out[i] = hist ? log_histogram_quantile(hist, shares[i]) : ROW_NO_NS;
	free(hist);
}

void model_quantiles(uint64_t *values, size_t count, uint64_t out[3])
{
	out[0] = out[1] = out[2] = ROW_NO_NS;
	if (count > MODEL_SORT_MOST) {
		histogram_quantiles(values, count, out);
		return;
	}
	if (!count)
		return;
	qsort(values, count, sizeof(*values), compare_ns);
	for (int i = 0; i < 3; i++) {
		size_t rank = (size_t)(shares[i] * (double)count);

		rank += (double)rank < shares[i] * (double)count;
		out[i] = values[rank ? rank - 1 : 0];
	}
}

static void summarize_losses(const struct model *model, struct model_summary *sum)
{
	for (size_t i = 0; i < model->lost_count; i++)
		sum->lost += model->lost[i].count;
}

void model_summarize(const struct model *model, uint64_t now_ns, struct model_summary *sum)
{
	uint64_t now = model_now(model, now_ns), since = 0, *values;
	size_t timed = 0;

	*sum = (struct model_summary){0};
	if (!model->ended)
		since = now > MODEL_WINDOW_NS ? now - MODEL_WINDOW_NS : 0;
	sum->span_ns = MODEL_WINDOW_NS;
	if (since < model->first_ns)
		sum->span_ns = now > model->first_ns ? now - model->first_ns : 0;
	summarize_losses(model, sum);
	values = malloc((model_count(model) + 1) * sizeof(*values));
	for (uint64_t seq = model->next; values && seq-- > model->oldest;) {
		const struct row *row = row_at(model, seq);

		if (row->end_ns < since)
			continue;
		sum->logins++;
		sum->failed += row->class == ROW_FAILED;
		sum->slow += row->class == ROW_SLOW;
		if (row->timed && row->total_ns != ROW_NO_NS)
			values[timed++] = row->total_ns;
	}
	/* Of a flood less than a minute is kept. */
	if (model->oldest > 1 && row_at(model, model->oldest)->end_ns > since)
		sum->span_ns = now - row_at(model, model->oldest)->end_ns;
	model_quantiles(values, timed, sum->quantile_ns);
	if (sum->span_ns >= NS_PER_S || model->ended)
		sum->per_s = (double)sum->logins * 1e9 / (double)(sum->span_ns ?: NS_PER_S);
	free(values);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	while (model->oldest < model->next)
		row_forget_oldest(model);
	model_lost_source(model);
	lost_clear(model);
	again_clear(model);
	name_table_clear(&model->names);
	filter_free(model->filter);
	free(model->rows);
	free(model);
}
