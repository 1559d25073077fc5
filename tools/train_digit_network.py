"""Train the network behind the figure "Draw a digit" and write it to book/figures/draw-digit.

    python tools/train_digit_network.py          train, evaluate and export (about three minutes of processor time)
    python tools/train_digit_network.py check    evaluate the file that is there

Readers do not write like the clerks and pupils of MNIST, so the network trains on distorted digits: turned, sheared, scaled,
shifted, bent, thicker and thinner, and on a sixth of digits made of plain pen strokes in the usual styles (a crossed 7, a 1
with a flag and a foot, an open 4), by pens from fine to broad. The test set is used once, at the end, and untouched.

The file is in the safetensors format: the weights as float16, named "layer/variable", and
"samples", ten test images as bytes, which the page offers; its metadata hold their positions.
"""

import os
import sys
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import keras
import numpy as np
import tensorflow as tf
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "book" / "figures" / "draw-digit" / "network.safetensors"
FILTERS = (12, 24)
EPOCHS, BATCH, SEED = 10, 256, 0

# Pen strokes in a box of 1 by 1.4 (x to the right, y down): one or more styles a digit, each a list of strokes. The curve
# runs smoothly through the points of a stroke; a point given twice is a corner.
STYLES = {
    0: [[[(.5, 0), (.05, .4), (.05, 1), (.5, 1.4), (.95, 1), (.95, .4), (.5, 0)]], [[(.6, .05), (.1, .3), (0, .9), (.4, 1.4), (.9, 1.1), (1, .5), (.5, 0), (.4, .1)]]],
    1: [[[(.5, 0), (.5, 1.4)]], [[(.15, .35), (.5, 0), (.5, 0), (.5, 1.4)]],
        [[(.15, .35), (.5, 0), (.5, 0), (.5, 1.4)], [(.1, 1.4), (.9, 1.4)]], [[(.65, 0), (.35, 1.4)]],
        [[(0, .6), (.55, 0), (.55, 0), (.5, 1.4)]], [[(0, .45), (.3, .35), (.6, 0), (.6, 0), (.5, 1.4)], [(.2, 1.4), (.8, 1.4)]]],
    2: [[[(.05, .4), (.3, .03), (.8, .08), (.9, .5), (.5, .95), (0, 1.4), (0, 1.4), (1, 1.4)]],
        [[(.05, .35), (.5, 0), (.95, .35), (.6, .9), (.1, 1.35), (.05, 1.1), (.4, 1.15), (1, 1.35)]]],
    3: [[[(.05, .2), (.5, 0), (.9, .3), (.4, .65), (.4, .65), (.95, 1), (.5, 1.4), (0, 1.2)]],
        [[(.05, 0), (.9, 0), (.9, 0), (.4, .55), (.4, .55), (.9, .7), (.9, 1.2), (.4, 1.4), (0, 1.2)]]],
    4: [[[(.1, 0), (.05, .8), (.05, .8), (.95, .8)], [(.75, .0), (.75, 1.4)]], [[(.65, 0), (0, .95), (0, .95), (1, .95)], [(.65, 0), (.65, 1.4)]],
        [[(.15, .1), (.1, .7), (.1, .7), (.8, .7)], [(.85, 0), (.7, 1.4)]], [[(.7, 1.4), (.7, 0), (.7, 0), (0, .9), (0, .9), (1, .9)]],
        [[(.5, 0), (0, .95), (0, .95), (1, 1)], [(.7, .55), (.6, 1.4)]], [[(.3, .1), (0, .8), (.3, .95), (1, .85)], [(.75, .5), (.65, 1.4)]]],
    5: [[[(.9, 0), (.15, 0), (.15, 0), (.1, .6), (.1, .6), (.6, .5), (.95, .9), (.6, 1.35), (0, 1.25)]],
        [[(.2, .05), (.15, .6), (.15, .6), (.7, .55), (.9, 1), (.5, 1.4), (0, 1.3)], [(.2, .05), (.95, 0)]]],
    6: [[[(.8, 0), (.3, .3), (.05, .9), (.3, 1.38), (.8, 1.3), (.9, .9), (.5, .7), (.1, .95)]],
        [[(.55, 0), (.1, .8), (.2, 1.3), (.6, 1.4), (.85, 1.1), (.6, .8), (.15, 1)]]],
    7: [[[(0, 0), (.95, 0), (.95, 0), (.35, 1.4)]], [[(0, 0), (.95, 0), (.95, 0), (.35, 1.4)], [(.25, .7), (.9, .7)]],
        [[(0, .2), (.03, 0), (.03, 0), (.95, .02), (.95, .02), (.5, .7), (.4, 1.4)]]],
    8: [[[(.85, .2), (.4, 0), (.1, .3), (.5, .65), (.95, 1.1), (.5, 1.4), (.05, 1.1), (.5, .65), (.9, .3), (.8, .15)]],
        [[(.5, .65), (.15, .35), (.5, 0), (.85, .35), (.5, .65), (.05, 1.05), (.5, 1.4), (.95, 1.05), (.5, .65)]]],
    9: [[[(.85, .3), (.45, 0), (.1, .35), (.4, .7), (.8, .45), (.88, .2), (.88, .2), (.8, 1.4)]],
        [[(.85, .15), (.4, .02), (.1, .4), (.45, .7), (.85, .2), (.85, .2), (.85, 1), (.5, 1.4), (.1, 1.25)]],
        [[(.5, 0), (.1, .35), (.5, .7), (.9, .35), (.5, 0)], [(.9, .35), (.85, .9), (.6, 1.4)]]],
}


