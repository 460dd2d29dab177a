# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Logins that failed in TLS, or because TLS was missing."""
import causes
from scene import CLIENT, SERVER
from tdsbytes import *

FAILED = {"outcome": "tls_failed"}
SELF_SIGNED = " (CN=sql1.example.test, self-signed)"


def hello(s, **how):
    c = s.connection().connect().client(prelogin(ON)).server(prelogin_reply(ON))
    return c.client(carried(client_hello(**how)))


def refused_by(s, description):
    """The server answers the ClientHello with an alert."""
    hello(s).server(carried(alert(description))).fin(SERVER)


def certificate_alert(s, description):
    """The client answers the server's certificate with an alert."""
    hello(s).server(carried(server_flight())).client(carried(alert(description))).fin(CLIENT)


@causes.login("tls_no_common_version", "the server ended the TLS handshake with the alert protocol_version: client and "
              "server have no TLS version in common; old clients offer TLS 1.0 or 1.1, which current servers have "
              "switched off, and old servers know no more", also=FAILED)
def no_common_version(s):
    refused_by(s, 70)


@causes.login("tls_no_common_version", "the server ended the TLS handshake with the alert inappropriate_fallback: the "
              "client came back with an older TLS version, which the server takes for an attack", also=FAILED)
def inappropriate_fallback(s):
    refused_by(s, 86)


@causes.login("tls_no_common_cipher", "the server ended the TLS handshake with the alert handshake_failure: client and "
              "server have no cipher suite in common, or no key exchange; compare what both sides have switched off",
              also=FAILED)
def no_common_cipher(s):
    refused_by(s, 40)


@causes.login("tls_no_common_cipher", "the server ended the TLS handshake with the alert insufficient_security: the "
              "server wants stronger cipher suites than the client offers", also=FAILED)
def insufficient_security(s):
    refused_by(s, 71)


@causes.login("tls_wrong_name", "the server ended the TLS handshake with the alert unrecognized_name: the server does "
              "not know the name that the client asked for (SNI)", also=FAILED)
def unrecognized_name(s):
    refused_by(s, 112)


@causes.login("client_certificate_refused", "the server ended the TLS handshake with the alert bad_certificate: the "
              "server refused the client's certificate", also=FAILED)
def client_certificate_refused(s):
    c = hello(s).server(carried(server_flight())).client(carried(client_flight()))
    c.server(carried(alert(42))).fin(SERVER)


@causes.login("client_certificate_refused", "the server ended the TLS handshake with the alert certificate_required: "
              "the server asks for a client certificate and got none", also=FAILED)
def client_certificate_required(s):
    refused_by(s, 116)


@causes.login("certificate_refused", "the client ended the TLS handshake with the alert unknown_ca: the client does not "
              "know the issuer of the server's certificate: install one that it trusts, or let it trust this one",
              also={"outcome": "tls_failed", "tls": {
                  "alert": {"from": "client", "level": "fatal", "description": "unknown_ca"},
                  "certificate": {"subject": "CN=sql1.example.test", "self_signed": True}}})
def certificate_of_unknown_issuer(s):
    certificate_alert(s, 48)


@causes.login("certificate_refused", "the client ended the TLS handshake with the alert certificate_expired: the "
              "server's certificate has expired", also=FAILED)
def certificate_expired(s):
    certificate_alert(s, 45)


@causes.login("certificate_refused", "the client ended the TLS handshake with the alert bad_certificate: the client "
              "refused the server's certificate: see its name, dates and purpose", also=FAILED)
def certificate_bad(s):
    certificate_alert(s, 42)


@causes.login("certificate_refused", "the client left after the server's part of the TLS handshake without sending "
              "LOGIN7, as drivers do that do not trust the server's certificate" + SELF_SIGNED, also=FAILED)
def certificate_refused_by_leaving(s):
    hello(s).server(carried(server_flight())).fin(CLIENT)


@causes.login("certificate_refused", "the client left after the TLS handshake was complete without sending LOGIN7, as "
              "drivers do that do not trust the server's certificate" + SELF_SIGNED, also=FAILED)
