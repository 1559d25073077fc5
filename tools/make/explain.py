"""Measure what chapter 17 says of its networks, on three seeds, and write it to data/explain.json.

    python -m tools.make.explain            (about three minutes of processor time)

Per seed: the chapter's network trained as there, and one with biases; the table of maps, attacks
(also made on the next seed's network), class images, probes, planes and turned pixels, on
validation images; the filters of a network whose first layer is 3 by 3; and the mistakes on the
test set, at which nothing is chosen. The functions are those of the notebook.
"""

import json
import sys

import keras
import numpy as np

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import TRAINING, as_input, digits, load_mnist
from tools.make.tables import versions, write

OUTPUT = ROOT / "data" / "explain.json"
SEEDS = [0, 1, 2]


def measure(seed, model, other, c, data):
    """Return what is stored of one seed; `other` is the network on which attacks are made."""
    (x, y), (judges, labels), test = data
    found = maps(model, twin_of(seed, c), other, judges[::25], c)
    found["kept"], found["near then"], found["near"], found["plane"] = filters(seed, c, x, y)
    victims, truth = judges[::5], labels[::5]
    found["attacks"] = attacks(model, other, victims, truth, np.random.default_rng(seed), c)
    some, said = judges[:1000], labels[:1000]
    lengths = np.sqrt(np.sum(some**2, axis=(1, 2, 3)))
    found["digits"] = [np.mean(c["answers"](model, some)[np.arange(1000), said])]
    for length in 28.0, lengths.mean():
        dreams = c["class_images"](model, length)
        z = c["answers"](model, dreams)
        found["digits"] += [np.mean(np.diag(z)), np.min(np.diag(c["softmax"](z)))]
    found["nearest mean"] = c["near_own_mean"](dreams, x[:10_000], y[:10_000])
    few = x[:2000], y[:2000], some, said
    found["probes"] = [c["probe_reads"](net, layer, *few) for net, layer in [
        (model, None), (model, 3), (twin_of(seed, c), 3), (model, 5), (twin_of(seed, c), 5)]]
    rows = [some.reshape(1000, -1)] + [
        c["answers"](keras.Model(net.inputs[0], net.get_layer("dense").output), some)
        for net in (model, twin_of(seed, c))]
    found["planes"] = [c["neighbours_agree"](c["plane_of"](numbers), said) for numbers in rows]
    found["turned"] = turned(model, judges[::25], c)
    found["mistakes"], found["pairs"] = mistakes(model, *test, c)
    return found


def twin_of(seed, c):
    keras.utils.set_random_seed(1000 + seed)
    return c["digit_reader"]()


def maps(model, twin, other, x, c):
    """Return both tests of the maps, and how Grad-CAM without its mean erases."""
    k, ink = c["answers"](model, x).argmax(axis=1), x[..., 0] > 0
    drawn = c["maps_and_rivals"](model, x, k)
    alike, siblings = (c["maps_alike"](drawn, c["maps_and_rivals"](net, x, k, 1), ink)
                       for net in (twin, other))
    tests = {name: numbers + alike[name] + siblings[name][1:]
             for name, numbers in c["by_erasing"](model, x, k, drawn).items()}
    cells = c["enlarge"](c["placed_cam"](model, x, k, "conv2"), 28, 4)
    return {"maps": tests, "placed": [c["deletion"](model, x, k, ranked)
                                      for ranked in (cells, c["on_ink"](x, cells))]}


def filters(seed, c, x, y):
    """Return the mean cosine of 3 by 3 filters to their start, and three more numbers of them."""
    keras.utils.set_random_seed(seed)
    small = c["digit_reader"](side=3)
    start = c["unit"](small.get_layer("conv1").kernel.numpy().reshape(9, -1).T)
    c["one_pass"](small, x, y)
    end = c["unit"](small.get_layer("conv1").kernel.numpy().reshape(9, -1).T)
    five = c["unit"](np.array([kernel.ravel() for kernel in c["KERNELS"].values()]))
    sobel = c["KERNELS"]["top Sobel"]
    plane = c["unit"](np.array([sobel.ravel(), sobel.T.ravel()]))
    near = [np.abs(rows @ five.T).max(axis=1).mean() for rows in (start, end)]
    return np.mean(np.sum(start * end, axis=1)), *near, np.mean(np.sum((end @ plane.T)**2, axis=1))


def attacks(model, other, x, y, rng, c):
    """Return {size: shares read with dice, one step, ten steps (200 images), from elsewhere, and
    one step from faint dice, at most eps in all}."""
    found = {}
    for eps in 0.1, 0.2, 0.3:
        dice = rng.choice([-eps, eps], x.shape).astype(np.float32)
        faint = np.clip(x + rng.uniform(-eps / 4, eps / 4, x.shape), 0, 1).astype(np.float32)
        versions = [(np.clip(x + dice, 0, 1), y), (c["attack"](model, x, y, eps), y),
                    (c["attack"](model, x[:200], y[:200], eps, 10), y[:200]),
                    (c["attack"](other, x, y, eps), y),
                    (np.clip(c["attack"](model, faint, y, eps), x - eps, x + eps), y)]
        found[f"{eps}"] = [np.mean(c["answers"](model, images).argmax(axis=1) == labels)
                           for images, labels in versions]
    return found


def turned(model, x, c):
    """Return the mean probability of the answer after 20 pixels of each ranking are turned."""
    k = c["answers"](model, x).argmax(axis=1)
    return [c["kept_after_turning"](model, x, k, ranked)
            for ranked in c["turning_maps"](model, x, k).values()]


def mistakes(model, x, y, c):
    """Return six counts on the test set (see the chapter), and its most frequent confusions."""
    p = c["softmax"](c["answers"](model, x))
    said, sure = p.argmax(axis=1), p.max(axis=1)
    wrong, doubted = np.flatnonzero(said != y), list(c["DOUBTED"])
    worst = np.argsort(p[np.arange(len(y)), y])[:25]
    counts = [len(wrong), np.sum(sure[wrong] > 0.9), np.isin(wrong, np.argsort(sure)[:500]).sum(),
              np.isin(doubted, wrong).sum(), np.isin(doubted, worst).sum(), c["as_most"](said)]
    pairs, times = np.unique(10 * y[wrong] + said[wrong], return_counts=True)
    first = np.argsort(-times, kind="stable")[:5]
    return [int(n) for n in counts], [[f"{pairs[i]:02}", int(times[i])] for i in first]


def main():
    if sys.argv[1:]:
        sys.exit(__doc__)
    c, (x, y), (x_test, y_test) = definitions("17"), digits(), load_mnist()[1]
    data = ((x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:]), (as_input(x_test), y_test))
    networks = {}
    for use_bias in False, True:
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            networks[seed, use_bias] = c["one_pass"](c["digit_reader"](use_bias), *data[0])
    runs = {}
    for seed in SEEDS:
        found = measure(seed, networks[seed, False], networks[(seed + 1) % 3, False], c, data)
        found["reads"] = [np.mean(c["answers"](networks[seed, b], data[1][0]).argmax(axis=1)
                                  == data[1][1]) for b in (False, True)]
        runs[seed] = json.loads(json.dumps(found, default=float),
                                parse_float=lambda number: round(float(number), 4))
        print(seed, runs[seed], flush=True)
    write(OUTPUT, versions() | {"seeds": SEEDS, "runs": runs})


if __name__ == "__main__":
    main()
