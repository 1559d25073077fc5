"""Wrong answers that the checkers of chapter 11 must reject; the chapter's own names are in scope."""

import keras
import numpy as np


def head(*layers):
    return lambda: keras.Sequential([keras.Input((1000,)), *[make() for make in layers]])


class AlwaysOn(keras.layers.Layer):
    def call(self, x):
        return keras.random.dropout(x, 0.25)


def right_stopping(losses, patience, late=0, tie=False, last=False):
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] or tie and loss == losses[best]:
            best = epoch
        if epoch - best >= patience + late:
            break
    return epoch + 1, (epoch if last else best) + 1


WRONG = {
    "check_parameters": [None, 1152, (1168, 12), (1152, 14), (144, 12), (1152, 13), (128, 12), ("1152", "12"), (1152,)],
    "check_stack": ["EBDGAFC", "ABCDEFG", "EGBDAFC", "EDBGACF", "EDBGFAC", "BDEGAFC", "AEDBGFC", "EDBGAF", "", None, "edbgafc"],
    "check_head": [
        head(lambda: keras.layers.Dropout(0.75)), head(lambda: keras.layers.Dropout(0.2)),
        head(lambda: keras.layers.Dropout(0.5)), head(lambda: keras.layers.Dropout(0.0)), head(AlwaysOn),
        head(lambda: keras.layers.GaussianDropout(0.25)), head(lambda: keras.layers.Dropout(0.25), lambda: keras.layers.Rescaling(0.75)),
        head(lambda: keras.layers.Dropout(0.25), lambda: keras.layers.Dense(5)),
    ],
    "check_stopping": [
        lambda losses, patience: (len(losses), losses.index(min(losses)) + 1),
        lambda losses, patience: right_stopping(losses, patience, late=1),
        lambda losses, patience: right_stopping(losses, patience, tie=True),
        lambda losses, patience: right_stopping(losses, patience, last=True),
        lambda losses, patience: tuple(n - 1 for n in right_stopping(losses, patience)),
        lambda losses, patience: right_stopping(losses, patience)[::-1],
        lambda losses, patience: (patience, 1),
        lambda losses, patience: None,
    ],
    "check_reorder": [
        lambda wd1: wd1,
        lambda wd1: wd1.reshape(7, 7, 64, -1).transpose(2, 0, 1, 3).reshape(3136, -1),  # the way back
        lambda wd1: wd1.reshape(64, 7, 7, -1).transpose(2, 1, 0, 3).reshape(3136, -1),  # columns before rows
        lambda wd1: wd1.reshape(64, 49, -1).transpose(1, 0, 2),
        lambda wd1: wd1[::-1],
        lambda wd1: wd1.reshape(64, 7, 7, -1).transpose(1, 0, 2, 3).reshape(3136, -1),
        lambda wd1: wd1.T,
        lambda wd1: np.zeros_like(wd1),
    ],
}