def certificate_refused_after_the_handshake(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.fin(CLIENT)


@causes.login("certificate_check_slow", "the client left after 15.000 s without a message, when it had the server's "
              "certificate and its next message of the TLS handshake was due: most likely it checked the certificate and "
              "waited for a revocation list or OCSP server that it can't reach", also=FAILED)
def certificate_check_without_an_answer(s):
    hello(s).server(carried(server_flight())).fin(CLIENT, 15000)


@causes.login("certificate_check_slow", "the client left after 20.000 s without a message, when it had the server's "
              "last message of the TLS handshake: most likely it checked the certificate and waited for a revocation "
              "list or OCSP server that it can't reach, or for a Kerberos ticket", also=FAILED)
def certificate_check_after_the_handshake(s):
    c = s.connection()
    handshake12(c, ON, ON)
    c.rst(CLIENT, 20000)


@causes.login("certificate_refused", "the client left after the server's part of the TLS handshake without sending "
              "LOGIN7, as drivers do that do not trust the server's certificate" + SELF_SIGNED, also=FAILED)
def certificate_refused_in_less_than_a_second(s):
    hello(s).server(carried(server_flight())).fin(CLIENT, 900)


@causes.login("sspi_context", "the client left after the TLS handshake was complete without sending LOGIN7; only the "
              "login was to be encrypted, so no certificate was checked: most likely it could not make its SSPI context "
              "(no Kerberos ticket or NTLM credentials): see the SPN, the client's account and its domain controller",
              also=FAILED)
def no_sspi_context(s):
    c = s.connection()
    handshake12(c, OFF, OFF)
    c.fin(CLIENT, 20)


@causes.login("tls_failed", "the client ended the connection after the TLS handshake", also=FAILED)
def no_login7_and_prelogin_not_seen(s):
    """It is not known whether all was to be encrypted, so neither whether the client checked a certificate."""
    c = s.connection()
    handshake12(c, OFF, OFF)
    c.fin(CLIENT, 20)
    s.packets = s.packets[5:]


@causes.login("sspi_context", "the client left after the TLS handshake was complete without sending LOGIN7 (after "
              "21.006 s); only the login was to be encrypted, so no certificate was checked: most likely it could not "
              "make its SSPI context (no Kerberos ticket or NTLM credentials): see the SPN, the client's account and "
              "its domain controller", also=FAILED)
def no_sspi_context_after_a_while(s):
    c = s.connection()
    handshake12(c, OFF, OFF)
    c.fin(CLIENT, 21000)


@causes.login("tls_alert", "the server ended the TLS handshake with the alert internal_error: see both sides' TLS "
              "settings and logs", also=FAILED)
def some_alert(s):
    refused_by(s, 80)


@causes.login("tds8_not_spoken", "the server ended the TLS handshake with the alert no_application_protocol: the server "
              "does not speak TDS 8.0 (ALPN tds/8.0): Encrypt=Strict needs SQL Server 2022 or later", also=FAILED)
def strict_alert(s):
    c = s.connection().connect().client(client_hello(versions=(TLS13, TLS12), alpn=b"tds/8.0"))
    c.server(alert(120)).fin(SERVER)


@causes.login("tds8_not_spoken", "the server closed on a TLS ClientHello: it does not speak TDS 8.0 (Encrypt=Strict), "
              "which needs SQL Server 2022 or later", also=FAILED)
def strict_to_old_server(s):
    s.connection().connect().client(client_hello(versions=(TLS13, TLS12), alpn=b"tds/8.0")).fin(SERVER)


@causes.login("tds8_not_spoken", "the server closed on a TLS ClientHello: it does not speak TDS 8.0 (Encrypt=Strict), "
              "which needs SQL Server 2022 or later; the client did not name tds/8.0 (ALPN), so it may be no TDS client "
              "at all", also=FAILED)
def https_to_a_server_of_tds7(s):
    s.connection().connect().client(client_hello(versions=(TLS13, TLS12), alpn=b"h2")).fin(SERVER)


@causes.login("tls_refused", "the server closed on the ClientHello, which offers TLS 1.1 at most: no TLS version or "
              "cipher suite in common (see Schannel in the server's system log)", also=FAILED)
def server_closed_on_old_hello(s):
    hello(s, most=TLS11).fin(SERVER)


@causes.login("tls_refused", "the server closed on the ClientHello, which offers TLS 1.3 at most: no TLS version or "
              "cipher suite in common (see Schannel in the server's system log)", also=FAILED)
def server_closed_on_new_hello(s):
    """The highest version is in an extension, whose values include a meaningless one (RFC 8701)."""
    hello(s, versions=(0x7a7a, TLS13, TLS12)).rst(SERVER)


@causes.login("tls_failed", "the server ended the connection in the TLS handshake", also=FAILED)
def server_closed_in_handshake(s):
    hello(s).server(carried(server_flight())).client(carried(client_flight())).fin(SERVER)


@causes.login("tls_failed", "the server ended the connection in the TLS handshake: TLS 1.3 was chosen inside TDS 7, "
              "which can't carry it", also={"outcome": "tls_failed", "tls": {"version": "1.3"}})
def tls13_inside_tds7(s):
    c = hello(s, versions=(TLS13,)).server(carried(record(22, server_hello(by_extension=TLS13)) + record(20, b"\1")))
    c.client(carried(record(20, b"\1"))).rst(SERVER)


@causes.login("tls_not_agreed", "the client began TLS though the server had said that it does not encrypt, and the "
              "server closed: the client misread PRELOGIN", also=FAILED)
def tls_not_agreed(s):
    c = s.connection().connect().client(prelogin(OFF)).server(prelogin_reply(NOT_SUP))
    c.client(carried(client_hello())).fin(SERVER)


# ---- the three combinations of PRELOGIN's values with which no login is possible ------------------

@causes.login("encryption_mismatch", "the client left because of encryption: the client says not_supported, the server "
              "required; the client can't or won't encrypt and the server requires it: switch it on in the client, or "
              "lift Force Encryption", also={"outcome": "abandoned", "encryption": {
                  "client": "not_supported", "server": "required", "effective": "unknown"}})
def client_cannot_encrypt(s):
    s.connection().connect().client(prelogin(NOT_SUP)).server(prelogin_reply(REQ)).fin(CLIENT)


@causes.login("encryption_mismatch", "the server left because of encryption: the client says not_supported, the server "
              "required; the client can't or won't encrypt and the server requires it: switch it on in the client, or "
              "lift Force Encryption", also={"outcome": "dropped"})
def client_cannot_encrypt_server_closes(s):
    s.connection().connect().client(prelogin(NOT_SUP)).server(prelogin_reply(REQ)).fin(SERVER)


@causes.login("encryption_mismatch", "the client left because of encryption: the client says on, the server "
              "not_supported; the client wants encryption and the server has none: give the server a certificate, or "
              "do not ask for encryption", also={"outcome": "abandoned"})
def server_cannot_encrypt(s):
    s.connection().connect().client(prelogin(ON)).server(prelogin_reply(NOT_SUP)).fin(CLIENT)


@causes.login("encryption_mismatch", "the client left because of encryption: the client says required, the server off; "
              "the client wants all encrypted and the server agreed to only the login, which the protocol does not "
              "allow", also={"outcome": "abandoned"})
def server_agrees_to_the_login_alone(s):
    s.connection().connect().client(prelogin(REQ)).server(prelogin_reply(OFF)).rst(CLIENT)
