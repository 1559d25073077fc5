"""Wrong answers to the exercises of chapter 10, by words of the sentence that each must get."""

import numpy as np
import tensorflow as tf

right = 1600, 1_669_002


def loss_of(p, labels):
    return np.mean(-np.log(p[np.arange(len(p)), labels]))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def shifted_softmax(z):
    return softmax(z - z.max(axis=1, keepdims=True))


def log_softmax(logits, axis=1):
    z = logits - logits.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def pick(log_p, labels):
    return log_p[np.arange(len(labels)), labels]


def in_place(logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    return -np.mean(pick(log_softmax(logits), labels))


def side(pixels, padding, window=5, halve=lambda n: n // 2):
    for _ in range(2):
        pixels = halve(pixels - (window - 1 if padding == "VALID" else 0))
    return pixels


def rows(H, W, padding, channels=64, refuse=lambda h, w: min(h, w) < 1, **options):
    h, w = side(H, padding, **options), side(W, padding, **options)
    if refuse(h, w):
        raise ValueError(f"{H} by {W} is too small")
    return h * w * channels


WRONG = {
    "check_rows": {
        "give two numbers, (rows, parameters)": [1600, (1600,), right + (0,)],
        "rows? Write down all four sizes": [
            (0, 0), right[::-1], ("1600", "1669002"), (4 * 4 * 64, 1_669_002),
            (7 * 7 * 64, 3_274_634),
            (6 * 6 * 64, right[1]),  # 11 in place of 10, rounded up
            (25, right[1]),
            # both convolutions 5 by 5
            (4 * 4 * 64, 5 * 5 * 32 + 32 + 51_264 + 1024 * 1025 + 10_250),
        ],
        "parameters? Four layers, with biases": [
            (1600, 3_274_634),
            (1600, 1_669_002 - 1130),  # no biases
            (1600, 1_669_002 - 32),
            (1600, 1_669_002 - 10_250),  # without the last layer
        ],
    },
    "check_step_order": {
        "Python says IndentationError": ["ABCDEF", "EDFCAB", "DEFACB", "DFECAB", "DEFBCA"],
        "Python says NameError": ["DEFCBA", "EFCABD", "DECFAB", "DABEFC", "EFCDAB"],
        "use each letter from A to F once": ["DEFCA", "DEFCABD", "defcab"],
    },
    "check_flatten": {
        "becomes": [
            lambda maps: tf.reshape(maps, [-1, 4 * 4 * 64]),
            lambda maps: tf.reshape(maps, [-1, maps.shape[-1]]),
            lambda maps: tf.reshape(maps, [-1]),
            lambda maps: tf.reshape(maps, [16, -1]),
            lambda maps: tf.reduce_max(maps, axis=(1, 2)),
            lambda maps: maps,
            lambda maps: maps[:, 0, 0],
        ],
        "raises InvalidArgumentError": [
            lambda maps: tf.reshape(maps, [-1, 7 * 7 * 64]),
            lambda maps: tf.reshape(maps, [tf.shape(maps)[0], 7 * 7 * 64]),
        ],
        "in a graph, (16, 7, 7, 64) raises": [
            lambda maps: tf.reshape(maps, [maps.shape[0], -1]),  # None in a graph
            lambda maps: tf.reshape(maps, [len(maps), -1]),
            lambda maps: tf.constant(np.asarray(maps).reshape(len(maps), -1)),
        ],
        "mixed up": [
            # channels first
            lambda maps: tf.reshape(tf.transpose(maps, [0, 3, 1, 2]), [tf.shape(maps)[0], -1]),
            # columns first
            lambda maps: tf.reshape(tf.transpose(maps, [0, 2, 1, 3]), [tf.shape(maps)[0], -1]),
            lambda maps: tf.transpose(tf.reshape(maps, [-1, tf.shape(maps)[0]])),
        ],
    },
    "check_cross_entropy": {
        "logits near 60,000": [
            lambda logits, labels: loss_of(softmax(logits), labels),
            lambda logits, labels: loss_of(softmax(np.clip(logits, -500, 500)), labels),
        ],
        "logits of all sizes": [
            # one maximum for all rows
            lambda logits, labels: loss_of(softmax(logits - logits.max()), labels),
            lambda logits, labels: loss_of(shifted_softmax(logits), labels),  # log 0
            lambda logits, labels: loss_of(np.clip(shifted_softmax(logits), 1e-10, 1), labels),
            lambda logits, labels: loss_of(shifted_softmax(logits) + 1e-12, labels),
        ],
        "small logits": [
            lambda logits, labels: -np.mean(pick(log_softmax(logits, axis=0), labels)),
            lambda logits, labels: -np.mean(pick(log_softmax(logits), labels)) / np.log(10),
            lambda logits, labels: -np.mean(pick(log_softmax(-logits), labels)),  # e to the minus z
            lambda logits, labels: np.mean(pick(log_softmax(logits), labels)),  # no minus
            lambda logits, labels: -np.sum(pick(log_softmax(logits), labels)),
            lambda logits, labels: -np.mean(log_softmax(logits)),  # all classes
            # the winner, not the label
            lambda logits, labels: -np.mean(log_softmax(logits).max(axis=1)),
            # softmax twice
            lambda logits, labels: -np.mean(pick(log_softmax(shifted_softmax(logits)), labels)),
            lambda logits, labels: np.float64(np.nan),
        ],
        "one number is wanted, got": [lambda logits, labels: -pick(log_softmax(logits), labels)],
        "your function changes its logits": [in_place],
    },
    "check_dense_rows": {
        ", not ": [
            lambda H, W, padding: 7 * 7 * 64,
            lambda H, W, padding: 7 * 7 * 64 if padding == "SAME" else 4 * 4 * 64,
            lambda H, W, padding: rows(H, W, "SAME"),
            lambda H, W, padding: rows(H, W, "VALID"),
            lambda H, W, padding: rows(H, W, padding, halve=lambda n: -(-n // 2)),  # rounds up
            lambda H, W, padding: rows(H, W, padding, window=3),
            lambda H, W, padding: rows(H, W, padding, channels=32),
            lambda H, W, padding: rows(H, W, padding, channels=1),
            lambda H, W, padding: rows(H, H, padding),
            lambda H, W, padding: rows(W, W, padding),
            lambda H, W, padding: H // 4 * (W // 4) * 64,
            lambda H, W, padding: rows(28, 28, padding) * H * W / 28**2,
        ],
        "must raise a ValueError": [
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: False),
            # two negative sides
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: h * w < 1),
            # looks at the height only
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: h < 1),
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: w < 1),
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: min(h, w) < 0),
        ],
        "fits, but your function": [
            lambda H, W, padding: rows(H, W, padding, refuse=lambda h, w: min(h, w) < 2),
        ],
    },
}
