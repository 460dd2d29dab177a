# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Run build/tests/tds-server for a test."""
import os
import subprocess


class Server:
    """A context: with Server(build, "--encrypt", "on") as s: s.port is where it listens."""

    def __init__(self, build, *options, listen="127.0.0.1:0", prefix=()):
        self.argv = list(prefix) + [os.path.join(build, "tests", "tds-server"),
                                    "--listen", listen] + list(options)
        self.process = self.port = None
        self.counts = {}

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            self.process.kill()
            raise RuntimeError("tds-server does not listen")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def stop(self):
        """End the server. Its counts (connections, logins, refused, ...) are in self.counts."""
        if self.process.poll() is None:
            self.process.terminate()
        words = self.process.communicate(timeout=10)[0].split()
        self.counts = dict(zip(words[::2], map(int, words[1::2])))
        return self.process.returncode

    def __exit__(self, *_):
        self.stop()
