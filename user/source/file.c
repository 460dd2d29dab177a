// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * file.c - the capture file source: pcap and pcapng through libpcap, one packet at a time.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "link.h"
#include "log.h"

#define FILE_BUFFER	    (256 * 1024)
#define FILE_POSITION_EVERY 256 /* packets between two looks at the position */

struct file {
	pcap_t *pcap;
	FILE *stream; /* owned by pcap once that is set */
	const struct link *link;
	const char *name; /* for messages */
	struct file_stats stats;
	char path[];
};

/* What people take for a capture, by its first bytes, and what makes one of it. */
static const struct {
	const char *magic;
	uint8_t len;
	const char *what, *remedy;
} foreign[] = {
	{"\x1f\x8b", 2, "compressed (gzip)", "zcat FILE | tdsmon -r -"},
	{"\x28\xb5\x2f\xfd", 4, "compressed (zstd)", "zstdcat FILE | tdsmon -r -"},
	{"\xfd\x37zXZ", 5, "compressed (xz)", "xzcat FILE | tdsmon -r -"},
	{"BZh", 3, "compressed (bzip2)", "bzcat FILE | tdsmon -r -"},
	{"PK\x03\x04", 4, "compressed (zip)", "unzip -p FILE | tdsmon -r -"},
	{"GMBU", 4, "a Network Monitor capture", "editcap -F pcapng FILE OUT converts it"},
	{"RTSS", 4, "a Network Monitor capture", "editcap -F pcapng FILE OUT converts it"},
	{"snoop", 5, "a snoop capture", "editcap -F pcapng FILE OUT converts it"},
};

/* The stream was found not to be a capture: say what it is rather. */
static void file_explain(struct file *file, const char *reason)
{
	const char *dot = strrchr(file->name, '.');
	char head[8] = "";

	/* A pipe can't be rewound; its reason must do. */
	if (fseek(file->stream, 0, SEEK_SET) == 0 &&
	    fread(head, 1, sizeof(head), file->stream) == 0) {
		log_error("%s is empty: nothing was captured, or it is still being written",
			  file->name);
		return;
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (memcmp(head, foreign[i].magic, foreign[i].len))
			continue;
		log_error("%s is %s: %s", file->name, foreign[i].what, foreign[i].remedy);
		return;
	}
	/* Event traces begin with nothing that tells them. */
	if (dot && !strcasecmp(dot, ".etl"))
		log_error("%s is a Windows event trace: pktmon etl2pcap or etl2pcapng converts it",
			  file->name);
	else
		log_error("%s is neither pcap nor pcapng (%s); editcap -F pcapng FILE OUT converts "
			  "captures of other kinds",
			  file->name, reason);
}

/* Open the stream: 0 or -errno, logged. */
static int file_open_stream(struct file *file)
{
	bool is_stdin = !strcmp(file->path, "-");
	struct stat st;

	file->name = is_stdin ? "standard input" : file->path;
	if (is_stdin && isatty(STDIN_FILENO)) {
		log_error("standard input is a terminal: pipe a capture into -r -");
		return -EINVAL;
	}
	file->stream = is_stdin ? stdin : fopen(file->path, "rbe");
	if (!file->stream || fstat(fileno(file->stream), &st)) {
		int err = -errno;

		log_error("cannot read %s: %s", file->name, strerror(-err));
		return err;
	}
	if (S_ISDIR(st.st_mode)) {
		log_error("%s is a directory: name the capture files in it", file->name);
		return -EISDIR;
	}
	if (S_ISREG(st.st_mode))
		file->stats.bytes_total = (uint64_t)st.st_size;
	setvbuf(file->stream, NULL, _IOFBF, FILE_BUFFER);
	__fsetlocking(file->stream, FSETLOCKING_BYCALLER); /* one thread: no lock at each packet */
	return 0;
}

/* Put libpcap on the stream: 0 or -errno, logged. */
static int file_open_pcap(struct file *file)
{
	char reason[PCAP_ERRBUF_SIZE];
	uint32_t type;

	file->pcap = pcap_fopen_offline_with_tstamp_precision(file->stream,
							      PCAP_TSTAMP_PRECISION_NANO, reason);
	if (!file->pcap) {
		file_explain(file, reason);
		return -EINVAL;
	}
	type = (uint32_t)pcap_datalink(file->pcap);
	file->link = link_find(type);
	if (file->link)
		return 0;
	log_error("%s was captured on a link of type %u (%s), which is not known here; capture on "
		  "Ethernet, 'any', loopback or raw IP",
		  file->name, type, link_name(type));
	return -EPROTONOSUPPORT;
}

struct file *file_open(const char *path, int *err)
{
	struct file *file = calloc(1, sizeof(*file) + strlen(path) + 1);

	if (!file) {
		*err = -ENOMEM;
		log_error("cannot read %s: out of memory", path);
		return NULL;
	}
	strcpy(file->path, path);
	*err = file_open_stream(file);
	if (!*err)
		*err = file_open_pcap(file);
	if (!*err)
		return file;
	file_close(file);
	return NULL;
}

void file_close(struct file *file)
{
	if (!file)
		return;
	if (file->pcap)
		pcap_close(file->pcap);
	else if (file->stream && file->stream != stdin)
		fclose(file->stream);
	free(file);
}

static void file_count(struct file_stats *stats, const struct pcap_pkthdr *header, FILE *stream)
{
	stats->packets++;
	if (!stats->bytes_total)
		stats->bytes_read += header->caplen;
	else if (stats->packets % FILE_POSITION_EVERY == 0)
		stats->bytes_read = (uint64_t)ftello(stream);
}

static uint64_t *file_counter(struct file_stats *stats, enum pkt_result result)
{
	uint64_t *const counters[] = {
		[PKT_TCP] = &stats->segments,	   [PKT_OTHER] = &stats->other,
		[PKT_SHORT] = &stats->malformed,   [PKT_FRAGMENT] = &stats->fragments,
		[PKT_EXT_HEADERS] = &stats->other, [PKT_UDP] = &stats->other,
	};

	return counters[result];
}

int file_next(struct file *file, struct seg *seg, const uint8_t **payload)
{
	struct pcap_pkthdr *header;
	const uint8_t *data;
	int got;

	while ((got = pcap_next_ex(file->pcap, &header, &data)) == 1) {
		/* pcap's seconds are unsigned; libpcap hands them out as they are, signed. */
		struct frame frame = {
			.data = data,
			.cap_len = header->caplen,
			.len = header->len > header->caplen ? header->len : header->caplen,
			.ts_ns = (uint64_t)(uint32_t)header->ts.tv_sec * 1000000000 +
				 (uint64_t)header->ts.tv_usec, /* ns, by the precision asked for */
		};
		enum pkt_result result = link_segment(file->link, &frame, seg, payload);

		file_count(&file->stats, header, file->stream);
		++*file_counter(&file->stats, result);
		if (result != PKT_TCP && result != PKT_UDP)
			continue;
		file->stats.truncated += result == PKT_TCP && seg->note & SEG_NOTE_TRUNC;
		return 1;
	}
	if (got == PCAP_ERROR_BREAK) {
		file->stats.bytes_read = file->stats.bytes_total ?: file->stats.bytes_read;
		return 0;
	}
	if (ferror(file->stream) && errno == EINTR)
		return -EINTR;
	log_error("%s breaks off after packet %llu: %s; what came before it stands", file->name,
		  (unsigned long long)file->stats.packets, pcap_geterr(file->pcap));
	return -EIO;
}

const struct file_stats *file_stats(const struct file *file)
{
	return &file->stats;
}
