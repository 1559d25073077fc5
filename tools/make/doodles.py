"""Train and test the readers of doodles that chapter 22 compares; write it to data/doodles.json.

    python -m tools.make.doodles             every table (about a quarter of an hour of one core)

sources    800 drawings a class, generated or real: the linear network, the dense and the
           convolutional one at several rates, and neighbours; judged on generated and on real
           drawings to choose by; seed 0
few        20 real drawings a class: from scratch, or from a network that learned generated
           doodles or MNIST's digits before, all of it or only its last layer, which begins anew
           but where "all kept" says that it does not; or only the last layer above random ones;
           judged on real drawings to choose by; seed 0
more       from 100 to 1,600 real drawings a class, from scratch, in 480 steps, where nothing else
           is said; 800 of them moved and mirrored; and 800 and 1,600 in the 12 passes that 400 get
           (each at the best rate of 800 in 480 steps)
geometry   the 250 drawings with strokes, rasterised and compared with the images of their rows,
           on the right sheet and on wrong ones; how many the game recognised, and whence they came
tested     each of sources and few at its best rate there, on three seeds: on the drawings to
           choose by, and once on the real drawings of the test

The real drawings are those of doodle_sample.py. Seeds 0, 1 and 2 change the generated doodles, the
choice of the few real ones, and the start.
"""

import functools
import sys

import keras
import numpy as np
from scipy.special import softmax

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import confusions, digits, share_right
from tools.make.doodle_sample import ROWS, SAMPLE, load_bitmaps
from tools.make.doodle_sample import load_strokes as strokes_of_sample
from tools.make.tables import asked_for, finish, read, store, sweep

OUTPUT = ROOT / "data" / "doodles.json"
SEEDS = [0, 1, 2]
SOURCES = ["generated", "real"]
SHEETS = {"right": (24, 304, True), "no margin": (0, 256, True), "in the corner": (24, 304, False),
          "margin forgotten once": (16, 288, True), "half a pixel off": (24 + 304 / 56, 304, True)}
RATES = {"linear": [0.001, 0.003, 0.01, 0.03], "dense": [0.002, 0.004, 0.008, 0.016],
         "convolutional": [0.004, 0.008, 0.016, 0.032]}
NEIGHBOURS = [1, 3, 5, 9]
WAYS = ["from scratch", "doodles, all kept", "doodles, all layers", "doodles, last layer",
        "digits, all layers", "digits, last layer", "random, last layer"]
FEW_RATES = [0.001, 0.003, 0.01, 0.03]
RANDOM_RATES = [0.01, 0.03, 0.1, 0.3]
AMOUNTS = ["100", "400", "1600", "800, moved", "800, 12 passes", "1600, 12 passes"]
BEFORE = 0.016  # the peak rate of what a network learns before the few real drawings
PASSES, FEW_PASSES, STEPS = 6, 30, 480
ABOUT_REAL = "The Quick, Draw! Dataset, Google, CC BY 4.0: a sample of 2,000 bitmaps a class"
CHAPTER = definitions("22")


@functools.cache
def bitmaps():
    try:
        return load_bitmaps(SAMPLE)
    except FileNotFoundError as error:
        sys.exit(f"{error} The stored ones stay as they are.")


def real(rows):
    """Return the rows (a slice) of each class of the sample as (images, labels)."""
    x = bitmaps()[:, rows]
    labels = np.repeat(np.arange(10, dtype=np.int32), x.shape[1])
    return CHAPTER["prepare"](x.reshape(-1, 28, 28)), labels


@functools.cache
def drawings(source, part, seed, amount=800):
    """Return (images, labels) of a source: to learn from, or 200 a class to choose by."""
    if source == "generated":
        amount, seed = (amount, seed) if part == "train" else (200, 100 + seed)
        x, y = CHAPTER["generate"](amount, seed)
        return CHAPTER["prepare"](x), y
    return real(slice(0, amount) if part == "train" else ROWS[part])


