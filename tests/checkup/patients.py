"""Networks and data for checkup: PATIENTS have one planted bug each, SOUND ones have none.

A patient is (the checks that must flag it, build, data); a sound network (build, data, the checks that may warn).
All bugs of the checklist that checkup replaces are here, under their names. Given up with it, because the book is about
networks for images: tokens ("words, two softmax layers"), several inputs in a dict, and the run on shuffled labels
("validation in training": leakage finds these copies). "bytes, no model" is "bytes": a network is always there.
Given up for a file that can be read: a cross-entropy of probabilities as a second metric of logits (metrics called accuracy are
asked); a ReLU before the softmax, and a binary loss of a softmax (both learn); a hidden layer that only AdamW's decay moves (to
tell it from learning one must change the optimizer); a layer with some dead units (if all are dead, one batch fails).
"""

import functools

import keras
import numpy as np
import tensorflow as tf
from conftest import ROOT

L, K = keras.layers, keras.ops
Sparse, Categorical, Binary = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy,
                               keras.losses.BinaryCrossentropy)


# --- data: (x, y, x_test, y_test) ------------------------------------------------------------------------------------------

@functools.cache
def digits():
    """MNIST's first 600 and 300 images in 0..1, (N, 28, 28, 1), and their labels."""
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        return (file["x_train"][:600, :, :, None] / np.float32(255), file["y_train"][:600],
                file["x_test"][:300, :, :, None] / np.float32(255), file["y_test"][:300])


@functools.cache
def clouds(K=4, features=12, rows=600):
    """K clouds of points; two thirds are for training."""
    rng = np.random.default_rng(0)
    centres, y = rng.normal(0, 1.5, (K, features)), rng.integers(0, K, rows)
    x, cut = (centres[y] + rng.normal(size=(rows, features))).astype(np.float32), 2 * rows // 3
    return x[:cut], y[:cut], x[cut:], y[cut:]


@functools.cache
def waves():
    """1-D signals of 48 numbers: 3 frequencies, any phase, noise. Neighbours tell little."""
    rng = np.random.default_rng(0)
    y, t = rng.integers(0, 3, 900), np.arange(48)
    x = np.sin(0.25 * (1 + y[:, None]) * t + rng.uniform(0, 6.28, (900, 1))) + rng.normal(0, 0.3, (900, 48))
    x = x[..., None].astype(np.float32)
    return x[:600], y[:600], x[600:], y[600:]


@functools.cache
def photographs():
    """Small pictures in colour: four kinds of waves in both directions, in bytes."""
    rng = np.random.default_rng(0)
    y, (i, j) = rng.integers(0, 4, 450), np.mgrid[:16, :16]
    angle = (y[:, None, None] * np.pi / 4)
    wave = np.sin((np.cos(angle) * i + np.sin(angle) * j) * 0.9 + rng.uniform(0, 2, (450, 1, 1)))
    x = 128 + 60 * wave[..., None] * [1, 0.7, 0.4] + rng.normal(0, 15, (450, 16, 16, 3)) + rng.normal(0, 10, (450, 1, 1, 3))
    x = x.clip(0, 255).astype(np.uint8)
    return x[:300], y[:300], x[300:], y[300:]


def change(data, f=lambda x: x, g=lambda y: y):
    """Return a function: the data with f on both inputs and g on both labels."""
    def changed():
        x, y, u, v = data()
        return f(x), g(y), f(u), g(v)
    return changed


def one_hot(y, K=10):
    return np.eye(K, dtype=np.float32)[y]


def binary():
    """Digits below 5, and the others."""
    x, y, u, v = digits()
    return x, (y < 5).astype(int), u, (v < 5).astype(int)


def rare():
    """One row in 100 is of the second class."""
    x, y, u, v = clouds(2, 12, 9000)
    keep, keep_test = (np.flatnonzero((part == 0) | (np.cumsum(part == 1) % 100 == 1)) for part in (y, v))
    return x[keep], y[keep], u[keep_test], v[keep_test]


def labels_of(y):
    return np.stack([y % 2, y > 4, y % 3 == 0], axis=1).astype(np.float32)


# --- networks ------------------------------------------------------------------------------------------------------------

def stack(*layers, shape=(28, 28, 1), loss=None, optimizer="adam", metrics=None):
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer, loss or Sparse(from_logits=True), metrics=metrics)
    return model


def dense(*middle, units=24, activation="relu", last=None, K=10, loss=None, optimizer="adam", metrics=None, **options):
    """A small network for digits: a hidden layer, `middle`, the scores."""
    return stack(L.Flatten(), L.Dense(units, activation=activation, **options), *middle, last or L.Dense(K),
                 loss=loss, optimizer=optimizer, metrics=metrics)


def points(*layers, features=12, **options):
    return stack(*layers, shape=(features,), **options)


def convolutional(**options):
    return stack(L.Conv2D(6, 5, strides=2, activation="relu"), L.MaxPooling2D(2), L.Conv2D(12, 3, activation="relu"), L.Flatten(),
                 L.Dense(32, activation="relu"), L.Dropout(0.3), L.Dense(10), **options)


