"""Chapter 21: the launcher ends what it starts, whatever happens; workers are killed, and go on to the same bits."""

import contextlib
import json
import os
import random
import re
import runpy
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
FAST = ["--preload", "tensorflow"] if sys.platform == "linux" else []
TWO = [*FAST, "--workers", "2", "train.py", "digits.npz"]
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
if what == "fall":
    raise RuntimeError("says why")
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


def with_files(tmp_path):
    """Put both files and a worker that is quick to start into a folder; return it."""
    (tmp_path / "launch.py").write_text(CHAPTER["LAUNCH"].replace("GRACE = 20", "GRACE = 1"))
    (tmp_path / "train.py").write_text(CHAPTER["TRAIN"])
    (tmp_path / "quick.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    return with_files(tmp_path)


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
def test_a_failure_is_told_though_the_deadline_comes_before_its_grace(folder):
    (folder / "launch.py").write_text(CHAPTER["LAUNCH"])
    with launched(folder, "--seconds", "19", "--workers", "1", "--preload", "json", "quick.py", "fall") as process:
        assert process.wait() == 1 and "stopped: worker 0 failed" in (out := process.stdout.read()), out
        assert "exit code 1, see logs/worker0.err" in out


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


def test_a_pass_takes_all_images_once_and_the_next_in_another_order():
    names = {"np": np, "BATCH": 120}
    exec(CHAPTER["WORKER_SHARE"], names)
    passes = [np.concatenate([names["share"](step, 600, 0, 1) for step in range(first, first + 5)]) for first in (0, 5, 10)]
    assert all(np.array_equal(np.sort(order), np.arange(600)) for order in passes)
    assert not any(np.array_equal(a, b) for a, b in zip(passes, passes[1:]))


def part_of_the_worker(*names):
    found = {"np": np, "os": os, "BATCH": 120}
    for name in names:
        exec(CHAPTER[name], found)
    return found


def test_a_checkpoint_is_the_old_or_the_new_one(tmp_path, monkeypatch):
    """... also when the disk fails in the middle; the folder is made, and what is wrong is said."""
    worker, path = part_of_the_worker("WORKER_SAVE"), str(tmp_path / "run" / "chief.npz")
    worker["save"](path, [7, np.arange(3)])

    def fail(_):
        raise OSError("no space left")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="cannot save .*chief.npz: no space left"):
        worker["save"](path, [8, np.arange(4)])
    done, numbers = worker["load"](path, [(), (3,)])
    assert done == 7 and [*numbers] == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"garbage" * 20, None])
def test_a_checkpoint_that_is_none_is_named(tmp_path, content):
    worker, path = part_of_the_worker("WORKER_SAVE"), tmp_path / "chief.npz"
    np.savez(path, 7, np.zeros(3)) if content is None else path.write_bytes(content)
    for shapes in [[(), (4,)], [(), (3,), (2,)]]:
        with pytest.raises(ValueError, match="chief.npz is damaged or of another network, delete it"):
            worker["load"](str(path), shapes)


def the_worker(folder, images=600, name="digits.npz"):
    """Return train of the worker's file, and images for it."""
    (x, y), _ = load_mnist()
    np.savez(folder / name, x=x[:images], y=y[:images])
    return runpy.run_path(str(folder / "train.py"))["train"], folder / name


@pytest.mark.parametrize("workers, images, words", [(7, 600, "7 workers cannot share 120 images"), (1, 119, "119 images are less than a batch")])
def test_what_cannot_be_shared_is_refused(folder, monkeypatch, workers, images, words):
    train, data = the_worker(folder, images)
    config = {"cluster": {"worker": [f"localhost:{2000 + i}" for i in range(workers)]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config) if workers > 1 else "")
    with pytest.raises(ValueError, match=words):
        train(data, str(folder / "run"), 2)


def test_where_nothing_can_be_saved_it_does_not_begin(folder, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", "")
    train, data = the_worker(folder)
    (folder / "run").write_text("a file")
    with pytest.raises(OSError, match="cannot save"):
        train(data, str(folder / "run"), 2)
    assert "step" not in capsys.readouterr().out
    train(data, str(folder / "other"), 2)
    with pytest.raises(ValueError, match="has 2 steps already, over 1"):
        train(data, str(folder / "other"), 1)


@posix
def test_workers_with_other_scripts_say_so(folder):
    _, _ = the_worker(folder)
    (folder / "second").mkdir()
    for name in ("launch.py", "digits.npz"):
        (folder / "second" / name).write_bytes((folder / name).read_bytes())
    (folder / "second" / "train.py").write_text(CHAPTER["TRAIN"].replace("0.05, 0.9", "0.06, 0.9"))
    hosts = ",".join(runpy.run_path(str(folder / "launch.py"))["free_addresses"](2))
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(launched(place, *FAST, "--hosts", hosts, "--index", str(index), "--seconds", "100", "train.py", "digits.npz", "run", "3"))
                for index, place in enumerate([folder, folder / "second"])]
        for index, process in enumerate(both):
            out = process.stdout.read()
            assert process.wait() == 1 and "step" not in out and "the workers differ in train.py or the images" in out
            assert f"worker {index} ended with exit code 1, see logs/worker{index}.err" in out


def test_a_taken_port_is_not_given_away(monkeypatch):
    names = {"random": random, "socket": socket}
    exec(CHAPTER["LAUNCH_PORTS"], names)
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        with socket.socket() as other:
            other.bind(("", 0))
            free = other.getsockname()[1]
        monkeypatch.setattr(random, "sample", lambda *_: [taken.getsockname()[1], free])
        assert names["free_addresses"](1) == [f"localhost:{free}"]


