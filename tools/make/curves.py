"""Train the long curves that a notebook is too short for, and write them to data/curves.json.

    python -m tools.make.curves            every curve (about 40 minutes on two idle cores)

sgd     the network of the archived TensorFlow layers tutorial, as it was trained: SGD 0.001, batch
        100, 20,000 steps on the first 55,000 images, dropout rate 0.4, Keras' default initialisers;
        its published end is 0.9733.
adam    the same network by epochs, beside CS 20's tables: Adam 0.001, batch 128, dropout rate 0.25.
one_epoch   CS 20's network after one epoch, from two starts on three seeds, tested with dropout off
        and on: chapter 13's table, beside the 0.9131 that the lecture published (six runs of 65
        CPU seconds).
starts  a small copy of it after 60 steps, from four starts at four rates, judged on the 5,000
        validation images (48 runs of 3 CPU seconds).
"""

import keras
import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make import tables
from tools.make.data import TRAINING, as_input, digits, load_mnist, share_right
from tools.make.models import logits_of, make_train_step

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
    (x, y), (x_test, y_test) = digits(), load_mnist()[1]
    keras.utils.set_random_seed(0)
    model = definitions("11")["sequential_network"](rate)
    step = make_train_step(model, optimizer())
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rng, count = np.random.default_rng(0), 0
    while count < marks[-1]:
        order = rng.permutation(TRAINING)
        for start in range(0, TRAINING - batch + 1, batch):
            rows = order[start:start + batch]
            step(x[rows], y[rows])
            count += 1
            if count in marks:
                logits = logits_of(model, as_input(x_test))
                yield {"step": count, "epochs": round(count * batch / TRAINING, 2),
                       "loss": round(float(cost(y_test, logits)), 4),
                       "accuracy": share_right(logits, y_test)}
            if count >= marks[-1]:
                break


def make_curve(name):
    """Store the points of a curve, printing each."""
    points = []
    for point in train(**CURVES[name]):
        points.append(point)
        print(name, point, flush=True)
    tables.store(OUTPUT, name, {"seed": 0, "points": points})


def beginning(start, rate, seed, *, images, batch, filters, units):
    """Return CS 20's network after one pass over `images` images, from a start of chapter 13."""
    x, y = digits()
    chapter = definitions("13")
    keras.utils.set_random_seed(seed)
    model = chapter["lecture_network"](*chapter["STARTS"][start], filters, units)
    model.compile(keras.optimizers.Adam(rate), chapter["COST"])
    model.fit(x[:images], y[:images], batch_size=batch, verbose=0)
    assert model.optimizer.iterations.numpy() == -(-images // batch)
    return model


def accuracies(model, x, y):
    """Return {"off", "on"}: the accuracy on x, y without and with dropout."""
    return {name: share_right(np.concatenate(
        [model(x[i:i + 500], training=training) for i in range(0, len(x), 500)]), y)
        for name, training in [("off", False), ("on", True)]}


def make_beginnings(name):
    """Store the accuracies of each start, rate and seed of BEGINNINGS[name], and their means."""
    plan = BEGINNINGS[name]
    x, y = (part[TRAINING:] for part in digits())
    if plan["judge"] == "test":
        x, y = load_mnist()[1]
        x = as_input(x)
    settings = {key: plan[key] for key in ("images", "batch", "filters", "units")}
    wanted = tables.sweep(plan["starts"], plan["rates"], plan["seeds"])
    about = {"optimizer": "Adam", **plan}
    runs = tables.finish(OUTPUT, name, wanted, lambda *which: accuracies(
        beginning(*which, **settings), x, y), about)
    tables.store(OUTPUT, name, about | {"runs": runs, "summary": summary(runs)})


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


def main():
    for name in tables.asked_for([*CURVES, *BEGINNINGS]):
        make_curve(name) if name in CURVES else make_beginnings(name)


if __name__ == "__main__":
    main()
