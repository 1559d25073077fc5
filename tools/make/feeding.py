"""Train what chapter 19 compares, oftener than a notebook can, and write it to data/feeding.json.

    python -m tools.make.feeding             every table (about a quarter of an hour, idle)

buffers    10,000 images sorted by label, through shuffle buffers of five sizes: two passes
changes    1,000 images, left alone or changed in one of five ways: 30 passes
rare       2 of 10 classes have 20 images, the others 1,000: nothing, weights, oversampling: six
           passes; "adjusted" is the network of "nothing" with the shares of the classes taken out

All with Adam at several rates, each run on seeds 0, 1 and 2, judged on the 5,000 validation images.
"confusions" is the matrix (10, 10) of counts, a row for each true class.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, confusions, digits, share_right
from tools.make.models import logits_of
from tools.make.tables import asked_for, finish, sweep

OUTPUT = ROOT / "data" / "feeding.json"
SEEDS = [0, 1, 2]
RATES = {"buffers": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
         "changes": [0.001, 0.003, 0.01, 0.03],
         "rare": [0.001, 0.003, 0.01, 0.03]}
BUFFERS = ["1", "100", "1000", "5000", "10000"]
WAYS = ["nothing", "weights", "oversampling"]


def feed(table, name, seed, chapter, x, y):
    """Return (dataset, epochs, what else `fit` is told) of one run."""
    pairs = tf.data.Dataset.from_tensor_slices
    if table == "buffers":
        order = np.argsort(y[:10_000], kind="stable")
        return pairs((x[order], y[order])).shuffle(int(name), seed=seed).batch(100), 2, {}
    if table == "changes":
        chosen = np.random.default_rng(seed).permutation(TRAINING)[:1000]
        one_of, change = chapter["one_of"], chapter["CHANGES"][name]
        images = pairs((x[chosen], y[chosen])).shuffle(1000, seed=seed).batch(50)
        return images.map(lambda a, b: (one_of(change(a)), b)), 30, {}
    chosen = chapter["with_rare"](y[:TRAINING])
    counts = np.bincount(y[chosen])
    if name == "oversampling":
        chosen = np.repeat(chosen, 1000 // counts[y[chosen]])
    weights = {"class_weight": dict(enumerate(counts.sum() / (10 * counts)))}
    images = pairs((x[chosen], y[chosen])).shuffle(len(chosen), seed=seed)
    steps = 6 * counts.sum() // 100  # the same for all
    return images.repeat().batch(100), 1, {
        "steps_per_epoch": int(steps), **(weights if name == "weights" else {})}


def judged(logits, labels):
    return {"accuracy": share_right(logits, labels), "confusions": confusions(logits, labels)}


def measure(table, name, rate, seed):
    """Return what one run ends with."""
    chapter, (x, y) = definitions("19"), digits()
    keras.utils.set_random_seed(seed)
    model = chapter["small_reader"]()
    model.compile(keras.optimizers.Adam(rate), chapter["COST"], jit_compile=False)
    data, epochs, more = feed(table, name, seed, chapter, x, y)
    model.fit(data, epochs=epochs, verbose=0, **more)
    logits, labels = logits_of(model, x[TRAINING:]), y[TRAINING:]
    found = judged(logits, labels)
    if name == "nothing":
        share = np.bincount(y[chapter["with_rare"](y[:TRAINING])])
        found["adjusted"] = judged(logits - np.log(share / share.sum()), labels)
    return found


def main():
    names = {"buffers": BUFFERS, "changes": list(definitions("19")["CHANGES"]), "rare": WAYS}
    for table in asked_for(RATES):
        finish(OUTPUT, table, sweep(names[table], RATES[table], SEEDS),
               functools.partial(measure, table), {
            "optimizer": "Adam", "rates": RATES[table], "seeds": SEEDS, "judge": "validation"})


if __name__ == "__main__":
    main()
