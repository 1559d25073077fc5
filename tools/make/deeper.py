"""Train what chapter 15 compares, more often than a notebook can, and write it to data/deeper.json.

    python -m tools.make.deeper            every table (about an hour on one idle core)

steps      towers of 20 convolutions, plain and with shortcuts, from several starts, and such of 2
           and 6: 60 steps of SGD at seven rates
epoch      three towers after one epoch of 55,000 images, Adam at four rates
layers     three small networks, whose layers are full or depthwise-separable, under two heads: one
           epoch, Adam at four rates
few        the same under the first head: 60 steps of SGD, whose rate falls to 0 along half a
           cosine from five rates
shuffled   a dense network and a convolutional one, on images as they are and with all pixels in
           another order: in the same way

Each run on seeds 0, 1 and 2; "loss" is that on the training images (the first 3,840 of an epoch),
null where it is no number, and "accuracy" that on the 5,000 validation images.
"""

import functools
import itertools

import keras
import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, digits
from tools.make.models import held_back, logits_of
from tools.make.tables import asked_for, finish, sweep

OUTPUT = ROOT / "data" / "deeper.json"
SEEDS = [0, 1, 2]
FEW = 3840  # images: 60 steps of 64
ADAM, SGD = keras.optimizers.Adam, keras.optimizers.SGD
RATES = {"steps": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0], "epoch": [0.0003, 0.001, 0.003, 0.01],
         "layers": [0.001, 0.003, 0.01, 0.03], "few": [0.03, 0.1, 0.3, 1.0, 3.0],
         "shuffled": [0.03, 0.1, 0.3, 1.0, 3.0]}


def networks(table):
    """Return {name: function that makes a network} of a table."""
    chapter, partial, product = definitions("15"), functools.partial, itertools.product
    if table in ("steps", "epoch"):
        two = ["plain", "shortcut, zero"]
        towers = {"steps": [*product([10], chapter["ARMS"]), *product([1, 3], two)],
                  "epoch": [*product([10], two), (1, "plain")]}[table]
        return {f"{name}, {2 * b} layers": partial(chapter["tower"], b, **chapter["ARMS"][name])
                for b, name in towers}
    if table == "shuffled":
        return {f"{name}, {data}": lambda name=name: chapter["two_networks"]()[name]
                for name, data in product(["dense", "convolution"], ["as is", "shuffled"])}
    return {f"{name}, {head}": partial(chapter["thin_network"], *size, top) for (name, size),
            (head, top) in product(chapter["THIN"].items(), chapter["HEADS"].items())
            if table == "layers" or head == "flatten"}


def measure(make, optimizer, images, shuffled, rate, seed):
    """Return {"loss", "accuracy"} of a fresh network after one pass over `images` images."""
    chapter, (x, y) = definitions("15"), digits()
    keras.utils.set_random_seed(seed)
    model = make()
    model.compile(optimizer(rate), chapter["COST"], jit_compile=False)
    if shuffled:
        x = chapter["shuffle_pixels"](x, chapter["ORDER"])
    model.fit(x[:images], y[:images], batch_size=64, verbose=0)
    loss = float(chapter["COST"](y[:FEW], logits_of(model, x[:FEW])))
    return {"loss": round(loss, 4) if np.isfinite(loss) else None,
            "accuracy": held_back(model)}


def make_table(table):
    """Store the runs of one table, each when it is done."""
    optimizer = {"epoch": ADAM, "layers": ADAM, "steps": SGD}.get(
        table, definitions("15")["falling"])
    images, makers = TRAINING if optimizer is ADAM else FEW, networks(table)
    finish(OUTPUT, table, sweep(makers, RATES[table], SEEDS), lambda name, *settings: measure(
        makers[name], optimizer, images, name.endswith("shuffled"), *settings), {
        "optimizer": optimizer.__name__, "batch": 64, "images": images, "rates": RATES[table],
        "seeds": SEEDS, "judge": "validation"})


def main():
    for table in asked_for(RATES):
        make_table(table)


if __name__ == "__main__":
    main()
