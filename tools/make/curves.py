"""Train the long curves that a notebook is too short for, and write them to data/curves.json.

    python -m tools.make.curves            every curve (about 40 minutes on two idle cores)
    python -m tools.make.curves sgd        only that one

sgd     the network of the archived TensorFlow layers tutorial, as it was trained: SGD 0.001, batch
        100, 20,000 steps on the first 55,000 images, dropout rate 0.4, Keras' default initialisers;
        its published end is 0.9733.
adam    the same network by epochs, beside CS 20's tables: Adam 0.001, batch 128, dropout rate 0.25.
one_epoch   CS 20's network after one epoch, from two starts on three seeds, tested with dropout off
        and on: chapter 13's table, beside the 0.9131 that the lecture published (six runs of 65
        CPU seconds). An interrupted table is finished, a whole one is made anew.
starts  a small copy of it after 60 steps, from four starts at four rates, judged on the 5,000
        validation images (48 runs of 3 CPU seconds).

A notebook shows these numbers as short tables; tests of chapters 11 and 13 hold the two together.
"""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist, make_train_step

OUTPUT = ROOT / "data" / "curves.json"
CURVES = {
    "sgd": dict(rate=0.4, batch=100, optimizer=lambda: keras.optimizers.SGD(0.001),
                marks=[1, 100, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000]),
    "adam": dict(rate=0.25, batch=128, optimizer=lambda: keras.optimizers.Adam(0.001),
                 marks=[429 * epoch for epoch in (1, 2, 3, 5)]),
}
BEGINNINGS = {
    "one_epoch": dict(starts=["std 1", "Glorot"], rates=[0.001], seeds=[0, 1, 2], images=TRAINING,
                      batch=128, filters=[32, 64], units=1024, judge="test"),
    "starts": dict(starts=["std 1", "0.01", "Glorot", "He"], rates=[0.001, 0.003, 0.01, 0.03],
                   seeds=[0, 1, 2], images=3840, batch=64, filters=[8, 16], units=64,
                   judge="validation"),
}


def train(rate, batch, optimizer, marks):
    """Yield {step, epochs, loss, accuracy} at each mark: on all 10,000 test images."""
    (x, y), (x_test, y_test) = load_mnist()
    x, y, x_test = as_input(x[:TRAINING]), y[:TRAINING], as_input(x_test)
    keras.utils.set_random_seed(0)
    model = definitions("11")["sequential_network"](rate)
    step = make_train_step(model, optimizer())
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rng, count = np.random.default_rng(0), 0
    while count < marks[-1]:
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start:start + batch]
            step(x[rows], y[rows])
            count += 1
            if count in marks:
                logits = model.predict(x_test, batch_size=500, verbose=0)
                yield {"step": count, "epochs": round(count * batch / len(x), 2),
                       "loss": round(float(cost(y_test, logits)), 4),
                       "accuracy": round(float(np.mean(logits.argmax(axis=1) == y_test)), 4)}
            if count >= marks[-1]:
                break


def beginning(start, rate, seed, *, images, batch, filters, units):
    """Return CS 20's network after one pass over `images` images, from a start of chapter 13."""
    (x, y), _ = load_mnist()
    chapter = definitions("13")
    keras.utils.set_random_seed(seed)
    model = chapter["lecture_network"](*chapter["STARTS"][start], filters, units)
    model.compile(keras.optimizers.Adam(rate),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(as_input(x[:images]), y[:images], batch_size=batch, verbose=0)
    assert model.optimizer.iterations.numpy() == -(-images // batch)
    return model


def accuracies(model, x, y):
    """Return {"off", "on"}: the accuracy on x, y without and with dropout."""
    scores = {}
    for name, training in ("off", False), ("on", True):
        logits = [model(x[i:i + 500], training=training) for i in range(0, len(x), 500)]
        scores[name] = round(float(np.mean(np.concatenate(logits).argmax(axis=1) == y)), 4)
    return scores


def make_beginnings(name):
    """Store the accuracies of each start, rate and seed of BEGINNINGS[name], and their means."""
    (x, y), test = load_mnist()
    plan = BEGINNINGS[name]
    x, y = test if plan["judge"] == "test" else (x[TRAINING:], y[TRAINING:])
    wanted = {f"{start}, rate {rate}, seed {seed}": (start, rate, seed) for seed in plan["seeds"]
              for start in plan["starts"] for rate in plan["rates"]}
    written = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    runs = written.get(name, {}).get("runs", {})
    runs = {} if wanted.keys() <= runs.keys() else runs
    settings = {key: plan[key] for key in ("images", "batch", "filters", "units")}
    for run in [run for run in wanted if run not in runs]:
        begin = time.process_time()
        runs[run] = accuracies(beginning(*wanted[run], **settings), as_input(x), y)
        print(run, runs[run], f"{time.process_time() - begin:.0f} CPU s", flush=True)
        store(name, {"optimizer": "Adam", **plan, "runs": dict(sorted(runs.items())),
                     "summary": summary(runs)})


def summary(runs):
    """Return {start and rate: {"off", "on": {"mean", "spread"}}} over the seeds of `runs`."""
    cells = {}
    for run, scores in sorted(runs.items()):
        for dropout, accuracy in scores.items():
            cell = cells.setdefault(run.rsplit(", ", 1)[0], {})
            cell.setdefault(dropout, []).append(accuracy)
    return {cell: {dropout: {"mean": round(float(np.mean(values)), 4),
                             "spread": round(max(values) - min(values), 4)}
                   for dropout, values in row.items()} for cell, row in cells.items()}


def store(name, result):
    """Write `result` under its name beside the others of OUTPUT."""
    written = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    written[name] = {"tensorflow": tf.__version__, "keras": keras.__version__, **result}
    OUTPUT.write_text(json.dumps(written, indent=1) + "\n")


def main():
    every = [*CURVES, *BEGINNINGS]
    names = sys.argv[1:] or every
    if set(names) - set(every):
        sys.exit(f"no such curve: {sorted(set(names) - set(every))}; there are {every}")
    for name in names:
        if name in BEGINNINGS:
            make_beginnings(name)
            continue
        start, points = time.perf_counter(), []
        for point in train(**CURVES[name]):
            points.append(point)
            print(name, point, f"{time.perf_counter() - start:.0f} s", flush=True)
        store(name, {"seed": 0, "points": points})


if __name__ == "__main__":
    main()
