"""Measure on three seeds what chapter 18 shows on one, and write it to data/watching.json.

    python -m tools.make.watching          every table (about six minutes on one idle core)

signs   each run of the chapter: medians over the second half of its steps of the loss, the length
        of the gradient and the update ratios of the four layers, and the share of dead units after
        the first step and after the last
wild    of 24 seeds, those whose last loss is no finite number, at two rates that are far too high
range   the rate of the lowest loss in a range test, and the loss on 2,000 training images after 80
        steps at parts of that rate
early   by how many points the accuracy of the epoch that is kept is too high on the images that
        chose it, its standard deviation over the draws, and how much better than the last epoch it
        is on the others; by what chooses, and by how many images; and (epoch of the lowest
        validation loss, accuracy there, at the end)

Each for seeds 0, 1 and 2, the range test also for 3 and 4, by the chapter's own functions.
"""

import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, digits
from tools.make.tables import asked_for, store

OUTPUT = ROOT / "data" / "watching.json"
SEEDS, MORE_SEEDS = [0, 1, 2], [0, 1, 2, 3, 4]
WILD_RATES, WILD_SEEDS = [100.0, 1000.0], range(24)
SIZES = [50, 100, 200, 400, 800, 1600]  # of validation sets that choose an epoch


def rounded(values, digits=3):
    """Return numbers with at most `digits` significant digits."""
    return [float(f"{value:.{digits}g}") for value in values]


def signs(chapter, x, y, valid):
    runs = {**chapter["RUNS"], "labels slid": {}, "far too fast": {"rate": 100.0}}
    x, y = x[:6400], y[:6400]
    table = {}
    for name, change in runs.items():
        labels = np.roll(y, 1) if name == "labels slid" else y
        table[name] = []
        for seed in SEEDS:
            rows = chapter["watched_run"](x, labels, seed, **change)
            late = np.median(rows[5:], axis=0)
            table[name].append(rounded([*late[:2], rows[0, 2], rows[-1, 2], *late[3:]]))
    return table


def wild(chapter, x, y, valid):
    return {f"{rate:g}": [seed for seed in WILD_SEEDS if not np.isfinite(
        chapter["watched_run"](x[:6400], y[:6400], seed, rate=rate)[-1, 0])] for rate in WILD_RATES}


def range_(chapter, x, y, valid):
    table = []
    for seed in MORE_SEEDS:
        rates, curve = chapter["range_test"](x, y, np.geomspace(1e-5, 1, 100), seed)
        lowest, ends = rates[curve.argmin()], []
        for part in chapter["PARTS"]:
            model = chapter["make_adam_run"](part * lowest, seed)
            model.fit(x[:5120], y[:5120], batch_size=64, verbose=0)
            ends.append(float(chapter["COST"](y[:2000], model.predict_on_batch(x[:2000]))))
        table.append([*rounded([lowest]), rounded(ends)])
    return table


def early(chapter, x, y, valid):
    flattery, lowest = {by: {n: [] for n in SIZES} for by in ("accuracy", "loss")}, []
    for seed in SEEDS:
        right, losses = chapter["judged_run"](x[:1000], y[:1000], *valid, seed)
        for n in SIZES:
            flattery["accuracy"][n].append(rounded(chapter["flattery"](right, n), 2))
            flattery["loss"][n].append(rounded(chapter["flattery"](right, n, -losses), 2))
        best, accuracy = int(losses.mean(axis=1).argmin()), right.mean(axis=1)
        lowest.append([best + 1, *map(float, accuracy[[best, -1]].round(4))])
    return {"flattery": flattery, "lowest": lowest}


def main():
    tables = {"signs": signs, "wild": wild, "range": range_, "early": early}
    x, y = digits()
    data = x[:TRAINING], y[:TRAINING], (x[TRAINING:], y[TRAINING:])
    for name in asked_for(tables):
        store(OUTPUT, name, {"table": tables[name](definitions("18"), *data)})


if __name__ == "__main__":
    main()