def with_weights(model, draw):
    model.set_weights([draw(w.shape) for w in model.get_weights()])
    return model


def frozen(index):
    model = convolutional()
    model.layers[index].trainable = False
    return model


def std1():
    return keras.initializers.TruncatedNormal(stddev=1.0)


def compiled(model, loss=None, optimizer="adam"):
    model.compile(optimizer, loss or Sparse(from_logits=True))
    return model


def functional(middle, trainable=True):
    """A small functional network for digits, with `middle` before the last layer."""
    inputs = keras.Input((28, 28, 1))
    model = keras.Model(inputs, L.Dense(10)(middle(L.Dense(24, activation="relu")(L.Flatten()(inputs)))))
    model.trainable = trainable
    return compiled(model)


class Planted(keras.Model):
    """A subclassed network for digits; `how` names its bug."""

    def __init__(self, how, loss=None, optimizer="adam"):
        super().__init__()
        self.how, self.flat, self.hidden, self.last = how, L.Flatten(), L.Dense(24), L.Dense(10)
        self.norm = L.BatchNormalization() if "batch norm" in how else None
        self.drop = L.Dropout(0.3) if how == "dropout off" else None
        self.compile(optimizer, loss or Sparse(from_logits=True))

    def call(self, x, training=False):
        h = self.hidden(self.flat(x / 2 if self.how == "scaled in training" and training else x))
        if self.how in ("batch norm on", "batch norm off"):
            h = self.norm(h, training=self.how == "batch norm on")
        h = h if self.how == "linear" else tf.nn.relu(h)
        if self.how == "first row only":
            h = h[:1] + 0 * h
        if self.how == "cut off":
            h = tf.stop_gradient(h)
        if self.how == "dropout on":
            h = tf.nn.dropout(h, 0.25)
        if self.how == "dropout off":
            h = self.drop(h, training=False)
        z = self.last(h)
        return {"sigmoid": tf.sigmoid, "softmax": tf.nn.softmax, "softmax twice": lambda a: tf.nn.softmax(tf.nn.softmax(a)),
                "wrong axis": lambda a: tf.nn.softmax(a, axis=0), "blind": lambda a: a - a + self.last.bias}.get(self.how, tf.identity)(z)


def own_loss(labels, scores):  # a loss of one's own, which takes logits
    return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(tf.reshape(labels, [-1]), tf.int32), scores)


