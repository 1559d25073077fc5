"""Wrong answers to the exercises of chapter 08, by words of the sentence that each must get."""

import numpy as np
import scipy.signal


def spread_out(dy, w, stride, size):
    spread = np.zeros(size - len(w) + 1)
    spread[::stride] = dy
    return spread


def after_spreading(combine):
    """Return exercise 2 with another `combine(spread dy, w)`."""
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


def gradient_by_loop(choose):
    """Exercise 4 with another share for each cell of a window: choose(window (2, 2)) -> (2, 2)."""
    def max_gradient(x, dy):
        gradient = np.zeros_like(x)
        for n, i, j, c in np.ndindex(dy.shape):
            window = x[n, 2 * i:2 * i + 2, 2 * j:2 * j + 2, c]
            gradient[n, 2 * i:2 * i + 2, 2 * j:2 * j + 2, c] = choose(window) * dy[n, i, j, c]
        return gradient
    return max_gradient


def one_hot(index):
    return (np.arange(4) == index).reshape(2, 2)


def wide_windows(x, dy):
    """Windows that widen to the right: two of them lie in 4 columns as they should."""
    gradient = np.zeros_like(x)
    for n, i, j, c in np.ndindex(dy.shape):
        window = x[n, 2 * i:2 * i + 2, 2 * j:3 * j + 2, c]
        u, v = np.unravel_index(window.argmax(), window.shape)
        gradient[n, 2 * i + u, 2 * j + v, c] = dy[n, i, j, c]
    return gradient


first = gradient_by_loop(lambda w: one_hot(w.argmax()))


def moved_by(slopes):
    """Return exercise 5 with other slopes: slopes(error, w) -> like x."""
    def improve(x, w, shot, rate):
        return x - rate * slopes(scipy.signal.correlate2d(x, w, "valid") - shot, w)
    return improve


def full(error, w):
    return scipy.signal.convolve2d(2 * error / error.size, w, "full")


WRONG = {
    "check_slopes": {
        "make a list of three numbers": [[-8, 0], [-8, 0, 4, 1], -8, "three", [None, 0, 4], "abc", ["a", 0, 4], [[-8], [0, 4]]],
        "mind the sign": [[8, 0, -4]],
        "twice the number": [[-4, 0, 2]],
        "that is dx": [[-4, -4, -4], (-4.0, -4, -4)],
        "first the error": [[0, 0, 0], [2, 0, -1], [-8, 4, 0], [4, 0, -8], [-8, 1, 4], [-8, 0, -4], [-8.01, 0, 4], [float("nan"), 0, 4]],
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
    "check_max_gradient": {
        "random x": [
            lambda x, dy: np.repeat(np.repeat(dy, 2, 1), 2, 2) / 4,  # the average's
            lambda x, dy: np.repeat(np.repeat(dy, 2, 1), 2, 2),
            gradient_by_loop(lambda w: one_hot(w.argmin())),
            gradient_by_loop(lambda w: one_hot(np.abs(w).argmax())),
            gradient_by_loop(lambda w: one_hot(w.argmax()) * w.max()),  # times the value
            lambda x, dy: first(x, np.ones_like(dy)),  # forgets dy
            lambda x, dy: -first(x, dy),
            # the sum of all channels for each
            lambda x, dy: first(x, dy.sum(axis=-1, keepdims=True) + 0 * dy),
            lambda x, dy: np.where(first(x, np.abs(dy)) > 0, x, 0),
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
            lambda x, dy: first(x, dy)[:, ::2, ::2],
            lambda x, dy: dy,
        ],
    },
    "check_improve": {
        "your step goes uphill": [lambda x, w, shot, rate: x + rate * full(scipy.signal.correlate2d(x, w, "valid") - shot, w)],
        "the shape is": [
            lambda x, w, shot, rate: shot,
            lambda x, w, shot, rate: full(scipy.signal.correlate2d(x, w, "valid") - shot, w)[1:],
            lambda x, w, shot, rate: moved_by(full)(x, w, shot, rate)[None],
        ],
        "not by rate times dx": [
            lambda x, w, shot, rate: x,
            moved_by(lambda error, w: scipy.signal.correlate2d(2 * error / error.size, w, "full")),  # no flip
            moved_by(lambda error, w: scipy.signal.convolve2d(2 * error, w, "full")),  # the sum of squares
            moved_by(lambda error, w: full(error, w) / 2),  # half the square
            lambda x, w, shot, rate: moved_by(full)(x, w, shot, 1),  # forgets the rate
            lambda x, w, shot, rate: -rate * full(scipy.signal.correlate2d(x, w, "valid") - shot, w),  # the move alone
            lambda x, w, shot, rate: x - rate * full(scipy.signal.convolve2d(x, w, "valid") - shot, w),  # another camera
            lambda x, w, shot, rate: moved_by(full)(moved_by(full)(x, w, shot, rate), w, shot, rate),  # two steps
        ],
    },
}
