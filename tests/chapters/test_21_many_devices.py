"""Chapter 21: the launcher ends what it starts, whatever happens; workers are killed, and go on to the same bits."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook
from tools.make.data import load_mnist

CHAPTER = definitions("21")
STORED = ROOT / "data" / "devices.json"
ANY = ["--preload", "json"], []  # workers forked, and workers started afresh
posix = pytest.mark.skipif(os.name != "posix", reason="signals")

# A worker without TensorFlow: it says who it is, and does what its first argument says.
SCRIPT = """
import json, os, signal, sys, time
index = json.loads(os.environ.get("TF_CONFIG", '{"task": {"index": 0}}'))["task"]["index"]
what, *others = sys.argv[1:]
print("here", index, others, flush=True)
if what == "stay" or what == "fail" and index == 0:
    time.sleep(300)
if what == "fail":
    sys.exit(7)
if what == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("ignores", flush=True)
    time.sleep(300)
if what == "listen":
    import socket
    port = int(json.loads(os.environ["TF_CONFIG"])["cluster"]["worker"][index].split(":")[1])
    listener = socket.create_server(("", port))
    print("listens", port, flush=True)
    time.sleep(300)
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with both files, the images and a worker that is quick to start."""
    (tmp_path / "launch.py").write_text(CHAPTER["LAUNCH"].replace("GRACE = 20", "GRACE = 1"))
    (tmp_path / "train.py").write_text(CHAPTER["TRAIN"])
    (tmp_path / "quick.py").write_text(SCRIPT)
    return tmp_path


@contextlib.contextmanager
def launched(folder, *arguments, deaf=False):
    """Start the launcher; `deaf` as from a shell's background, where SIGINT is ignored."""
    with subprocess.Popen([sys.executable, "launch.py", *arguments], cwd=folder, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if deaf else None) as process:
        try:
            yield process
        finally:
            process.kill()


def workers_of(process, n):
    """Return the process ids that the launcher's first lines name."""
    return [int(re.search(r"process (\d+)", process.stdout.readline())[1]) for _ in range(n)]


def alive(pid):
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:  # no /proc: it answered the signal
        return sys.platform != "linux"
    except ProcessLookupError:
        return False


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "too late"
        time.sleep(0.02)
    return found


def log(folder, worker, logs="logs"):
    path = folder / logs / f"worker{worker}.log"
    return path.read_text().splitlines() if path.exists() else []


# --- the launcher ------------------------------------------------------------------------------------------------

@posix
@pytest.mark.parametrize("preload", ANY)
def test_all_end_well(folder, preload):
    with launched(folder, "--workers", "3", *preload, "quick.py", "go", "--workers", "9") as process:
        out = process.stdout.read()
        assert process.wait() == 0 and out.splitlines()[-1] == "all ended well"
    assert [log(folder, i) for i in range(3)] == [[f"here {i} ['--workers', '9']"] for i in range(3)]


@posix
@pytest.mark.parametrize("preload", ANY)
def test_one_that_fails_ends_the_others(folder, preload):
    with launched(folder, "--workers", "2", *preload, "quick.py", "fail") as process:
        workers = workers_of(process, 2)
        assert "worker 1 ended with exit code 7" in (out := process.stdout.read()) and "stopped: worker 1 failed" in out
        assert process.wait() == 1 and not any(map(alive, workers))


@posix
@pytest.mark.parametrize("preload", ANY)
def test_the_deadline_ends_all(folder, preload):
    with launched(folder, "--seconds", "1.5", "--workers", "2", *preload, "quick.py", "stay") as process:
        workers = workers_of(process, 2)
        assert "stopped: 1.5 seconds are over" in process.stdout.read()
        assert process.wait() == 1 and not any(map(alive, workers))


@posix
@pytest.mark.parametrize("preload", ANY)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, "tie", "tie, deaf"])
def test_nobody_outlives_the_launcher(folder, preload, how):
    """However it ends; the workers ignore SIGTERM, and one listens at its port no longer."""
    with launched(folder, "--tied", "--workers", "2", *preload, "quick.py", "stubborn", deaf=how == "tie, deaf") as process:
        workers = workers_of(process, 2)
        until(lambda: all(log(folder, i)[-1:] == ["ignores"] for i in range(2)))
        process.stdin.close() if isinstance(how, str) else process.send_signal(how)
        process.wait(60)
        until(lambda: not any(map(alive, workers)), 10)


@posix
def test_no_port_stays_open(folder):
    with launched(folder, "--workers", "2", "quick.py", "listen") as process:
        workers_of(process, 2)
        until(lambda: all(log(folder, i)[1:] for i in range(2)))
        ports = [int(log(folder, i)[1].split()[1]) for i in range(2)]
        for port in ports:
            socket.create_connection(("localhost", port)).close()
    for port in ports:
        until(lambda port=port: refuses(port), 10)


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("arguments", [[], ["--workers", "0", "quick.py"], ["--workers", "two", "quick.py"], ["--hosts", "a:1,b:2", "quick.py"],
                                       ["--hosts", "a:1,b:2", "--index", "2", "quick.py"], ["--workers", "2"]])
def test_a_wrong_line_is_explained(folder, arguments):
    with launched(folder, *arguments) as process:
        assert "usage:" in process.stdout.read() and process.wait() == 2