def fresh(kind):
    """Return a fresh network of a kind."""
    if kind == "convolutional":
        return CHAPTER["doodle_reader"]()
    return CHAPTER["dense_reader"](*([256, 128] if kind == "dense" else []))


def learn(kind, source, rate, seed):
    keras.utils.set_random_seed(seed)
    return CHAPTER["taught"](fresh(kind), *drawings(source, "train", seed), rate, PASSES)


@functools.cache
def learned_before(what, seed):
    """Return the weights of a convolutional network that learned "doodles" or "digits"."""
    if what == "doodles":
        return learn("convolutional", "generated", BEFORE, seed).get_weights()
    x, y = digits()
    keras.utils.set_random_seed(seed)
    model = CHAPTER["taught"](fresh("convolutional"), x[:8000], y[:8000], BEFORE, PASSES)
    return model.get_weights()


def few(way, rate, seed):
    """Return a network that learned 20 real drawings a class in one of WAYS."""
    x, y = real(slice(20 * seed, 20 * seed + 20))
    before = way.split(",")[0]
    weights = learned_before(before, seed) if before in ("doodles", "digits") else None
    keras.utils.set_random_seed(seed)
    model = fresh("convolutional")
    if weights:  # the last layer, with its kernel and bias, begins anew, or is kept
        last = weights if "all kept" in way else model.get_weights()
        model.set_weights([*weights[:-2], *last[-2:]])
    for layer in model.layers[:-1]:
        layer.trainable = "last layer" not in way
    return CHAPTER["taught"](model, x, y, rate, FEW_PASSES, 20)


def more(amount, rate, seed):
    """Return a network that learned a row of "more", by its name."""
    keras.utils.set_random_seed(seed)
    model, number = fresh("convolutional"), int(amount.split(",")[0])
    passes = 12 if "12 passes" in amount else STEPS // (number // 10)
    if "moved" in amount:
        layers = keras.layers
        model = keras.Sequential([
            keras.Input((28, 28, 1)), layers.RandomFlip("horizontal"),
            layers.RandomTranslation(2 / 28, 2 / 28, fill_mode="constant"), model])
    return CHAPTER["taught"](model, *real(slice(0, number)), rate, passes)


def best(table, name):
    """Return the rate (or k) of a row that is best on what its learner may choose by."""
    about = read(OUTPUT)[table]
    judge = name.split(", ")[1] if table == "sources" else "real"
    found = {}
    for run, result in about["runs"].items():
        row, rate, _ = run.rsplit(", ", 2)
        if row == name:
            found.setdefault(float(rate.split()[1]), []).append(result[judge])
    return max(found, key=lambda rate: np.mean(found[rate]))


def learned(table, name, rate, seed):
    """Return what a row of a table has learned at a rate (or k): images to logits, or votes."""
    if table != "sources":
        model = {"few": few, "more": more}[table](name, rate, seed)
    else:
        kind, source = name.split(", ")
        if kind == "neighbours":
            return lambda x: np.eye(10)[CHAPTER["nearest"](
                *drawings(source, "train", seed), x, int(rate))]
        model = learn(kind, source, rate, seed)
    return lambda x: CHAPTER["answers"](model, x)


def chosen_by(read, table, seed):
    """Return the shares that `read` gets right of the drawings to choose by."""
    judges = {judge: drawings(judge, "choose", seed)
              for judge in (SOURCES if table == "sources" else ["real"])}
    return {judge: share_right(read(x), y) for judge, (x, y) in judges.items()}


def compared(table, name, rate, seed):
    """Return what a run of the tables "sources", "few" and "more" ends with."""
    read = learned(table, name, rate, seed)
    found = chosen_by(read, table, seed)
    if table == "sources" and "neighbours" not in name:
        x, y = drawings(name.split(", ")[1], "train", seed)
        found["training"] = share_right(read(x), y)
    return found