PROBABILITIES = "sparse_categorical_crossentropy"
NETWORKS = {  # on digits: name: (checks, build)
    "std-1 initialisers": ("start", lambda: dense(last=L.Dense(10, kernel_initializer=std1()), kernel_initializer=std1())),
    "std-1 weights": ("start", lambda: with_weights(dense(), np.random.default_rng(0).standard_normal)),
    "std-1 and softmax": ("start", lambda: dense(last=L.Dense(10, activation="softmax", kernel_initializer=std1()),
                                                 kernel_initializer=std1(), loss=PROBABILITIES)),
    "NaN weights": ("start", lambda: with_weights(dense(), lambda s: np.full(s, np.nan))),
    "all zeros": ("learning, one batch", lambda: with_weights(dense(), np.zeros)),
    "zeros in a hidden layer": ("learning, one batch", lambda: dense(kernel_initializer="zeros")),
    "equal units": ("one batch", lambda: dense(last=L.Dense(10, kernel_initializer="ones"), activation="tanh",
                                              kernel_initializer=keras.initializers.Constant(0.001))),
    "dead ReLUs": ("one batch, blank input", lambda: dense(bias_initializer=keras.initializers.Constant(-50.0))),
    "a penalty that forbids learning": ("one batch", lambda: dense(
        last=L.Dense(10, kernel_regularizer=keras.regularizers.L2(10.0)), kernel_regularizer=keras.regularizers.L2(10.0))),
    "a frozen convolution": ("learning", lambda: frozen(0)),
    "a frozen dense layer": ("learning", lambda: frozen(4)),
    "all frozen": ("learning", lambda: functional(lambda h: h, trainable=False)),
    "gradient cut off": ("learning", lambda: Planted("cut off")),
    "softmax and from_logits": ("start", lambda: stack(L.Flatten(), L.Dense(10, activation="softmax"))),
    "softmax in code and from_logits": ("start, one batch", lambda: Planted("softmax")),
    "softmax and a loss of one's own": ("start", lambda: Planted("softmax", loss=own_loss)),
    "logits and a string": ("start", lambda: stack(L.Flatten(), L.Dense(10), loss=PROBABILITIES)),
    "two softmax layers": ("one batch", lambda: dense(L.Dense(10, activation="softmax"), last=L.Softmax(), loss=PROBABILITIES)),
    "two softmaxes in code": ("one batch", lambda: Planted("softmax twice", loss=PROBABILITIES)),
    "sigmoid, then softmax": ("one batch", lambda: dense(L.Dense(10, activation="sigmoid"), last=L.Softmax(), loss=PROBABILITIES)),
    "tanh, then softmax": ("one batch", lambda: dense(L.Dense(10, activation="tanh"), last=L.Softmax(), loss=PROBABILITIES)),
    "sigmoid layer": ("start", lambda: dense(last=L.Dense(10, activation="sigmoid"))),
    "sigmoid layer, probabilities": ("start", lambda: dense(last=L.Dense(10, activation="sigmoid"), loss=PROBABILITIES)),
    "sigmoid in code": ("start", lambda: Planted("sigmoid")),
    "softmax over the batch": ("start, calm", lambda: Planted("wrong axis", loss=PROBABILITIES)),
    "ReLU at the end": ("nonlinear", lambda: dense(last=L.Dense(10, activation="relu"))),
    "ReLU6 at the end": ("nonlinear", lambda: dense(last=L.Dense(10, activation="relu6"))),
    "softplus at the end": ("nonlinear", lambda: dense(last=L.Dense(10, activation="softplus"))),
    "GELU at the end": ("nonlinear", lambda: dense(last=L.Dense(10, activation="gelu"))),
    "tanh at the end": ("nonlinear", lambda: dense(last=L.Dense(10, activation="tanh"))),
    "dropout at the end": ("calm", lambda: dense(L.Dense(10), last=L.Dropout(0.3))),
    "one output, categorical loss": ("start", lambda: dense(last=L.Dense(1, activation="sigmoid"), loss="categorical_crossentropy")),
    "one logit, categorical loss": ("start", lambda: dense(last=L.Dense(1))),
    "ten outputs, binary loss": ("start", lambda: dense(last=L.Dense(10, activation="softmax"), loss="binary_crossentropy")),
    "divergence of logits": ("start", lambda: dense(loss="kl_divergence")),
    "Poisson's loss": ("start", lambda: dense(last=L.Dense(10, activation="softmax"), loss="poisson")),
    "dropout with training=True": ("calm", lambda: functional(lambda h: L.Dropout(0.4)(h, training=True))),
    "dropout in code": ("calm", lambda: Planted("dropout on")),
    "dropout that never drops": ("calm", lambda: Planted("dropout off")),
    "a share to keep as rate": ("calm", lambda: dense(L.Dropout(0.75))),
    "batch norm always on": ("calm", lambda: Planted("batch norm on")),
    "batch norm never on": ("calm", lambda: Planted("batch norm off")),
    "batch norm without memory": ("calm", lambda: dense(L.BatchNormalization(momentum=0.0))),
    "batch norm with training=True": ("calm", lambda: functional(lambda h: L.BatchNormalization()(h, training=True))),
    "dropout 0.99": ("calm", lambda: dense(L.Dropout(0.99))),
    "another library's momentum": ("calm", lambda: dense(L.BatchNormalization(momentum=0.1))),
    "the first row for all": ("calm", lambda: Planted("first row only")),
    "scaled in training only": ("calm", lambda: Planted("scaled in training")),
    "no activation": ("nonlinear", lambda: dense(activation=None)),
    "no activation, softmax": ("nonlinear", lambda: dense(L.Dropout(0.2), activation=None, last=L.Dense(10, activation="softmax"),
                                                          loss=PROBABILITIES)),
    "linear in code": ("nonlinear", lambda: Planted("linear")),
    "linear with pooling": ("nonlinear", lambda: stack(
        L.Conv2D(4, 5, strides=2), L.BatchNormalization(), L.AveragePooling2D(2), L.Flatten(), L.Dense(10))),
    "one linear layer of three": ("nonlinear", lambda: dense(L.Dense(32), L.Dropout(0.2))),
    "two convolutions, no activation": ("nonlinear", lambda: stack(L.Conv2D(8, 3, strides=2), L.Conv2D(8, 3, activation="relu"),
                                                                   L.Flatten(), L.Dense(10))),
    "Adam's rate 10": ("one batch", lambda: dense(optimizer=keras.optimizers.Adam(10.0))),
    "SGD's rate 10": ("one batch", lambda: dense(optimizer=keras.optimizers.SGD(10.0))),
    "SGD's rate 1e-7": ("one batch, update size", lambda: dense(optimizer=keras.optimizers.SGD(1e-7))),
    "Adam's rate 1e-7": ("one batch, update size", lambda: dense(optimizer=keras.optimizers.Adam(1e-7))),
    "SGD's rate 0": ("one batch, update size", lambda: dense(optimizer=keras.optimizers.SGD(0.0))),
    "twelve outputs": ("labels", lambda: dense(K=12)),
    "five outputs": ("labels", lambda: dense(K=5)),
    "scaled inside too": ("scale", lambda: stack(L.Rescaling(1 / 255), L.Flatten(), L.Dense(10))),
    "-1..1 of 0..1 of bytes": ("scale", lambda: stack(L.Rescaling(1 / 127.5, -1), L.Rescaling(1 / 127.5, -1), L.Flatten(), L.Dense(10))),
}
IN_TWO = {  # on binary(): name: (checks, build)
    "softmax of one": ("one batch", lambda: dense(last=L.Dense(1, activation="softmax"), loss="binary_crossentropy")),
    "one ReLU": ("nonlinear", lambda: dense(last=L.Dense(1, activation="relu"), loss="binary_crossentropy")),
    "one ReLU, logits": ("nonlinear", lambda: dense(last=L.Dense(1, activation="relu"), loss=Binary(from_logits=True))),
    "one logit, probabilities": ("start", lambda: dense(last=L.Dense(1), loss="binary_crossentropy")),
    "one sigmoid, logits": ("start", lambda: dense(last=L.Dense(1, activation="sigmoid"), loss=Binary(from_logits=True))),
    "sigmoid of a ReLU": ("one batch", lambda: dense(L.Dense(1, activation="relu"), last=L.Activation("sigmoid"), loss="binary_crossentropy")),
    "two sigmoids in a row": ("one batch", lambda: dense(L.Dense(1, activation="sigmoid"), last=L.Activation("sigmoid"),
                                                     loss="binary_crossentropy")),
    "half a logit is no half": ("start", lambda: dense(last=L.Dense(1), loss=Binary(from_logits=True), metrics=["accuracy"])),
    "two softmaxes of two": ("one batch", lambda: dense(L.Dense(2, activation="softmax"), last=L.Softmax(), loss=PROBABILITIES)),
}


