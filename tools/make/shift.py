"""Train two networks that differ in one layer, shift digits under both, and write what they answer.

    python -m tools.make.shift          train, choose, measure (about ten minutes on two busy cores)

Both are convolution, ReLU and max pooling, twice, as in chapter 10 but smaller. Then one lays all
numbers of the maps in a row (flatten), the other keeps one number a map (global pooling, max or
mean); a dense layer gives ten numbers. The rate of each network, and max or mean, are those that
read most of the 5,000 held-back training images with seed 0. Then three seeds; the test set comes
last, and only those of its digits that lose no ink when they move by 5 pixels to either side.

data/shift.json has the sweep and the results, which chapter 06 prints.
book/figures/drag-digit/networks.safetensors has the weights of seed 0 as float16, named
"network/layer/variable", and ten of those test digits as bytes; its metadata hold their positions.
"""

import json
import sys

import keras
import numpy as np

from tools.book.files import ROOT
from tools.make import models
from tools.make.data import TRAINING, as_input, digits, load_mnist, nearest_to_means, share_right
from tools.make.tables import versions, write

OUTPUT = ROOT / "data" / "shift.json"
WEIGHTS = ROOT / "book" / "figures" / "drag-digit" / "networks.safetensors"
FILTERS, EPOCHS, BATCH, SEEDS = (8, 24), 2, 100, (0, 1, 2)
RATES = (0.001, 0.003, 0.01, 0.03)
HEADS = {"flatten": keras.layers.Flatten, "max": keras.layers.GlobalMaxPooling2D,
         "mean": keras.layers.GlobalAveragePooling2D}
REACH = 5  # pixels to the left and to the right


def network(head):
    """Return a model: logits (N, 10) from images (N, 28, 28, 1) in 0..1, ink 1."""
    return models.convolutional(FILTERS, HEADS[head](), keras.layers.Dense(10, name="dense"),
                         padding="same")


def train(head, rate, seed):
    """Return the model after EPOCHS with Adam, whose rate falls from `rate` to 0 in a line."""
    keras.utils.set_random_seed(seed)
    (x, y), rng, model = digits(), np.random.default_rng(seed), network(head)
    steps = TRAINING // BATCH
    falling = keras.optimizers.schedules.PolynomialDecay(rate, EPOCHS * steps, 0.0)
    step = models.make_train_step(model, keras.optimizers.Adam(falling))
    for _ in range(EPOCHS):
        for rows in rng.permutation(TRAINING).reshape(steps, BATCH):
            step(x[rows], y[rows])
    return model


def answers(model, x):
    """Return what a model says to images (N, 28, 28) of bytes: the place of the largest logit."""
    return models.logits_of(model, as_input(x)).argmax(axis=1)


def movable(x):
    """Return, for images (N, 28, 28), whether none loses ink in a move by REACH to either side."""
    return ~(x[:, :, :REACH].any(axis=(1, 2)) | x[:, :, -REACH:].any(axis=(1, 2)))


def measure(model, x, y):
    """Return accuracy and share of changed answers for each shift: images (N, 28, 28) of bytes."""
    said = {k: answers(model, np.roll(x, k, axis=2)) for k in range(-REACH, REACH + 1)}
    return {"accuracy": [round(float(np.mean(a == y)), 4) for a in said.values()],
            "changed": [round(float(np.mean(a != said[0])), 4) for a in said.values()]}


def read_networks():
    """Return ({name: model}, samples (10, 28, 28) of bytes, their positions in the test set)."""
    two = {"flatten": network("flatten"),
           "global": network(json.loads(OUTPUT.read_text())["pooling"])}
    return two, *models.read_models(WEIGHTS, {f"{name}/": model for name, model in two.items()})


def main():
    if sys.argv[1:]:
        sys.exit(__doc__)
    x_test, y_test = load_mnist()[1]
    moves = movable(x_test)
    sweep, best = [], {}
    for head in HEADS:
        for rate in RATES:
            model = train(head, rate, SEEDS[0])
            right = models.held_back(model)
            sweep.append({"head": head, "rate": rate, "held_back": right})
            print(sweep[-1], flush=True)
            if head not in best or right > best[head][0]:
                best[head] = right, rate, model
    pooling = max(("max", "mean"), key=lambda head: best[head][0])
    written = versions() | {
        "filters": FILTERS, "epochs": EPOCHS, "batch": BATCH, "sweep": sweep, "pooling": pooling,
        "digits": int(moves.sum()), "shifts": list(range(-REACH, REACH + 1)), "networks": {}}
    kept = {}
    for name, head in ("flatten", "flatten"), ("global", pooling):
        _, rate, first = best[head]
        kept[f"{name}/"] = first
        runs = []
        for seed in SEEDS:
            model = train(head, rate, seed) if seed != SEEDS[0] else first
            all_right = share_right(models.logits_of(model, as_input(x_test)), y_test)
            runs.append({"seed": seed, "all": all_right,
                         **measure(model, x_test[moves], y_test[moves])})
            print(name, runs[-1], flush=True)
        written["networks"][name] = {"weights": model.count_params(), "rate": rate, "seeds": runs}
    write(OUTPUT, written)
    positions = nearest_to_means(x_test / np.float32(255), y_test, movable(x_test))
    models.write_models(WEIGHTS, kept, x_test[positions], positions)


if __name__ == "__main__":
    main()
