"""Climb chapter 14's ladder with three seeds, beside keras.io's example; write data/ladder.json.

    python -m tools.make.ladder                 everything that is missing (an hour of two cores)
    python -m tools.make.ladder rungs           only that part; made anew where it is complete
    python -m tools.make.ladder table           one seed of each, on this machine; writes nothing

example   keras.io's "Simple MNIST convnet" as published (Adam 0.001, batches of 128, 15 epochs), on
          the chapter's 55,000 images: validation and test accuracy after each epoch, three seeds.
          It may look at the test set after each epoch and stop at the first that suits; we may not.
tuned     the example with the chapter's schedule, so that it may be a fair opponent: one to three
          epochs at four peaks, three seeds.
lecture   CS 20's network (3,274,634 numbers) after one epoch of the same recipe, three seeds.
rungs     each rung of the chapter's LADDER at each of RATES, three seeds, on validation images.
few       the chapter's FEW, a thousand images for many passes, moved and as they are, likewise.
longer    the last of the chapter's RECIPES, with images moved and as they are, each at three rates,
          three seeds, on validation images.
recipes   the chapter's RECIPES: validation and test, five seeds; and 20,000 images, which missed
          the first mark. Here alone the test set judges a recipe of the chapter.

Costs are processor seconds, all cores together, also as a share of an epoch of the example that was
measured just before in the same process: on another machine only that ratio means something.
"""

import functools
import json
import os
import platform
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist

OUTPUT = ROOT / "data" / "ladder.json"
SEEDS, EPOCHS = (0, 1, 2), 15
RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
EXAMPLE_BATCHES = 100  # of 430: enough to know what an epoch of the example costs
CHAPTER = definitions("14")
JUDGES = ("validation", "test")


@functools.cache
def data():
    """Return {"train", "validation", "test"}: images as a network takes them, and labels."""
    (x, y), (x_test, y_test) = load_mnist()
    return {"train": (as_input(x[:TRAINING]), y[:TRAINING]),
            "validation": (as_input(x[TRAINING:]), y[TRAINING:]),
            "test": (as_input(x_test), y_test)}


def accuracy(model, judge):
    """Return the share of right answers on a set of JUDGES, to four digits."""
    x, y = data()[judge]
    logits = model.predict(x, batch_size=500, verbose=0)
    return round(float(np.mean(logits.argmax(axis=1) == y)), 4)


def example_epoch(seed=0):
    """Return the processor seconds of an epoch of keras.io's example, from its first batches."""
    count = 128 * EXAMPLE_BATCHES
    _, seconds = CHAPTER["fitted"](*data()["train"], seed, CHAPTER["example_network"], images=count)
    return seconds * TRAINING / count


def run(recipe, seed, unit, judges=("validation",)):
    """Return the seconds, their share of an epoch, the "whole" with the graph, and accuracies."""
    begin = time.process_time()
    model, seconds = CHAPTER["fitted"](*data()["train"], seed, **recipe)
    result = {"seconds": round(seconds, 2), "epochs": round(seconds / unit, 3),
              "whole": round(time.process_time() - begin, 1)}
    return result | {judge: accuracy(model, judge) for judge in judges}


def example(written):
    """Add the accuracies of keras.io's example after each epoch, seed by seed."""
    for seed in SEEDS:
        if f"seed {seed}" in written:
            continue
        keras.utils.set_random_seed(seed)
        model, rows = CHAPTER["example_network"](), {judge: [] for judge in JUDGES}
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        for _ in range(EPOCHS):
            model.fit(*data()["train"], batch_size=128, verbose=0)
            for judge, row in rows.items():
                row.append(accuracy(model, judge))
        written[f"seed {seed}"] = rows
        yield f"seed {seed}", rows


def tuned(written):
    """Add the example with the chapter's schedule at four peaks, after one to three epochs."""
    for passes in range(1, 4):
        for rate in RATES[2:]:
            for seed in SEEDS:
                key = f"{passes} epochs, rate {rate}, seed {seed}"
                if key not in written:
                    model, _ = CHAPTER["fitted"](*data()["train"], seed, CHAPTER["example_network"],
                                                 passes=passes, rate=rate, falls=True)
                    written[key] = {judge: accuracy(model, judge) for judge in JUDGES}
                    yield key, written[key]


def lecture(written):
    """Add CS 20's network after one epoch of the first rung's recipe."""
    chapter = definitions("13")
    network = functools.partial(chapter["lecture_network"], *chapter["STARTS"]["Glorot"])
    for seed in SEEDS:
        name = f"seed {seed}"
        if name not in written:
            model, seconds = CHAPTER["fitted"](*data()["train"], seed, network)
            written[name] = {"epochs": round(seconds / example_epoch(), 2),
                             "validation": accuracy(model, "validation")}
            yield name, written[name]


