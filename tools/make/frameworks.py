"""Measure the book's TensorFlow beside Keras, PyTorch and JAX; write data/frameworks.json.

    python -m tools.make.frameworks table        the stored figures; runs nothing
    python -m tools.make.frameworks              everything (half an hour of two idle cores)
    python -m tools.make.frameworks steps        only that part

steps      milliseconds of a training step of CS 20's network (3,274,634 numbers, batches of 128,
           Adam 0.001, dropout), every kind of training in every framework; and a matrix product
accuracy   seconds to each mark of the test set with chapter 14's recipes, three seeds (what is
           missing of it); the test set is looked at when the clock has stopped. keras.io's example:
           the seconds of an epoch, measured here, times its epochs in data/ladder.json
profile    where the time of the book's loop goes, as it is and tuned, by TensorFlow's profiler
changes    the same loop with one change after the other, and under other settings
gpu        what others.py printed on a machine with a GPU, kept by hand: never made here

PyTorch and JAX live in environments of their own under _build/frameworks/, made when missing.
All frameworks run at once, each in a process of its own, and wait for their turn: a round measures
each kind once, so that no one gets the quiet minutes. A measurement is made again while other
programs take more than a twentieth of the machine; the quietest counts. On a machine that does not
rest, `taskset -c 0 make bench-frameworks` allows one core, and counts its processor time, which
leaves other programs out. The first two parts make sure that all have the same network: the same
logits, and the same losses of three steps without dropout, from the same first weights.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import psutil

from tools.book.files import ROOT
from tools.make.machine import busy_seconds, machine
from tools.make.others import PRODUCTS, RECIPES, cores
from tools.make.tables import asked_for, read, write

OUTPUT = ROOT / "data" / "frameworks.json"
HOME = ROOT / "_build" / "frameworks"
HERE = pathlib.Path(__file__).parent
MFLOP = 82.05  # of training on one image: 3 x 13.88 million multiply-adds, less conv1's input
BATCH, WEIGHTS = 128, 3_274_634
SEEDS, ROUNDS, COUNT = (0, 1, 2), 7, 4
MARKS = tuple(RECIPES)
FRAMEWORKS = ("TensorFlow", "PyTorch", "JAX")


class Worker:
    """A process that holds one framework, and answers questions about it."""

    def __init__(self, name, command):
        self.name, self.log = name, HOME / f"{name}.log"
        HOME.mkdir(parents=True, exist_ok=True)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, text=True, cwd=ROOT)

    def ask(self, *question):
        """Return the answer; RuntimeError with the framework's name and its trouble."""
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} ended: see {self.log}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(f"{self.name}: {reply['error']}")
        return reply["answer"]

    def ask_in_quiet(self, *question, tries=4, limit=0.05):
        """Return (answer, share of the machine that others took): the quietest of a few tries."""
        found = []
        for _ in range(tries):
            wait_for_quiet()
            before, start = self.others_seconds(), time.perf_counter()
            answer = self.ask(*question)
            wall = time.perf_counter() - start
            taken = (self.others_seconds() - before) / wall / os.cpu_count()
            found.append((answer, round(taken, 3)))
            if taken <= limit or cores() == 1:
                break
        return min(found, key=lambda pair: pair[1])

    def others_seconds(self):
        """Return the processor seconds of all but this process until now."""
        return busy_seconds() - busy_seconds(self.process.pid)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_for_quiet(most=10, seconds=5):
    """Wait until all programs take less than `most` % of the machine, but not longer than that."""
    for _ in range(seconds * 4 if cores() > 1 else 0):
        if psutil.cpu_percent(0.25) < most:
            return


