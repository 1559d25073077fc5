"""Measure what chapter 21 compares, oftener than a notebook can, and write it to data/devices.json.

    python -m tools.make.devices             every table (about half an hour, idle)
    python -m tools.make.devices rates       only that one

rates      batch and rate scaled together: chapter 19's `small_reader` on 30,720 images, two passes
           with batches of 64 to 2,048 (960 steps to 30), SGD with momentum 0.9 at many rates, which
           stand at once or climb to their value over the first quarter of the steps; and batches
           of 512 with as many steps as 64 has, 16 passes. Seeds 0, 1 and 2; "accuracy" is that on
           the 5,000 validation images
speed      milliseconds of a training step on 128 images, three networks, in one process with one
           thread, in one with two, and in two processes with one each; "half" is a step on 64
           images without sending anything, in both of two processes at once
reduce     milliseconds of TensorFlow's all-reduce between two processes, against its bytes

The last two are medians of steps after a warm-up, in five rounds in which the arrangements take
turns; they want a machine of two idle cores. The notebook shows the numbers as short tables; tests
of chapter 21 hold the two together. An interrupted table is finished, a whole one is made anew.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist

OUTPUT = ROOT / "data" / "devices.json"
SEEDS = [0, 1, 2]

# rates
IMAGES = 30_720  # a whole number of batches of each size
BATCHES = [64, 512, 1024, 2048]
BASES = [0.005, 0.02]  # rates of a batch of 64, from which the rules start
GRID = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64]
RULES = {"same": lambda times: 1, "square root": lambda times: times ** 0.5,
         "linear": lambda times: times}

# speed and reduce
ROUNDS = 5
BATCH = 128
ARRANGEMENTS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2),
                "2 processes, 1 thread": (2, 1)}
NETWORKS = {"small": (8, 16, 32), "middle": (16, 32, 128), "CS 20": (32, 64, 1024)}
STEPS = {"small": 60, "middle": 40, "CS 20": 12}
SIZES = [40, 4_000, 40_000, 400_000, 1_200_000, 4_000_000, 13_000_000]  # bytes


# --- rates ------------------------------------------------------------------------------------

class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that climbs in equal steps over the first `steps` steps, and stays."""

    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        return self.rate * tf.minimum((tf.cast(step, tf.float32) + 1) / self.steps, 1)


def rule(name, batch, base):
    """Return the rate that a rule gives to a batch, from the rate of a batch of 64."""
    return float(f"{base * RULES[name](batch / BATCHES[0]):.3g}")


def plan():
    """Return {name of a run: (batch, passes, rate, warm-up?, seed)}."""
    runs = {}

    def add(batch, rate, warm, passes=2):
        for seed in SEEDS:
            long = "" if passes == 2 else f", {passes} passes"
            runs[f"batch {batch}{long}, rate {rate:g}{', warm-up' if warm else ''}, seed {seed}"
                 ] = batch, passes, rate, warm, seed

    for batch in BATCHES:
        ruled = {rule(name, batch, base) for name in RULES for base in BASES}
        for rate in sorted(ruled.union(GRID)):
            add(batch, rate, False)
        for rate in GRID:
            add(batch, rate, True)
    for rate in GRID[2:]:
        add(512, rate, False, passes=16)
    return runs


