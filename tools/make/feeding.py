"""Train what chapter 19 compares, oftener than a notebook can, and write it to data/feeding.json.

    python -m tools.make.feeding             every table (about a quarter of an hour, idle)
    python -m tools.make.feeding changes     only that one

buffers    10,000 images sorted by label, through shuffle buffers of five sizes: two passes
changes    1,000 images, left alone or changed in one of five ways: 30 passes
rare       2 of 10 classes have 20 images, the others 1,000: nothing, weights, oversampling: six
           passes; "adjusted" is the network of "nothing" with the shares of the classes taken out

All with Adam at several rates, each run on seeds 0, 1 and 2, judged on the 5,000 validation images.
"confusions" is the matrix (10, 10) of counts, a row for each true class. The notebook shows the
numbers as short tables; tests of chapter 19 hold the two together. An interrupted table is
finished, a whole one is made anew.
"""

import keras
import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, load_mnist
from tools.make.tables import asked_for, finish

OUTPUT = ROOT / "data" / "feeding.json"
SEEDS = [0, 1, 2]
RATES = {"buffers": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
         "changes": [0.001, 0.003, 0.01, 0.03],
         "rare": [0.001, 0.003, 0.01, 0.03]}
BUFFERS = ["1", "100", "1000", "5000", "10000"]
WAYS = ["nothing", "weights", "oversampling"]


def confusions(logits, labels):
    """Return the matrix of counts, a row for each true class."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    return counts.tolist()


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


def measure(table, name, rate, seed, chapter, x, y):
    """Return what one run ends with."""
    keras.utils.set_random_seed(seed)
    model = chapter["small_reader"]()
    model.compile(keras.optimizers.Adam(rate), chapter["COST"], jit_compile=False)
    data, epochs, more = feed(table, name, seed, chapter, x, y)
    model.fit(data, epochs=epochs, verbose=0, **more)
    logits = np.concatenate([model.predict_on_batch(x[i:i + 500])
                             for i in range(TRAINING, len(x), 500)])
    labels = y[TRAINING:]
    found = {"accuracy": round(float(np.mean(logits.argmax(axis=1) == labels)), 4),
             "confusions": confusions(logits, labels)}
    if name == "nothing":
        share = np.bincount(y[chapter["with_rare"](y[:TRAINING])])
        adjusted = logits - np.log(share / share.sum())
        found["adjusted"] = {
            "accuracy": round(float(np.mean(adjusted.argmax(axis=1) == labels)), 4),
            "confusions": confusions(adjusted, labels)}
    return found


def make_table(table):
    """Store the runs of one table, each when it is done."""
    chapter, ((x, y), _) = definitions("19"), load_mnist()
    x, y = as_input(x), y.astype(np.int32)
    names = {"buffers": BUFFERS, "changes": list(chapter["CHANGES"]), "rare": WAYS}[table]
    wanted = {f"{name}, rate {rate:g}, seed {seed}": (name, rate, seed)
              for name in names for rate in RATES[table] for seed in SEEDS}

    def run(name, rate, seed):
        found = measure(table, name, rate, seed, chapter, x, y)
        keras.backend.clear_session()
        return found

    finish(OUTPUT, table, wanted, run, {"optimizer": "Adam", "rates": RATES[table],
                                        "seeds": SEEDS, "judge": "validation"})


def main():
    tf.get_logger().setLevel("ERROR")  # AutoGraph finds no source of what came out of a notebook
    for table in asked_for(RATES):
        make_table(table)


if __name__ == "__main__":
    main()