def test_one_of_several_prints_to_its_terminal(folder):
    with launched(folder, "--hosts", "a:1,b:2,c:3", "--index", "2", "quick.py", "go") as process:
        assert "here 2 []" in process.stdout.read() and process.wait() == 0


def test_an_error_in_the_script_is_kept(folder):
    (folder / "broken.py").write_text("import no_such_module")
    with launched(folder, "--workers", "1", "broken.py") as process:
        assert process.wait() == 1
    assert "no_such_module" in (folder / "logs" / "worker0.err").read_text()


# --- the worker --------------------------------------------------------------------------------------------------

@given(st.integers(0, 500), st.integers(120, 1500), st.sampled_from([1, 2, 3, 4, 5, 6, 8, 10, 12, 120]))
@examples(60)
def test_workers_share_what_one_would_take(step, size, workers):
    names = {"np": np, "BATCH": 120}
    exec(CHAPTER["WORKER_SHARE"], names)
    parts = [names["share"](step, size, task, workers) for task in range(workers)]
    assert np.array_equal(np.concatenate(parts), names["share"](step, size, 0, 1)) and {*map(len, parts)} == {120 // workers}
    assert len(np.unique(np.concatenate(parts))) == 120


@posix
@pytest.mark.parametrize("victim, how", [(0, signal.SIGKILL), (1, signal.SIGKILL), (1, signal.SIGTERM)])
def test_a_killed_worker_is_survived(folder, victim, how):
    """End the chief, or the other, in the middle; start again; the weights are those of a training that was not hurt."""
    (x, y), _ = load_mnist()
    np.savez(folder / "digits.npz", x=x[:600], y=y[:600])
    fast = ["--preload", "tensorflow"] if sys.platform == "linux" else []
    line = [*fast, "--workers", "2", "train.py", "digits.npz"]
    with launched(folder, "--logs", "whole", *line, "whole_run", "24") as process:
        assert process.wait(240) == 0, process.stdout.read()
    with launched(folder, *line, "run", "24", "0.2") as process:
        workers = workers_of(process, 2)
        until(lambda: "step 13" in log(folder, victim))
        os.kill(workers[victim], how)
        assert process.wait(60) == 1
        assert not any(map(alive, workers))
    said = [log(folder, worker)[-1] for worker in range(2)]
    if how == signal.SIGTERM:
        assert said[0] == said[1] and (begin := int(said[0].removeprefix("saved "))) >= 13
    else:
        begin = 20 if "step 20" in log(folder, 0) else 10
    with launched(folder, *line, "run", "24") as process:
        assert process.wait(240) == 0, process.stdout.read()
    assert log(folder, 0)[1] == f"start {begin}"
    last = log(folder, 0)[-1]
    assert last.startswith("digest") and {last} == {log(folder, 1)[-1], log(folder, 0, "whole")[-1], log(folder, 1, "whole")[-1]}


# --- what else the chapter defines -------------------------------------------------------------------------------

@given(st.integers(2, 9), st.integers(0, 40), st.integers(0, 2**32 - 1))
@examples(60)
def test_a_ring_adds_up(N, size, seed):
    rows = np.random.default_rng(seed).normal(size=(N, size)).astype(np.float32)
    kept = rows.copy()
    result, sent = CHAPTER["ring_all_reduce"](rows)
    assert np.allclose(result, rows.sum(axis=0), atol=1e-4) and np.array_equal(rows, kept)
    assert all(np.array_equal(row, result[0]) for row in result), "the same bits for all"
    assert abs(sent - 2 * (N - 1) / N * size) <= 2 * (N - 1)


def test_the_model_of_a_step():
    seconds = CHAPTER["step_seconds"]
    assert seconds(1, 0.5, 1e9, 1, 1) == 0.5
    assert np.isclose(seconds(4, 0.4, 8e6, 0, 1e9), 0.1 + 1.5 * 8e-3)


@pytest.mark.skipif(not STORED.exists(), reason="not measured yet")
def test_the_table_of_rates_is_what_the_script_wrote():
    runs = json.loads(STORED.read_text())["rates"]["runs"]
    for name, seeds in CHAPTER["SCALED"].items():
        assert [runs[f"{name}, seed {seed}"]["accuracy"] for seed in range(3)] == [*seeds]
    means = {}
    for name, run in runs.items():
        means.setdefault(name.rsplit(", seed", 1)[0], []).append(run["accuracy"])
    for beginning, best in [("batch 64, r", "batch 64, rate 0.04"), ("batch 512, r", "batch 512, rate 0.0566"),
                            ("batch 2048, r", "batch 2048, rate 0.04, warm-up"), ("batch 512, 16", "batch 512, 16 passes, rate 0.08")]:
        assert max((name for name in means if name.startswith(beginning)), key=lambda name: sum(means[name])) == best


def test_the_table_in_the_text_is_that_of_the_proof():
    shown = [[float(number) for number in line.split("|")[4].split()] for line in re.findall(r"\| [\d,]+ \| 0\.[^\\]*", find_notebook("21").read_text())]
    assert len(shown) == len(CHAPTER["SCALED"])
    assert all(np.allclose(row, seeds, atol=0.00051) for row, seeds in zip(shown, CHAPTER["SCALED"].values(), strict=True))
