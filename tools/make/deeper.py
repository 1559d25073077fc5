"""Train what chapter 15 compares, more often than a notebook can, and write it to data/deeper.json.

    python -m tools.make.deeper            every table (about an hour on one idle core)
    python -m tools.make.deeper shuffled   only that one

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
null where it is no number, and "accuracy" that on the 5,000 validation images. The notebook shows
the numbers as short tables; tests of chapter 15 hold the two together. An interrupted table is
finished, a whole one is made anew.
"""

import functools
import itertools

import keras
import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist
from tools.make.tables import asked_for, finish

OUTPUT = ROOT / "data" / "deeper.json"
SEEDS = [0, 1, 2]
FEW = 3840  # images: 60 steps of 64
ADAM, SGD = keras.optimizers.Adam, keras.optimizers.SGD
RATES = {"steps": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0], "epoch": [0.0003, 0.001, 0.003, 0.01],
         "layers": [0.001, 0.003, 0.01, 0.03], "few": [0.03, 0.1, 0.3, 1.0, 3.0],
         "shuffled": [0.03, 0.1, 0.3, 1.0, 3.0]}


def plans(chapter):
    """Return {table: {name: (makes a network, optimiser, images, with shuffled pixels?)}}."""
    tower, arms, thin, heads = (chapter[n] for n in ("tower", "ARMS", "thin_network", "HEADS"))
    plan = {table: {} for table in RATES}

    def add(table, name, make, shuffled=False):
        optimizer = {"epoch": ADAM, "layers": ADAM, "steps": SGD}.get(table, chapter["falling"])
        plan[table][name] = make, optimizer, TRAINING if optimizer is ADAM else FEW, shuffled

    for table, blocks, names in [("steps", [10], arms),
                                 ("steps", [1, 3], ["plain", "shortcut, zero"]),
                                 ("epoch", [10], ["plain", "shortcut, zero"]),
                                 ("epoch", [1], ["plain"])]:
        for b, name in itertools.product(blocks, names):
            add(table, f"{name}, {2 * b} layers", functools.partial(tower, b, **arms[name]))
    for (name, size), (head, top) in itertools.product(chapter["THIN"].items(), heads.items()):
        add("layers", f"{name}, {head}", functools.partial(thin, *size, top))
        if head == "flatten":
            add("few", f"{name}, {head}", functools.partial(thin, *size, top))
    for name, data in itertools.product(["dense", "convolution"], ["as is", "shuffled"]):
        add("shuffled", f"{name}, {data}", lambda name=name: chapter["two_networks"]()[name],
            data == "shuffled")
    return plan


def measure(make, optimizer, images, shuffled, rate, seed, chapter, data):
    """Return {"loss", "accuracy"} of a fresh network after one pass over `images` images."""
    x, y = data
    keras.utils.set_random_seed(seed)
    model = make()
    model.compile(optimizer(rate), chapter["COST"], jit_compile=False)
    if shuffled:
        x = chapter["shuffle_pixels"](x, chapter["ORDER"])
    model.fit(x[:images], y[:images], batch_size=64, verbose=0)
    logits = np.concatenate([model.predict_on_batch(x[i:i + 500])
                             for i in range(TRAINING, len(x), 500)])
    few = np.concatenate([model.predict_on_batch(x[i:i + 640]) for i in range(0, FEW, 640)])
    loss = float(chapter["COST"](y[:FEW], few))
    return {"loss": round(loss, 4) if np.isfinite(loss) else None,
            "accuracy": round(float(np.mean(logits.argmax(axis=1) == y[TRAINING:])), 4)}


def make_table(table):
    """Store the runs of one table, each when it is done."""
    chapter = definitions("15")
    plan, ((x, y), _) = plans(chapter)[table], load_mnist()
    data = as_input(x), y.astype(np.int32)
    wanted = {f"{name}, rate {rate:g}, seed {seed}": (name, rate, seed)
              for name in plan for rate in RATES[table] for seed in SEEDS}

    def run(name, rate, seed):
        found = measure(*plan[name], rate, seed, chapter, data)
        keras.backend.clear_session()
        return found

    optimizer, images = list(plan.values())[0][1:3]
    finish(OUTPUT, table, wanted, run, {
        "optimizer": optimizer.__name__, "batch": 64, "images": images, "rates": RATES[table],
        "seeds": SEEDS, "judge": "validation"})


def main():
    for table in asked_for(RATES):
        make_table(table)


if __name__ == "__main__":
    main()
