"""Chapter 21's scripts on two hosts, each a network namespace: its own address, its own disk, a cable between them.

What they have in common is this machine's processors, and nothing of its network: there is no
loopback from one to the other. Where the rights for that are missing, these tests are skipped.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import settings
from processes import Marked, until

from tools.make.scripts import write_scripts

ADDRESSES = ["10.91.7.1", "10.91.7.2"]
DEADLINE = 60  # seconds; the launcher's own


class Host:
    """A network namespace, which lives as long as the process that holds it."""

    def __init__(self, enter, address):
        """`enter` is the command that makes a new one; what it holds ends with its standard input."""
        self.address = address
        self.holder = subprocess.Popen([*enter, "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "ready\n":
            raise PermissionError(self.holder.communicate()[1].strip())

    def inside(self, *command):
        """Return the command line that runs `command` there."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.holder.pid), *user, "--net", *command]

    def ip(self, words):
        subprocess.run(self.inside("ip", *words.split()), check=True, capture_output=True, text=True)

    def close(self):
        self.holder.communicate()


@pytest.fixture(scope="module")
def hosts():
    missing = [name for name in ("unshare", "nsenter", "ip") if not shutil.which(name)]
    if missing:
        pytest.skip(f"network namespaces want Linux and the commands {', '.join(missing)}")
    with contextlib.ExitStack() as stack:
        try:
            new = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
            found = [Host(new, ADDRESSES[0])]
            stack.callback(found[0].close)
            found.append(Host(found[0].inside("unshare", "--net"), ADDRESSES[1]))
            stack.callback(found[1].close)
            found[0].ip(f"link add cable type veth peer name cable netns {found[1].holder.pid}")
            for host in found:
                host.ip(f"addr add {host.address}/24 dev cable")
                host.ip("link set cable up")
                host.ip("link set lo up")
        except (PermissionError, subprocess.CalledProcessError) as error:
            pytest.skip(f"this user may not make network namespaces here: {getattr(error, 'stderr', None) or error}")
        yield found


class Pair:
    """One launcher on each host, started at the same time in folders of their own."""

    def __init__(self, hosts, folders, marked, *arguments):
        self.outputs, self.launchers = [folder / "output" for folder in folders], []
        names = ",".join(f"{address}:5001" for address in ADDRESSES)
        for index, (host, folder) in enumerate(zip(hosts, folders)):
            with open(self.outputs[index], "w") as out:
                self.launchers.append(subprocess.Popen(
                    host.inside(sys.executable, "launch.py", "--hosts", names, "--index", str(index), "--seconds", str(DEADLINE),
                                "train.py", "digits.npz", "checkpoints", *map(str, arguments)),
                    cwd=folder, env=marked.env | {"TF_NUM_INTRAOP_THREADS": "1"}, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT))

    def said(self, index):
        return self.outputs[index].read_text()

    def reach(self, step):
        assert until(lambda: all(f"step {step}:" in self.said(i) for i in (0, 1)), DEADLINE), [self.said(0), self.said(1)]

    def end(self):
        """Return the exit codes, and the seconds until the last of them."""
        begin = time.monotonic()
        codes = [launcher.wait(DEADLINE + 20) for launcher in self.launchers]
        return codes, time.monotonic() - begin


@pytest.fixture
def marked():
    with Marked() as marked:
        yield marked


@pytest.fixture
def folders(tmp_path):
    return [write_scripts(tmp_path / name) for name in ("first", "second")]


def digests(text):
    return re.findall(r"^digest (\w+)$", text, re.MULTILINE)


def test_a_worker_killed_on_one_host_ends_the_other_and_both_go_on_to_the_same_digest(hosts, folders, marked, tmp_path):
    folder = write_scripts(tmp_path / "both")
    reference = Pair(hosts, folders, marked, 1000, 0.05)
    reference.reach(13)
    worker = int(re.search(r"worker 1 of 2: process (\d+)", reference.said(1))[1])
    os.kill(worker, signal.SIGKILL)
    codes, seconds = reference.end()
    print(f"worker 1 was killed; the others had ended {seconds:.1f} s later")
    assert codes == [1, 1] and seconds < DEADLINE / 2
    assert "error UnavailableError: a partner is gone" in reference.said(0) and "worker 1 ended by SIGKILL" in reference.said(1)
    assert marked.gone()

    assert not (folders[1] / "checkpoints").exists()  # hosts share no disk, and only the chief's counts
    again = Pair(hosts, folders, marked, 24)
    codes, _ = again.end()
    assert codes == [0, 0], [again.said(0), again.said(1)]
    assert all("start 10\n" in again.said(i) for i in (0, 1))  # checkpoints are made every 10 steps
    here = subprocess.run([sys.executable, "launch.py", "--workers", "2", "train.py", "digits.npz", "checkpoints", "24"],
                          cwd=folder, env=marked.env, capture_output=True, text=True, timeout=DEADLINE)
    assert here.returncode == 0, here.stdout + here.stderr
    found = [digests(again.said(0)), digests(again.said(1)), *(digests((folder / "logs" / f"worker{i}.log").read_text()) for i in (0, 1))]
    assert found == [found[0]] * 4 and len(found[0]) == 1  # as if nothing had happened, and as on one machine
    assert marked.gone()


WAYS = ["pulled out", *["all packets lost"] * (settings.get_current_profile_name() == "explore")]  # alike: the second weekly


@pytest.mark.parametrize("silent", [way != "pulled out" for way in WAYS], ids=WAYS)
def test_a_cut_cable_ends_both_before_the_deadline(hosts, folders, marked, silent):
    pair = Pair(hosts, folders, marked, 100_000, 0.02)
    pair.reach(5)
    try:
        if silent:  # to an address that no network card has: nobody is told
            for host, other in zip(hosts, hosts[::-1]):
                host.ip(f"neigh replace {other.address} lladdr 02:00:00:00:00:99 dev cable nud permanent")
        else:
            hosts[1].ip("link set cable down")
        codes, seconds = pair.end()
    finally:
        if silent:
            for host, other in zip(hosts, hosts[::-1]):
                host.ip(f"neigh del {other.address} dev cable")
        else:
            hosts[1].ip("link set cable up")
    print(f"the cable was cut; both had ended {seconds:.1f} s later:", [re.findall(r"error (\w+)", pair.said(i)) for i in (0, 1)])
    # TensorFlow takes a worker for dead that it has not heard for ten seconds; the launcher waits much longer
    assert codes == [1, 1] and seconds < DEADLINE / 2
    assert all(re.search(r"error (Unavailable|DeadlineExceeded)Error", pair.said(i)) for i in (0, 1))
    assert marked.gone()
