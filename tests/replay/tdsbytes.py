# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The messages of a login as bytes, by the layouts of MS-TDS, RFC 5246 and MS-NLMP. Names and passwords
are made up; what TLS hides is zeros of the right length, for nobody can read it anyway."""
import base64
import struct

OFF, ON, NOT_SUP, REQ = 0, 1, 2, 3
BATCH, RPC, RESULT, ATTENTION, TOKEN, LOGIN7, SSPI, PRELOGIN = 1, 3, 4, 6, 8, 0x10, 0x11, 0x12
TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304
AES128_GCM = 0xc02f # TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: adds 24 bytes to a record

# CN=sql1.example.test, self-signed, P-256
CERTIFICATE = base64.b64decode("""
MIIBejCCASCgAwIBAgIBATAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFzcWwxLmV4YW1wbGUudGVzdDAeFw0yNjExMjIyMjA1
MThaFw0zNjExMTkyMjA1MThaMBwxGjAYBgNVBAMMEXNxbDEuZXhhbXBsZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEifSaSsKJUVDuOwrQmMBvlwNFJACL2tV/eWPj22mseSDcAp1yx+4Qma3LDLpzyERGjjKN0y4VWFCHp6xLpM2nLaNTMFEw
HQYDVR0OBBYEFAXM+Ptc1n+pAbiRQXwTUE0IqjXzMB8GA1UdIwQYMBaAFAXM+Ptc1n+pAbiRQXwTUE0IqjXzMA8GA1UdEwEB
/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgYkkq+mHJ8UfZpJ39QI3oJCvGDQeZf70yX2B9UIZsUD4CIQCNWw7lU/vKrKwv
wQ+xAA/S4W5mffIgy2poglt62xkHXQ==""")


def tds(kind, payload, spid=0, status=1, most=4096):
    """A message in TDS packets of at most so many bytes: MS-TDS 2.2.3."""
    out, room = b"", most - 8
    parts = [payload[at:at + room] for at in range(0, len(payload), room)] or [b""]
    for number, part in enumerate(parts, 1):
        last = status if number == len(parts) else status & ~1
        out += struct.pack(">BBHHBB", kind, last, 8 + len(part), spid, number & 255, 0) + part
    return out


def utf16(text):
    return text.encode("utf-16-le")


def b_varchar(text):
    return bytes([len(text)]) + utf16(text)


def us_varchar(text):
    return struct.pack("<H", len(text)) + utf16(text)


# ---- PRELOGIN -----------------------------------------------------------------------------------

def options(pairs):
    table, body, at = b"", b"", 5 * len(pairs) + 1
    for token, value in pairs:
        table += struct.pack(">BHH", token, at + len(body), len(value))
        body += value
    return table + b"\xff" + body


def prelogin(encryption=OFF, mars=0, fedauth=None, instance=b"", nonce=None):
    """The client's: MS-TDS 2.2.6.5. fedauth, nonce: options 6 and 7, where they are sent."""
    pairs = [(0, struct.pack(">BBHH", 5, 2, 3000, 0)), (1, bytes([encryption])), (2, instance + b"\0"),
             (3, b"\0\0\1\2"), (4, bytes([mars]))]
    if fedauth is not None:
        pairs.append((6, bytes([fedauth])))
    if nonce is not None:
        pairs.append((7, nonce))
    return tds(PRELOGIN, options(pairs))


def prelogin_reply(encryption=OFF, mars=0, fedauth=None, nonce=None):
    pairs = [(0, struct.pack(">BBHH", 16, 0, 4135, 0)), (1, bytes([encryption])), (2, b"\0"), (3, b""),
             (4, bytes([mars]))]
    if fedauth is not None:
        pairs.append((6, bytes([fedauth])))
    if nonce is not None:
        pairs.append((7, nonce))
    return tds(RESULT, options(pairs))


# ---- LOGIN7 -------------------------------------------------------------------------------------