def learn(batch, passes, rate, warm, seed, x, y):
    """Return {"accuracy", "steps"} of a fresh network."""
    steps = passes * IMAGES // batch
    keras.utils.set_random_seed(seed)
    model = definitions("19")["small_reader"]()
    model.compile(keras.optimizers.SGD(WarmUp(rate, steps // 4) if warm else rate, momentum=0.9),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    model.fit(x[:IMAGES], y[:IMAGES], batch_size=batch, epochs=passes, verbose=0)
    right = [np.argmax(model.predict_on_batch(x[i:i + 500]), 1) == y[i:i + 500]
             for i in range(TRAINING, len(x), 500)]
    return {"accuracy": round(float(np.mean(right)), 4), "steps": steps}


def make_rates():
    """Store the runs of the table of rates, each when it is done."""
    (x, y), _ = load_mnist()
    x, y = as_input(x), y.astype(np.int32)
    wanted, runs = plan(), read().get("rates", {}).get("runs", {})
    runs = {} if wanted.keys() <= runs.keys() else {run: runs[run] for run in wanted if run in runs}
    for run, settings in wanted.items():
        if run not in runs:
            begin = time.process_time()
            runs[run] = learn(*settings, x, y)
            keras.backend.clear_session()
            print(run, runs[run], f"{time.process_time() - begin:.0f} CPU s", flush=True)
            store("rates", {"optimizer": "SGD, momentum 0.9", "images": IMAGES, "rates": GRID,
                            "seeds": SEEDS, "judge": "validation",
                            "runs": {run: runs[run] for run in wanted if run in runs}})


# --- speed ------------------------------------------------------------------------------------

def network(name):
    """Return a fresh network of two convolutions and two dense layers."""
    first, second, dense = NETWORKS[name]
    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(first, 5, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(second, 5, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(dense, activation="relu"), layers.Dense(10)])


def milliseconds(call, times, warm_up=5):
    """Return the median time of a call, after a few that do not count."""
    found = []
    for _ in range(times + warm_up):
        begin = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - begin))
    return round(statistics.median(found[warm_up:]), 3)


def step_of(strategy, name, batch):
    """Return a function that makes one training step on this worker's part of a batch."""
    own = batch // strategy.num_replicas_in_sync
    rng = np.random.default_rng(0)
    x = tf.constant(rng.random((own, 28, 28, 1), np.float32))
    y = tf.constant(rng.integers(10, size=own, dtype=np.int32))
    with strategy.scope():
        model, optimizer = network(name), keras.optimizers.SGD(0.001, momentum=0.9)
        optimizer.build(model.trainable_variables)

    def replica(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, model(x, training=True))) / batch
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function
    def step():
        return strategy.reduce("SUM", strategy.run(replica, args=(x, y)), axis=None)

    return lambda: step().numpy()