@pytest.fixture(scope="module")
def never_hurt(tmp_path_factory):
    """Return what two workers say at the end of a training that nobody disturbs."""
    folder = with_files(tmp_path_factory.mktemp("whole"))
    the_worker(folder)
    with launched(folder, *TWO, "run", "24") as process:
        assert process.wait(240) == 0, process.stdout.read()
    losses = [float(line.split()[-1]) for line in log(folder, 0) if line.startswith("step ")]
    assert len(losses) == 24 and sum(losses[-3:]) < 0.8 * sum(losses[:3])  # it learns
    assert log(folder, 0)[-1].startswith("digest") and log(folder, 0)[-1] == log(folder, 1)[-1]
    return log(folder, 0)[-1]


@posix
@pytest.mark.parametrize("victim, how", [(0, signal.SIGKILL), (1, signal.SIGKILL), (1, signal.SIGTERM)])
def test_a_killed_worker_is_survived(folder, never_hurt, victim, how):
    """End the chief, or the other, in the middle; start again; the weights are those of a training that was not hurt."""
    the_worker(folder)
    with launched(folder, *TWO, "run", "24", "0.2") as process:
        workers = workers_of(process, 2)
        until(lambda: any(line.startswith("step 13:") for line in log(folder, victim)))
        os.kill(workers[victim], how)
        assert process.wait(60) == 1
        assert not any(map(alive, workers))
    said = [log(folder, worker)[-1] for worker in range(2)]
    if how == signal.SIGTERM:
        assert said[0].startswith("saved ") and said[1].startswith("left ")  # only the chief saves
        assert said[0].split()[1] == said[1].split()[1] and (begin := int(said[0].split()[1])) >= 13
    else:
        begin = 20 if any(line.startswith("step 20:") for line in log(folder, 0)) else 10
        assert victim == 0 or said[0] == "error UnavailableError: a partner is gone"
    with launched(folder, *TWO, "run", "24") as process:
        assert process.wait(240) == 0, process.stdout.read()
    assert log(folder, 0)[1] == f"start {begin}"
    assert log(folder, 0)[-1] == log(folder, 1)[-1] == never_hurt


# --- what else the chapter defines -------------------------------------------------------------------------------

@given(st.integers(2, 9), st.integers(0, 40), st.integers(0, 2**32 - 1))
@examples(60)
def test_a_ring_adds_up(N, size, seed):
    rows = np.random.default_rng(seed).normal(size=(N, size)).astype(np.float32)
    rows[:, ::7] *= np.float32(np.inf)  # inf, or inf - inf: all get the same even so
    kept = rows.copy()
    with np.errstate(invalid="ignore"):
        (result, sent), sums = CHAPTER["ring_all_reduce"](rows), rows.sum(axis=0)
    assert np.allclose(result, sums, atol=1e-4, equal_nan=True) and np.array_equal(rows, kept)
    assert all(row.tobytes() == result[0].tobytes() for row in result), "the same bits for all"
    assert abs(sent - 2 * (N - 1) / N * size) <= 2 * (N - 1)


def test_the_model_of_a_step():
    seconds = CHAPTER["step_seconds"]
    assert seconds(1, 0.5, 1e9, 1, 1) == 0.5
    assert np.isclose(seconds(4, 0.4, 8e6, 0, 1e9), 0.1 + 1.5 * 8e-3)


def test_the_table_of_rates_is_what_the_script_wrote():
    runs = json.loads(STORED.read_text())["rates"]["runs"]
    for name, seeds in CHAPTER["SCALED"].items():
        assert [runs[f"{name}, seed {seed}"]["accuracy"] for seed in range(3)] == [*seeds]
    means = {}
    for name, run in runs.items():
        means.setdefault(name.rsplit(", seed", 1)[0], []).append(run["accuracy"])
    means = {name: sum(found) / 3 for name, found in means.items()}

    def best(beginning, warm):
        return max((name for name in means if name.startswith(beginning) and ("warm" in name) == warm), key=means.get)
    for beginning, found, warm in [("batch 64, r", "batch 64, rate 0.04", False), ("batch 512, r", "batch 512, rate 0.0566", False),
                                   ("batch 2048, r", "batch 2048, rate 0.04, warm-up", True),
                                   ("batch 512, 16", "batch 512, 16 passes, rate 0.08", False)]:
        assert best(beginning, warm) == found
    for batch in (64, 512):  # a warm-up changes next to nothing at the best rate; it helps 2,048
        assert abs(means[best(f"batch {batch}, r", True)] - means[best(f"batch {batch}, r", False)]) < 0.001
    assert means[best("batch 2048, r", True)] > means[best("batch 2048, r", False)]
    behind = [round(100 * (means[f"batch 64, rate {rate}"] - means[f"batch 512, rate {8 * rate:g}"]), 1) for rate in (0.0025, 0.005, 0.01, 0.02)]
    assert behind == [0.6, 0.2, 1.0, 1.7] and "within 0.2 points of 64 on average from 0.005, within 0.6 and 1.0 from 0.0025 and 0.01, " \
        "and 1.7 points stay from 0.02" in find_notebook("21").read_text()


def test_the_table_in_the_text_is_that_of_the_proof():
    shown = [[float(number) for number in line.split("|")[4].split()] for line in re.findall(r"\| [\d,]+ \| 0\.[^\\]*", find_notebook("21").read_text())]
    assert len(shown) == len(CHAPTER["SCALED"])
    assert all(np.allclose(row, seeds, atol=0.00051) for row, seeds in zip(shown, CHAPTER["SCALED"].values(), strict=True))
