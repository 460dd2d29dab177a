# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A terminal for a test: a program in tmux, keys in, screens out."""
import os
import subprocess
import tempfile

import netlib as net

WAIT_S = 20


class Terminal:
    """A context: argv runs in a window of that size. When it has ended, its exit status stands in .ended(), and what the
    terminal shows then stays."""
    count = 0

    def __init__(self, argv, width=80, height=24, locale="C.UTF-8", ns=None, env=()):
        Terminal.count += 1
        self.socket = "tdsmon-top-%d-%d" % (os.getpid(), Terminal.count)
        self.pid_file = tempfile.NamedTemporaryFile("r")
        # exec keeps the process id; the shell around it says how it ended.
        self.script = 'sh -c \'echo $$ >%s; exec "$@"\' sh "$@"; status=$?; ' \
            'echo "ended $status" $(stty -a | tr " " "\\n" | grep -x -e echo -e icanon) over; read rest' % self.pid_file.name
        self.argv, self.size, self.ns = list(argv), (width, height), ns
        self.env = dict(os.environ, LC_ALL=locale, TERM="xterm-256color", **dict(env))
        self.env.pop("TMUX", None)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", *args], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=30).stdout.decode()

    def __enter__(self):
        inside = net.inside(self.ns, ["sh", "-c", self.script, "sh", *self.argv])
        said = self.tmux("new-session", "-d", "-x", str(self.size[0]), "-y", str(self.size[1]), *inside)
        if said:
            raise RuntimeError("tmux: " + said)
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")
        self.pid_file.close()

    def pid(self):
        return int(net.wait_for(lambda: open(self.pid_file.name, encoding="ascii").read().strip(), WAIT_S) or 0)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait(self, *texts, without=()):
        """The screen, once all these texts are on it and those of without are not; or None."""
        def there():
            screen = self.screen()
            return all(t in screen for t in texts) and not any(t in screen for t in without) and screen

        return net.wait_for(there, WAIT_S) or None

    def lacks(self, *texts, without=()):
        """None once these texts are on the screen, else why not."""
        if self.wait(*texts, without=without):
            return None
        return "no %s%s on the screen:\n%s" % (texts, " or still %s" % (without,) if without else "", self.screen())

    def ended(self):
        """(exit status, whether the terminal echoes and edits lines again); None: it has not ended."""
        screen = self.wait("ended ", " over")
        if not screen:
            return None
        words = screen[screen.index("ended "):].split()
        return int(words[1]), "echo" in words and "icanon" in words
