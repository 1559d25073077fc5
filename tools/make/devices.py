"""Measure what chapter 21 compares, oftener than a notebook can, and write it to data/devices.json.

    python -m tools.make.devices             every table (about half an hour, idle)
    python -m tools.make.devices rates       only that one

rates      batch and rate scaled together: chapter 19's `small_reader` on 30,720 images, two passes
           with batches of 64 to 2,048 (960 steps to 30), SGD with momentum 0.9 at many rates, which
           stand at once or climb to their value over the first quarter of the steps; and batches
           of 512 with as many steps as 64 has, 16 passes. Seeds 0, 1 and 2; "accuracy" is that on
           the 5,000 validation images
times      milliseconds of a training step on 128 images, of three networks: in one process with one
           thread, in one with two, and in two processes with one each. These also time half such a
           step ("half": 64 images, nothing sent, in both at once) and TensorFlow's all-reduce of
           arrays of several sizes. Medians of calls after a warm-up, in three rounds in which the
           arrangements take turns, each made again if others used the machine meanwhile. It wants
           two idle cores (a minute)

The notebook shows the numbers as short tables; tests of chapter 21 hold the two together. An
interrupted table is finished, a whole one is made anew.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import psutil
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist
from tools.make.tables import asked_for, finish

OUTPUT = ROOT / "data" / "devices.json"
SEEDS = [0, 1, 2]

# rates
IMAGES = 30_720  # a whole number of batches of each size
BATCHES = [64, 512, 1024, 2048]
BASES = [0.005, 0.02]  # rates of a batch of 64, from which the rules start
GRID = [0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64]
RULES = {"same": lambda times: 1, "square root": lambda times: times ** 0.5,
         "linear": lambda times: times}

# times
ROUNDS = 3
DISTURBED = 0.1  # cores that others may use meanwhile
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
    (x, y), _ = load_mnist()
    x, y = as_input(x), y.astype(np.int32)

    def run(*settings):
        found = learn(*settings, x, y)
        keras.backend.clear_session()
        return found

    finish(OUTPUT, "rates", plan(), run, {
        "optimizer": "SGD, momentum 0.9", "images": IMAGES, "rates": GRID, "seeds": SEEDS,
        "judge": "validation"})


# --- times ------------------------------------------------------------------------------------

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
    found = {}
    for name, times in STEPS.items():
        found[name] = milliseconds(step_of(strategy, name, BATCH), times)
    if not alone:
        for size in SIZES:
            found[f"{size} bytes"] = milliseconds(reduce_of(strategy, size), 30)
        here, together = tf.distribute.OneDeviceStrategy("/cpu:0"), reduce_of(strategy, 4)
        for name, times in STEPS.items():
            step = step_of(here, name, BATCH // 2)  # sends nothing
            step()
            together()  # all workers begin at the same time
            found[f"{name}, half"] = milliseconds(step, times)
    print(json.dumps(found), flush=True)


def start(processes, threads, limit=120):
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
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def undisturbed(processes, threads, tries=20):
    """Return what `start` measures while the rest of the machine did next to nothing."""
    def used():  # by all, and by the workers; seconds
        every, mine = psutil.cpu_times(), os.times()
        return (sum(every) - every.idle - every.iowait - every.guest - every.guest_nice,
                mine.children_user + mine.children_system)

    for _ in range(tries):
        before, begin = used(), time.monotonic()
        found = start(processes, threads)
        every, mine = np.subtract(used(), before)
        share = (every - mine) / (time.monotonic() - begin)  # in cores
        if share < DISTURBED:
            return found
        print(f"again: others used {100 * share:.0f} % of a core", flush=True)
    raise RuntimeError("this machine is too busy to time anything")


def make_times():
    finish(OUTPUT, "times", {f"{name}, round {turn}": arrangement for turn in range(ROUNDS)
                             for name, arrangement in ARRANGEMENTS.items()}, undisturbed, {
        "unit": "ms", "batch": BATCH, "cores": os.cpu_count(),
        "parameters": {name: network(name).count_params() for name in NETWORKS}})


def medians(times):
    """Return {arrangement: {what: the median of its rounds}} of the stored table."""
    found = {}
    for name in ARRANGEMENTS:
        rounds = [times["runs"][f"{name}, round {turn}"] for turn in range(ROUNDS)]
        found[name] = {what: statistics.median(run[what] for run in rounds) for what in rounds[0]}
    return found


def line(found):
    """Return (latency in ms, bandwidth in MB/s): the line through times of the all-reduce.

    It goes near all points in per cent, not in ms: else the largest arrays would decide alone.
    """
    size = np.array(SIZES, float)
    ms = np.array([found[f"{n} bytes"] for n in SIZES])
    design = np.stack([np.ones_like(size), size], 1)
    latency, slope = np.linalg.lstsq(design / ms[:, None], np.ones_like(ms), rcond=None)[0]
    return latency, 1 / slope / 1000


def speed_up(times, name):
    """Return (predicted, measured) speed-up of two processes over one, a thread each."""
    one, _, two = medians(times).values()
    latency, bandwidth = line(two)
    sent = latency + 4 * times["parameters"][name] / bandwidth / 1000
    return one[name] / (two[f"{name}, half"] + sent), one[name] / two[name]


MAKERS = {"rates": make_rates, "times": make_times}


def main():
    tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source of what came out of a notebook
    if sys.argv[1:] == ["work"]:
        return work()
    for table in asked_for(MAKERS):
        MAKERS[table]()


if __name__ == "__main__":
    main()
