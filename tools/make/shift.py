"""Train two networks that differ in one layer, shift digits under both, and write what they answer.

    python -m tools.make.shift          train, choose, measure (about ten minutes on two busy cores)
    python -m tools.make.shift check    measure the file of weights that is there

Both are convolution, ReLU and max pooling, twice, as in chapter 10 but smaller. Then one lays all
numbers of the maps in a row (flatten), the other keeps one number a map (global pooling, max or
mean); a dense layer gives ten numbers. The rate of each network, and max or mean, are those that
read most of the 5,000 held-back training images with seed 0. Then three seeds; the test set comes
last, and only those of its digits that lose no ink when they move by 5 pixels to either side.

data/shift.json has the sweep and the results (chapter 06 prints them; a test holds the two
together). book/figures/drag-digit/networks.safetensors has the weights of seed 0 as float16, named
"network/layer/variable", and ten of those test digits as bytes; its metadata hold their positions.
"""

import json
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from safetensors import safe_open
from safetensors.numpy import save_file

from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist, make_train_step

OUTPUT = ROOT / "data" / "shift.json"
WEIGHTS = ROOT / "book" / "figures" / "drag-digit" / "networks.safetensors"
FILTERS, EPOCHS, BATCH, SEEDS = (8, 24), 2, 100, (0, 1, 2)
RATES = (0.001, 0.003, 0.01, 0.03)
HEADS = {"flatten": keras.layers.Flatten, "max": keras.layers.GlobalMaxPooling2D,
         "mean": keras.layers.GlobalAveragePooling2D}
REACH = 5  # pixels to the left and to the right


def network(head):
    """Return a model: logits (N, 10) from images (N, 28, 28, 1) in 0..1, ink 1."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(FILTERS[0], 5, padding="same", activation="relu", name="conv1"),
        keras.layers.MaxPooling2D(2, name="pool1"),
        keras.layers.Conv2D(FILTERS[1], 5, padding="same", activation="relu", name="conv2"),
        keras.layers.MaxPooling2D(2, name="pool2"),
        HEADS[head](),
        keras.layers.Dense(10, name="dense"),
    ])


def train(head, rate, seed, x, y):
    """Return the model after EPOCHS with Adam, whose rate falls from `rate` to 0 in a line."""
    keras.utils.set_random_seed(seed)
    rng, model, steps = np.random.default_rng(seed), network(head), len(x) // BATCH
    falling = keras.optimizers.schedules.PolynomialDecay(rate, EPOCHS * steps, 0.0)
    step = make_train_step(model, keras.optimizers.Adam(falling))
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for rows in order[:steps * BATCH].reshape(steps, BATCH):
            step(x[rows], y[rows])
    return model


def answers(model, x):
    """Return what a model says to images (N, 28, 28) of bytes: the place of the largest logit."""
    return model.predict(as_input(x), batch_size=500, verbose=0).argmax(axis=1)


def movable(x):
    """Return, for images (N, 28, 28), whether none loses ink in a move by REACH to either side."""
    return ~(x[:, :, :REACH].any(axis=(1, 2)) | x[:, :, -REACH:].any(axis=(1, 2)))


def measure(model, x, y):
    """Return accuracy and share of changed answers for each shift: images (N, 28, 28) of bytes."""
    said = {k: answers(model, np.roll(x, k, axis=2)) for k in range(-REACH, REACH + 1)}
    return {"accuracy": [round(float(np.mean(a == y)), 4) for a in said.values()],
            "changed": [round(float(np.mean(a != said[0])), 4) for a in said.values()]}


def choose_samples(x, y):
    """Return the positions of ten images: of each digit, the movable one nearest to its mean."""
    x, allowed = x / np.float32(255), movable(x)
    positions = []
    for label in range(10):
        distance = ((x - x[y == label].mean(axis=0)) ** 2).sum(axis=(1, 2))
        positions.append(int(np.where((y == label) & allowed, distance, np.inf).argmin()))
    return positions


def write_networks(path, models, images, positions):
    """Write {name: model} as float16 and the sample images (10, 28, 28) as bytes."""
    arrays = {f"{name}/{layer.name}/{variable.name}": variable.numpy().astype(np.float16)
              for name, model in models.items() for layer in model.layers for variable in layer.weights}
    path.parent.mkdir(exist_ok=True)
    save_file({**arrays, "samples": np.ascontiguousarray(images)}, path,
              {"positions": " ".join(map(str, positions))})


def read_networks(path=WEIGHTS, pooling=None):
    """Return ({name: model}, samples (10, 28, 28) of bytes, their positions in the test set)."""
    pooling = pooling or json.loads(OUTPUT.read_text())["pooling"]
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
        positions = [int(text) for text in file.metadata()["positions"].split()]
    models = {"flatten": network("flatten"), "global": network(pooling)}
    for name, model in models.items():
        model.set_weights([arrays[f"{name}/{layer.name}/{variable.name}"].astype(np.float32)
                           for layer in model.layers for variable in layer.weights])
    return models, arrays["samples"], positions


def main():
    start = time.perf_counter()
    (x, y), (x_test, y_test) = load_mnist()
    moves = movable(x_test)
    if sys.argv[1:] == ["check"]:
        for name, model in read_networks()[0].items():
            print(name, measure(model, x_test[moves], y_test[moves]))
        return
    images, labels = as_input(x[:TRAINING]), y[:TRAINING]
    sweep, best = [], {}
    for head in HEADS:
        for rate in RATES:
            model = train(head, rate, SEEDS[0], images, labels)
            right = round(float(np.mean(answers(model, x[TRAINING:]) == y[TRAINING:])), 4)
            sweep.append({"head": head, "rate": rate, "held_back": right})
            print(sweep[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
            if head not in best or right > best[head][0]:
                best[head] = right, rate, model
    pooling = max(("max", "mean"), key=lambda head: best[head][0])
    written = {"tensorflow": tf.__version__, "keras": keras.__version__, "filters": FILTERS,
               "epochs": EPOCHS, "batch": BATCH, "sweep": sweep, "pooling": pooling,
               "digits": int(moves.sum()), "shifts": list(range(-REACH, REACH + 1)), "networks": {}}
    first = {}
    for name, head in ("flatten", "flatten"), ("global", pooling):
        _, rate, first[name] = best[head]
        runs = []
        for seed in SEEDS:
            model = train(head, rate, seed, images, labels) if seed != SEEDS[0] else first[name]
            all_right = round(float(np.mean(answers(model, x_test) == y_test)), 4)
            runs.append({"seed": seed, "all": all_right,
                         **measure(model, x_test[moves], y_test[moves])})
            print(name, runs[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
        written["networks"][name] = {"weights": model.count_params(), "rate": rate, "seeds": runs}
    OUTPUT.write_text(json.dumps(written, indent=1) + "\n")
    positions = choose_samples(x_test, y_test)
    write_networks(WEIGHTS, first, x_test[positions], positions)
    print(f"{WEIGHTS.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
