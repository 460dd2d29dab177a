# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Error logs as SQL Server writes them."""
import datetime

WHY = {5: "Could not find a login matching the name provided.",
       8: "Password did not match that for the login provided.",
       38: "Failed to open the explicitly specified database 'nope'.",
       58: "An attempt to login using SQL authentication failed. Server is configured for Integrated "
           "authentication only."}
# (encoding, byte order mark, line end)
FORMS = {"utf-16 with a mark, CR LF": ("utf-16-le", b"\xff\xfe", "\r\n"), "utf-16, LF": ("utf-16-le", b"", "\n"),
         "utf-8, LF": ("utf-8", b"", "\n"), "utf-8 with a mark, CR LF": ("utf-8", b"\xef\xbb\xbf", "\r\n")}


def seconds(rfc3339):
    """Seconds since 1970 of a record's time."""
    whole = datetime.datetime.fromisoformat(rfc3339[:19] + "+00:00")
    return whole.timestamp() + float("0" + rfc3339[19:-1])


def stamp(when_s, offset_s):
    """A log's time: local, to 10 ms."""
    local = datetime.datetime.fromtimestamp(round(when_s, 2) + offset_s, datetime.timezone.utc)
    return local.strftime("%Y-%m-%d %H:%M:%S.") + "%02d" % (local.microsecond // 10000)


class Log:
    """The lines of a log; offset_s: local time less UTC, as the line of the adjustment says; None: it has none."""

    def __init__(self, begin_s, offset_s=-18000, host_offset_s=0):
        self.offset_s = host_offset_s if offset_s is None else offset_s
        self.lines = []
        self.line(begin_s, "Server", "Microsoft SQL Server 2022 (RTM) - 16.0.1000.6 (X64)\n\tOct  8 2022\n\tCopyright")
        if offset_s is not None:
            self.line(begin_s, "Server", "UTC adjustment: %s%d:%02d" % (
                "-" * (offset_s < 0), abs(offset_s) // 3600, abs(offset_s) % 3600 // 60))

    def line(self, when_s, source, text):
        self.lines.append("%s %-11s %s" % (stamp(when_s, self.offset_s), source, text))
        return self

    def error(self, when_s, number, state, message, severity=14):
        self.line(when_s, "Logon", "Error: %d, Severity: %d, State: %d." % (number, severity, state))
        return self.line(when_s, "Logon", message)

    def failed(self, when_s, client, state=8, user="app", why=None):
        return self.error(when_s, 18456, state, "Login failed for user '%s'. Reason: %s [CLIENT: %s]" %
                          (user, why or WHY.get(state, "Other."), client))

    def broken_off(self, when_s, client, total_ms=15003):
        names = ("total", "enqueued", "network writes", "network reads", "establishing SSL", "network reads during SSL",
                 "network writes during SSL", "secure calls during SSL", "enqueued during SSL", "negotiating SSPI",
                 "network reads during SSPI", "network writes during SSPI", "secure calls during SSPI",
                 "enqueued during SSPI", "validating login", "including user-defined login processing")
        times = [total_ms] + [i for i in range(13)] + [total_ms - 20, 7]
        self.line(when_s, "Logon", "Error: 17830, Severity: 20, State: 11.")
        return self.line(when_s, "Logon", "Network error code 0x2746 occurred while establishing a connection; the "
                         "connection has been closed. This may have been caused by client or server login timeout "
                         "expiration. Time spent during login: " +
                         ", ".join("%s %d ms" % pair for pair in zip(names, times)) + ". [CLIENT: %s]" % client)

    def stalled(self, when_s, for_s=60):
        self.line(when_s, "Server", "Error: 17884, Severity: 10, State: 1.")
        return self.line(when_s, "Server", "New queries assigned to process on Node 0 have not been picked up by a worker "
                         "thread in the last %d seconds. SQL Process Utilization: 0%%. System Idle: 92%%." % for_s)

    def bytes(self, form="utf-16 with a mark, CR LF"):
        encoding, mark, end = FORMS[form]
        return mark + "".join(line + "\n" for line in self.lines).replace("\n", end).encode(encoding)
