"""Measure the book's TensorFlow beside Keras, PyTorch and JAX; write data/frameworks.json.

    python -m tools.make.frameworks table        the stored figures; runs nothing
    python -m tools.make.frameworks              everything (half an hour of two idle cores)
    python -m tools.make.frameworks steps        only that part
    python -m tools.make.frameworks steps print  the same, printed and not stored

steps      milliseconds of a training step of CS 20's network (3,274,634 numbers, batches of 128,
           Adam 0.001, dropout), every kind of training in every framework; and a matrix product
accuracy   seconds to each mark of the test set with chapter 14's recipes, three seeds (what is
           missing of it); the test set is looked at when the clock has stopped. keras.io's example:
           the seconds of an epoch, measured here, times its epochs in data/ladder.json
epoch      test accuracy after one epoch of a kind in each framework: the same task
profile    where the time of the book's loop goes, as it is and tuned, by TensorFlow's profiler
changes    the same loop with one change after the other, and under other settings
gpu        what others.py printed with --json on a machine with a GPU, kept by hand: never made here

PyTorch and JAX live in environments of their own under _build/frameworks/, made when missing.
All frameworks run at once, each in a process of its own, and wait for their turn: a round measures
each kind once, so that no one gets the quiet minutes. On Linux a measurement is made again while
other programs take more than a twentieth of the machine; the quietest counts. On a machine that
does not rest, `taskset -c 0 make bench-frameworks` allows one core, and counts its processor time,
which leaves other programs out. The first three
parts make sure that all have the same network: the same logits, and the same losses of three steps
without dropout, from the same first weights.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

from tools.book.files import ROOT
from tools.make.others import PRODUCTS, cores

OUTPUT = ROOT / "data" / "frameworks.json"
HOME = ROOT / "_build" / "frameworks"
HERE = pathlib.Path(__file__).parent
MFLOP = 82.05  # of training on one image: 3 x 13.88 million multiply-adds, less conv1's input
BATCH, WEIGHTS = 128, 3_274_634
SEEDS, ROUNDS, COUNT = (0, 1, 2), 7, 4
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
MARKS = ("98.18 %", "99 %", "99.5 %")
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
            before, start = others_seconds(self.process.pid), time.perf_counter()
            answer = self.ask(*question)
            wall = time.perf_counter() - start
            after = others_seconds(self.process.pid)
            taken = (after - before) / wall / os.cpu_count() if before is not None else 0.0
            found.append((round(taken, 3), answer))
            if taken <= limit or cores() == 1:
                break
        return min(found, key=lambda pair: pair[0])[::-1]

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def wait_for_quiet(most=0.1, seconds=5):
    """Wait until all programs take less than `most` of the machine, but not longer than seconds."""
    if cores() == 1:
        return
    for _ in range(seconds * 4):
        before = others_seconds()
        time.sleep(0.25)
        if before is None or others_seconds() - before < most * 0.25 * os.cpu_count():
            return


def others_seconds(pid=None):
    """Return the processor seconds of all but the process `pid` since the start, or None."""
    try:
        with open("/proc/stat") as file:
            busy = file.readline().split()[1:9]
        own = []
        if pid:
            with open(f"/proc/{pid}/stat") as file:
                own = file.read().rsplit(")", 1)[1].split()[11:13]
    except OSError:  # not Linux
        return None
    user, nice, system, _, _, hard, soft, stolen = map(int, busy)
    ticks = user + nice + system + hard + soft + stolen - sum(map(int, own))
    return ticks / os.sysconf("SC_CLK_TCK")


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
        try:
            if isinstance(command, str):
                raise RuntimeError(f"{name}: {command}")
            worker = Worker(name, command)
            worker.about = worker.ask("about")
            workers[name] = worker
        except (OSError, RuntimeError) as error:
            failed[name] = str(error)
            print(error, file=sys.stderr, flush=True)
    return workers, failed


def each(workers, failed, *question):
    """Return {framework: answer}; one that fails is named in `failed`, and the others go on."""
    answers = {}
    for name, worker in workers.items():
        try:
            answers[name] = worker.ask(*question)
        except RuntimeError as error:
            failed[name] = str(error)
            print(error, file=sys.stderr, flush=True)
    return answers


def compare(checks, logits=1e-4, loss=1e-3):
    """Return how far apart logits and losses are; ValueError where that is too far."""
    first, *others = checks.values()
    for name, check in checks.items():
        if check["weights"] != WEIGHTS:
            raise ValueError(f"{name} has {check['weights']:,} weights, not {WEIGHTS:,}")
    apart = {"logits": 0.0, "losses": 0.0}
    for name, check in list(checks.items())[1:]:
        for what, limit in ("logits", logits), ("losses", loss):
            gap = max(abs(a - b) for a, b in zip(flat(first[what]), flat(check[what]), strict=True))
            apart[what] = max(apart[what], gap)
            if gap > limit:
                raise ValueError(f"{name}: its {what} are {gap:.2g} from {list(checks)[0]}'s")
    return {"weights": WEIGHTS, "apart": apart,
            "losses": {name: check["losses"] for name, check in checks.items()}}


def flat(values):
    return [x for v in values for x in (flat(v) if isinstance(v, list) else [v])]


def measure_steps(workers, failed):
    """Yield the part again and again, longer by a round of every kind in every framework."""
    kinds = [(name, kind) for name, worker in workers.items() for kind in worker.ask("kinds")]
    found = {"peak": {name: {str(size): [] for size in PRODUCTS} for name in workers},
             "ms": {name: {} for name in workers}, "others": 0.0}
    for name, kind in list(kinds):
        try:
            workers[name].ask("steps", kind, COUNT)  # builds, warms up
            found["ms"][name][kind] = []
        except RuntimeError as error:
            kinds.remove((name, kind))
            failed[f"{name}, {kind}"] = str(error)
            print(error, file=sys.stderr, flush=True)
    for _ in range(ROUNDS):
        for name, worker in workers.items():
            for size, count in PRODUCTS.items():
                seconds, _ = worker.ask_in_quiet("product", size, count)
                found["peak"][name][str(size)].append(round(2 * size**3 / seconds / 1e9, 1))
        for name, kind in kinds:
            ms, taken = workers[name].ask_in_quiet("steps", kind, COUNT)
            found["ms"][name][kind].append(round(ms, 3))
            found["others"] = max(found["others"], taken)
        yield found


def measure_accuracy(workers, failed, before=()):
    """Yield the part, longer by a mark on one seed, of every framework; what is stored counts."""
    found = {"recipes": {mark: {} for mark in MARKS}, "example": []}
    turns = [(seed, mark) for mark in MARKS for seed in SEEDS]
    if before and len(before["example"]) < len(turns):
        found = {key: before[key] for key in found}
    ways = [(name, name, []) for name in workers]
    ways[:1] = [("Keras fit", "TensorFlow", ["fit"]), ("the loop, tuned", "TensorFlow", ["loop"])]
    for seed, mark in turns[len(found["example"]):]:
        rows = {}
        example, _ = workers["TensorFlow"].ask_in_quiet("example", tries=2)
        for row, name, more in ways:
            if name in workers and row not in failed:
                try:
                    answer, taken = workers[name].ask_in_quiet("train", mark, seed, *more, tries=2)
                    rows[row] = {key: round(value, 4) for key, value in answer.items()}
                    rows[row]["others"] = taken
                    print(mark, row, rows[row], flush=True)
                except RuntimeError as error:
                    failed[row] = str(error)
                    print(error, file=sys.stderr, flush=True)
        found["example"].append(round(example, 3))
        for row, answer in rows.items():
            found["recipes"][mark].setdefault(row, []).append(answer)
        yield found


def measure_epoch(workers, failed):
    """Yield the part, longer by one kind: the first of each framework, and Keras' fit."""
    found = {}
    for name, worker in workers.items():
        kinds = worker.ask("kinds")
        for kind in [kinds[0]] + [kind for kind in kinds if kind == "Keras fit"]:
            try:
                answer = worker.ask("epoch", kind)
                answer["losses"] = [round(loss, 3) for loss in answer["losses"]]
                found.setdefault(name, {})[kind] = answer
                print(name, kind, answer, flush=True)
            except RuntimeError as error:
                failed[f"{name}, {kind}"] = str(error)
                print(error, file=sys.stderr, flush=True)
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
    first = workers["as it comes"]
    asks = [(change, first, change) for change in first.ask("changes")]
    asks += [(name, worker, "the loop, tuned") for name, worker in workers.items()
             if worker != first]
    found = {"ms": {name: [] for name, _, _ in asks}, "others": 0.0}
    for _, worker, kind in asks:
        worker.ask("steps", kind, COUNT)
    for _ in range(ROUNDS):
        for name, worker, kind in asks:
            ms, taken = worker.ask_in_quiet("steps", kind, COUNT)
            found["ms"][name].append(round(ms, 3))
            found["others"] = max(found["others"], taken)
        yield found


