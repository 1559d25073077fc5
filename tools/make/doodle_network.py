"""Train the network behind the figure "Draw a doodle" and write it to book/figures/draw-doodle.

    python -m tools.make.doodle_network         train, quantise, evaluate, export (4 minutes of CPU)
    python -m tools.make.doodle_network check   evaluate the file that is there
    python -m tools.make.doodle_network samples store the doodles that the page offers anew

It learns from real drawings, a sample of The Quick, Draw! Dataset, made available by Google, Inc.
under CC BY 4.0, which doodle_sample.py fetches; the book does not hold it. Its last rows are looked
at once, by the integers that the page computes.

Readers' hands are others than the players': while it trains, half of the drawings are mirrored, and
all are turned, stretched and sheared a little; then each is put into its box again, as the data set
puts each drawing.

Batch normalisation helps to train; then each one is folded into the convolution before it, and
chapter 23's `integer_network` makes integers of what is left. The file is in the safetensors
format: "NAME/weights" int8, "NAME/bias" int32, "NAME/multiplier" float64; its metadata are strings:
"layers" (JSON: the name, kind, scale and zero point of each), "output" (the scale and zero point of
the logits), "names", "temperature" (what divides the logits, so that the network is right as often
as it says), "accuracy" and "confusion" (on the drawings it never saw; a row for each word, how
often it was given each), "samples" (the book's own doodles, tools/make/doodle_strokes.json, as an
address of the page has them), and where the drawings come from.
"""

import json
import string
import sys
from pathlib import Path

import keras
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy import ndimage, special

from tools.book.definitions import definitions
from tools.book.files import ROOT
from tools.make.data import confusions, fit_temperature
from tools.make.doodle_sample import ROWS, SAMPLE, load_bitmaps

OUTPUT = ROOT / "book" / "figures" / "draw-doodle" / "network.safetensors"
STROKES = Path(__file__).with_name("doodle_strokes.json")
NAMES = definitions("22")["NAMES"]
FILTERS = (16, 32, 64)
EPOCHS, BATCH, SEED, PEAK = 20, 100, 0, 0.01
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # parse.js's
DATA = ("trained on drawings of The Quick, Draw! Dataset, made available by Google, Inc. under "
        "CC BY 4.0: https://github.com/googlecreativelab/quickdraw-dataset")


# ---- The drawings ------------------------------------------------------------------------------

def load_drawings(path=SAMPLE):
    """Return {"train", "choose", "test"}: bytes (N, 28, 28), ink 255, and labels (N,)."""
    bitmaps = load_bitmaps(path)
    return {part: (bitmaps[:, some].reshape(-1, 28, 28),
                   np.repeat(np.arange(10), some.stop - some.start))
            for part, some in ROWS.items()}


# ---- Training ----------------------------------------------------------------------------------

def distort(x, rng):
    """Return drawings (N, 28, 28) in 0..1 as other hands could have drawn them, in their box."""
    n = len(x)

    def draw(spread, base=0.0):
        return base + rng.normal(0, spread, n).clip(-2 * spread, 2 * spread)

    angle, shear, stretch = draw(0.1), draw(0.1), np.exp(draw(0.1))
    mirror = rng.choice([-1, 1], n)
    forth = np.array([[np.cos(angle) * mirror, shear - np.sin(angle)],
                      [np.sin(angle) * mirror, np.cos(angle) * stretch]]).transpose(2, 0, 1)
    place = np.mgrid[:28, :28].reshape(2, -1)[::-1] - 13.5  # x, y of each pixel
    moved = forth @ place  # (N, 2, 784)
    ink = (x.reshape(n, 1, -1) > 0.5)
    low = np.where(ink, moved, np.inf).min(axis=2)
    high = np.where(ink, moved, -np.inf).max(axis=2)
    side = (np.where(ink, place, -np.inf).max(axis=2) - np.where(ink, place, np.inf).min(axis=2))
    shrink = (high - low).max(axis=1) / side.max(axis=1)  # back to the box it had
    source = np.linalg.inv(forth) @ (place * shrink[:, None, None] + ((low + high) / 2)[..., None])
    columns, rows = source.transpose(1, 0, 2) + 13.5
    at = np.broadcast_arrays(np.arange(n)[:, None], rows, columns)
    read = ndimage.map_coordinates(x, at, order=1, mode="grid-constant", prefilter=False)
    return read.reshape(x.shape).astype(np.float32)


def network(normalised):
    """Return the model: logits (N, 10) from images (N, 28, 28, 1) in 0..1, ink 1."""
    layers = []
    for n, filters in enumerate(FILTERS, start=1):
        layers += [keras.layers.Conv2D(filters, 3, padding="same", use_bias=not normalised,
                                       activation=None if normalised else "relu", name=f"conv{n}")]
        if normalised:
            layers += [keras.layers.BatchNormalization(name=f"norm{n}"), keras.layers.ReLU()]
        layers += [keras.layers.MaxPooling2D(2)]
    return keras.Sequential([keras.Input((28, 28, 1)), *layers, keras.layers.Flatten(),
                             keras.layers.Dense(10, name="dense")])


