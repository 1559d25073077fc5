"""Wrong answers to the exercises of chapter 06, by words of the sentence that each must get."""

import numpy as np
import scipy.ndimage
import scipy.signal
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


def turned(*turns, combine=np.max, mode="valid", spin=np.rot90):
    """Exercise 4 with other turns of the kernel, or with another number of its answers."""
    def turn_proof(x, w):
        return combine([combine(scipy.signal.correlate2d(x, spin(w, k), mode)) for k in turns])
    return turn_proof


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
    "check_layers": {
        "use each of A, B, C, D once": [
            ["B", "A", "D"], ["B", "A", "D", "D"], ["B", "A", "D", "C", "C"], "BAD",
            "B, A, D, C", 4, None, np.array(0), {"B": 1, "A": 2, "D": 3, "C": 4},
        ],
        "A has only 7 of the 13, B has 13": [
            ["A", "B", "C", "D"],  # the smallest window first
            ["A", "B", "D", "C"], "abcd", np.array(list("ABDC")),
        ],
        "C has only 4 of the 13, D has 5": [
            ["B", "A", "C", "D"],  # takes the step of two rounds for 2, or adds nothing
            ["C", "D", "A", "B"],  # fewest first
        ],
        "D has only 5 of the 13, A has 7": [
            ["D", "A", "C", "B"],  # the largest window first
            ["B", "D", "A", "C"],
        ],
        "C has only 4 of the 13, A has 7": [["B", "C", "A", "D"]],
        "C has only 4 of the 13, B has 13": [["C", "B", "A", "D"]],
        "D has only 5 of the 13, B has 13": [["D", "B", "A", "C"]],
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
        "mean of x -1000000": [
            frame_with(-100), frame_with(-1e5),  # far below most maps, but a number
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
    "check_turn_proof": {
        "after a quarter turn": [
            lambda x, w: scipy.signal.correlate2d(x, w, "valid").max(),
            turned(0, 2),  # two of the four
            turned(0, 1), turned(0, 1, 2),
            turned(0, 1, 2, 3, spin=lambda w, k: np.flip(w, [(), (0,), (1,), (0, 1)][k])),  # mirrors
            lambda x, w: scipy.signal.correlate2d(x, w, "valid").mean(),
            lambda x, w: turned(0, 1, 2, 3)(x[:-1], w),  # forgets the last row
            lambda x, w: x[0, 0],
        ],
        "but the kernel's best answer is": [
            lambda x, w: x.max(), lambda x, w: 0,
            turned(0, 1, 2, 3, combine=np.mean), turned(0, 1, 2, 3, combine=np.min),
            lambda x, w: scipy.signal.correlate2d(
                x, sum(np.rot90(w, k) for k in range(4)) / 4, "valid").max(),  # a mean kernel
            lambda x, w: max(0, turned(0, 1, 2, 3)(x, w)),
            turned(0, 1, 2, 3, mode="same"),  # zeros around
            lambda x, w: np.abs(turned(0, 1, 2, 3)(x, w)),
            lambda x, w: turned(0, 1, 2, 3)(x - x.mean(), w),
            lambda x, w: max(turned(0, 1, 2, 3)(x, w), turned(0, 1, 2, 3)(x, w.T)),  # mirrors too
        ],
        "one number, not shape": [
            lambda x, w: [scipy.signal.correlate2d(x, np.rot90(w, k), "valid").max() for k in range(4)],
            lambda x, w: x,
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
