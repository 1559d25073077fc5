"""Wrong answers to the exercises of chapter 13, by words of the sentence that each must get."""

import numpy as np

from tools.book.definitions import definitions

CHAPTER = definitions("13")
fans, relu = CHAPTER["fans"], CHAPTER["relu"]

def he_with(variance, draw=None):
    """Return an initialiser whose variance is `variance(w_shape)`."""
    draw = draw or (lambda rng, std, shape: rng.normal(0, std, shape))
    return lambda w_shape, rng: draw(rng, np.sqrt(variance(w_shape)), w_shape)


def he_variance(w_shape):
    return 2 / np.prod(w_shape[:-1])


def cut_normal(rng, std, shape):
    w = rng.normal(size=shape)
    while (bad := np.abs(w) > 2).any():
        w[bad] = rng.normal(size=bad.sum())
    return w * std  # the cut is not made up for


def each_on_raw_input(x, weights):
    """Measure each layer behind the weights as given, not as rescaled."""
    scaled = []
    for w in weights:
        scaled.append(w / (x @ w).std())
        x = relu(x @ w)
    return scaled


def without_relu(x, weights):
    scaled = []
    for w in weights:
        scaled.append(w / (x @ w).std())
        x = x @ scaled[-1]
    return scaled


def after_relu(x, weights):
    scaled = []
    for w in weights:
        scaled.append(w / relu(x @ w).std())
        x = relu(x @ scaled[-1])
    return scaled


def by_variance(x, weights):
    scaled = []
    for w in weights:
        scaled.append(w / (x @ w).var())
        x = relu(x @ scaled[-1])
    return scaled


def by_mean_square(x, weights):
    scaled = []
    for w in weights:
        scaled.append(w / np.sqrt(np.mean((x @ w) ** 2)))
        x = relu(x @ scaled[-1])
    return scaled


def by_column(x, weights):
    scaled = []
    for w in weights:
        scaled.append(w / (x @ w).std(axis=0))
        x = relu(x @ scaled[-1])
    return scaled


def in_place(x, weights):
    for w in weights:
        w /= (x @ w).std()
        x = relu(x @ w)
    return weights


def negative(x, weights):
    scaled = []
    for w in weights:
        scaled.append(-w / (x @ w).std())
        x = relu(x @ scaled[-1])
    return scaled


def shifted(x, weights):
    """Give z mean 0 as well, which is no scaling."""
    scaled = []
    for w in weights:
        scaled.append((w - w.mean()) / (x @ (w - w.mean())).std())
        x = relu(x @ scaled[-1])
    return scaled