def login7_body(user="app", host="WEB1", app="shop", database="shop", sspi=b"", features=None,
                integrated=False, read_only=False):
    """MS-TDS 2.2.6.4. features: [(id, data)], None for no list at all."""
    texts = [(36, host), (40, "" if sspi or integrated else user), (44, "" if sspi or integrated else "secret"),
             (48, app), (52, "sql1"), (60, "drv"), (64, ""), (68, database)]
    fixed, body = bytearray(94), b""
    struct.pack_into("<IIIII", fixed, 4, 0x74000004, 4096, 0x07000000, 100, 0)
    fixed[24], fixed[25] = 0xe0, 0x83 if sspi or integrated else 0x03
    fixed[26] = 0x20 if read_only else 0
    fixed[27] = 0x10 if features is not None else 0
    for at, text in texts:
        struct.pack_into("<HH", fixed, at, 94 + len(body), len(text))
        body += utf16(text)
    if features is not None:
        struct.pack_into("<HH", fixed, 56, 94 + len(body), 4)
        body += struct.pack("<I", 94 + len(body) + 4)
        for number, data in features:
            body += struct.pack("<BI", number, len(data)) + data
        body += b"\xff"
    struct.pack_into("<HH", fixed, 78, 94 + len(body), len(sspi))
    body += sspi
    struct.pack_into("<I", fixed, 0, 94 + len(body))
    return bytes(fixed) + body


def login7(**options_):
    return tds(LOGIN7, login7_body(**options_))


# ---- the server's tokens: MS-TDS 2.2.7 ----------------------------------------------------------

def token(kind, body):
    return struct.pack("<BH", kind, len(body)) + body


def loginack():
    return token(0xad, b"\1\x74\0\0\4" + b_varchar("Microsoft SQL Server\0\0") + b"\x10\0\x10\x27")


def error(number, text="Login failed for user 'app'.", class_=14, state=1, kind=0xaa):
    return token(kind, struct.pack("<iBB", number, state, class_) + us_varchar(text) + b_varchar("SQL1") +
                 b_varchar("") + struct.pack("<I", 1))


def database(name="shop"):
    return token(0xe3, b"\1" + b_varchar(name) + b_varchar("master"))


def packet_size():
    return token(0xe3, b"\4" + b_varchar("4096") + b_varchar("4096"))


def routing(host, port):
    value = struct.pack("<BH", 0, port) + us_varchar(host)
    return token(0xe3, b"\x14" + struct.pack("<H", len(value)) + value + b"\0\0")


def feature_ack(features):
    return b"\xae" + b"".join(struct.pack("<BI", n, len(data)) + data for n, data in features) + b"\xff"


def done(status=0):
    return b"\xfd" + struct.pack("<HHQ", status, 0, 0)


def answer(*tokens, spid=55, most=4096):
    return tds(RESULT, b"".join(tokens), spid, most=most)


def success(*more, spid=55, most=4096):
    return answer(database(), error(5701, "Changed database context to 'shop'.", 0, 2, 0xab), loginack(),
                  packet_size(), *more, done(), spid=spid, most=most)


def failure(number, **how):
    return answer(error(number, **how), done(2))


def sspi_token(data):
    return token(0xed, data)


def fedauth_info():
    url, spn = utf16("https://login.example.test/t"), utf16("https://db.example.test/")
    table = struct.pack("<I", 2)
    table += struct.pack("<BII", 1, len(url), 22) + struct.pack("<BII", 2, len(spn), 22 + len(url))
    return b"\xee" + struct.pack("<I", len(table + url + spn)) + table + url + spn


def fedauth_token(size=3000):
    return tds(TOKEN, struct.pack("<II", size + 4, size) + bytes(size))


def batch(text="select 1"):
    headers = struct.pack("<IIHQI", 22, 18, 2, 0, 1)
    return tds(BATCH, headers + utf16(text))


def rows(size=200):
    return tds(RESULT, bytes([0xd1]) + bytes(size), 55)


# ---- SSPI ---------------------------------------------------------------------------------------

NTLM_NEGOTIATE = b"NTLMSSP\0" + struct.pack("<II", 1, 0xe2088297) + bytes(24)
NTLM_CHALLENGE = (b"NTLMSSP\0" + struct.pack("<IHHII", 2, 2, 2, 56, 0xe2898215) + b"\x11" * 8 + bytes(8) +
                  struct.pack("<HHI", 10, 10, 58) + bytes(8) + b"D\0" + b"\2\0\2\0D\0\0\0\0\0")
_KERBEROS = bytes.fromhex("06092a864886f712010202")


def ntlm_authenticate(user="joe", domain="CONTOSO"):
    """MS-NLMP 2.2.1.3; no user: null credentials, with neither response."""
    response, at, fields, body = (bytes(24) if user else b""), 88, b"", b""
    for value in (response, response, utf16(domain if user else ""), utf16(user), utf16("WEB1"), b""):
        fields += struct.pack("<HHI", len(value), len(value), at + len(body))
        body += value
    return b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", 0xe2888215) + bytes(24) + body