@contextlib.contextmanager
def noted(failed, name):
    """Print the trouble of what stands in the `with` block, and note it: {name: trouble}."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        failed[name] = str(error)
        print(error, file=sys.stderr, flush=True)


def environment(name):
    """Return the Python of the environment for "torch" or "jax", made where it is missing."""
    wanted, home = HERE / f"{name}.txt", HOME / name
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, text = home / "made-of", wanted.read_text()
    if not stamp.exists() or stamp.read_text() != text:
        print(f"Making {home.relative_to(ROOT)}, an environment with {name} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
                        "-r", wanted], check=True)
        stamp.write_text(text)
    return python


def commands():
    """Return {framework: how to start its worker, or why that is impossible}."""
    found = {"TensorFlow": [sys.executable, "-m", "tools.make.ours"]}
    for name, module in {"PyTorch": "torch", "JAX": "jax"}.items():
        try:
            found[name] = [str(environment(module)), str(HERE / "others.py"), module, "serve"]
        except (OSError, subprocess.CalledProcessError) as error:
            found[name] = f"no environment: {error}"
    return found


def start(todo):
    """Return ({framework: Worker}, {framework: trouble}) of those that answer."""
    workers, failed = {}, {}
    for name, command in todo.items():
        with noted(failed, name):
            if isinstance(command, str):
                raise RuntimeError(f"{name}: {command}")
            worker = Worker(name, command)
            worker.about = worker.ask("about")
            workers[name] = worker
    return workers, failed


def each(workers, failed, *question):
    """Return {framework: answer}; one that fails is named in `failed`, and the others go on."""
    answers = {}
    for name, worker in workers.items():
        with noted(failed, name):
            answers[name] = worker.ask(*question)
    return answers


def compare(checks, logits=1e-4, loss=1e-3):
    """Return how far apart logits and losses are; ValueError where that is too far."""
    apart, first = {"logits": 0.0, "losses": 0.0}, next(iter(checks))
    for name, check in checks.items():
        if check["weights"] != WEIGHTS:
            raise ValueError(f"{name} has {check['weights']:,} weights, not {WEIGHTS:,}")
        for what, limit in ("logits", logits), ("losses", loss):
            gap = float(np.abs(np.subtract(checks[first][what], check[what])).max())
            apart[what] = max(apart[what], gap)
            if gap > limit:
                raise ValueError(f"{name}: its {what} are {gap:.2g} from {first}'s")
    return {"weights": WEIGHTS, "apart": apart,
            "losses": {name: check["losses"] for name, check in checks.items()}}


def in_turns(asks):
    """Yield {name: [ms of a step]} and what others took, longer by a round of all `asks`.

    asks: {name: (worker, kind)}.
    """
    ms, most = {name: [] for name in asks}, 0.0
    for _ in range(ROUNDS):
        for name, (worker, kind) in asks.items():
            found, taken = worker.ask_in_quiet("steps", kind, COUNT)
            ms[name].append(round(found, 3))
            most = max(most, taken)
        yield ms, most


def measure_steps(workers, failed):
    """Yield the part again and again, longer by a round of every kind in every framework."""
    asks = {}
    for name, worker in workers.items():
        for kind in worker.ask("kinds"):
            with noted(failed, f"{name}, {kind}"):
                worker.ask("steps", kind, COUNT)  # builds, warms up
                asks[name, kind] = worker, kind
    peak = {name: {str(size): [] for size in PRODUCTS} for name in workers}
    for times, others in in_turns(asks):
        for name, worker in workers.items():
            for size, count in PRODUCTS.items():
                seconds, _ = worker.ask_in_quiet("product", size, count)
                peak[name][str(size)].append(round(2 * size**3 / seconds / 1e9, 1))
        yield {"peak": peak, "others": others, "ms": {
            name: {kind: row for (who, kind), row in times.items() if who == name}
            for name in workers}}


def measure_accuracy(workers, failed, before=()):
    """Yield the part, longer by a mark on one seed, of every framework; what is stored counts."""
    found = {"recipes": {mark: {} for mark in MARKS}, "example": []}
    turns = [(seed, mark) for mark in MARKS for seed in SEEDS]
    if before and len(before["example"]) < len(turns):
        found = {key: before[key] for key in found}
    ways = {"Keras fit": ("TensorFlow", "fit"), "the loop, tuned": ("TensorFlow", "loop"),
            "PyTorch": ("PyTorch",), "JAX": ("JAX",)}
    for seed, mark in turns[len(found["example"]):]:
        example, _ = workers["TensorFlow"].ask_in_quiet("example", tries=2)
        for row, (name, *way) in ways.items():
            if name in workers and row not in failed:
                with noted(failed, row):
                    answer, taken = workers[name].ask_in_quiet("train", mark, seed, *way, tries=2)
                    answer = {key: round(value, 4) for key, value in answer.items()}
                    found["recipes"][mark].setdefault(row, []).append(answer | {"others": taken})
                    print(mark, row, answer, flush=True)
        found["example"].append(round(example, 3))
        yield found


def measure_profile(workers, failed):
    """Yield the part: the loop as it is, and tuned; one operation at a time."""
    found = {}
    for kind in "the loop", "the loop, tuned":
        (groups, operations), taken = workers["TensorFlow"].ask_in_quiet("profile", kind)
        ms = [workers["TensorFlow"].ask_in_quiet("steps", kind, COUNT)[0] for _ in range(5)]
        found[kind] = {"step": round(statistics.median(ms), 2), "others": taken,
                       "groups": {key: round(value, 2) for key, value in groups.items()},
                       "operations": {key: round(value, 3) for key, value in operations.items()}}
        yield found


def measure_changes(workers, failed):
    """Yield the part: the loop with one change after the other, and tuned under other settings."""
    first, *others = workers
    asks = {change: (workers[first], change) for change in workers[first].ask("changes")}
    asks |= {name: (workers[name], "the loop, tuned") for name in others}
    for worker, kind in asks.values():
        worker.ask("steps", kind, COUNT)
    for ms, taken in in_turns(asks):
        yield {"ms": ms, "others": taken}


SETTINGS = {  # of TensorFlow, for `changes`: {name: (variables of the environment, arguments)}
    "as it comes": ([], []),
    "tuned, one operation at a time": ([], ["inter=1"]),
    "tuned, one thread": ([], ["inter=1", "intra=1"]),
    "tuned, without oneDNN": (["TF_ENABLE_ONEDNN_OPTS=0"], [])}
PARTS = {"steps": measure_steps, "accuracy": measure_accuracy, "profile": measure_profile,
         "changes": measure_changes}


def megabytes(folder):
    return round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()
                     and not f.is_symlink()) / 1e6)


def measure(part):
    """Measure one part, storing what there is after each round."""
    todo = commands()
    if part == "changes":
        todo = {name: ["env", *words, *todo["TensorFlow"], *more]
                for name, (words, more) in SETTINGS.items()}
    if part == "profile":
        todo = {"TensorFlow": todo["TensorFlow"] + ["inter=1"]}
    workers, failed = start(todo)
    new = {"machine": machine() | {name: worker.about for name, worker in workers.items()
                                   if name in FRAMEWORKS}}
    new["machine"]["megabytes"] = {name: megabytes(HOME / name) for name in ("torch", "jax")
                                   if (HOME / name).exists()}
    try:
        if part in ("steps", "accuracy"):
            new["check"] = compare(each(workers, failed, "check"))
        before = [read(OUTPUT).get(part, ())] if part == "accuracy" else []
        for found in PARTS[part](workers, failed, *before):
            new[part] = {"cores": cores()} | found | ({"failed": failed} if failed else {})
            stored = read(OUTPUT)
            stored |= new | {"machine": stored.get("machine", {}) | new["machine"]}
            write(OUTPUT, stored)
    finally:
        for worker in workers.values():
            worker.end()


def peak_of(steps):
    """Return the machine's peak in GFLOP/s: the median product of who is best, at its best size."""
    return max(statistics.median(row) for sizes in steps["peak"].values() for row in sizes.values())