def network():
    """Return the model: logits (N, 10) from images (N, 28, 28, 1) in 0..1, ink 1."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(FILTERS[0], 5, activation="relu", name="conv1"),
        keras.layers.MaxPooling2D(2, name="pool1"),
        keras.layers.Conv2D(FILTERS[1], 5, activation="relu", name="conv2"),
        keras.layers.MaxPooling2D(2, name="pool2"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, name="dense"),
    ])


def curve(points, steps=6):
    """Return a Catmull-Rom curve through the points, as an array (M, 2); straight next to a doubled point."""
    p = np.array([points[0], *points, points[-1]], dtype=float)
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:]):
        parts.append(b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return np.concatenate([*parts, p[-1:]])


def draw_strokes(strokes, thickness):
    """Return strokes, arrays (M, 2), as an image (28, 28) in 0..1, placed as MNIST's are: a box of 20, then the centre of mass."""
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = (20 - thickness) / max(extent.max(), 1e-6)
    y, x = np.mgrid[0:28, 0:28] + 0.5
    distance = np.full((28, 28), np.inf)
    for stroke in strokes:
        q = (stroke - low - extent / 2) * scale + 14
        a, d = q[:-1], np.diff(q, axis=0)
        along = ((x[..., None] - a[:, 0]) * d[:, 0] + (y[..., None] - a[:, 1]) * d[:, 1]) / np.maximum((d * d).sum(axis=1), 1e-9)
        along = along.clip(0, 1)
        gap = np.hypot(x[..., None] - a[:, 0] - along * d[:, 0], y[..., None] - a[:, 1] - along * d[:, 1])
        distance = np.minimum(distance, gap.min(axis=-1))
    ink = np.clip(thickness / 2 + 0.5 - distance, 0, 1)
    shift = np.round(13.5 - np.array(ndimage.center_of_mass(ink))).astype(int)
    return np.roll(ink, shift, axis=(0, 1))


def pen_digits(count, rng):
    """Return `count` digits made of pen strokes: images (count, 28, 28) in 0..1 and labels."""
    x, y = np.zeros((count, 28, 28), np.float32), np.arange(count) % 10
    for n, label in enumerate(y):
        style = STYLES[label][rng.integers(len(STYLES[label]))]
        width, jitter = rng.uniform(0.55, 1.25), rng.uniform(0, 0.06)
        strokes = []
        for points in style:
            points = np.array(points, dtype=float)
            moved = points + rng.normal(0, jitter, points.shape)
            same = np.flatnonzero((points[1:] == points[:-1]).all(axis=1))
            moved[same + 1] = moved[same]
            strokes.append(curve(moved * [width, 1]))
        x[n] = draw_strokes(strokes, rng.triangular(1.2, 2, 6))  # a small drawing has a broad pen
    return x, y


def sample(x, rows, columns):
    """Return x (N, 28, 28) read at fractional positions (N, 28, 28), bilinear, 0 outside."""
    x = np.pad(x, ((0, 0), (1, 2), (1, 2)))
    rows, columns = rows.clip(-1, 28) + 1, columns.clip(-1, 28) + 1
    i, j = rows.astype(np.int32), columns.astype(np.int32)
    a, b = rows - i, columns - j
    at = (np.arange(len(x), dtype=np.int32)[:, None, None] * 31 + i) * 31 + j
    flat = x.ravel()
    top = flat.take(at) * (1 - b) + flat.take(at + 1) * b
    return top * (1 - a) + (flat.take(at + 31) * (1 - b) + flat.take(at + 32) * b) * a


