"""Wrong answers to the exercises of chapter 18, by words of the sentence that each must get."""

import numpy as np


def from_start(N, seed, epochs):
    rng = np.random.default_rng(seed)
    return [rng.permutation(N) for _ in epochs]


def epoch_alone(N, seed, epochs):
    return [np.random.default_rng(epoch).permutation(N) for epoch in epochs]


def seed_alone(N, seed, epochs):
    return [np.random.default_rng(seed).permutation(N) for _ in epochs]


def summed(N, seed, epochs):
    return [np.random.default_rng(seed + epoch).permutation(N) for epoch in epochs]


def three_seeds(N, seed, epochs):
    return [np.random.default_rng(3 * seed + epoch).permutation(N) for epoch in epochs]


def sorted_orders(N, seed, epochs):
    return [np.arange(N) for _ in epochs]


def drawn_with_return(N, seed, epochs):
    return [np.random.default_rng([seed, epoch]).integers(0, N, N) for epoch in epochs]


def lengths(arrays):
    return np.sqrt(sum(np.sum(w**2) for w in arrays))


def moved(old, new):
    return lengths([b - a for a, b in zip(old, new)])


WRONG = {
    "check_diagnosis": {
        "E is not too slow. Look again: its units never lived": ["EBDAC"],
        "A is not too slow. Look again: its ratio falls": ["ABCDE", list("ABCDE")],
        "B is not too slow. Look again: its units lived": ["BDEAC"],
        "C is not too slow. Look again: its first layer moves": ["CBEAD"],
        "E is not too fast. Look again: its units never": ["DEBAC"],
        "use each of A, B, C, D, E once": ["DBEA", "DBEACC", 5, ("D", "B"), "DBEAX", None],
    },
    "check_save": {
        "once the old file is removed": ["CEBFDA", "EBFDCA", "C", "EBFDAC"],
        "must be in it": ["EBD", "EBDA", "EBFA", "A", "E", "EFDA"],
        "open the file before": ["BEFDA", "DEBFA", "FEBDA", "BFDEA", "BFDAE"],
        "a closed file takes no more bytes": ["EDBFA", "EBDFA", "EDFBA", "EFDBA"],
        "what is not yet written": ["EFBDA"],
        "half a file under the good name": ["EBFAD", "AEBFD", "EABFD", list("EABFD"), "EBADF"],
        "give letters from A to F": ["", "EBFDAG", "EBFDAA", "EBBDA", 7, None],
    },
    "check_orders": {
        "has another order": [from_start, lambda N, seed, epochs: [np.random.permutation(N) for _ in epochs]],
        "have the same order": [epoch_alone, seed_alone, summed, three_seeds, sorted_orders],
        "sees each image once": [drawn_with_return, lambda N, seed, epochs: np.zeros((len(epochs), N), int)],
        "is of whole numbers": [lambda N, seed, epochs: np.random.default_rng(seed).random((len(epochs), N)),
                                lambda N, seed, epochs: 1.0 * np.array([np.random.default_rng([seed, e]).permutation(N) for e in epochs])],
        "gives the shape": [lambda N, seed, epochs: np.arange(N),
                            lambda N, seed, epochs: [np.random.default_rng([seed, e]).permutation(50) for e in epochs],
                            lambda N, seed, epochs: from_start(N, seed, range(4)),
                            lambda N, seed, epochs: from_start(N - 1, seed, epochs)],
        "raises IndexError": [lambda N, seed, epochs: [][0]],
    },
    "check_update_ratio": {
        "a mean of ratios": [lambda old, new: np.mean([moved([a], [b]) / lengths([a]) for a, b in zip(old, new)])],
        "divide by the old weights": [lambda old, new: moved(old, new) / lengths(new)],
        "it is another number": [
            lambda old, new: sum(moved([a], [b]) for a, b in zip(old, new)) / sum(lengths([a]) for a in old),
            lambda old, new: lengths(old) / moved(old, new),
            lambda old, new: moved(old, new), lambda old, new: (moved(old, new) / lengths(old))**2,
            lambda old, new: 0.0,
            lambda old, new: abs(lengths(new) - lengths(old)) / lengths(old),
        ],
        "one number, not the shape": [lambda old, new: [moved([a], [b]) / lengths([a]) for a, b in zip(old, new)]],
        "raises": [lambda old, new: 1 // 0],
    },
    "check_choose_rate": {
        "already too high": [lambda rates, losses: rates[np.argmin(losses)], lambda rates, losses: rates[np.nanargmin(losses)]],
        "the loss is lowest at": [
            lambda rates, losses: 3 * rates[np.nanargmin(losses)], lambda rates, losses: rates[np.nanargmin(losses)] / 100,
            lambda rates, losses: rates[0], lambda rates, losses: rates[-1], lambda rates, losses: 0.1,
            lambda rates, losses: rates[np.argmin(losses)] / 5, lambda rates, losses: rates[np.nanargmin(losses)] / 2,
            lambda rates, losses: losses.min() if np.isfinite(losses.min()) else 1.0,
        ],
        "not one rate": [lambda rates, losses: rates, lambda rates, losses: -1.0, lambda rates, losses: np.nan,
                         lambda rates, losses: 1j],
        "raises": [lambda rates, losses: rates["best"]],
    },
}