def rolled(y):
    return np.roll(y, 1)


def every(n, size=600):
    return (np.arange(size) % n == 0)


def whole(x):
    """Return x / 255 as NumPy writes it into an array of bytes."""
    x = (x * 255).astype(np.uint8)
    x[:] = x / 255
    return x


def noisy(x, by, seed=0):
    return x + np.random.default_rng(seed).normal(0, by, x.shape).astype(np.float32)


SICK_DATA = {  # of digits, for dense(): name: (checks, (x, y, u, v) -> the same)
    "bytes": ("scale, start", lambda x, y, u, v: (x * 255, y, u * 255, v)),
    "bytes as uint8": ("scale", lambda x, y, u, v: ((x * 255).astype(np.uint8), y, (u * 255).astype(np.uint8), v)),
    "divided twice": ("scale", lambda x, y, u, v: (x / 255, y, u / 255, v)),
    "divided into integers": ("scale", lambda x, y, u, v: (whole(x), y, whole(u), v)),
    "divided into integers, then floats": ("scale", lambda x, y, u, v: (whole(x).astype("f4"), y, whole(u).astype("f4"), v)),
    "NaN": ("scale", lambda x, y, u, v: (np.where(np.arange(600)[:, None, None, None] == 5, np.nan, x), y, u, v)),
    "NaN, one": ("scale", lambda x, y, u, v: (np.where(np.arange(x.size).reshape(x.shape) == 5, np.nan, x), y, u, v)),
    "black": ("scale", lambda x, y, u, v: (0 * x, y, u, v)),
    "some black": ("scale", lambda x, y, u, v: (x * ~every(4)[:, None, None, None], y, u, v)),
    "nearly alike": ("scale", lambda x, y, u, v: (x / 400 + 1, y, u / 400 + 1, v)),
    "NaN in the test set": ("match", lambda x, y, u, v: (x, y, np.where(np.arange(u.size).reshape(u.shape) == 5, np.nan, u), v)),
    "infinity in the test set": ("match", lambda x, y, u, v: (x, y, np.where(np.arange(u.size).reshape(u.shape) == 5, np.inf, u), v)),
    "test in bytes": ("match", lambda x, y, u, v: (x, y, u * 255, v)),
    "test inverted": ("match", lambda x, y, u, v: (x, y, 1 - u, v)),
    "test of another shape": ("match", lambda x, y, u, v: (x, y, u[:, 2:], v)),
    "test twice as bright": ("match", lambda x, y, u, v: (x, y, 2 * u, v)),
    "test in -1..1": ("match", lambda x, y, u, v: (x, y, 2 * u - 1, v)),
    "training labels shuffled": ("pairs", lambda x, y, u, v: (x, np.random.default_rng(0).permutation(y), u, v)),
    "test labels shuffled": ("pairs", lambda x, y, u, v: (x, y, u, np.random.default_rng(0).permutation(v))),
    "all slid by one": ("pairs", lambda x, y, u, v: (x, rolled(y), u, rolled(v))),
    "half of the training labels shuffled": ("pairs", lambda x, y, u, v: (x, np.where(np.arange(600) % 10 < 6, rolled(y), y), u, v)),
    "test images transposed": ("pairs", lambda x, y, u, v: (x, y, u.transpose(0, 2, 1, 3), v)),
    "test labels renumbered": ("pairs", lambda x, y, u, v: (x, y, u, (v + 1) % 10)),
    "inputs zipped with other labels": ("pairs", lambda x, y, u, v: (x[np.random.default_rng(1).permutation(600)], y, u, v)),
    "counted from 1, a spare output": ("labels", lambda x, y, u, v: (x, y + (y == 0), u, v + (v == 0))),
    "one class missing in the test set": ("labels", lambda x, y, u, v: (x, y, u[v != 3], v[v != 3])),
    "sorted": ("labels", lambda x, y, u, v: (x[np.argsort(y)], np.sort(y), u, v)),
    "sorted downwards": ("labels", lambda x, y, u, v: (x[np.argsort(y)[::-1]], np.sort(y)[::-1], u, v)),
    "sorted, in another order": ("labels", lambda x, y, u, v: (x[np.argsort(y * 7 % 10)], y[np.argsort(y * 7 % 10)], u, v)),
    "counted from 1": ("labels", lambda x, y, u, v: (x, y + 1, u, v + 1)),
    "below 0": ("labels", lambda x, y, u, v: (x, y.astype(int) - 1, u, v.astype(int) - 1)),
    "one label": ("labels", lambda x, y, u, v: (x, 0 * y, u, v)),
    "an unknown label": ("labels", lambda x, y, u, v: (x, np.where(y == 7, 1, y), u, v)),
    "copies": ("leakage", lambda x, y, u, v: (np.concatenate([x, u[10:15]]), np.append(y, v[10:15]), u, v)),
    "validation in training": ("leakage", lambda x, y, u, v: (np.concatenate([x, u]), np.append(y, v), u, v)),
    "copies in other numbers": ("leakage", lambda x, y, u, v: (np.concatenate([x, u]).astype(np.float64), np.append(y, v), u, v)),
    "copies with noise": ("leakage", lambda x, y, u, v: (x, y, np.concatenate([u[:250], noisy(x[:50], 0.05)]), np.append(v[:250], y[:50]))),
    "copies shifted by a pixel": ("leakage", lambda x, y, u, v: (
        x, y, np.concatenate([u[:270], np.roll(x[:30], (1, -1), (1, 2))]), np.append(v[:270], y[:30]))),
    "mirrored copies": ("leakage", lambda x, y, u, v: (
        x, y, np.concatenate([u[:250], x[:50, :, ::-1]]), np.append(v[:250], y[:50]))),
    "augmented, then split": ("leakage", lambda x, y, u, v: (
        np.concatenate([x, noisy(x, 0.04), noisy(u, 0.04)]), np.concatenate([y, y, v]), u, v)),
}


