"""Wrong answers to the exercises of chapter 07, by words of the sentence that each must get."""

import numpy as np
import tensorflow as tf

from tools.book.definitions import definitions

SOBEL = definitions("07")["KERNELS"]["top Sobel"]


def convolved(x, kernels):
    w = np.stack(kernels, axis=-1)[:, :, np.newaxis].astype(np.float32)
    return tf.nn.conv2d(x, w, 1, "SAME")


def both(y):
    return tf.concat([y, -y], axis=-1)


def average(y):
    return tf.nn.avg_pool2d(y, 4, 4, "VALID")


def alternating(x, kernels):
    """Each kernel beside its opposite."""
    kernels = [sign * kernel for kernel in kernels for sign in (1, -1)]
    return average(tf.nn.relu(convolved(x, kernels)))


def column(*weights):
    return np.array(weights).reshape(-1, 1)


def is_two(y):
    """Exercise 3 for this chapter's stroke alone."""
    return tf.ones_like(average(both(y))) * 2


def ends(picture):
    """Where bright follows dark, without a border."""
    return np.maximum(np.diff(picture, axis=1), 0)


WRONG = {
    "check_survivors": {
        "replace None": ["the edges", [None] * 5],
        "the kernel fits 5 times": [
            [0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0], 1, [[0, 0, 1, 0, 0]],
        ],
        "nothing is below 0": [
            [-5, 0, 1, -1, -2],  # no ReLU
            [-3, 2, 3, 1, 0],  # neither bias nor ReLU
            [-2, 0, 1, -1, -2],  # ReLU before the bias
        ],
        "[0, 3, 3] has the likeness -3": [
            [1, 0, 0, 0, 0],  # the kernel turned
            [3, 2, 3, 1, 0],  # sizes without signs
            [float("nan"), 0, 1, 0, 0],
        ],
        "[3, 3, 1] has the likeness 2": [
            [0, 2, 3, 1, 0],  # no bias
            [0, 2, 3, 0, 0],  # not below the threshold, so kept as it was
            [0, 4, 5, 3, 2],  # the bias taken off, not added
        ],
        "[3, 1, 0] has the likeness 3": [[0, 0, 3, 0, 0], [0, 0, 0, 0, 0]],
        "[1, 0, 0] has the likeness 1": [[0, 0, 1, 1, 0]],
        "[0, 0, 0] has the likeness 0": [[0, 0, 1, 0, 2]],
    },
    "check_patch_order": {
        "use each of the letters": [
            ["A", "B", "C"], ["A", "A", "B", "C"], ["D", "B", "A", "C", "C"],
            "DBA", "D, B, A, C", 4, None, np.array(0), {"D": 1, "B": 2, "A": 3, "C": 4},
        ],
        "the wall B fools plus": [["D", "A", "C", "B"], "dacb", np.array(list("DACB"))],
        "A does not answer less than B": [["A", "B", "C", "D"], ["D", "A", "B", "C"]],
        "C does not answer less than A": [["C", "A", "B", "D"], ["D", "B", "C", "A"]],
        "B does not answer less than D": [["B", "D", "A", "C"]],
    },
    "check_bent_means": {
        "for the stroke you get": [
            lambda x, kernels: tf.nn.relu(both(average(convolved(x, kernels)))),  # the bug
            lambda x, kernels: average(both(convolved(x, kernels))),  # no bend
            lambda x, kernels: average(both(tf.nn.relu(convolved(x, kernels)))),  # opposites below 0
            lambda x, kernels: average(tf.abs(both(convolved(x, kernels)))),
            lambda x, kernels: 4 * tf.nn.relu(both(average(convolved(x, kernels)))),
            # the average of the whole row of regions
            lambda x, kernels: 0 * alternating(x, kernels)
            + tf.reduce_mean(alternating(x, kernels), axis=2, keepdims=True),
            lambda x, kernels: tf.nn.max_pool2d(tf.nn.relu(both(convolved(x, kernels))), 4, 4, "VALID"),
        ],
        "right for the stroke's middle": [
            alternating,
            lambda x, kernels: is_two(convolved(x, kernels)),
            lambda x, kernels: average(tf.nn.relu(both(convolved(np.abs(x), kernels)))),
            lambda x, kernels: average(tf.nn.relu(both(convolved(np.flip(x, 2), kernels)))),
            lambda x, kernels: average(tf.nn.relu(both(convolved(x, [k.T[::-1].T for k in kernels])))),
        ],
        "the shape is": [
            lambda x, kernels: average(tf.nn.relu(convolved(x, kernels))),
            lambda x, kernels: tf.nn.relu(both(convolved(x, kernels))),
            lambda x, kernels: tf.nn.avg_pool2d(tf.nn.relu(both(convolved(x, kernels))), 4, 1, "SAME"),
            lambda x, kernels: tf.reshape(alternating(x, kernels), (len(x), -1)),
            lambda x, kernels: average(tf.nn.relu(both(convolved(x, kernels))))[:1],
            lambda x, kernels: average(tf.nn.relu(both(convolved(x, [SOBEL])))),  # one kernel always
        ],
    },
    "check_gap": {
        "give a pair": [column(1, -1, -1, -1, 1), (column(1, -1, -1, -1, 1),), ([1], 2, 3)],
        "of shape (5, 1)": [
            (np.array([1, -1, -1, -1, 1]), -1), (column(1, -1, -1, -1, 1).T, -1),
            (column(1, -1, -1, 1), -1), (np.array([["a"]] * 5), -1), (1, 2),
        ],
        "the bias must be one number": [
            (column(1, -1, -1, -1, 1), [-1]), (column(1, -1, -1, -1, 1), None),
            (column(1, -1, -1, -1, 1), "-1"),
        ],
        "the gap itself gives": [
            (column(1, -1, -1, -1, 1), -2), (column(1, -1, -1, -1, 1), -5),
            (column(-1, 1, 1, 1, -1), 1),  # the opposite
            (column(0, 0, 0, 0, 0), 0), (column(1, -1, -1, -1, 1), float("nan")),
        ],
        "above 0": [
            (column(1, 0, 0, 0, 1), -1),  # looks at the ends alone
            (column(1, -1, -1, -1, 1), 0),  # one end is enough
            (column(1, 0, -1, 0, 1), -1), (column(1, -1, -1, 0, 1), -1),
            (column(1, 0, -1, -1, 1), -1), (column(1, -1, 0, -1, 1), -1),
            (column(2, -1, -1, -1, 1), -1), (column(1, -1, -1, -1, 2), -1),
            (column(0, -1, -1, -1, 0), 1),  # the empty column too
            (column(1, -2 / 3, -2 / 3, -2 / 3, 1), -1),
        ],
    },
    "check_count_strokes": {
        "[0 1 1 0 0 1 0] crosses 2": [
            lambda picture: picture.sum(axis=1),
            lambda picture: np.abs(np.diff(picture, axis=1)).sum(axis=1),  # both edges
            lambda picture: picture.max(axis=1),
            lambda picture: np.diff(picture, axis=1).sum(axis=1),  # no bend: they cancel
            lambda picture: ends(picture).sum(axis=1) + 1,
        ],
        "[1 1 1 1 1 1 1] crosses 1": [
            lambda picture: ends(picture).sum(axis=1),  # nothing at the left border
            lambda picture: ends(np.pad(picture, ((0, 0), (1, 0)), mode="edge")).sum(axis=1),
            lambda picture: np.abs(np.diff(picture, axis=1)).sum(axis=1) // 2,
        ],
        "[1 0 0 0 0 0 0] crosses 1": [
            lambda picture: ends(picture).sum(axis=1) + (picture.min(axis=1) > 0),
        ],
        "[0 0 0 0 0 0 1] crosses 1": [  # counts ends, and nothing at the right border
            lambda picture: ends(picture[:, ::-1]).sum(axis=1) + (picture.min(axis=1) > 0),
        ],
        "[1 0 1 0 1 0 1] crosses 4": [
            lambda picture: np.minimum(ends(np.pad(picture, ((0, 0), (1, 0)))).sum(axis=1), 2),
        ],
        "expected one number for each": [
            lambda picture: ends(np.pad(picture, ((0, 0), (1, 0)))).sum(axis=0),  # columns
            lambda picture: ends(np.pad(picture, ((0, 0), (1, 0)))).sum(),
            lambda picture: ends(np.pad(picture, ((0, 0), (1, 0)))),
        ],
        "you count 1.999": [
            lambda picture: 0.9995 * ends(np.pad(picture, ((0, 0), (1, 0)))).sum(axis=1),
        ],
    },
}