def reduce_of(strategy, size):
    """Return a function that adds up an array of `size` bytes over the workers."""
    values = tf.zeros(size // 4)

    @tf.function
    def reduce():
        return strategy.run(lambda: tf.distribute.get_replica_context().all_reduce("SUM", values))

    return lambda: reduce().numpy()


def work():
    """Print, as one line of JSON, what this process measures: it is a worker where TF_CONFIG is."""
    tf.get_logger().setLevel("ERROR")
    alone = "TF_CONFIG" not in os.environ
    strategy = (tf.distribute.get_strategy() if alone
                else tf.distribute.MultiWorkerMirroredStrategy())
    found = {"speed": {}, "reduce": {}}
    for name, times in STEPS.items():
        found["speed"][name] = milliseconds(step_of(strategy, name, BATCH), times)
    if not alone:
        for size in SIZES:
            found["reduce"][f"{size} bytes"] = milliseconds(reduce_of(strategy, size), 30)
        here = tf.distribute.OneDeviceStrategy("/cpu:0")  # sends nothing
        for name, times in STEPS.items():
            # the others begin at the same time, because all leave this sum together
            reduce_of(strategy, 4)()
            found["speed"][f"{name}, half"] = milliseconds(step_of(here, name, BATCH // 2), times)
    print(json.dumps(found), flush=True)


def start(processes, threads, limit=140):
    """Return what the first of so many workers measures; none outlives this function."""
    here = Path(__file__)
    free = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"}
    free |= {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": str(threads)}
    workers, end = [], time.monotonic() + limit
    with tempfile.TemporaryDirectory() as folder:
        try:
            cluster = [f"127.0.0.1:{port}" for port in free_ports(processes)]
            for index in range(processes):
                environment = free if processes == 1 else free | {"TF_CONFIG": json.dumps(
                    {"cluster": {"worker": cluster}, "task": {"type": "worker", "index": index}})}
                with open(Path(folder, f"{index}"), "wb") as log:
                    workers.append(subprocess.Popen(
                        [sys.executable, "-m", f"tools.make.{here.stem}", "work"], cwd=ROOT,
                        env=environment, stdout=log, stderr=subprocess.DEVNULL))
            for worker in workers:
                if worker.wait(max(0.1, end - time.monotonic())):
                    raise RuntimeError(f"a worker ended with {worker.returncode}")
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        return json.loads(Path(folder, "0").read_text().splitlines()[-1])


def free_ports(count):
    """Return ports of this machine that nobody listens on now."""
    import socket
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def make_speed():
    """Store one more round of both tables of times, until there are ROUNDS; then begin anew."""
    old = read()
    runs = {table: old.get(table, {}).get("runs", {}) for table in ("speed", "reduce")}
    done = [len(found) for found in runs["reduce"].values()]
    if not done or min(done) >= ROUNDS:
        runs = {"speed": {}, "reduce": {}}
    for _ in range(min(done or [0]) % ROUNDS, ROUNDS):
        for name, arrangement in ARRANGEMENTS.items():
            found = start(*arrangement)
            for what, ms in found["speed"].items():
                label = what if "half" in what else f"{what}, {name}"
                runs["speed"].setdefault(label, []).append(ms)
            for what, ms in found["reduce"].items():
                runs["reduce"].setdefault(what, []).append(ms)
            print(name, found, flush=True)
        weights = {name: network(name).count_params() for name in NETWORKS}
        store("speed", {"batch": BATCH, "parameters": weights, "cores": os.cpu_count(),
                        "unit": "ms", "runs": runs["speed"]})
        store("reduce", {"processes": 2, "unit": "ms", "runs": runs["reduce"]})


def line(runs):
    """Return (latency in ms, bandwidth in MB/s): the line through times against bytes.

    It goes near all points in per cent, not in ms: else the largest arrays would decide alone.
    """
    size, ms = np.array([(float(name.split()[0]), np.median(found))
                         for name, found in runs.items()]).T
    design = np.stack([np.ones_like(size), size], 1)
    latency, slope = np.linalg.lstsq(design / ms[:, None], np.ones_like(ms), rcond=None)[0]
    return latency, 1 / slope / 1000


def predict(stored, name):
    """Return (predicted, measured) speed-up of two processes over one, with one thread each."""
    latency, bandwidth = line(stored["reduce"]["runs"])
    ms = {what: np.median(found) for what, found in stored["speed"]["runs"].items()}
    sent = latency + 4 * stored["speed"]["parameters"][name] / bandwidth / 1000
    one = ms[f"{name}, 1 process, 1 thread"]
    return one / (ms[f"{name}, half"] + sent), one / ms[f"{name}, 2 processes, 1 thread"]


# --- the file ---------------------------------------------------------------------------------

def read():
    return json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}


def store(table, result):
    """Write `result` under its name beside the others of OUTPUT, a run in a line."""
    written = read() | {table: {"tensorflow": tf.__version__, "keras": keras.__version__, **result}}
    lines = []
    for name, about in sorted(written.items()):
        runs = ",\n".join(f"  {json.dumps(run)}: {json.dumps(found, separators=(',', ':'))}"
                          for run, found in about["runs"].items())
        head = json.dumps({key: value for key, value in about.items() if key != "runs"})
        lines.append(f' {json.dumps(name)}: {head[:-1]}, "runs": {{\n{runs}}}}}')
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


MAKERS = {"rates": make_rates, "speed": make_speed}  # `speed` measures `reduce` too


def main():
    tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source of what came out of a notebook
    tables = sys.argv[1:] or list(MAKERS)
    if tables == ["work"]:
        return work()
    if set(tables) - set(MAKERS):
        sys.exit(f"no such table: {sorted(set(tables) - set(MAKERS))}; there are {list(MAKERS)}")
    for table in tables:
        MAKERS[table]()


if __name__ == "__main__":
    main()