def distort(x, rng):
    """Return images (N, 28, 28) in 0..1 as other hands could have written them."""
    n = len(x)

    def draw(low, high):
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    thickness, strength = draw(-0.7, 1) * (draw(0, 1) < 0.6), draw(1, 1.6)
    wider = ndimage.grey_dilation(x, size=(1, 3, 3))
    thinner = ndimage.grey_erosion(x, footprint=np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]]))
    x = x + (wider - x) * thickness.clip(0) + (x - thinner) * thickness.clip(None, 0)
    blurred = ndimage.uniform_filter(x, size=(1, 3, 3))
    x = x + (blurred - x) * (draw(-1, 1).clip(0))
    angle, shear = draw(-0.3, 0.3), draw(-0.25, 0.25)
    up, across = np.exp(draw(-0.15, 0.15)), np.exp(draw(-0.4, 0.25))  # below 1 is larger
    r, c = np.mgrid[0:28, 0:28].astype(np.float32) - 13.5
    rows = (r * np.cos(angle) - c * np.sin(angle)) * up + draw(-1.6, 1.6)
    columns = (r * np.sin(angle) + c * np.cos(angle)) * across + shear * r + draw(-1.6, 1.6)
    knots = np.abs(np.linspace(0, 4, 28)[:, None] - np.arange(5))
    hat = np.clip(1 - knots, 0, 1).astype(np.float32)  # bilinear from 5 knots to 28 pixels
    bend = rng.normal(0, 1, (2, n, 5, 5)).astype(np.float32) * draw(0, 1.3)
    rows, columns = rows + 13.5 + hat @ bend[0] @ hat.T, columns + 13.5 + hat @ bend[1] @ hat.T
    return (sample(x, rows, columns) * strength).clip(0, 1)


def train(x, y):
    """Return the model, trained on images (N, 28, 28) in 0..1 and labels (N,)."""
    keras.utils.set_random_seed(SEED)
    rng, model = np.random.default_rng(SEED), network()
    pens, labels = pen_digits(len(x) // 5, rng)
    x, y = np.concatenate([x, pens]), np.concatenate([y, labels])
    steps = len(x) // BATCH
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(
        0.0, EPOCHS * steps, alpha=0.01, warmup_target=0.004, warmup_steps=200))
    cost = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = cost(labels, model(images, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    for epoch in range(EPOCHS):
        order, losses = rng.permutation(len(x)), []
        for start in range(0, steps * BATCH, BATCH):
            rows = order[start:start + BATCH]
            losses.append(step(tf.constant(distort(x[rows], rng)[..., None]), tf.constant(y[rows])))
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}", flush=True)
    return model


def choose_samples(x, y):
    """Return the positions of ten test images, 0 to 9: of each digit, the one nearest to the mean of its kind."""
    means = [x[y == label].mean(axis=0) for label in range(10)]
    return [int(np.where(y == label, ((x - means[label]) ** 2).sum(axis=(1, 2)), np.inf).argmin()) for label in range(10)]


def write_network(path, model, images, positions):
    """Write the weights as float16 and the sample images (10, 28, 28) as bytes."""
    arrays = {f"{layer.name}/{variable.name}": variable.numpy().astype(np.float16)
              for layer in model.layers for variable in layer.weights}
    metadata = {"positions": " ".join(map(str, positions))}
    save_file({**arrays, "samples": np.ascontiguousarray(images)}, path, metadata)


def read_network(path=OUTPUT):
    """Return (model, samples, positions): a Keras model with the file's weights, ten images
    (10, 28, 28) of bytes, and where they stand in the test set.
    """
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}
        positions = [int(text) for text in file.metadata()["positions"].split()]
    model = network()
    model.set_weights([arrays[f"{layer.name}/{variable.name}"].astype(np.float32)
                       for layer in model.layers for variable in layer.weights])
    return model, arrays["samples"], positions


def load_mnist():
    """Return (x_train, y_train), (x_test, y_test): bytes (N, 28, 28) and labels."""
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])


def main():
    (x, y), (x_test, y_test) = load_mnist()
    if sys.argv[1:] != ["check"]:
        model = train(x / np.float32(255), y)
        positions = choose_samples(x_test / np.float32(255), y_test)
        write_network(OUTPUT, model, x_test[positions], positions)
    model, _, _ = read_network()
    right = model.predict(x_test[..., None] / np.float32(255), batch_size=500, verbose=0).argmax(axis=1) == y_test
    print(f"{model.count_params():,} weights, {OUTPUT.stat().st_size:,} bytes, {right.sum():,} of {len(right):,} test digits right: {right.mean():.2%}")


if __name__ == "__main__":
    main()
