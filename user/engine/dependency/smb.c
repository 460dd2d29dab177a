// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * smb.c - heads of SMB2 messages over TCP, MS-SMB2 2.2, and RPC in a named pipe that they carry.
 */
#include <string.h>

#include "engine/dependency/service_message.h"
#include "lib/cursor.h"
#include "lib/wire_int.h"

#define NBT_HEAD	 4 /* type 0 and a length of 24 bits: RFC 1002 4.3.1 */
#define SMB2_HEAD	 64
#define SMB2_RESPONSE	 0x00000001 /* flags: SERVER_TO_REDIR */
#define STATUS_PENDING	 0x00000103
#define FSCTL_TRANSCEIVE 0x0011c017   /* FSCTL_PIPE_TRANSCEIVE, MS-FSCC 2.3.45 */
#define IOCTL_HEAD	 56	      /* a request's fixed part; a response's is 48 */
#define SMB_RPC_ID	 (1ull << 62) /* marks ids that are RPC call numbers, not message ids */

enum {
	SMB2_WRITE = 9,
	SMB2_READ = 8,
	SMB2_IOCTL = 11,
	SMB2_CANCEL = 12,
	SMB2_NOTIFY = 15,
	SMB2_OPLOCK = 18
};

static const char *const commands[] = {
	"NEGOTIATE", "SESSION_SETUP", "LOGOFF",	  "TREE_CONNECT", "TREE_DISCONNECT",
	"CREATE",    "CLOSE",	      "FLUSH",	  "READ",	  "WRITE",
	"LOCK",	     "IOCTL",	      "CANCEL",	  "ECHO",	  "QUERY_DIRECTORY",
	"NOTIFY",    "QUERY_INFO",    "SET_INFO", "OPLOCK_BREAK",
};

static const char *status_name(uint32_t status)
{
	static const struct {
		uint32_t status;
		const char *name;
	} names[] = {
		/* MS-ERREF 2.3.1 */
		{0x00000000, "ok"},
		{0xc0000016,
		 "ok"}, /* MORE_PROCESSING_REQUIRED: another round of a session setup follows */
		{0x80000005, "ok"}, /* BUFFER_OVERFLOW: the next request reads the rest */
		{0xc000005e, "STATUS_NO_LOGON_SERVERS"},
		{0xc0000022, "STATUS_ACCESS_DENIED"},
		{0xc000006d, "STATUS_LOGON_FAILURE"},
		{0xc00000b5, "STATUS_IO_TIMEOUT"},
		{0xc000020c, "STATUS_CONNECTION_DISCONNECTED"},
		{0xc0000225, "STATUS_NOT_FOUND"},
		{0xc0000034, "STATUS_OBJECT_NAME_NOT_FOUND"},
		{0x80000006, "ok"}, /* NO_MORE_FILES */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].status == status)
			return names[i].name;
	return status >> 30 == 3 ? "error" : "ok";
}

uint32_t smb_length(const uint8_t *p, size_t len)
{
	uint32_t n;

	if (len < NBT_HEAD || p[0])
		return 0;
	n = be24_at(p + 1);
	return n >= 36 ? n + NBT_HEAD : 0; /* if less: shorter than SMB1's head and a word */
}

/* The RPC PDU of a message, by its offset from the SMB2 head and its length. */
static struct cursor smb_pdu(const uint8_t *smb, size_t len, uint32_t offset, uint32_t size)
{
	if (offset < SMB2_HEAD || offset >= len)
		return (struct cursor){.bad = true};
	return cursor_init(smb + offset, size < len - offset ? size : len - offset);
}

/* The RPC PDU that a message carries to or from a pipe, if any. body begins after the SMB2 head. */
static struct cursor smb_rpc(const uint8_t *smb, size_t len, uint16_t command, bool response)
{
	struct cursor c = cursor_init(smb, len);
	uint32_t offset, size;

	cursor_skip(&c, SMB2_HEAD);
	if (command == SMB2_IOCTL) {
		cursor_skip(&c, 4);
		if (cursor_le32(&c) != FSCTL_TRANSCEIVE)
			return (struct cursor){.bad = true};
		cursor_skip(&c, 16 + (response ? 8 : 0));
		offset = cursor_le32(&c);
		size = cursor_le32(&c);
	} else if (command == SMB2_WRITE && !response) {
		cursor_skip(&c, 2);
		offset = cursor_le16(&c);
		size = cursor_le32(&c);
	} else if (command == SMB2_READ && response) {
		cursor_skip(&c, 2);
		offset = cursor_u8(&c);
		cursor_skip(&c, 1);
		size = cursor_le32(&c);
	} else {
		return (struct cursor){.bad = true};
	}
	return c.bad ? c : smb_pdu(smb, len, offset, size);
}

/* RPC in a pipe is an exchange of its own, matched by its call number. */
static bool smb_pipe(struct cursor pdu, enum rpc_interface *pipe, struct service_message *m)
{
	struct service_message rpc;

	if (pdu.bad)
		return false;
	rpc_parse(pdu.p, cursor_left(&pdu), pipe, &rpc);
	if (rpc.role == MESSAGE_UNKNOWN || (rpc.kind == DEPENDENCY_OTHER && !rpc.operation))
		return false;
	rpc.other_id = m->id;
	*m = rpc;
	if (m->kind == DEPENDENCY_OTHER)
		m->kind = DEPENDENCY_SMB;
	m->id |= SMB_RPC_ID;
	return true;
}

void smb_parse(const uint8_t *p, size_t len, enum rpc_interface *pipe, struct service_message *m)
{
	struct cursor c = cursor_init(p, len);
	uint32_t status, flags;
	uint16_t command;
	bool response;

	memset(m, 0, sizeof(*m));
	m->kind = DEPENDENCY_SMB;
	cursor_skip(&c, NBT_HEAD);
	if (cursor_be32(&c) != 0xfe534d42) /* "\xfeSMB"; SMB1 and sealed SMB3 are not read */
		return;
	cursor_skip(&c, 4);
	status = cursor_le32(&c);
	command = cursor_le16(&c);
	cursor_skip(&c, 2);
	flags = cursor_le32(&c);
	cursor_skip(&c, 4);
	m->id = cursor_le(&c, 8) & (SMB_RPC_ID - 1);
	if (c.bad || command >= sizeof(commands) / sizeof(commands[0]))
		return;
	response = flags & SMB2_RESPONSE;
	m->operation = commands[command];
	m->role = response ? MESSAGE_RESPONSE : MESSAGE_REQUEST;
	m->result = response ? status_name(status) : NULL;
	/*
	 * A change notification may never come. An interim response is not the response: that
	 * follows.
	 */
	if (command == SMB2_CANCEL || command == SMB2_NOTIFY || command == SMB2_OPLOCK ||
	    (response && status == STATUS_PENDING))
		m->role = MESSAGE_ONE_WAY;
	else
		smb_pipe(smb_rpc(p + NBT_HEAD, len - NBT_HEAD, command, response), pipe, m);
}