SETTINGS = {  # of TensorFlow, for `changes`: {name: (variables of the environment, arguments)}
    "as it comes": ([], []),
    "tuned, one operation at a time": ([], ["inter=1"]),
    "tuned, one thread": ([], ["inter=1", "intra=1"]),
    "tuned, without oneDNN": (["TF_ENABLE_ONEDNN_OPTS=0"], [])}
PARTS = {"steps": measure_steps, "accuracy": measure_accuracy, "epoch": measure_epoch,
         "profile": measure_profile, "changes": measure_changes}


def machine():
    """Return what the figures are measured on."""
    about = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(),
             "system": platform.system(), "python": platform.python_version()}
    if os.path.exists("/proc/cpuinfo"):
        text = pathlib.Path("/proc/cpuinfo").read_text()
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        lines = {key.strip(): value.strip() for key, value in lines.items()}
        about["cpu"] = lines.get("model name", about["cpu"])
        flags = lines.get("flags", "").split()
        about["instructions"] = [flag for flag in INSTRUCTIONS if flag in flags]
    return about


def megabytes(folder):
    return round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()
                     and not f.is_symlink()) / 1e6)


def measure(part, store=True):
    """Measure one part, storing what there is after each round; return all that is stored."""
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
        if part in ("steps", "accuracy", "epoch"):
            new["check"] = compare(each(workers, failed, "check"))
        before = [read().get(part, ())] if part == "accuracy" else []
        for found in PARTS[part](workers, failed, *before):
            new[part] = {"cores": cores()} | found | ({"failed": failed} if failed else {})
            stored = read()
            stored |= new | {"machine": stored.get("machine", {}) | new["machine"]}
            if store:
                half = OUTPUT.with_suffix(f".{part}")
                half.write_text(written(stored) + "\n")
                half.replace(OUTPUT)
    finally:
        for worker in workers.values():
            worker.end()
    return stored


