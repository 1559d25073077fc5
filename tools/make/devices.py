"""Measure what chapter 21 compares, oftener than a notebook can, and write it to data/devices.json.

    python -m tools.make.devices             every table (about half an hour, idle)

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
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import digits
from tools.make.machine import busy_seconds
from tools.make.models import convolutional, held_back
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
    kinds = []
    for batch in BATCHES:
        ruled = {rule(name, batch, base) for name in RULES for base in BASES}
        kinds += [(batch, 2, rate, False) for rate in sorted(ruled.union(GRID))]
        kinds += [(batch, 2, rate, True) for rate in GRID]
    kinds += [(512, 16, rate, False) for rate in GRID[2:]]
    return {f"batch {batch}{'' if passes == 2 else f', {passes} passes'}, rate {rate:g}"
            f"{', warm-up' if warm else ''}, seed {seed}": (batch, passes, rate, warm, seed)
            for batch, passes, rate, warm in kinds for seed in SEEDS}


def learn(batch, passes, rate, warm, seed, x, y):
    """Return {"accuracy", "steps"} of a fresh network."""
    steps, chapter = passes * IMAGES // batch, definitions("19")
    keras.utils.set_random_seed(seed)
    model = chapter["small_reader"]()
    model.compile(keras.optimizers.SGD(WarmUp(rate, steps // 4) if warm else rate, momentum=0.9),
                  chapter["COST"], jit_compile=False)
    model.fit(x[:IMAGES], y[:IMAGES], batch_size=batch, epochs=passes, verbose=0)
    return {"accuracy": held_back(model), "steps": steps}


def make_rates():
    finish(OUTPUT, "rates", plan(), lambda *settings: learn(*settings, *digits()), {
        "optimizer": "SGD, momentum 0.9", "images": IMAGES, "rates": GRID, "seeds": SEEDS,
        "judge": "validation"})


# --- times ------------------------------------------------------------------------------------

def network(name):
    """Return a fresh network of two convolutions and two dense layers."""
    *filters, dense = NETWORKS[name]
    return convolutional(filters, keras.layers.Flatten(), keras.layers.Dense(dense, "relu"),
                         keras.layers.Dense(10), padding="same")


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
    """Return what the first of so many workers measures; chapter 21's launcher ends them all."""
    environment = {"PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": str(threads),
                   "TF_NUM_INTEROP_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "launch.py").write_text(definitions("21")["LAUNCH"])
        subprocess.run([sys.executable, "launch.py", "--workers", str(processes), "--logs", ".",
                        "--seconds", str(limit), __file__, "work"], cwd=folder, check=True,
                       env=os.environ | environment, stdout=subprocess.DEVNULL)
        return json.loads(Path(folder, "worker0.log").read_text().splitlines()[-1])


def undisturbed(processes, threads, tries=20):
    """Return what `start` measures while the rest of the machine did next to nothing."""
    for _ in range(tries):
        before, begin = (busy_seconds(), sum(os.times()[:4])), time.monotonic()
        found = start(processes, threads)
        every, mine = np.subtract((busy_seconds(), sum(os.times()[:4])), before)
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


def main():
    makers = {"rates": make_rates, "times": make_times}
    if sys.argv[1:] == ["work"]:
        return work()
    for table in asked_for(makers):
        makers[table]()


if __name__ == "__main__":
    main()
