"""Climb chapter 14's ladder with three seeds, beside keras.io's example; write data/ladder.json.

    python -m tools.make.ladder                 everything that is missing (an hour of two cores)
    python -m tools.make.ladder rungs           only that part; made anew where it is complete
    python -m tools.make.ladder table           one seed of each, on this machine; writes nothing

example   keras.io's "Simple MNIST convnet" as published (Adam 0.001, batches of 128, 15 epochs), on
          the chapter's 55,000 images: validation and test accuracy after each epoch, three seeds.
          It may look at the test set after each epoch and stop at the first that suits; we may not.
lecture   CS 20's network (3,274,634 numbers) after one epoch of the same recipe, three seeds.
rungs     each rung of the chapter's LADDER at each of RATES, three seeds, on validation images.
few       the chapter's FEW, a thousand images for many passes, moved and as they are, likewise.
longer    the last of the chapter's RECIPES, with images moved and as they are, each at three rates,
          three seeds, on validation images.
recipes   the chapter's RECIPES: validation and test, five seeds. Here alone the test set judges a
          recipe of the chapter, once for each seed.

Costs are processor seconds, all cores together. They stand beside the seconds of an epoch of the
example, measured just before and after in the same process: only their ratio means something on
another machine.
"""

import functools
import json
import os
import platform
import sys

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
(X, Y), (X_TEST, Y_TEST) = load_mnist()
TRAIN = as_input(X[:TRAINING]), Y[:TRAINING].astype(np.int32)
JUDGES = {"validation": (as_input(X[TRAINING:]), Y[TRAINING:]), "test": (as_input(X_TEST), Y_TEST)}


def accuracy(model, judge):
    """Return the share of right answers on a set of JUDGES, to four digits."""
    x, y = JUDGES[judge]
    logits = model.predict(x, batch_size=500, verbose=0)
    return round(float(np.mean(logits.argmax(axis=1) == y)), 4)


def example_epoch(seed=0):
    """Return the processor seconds of an epoch of keras.io's example, from its first batches."""
    count = 128 * EXAMPLE_BATCHES
    x, y = TRAIN[0][:count], TRAIN[1][:count]
    _, seconds = CHAPTER["fitted"](x, y, seed, CHAPTER["example_network"])
    return seconds * len(TRAIN[0]) / count


def run(recipe, seed, unit, judges=("validation",)):
    """Return {"seconds", "epochs": the same in units of an epoch, the accuracy for each judge}."""
    model, seconds = CHAPTER["fitted"](*TRAIN, seed, **recipe)
    result = {"seconds": round(seconds, 2), "epochs": round(seconds / unit, 3)}
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
            model.fit(*TRAIN, batch_size=128, verbose=0)
            for judge, row in rows.items():
                row.append(accuracy(model, judge))
        written[f"seed {seed}"] = rows
        yield f"seed {seed}", rows


def lecture(written):
    """Add CS 20's network after one epoch of the first rung's recipe."""
    chapter = definitions("13")
    network = functools.partial(chapter["lecture_network"], *chapter["STARTS"]["Glorot"])
    for seed in SEEDS:
        name = f"seed {seed}"
        if name not in written:
            model, seconds = CHAPTER["fitted"](*TRAIN, seed, network)
            written[name] = {"epochs": round(seconds / example_epoch(), 2),
                             "validation": accuracy(model, "validation")}
            yield name, written[name]


def rungs(written):
    """Add every rung of LADDER at every rate, and which rate is best on the validation images."""
    ladder = CHAPTER["climb"](CHAPTER["LADDER"])
    swept = {str(recipe | {"rate": None}): name for name, recipe in ladder.items()}  # the last wins
    yield from sweep(written, {name: ladder[name] for name in swept.values()}, RATES)


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


def longer(written):
    """Add the last recipe with and without moved images, at three rates."""
    recipe = list(CHAPTER["RECIPES"].values())[-1]
    recipes = {"moved": recipe, "as they are": recipe | {"shift": 0}}
    yield from sweep(written, recipes, RATES[2:5])


def few(written):
    """Add FEW, training on a thousand images, with and without moved images, at three rates."""
    recipe = CHAPTER["FEW"]
    recipes = {"moved": recipe | {"shift": 1}, "as they are": recipe | {"shift": 0}}
    yield from sweep(written, recipes, RATES[2:5])


def recipes(written):
    """Add the chapter's RECIPES, on five seeds."""
    for name, recipe in CHAPTER["RECIPES"].items():
        for seed in range(5):
            key = f"{name}, seed {seed}"
            if key not in written:
                written[key] = run(recipe, seed, example_epoch(), JUDGES)
                yield key, written[key]


PARTS = {part.__name__: part for part in (example, lecture, rungs, few, longer, recipes)}


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
        sys.exit(f"no such part: {sorted(set(names) - set(PARTS))}; there are {[*PARTS, 'table']}")
    for name in names:
        stored = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
        begun = stored.get("unfinished") == name
        results = stored.get(name, {}) if begun or len(sys.argv) == 1 else {}
        for key, row in PARTS[name](results):
            print(name, key, row, flush=True)
            stored |= machine() | {name: results, "unfinished": name}
            OUTPUT.write_text(json.dumps(stored, indent=1) + "\n")
        stored.pop("unfinished", None)
        OUTPUT.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
