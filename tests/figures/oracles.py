"""What the figures have to say, by TensorFlow and by the chapters' own functions."""

import numpy as np
import tensorflow as tf
from conftest import definitions


def conv(image, kernel, stride=1, padding="SAME"):
    """Return tf.nn.conv2d of a grey image and one kernel."""
    x, w = np.asarray(image, float), np.asarray(kernel, float)
    y = tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], [1, stride, stride, 1], padding)
    return y[0, :, :, 0].numpy()


def chapters_answer(W, F, S, D, P, mode):
    """Return what sizeLab has to return, from chapter 04's functions."""
    chapter = definitions("04")
    try:
        if mode == "SAME":
            before, after = chapter["same_padding"](W, F, S, D)
        else:
            before = after = P if mode == "P" else 0
        outputs = -(-W // S) if mode == "SAME" else chapter["output_size"](W, F, before, S, D)
    except ValueError as error:
        nothing = dict.fromkeys(["outputs", "before", "after", "reach", "unseen"])
        return {**nothing, "error": str(error)}
    padded = np.zeros(before + W + after, bool)
    for k in range(outputs):
        padded[k * S:k * S + D * (F - 1) + 1:D] = True
    unseen = np.flatnonzero(~padded[before:before + W]).tolist()
    return dict(outputs=outputs, before=before, after=after, reach=D * (F - 1) + 1, unseen=unseen,
                error=None)


def by_tensorflow(numbers):
    """Return the outputs (3, 3, 2) of {image, filters, bias}: stride 2, one zero on each side."""
    x = tf.reshape(tf.constant(numbers["image"], tf.float32), (1, 5, 5, 3))
    w = tf.reshape(tf.constant(numbers["filters"], tf.float32), (3, 3, 3, 2))
    y = tf.nn.conv2d(x, w, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])[0]
    return (y + tf.constant(numbers["bias"], tf.float32)).numpy()