def read():
    return json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}


def written(value, indent=1, inside=0):
    """Return JSON whose innermost lists and short dicts keep to a line."""
    line = json.dumps(value)
    if not isinstance(value, dict) or len(line) + inside < 100:
        return line
    pad = "\n" + " " * (inside + indent)
    rows = [f"{json.dumps(key)}: {written(v, indent, inside + indent)}" for key, v in value.items()]
    return "{" + pad + ("," + pad).join(rows) + "\n" + " " * inside + "}"


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


def count_of(part):
    """Return what the times of a part are, in words."""
    return "one core, processor time" if part["cores"] == 1 else f"{part['cores']} cores"


def table(stored):
    """Return the stored figures as text."""
    about = stored["machine"]
    versions = " ".join(f"{key} {value}" for name in FRAMEWORKS
                        for key, value in about.get(name, {}).items()
                        if key in ("tensorflow", "keras", "torch", "jax"))
    out = [f"{about['cores']} cores, {about['cpu']}, {' '.join(about.get('instructions', []))}",
           versions, "disk: " + ", ".join(f"{k} {v:,} MB" for k, v in about["megabytes"].items())]
    if "steps" in stored:
        peak = peak_of(stored["steps"])
        out += ["", f"A training step of CS 20's network, {count_of(stored['steps'])} "
                f"(peak {peak:.0f} GFLOP/s):"]
        out += [f"  {name + ', ' + kind:46}{ms:8.1f} ms {share:6.0%} of peak"
                for name, kind, ms, share in step_rows(stored["steps"])]
    if "epoch" in stored:
        out += ["", "Test accuracy after one epoch of it:"]
        out += [f"  {name + ', ' + kind:46}{found['test']:8.4f}" for name, kinds in
                stored["epoch"].items() if name in FRAMEWORKS for kind, found in kinds.items()]
    if "accuracy" in stored:
        out += ["", f"Seconds to a mark on the test set, {count_of(stored['accuracy'])}; median of "
                "three seeds (with building; lowest, median test):"]
        for mark, who, seconds, whole, low, middle in accuracy_rows(stored["accuracy"]):
            took = f"{seconds:8.1f} s" if seconds < float("inf") else "   never in 15 epochs"
            more = f" ({whole:.1f} s; {low:.4f}, {middle:.4f})" if whole else ""
            out.append(f"  {mark:8} {who:20}{took}{more}")
    if "profile" in stored:
        out += ["", f"Where a step's ms go, {count_of(stored['profile'])}, an operation at a time:"]
        kinds = [kind for kind in stored["profile"] if kind not in ("failed", "cores")]
        names = sorted({g for kind in kinds for g in stored["profile"][kind]["groups"]})
        out += ["  " + " " * 38 + "".join(f"{kind:>17}" for kind in kinds)]
        out += [f"  {name:38}" + "".join(f"{stored['profile'][kind]['groups'].get(name, 0):17.1f}"
                                         for kind in kinds) for name in names]
        out += [f"  {'a step':38}" + "".join(
            f"{stored['profile'][kind]['step']:17.1f}" for kind in kinds)]
    if "changes" in stored:
        out += ["", f"A change to the loop's step, {count_of(stored['changes'])}, ms:"]
        out += [f"  {name:46}{statistics.median(times):8.1f} ms"
                for name, times in stored["changes"]["ms"].items()]
    for part in PARTS:
        for who, trouble in stored.get(part, {}).get("failed", {}).items():
            out.append(f"failed in {part}: {who}: {trouble}")
    return "\n".join(out)


def main():
    words = sys.argv[1:]
    if words == ["table"]:
        return print(table(read()))
    store, parts = "print" not in words, [word for word in words if word != "print"] or list(PARTS)
    if set(parts) - set(PARTS):
        sys.exit(f"no such part: {sorted(set(parts) - set(PARTS))}; there are {list(PARTS)}")
    for part in parts:
        stored = measure(part, store)
    print(table(stored))


if __name__ == "__main__":
    main()