def kerberos_token(kind=1, size=2048):
    """Raw Kerberos GSS, RFC 4121 4.1: 1 AP-REQ, 2 AP-REP."""
    inner = _KERBEROS + bytes([kind, 0]) + (b"\x6e" if kind == 1 else b"\x6f") + b"\x82" + struct.pack(">H", size)
    inner += bytes(size)
    return b"\x60\x82" + struct.pack(">H", len(inner)) + inner


def spnego_init(*oids):
    """NegTokenInit with a list of mechanisms and no token: RFC 4178 4.2.1."""
    def wrap(tag, body):
        return bytes([tag, len(body)]) + body
    mechanisms = wrap(0xa0, wrap(0x30, b"".join(oids)))
    return wrap(0x60, bytes.fromhex("06062b0601050502") + wrap(0xa0, wrap(0x30, mechanisms)))


SPNEGO_BOTH = spnego_init(_KERBEROS, bytes.fromhex("060a2b06010401823702020a"))
# NegTokenResp, accept-incomplete: no mechanism named
SPNEGO_GO_ON = bytes.fromhex("a1073005a0030a0101")


def sspi(data):
    return tds(SSPI, data)


# ---- TLS ----------------------------------------------------------------------------------------

def record(kind, body, version=TLS12):
    return struct.pack(">BHH", kind, version, len(body)) + body


