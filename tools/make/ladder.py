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
import itertools
import json
import sys
import time

import keras

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make import tables
from tools.make.data import TRAINING, as_input, digits, load_mnist, share_right
from tools.make.machine import machine
from tools.make.models import logits_of

OUTPUT = ROOT / "data" / "ladder.json"
SEEDS, EPOCHS = (0, 1, 2), 15
RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
EXAMPLE_BATCHES = 100  # of 430: enough to know what an epoch of the example costs
CHAPTER = definitions("14")
JUDGES = ("validation", "test")
PARTS = ("example", "tuned", "lecture", "rungs", "few", "longer", "recipes")


@functools.cache
def data():
    """Return {"train", "validation", "test"}: images as a network takes them, and labels."""
    (x, y), (_, (x_test, y_test)) = digits(), load_mnist()
    return {"train": (x[:TRAINING], y[:TRAINING]), "validation": (x[TRAINING:], y[TRAINING:]),
            "test": (as_input(x_test), y_test)}


def accuracies(model, judges=JUDGES):
    """Return {one of JUDGES: the share of right answers on it}."""
    return {judge: share_right(logits_of(model, data()[judge][0]), data()[judge][1])
            for judge in judges}


def example_epoch():
    """Return the processor seconds of an epoch of keras.io's example, from its first batches."""
    count = 128 * EXAMPLE_BATCHES
    _, seconds = CHAPTER["fitted"](*data()["train"], 0, CHAPTER["example_network"], images=count)
    return seconds * TRAINING / count


def run(recipe, seed, judges=("validation",), unit=None):
    """Return the seconds, their share of an epoch, the "whole" with the graph, and accuracies."""
    unit = unit or example_epoch()
    begin = time.process_time()
    model, seconds = CHAPTER["fitted"](*data()["train"], seed, **recipe)
    result = {"seconds": round(seconds, 2), "epochs": round(seconds / unit, 3),
              "whole": round(time.process_time() - begin, 1)}
    return result | accuracies(model, judges)


def example(seed):
    """Return the accuracies of keras.io's example after each epoch."""
    keras.utils.set_random_seed(seed)
    model, rows = CHAPTER["example_network"](), {judge: [] for judge in JUDGES}
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(EPOCHS):
        model.fit(*data()["train"], batch_size=128, verbose=0)
        for judge, accuracy in accuracies(model).items():
            rows[judge].append(accuracy)
    return rows


def tuned(passes, rate, seed):
    """Return the accuracies of the example with the chapter's schedule."""
    model, _ = CHAPTER["fitted"](*data()["train"], seed, CHAPTER["example_network"],
                                 passes=passes, rate=rate, falls=True)
    return accuracies(model)


def lecture(seed):
    """Return what CS 20's network has after one epoch of the first rung's recipe."""
    chapter = definitions("13")
    network = functools.partial(chapter["lecture_network"], *chapter["STARTS"]["Glorot"])
    found = run({"network": network}, seed)
    return {"epochs": round(found["epochs"], 2), "validation": found["validation"]}


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


def runs(part):
    """Return {name of a run: (what measures it, with what)} of one of PARTS."""
    if part in ("example", "lecture"):
        return {f"seed {seed}": (example if part == "example" else lecture, seed)
                for seed in SEEDS}
    if part == "tuned":
        return {f"{passes} epochs, rate {rate}, seed {seed}": (tuned, passes, rate, seed)
                for passes, rate, seed in itertools.product((1, 2, 3), RATES[2:], SEEDS)}
    recipes = plan()[part]
    if part == "recipes":
        return {f"{name}, seed {seed}": (run, recipe, seed, JUDGES)
                for name, recipe in recipes.items() for seed in range(5)}
    return {f"{name}, rate {rate}, seed {seed}": (run, recipes[name] | {"rate": rate}, seed)
            for name, rate, seed in itertools.product(
                recipes, RATES if part == "rungs" else RATES[2:5], SEEDS)}


def table():
    """Print one seed of each rung and recipe, on this machine."""
    print(", ".join(f"{name} {value}" for name, value in measured_with().items()))
    unit = example_epoch()
    print(f"{'keras.io, one epoch':24} {unit:6.1f} processor seconds")
    for name, recipe in (CHAPTER["climb"](CHAPTER["LADDER"]) | CHAPTER["RECIPES"]).items():
        row = run(recipe, 0, unit=unit)
        print(f"{name:24} {row['seconds']:6.1f} s, {row['epochs']:5.2f} epochs of keras.io, "
              f"validation {row['validation']:.4f}", flush=True)


def measured_with():
    return tables.versions() | {key: machine()[key] for key in ("cpu", "cores")}


def make(part):
    """Measure the runs of a part that are missing, and store each when it is done."""
    stored = tables.read(OUTPUT)
    recipes = {name: described(recipe) for name, recipe in plan().get(part, {}).items()}
    half = part in stored.setdefault("unfinished", [])
    same = stored.setdefault("plan", {}).get(part, recipes) == recipes
    results = stored.get(part, {}) if same and (half or not sys.argv[1:]) else {}

    def write(unfinished):
        stored.update({part: results, "machine": measured_with(), "unfinished": sorted(unfinished)})
        if recipes:
            stored["plan"][part] = recipes
        tables.write(OUTPUT, stored)

    others = set(stored["unfinished"]) - {part}
    for key, (measure, *settings) in runs(part).items():
        if key not in results:
            results[key] = measure(*settings)
            print(part, key, results[key], flush=True)
            write(others | {part})
    write(others)


def main():
    if sys.argv[1:] == ["table"]:
        return table()
    for part in tables.asked_for(PARTS):
        make(part)


if __name__ == "__main__":
    main()