def train(x, y):
    """Return the model with normalisation, trained on bytes (N, 28, 28) and labels (N,)."""
    keras.utils.set_random_seed(SEED)
    rng, model = np.random.default_rng(SEED), network(normalised=True)
    x = x / np.float32(255)
    steps = EPOCHS * (len(x) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(PEAK / 20, steps, warmup_target=PEAK,
                                                  warmup_steps=steps // 10)
    model.compile(keras.optimizers.Adam(rate),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=["accuracy"])
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        fit = model.fit(distort(x[order], rng)[..., None], y[order], batch_size=BATCH, verbose=0,
                        shuffle=False)
        print(f"epoch {epoch + 1} of {EPOCHS}: loss {fit.history['loss'][0]:.4f}", flush=True)
    return model


def fold(model):
    """Return the same network without normalisation: each one is part of its convolution."""
    plain = network(normalised=False)
    for n in range(1, len(FILTERS) + 1):
        norm = model.get_layer(f"norm{n}")
        gamma, beta, mean, variance = norm.get_weights()
        factor = gamma / np.sqrt(variance + norm.epsilon)
        [kernel] = model.get_layer(f"conv{n}").get_weights()
        plain.get_layer(f"conv{n}").set_weights([kernel * factor, beta - mean * factor])
    plain.get_layer("dense").set_weights(model.get_layer("dense").get_weights())
    return plain


# ---- Integers ----------------------------------------------------------------------------------

def run(net, bitmaps):
    """Return the logits (N, 10), real numbers, that the integers stand for."""
    q = (bitmaps[..., None].astype(int) - 128).astype(np.int8)
    logits = definitions("23")["run_integers"](net, q)
    *_, scale, zero = net["layers"][-1]
    return (logits.astype(float) - zero) * scale


def shares_of(logits, temperature):
    """Return the probabilities (N, 10) that the page shows."""
    return special.softmax(logits / temperature, axis=1)


# ---- The file ----------------------------------------------------------------------------------

def write_network(path, net, metadata):
    """Write an integer network; metadata: {name: what JSON can say}."""
    tensors, layers = {}, []
    for n, (kind, weights, bias, multiplier, scale, zero) in enumerate(net["layers"], 1):
        name = "dense" if kind == "Dense" else f"conv{n}"
        tensors |= {f"{name}/weights": weights, f"{name}/bias": bias,
                    f"{name}/multiplier": np.broadcast_to(multiplier, bias.shape).copy()}
        layers.append({"name": name, "kind": kind, "scale": float(scale), "zero": int(zero)})
    output = {"scale": layers[-1]["scale"], "zero": layers[-1]["zero"]}
    metadata = {"layers": layers, "output": output, **metadata}
    save_file(tensors, path, {name: value if isinstance(value, str) else as_text(value)
                              for name, value in metadata.items()})


def as_text(value):
    return json.dumps(value, separators=(",", ":"))


def read_network():
    """Return (the integer network, {name: value} of its metadata)."""
    net, words = definitions("23")["load_integers"](OUTPUT)
    return net, {name: text if name in ("data", "licence") else json.loads(text)
                 for name, text in words.items()}


def read_samples():
    """Return the book's own doodles as the page's address has them: {name: text}."""
    samples = json.loads(STROKES.read_text(encoding="utf-8"))
    assert list(samples) == NAMES
    return {name: ".".join("".join(LETTERS[n >> 6] + LETTERS[n & 63] for point in stroke
                                   for n in point) for stroke in strokes)
            for name, strokes in samples.items()}


def main():
    if sys.argv[1:] not in ([], ["check"], ["samples"]):
        sys.exit(__doc__)
    if sys.argv[1:] == ["samples"]:
        with safe_open(OUTPUT, framework="numpy") as file:
            metadata = file.metadata() | {"samples": as_text(read_samples())}
        return save_file(load_file(OUTPUT), OUTPUT, metadata)
    try:
        drawings = load_drawings()
    except FileNotFoundError as error:
        sys.exit(str(error))
    if sys.argv[1:] != ["check"]:
        export(fold(train(*drawings["train"])), drawings)
    report(drawings)


def export(model, drawings):
    """Make integers of a model without normalisation, and write them with what they do."""
    (x, _), (x_choose, y_choose), (x_test, y_test) = drawings.values()
    net = definitions("23")["integer_network"](model, x[::16, ..., None] / np.float32(255))
    temperature = fit_temperature(run(net, x_choose), y_choose)
    confusion = confusions(run(net, x_test), y_test)
    write_network(OUTPUT, net, {
        "names": NAMES, "temperature": round(float(temperature), 4),
        "accuracy": float(np.trace(confusion) / len(y_test)), "confusion": confusion,
        "samples": read_samples(), "data": DATA, "licence": "CC BY 4.0"})


def report(drawings):
    """Print what the file that is there does with the drawings."""
    net, metadata = read_network()
    weights = sum(w.size + b.size for _, w, b, *_ in net["layers"])
    print(f"{weights:,} weights, {OUTPUT.stat().st_size:,} bytes, "
          f"temperature {metadata['temperature']}, stored accuracy {metadata['accuracy']:.2%}")
    for part in ("choose", "test"):
        x, y = drawings[part]
        shares = shares_of(run(net, x), metadata["temperature"])
        print(f"{part}: {np.mean(shares.argmax(axis=1) == y):.2%} of {len(y):,} right; "
              f"it says {shares.max(axis=1).mean():.2%}")


if __name__ == "__main__":
    main()
