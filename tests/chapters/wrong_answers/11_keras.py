"""Wrong answers to the exercises of chapter 11, by words of the sentence that each must get."""

import keras
import numpy as np


def head(*layers, size=1000):
    return lambda: keras.Sequential([keras.Input((size,)), *[make() for make in layers]])


class AlwaysOn(keras.layers.Layer):
    def call(self, x):
        return keras.random.dropout(x, 0.25)


class Unscaled(keras.layers.Layer):
    """Drops a quarter, and does not make the rest larger."""

    def call(self, x, training=False):
        return 0.75 * keras.random.dropout(x, 0.25) if training else x


def right_stopping(losses, patience, late=0, tie=False, last=False):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] or tie and loss == losses[best]:
            best = epoch
        if epoch - best >= patience + late:
            break
    return epoch + 1, (epoch if last else best) + 1


WRONG = {
    "check_parameters": {
        "give two numbers, (parameters, side)": [1152, (1152,), ("1152", "12"), (np.ones(2), 12), (1152.5, 12)],
        "there is no bias": [(1168, 12)],
        "Which padding is the default?": [(1152, 14), (1152, 13)],
        "parameters? A filter has 8 kernels": [(144, 12), (128, 12)],
    },
    "check_stack": {
        "D follows one convolution, G the next": ["EBDGAFC", "EGBDAFC"],
        "cannot take what comes before it": ["ABCDEFG", "AEDBGFC"],
        "the output is": ["EDBGACF"],
        "parameters": ["EDBGFAC", "BDEGAFC"],
        "use each of the letters A to G once": ["EDBGAF", "edbgafc"],
    },
    "check_head": {
        "of the numbers are dropped": [
            head(lambda: keras.layers.Dropout(0.75)), head(lambda: keras.layers.Dropout(0.2)),
            head(lambda: keras.layers.Dropout(0.5)), head(lambda: keras.layers.Dropout(0.0)),
            head(lambda: keras.layers.GaussianDropout(0.25)),
        ],
        "outside training, nothing may change": [
            head(AlwaysOn),
            head(lambda: keras.layers.Dropout(0.25), lambda: keras.layers.Rescaling(0.75)),
        ],
        "the mean becomes": [head(Unscaled)],
        "the model is made for": [
            head(lambda: keras.layers.Dropout(0.25), size=999),
            head(lambda: keras.layers.Dropout(0.25), size=1001),
        ],
        "the shape is": [head(lambda: keras.layers.Dropout(0.25), lambda: keras.layers.Dense(5))],
    },
    "check_stopping": {
        "expected": [
            lambda losses, patience: (len(losses), losses.index(min(losses)) + 1),
            lambda losses, patience: right_stopping(losses, patience, late=1),
            lambda losses, patience: right_stopping(losses, patience, tie=True),
            lambda losses, patience: right_stopping(losses, patience, last=True),
            lambda losses, patience: tuple(n - 1 for n in right_stopping(losses, patience)),
            lambda losses, patience: right_stopping(losses, patience)[::-1],
            lambda losses, patience: (patience, 1),
        ],
    },
    "check_reorder": {
        "nothing has moved": [lambda wd1: wd1],
        "right shape, wrong rows": [
            # the way back
            lambda wd1: wd1.reshape(7, 7, 64, -1).transpose(2, 0, 1, 3).reshape(3136, -1),
            # columns before rows
            lambda wd1: wd1.reshape(64, 7, 7, -1).transpose(2, 1, 0, 3).reshape(3136, -1),
            lambda wd1: wd1[::-1],
            lambda wd1: wd1.reshape(64, 7, 7, -1).transpose(1, 0, 2, 3).reshape(3136, -1),
            lambda wd1: np.zeros_like(wd1),
        ],
        "expected (3136, 5)": [
            lambda wd1: wd1.reshape(64, 49, -1).transpose(1, 0, 2),
            lambda wd1: wd1.T,
        ],
    },
}