def handshake(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def client_hello(most=TLS12, versions=(), sni=None, alpn=None):
    """versions: the list of supported_versions, where there is one."""
    extensions = b""
    if sni:
        name = sni.encode()
        extensions += struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    if alpn:
        name = bytes([len(alpn)]) + alpn
        extensions += struct.pack(">HHH", 16, len(name) + 2, len(name)) + name
    if versions:
        extensions += struct.pack(">HHB", 43, 2 * len(versions) + 1, 2 * len(versions))
        extensions += b"".join(struct.pack(">H", v) for v in versions)
    body = struct.pack(">H", most) + bytes(range(32)) + b"\0" + struct.pack(">HH", 2, AES128_GCM) + b"\1\0"
    return record(22, handshake(1, body + struct.pack(">H", len(extensions)) + extensions), TLS10)


def server_hello(version=TLS12, cipher=AES128_GCM, by_extension=None):
    """by_extension: the version that supported_versions tells, the old field saying 1.2."""
    extensions = struct.pack(">HHH", 43, 2, by_extension) if by_extension else b""
    body = struct.pack(">H", version) + bytes(range(32, 64)) + b"\0" + struct.pack(">HB", cipher, 0)
    return handshake(2, body + struct.pack(">H", len(extensions)) + extensions)


def certificate(der=CERTIFICATE):
    entry = struct.pack(">I", len(der))[1:] + der
    return handshake(11, struct.pack(">I", len(entry))[1:] + entry)


def server_flight():
    return record(22, server_hello() + certificate() + handshake(14, b""))


def client_flight():
    return record(22, handshake(16, bytes(66))) + record(20, b"\1") + record(22, bytes(40))


def server_finished():
    return record(20, b"\1") + record(22, bytes(40))


def carried(records):
    """TLS inside TDS 7: in PRELOGIN packets."""
    return tds(PRELOGIN, records)


def alert(description, level=2):
    return record(21, bytes([level, description]))


def hidden(size):
    """A TDS packet of so many bytes in a record of its own, AES-GCM of TLS 1.2: 24 bytes more."""
    return record(23, bytes(size + 24))


# ---- the usual beginnings -----------------------------------------------------------------------

def begin_clear(c, after=1.0, reply=1.0, encryption=NOT_SUP):
    """Connected and through PRELOGIN, without encryption."""
    c.connect()
    c.client(prelogin(encryption), after)
    return c.server(prelogin_reply(NOT_SUP), reply)


def handshake12(c, client=OFF, server=OFF, hello=1.0, flight=1.0, key=1.0, finished=1.0):
    """Through PRELOGIN and a full TLS 1.2 handshake inside TDS; each flight so many ms after the other."""
    c.connect()
    c.client(prelogin(client))
    c.server(prelogin_reply(server))
    c.client(carried(client_hello()), hello)
    c.server(carried(server_flight()), flight)
    c.client(carried(client_flight()), key)
    return c.server(carried(server_finished()), finished)


# ---- TDS 4.2 and 5.0: MS-SSTDS, TDS 5.0 Functional Specification ---------------------------------

NORMAL, LOGIN_OLD = 0x0f, 2


def _fixed(text, room):
    raw = text.encode("latin-1")[:room]
    return raw + bytes(room - len(raw)) + bytes([len(raw)])


def login_old(version=b"\4\2\0\0", user="app", host="WEB1", app="shop", password="secret", library="DB-Library",
              security=0):
    """The login record, in a packet of 512 bytes and one of the rest."""
    body = _fixed(host, 30) + _fixed(user, 30) + _fixed(password, 30) + _fixed("1234", 30)
    body += bytes([3, 1, 6, 10, 9, 1, 0, 0, 0, 0, 0, 0]) + bytes(4) + _fixed(app, 30) + _fixed("SQL1", 30)
    body += _fixed("\0" + chr(len(password)) + password, 255) + version + _fixed(library, 10) + bytes([6, 0, 0, 0])
    body += bytes([0, 13, 17]) + _fixed("us_english", 30) + bytes([0, 0, 0, security]) + bytes(10)
    body += _fixed("iso_1", 30) + b"\1" + _fixed("512", 6) + bytes(4)
    return body


def old_version(major):
    return bytes([major, 2 if major == 4 else 0, 0, 0])


def login4(**how):
    return tds(LOGIN_OLD, login_old(**how), most=512)


CAPABILITIES = token(0xe2, bytes([1, 9, 6, 8, 0, 1, 0xbe, 9, 12, 0x22, 0x10]))


def login5(**how):
    """The second packet, with what TDS 5 appends, is of another type."""
    record_ = login_old(version=b"\5\0\0\0", library="CT-Library", **how)
    return (struct.pack(">BBHHBB", LOGIN_OLD, 0, 512, 0, 0, 0) + record_[:504] +
            tds(NORMAL, record_[504:] + CAPABILITIES))


def _b(text):
    raw = text.encode("latin-1")
    return bytes([len(raw)]) + raw


def _us(text):
    raw = text.encode("latin-1")
    return struct.pack("<H", len(raw)) + raw


def old_loginack(major=4, status=1, name="Microsoft SQL Server", version=b"\x5f\6\x32\xff"):
    return token(0xad, bytes([status]) + old_version(major) + _b(name) + version)


def old_error(number, text="Login failed for user 'app'.", class_=14, state=1, kind=0xaa):
    return token(kind, struct.pack("<iBB", number, state, class_) + _us(text) + _b("SQL1") + _b("") +
                 struct.pack("<H", 1))


def eed(number, text="Login failed.\n", class_=14, state=1):
    return token(0xe5, struct.pack("<iBB", number, state, class_) + _b("ZZZZZ") + struct.pack("<BH", 0, 1) +
                 _us(text) + _b("SYB1") + _b("") + struct.pack("<H", 0))


def old_database(name="shop"):
    return token(0xe3, b"\1" + _b(name) + _b("master"))


def old_packet_size(size="512"):
    return token(0xe3, b"\4" + _b(size) + _b("512"))


def old_done(status=0, rows_=0):
    return b"\xfd" + struct.pack("<HHI", status, 0, rows_)


def old_success(major=4):
    if major == 4:
        return answer(old_database(), old_error(5701, "Changed database context to 'shop'.", 0, 2, 0xab),
                      old_loginack(), old_packet_size(), old_done())
    return answer(old_database(), eed(5701, "Changed database context to 'shop'.\n", 10, 2),
                  old_loginack(5, 5, "sql server", b"\x0f\0\0\7"), CAPABILITIES, old_done())


def old_batch(text):
    return tds(BATCH, text.encode("latin-1"), most=512)


def language(text):
    raw = text.encode("latin-1")
    return tds(NORMAL, b"\x21" + struct.pack("<IB", len(raw) + 1, 0) + raw, most=512)


def dbrpc(name):
    return tds(NORMAL, token(0xe6, _b(name) + struct.pack("<H", 0)))


def logout():
    return tds(NORMAL, b"\x71\0")


def old_rpc(name, wide_count=False):
    count = struct.pack("<H" if wide_count else "<B", len(name))
    return tds(RPC, count + name.encode("latin-1") + b"\0\0" + b"\4@val\0\x38\5\0\0\0")


def old_answer(rows_=1):
    return answer(old_done(0x10, rows_))
