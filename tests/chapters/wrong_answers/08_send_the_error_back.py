"""Wrong answers to the exercises of chapter 08, by words of the sentence that each must get."""

import numpy as np


def spread_out(dy, w, stride, size):
    spread = np.zeros(size - len(w) + 1)
    spread[::stride] = dy
    return spread


def after_spreading(combine):
    """Return exercise 3 with another `combine(spread dy, w)`."""
    return lambda dy, w, stride, size: combine(spread_out(dy, w, stride, size), w)


def without_gaps(dy, w, stride, size):
    spread = np.zeros(size - len(w) + 1)
    spread[:len(dy)] = dy
    return np.convolve(spread, w, mode="full")


def cut_short(dy, w, stride, size):
    dx = np.convolve(spread_out(dy, w, stride, size), w, mode="full")
    return dx[:(len(dy) - 1) * stride + len(w) - 1]


def last_overwrites(dy, w, stride, size):
    dx = np.zeros(size)
    for i, value in enumerate(dy):
        dx[i * stride:i * stride + len(w)] = value * w
    return dx


def spread_weights(dy, w, stride, size):
    wide = np.zeros((len(w) - 1) * stride + 1)
    wide[::stride] = w
    return np.resize(np.convolve(dy, wide, mode="full"), size)


def unused_pixels_dropped(dy, w, stride, size):
    spread = np.zeros((len(dy) - 1) * stride + 1)
    spread[::stride] = dy
    return np.convolve(spread, w, mode="full")  # right where the last window ends at the last pixel


def channel_by_channel(rgb, grey):
    return np.array([np.sum(rgb[..., c] * grey) / np.sum(rgb[..., c] ** 2) for c in range(3)])


def summing_to_one(rgb, grey):
    w = np.linalg.lstsq(rgb.reshape(-1, 3), grey.ravel(), rcond=None)[0]
    return w / w.sum()


def few_steps(rgb, grey):
    P, w = rgb.reshape(-1, 3), np.zeros(3)
    for _ in range(200):
        w = w - 0.5 * P.T @ (P @ w - grey.ravel()) / len(P)
    return w


def secret(rgb, grey):
    return np.linalg.lstsq(rgb.reshape(-1, 3), grey.ravel(), rcond=None)[0]


WRONG = {
    "check_rank": {
        "replace None by a number": ["3", "three"],
        "9 needs windows whose rows can differ": [9],
        "1 is for a flat wall": [1],
        "Which of the nine numbers are copies?": [2, 6, 40, 0, -3, 3.5],
    },
    "check_lessons": {
        "make a list of A, B, C and D, each once": [
            ["C", "A", "D"], ["C", "A", "D", "B", "B"], "CADB", "CADC", 5, [1, 2, 3, 4],
        ],
        "more than the next one": [
            ["A", "B", "C", "D"],
            ["B", "D", "A", "C"],  # slowest first
            ["C", "A", "B", "D"], ["A", "C", "D", "B"], ["C", "D", "A", "B"],
            ["C", "B", "A", "D"],  # blur taken for harmless
        ],
    },
    "check_row_gradient": {
        "not the column sums": [
            after_spreading(lambda dy, w: np.correlate(dy, w, "full")),  # no flip
            after_spreading(lambda dy, w: np.convolve(dy, w[::-1])),  # flipped twice
            lambda dy, w, stride, size: np.convolve(  # copies for zeros
                np.repeat(dy, stride)[:size - len(w) + 1], w),
            lambda dy, w, stride, size: np.convolve(
                spread_out(dy, w, stride, size), w) / stride,
            after_spreading(lambda dy, w: -np.convolve(dy, w)),
            without_gaps, last_overwrites, spread_weights,
        ],
        "gives the shape": [
            after_spreading(lambda dy, w: np.convolve(dy, w, "same")),
            lambda dy, w, stride, size: np.convolve(dy, w, mode="full"),  # no stride
            after_spreading(lambda dy, w: np.convolve(dy, w)[None]),
            cut_short, unused_pixels_dropped,
        ],
    },
    "check_bias_gradient": {
        "gives (": [
            lambda dy: dy.mean(axis=0),
            lambda dy: dy.sum(axis=0),
            lambda dy: dy.sum(axis=(1, 2)),  # one for each image
            lambda dy: dy.sum(),
            lambda dy: dy.sum(axis=(1, 2, 3)),  # channels first
            lambda dy: dy.sum(axis=(0, 1, 2), keepdims=True),
        ],
        "the tape": [
            lambda dy: dy.mean(axis=(0, 1, 2)),
            lambda dy: dy.sum(axis=(1, 2)).mean(axis=0),
            lambda dy: np.full(dy.shape[-1], dy.sum()),
            lambda dy: -dy.sum(axis=(0, 1, 2)),
            lambda dy: np.abs(dy).sum(axis=(0, 1, 2)),
            lambda dy: np.ones(dy.shape[-1]),
            lambda dy: np.zeros(dy.shape[-1]),
            lambda dy: dy.reshape(dy.shape[-1], -1).sum(axis=1),  # the axes mixed up
        ],
    },
    "check_secret_weights": {
        "was the secret, you found": [
            lambda rgb, grey: np.array([1, 1, 1]) / 3,
            lambda rgb, grey: np.array([0.299, 0.587, 0.114]),
            lambda rgb, grey: secret(rgb, grey)[::-1],  # blue, green, red
            lambda rgb, grey: secret(rgb - rgb.mean(), grey),  # the mean taken from one side only
            lambda rgb, grey: secret(rgb[:1, :2], grey[:1, :2]),  # two pixels for three weights
            lambda rgb, grey: np.abs(secret(rgb, grey)),
            # the axes mixed up
            lambda rgb, grey: np.linalg.lstsq(rgb.reshape(3, -1).T, grey.ravel(), rcond=None)[0],
            lambda rgb, grey: (grey[..., None] / rgb).mean(axis=(0, 1)) / 3,
            channel_by_channel, summing_to_one, few_steps,
        ],
        "expected (3,)": [lambda rgb, grey: secret(rgb, grey)[:, None]],
    },
}
