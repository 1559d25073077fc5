"""Wrong answers to the exercises of chapter 06, by words of the sentence that each must get."""

import numpy as np
import scipy.ndimage
import tensorflow as tf

from tools.book.definitions import definitions

CHAPTER = definitions("06")
pool2d, windows = CHAPTER["pool2d"], CHAPTER["windows"]

def frame_with(value):
    """Exercise 3 with another number in the frame."""
    def framed_pool(x):
        framed = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=value)
        return tf.nn.max_pool2d(tf.constant(framed), 3, 2, "VALID").numpy()
    return framed_pool


def gradient_by_loop(choose):
    """Exercise 4 with another share for each cell of a window: choose(window (2, 2)) -> (2, 2)."""
    def max_gradient(x, upstream):
        gradient = np.zeros_like(x)
        for n, i, j, c in np.ndindex(upstream.shape):
            window = x[n, 2 * i:2 * i + 2, 2 * j:2 * j + 2, c]
            gradient[n, 2 * i:2 * i + 2, 2 * j:2 * j + 2, c] = choose(window) * upstream[n, i, j, c]
        return gradient
    return max_gradient


def one_hot(index):
    return (np.arange(4) == index).reshape(2, 2)


def wide_windows(x, upstream):
    """Windows that widen to the right: two of them lie in 4 columns as they should."""
    gradient = np.zeros_like(x)
    for n, i, j, c in np.ndindex(upstream.shape):
        window = x[n, 2 * i:2 * i + 2, 2 * j:3 * j + 2, c]
        u, v = np.unravel_index(window.argmax(), window.shape)
        gradient[n, 2 * i + u, 2 * j + v, c] = upstream[n, i, j, c]
    return gradient


first = gradient_by_loop(lambda w: one_hot(w.argmax()))


def pooled(*kinds, size=3, stride=1, padding="SAME"):
    """Exercise 5 with other poolings, one after the other."""
    def remove_specks(x):
        for kind in kinds:
            x = pool2d(x, size, stride, padding, kind)
        return x
    return remove_specks


def opened_with_zeros(x):
    """Min, then max, with a frame of zeros."""
    for combine in np.min, np.max:
        x = combine(windows(x, 3, 1, "SAME"), axis=(3, 4))
    return x


WRONG = {
    "check_shifted_row": {
        "replace None": ["ones"],
        "window 0 is": [[0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0], [2, 2, 2, 2]],
        "window 1 is": [[1, 0, 1, 0]],
        "four windows, but": [
            [1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0, 1, 1, 0], 1, [[1, 1, 1, 1]],
        ],
        "window 2 is": [[1, 1, 0, 1]],
        "window 3 is": [[1, 1, 1, float("nan")]],
    },
    "check_kinds": {
        "max is not below average": [
            ["max", "average", "l2", "min"], ["min", "max", "average", "l2"],
        ],
        "use each of max, min, average, l2 once": [
            ["min", "average", "max"], ["min", "average", "max", "max"],
            ["min", "average", "max", "l2", "l2"],
        ],
        "l2 is not below max": [
            ["min", "average", "l2", "max"],  # "L2 is a kind of mean"
            ["l2", "max", "average", "min"],  # largest first
        ],
        "l2 is not below average": [["min", "l2", "average", "max"]],
        "average is not below min": [["average", "min", "max", "l2"]],
    },
    "check_framed_pool": {
        "mean of x 0": [
            frame_with(0), frame_with(1),
            lambda x: np.abs(frame_with(0)(x)),
            lambda x: frame_with(0)(np.abs(x)),
            lambda x: np.minimum(frame_with(0)(x), x.max()),
            lambda x: frame_with(np.finfo(float).tiny)(x),  # the smallest positive number
        ],
        "mean of x -3": [
            frame_with(-1),
            lambda x: frame_with(0)(x + 3) - 3,  # moves the zero, not far enough
        ],
        "mean of x 3": [
            frame_with(np.inf),
            lambda x: frame_with(x.mean())(x),
            lambda x: frame_with(np.max(x))(x),
            # another frame where the side is even
            lambda x: tf.nn.max_pool2d(tf.constant(x), 3, 2, "SAME"),
            lambda x: pool2d(x, 3, 2, ((1, 1), (1, 1)), "average"),
            lambda x: frame_with(0)(x - x.max()),  # forgets to add it again
        ],
        "the shape is": [
            lambda x: tf.nn.max_pool2d(tf.constant(x), 3, 2, "VALID"),  # no frame
            lambda x: pool2d(x, 3, 1, ((1, 1), (1, 1))),
            lambda x: pool2d(x, 3, 2, ((1, 0), (1, 1))),  # shows on an odd side only
            lambda x: pool2d(x, 3, 2, ((1, 1), (1, 2))),  # on an even one
            lambda x: pool2d(x, 3, 2, ((1, 0), (1, 2))),
        ],
    },
    "check_max_gradient": {
        "random x": [
            lambda x, upstream: np.repeat(np.repeat(upstream, 2, 1), 2, 2) / 4,  # the average's
            lambda x, upstream: np.repeat(np.repeat(upstream, 2, 1), 2, 2),
            gradient_by_loop(lambda w: one_hot(w.argmin())),
            gradient_by_loop(lambda w: one_hot(np.abs(w).argmax())),
            gradient_by_loop(lambda w: one_hot(w.argmax()) * w.max()),  # times the value
            lambda x, upstream: first(x, np.ones_like(upstream)),  # forgets upstream
            lambda x, upstream: -first(x, upstream),
            # the sum of all channels for each
            lambda x, upstream: first(x, upstream.sum(axis=-1, keepdims=True) + 0 * upstream),
            lambda x, upstream: np.where(first(x, np.abs(upstream)) > 0, x, 0),
        ],
        "x with ties": [
            gradient_by_loop(lambda w: w == w.max()),  # all of the equals
            gradient_by_loop(lambda w: (w == w.max()) / np.sum(w == w.max())),  # shared
            # the last of the equals
            gradient_by_loop(lambda w: one_hot(3 - w.ravel()[::-1].argmax())),
            gradient_by_loop(lambda w: one_hot(w.T.argmax()).T),  # the first, column by column
            wide_windows,
        ],
        "the shape is": [
            lambda x, upstream: first(x, upstream)[:, ::2, ::2],
            lambda x, upstream: upstream,
        ],
    },
    "check_remove_specks": {
        "specks are left, or writing too thick": [
            lambda x: x,
            pooled("average"), pooled("max"), pooled("l2"),
            pooled("max", "min"),  # closing
            pooled("min", "max", "max"), pooled("min", "max", size=2),
        ],
        "some of the writing is gone": [
            pooled("min"), pooled("min", "max", "min"), pooled("min", "min", "max"),
            pooled("min", "average"),
            lambda x: pool2d(pool2d(x, 3, 1, "SAME", "min"), 2, 1, "SAME"),
            lambda x: scipy.ndimage.median_filter(x, (1, 3, 3, 1)),
            lambda x: scipy.ndimage.grey_opening(x, (1, 3, 3, 3)),  # mixes the channels
            lambda x: np.zeros_like(x),
        ],
        "right for a page, wrong for random numbers": [
            pooled("min", "max", size=5), opened_with_zeros,
            lambda x: np.where(x < 1, x, 0),  # cuts this page's specks only
            lambda x: scipy.ndimage.grey_opening(x, (3, 3, 3, 1)),  # mixes the images
        ],
        "the shape is": [pooled("min", "max", stride=3), pooled("min", "max", padding="VALID")],
    },
}
