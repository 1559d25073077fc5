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


# ---- Strokes, as The Quick, Draw! Dataset simplifies them -----------------------------------------

def resampled(p):
    """Return points every unit along a stroke (M, 2), its end included; a tap's point twice."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(p, axis=0).T))]
    if along[-1] == 0:
        return p[[0, 0]]
    at = np.r_[np.arange(0, along[-1]), along[-1]]
    return np.stack([np.interp(at, along, p[:, k]) for k in (0, 1)], axis=1)


def without_detail(p, epsilon=2.0):
    """Return what Ramer, Douglas and Peucker keep of a polyline (M, 2)."""
    a, d = p[0], p[-1] - p[0]
    v, length = p - a, np.hypot(*d)
    gap = np.hypot(*v.T) if length == 0 else np.abs(d[0] * v[:, 1] - d[1] * v[:, 0]) / length
    far = int(gap.argmax())
    if gap[far] <= epsilon:
        return p[[0, -1]]
    return np.concatenate([without_detail(p[:far + 1])[:-1], without_detail(p[far:])])


def simplified(strokes):
    """Return strokes (M, 2) aligned, scaled to 255, resampled, simplified and rounded."""
    low = np.concatenate(strokes).min(axis=0)
    side = np.ptp(np.concatenate(strokes), axis=0).max()
    return [np.round(without_detail(resampled((stroke - low) * 255 / side))).astype(int)
            for stroke in strokes]