def step_rows(steps):
    """Return [(framework, kind, median ms a step, share of the peak)], the fastest first."""
    peak, rows = peak_of(steps), []
    for name, kinds in steps["ms"].items():
        for kind, times in kinds.items():
            ms = statistics.median(times)
            rows.append((name, kind, ms, MFLOP * BATCH / ms / peak))
    return sorted(rows, key=lambda row: row[2])


def example_epochs():
    """Return {mark: [epochs, or None]}: when keras.io's example first reaches it on three seeds."""
    rows = json.loads((ROOT / "data" / "ladder.json").read_text())["example"].values()
    return {mark: [next((i for i, right in enumerate(row["test"], 1)
                         if right >= float(mark[:-2]) / 100 - 1e-9), None) for row in rows]
            for mark in MARKS}


def accuracy_rows(accuracy):
    """Return [(mark, who, median seconds, with building, lowest and median test accuracy)]."""
    rows, unit = [], statistics.median(accuracy["example"])
    for mark, epochs in example_epochs().items():
        for who, runs in accuracy["recipes"][mark].items():
            values = {key: [run[key] for run in runs] for key in runs[0]}
            rows.append((mark, who, statistics.median(values["seconds"]),
                         statistics.median(values["whole"]), min(values["test"]),
                         statistics.median(values["test"])))
        reached = sorted(n if n else float("inf") for n in epochs)[len(epochs) // 2]
        rows.append((mark, "keras.io's example", reached * unit, None, None, None))
    return rows


def table(stored):
    """Return the stored figures as text."""
    about, out = stored["machine"], []

    def part(name, what, rows):
        cores = stored[name].get("cores")
        clock = "one core, processor time" if cores == 1 else f"{cores} cores"
        out.extend(["", f"{what} ({clock}):", *(f"  {row}" for row in rows)])

    versions = [f"{key} {value}" for name in FRAMEWORKS
                for key, value in about.get(name, {}).items()
                if key in ("tensorflow", "keras", "torch", "jax")]
    out += [f"{about['cores']} cores, {about['cpu']}, {' '.join(about.get('instructions', []))}",
            " ".join(versions), f"MB on disk: {about['megabytes']}"]
    if "steps" in stored:
        part("steps", f"A training step of CS 20's network, peak {peak_of(stored['steps']):.0f} "
             "GFLOP/s", [f"{name + ', ' + kind:46}{ms:8.1f} ms {share:6.0%} of peak"
                         for name, kind, ms, share in step_rows(stored["steps"])])
    if "accuracy" in stored:
        rows = []
        for mark, who, seconds, whole, low, middle in accuracy_rows(stored["accuracy"]):
            took = f"{seconds:8.1f} s" if seconds < float("inf") else "   never in 15 epochs"
            more = f" ({whole:.1f} s; {low:.4f}, {middle:.4f})" if whole else ""
            rows.append(f"{mark:8} {who:20}{took}{more}")
        part("accuracy", "Medians of the seconds to a mark on the test set, with building, and "
             "its lowest and median accuracy", rows)
    if "profile" in stored:
        for kind in "the loop", "the loop, tuned":
            found = stored["profile"].get(kind, {"step": 0, "groups": {}})
            part("profile", f"Where the ms of {kind} go, an operation at a time", [
                f"{name:46}{ms:8.1f} ms" for name, ms in
                [*sorted(found["groups"].items()), ("a step", found["step"])]])
    if "changes" in stored:
        part("changes", "A change to the loop's step", [
            f"{name:46}{statistics.median(times):8.1f} ms"
            for name, times in stored["changes"]["ms"].items()])
    return "\n".join(out + [f"failed in {name}: {who}: {trouble}" for name in PARTS for
                            who, trouble in stored.get(name, {}).get("failed", {}).items()])


def main():
    if sys.argv[1:] != ["table"]:
        for part in asked_for(PARTS):
            measure(part)
    print(table(read(OUTPUT)))


if __name__ == "__main__":
    main()
