"""What a test has started it finds again, whoever its parent is by now: by a mark in its environment."""

import contextlib
import os
import time
import uuid
from pathlib import Path

import psutil


class Marked:
    """An environment with a mark that all inherit; with `with`, none of them outlives the block."""

    def __init__(self):
        self.mark = uuid.uuid4().hex
        # not what a worker of pytest has for itself
        self.env = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"} | {
            "LEFT_BEHIND": self.mark, "PYTHONUNBUFFERED": "1"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.alive():
            process.kill()

    def alive(self):
        """Return the processes that live and have the mark."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("LEFT_BEHIND") == self.mark and process.status() != "zombie":
                    found.append(process)
            except psutil.Error:
                pass  # it has ended, or belongs to another user
        return found

    def listening(self):
        """Return {port} on which one of them waits for somebody to connect."""
        ports = set()
        for process in self.alive():
            with contextlib.suppress(psutil.Error):
                ports |= {c.laddr.port for c in process.net_connections("tcp") if c.status == "LISTEN"}
        return ports

    def gone(self, seconds=5):
        """Say whether all have ended before the seconds are over; who has not is said."""
        if not until(lambda: not self.alive(), seconds):
            print("left behind:", [(p.pid, p.ppid(), " ".join(p.cmdline())[:150]) for p in self.alive()])
            return False
        return True


def until(what, seconds):
    """Wait until `what()` is true; return it, or what it was at the end."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def listeners():
    """Return all ports of this machine on which somebody listens, as the kernel of Linux says it."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if Path(table).exists():
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            found |= {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}
    return found


def closed(ports, seconds=5):
    """Say whether nobody listens on these ports, at once or before the seconds are over."""
    return until(lambda: not ports & listeners(), seconds)