def plan():
    """Return {part: {name: recipe}} of what the chapter says today."""
    ladder = CHAPTER["climb"](CHAPTER["LADDER"])
    swept = {str(recipe | {"rate": None}): name for name, recipe in ladder.items()}  # the last wins
    few, (first, *_, longest) = CHAPTER["FEW"], CHAPTER["RECIPES"].values()
    return {"rungs": {name: ladder[name] for name in swept.values()},
            "few": {"moved": few | {"shift": 1}, "as they are": few},
            "longer": {"moved": longest, "as they are": longest | {"shift": 0}},
            "recipes": {"20,000 images": first | {"images": 20_000}, **CHAPTER["RECIPES"]}}


def described(recipe):
    """Return a recipe as JSON holds it: of its network, the layers and their multiply-adds."""
    model = recipe["network"]()
    layers = " ".join(type(layer).__name__ for layer in model.layers)
    return json.loads(json.dumps(recipe | {"network": [layers, CHAPTER["multiply_adds"](model)]}))


def rungs(written):
    """Add every rung of LADDER at every rate, three seeds, on the validation images."""
    yield from sweep(written, plan()["rungs"], RATES)


def few(written):
    """Add FEW, training on a thousand images, with and without moved images, at three rates."""
    yield from sweep(written, plan()["few"], RATES[2:5])


def longer(written):
    """Add the last recipe with and without moved images, at three rates."""
    yield from sweep(written, plan()["longer"], RATES[2:5])


def sweep(written, recipes, rates):
    """Add each recipe at each rate, three seeds, on the validation images."""
    for name, recipe in recipes.items():
        for rate in rates:
            keys = [f"{name}, rate {rate}, seed {seed}" for seed in SEEDS]
            unit = None if written.keys() >= set(keys) else example_epoch()
            for seed, key in enumerate(keys):
                if key not in written:
                    written[key] = run(recipe | {"rate": rate}, seed, unit)
                    yield key, written[key]


def recipes(written):
    """Add the chapter's RECIPES, on five seeds."""
    for name, recipe in plan()["recipes"].items():
        for seed in range(5):
            key = f"{name}, seed {seed}"
            if key not in written:
                written[key] = run(recipe, seed, example_epoch(), JUDGES)
                yield key, written[key]


PARTS = {part.__name__: part for part in (example, tuned, lecture, rungs, few, longer, recipes)}


def machine():
    """Return what the figures were measured with."""
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            lines = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
        cpu = lines[0] if lines else cpu
    return {"tensorflow": tf.__version__, "keras": keras.__version__, "cpu": cpu,
            "cores": os.cpu_count()}


def table():
    """Print one seed of each rung and recipe, on this machine."""
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    unit = example_epoch()
    print(f"{'keras.io, one epoch':24} {unit:6.1f} processor seconds")
    for name, recipe in (CHAPTER["climb"](CHAPTER["LADDER"]) | CHAPTER["RECIPES"]).items():
        row = run(recipe, 0, unit)
        print(f"{name:24} {row['seconds']:6.1f} s, {row['epochs']:5.2f} epochs of keras.io, "
              f"validation {row['validation']:.4f}", flush=True)


def main():
    names = sys.argv[1:] or list(PARTS)
    if names == ["table"]:
        return table()
    if set(names) - set(PARTS):
        sys.exit(f"no such parts: {names}; there are {list(PARTS)}, or `table` alone")
    for name in names:
        stored = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
        recipe = {key: described(recipe) for key, recipe in plan().get(name, {}).items()}
        half = name in stored.setdefault("unfinished", [])
        same = stored.setdefault("plan", {}).get(name, recipe) == recipe
        results = stored.get(name, {}) if same and (half or not sys.argv[1:]) else {}
        stored["unfinished"] = sorted({*stored["unfinished"], name})
        for key, row in PARTS[name](results):
            print(name, key, row, flush=True)
            write(stored, name, results, recipe)
        stored["unfinished"].remove(name)
        write(stored, name, results, recipe)


def write(stored, name, results, recipe):
    """Write the results of a part, what they were measured with, and its recipes."""
    stored |= {name: results, "machine": machine()}
    if recipe:
        stored["plan"][name] = recipe
    half = OUTPUT.with_suffix(".half")
    half.write_text(json.dumps(stored, indent=1) + "\n")
    half.replace(OUTPUT)


if __name__ == "__main__":
    main()
