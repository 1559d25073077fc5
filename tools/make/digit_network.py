"""Train the network behind the figure "Draw a digit" and write it to book/figures/draw-digit.

    python -m tools.make.digit_network          train, export and evaluate (four minutes of CPU)
    python -m tools.make.digit_network check    evaluate the file that is there

Readers do not write like the clerks and pupils of MNIST, so the network trains on distorted digits:
turned, sheared, scaled, shifted, bent, thicker and thinner, and on a sixth of digits made of plain
pen strokes in the usual styles (a crossed 7, a 1 with a flag and a foot, an open 4), by pens from
fine to broad. The test set is used once, at the end, and untouched.

The file is in the safetensors format: the weights as float16, named "layer/variable", and
"samples", ten test images as bytes, which the page offers; its metadata hold their positions;
"temperature", what divides the logits before the softmax so that the network is right as often as
it says. It is fitted to 20,000 digits as readers may draw them, distorted anew: the network has
seen other distortions of the same digits, so it may be a little too sure of a stranger's.
"usual_mean" (10, 10), "usual_form" (10, 55) and "usual_limit" say which logits are usual for an
answer: what is no digit can get a probability of 1, but rarely with the usual other nine. A form is
a symmetric matrix, its upper triangle row by row, what stands off the diagonal twice.

No layer has a bias: then the network's logits are what its slopes times the pixels add up to, and
the figure "Explain my digit" gives each of them back to the pixels.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from safetensors import safe_open
from scipy import ndimage
from scipy.special import softmax

from tools.book.files import ROOT
from tools.make.data import as_input, fit_temperature, load_mnist, nearest_to_means
from tools.make.models import convolutional, logits_of, make_train_step, read_models, write_models

OUTPUT = ROOT / "book" / "figures" / "draw-digit" / "network.safetensors"
FILTERS = (12, 24)
EPOCHS, BATCH, SEED = 14, 256, 0
UPPER = np.triu_indices(10)
SURE = 0.75  # an answer with a smaller probability is doubted

# Pen strokes in a box of 1 by 1.4 (x to the right, y down): a list of styles for each digit as a
# string, each a list of strokes. The curve runs smoothly through the points of a stroke; a point
# given twice is a corner.
STYLES = json.loads(Path(__file__).with_name("pen_strokes.json").read_text())


def network():
    """Return the model: logits (N, 10) from images (N, 28, 28, 1) in 0..1, ink 1."""
    return convolutional(FILTERS, keras.layers.Flatten(),
                         keras.layers.Dense(10, use_bias=False, name="dense"), use_bias=False)


def curve(points, steps=6):
    """Return a Catmull-Rom curve through the points, (M, 2); straight next to a doubled point."""
    p = np.array([points[0], *points, points[-1]], dtype=float)[:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    parts = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([parts.reshape(-1, 2), p[-1]])


def draw_strokes(strokes, thickness):
    """Return strokes, arrays (M, 2), as an image (28, 28) in 0..1, placed as MNIST's are.

    That is: in a box of 20, then by the centre of mass.
    """
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = (20 - thickness) / max(extent.max(), 1e-6)
    y, x = np.mgrid[0:28, 0:28] + 0.5
    distance = np.full((28, 28), np.inf)
    for stroke in strokes:
        q = (stroke - low - extent / 2) * scale + 14
        a, d = q[:-1], np.diff(q, axis=0)
        right, down = x[..., None] - a[:, 0], y[..., None] - a[:, 1]
        squared = np.maximum((d * d).sum(axis=1), 1e-9)
        along = ((right * d[:, 0] + down * d[:, 1]) / squared).clip(0, 1)
        gap = np.hypot(right - along * d[:, 0], down - along * d[:, 1])
        distance = np.minimum(distance, gap.min(axis=-1))
    ink = np.clip(thickness / 2 + 0.5 - distance, 0, 1)
    shift = np.round(13.5 - np.array(ndimage.center_of_mass(ink))).astype(int)
    return np.roll(ink, shift, axis=(0, 1))


def pen_digits(count, rng):
    """Return `count` digits made of pen strokes: images (count, 28, 28) in 0..1 and labels."""
    x, y = np.zeros((count, 28, 28), np.float32), np.arange(count) % 10
    for n, label in enumerate(y):
        style = STYLES[str(label)][rng.integers(len(STYLES[str(label)]))]
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
    images = np.arange(len(x), dtype=np.float32)[:, None, None]
    at = np.broadcast_arrays(images, rows, columns)
    return ndimage.map_coordinates(x, at, order=1, mode="grid-constant", prefilter=False)


def distort(x, rng):
    """Return images (N, 28, 28) in 0..1 as other hands could have written them."""
    n = len(x)

    def draw(low, high):
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    thickness, strength = draw(-0.7, 1) * (draw(0, 1) < 0.6), draw(1, 1.6)
    wider = ndimage.grey_dilation(x, size=(1, 3, 3))
    thinner = ndimage.grey_erosion(x, footprint=ndimage.generate_binary_structure(2, 1)[None])
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
    step = make_train_step(model, optimizer)
    for epoch in range(EPOCHS):
        order, losses = rng.permutation(len(x)), []
        for start in range(0, steps * BATCH, BATCH):
            rows = order[start:start + BATCH]
            images = distort(x[rows], rng)[..., None]
            losses.append(step(images, y[rows]))
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}", flush=True)
    return model


def draw_anew(x, y, count, seed):
    """Return `count` digits (count, 28, 28) that no training has seen, a sixth by pens; labels."""
    rng = np.random.default_rng([SEED, seed])
    rows = rng.integers(len(x), size=count - count // 6)
    pens, labels = pen_digits(count // 6, rng)
    return distort(np.concatenate([x[rows], pens]), rng), np.concatenate([y[rows], labels])


def centred(logits):
    """Return logits less the mean of each row: softmax does not see it."""
    return logits - logits.mean(axis=1, keepdims=True)


def oddity(logits, mean, form):
    """Return how far the logits (N, 10) are from the usual ones of their answer, squared (N,)."""
    answer = logits.argmax(axis=1)
    d = centred(logits.astype(float)) - mean[answer]
    return (form[answer] * d[:, UPPER[0]] * d[:, UPPER[1]]).sum(axis=1)


def fit_usual(model, x, y):
    """Return {name: float16} of the usual logits, by right answers to 20,000 digits drawn anew.

    The limit is what 1 in 33 of them exceeds.
    """
    images, labels = draw_anew(x, y, 20_000, 4)
    logits = logits_of(model, images[..., None]).astype(float)
    right = logits.argmax(axis=1) == labels
    groups = [centred(logits[right & (labels == n)]) for n in range(10)]
    mean = np.array([group.mean(axis=0) for group in groups])
    inverse = np.array([np.linalg.inv(np.cov(group.T) + 0.05 * np.eye(10)) for group in groups])
    form = inverse[:, *UPPER] * np.where(UPPER[0] == UPPER[1], 1, 2)
    usual = {"usual_mean": mean.astype(np.float16),
             "usual_form": form.astype(np.float16, order="C")}
    limit = np.quantile(oddity(logits, *(array.astype(float) for array in usual.values())), 0.97)
    return {**usual, "usual_limit": np.array([limit], np.float16)}


def read_network():
    """Return (model, samples, positions): a Keras model with the file's weights, ten images
    (10, 28, 28) of bytes, and where they stand in the test set.
    """
    model = network()
    return model, *read_models(OUTPUT, {"": model})


def read_temperature():
    """Return the temperature in the file."""
    with safe_open(OUTPUT, framework="numpy") as file:
        return float(file.get_tensor("temperature")[0])


def is_doubtful(logits):
    """Say of each row of logits (N, 10) whether the page doubts its answer, as model.js does."""
    with safe_open(OUTPUT, framework="numpy") as file:
        mean, form, limit = (file.get_tensor(f"usual_{name}").astype(float)
                             for name in ("mean", "form", "limit"))
    shares = softmax(logits / read_temperature(), axis=1).max(axis=1)
    return (shares < SURE) | (oddity(logits, mean, form) > limit)


def main():
    if sys.argv[1:] not in ([], ["check"]):
        sys.exit(__doc__)
    (x, y), (x_test, y_test) = load_mnist()
    x = x / np.float32(255)
    if sys.argv[1:] != ["check"]:
        model = train(x, y)
        positions = nearest_to_means(x_test / np.float32(255), y_test)
        images, labels = draw_anew(x, y, 20_000, 1)
        temperature = fit_temperature(logits_of(model, images[..., None]), labels)
        write_models(OUTPUT, {"": model}, x_test[positions], positions, **fit_usual(model, x, y),
                     temperature=np.array([temperature], np.float16))
    model, _, _ = read_network()
    images, labels = draw_anew(x, y, 20_000, 2)
    drawn = logits_of(model, images[..., None])
    shares = softmax(drawn / read_temperature(), axis=1).max(axis=1)
    right = drawn.argmax(axis=1) == labels
    print(f"temperature {read_temperature():.3f}: on new drawings it says {shares.mean():.2%}, "
          f"{right.mean():.2%} are right, {is_doubtful(drawn).mean():.1%} doubted")
    right = logits_of(model, as_input(x_test)).argmax(axis=1) == y_test
    print(f"{model.count_params():,} weights, {OUTPUT.stat().st_size:,} bytes, "
          f"{right.sum():,} of {len(right):,} test digits right: {right.mean():.2%}")


if __name__ == "__main__":
    main()