WRONG = {
    "check_two_squares": {
        "give a pair of numbers, not": [6, "6, 3", (6,), (6, 3, 0)],
        "6 is right, but ReLU does not make": [(6, 6), (6, 1.5), (6, 0), (6, 3 / np.sqrt(2))],
        "n var(w) mean(x^2)": [
            (3, 6), (3, 1.5), (12, 6), (0.6, 0.3), (float("nan"), 3), (np.sqrt(6), 3), (120, 60),
        ],
        "0.1 is the standard deviation; square it": [(60, 30)],
        "the mean square of the inputs is 3, not 1": [(2, 1)],
    },
    "check_fan_order": {
        "use each of A, B, C, D, E once, not": [
            5, "BECA", "BECADD", "BBBBB", ["B", "E", "C", "A"], "becad",
        ],
        "How many products are in one output of each": [
            "ABCDE",
            "ACBDE",  # by fan-out
            "CBDEA",  # the window without its channels
            "CBEDA", "BECDA", "BEACD", "EBCAD",
        ],
        "that is smallest first": ["DACEB"],
    },
    "check_he_weights": {
        "has a standard deviation of": [
            lambda w_shape, rng: rng.normal(0, np.sqrt(2 / w_shape[0]), w_shape),
            he_with(lambda s: 2 / np.prod(s)), he_with(lambda s: 2 / np.prod(s[:2])),
            he_with(lambda s: 2 / s[-2]),
            he_with(lambda s: 2 / (np.prod(s[:-2]) * s[-1])),  # fan-out
            he_with(lambda s: 1 / np.prod(s[:-1])),  # no ReLU
            he_with(lambda s: 2 / sum(fans(s))),  # Glorot
            he_with(lambda s: 2 / sum(s[:-1])),
            he_with(lambda s: he_variance(s) ** 2),  # variance where a standard deviation is due
            he_with(lambda s: np.sqrt(he_variance(s))),
            he_with(he_variance, lambda rng, std, s: rng.uniform(-std, std, s)),
            he_with(he_variance, cut_normal),
            he_with(he_variance, lambda rng, std, s: np.abs(rng.normal(0, std, s))),
            he_with(he_variance, lambda rng, std, s: np.full(s, std)),
        ],
        "normal, please; 4.6 % lie beyond 2 std": [
            he_with(he_variance, lambda rng, std, s: std * rng.uniform(-(3**0.5), 3**0.5, s)),
        ],
        "draw from rng, so that a seed repeats": [
            # not from rng
            he_with(he_variance, lambda rng, std, s: np.random.default_rng().normal(0, std, s)),
        ],
        "another rng must give other weights": [
            he_with(he_variance, lambda rng, std, s: np.random.default_rng(0).normal(0, std, s)),
        ],
        "gives an array of shape": [
            he_with(he_variance, lambda rng, std, s: rng.normal(0, std, s[:-1])),
            he_with(he_variance, lambda rng, std, s: 1j * rng.normal(0, std, s)),
        ],
        "has the mean": [he_with(he_variance, lambda rng, std, s: rng.normal(std, std, s))],
        "raises TypeError": [lambda w_shape: np.zeros(w_shape)],
    },
    "check_unit_variance": {
        "layer 0 has z.std": [
            lambda x, weights: weights,
            lambda x, weights: [w / (x.shape[1] / 2) ** 0.5 for w in weights],
            lambda x, weights: [w * np.sqrt(2 / len(w)) / w.std() for w in weights],  # He's rule
            lambda x, weights: [w / w.std() for w in weights],
            after_relu, by_variance, negative,
        ],
        "layer 1 has z.std": [
            lambda x, weights: [weights[0] / (x @ weights[0]).std(), *weights[1:]],
            each_on_raw_input, without_relu, by_mean_square,
        ],
        "the shapes are": [lambda x, weights: weights[:1]],
        "matrix 0 is not scaled": [by_column, shifted],
        "it changed the arrays it was given": [in_place],
    },
    "check_fold": {
        "w is wrong; two patches differ by too much": [
            lambda mean, matrix, filters: (filters, np.zeros(4)),
            lambda mean, matrix, filters: (matrix.T @ filters, -mean @ matrix.T @ filters),
            lambda mean, matrix, filters: (filters, -mean @ matrix @ filters),
            lambda mean, matrix, filters: (
                np.linalg.inv(matrix) @ filters, -mean @ np.linalg.inv(matrix) @ filters),
            lambda mean, matrix, filters: ((matrix - mean) @ filters, np.zeros(4)),
        ],
        "w is right, b is not": [
            lambda mean, matrix, filters: (matrix @ filters, np.zeros(4)),
            lambda mean, matrix, filters: (matrix @ filters, mean @ matrix @ filters),  # sign
            lambda mean, matrix, filters: (matrix @ filters, -mean @ filters),
        ],
        "Python says": [
            lambda mean, matrix, filters: (filters @ matrix, -mean @ matrix),
            lambda mean, matrix, filters: matrix @ filters,
        ],
        "wanted (6, 4), (4,)": [
            lambda mean, matrix, filters: (matrix @ filters, np.sum(-mean @ matrix @ filters)),
        ],
    },
}
