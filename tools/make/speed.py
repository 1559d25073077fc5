"""Measure what chapter 20 compares and a busy machine would blur; fill data/speed.json.

    python -m tools.make.speed               every table (20 minutes, idle)

learning   how batches of five sizes learn: chapter 19's small network, two passes over the 55,000
           images with Adam, each size at six rates on seeds 0, 1 and 2, judged on the 5,000
           validation images. What counts is the accuracy, so this one may run on a busy machine.
steps      milliseconds of a training step of chapter 11's network ("large", 128 images) and of
           chapter 19's ("small", 32): eager, traced and its parts, by `fit`, with 20 steps an
           execution, by XLA
batches    microseconds an image of a traced step, by the size of the batch
threads    a matrix product and the steps, milliseconds with one thread and with two
formats    a matrix product, conv2 and the large step in float32, bfloat16 and float16, in
           milliseconds, on this processor and on an imitation of an older one: the same with
           oneDNN held to the AVX-512 of 2019, which has no circuits for 16 bits

All but the first want a machine that does nothing else: they are medians of rounds in which the
rivals take turns (`take_turns` of the chapter).
"""

import functools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make import tables
from tools.make.data import TRAINING, digits
from tools.make.machine import machine
from tools.make.models import held_back

OUTPUT = ROOT / "data" / "speed.json"
SEEDS = [0, 1, 2]
BATCHES = [16, 64, 256, 1024, 4096]
RATES = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]


def learning():
    chapter, (x, y) = definitions("20"), digits()

    def accuracy(size, rate, seed):
        keras.utils.set_random_seed(seed)
        model = chapter["small_reader"]()
        model.compile(keras.optimizers.Adam(rate), chapter["COST"], jit_compile=False)
        model.fit(x[:TRAINING], y[:TRAINING], batch_size=size, epochs=2, verbose=0)
        return held_back(model)

    wanted = {f"batch {run}": settings
              for run, settings in tables.sweep(BATCHES, RATES, SEEDS).items()}
    tables.finish(OUTPUT, "learning", wanted, accuracy, here() | {
        "epochs": 2, "optimizer": "Adam", "judge": "validation", "rates": RATES, "seeds": SEEDS})


def milliseconds(seconds):
    """Return the medians of what take_turns gave, in milliseconds."""
    return {name: round(1000 * float(np.median(rounds)), 3) for name, rounds in seconds.items()}


def networks(chapter):
    """Return {name: (function that builds a network, size of its batch)}."""
    return {"large": (chapter["sequential_network"], 128), "small": (chapter["small_reader"], 32)}


def traced(chapter, build, images, labels):
    """Return {part: function} of a fresh network's step, traced, and two of them eagerly."""
    parts = chapter["parts_of_step"](build(), images, labels)
    return {name: tf.function(part) for name, part in parts.items()} | {
        "eager": parts["step"], "eager, and back": parts["and back"]}


def steps():
    chapter, runs, rng = definitions("20"), {}, np.random.default_rng(0)
    for name, (build, size) in networks(chapter).items():
        count = {"large": 20, "small": 200}[name]
        images = rng.random((count * size, 28, 28, 1), dtype=np.float32)
        labels = rng.integers(0, 10, count * size)
        parts = traced(chapter, build, tf.constant(images[:size]), tf.constant(labels[:size]))
        found = milliseconds(chapter["take_turns"](parts, 15))
        runs |= {f"{name}, {part}": ms for part, ms in found.items()}
        fits = {"fit": {}, "fit, 20 steps an execution": {"steps_per_execution": 20},
                "fit, jit_compile": {"jit_compile": True}}
        ways = {}
        for way, more in fits.items():
            model = build()
            model.compile(keras.optimizers.Adam(0.001), chapter["COST"],
                          **{"jit_compile": False} | more)
            ways[way] = functools.partial(model.fit, images, labels, batch_size=size, verbose=0)
        found = milliseconds(chapter["take_turns"](ways, 3))
        runs |= {f"{name}, {way}": round(ms / count, 3) for way, ms in found.items()}
    return {"unit": "ms a step", "images": {"large": 128, "small": 32}, "runs": runs}


