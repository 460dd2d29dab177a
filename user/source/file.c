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
#include "log.h"
#include "pkt.h"

#define FILE_BUFFER	    (256 * 1024)
#define FILE_POSITION_EVERY 256 /* packets between two looks at the position */

/* What stands before the IP header, by the link type that the file names. */
struct link {
	int dlt;
	uint16_t header_len;
	int16_t type_off;    /* of the EtherType; -1: none, IP follows */
	int16_t ifindex_off; /* -1: none */
	enum pkt_result (*parse)(const struct link *link, struct pkt *pkt, const uint8_t *data,
				 const uint8_t *end, uint32_t frame_len);
};

struct file {
	pcap_t *pcap;
	FILE *stream; /* owned by pcap once that is set */
	const struct link *link;
	const char *name; /* for messages */
	struct file_stats stats;
	char path[];
};

static enum pkt_result link_ethernet(const struct link *link, struct pkt *pkt, const uint8_t *data,
				     const uint8_t *end, uint32_t frame_len)
{
	(void)link;
	return pkt_parse_eth(pkt, data, end, frame_len);
}

static uint16_t link_type(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * Everything else: a header of fixed length, perhaps with an EtherType, then VLAN tags as there
 * are, then IP. payload_off comes out relative to data.
 */
static enum pkt_result link_fixed(const struct link *link, struct pkt *pkt, const uint8_t *data,
				  const uint8_t *end, uint32_t frame_len)
{
	uint32_t skip = link->header_len;
	enum pkt_result result;
	uint16_t type;

	if ((size_t)(end - data) < skip)
		return PKT_SHORT;
	type = link->type_off < 0 ? PKT_ETH_IP4 : link_type(data + link->type_off);
	while (type == PKT_ETH_VLAN || type == PKT_ETH_QINQ || type == PKT_ETH_QINQ1) {
		if ((size_t)(end - data) < skip + sizeof(struct pkt_vlan))
			return PKT_SHORT;
		type = link_type(data + skip + 2);
		skip += sizeof(struct pkt_vlan);
	}
	if (type != PKT_ETH_IP4 && type != PKT_ETH_IP6)
		return PKT_OTHER;
	result = pkt_parse_ip(pkt, data + skip, end, frame_len - skip);
	if (result == PKT_TCP || result == PKT_UDP)
		pkt->payload_off += skip;
	return result;
}

/* https://www.tcpdump.org/linktypes.html */
static const struct link links[] = {
	{DLT_EN10MB, 0, -1, -1, link_ethernet},
	{DLT_LINUX_SLL, 16, 14, -1, link_fixed},
	{DLT_LINUX_SLL2, 20, 0, 4, link_fixed},
	{DLT_RAW, 0, -1, -1, link_fixed},
	{DLT_IPV4, 0, -1, -1, link_fixed},
	{DLT_IPV6, 0, -1, -1, link_fixed},
	/* Four bytes of address family, in either byte order: IP's own version says the same. */
	{DLT_NULL, 4, -1, -1, link_fixed},
	{DLT_LOOP, 4, -1, -1, link_fixed},
};

static const struct link *link_find(int dlt)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return &links[i];
	return NULL;
}

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
	const char *name;
	int dlt;

	file->pcap = pcap_fopen_offline_with_tstamp_precision(file->stream,
							      PCAP_TSTAMP_PRECISION_NANO, reason);
	if (!file->pcap) {
		file_explain(file, reason);
		return -EINVAL;
	}
	dlt = pcap_datalink(file->pcap);
	file->link = link_find(dlt);
	if (file->link)
		return 0;
	name = pcap_datalink_val_to_name(dlt);
	log_error("%s was captured on a link of type %d (%s), which is not known here; capture on "
		  "Ethernet, 'any', loopback or raw IP",
		  file->name, dlt, name ? name : "no name");
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

/* The ifindex of the "any" device's second format, network order. */
static uint32_t link_ifindex(const struct link *link, const uint8_t *data)
{
	const uint8_t *p = data + link->ifindex_off;

	if (link->ifindex_off < 0)
		return 0;
	return (uint32_t)link_type(p) << 16 | link_type(p + 2);
}

/* Is it to be handed over: a segment, or a datagram of SQL Server Browser? */
static bool file_wants(const struct pkt *pkt, enum pkt_result result)
{
	return result == PKT_TCP ||
	       (result == PKT_UDP && (pkt->sport == SSRP_PORT || pkt->dport == SSRP_PORT));
}

static void file_segment(struct file *file, const struct pcap_pkthdr *header, const uint8_t *data,
			 const struct pkt *pkt, enum pkt_result result, struct seg *seg)
{
	uint32_t held = pkt->payload_off < header->caplen ? header->caplen - pkt->payload_off : 0;

	memset(seg, 0, sizeof(*seg));
	if (result == PKT_UDP)
		pkt_datagram(pkt, seg);
	else
		pkt_seg(pkt, seg);
	/* pcap's seconds are unsigned; libpcap hands them out as they are, signed. */
	seg->ts_ns = (uint64_t)(uint32_t)header->ts.tv_sec * 1000000000 +
		     (uint64_t)header->ts.tv_usec; /* ns, by the precision asked for */
	seg->cap_len = held < seg->len ? held : seg->len;
	seg->ifindex = link_ifindex(file->link, data);
	seg->note = result == PKT_UDP ? SEG_NOTE_UDP : 0;
	if (seg->cap_len < seg->len) {
		seg->note |= SEG_NOTE_TRUNC;
		file->stats.truncated += result == PKT_TCP;
	}
}

int file_next(struct file *file, struct seg *seg, const uint8_t **payload)
{
	struct pcap_pkthdr *header;
	const uint8_t *data;
	int got;

	while ((got = pcap_next_ex(file->pcap, &header, &data)) == 1) {
		uint32_t len = header->len > header->caplen ? header->len : header->caplen;
		struct pkt pkt;
		enum pkt_result result =
			file->link->parse(file->link, &pkt, data, data + header->caplen, len);

		file_count(&file->stats, header, file->stream);
		++*file_counter(&file->stats, result);
		if (!file_wants(&pkt, result))
			continue;
		file_segment(file, header, data, &pkt, result, seg);
		*payload = data + (seg->cap_len ? pkt.payload_off : 0);
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