def sick(f):
    return lambda: f(*digits())


PATIENTS = {name: (checks.split(", "), build, digits) for name, (checks, build) in NETWORKS.items()}
PATIENTS |= {name: (checks.split(", "), build, binary) for name, (checks, build) in IN_TWO.items()}
PATIENTS |= {name: (checks.split(", "), dense, sick(f)) for name, (checks, f) in SICK_DATA.items()}
PATIENTS |= {
    "channels first": (["scale"], lambda: stack(L.Flatten(), L.Dense(10), shape=(1, 28, 28)),
                       change(digits, lambda x: np.moveaxis(x, 3, 1))),
    "batch norm, momentum 1": (["calm"], lambda: dense(L.BatchNormalization(momentum=1.0)), digits),
    "squared error": (["start"], lambda: dense(loss="mse"), change(digits, g=one_hot)),
    "logits, one-hot, probabilities": (["start"], lambda: dense(loss="categorical_crossentropy"), change(digits, g=one_hot)),
    "binary accuracy of ten": (["start"], lambda: dense(loss=Categorical(from_logits=True), metrics=["binary_accuracy"]),
                               change(digits, g=one_hot)),
    "labels -1 and 1": (["labels"], lambda: points(L.Dense(8, activation="relu"), L.Dense(2), loss=Sparse(from_logits=True)),
                        change(lambda: clouds(2), g=lambda y: 2 * y - 1)),
    "one-hot for a sparse loss": (["start"], dense, change(digits, g=one_hot)),
}

# What the report must say: else another finding could stand in for the one that the bug was planted for.
REASONS = {"one label": "every training label", "an unknown label": "never occur", "NaN weights": "NaN", "squared error": "for numbers",
           "dropout in code": "two passes", "a share to keep as rate": "drops 75%", "all frozen": "no weight is trainable",
           "dead ReLUs": "the same scores", "batch norm with training=True": "not in test mode", "mirrored copies": "mirrored"}
assert set(REASONS) < set(PATIENTS)


# --- sound networks ---------------------------------------------------------------------------------------------------------

def separable():
    return stack(L.SeparableConv2D(16, 3, strides=2, activation="relu"), L.SeparableConv2D(32, 3, strides=2, activation="relu"),
                 L.GlobalAveragePooling2D(), L.Dense(10), optimizer=keras.optimizers.Adam(0.005))


def inverted_residual():
    x = inputs = keras.Input((28, 28, 1))
    x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = L.ReLU(6)(L.BatchNormalization()(x))
    for _ in range(2):
        h = L.ReLU(6)(L.BatchNormalization()(L.Conv2D(24, 1, use_bias=False)(x)))
        h = L.ReLU(6)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(h)))
        x = L.Add()([x, L.BatchNormalization()(L.Conv2D(8, 1, use_bias=False)(h))])
    return compiled(keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(x))), optimizer=keras.optimizers.Adam(0.005))


