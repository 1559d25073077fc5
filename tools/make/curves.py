"""Train the long curves that a notebook is too short for, and write them to data/curves.json.

    python -m tools.make.curves            every curve (about 40 minutes on two idle cores)
    python -m tools.make.curves sgd        only that one

sgd     the network of the archived TensorFlow layers tutorial, as it was trained: SGD 0.001, batch
        100, 20,000 steps on the first 55,000 images, dropout rate 0.4, Keras' default initialisers;
        its published end is 0.9733.
adam    the same network by epochs, beside CS 20's tables: Adam 0.001, batch 128, dropout rate 0.25.

A notebook shows a curve as a short table; a test of chapter 11 holds the two together.
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


def main():
    names = sys.argv[1:] or list(CURVES)
    if set(names) - CURVES.keys():
        sys.exit(f"no such curve: {sorted(set(names) - CURVES.keys())}; there are {list(CURVES)}")
    for name in names:
        start, points = time.perf_counter(), []
        for point in train(**CURVES[name]):
            points.append(point)
            print(name, point, f"{time.perf_counter() - start:.0f} s", flush=True)
        written = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
        versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
        written[name] = {**versions, "seed": 0, "points": points}
        OUTPUT.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
