"""Measure what chapter 23 says of few bits and of other inputs, on ten seeds, in data/ship.json.

    python -m tools.make.ship             both tables (about ten minutes)

bits      the weights rounded to 8, 6, 5, 4, 3 or 2 bits, with a scale for each channel or one for
          each tensor: right answers; for 3 and 2 bits also with no weight larger than a share of
          the largest, one of CUTS. Each on the first half of the validation images, which
          chooses the cut, and on the second, which judges it
inputs    the validation images changed: mean ink, unsure answers, right answers, and the answers
          that are sure and wrong

The network is the chapter's, trained as there on seeds 0 to 9, judged on the 5,000 validation
images.
"""

import functools

import keras
import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, digits, share_right
from tools.make.tables import asked_for, finish

OUTPUT = ROOT / "data" / "ship.json"
SEEDS = [*range(10)]
BITS = [8, 6, 5, 4, 3, 2]
CUT_BITS = [3, 2]
CUTS = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


@functools.cache
def trained(seed):
    """Return the chapter's network, trained as there."""
    chapter, (x, y) = definitions("23"), digits()
    keras.utils.set_random_seed(seed)
    model = chapter["pocket_reader"]()
    falling = keras.optimizers.schedules.CosineDecay(0.01, 550)
    model.compile(keras.optimizers.Adam(falling), chapter["COST"])
    model.fit(x[:TRAINING], y[:TRAINING], 100, verbose=0)
    return model


def measure_bits(bits, per_channel, seed):
    """Return {"choose", "judge"}: accuracies on either half, for each cut (or for none)."""
    chapter, (x, y) = definitions("23"), digits()
    few, weights = chapter["pocket_reader"](), trained(seed).get_weights()
    x, y = x[TRAINING:], y[TRAINING:]
    found = {"choose": [], "judge": []}
    for share in CUTS if bits in CUT_BITS else [1]:
        few.set_weights(chapter["with_bits"](weights, bits, per_channel, share))
        logits = chapter["answers"](few, x)
        for half, part in zip(found, [slice(None, 2500), slice(2500, None)], strict=True):
            found[half].append(share_right(logits[part], y[part]))
    return found


def measure_input(name, seed):
    """Return the mean ink, and the shares of unsure, right, and sure and wrong answers."""
    chapter, (x, y) = definitions("23"), digits()
    seen = chapter["INPUTS"][name](x[TRAINING:])
    logits = chapter["answers"](trained(seed), seen)
    unsure = chapter["softmax"](logits).max(axis=1) < 0.9
    right = logits.argmax(axis=1) == y[TRAINING:]
    return {key: round(float(np.mean(values)), 4) for key, values in {
        "ink": seen, "unsure": unsure, "right": right, "sure and wrong": ~unsure & ~right}.items()}


def main():
    judged = {"seeds": SEEDS, "judge": "validation"}
    tables = {
        "bits": ({f"{bits} bits, {'channel' if way else 'tensor'}, seed {seed}": (bits, way, seed)
                  for seed in SEEDS for bits in BITS for way in (True, False)},
                 measure_bits, {"cuts": CUTS, "cut bits": CUT_BITS, **judged}),
        "inputs": ({f"{name}, seed {seed}": (name, seed)
                    for seed in SEEDS for name in definitions("23")["INPUTS"]},
                   measure_input, judged)}
    for table in asked_for(tables):
        finish(OUTPUT, table, *tables[table])


if __name__ == "__main__":
    main()
