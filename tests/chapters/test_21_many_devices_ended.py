"""Chapter 21: who ends a launch from outside (a terminal, a parent, a notebook's kernel) leaves no process of it and no open port.

That the launcher itself ends what it started, whichever signal it gets, is tested beside the rest of it.
"""

import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from conftest import ROOT, find_notebook
from jupyter_client.manager import KernelManager
from processes import Marked, closed, listeners, until

from tools.make.scripts import write_scripts

# A worker that only takes its port and waits: it starts in a tenth of a second.
WAITS = """
import json, os, socket, time
config = json.loads(os.environ["TF_CONFIG"])
port = int(config["cluster"]["worker"][config["task"]["index"]].rsplit(":")[-1])
server = socket.create_server(("", port))
print("listens", flush=True)
while True:
    time.sleep(1)
"""
LAUNCHER = [sys.executable, "launch.py", "--workers", "3", "waits.py"]


@pytest.fixture
def marked():
    with Marked() as marked:
        yield marked


@pytest.fixture
def folder(tmp_path):
    folder = write_scripts(tmp_path / "scripts")
    (folder / "waits.py").write_text(WAITS)
    return folder


def begin(command, folder, marked, **more):
    return subprocess.Popen(command, cwd=folder, env=marked.env, **{"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL,
                                                                    "stderr": subprocess.DEVNULL, **more})


def all_listen(marked, workers=3):
    assert until(lambda: len(marked.listening()) >= workers, 20)
    return marked.listening()


@pytest.mark.parametrize("tied", [True, False], ids=["as it is", "with the tie removed"])
def test_these_tests_can_see_a_worker_that_stays(tied, folder, marked):
    text = (folder / "launch.py").read_text()
    assert text.count("    tie_to_launcher()\n") == 1
    if not tied:
        (folder / "launch.py").write_text(text.replace("    tie_to_launcher()\n", ""))
    launcher = begin(LAUNCHER, folder, marked)
    ports = all_listen(marked)
    launcher.kill()
    launcher.wait()
    assert marked.gone(5 if tied else 1) == tied
    assert closed(ports) if tied else ports <= listeners()


IN_TERMINAL = pytest.mark.skipif(sys.platform != "linux", reason="`setsid --ctty` gives a process a terminal on Linux")


@IN_TERMINAL
@pytest.mark.parametrize("how", ["Ctrl+C", "Ctrl+C twice", "closed"])
def test_in_a_terminal(how, folder, marked):
    ours, theirs = os.openpty()
    launcher = begin(["setsid", "--ctty", *LAUNCHER], folder, marked, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        ports = all_listen(marked)
        if how != "closed":
            for _ in how.split()[1:] or [""]:
                os.write(ours, b"\x03")
            assert launcher.wait(5)
            said = os.read(ours, 100_000).decode()
            assert how != "Ctrl+C" or "interrupted" in said and "Traceback" not in said
    finally:
        os.close(ours)
    assert launcher.wait(5) and marked.gone() and closed(ports)


# What a notebook does: starts the launcher, tied to itself, and waits. `python -c` starts in no time.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
child.wait()
"""


@pytest.mark.parametrize("seconds", [0.03, 0.1, 0.2, 0.3, 0.5, None])
def test_who_started_the_launcher_is_killed(seconds, folder, marked):
    """... so many seconds after the start, or when all workers listen."""
    parent = begin([sys.executable, "-c", PARENT, "launch.py", "--tied", *LAUNCHER[2:]], folder, marked)
    if seconds is None:
        all_listen(marked)
    else:
        time.sleep(seconds)
    ports = marked.listening()
    parent.kill()
    parent.wait()
    assert marked.gone() and closed(ports)


@pytest.mark.parametrize("seconds", [0, 0.001, 0.003, 0.01, 0.03])
def test_a_second_interrupt_soon_after_the_first(seconds, folder, marked):
    """As a notebook sends it: one to all of its group, one because its end of the tie is closed."""
    launcher = begin(LAUNCHER, folder, marked)
    ports = all_listen(marked)
    launcher.send_signal(signal.SIGINT)
    time.sleep(seconds)
    launcher.send_signal(signal.SIGINT)
    assert marked.gone() and closed(ports)
    launcher.wait()


def test_started_where_nobody_can_interrupt(folder, marked):
    """A shell's `&` in a script starts a process that ignores SIGINT; the launcher must not."""
    script = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", PARENT, "launch.py", "--tied", *LAUNCHER[2:]]
    parent = begin(script, folder, marked)
    ports = all_listen(marked)
    parent.kill()
    parent.wait()
    assert marked.gone() and closed(ports)


# --- the notebook --------------------------------------------------------------------------------------------------

class Notebook:
    """The chapter in a kernel of its own, in an empty folder with data/ beside it."""

    def __init__(self, folder, marked):
        (folder / "notebooks").mkdir()
        (folder / "data").symlink_to(ROOT / "data")
        self.marked = marked
        self.cells = [cell.source for cell in nbformat.read(find_notebook("21"), as_version=4).cells if cell.cell_type == "code"]
        self.manager = KernelManager()
        self.manager.start_kernel(cwd=str(folder / "notebooks"), env=marked.env)
        self.pid = self.manager.provisioner.pid
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, source, stop=lambda: False, seconds=120):
        """Run a cell; return its status, or None as soon as `stop()` is true."""
        message, end = self.client.execute(source), time.monotonic() + seconds
        while not stop():
            assert time.monotonic() < end, source
            try:
                reply = self.client.get_shell_msg(timeout=0.2)
            except Exception as error:
                if type(error).__name__ != "Empty":
                    raise
                continue
            if reply["parent_header"].get("msg_id") == message:
                return reply["content"]["status"]

    def workers_listen(self):
        """Say whether two processes that the kernel has started listen, and are in the middle of it."""
        found = [p for p in self.marked.alive() if p.pid != self.pid and any(c.status == "LISTEN" for c in p.net_connections("tcp"))]
        return len(found) >= 2

    def to_launch(self):
        """Run cell after cell until two workers listen; return the cell that launched them."""
        for source in self.cells:
            if self.run(source, self.workers_listen) is None:
                return source
        raise AssertionError("no cell of the chapter launched two workers")


def test_the_kernel_is_interrupted_and_then_killed_in_the_middle_of_a_launch(tmp_path, marked):
    notebook = Notebook(tmp_path, marked)
    try:
        source = notebook.to_launch()
        notebook.manager.interrupt_kernel()
        assert until(lambda: {p.pid for p in marked.alive()} == {notebook.pid}, 10), [p.cmdline() for p in marked.alive()]
        # the kernel goes on (what is sent before it has ended the interrupted cell, it may put aside)
        assert until(lambda: notebook.run("assert 1 + 1 == 2") == "ok", 10)

        assert notebook.run(source, notebook.workers_listen) is None
        ports = marked.listening()
        os.kill(notebook.pid, signal.SIGKILL)
        assert marked.gone(10) and closed(ports)
    finally:
        notebook.close()
