// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * foreign.c - files that are mistaken for captures: what they are, and how to convert them.
 */
#include <string.h>

#include "source/capture/capture_format.h"
#include "lib/log.h"

#define HEAD 64 /* bytes examined */

#define EDITCAP "editcap -F pcapng FILE OUT converts it"

static const struct {
	const char *magic;
	uint8_t len;
	const char *what, *remedy;
} foreign[] = {
	{"\x1f\x8b", 2, "compressed twice (gzip)", "zcat FILE | tdsmon -r -"},
	{"\x28\xb5\x2f\xfd", 4, "compressed twice (zstd)", "zstdcat FILE | tdsmon -r -"},
	{"\xfd\x37zXZ", 5, "compressed (xz)", "xzcat FILE | tdsmon -r -"},
	{"BZh", 3, "compressed (bzip2)", "bzcat FILE | tdsmon -r -"},
	{"\x04\x22\x4d\x18", 4, "compressed (lz4)", "lz4cat FILE | tdsmon -r -"},
	{"PK\x03\x04", 4, "compressed (zip)", "unzip -p FILE | tdsmon -r -"},
	{"7z\xbc\xaf\x27\x1c", 6, "compressed (7-Zip)", "7z x -so FILE | tdsmon -r -"},
	{"GMBU", 4, "a Network Monitor capture", EDITCAP},
	{"RTSS", 4, "a Network Monitor capture", EDITCAP},
	{"snoop\0\0\0", 8, "a snoop capture", EDITCAP},
	{"iptrace ", 8, "an iptrace capture", EDITCAP},
	{"TRSNIFF data", 12, "a Sniffer capture", EDITCAP},
	{"XCP\0", 4, "a NetXRay or Sniffer capture", EDITCAP},
	{"\x1c\0\x01\xac", 4, "an Ixia capture", EDITCAP},
	{"\x1c\0\x01\xab", 4, "an Ixia capture", EDITCAP},
	{"\xac\x01\0\x1c", 4, "an Ixia capture", EDITCAP},
	{"\xab\x01\0\x1c", 4, "an Ixia capture", EDITCAP},
};

/* Files without magic bytes, by their names. */
static const struct {
	const char *ending, *what, *remedy;
} named[] = {
	{".etl", "a Windows event trace",
	 "pktmon etl2pcap FILE, which Windows includes, or etl2pcapng converts it"},
	{".erf", "an ERF capture", EDITCAP},
};

static bool is_text(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!head[i] || (head[i] < 0x20 && !strchr("\t\n\r\f", head[i])) || head[i] == 0x7f)
			return false;
	return true;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t len = strlen(name), want = strlen(ending);

	return len >= want && !strcasecmp(name + len - want, ending);
}

static bool explain_known(const char *name, const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (len < foreign[i].len || memcmp(head, foreign[i].magic, foreign[i].len))
			continue;
		log_error("%s is %s: %s", name, foreign[i].what, foreign[i].remedy);
		return true;
	}
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (!ends_in(name, named[i].ending))
			continue;
		log_error("%s is %s: %s", name, named[i].what, named[i].remedy);
		return true;
	}
	return false;
}

void foreign_explain(struct capture *c)
{
	const uint8_t *head;
	size_t len;

	input_need(&c->input, HEAD); /* fewer will do */
	head = c->input.at;
	len = input_left(&c->input) < HEAD ? input_left(&c->input) : HEAD;
	if (!len) {
		log_error("%s is empty: nothing was captured, or it is still being written",
			  c->name);
		return;
	}
	if (explain_known(c->name, head, len))
		return;
	if (is_text(head, len))
		log_error("%s is text, not a capture: tcpdump -w FILE writes one", c->name);
	else
		log_error("%s is neither pcap nor pcapng; editcap -F pcapng FILE OUT converts "
			  "captures of other kinds",
			  c->name);
}