def batches():
    chapter, runs, rng = definitions("20"), {}, np.random.default_rng(0)
    for name, (build, _) in networks(chapter).items():
        ways = {}
        for size in [1, 4, 16, 64, 256, 1024] + [4096] * (name == "small"):
            images = tf.constant(rng.random((size, 28, 28, 1), dtype=np.float32))
            ways[size] = traced(chapter, build, images, tf.range(size) % 10)["step"]
        for size, ms in milliseconds(chapter["take_turns"](ways, 7)).items():
            runs[f"{name}, {size}"] = round(1000 * ms / size, 2)
    return {"unit": "microseconds an image", "runs": runs}


def in_a_process(task, **environment):
    """Return what `task`, a function of this file, prints as JSON in a process of its own."""
    command = [sys.executable, "-c", f"from tools.make import speed; speed.{task}()"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE,
                          text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def with_threads():
    threads = int(os.environ["OMP_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    chapter, rng = definitions("20"), np.random.default_rng(0)
    a = tf.constant(rng.random((1536, 1536), dtype=np.float32))
    ways = {"product": lambda: tf.matmul(a, a).numpy()}
    for name, (build, size) in networks(chapter).items():
        images = tf.constant(rng.random((size, 28, 28, 1), dtype=np.float32))
        ways[name] = traced(chapter, build, images, tf.range(size) % 10)["step"]
    print(json.dumps(milliseconds(chapter["take_turns"](ways, 15))))


def threads():
    found = {1: [], 2: []}
    for _ in range(3):
        for count, rows in found.items():
            rows.append(in_a_process("with_threads", OMP_NUM_THREADS=str(count)))
    runs = {f"{what}, {count}": float(np.median([row[what] for row in rows]))
            for count, rows in found.items() for what in rows[0]}
    return {"unit": "ms", "runs": runs}


FORMATS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def in_formats():
    chapter, rng = definitions("20"), np.random.default_rng(0)
    ways = {}
    for name, policy in FORMATS.items():
        if name == "float16" and os.environ["ONEDNN_MAX_CPU_ISA"] != "ALL":
            continue  # oneDNN has no convolution for it there
        a = tf.cast(rng.random((1536, 1536), dtype=np.float32), name)
        x = tf.cast(rng.random((128, 14, 14, 32), dtype=np.float32), name)
        w = tf.cast(rng.random((5, 5, 32, 64), dtype=np.float32), name)
        ways[f"product, {name}"] = lambda a=a: tf.matmul(a, a).numpy()
        ways[f"conv2, {name}"] = lambda x=x, w=w: tf.nn.conv2d(x, w, 1, "SAME").numpy()
        if name == "float16":
            continue  # a step takes many seconds, and disturbs what comes after it
        keras.config.set_dtype_policy(policy)
        images = tf.constant(rng.random((128, 28, 28, 1), dtype=np.float32))
        network = traced(chapter, chapter["sequential_network"], images, tf.range(128) % 10)
        ways[f"large, {name}"] = network["step"]
        network["step"]()  # traced under its own policy
    print(json.dumps(milliseconds(chapter["take_turns"](ways, 9))))


MACHINES = {"this processor": "ALL", "imitation": "AVX512_CORE_VNNI"}


def formats():
    runs = {}
    for name, isa in MACHINES.items():
        found = in_a_process("in_formats", ONEDNN_MAX_CPU_ISA=isa)
        runs |= {f"{name}, {what}": ms for what, ms in found.items()}
    return {"unit": "ms", "runs": runs}


def here():
    """Return what a table says of its machine: the processor, its instructions and its cores."""
    about = machine()
    processor = " ".join([about["cpu"], *about.get("instructions", [])])
    return {"processor": processor, "cores": os.cpu_count()}


def main():
    makers = {"learning": learning, "steps": steps, "batches": batches, "threads": threads,
              "formats": formats}
    for table in tables.asked_for(makers):
        if found := makers[table]():
            tables.store(OUTPUT, table, here() | found)


if __name__ == "__main__":
    main()
