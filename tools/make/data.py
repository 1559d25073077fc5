"""What the scripts of this folder share: MNIST, and how they judge answers to it."""

import functools

import numpy as np
from scipy.special import log_softmax

from tools.book.files import MNIST

TRAINING = 55_000  # images; the 5,000 after them are for validation, as in the sources of the book


def load_mnist(path=MNIST):
    """Return (x_train, y_train), (x_test, y_test): bytes (N, 28, 28) and labels (N,)."""
    with np.load(path, allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


def as_input(x):
    """Return bytes (N, 28, 28) as a network takes them: float32 (N, 28, 28, 1) in 0..1."""
    return x[..., None] / np.float32(255)


@functools.cache
def digits():
    """Return all 60,000 training images as a network takes them, and their labels, int32."""
    (x, y), _ = load_mnist()
    return as_input(x), y.astype(np.int32)


def share_right(logits, y):
    """Return the share of logits (N, 10) that are largest at the label, to four digits."""
    return round(float(np.mean(logits.argmax(axis=1) == y)), 4)


def confusions(logits, y):
    """Return the 10 x 10 counts of answers, a row for each true class."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (y, logits.argmax(axis=1)), 1)
    return counts.tolist()


def cross_entropy(logits, y, temperature):
    """Return the mean cross-entropy of softmax(logits / temperature), logits (N, 10)."""
    logs = log_softmax(logits.astype(float) / temperature, axis=1)
    return -np.mean(logs[np.arange(len(y)), y])


def fit_temperature(logits, y):
    """Return the temperature of least cross-entropy."""
    candidates = np.geomspace(0.5, 2, 141)
    return candidates[np.argmin([cross_entropy(logits, y, t) for t in candidates])]


def nearest_to_means(x, y, allowed=True):
    """Return the positions of ten images: of each digit, the one allowed nearest to its mean."""
    distances = [np.where((y == digit) & allowed, ((x - x[y == digit].mean(axis=0)) ** 2)
                          .sum(axis=(1, 2)), np.inf) for digit in range(10)]
    return [int(distance.argmin()) for distance in distances]