class Positions(L.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(1, *shape[1:]), initializer="random_normal", name="table")

    def call(self, x):
        return x + self.table


def vision_transformer():
    inputs = keras.Input((28, 28, 1))
    x = Positions()(L.Reshape((16, 24))(L.Conv2D(24, 7, strides=7)(inputs)))
    h = L.LayerNormalization()(x)
    x = L.Add()([x, L.MultiHeadAttention(2, 12)(h, h)])
    h = L.Dense(48, activation="gelu")(L.LayerNormalization()(x))
    x = L.Add()([x, L.Dense(24)(h)])
    return compiled(keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling1D()(L.LayerNormalization()(x)))))


def deep_residual():
    inputs = keras.Input((28, 28, 1))
    x = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    for _ in range(3):
        h = L.Conv2D(8, 3, padding="same", use_bias=False)(L.ReLU()(L.BatchNormalization()(x)))
        x = L.Add()([x, L.Conv2D(8, 3, padding="same")(L.ReLU()(L.BatchNormalization()(h)))])
    return compiled(keras.Model(inputs, L.Dense(10)(L.GlobalAveragePooling2D()(L.ReLU()(x)))))


def transfer():
    """A frozen base, whose batch norm stays in test mode, and a new head."""
    base = keras.Sequential([keras.Input((28, 28, 1)), L.Conv2D(16, 5, strides=2, activation="relu"), L.BatchNormalization(),
                             L.Conv2D(32, 3, strides=2, activation="relu"), L.GlobalAveragePooling2D()])
    base.trainable = False
    inputs = keras.Input((28, 28, 1))
    h = L.Dense(64, activation="relu")(base(inputs, training=False))
    return compiled(keras.Model(inputs, L.Dense(10)(L.Dropout(0.2)(h))), optimizer=keras.optimizers.Adam(0.01))


def focal(y, z):
    """The focal loss of logits."""
    p = tf.nn.softmax(z)
    p = tf.gather(p, tf.cast(tf.reshape(y, [-1]), tf.int32), batch_dims=1)
    return -((1 - p) ** 2) * tf.math.log(p + 1e-7)


def sigmoid_focal(y, z):
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(y, z) * (1 - tf.exp(-tf.nn.sigmoid_cross_entropy_with_logits(y, z))), 1)


class Own(keras.Model):
    """Subclassed, not to be cloned: its arguments are layers. It scales bytes and drops by itself."""

    def __init__(self, hidden, last, scale=1 / 255):
        super().__init__()
        self.flat, self.hidden, self.last, self.scale = L.Flatten(), hidden, last, scale

    def call(self, x, training=False):
        h = self.hidden(self.flat(tf.cast(x, tf.float32) * self.scale))
        return self.last(tf.nn.dropout(h, 0.2) if training else h)


def mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return stack(L.Conv2D(8, 5, strides=2, activation="relu"), L.Flatten(), L.Dense(10, dtype="float32"))
    finally:
        keras.config.set_dtype_policy("float32")


def normal():
    layer = L.Normalization(axis=None)
    layer.adapt(photographs()[0])
    return layer


def around_0(x):
    """Return bytes in colour as preprocess_input of VGG and ResNet does."""
    return x[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)


def small_images(*layers, shape=(16, 16, 3), **options):
    return stack(*layers, L.Conv2D(8, 3, strides=2, activation="relu"), L.Flatten(), L.Dense(4), shape=shape, **options)


def crossed():
    return stack(L.Conv2D(6, (5, 1), strides=(2, 1)), L.Conv2D(6, (1, 5), strides=(1, 2), activation="relu"),
                 L.Conv2D(12, 3, groups=3), L.Conv2D(12, 1, activation="relu"), L.Flatten(), L.Dense(10))


class Scale(L.Layer):
    """ConvNeXt's scale of a branch, which begins near 0."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(1e-6), name="scale")

    def call(self, x):
        return x * self.scale


def convnext():
    inputs = keras.Input((28, 28, 1))
    x = L.LayerNormalization()(L.Conv2D(16, 4, strides=4)(inputs))
    h = L.LayerNormalization()(L.DepthwiseConv2D(7, padding="same")(x))
    x = L.Add()([x, Scale()(L.Dense(16)(L.Dense(64, activation="gelu")(h)))])
    return compiled(keras.Model(inputs, L.Dense(10)(L.LayerNormalization()(L.GlobalAveragePooling2D()(x)))),
                    optimizer=keras.optimizers.AdamW(0.004, weight_decay=0.05))


def petals():
    """150 rows of four lengths in cm, to a tenth, like iris; a test row has a twin."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], 50))
    centres = np.array([[5, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3, 5.5, 2]])
    x = (centres[y] + rng.normal(0, [0.4, 0.3, 0.3, 0.2], (150, 4))).round(1).astype(np.float32)
    x[100] = x[7]
    return x[:100], y[:100], x[100:], y[100:]