def tested(table, name, seed):
    """Return how a row of a table, at its best rate, answers: to choose by, and in the test."""
    rate, (x, y) = best(table, name), real(ROWS["test"])
    read = learned(table, name, rate, seed)
    found = answered(read(x), y)
    if "neighbours" in name:
        found = {"accuracy": found["accuracy"]}
    return {"rate": rate} | chosen_by(read, table, seed) | found


def answered(logits, y):
    """Return the shares and counts of answers (N, 10) that chapter 22 speaks of."""
    share = softmax(logits.astype(float), axis=1)
    order = share.argsort(axis=1)
    right = order[:, -1] == y
    sure = np.argsort(-share.max(axis=1), kind="stable")
    half, tenth = len(y) // 2, len(y) // 10
    found = {"accuracy": right, "top 2": (order[:, -2:] == y[:, None]).any(1),
             "says": share.max(axis=1), "surest half": right[sure[:half]],
             "unsurest tenth": right[sure[-tenth:]]}
    return {key: round(float(values.mean()), 4) for key, values in found.items()} | {
        "confusions": confusions(logits, y)}


def distance(made, images):
    """Return (mean difference of 255, lowest correlation) of pictures and images, rounded."""
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(made, images, strict=True)]
    gap = np.abs(np.subtract(made, images, dtype=float)).mean()
    return [round(float(gap), 2), round(float(min(likeness)), 3)]


def geometry():
    """Store how far the 250 drawings with strokes, rasterised, are from their images."""
    bitmaps()
    drawings, images = strokes_of_sample()
    found = {"rasterise": distance([CHAPTER["rasterise"](d) for d in drawings], images)}
    for name, (margin, size, middle) in SHEETS.items():
        made = [CHAPTER["sampled"](d, margin, size, middle, 4) for d in drawings]
        found[f"sampled, {name}"] = distance(made, images)
    with np.load(SAMPLE, allow_pickle=False) as file:
        countries, count = np.unique(file["countrycode"], return_counts=True)
        found |= {"drawings": len(drawings), "points": len(file["points"]),
                  "recognised": int(file["recognized"].sum()),
                  "of the United States": int(count[countries == "US"][0]),
                  "other countries": len(countries) - 1}
    store(OUTPUT, "geometry", {"real": ABOUT_REAL, "runs": found})


def rows(table):
    """Return the names of the rows of a table, each with its rates."""
    if table == "sources":
        kinds = RATES | {"neighbours": NEIGHBOURS}
        return {f"{kind}, {source}": rates for kind, rates in kinds.items() for source in SOURCES}
    if table == "few":
        return {way: RANDOM_RATES if "random" in way else FEW_RATES for way in WAYS}
    return dict.fromkeys(AMOUNTS, [best("sources", "convolutional, real")])


def make_table(table):
    """Store the runs of one table, each when it is done."""
    bitmaps()
    seeds = SEEDS if table in ("tested", "more") else SEEDS[:1]
    if table == "tested":
        wanted = {f"{other}, {name}, seed {seed}": (other, name, seed)
                  for other in ("sources", "few") for name in rows(other) for seed in seeds}
    else:
        wanted = {run.replace(", rate", ", k") if name.startswith("n") else run: settings
                  for name, rates in rows(table).items()
                  for run, settings in sweep([name], rates, seeds).items()}

    measure = tested if table == "tested" else functools.partial(compared, table)
    finish(OUTPUT, table, wanted, measure, {
        "optimizer": "Adam, a rate that climbs and falls", "seeds": seeds,
        "judge": "real rows 1800 to 1999 of each class" if table == "tested" else
                 "200 drawings a class: real rows 1600 to 1799, or generated ones",
        "real": ABOUT_REAL})


def main():
    for table in asked_for(["geometry", "sources", "few", "more", "tested"]):
        geometry() if table == "geometry" else make_table(table)


if __name__ == "__main__":
    main()
