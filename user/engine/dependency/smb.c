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
#define CREATE_NAME_AT	 44	      /* of a request: offset and length of the name */
#define CREATE_FILE_AT	 72	      /* of a response: the file's id, its volatile half */
#define SMB_RPC_ID	 (1ull << 62) /* marks ids that are RPC call numbers, not message ids */

enum {
	SMB2_CREATE = 5,
	SMB2_READ = 8,
	SMB2_WRITE = 9,
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

/* ---- RPC in named pipes ---- */

static struct rpc_pipe *pipe_find(struct rpc_pipes *pipes, uint64_t file)
{
	for (size_t i = 0; i < RPC_PIPES; i++)
		if (pipes->at[i].used && pipes->at[i].file == file)
			return &pipes->at[i];
	return NULL;
}

static void pipe_set(struct rpc_pipes *pipes, uint64_t file, enum rpc_interface interface)
{
	struct rpc_pipe *pipe = pipe_find(pipes, file);

	if (!pipe) {
		pipe = &pipes->at[pipes->next];
		pipes->next = (uint8_t)((pipes->next + 1) % RPC_PIPES);
	}
	*pipe = (struct rpc_pipe){file, interface, true};
}

/* Is a CREATE request for Netlogon's pipe? Its name is UTF-16, without a leading backslash. */
static bool create_is_netlogon(const uint8_t *smb, size_t len)
{
	static const char name[] = "netlogon"; /* MS-NRPC 2.1 */
	const size_t n = sizeof(name) - 1;
	struct cursor c = cursor_init(smb, len);
	const uint8_t *at;
	uint16_t offset, size;

	cursor_skip(&c, SMB2_HEAD + CREATE_NAME_AT);
	offset = cursor_le16(&c);
	size = cursor_le16(&c);
	if (c.bad || offset < SMB2_HEAD || size != 2 * n)
		return false;
	c = cursor_init(smb, len);
	cursor_skip(&c, offset);
	at = cursor_take(&c, size);
	for (size_t i = 0; at && i < n; i++)
		if ((at[2 * i] | 0x20) != name[i] || at[2 * i + 1])
			return false;
	return at != NULL;
}

/* Take note of Netlogon's pipe: its name is in the request, the file's id in the response. */
static void smb_create(const uint8_t *smb, size_t len, bool response, uint64_t id,
		       struct rpc_pipes *pipes)
{
	struct cursor c = cursor_init(smb, len);
	uint64_t file;

	if (!response && create_is_netlogon(smb, len))
		pipes->opening = id;
	if (!response || id != pipes->opening)
		return;
	cursor_skip(&c, SMB2_HEAD + CREATE_FILE_AT);
	file = cursor_le(&c, 8);
	if (!c.bad)
		pipe_set(pipes, file, RPC_NETLOGON);
	pipes->opening = 0;
}

/* The file that a message reads or writes, and the RPC PDU that it may carry. */
struct smb_data {
	struct cursor pdu; /* bad: none */
	uint64_t file;
	bool has_file;
};

/* The file's id, after the cursor: its volatile half is unique on the connection. */
static void smb_file(struct cursor *c, struct smb_data *data)
{
	cursor_skip(c, 8);
	data->file = cursor_le(c, 8);
	data->has_file = !c->bad;
}

/* The RPC PDU of a message, by its offset from the SMB2 head and its length. */
static struct cursor smb_pdu(const uint8_t *smb, size_t len, uint32_t offset, uint32_t size)
{
	if (offset < SMB2_HEAD || offset >= len)
		return (struct cursor){.bad = true};
	return cursor_init(smb + offset, size < len - offset ? size : len - offset);
}

static struct smb_data smb_data_find(const uint8_t *smb, size_t len, uint16_t command,
				     bool response)
{
	struct smb_data data = {.pdu.bad = true};
	struct cursor c = cursor_init(smb, len);
	uint32_t offset = 0, size = 0;

	cursor_skip(&c, SMB2_HEAD);
	if (command == SMB2_IOCTL) {
		cursor_skip(&c, 4);
		if (cursor_le32(&c) != FSCTL_TRANSCEIVE)
			return data;
		smb_file(&c, &data);
		cursor_skip(&c, response ? 8 : 0);
		offset = cursor_le32(&c);
		size = cursor_le32(&c);
	} else if (command == SMB2_READ && response) {
		cursor_skip(&c, 2);
		offset = cursor_u8(&c);
		cursor_skip(&c, 1);
		size = cursor_le32(&c);
	} else if ((command == SMB2_WRITE || command == SMB2_READ) && !response) {
		cursor_skip(&c, 2);
		offset = cursor_le16(&c);
		size = cursor_le32(&c);
		cursor_skip(&c, 8);
		smb_file(&c, &data);
	}
	if (!c.bad && (command != SMB2_READ || response))
		data.pdu = smb_pdu(smb, len, offset, size);
	return data;
}

/*
 * A request or a bind in a pipe. One that is sent and answered by FSCTL_PIPE_TRANSCEIVE has that
 * message's id. One that is written is answered by a READ, whose response has its call's number.
 */
static void pipe_request(const struct service_message *rpc, uint16_t command,
			 struct service_message *m)
{
	uint64_t call = rpc->id | SMB_RPC_ID;

	m->role = rpc->role;
	m->kind = rpc->kind == DEPENDENCY_NETLOGON ? DEPENDENCY_NETLOGON : DEPENDENCY_SMB;
	m->operation = rpc->operation ? rpc->operation : m->operation;
	m->other_id = call;
	if (command == SMB2_WRITE) {
		m->other_id = m->id;
		m->id = call;
	}
}

/* A message with a file's data: RPC in a pipe is an exchange of its own. */
static void smb_pipe(const struct smb_data *data, uint16_t command, struct rpc_pipes *pipes,
		     struct service_message *m)
{
	const struct rpc_pipe *pipe = data->has_file ? pipe_find(pipes, data->file) : NULL;
	enum rpc_interface interface = pipe ? pipe->interface : pipes->unknown;
	struct service_message rpc;
	bool response = m->role == MESSAGE_RESPONSE;

	m->carries = response && !strcmp(m->result, "ok") &&
		     (command == SMB2_WRITE || command == SMB2_READ);
	if (command == SMB2_READ && !response && pipe)
		m->role = MESSAGE_ONE_WAY;
	if (data->pdu.bad)
		return;
	rpc_parse(data->pdu.p, cursor_left(&data->pdu), &interface, &rpc);
	if (response && rpc.role == MESSAGE_RESPONSE) {
		m->other_id = rpc.id | SMB_RPC_ID;
		m->more = rpc.more;
		m->result = rpc.result;
		m->carries = false;
	} else if (!response && (rpc.role == MESSAGE_REQUEST || rpc.role == MESSAGE_ONE_WAY)) {
		pipe_set(pipes, data->file, interface);
		pipe_request(&rpc, command, m);
	}
}

void smb_parse(const uint8_t *p, size_t len, struct rpc_pipes *pipes, struct service_message *m)
{
	struct smb_data data;
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
	    (response && status == STATUS_PENDING)) {
		m->role = MESSAGE_ONE_WAY;
		return;
	}
	if (command == SMB2_CREATE)
		smb_create(p + NBT_HEAD, len - NBT_HEAD, response, m->id, pipes);
	data = smb_data_find(p + NBT_HEAD, len - NBT_HEAD, command, response);
	smb_pipe(&data, command, pipes, m);
}
