// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * csv.c - writes logins as CSV, see csv.h. The columns' names are a contract as those of the JSON
 * records: docs/MANUAL.md lists them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "report/csv.h"
#include "report/csv_columns.h"

struct csv {
	struct sink_config config;
	bool begun; /* the heads are written */
};

static void csv_begin(struct csv *csv)
{
	if (!csv->begun)
		output_printf(csv->config.out, "%s\r\n", CSV_HEADS);
	csv->begun = true;
}

static void *csv_open(const struct sink_config *config)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (csv) {
		csv->config = *config;
		csv_begin(csv); /* also for a capture without logins */
	}
	return csv;
}

static void csv_free(void *csv)
{
	free(csv);
}

/*
 * A text's cell, with the comma before it; NULL: empty. It is quoted where RFC 4180 2.6 says so.
 * Spreadsheets take a text for a formula by its first character (OWASP, "CSV Injection").
 */
static void csv_text(struct output *out, const char *text)
{
	char *safe = text ? utf8_printable(text) : NULL;
	const char *first = safe ? safe + strspn(safe, " ") : "";
	bool formula = *first && strchr("=+-@", *first);

	output_write(out, ",", 1);
	if (safe && (formula || strpbrk(safe, ",\"\r\n "))) {
		output_printf(out, "\"%s", formula ? "'" : "");
		for (const char *at = safe; *at; at++)
			output_write(out, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
		output_write(out, "\"", 1);
	} else if (safe) {
		output_write(out, safe, strlen(safe));
	}
	free(safe);
}

/* Milliseconds, exact. */
static void csv_ms(struct output *out, uint64_t ns)
{
	if (ns == NO_NS)
		output_write(out, ",", 1);
	else
		output_printf(out, ",%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
}

static void csv_endpoint(struct output *out, const struct endpoint *ep)
{
	char addr[SINK_ADDR_MAX];

	output_printf(out, ",%s,%u", sink_addr(ep->addr, addr), ep->port);
}

static void csv_outcome(struct output *out, const struct login_record *rec)
{
	output_printf(out, ",%s,%s,%s", outcome_name(rec->outcome), basis_name(rec->outcome_basis),
		      confidence_name(rec->confidence));
	csv_text(out, verdict_name(rec->verdict.id));
	output_printf(out, ",%s", verdict_class_name(rec->verdict.class));
	csv_ms(out, rec->total_ns);
	for (int i = 0; i < PHASE_SESSION; i++)
		csv_ms(out, rec->phase_ns[i]);
	for (int i = 0; i < SIDE_NONE; i++)
		csv_ms(out, rec->wait_ns[i]);
}

static void csv_who(struct output *out, const struct login_record *rec)
{
	csv_text(out, rec->tds.app);
	csv_text(out, rec->tds.host);
	csv_text(out, rec->tds.database);
	csv_text(out, rec->tds.driver);
	csv_text(out, rec->tds.client_version);
	csv_text(out, rec->tds.version);
	csv_text(out, rec->tds.server_version);
	csv_text(out, rec->tds.instance);
	csv_text(out, auth_method_name(rec->auth.method));
	csv_text(out, rec->auth.user);
	csv_text(out, rec->auth.domain);
	csv_text(out, rec->auth.workstation);
}

static void csv_wire(struct output *out, const struct login_record *rec)
{
	const struct tls_facts *tls = rec->tls.seen ? &rec->tls : NULL;

	csv_text(out, encryption_name(rec->encryption.effective));
	csv_text(out, tls ? tls->version : NULL);
	csv_text(out, tls ? tls->cipher : NULL);
	csv_text(out, rec->mars < 0 ? NULL : rec->mars ? "yes" : "no");
	if (rec->has_error)
		output_printf(out, ",%" PRId32 ",%u", rec->error.number, rec->error.state);
	else
		output_write(out, ",,", 2);
	csv_text(out, rec->has_error ? rec->error.message : NULL);
	output_printf(out, ",%" PRIu32 ",%" PRIu32 ",%" PRIu64, rec->tcp.syn_retransmits,
		      rec->tcp.retransmits, rec->tcp.missing_bytes);
	csv_text(out, rec->verdict.text);
}

static void csv_mss(struct output *out, uint16_t mss)
{
	if (mss)
		output_printf(out, ",%u", mss);
	else
		output_write(out, ",", 1);
}

static void csv_login(void *ctx, const struct login_record *rec)
{
	char time[CLOCK_TEXT], id[SINK_ID_MAX];
	struct csv *csv = ctx;
	struct output *out = csv->config.out;

	output_printf(out, "%s,%s",
		      clock_rfc3339(wallclock_ns(csv->config.clock, rec->start_ns), time),
		      sink_id(rec->id, id));
	csv_endpoint(out, login_record_client(rec));
	csv_endpoint(out, &rec->server);
	csv_outcome(out, rec);
	csv_who(out, rec);
	csv_wire(out, rec);
	csv_mss(out, rec->tcp.mss[SIDE_CLIENT]);
	csv_mss(out, rec->tcp.mss[SIDE_SERVER]);
	output_write(out, "\r\n", 2);
}

const struct sink_ops csv_sink = {
	.name = "csv",
	.open = csv_open,
	.login = csv_login,
	.free = csv_free,
};