def heavy_tails():
    """Clouds through exp, standardised: a few numbers are very large."""
    x, y, u, v = clouds(3, 12, 900)
    x, u = np.exp(0.7 * x), np.exp(0.7 * u)
    return (x - x.mean(axis=0)) / x.std(axis=0), y, (u - x.mean(axis=0)) / x.std(axis=0), v


ADAM, SGD = keras.optimizers.Adam, keras.optimizers.SGD
SOUND = {  # name: (build, data, checks that may warn)
    "convolutional": (convolutional, digits, ""),
    "separable, global average": (separable, digits, "one batch, blank input"),
    "inverted residual": (inverted_residual, digits, ""),
    "vision transformer": (vision_transformer, digits, ""),
    "LSTM": (lambda: stack(L.Reshape((12, 4)), L.LSTM(16), L.Dense(3), shape=(48, 1), optimizer=ADAM(0.01)), waves, "one batch, blank input"),
    "1-D convolutions": (lambda: stack(L.Conv1D(16, 7, activation="relu"), L.MaxPooling1D(2), L.Conv1D(16, 5, activation="relu"),
                                       L.GlobalMaxPooling1D(), L.Dense(3), shape=(48, 1)), waves, ""),
    "augmentation": (lambda: stack(L.RandomTranslation(0.1, 0.1), L.RandomRotation(0.05), L.Conv2D(8, 5, strides=2, activation="relu"),
                                   L.Flatten(), L.Dense(10)), digits, ""),
    "group norm, smoothing, AdamW": (lambda: stack(
        L.Conv2D(8, 5, strides=2), L.GroupNormalization(4), L.ReLU(), L.Flatten(), L.Dense(10), loss=Categorical(
            from_logits=True, label_smoothing=0.1), optimizer="adamw"), change(digits, g=one_hot), ""),
    "focal loss": (lambda: dense(loss=focal), digits, ""),
    "focal loss of sigmoids": (lambda: dense(loss=sigmoid_focal), change(digits, g=one_hot), ""),
    "batch norm on bytes": (lambda: small_images(L.Rescaling(1.0), L.BatchNormalization()), photographs, ""),
    "scales inside": (lambda: small_images(L.Rescaling(1 / 255)), photographs, ""),
    "normalises inside": (lambda: small_images(normal()), photographs, ""),
    "subclassed, bytes": (lambda: compiled(Own(L.Dense(24, activation="relu"), L.Dense(10))), change(
        digits, lambda x: (x * 255).astype(np.uint8)), ""),
    "rare class": (lambda: points(L.Dense(16, activation="relu"), L.Dense(1, activation="sigmoid"), loss="binary_crossentropy",
                                  optimizer=ADAM(0.01)), rare, ""),
    "head of zeros": (lambda: dense(last=L.Dense(10, kernel_initializer="zeros")), digits, ""),
    "frozen base": (transfer, digits, "learning, one batch, blank input"),
    "one sigmoid": (lambda: dense(last=L.Dense(1, activation="sigmoid"), loss="binary_crossentropy", metrics=["accuracy"]), binary, ""),
    "one logit": (lambda: dense(last=L.Dense(1), loss=Binary(from_logits=True), metrics=[
        keras.metrics.BinaryAccuracy(threshold=0.0)]), binary, ""),
    "two softmax outputs": (lambda: dense(last=L.Dense(2, activation="softmax"), loss=PROBABILITIES, metrics=["accuracy"]), binary, ""),
    "two sigmoids, one-hot": (lambda: dense(last=L.Dense(2, activation="sigmoid"), loss="binary_crossentropy"),
                              change(binary, g=lambda y: one_hot(y, 2)), ""),
    "softmax, one-hot": (lambda: dense(last=L.Dense(10, activation="softmax"), loss="categorical_crossentropy", metrics=["accuracy"]),
                         change(digits, g=one_hot), ""),
    "softmax, divergence": (lambda: dense(last=L.Dense(10, activation="softmax"), loss="kl_divergence"), change(digits, g=one_hot), ""),
    "softmax regression, SGD": (lambda: stack(L.Flatten(), L.Dense(10), optimizer=SGD(0.1)), digits, "one batch"),
    "softmax regression of points": (lambda: points(L.Dense(4), optimizer=SGD(0.1)), clouds, "one batch"),
    "hinge": (lambda: points(L.Dense(16, activation="relu"), L.Dense(1, activation="tanh"), loss="hinge", optimizer=ADAM(0.01)),
              change(lambda: clouds(2), g=lambda y: 2 * y - 1), "one batch"),
    "several labels": (lambda: dense(last=L.Dense(3, activation="sigmoid"), loss="binary_crossentropy", metrics=["binary_accuracy"]),
                       change(digits, g=labels_of), ""),
    "smoothed by hand": (lambda: dense(loss=Categorical(from_logits=True)), change(digits, g=lambda y: 0.9 * one_hot(y) + 0.01), ""),
    "mixed precision": (mixed_precision, digits, ""),
    "tanh, -1..1": (lambda: dense(activation="tanh", optimizer=SGD(0.05, momentum=0.9)), change(digits, lambda x: 2 * x - 1), ""),
    "no axis of channels": (lambda: stack(L.Flatten(), L.Dense(24, activation="relu"), L.Dense(10), shape=(28, 28)),
                            change(digits, lambda x: x[..., 0]), ""),
    "a small rate": (lambda: dense(optimizer=SGD(0.01)), digits, "one batch, blank input"),
    "cosine schedule": (lambda: dense(optimizer=ADAM(keras.optimizers.schedules.CosineDecay(0.0, 300, warmup_target=0.003, warmup_steps=60))),
                        digits, "one batch, blank input"),
    "average of weights": (lambda: dense(optimizer=ADAM(use_ema=True)), digits, ""),
    "clipped gradients": (lambda: dense(optimizer=ADAM(0.002, global_clipnorm=1.0)), digits, ""),
    "L2": (lambda: dense(kernel_regularizer=keras.regularizers.L2(1e-3)), digits, ""),
    "deep residual": (deep_residual, digits, ""),
    "layer norm": (lambda: stack(L.Flatten(), L.Dense(24), L.LayerNormalization(), L.Activation("gelu"), L.Dense(10)), digits, ""),
    "30 rows": (lambda: points(L.Dense(16, activation="relu"), L.Dense(2, activation="softmax"), loss=PROBABILITIES,
                               optimizer=ADAM(0.01)), lambda: clouds(2, 12, 45), "start"),
    "8 rows": (lambda: points(L.Dense(16, activation="relu"), L.Dense(1, activation="sigmoid"), loss="binary_crossentropy",
                              optimizer=ADAM(0.01)), lambda: clouds(2, 12, 12), ""),
    "bytes around 0": (lambda: stack(L.Conv2D(8, 3, strides=2, use_bias=False), L.BatchNormalization(), L.ReLU(), L.Flatten(), L.Dense(4),
                                     shape=(16, 16, 3)), change(photographs, around_0), ""),
    "bytes around 0, plain": (lambda: small_images(), change(photographs, around_0), "start"),
    "prior in the bias": (lambda: points(L.Dense(16, activation="relu"), L.Dense(1, bias_initializer=keras.initializers.Constant(-4.6)),
                                         loss=Binary(from_logits=True), optimizer=ADAM(0.005)), rare, ""),
    "long warm-up": (lambda: dense(optimizer=ADAM(keras.optimizers.schedules.CosineDecay(
        0.0, 20_000, warmup_target=0.001, warmup_steps=5000))), digits, "one batch, blank input"),
    "gradients gathered over 16": (lambda: dense(optimizer=ADAM(0.004, gradient_accumulation_steps=16)), digits, "one batch, blank input"),
    "top 5": (lambda: dense(last=L.Dense(10, activation="softmax"), loss=PROBABILITIES, metrics=[
        "accuracy", keras.metrics.SparseTopKCategoricalAccuracy(5)]), digits, ""),
    "ConvNeXt": (convnext, digits, ""),
    "petals": (lambda: points(L.Dense(16, activation="relu"), L.Dense(3), features=4, optimizer=ADAM(0.01)), petals,
               "leakage, start, one batch"),
    "heavy tails": (lambda: points(L.Dense(32, activation="relu"), L.Dense(3), optimizer=ADAM(0.01)), heavy_tails, "one batch"),
    "Keras' focal loss": (lambda: dense(last=L.Dense(10, activation="softmax"), loss=keras.losses.CategoricalFocalCrossentropy()),
                          change(digits, g=one_hot), ""),
    "two logits": (lambda: dense(last=L.Dense(2)), binary, ""),
    "5x1 then 1x5, grouped then 1x1": (crossed, digits, ""),
    "labels in a column": (dense, change(digits, g=lambda y: y[:, None].astype(np.float32)), ""),
    "spatial dropout, ELU": (lambda: stack(L.Conv2D(8, 5, strides=2, activation="elu"), L.SpatialDropout2D(0.2), L.Flatten(),
                                           L.GaussianNoise(0.1), L.Dense(10)), digits, ""),
    "softmax of logits in code": (lambda: Planted("softmax", loss=PROBABILITIES), digits, ""),
}
# These are about scores and data; how they learn is like another's above, and need not be tried again.
LEARN_ALIKE = {"focal loss", "focal loss of sigmoids", "scales inside", "normalises inside", "one sigmoid", "one logit",
               "two softmax outputs", "two sigmoids, one-hot", "softmax, one-hot", "softmax, divergence", "smoothed by hand",
               "no axis of channels", "labels in a column", "softmax of logits in code", "L2", "layer norm", "subclassed, bytes",
               "top 5", "Keras' focal loss", "two logits", "heavy tails", "bytes around 0, plain", "softmax regression of points",
               "deep residual", "inverted residual", "rare class", "separable, global average", "batch norm on bytes", "augmentation", "bytes around 0", "average of weights",
               "5x1 then 1x5, grouped then 1x1", "group norm, smoothing, AdamW", "tanh, -1..1", "head of zeros", "several labels", "clipped gradients", "mixed precision", "1-D convolutions", "spatial dropout, ELU"}
assert LEARN_ALIKE < set(SOUND)
