"""Chapter 16: each exhibit's test fails on its bug, and the checklist finds planted bugs and passes sound networks."""

import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, definitions, examples
from hypothesis import given
from hypothesis import strategies as st

CHAPTER = definitions("16")
(inspect_all, inspect_gradients, inspect_initial_loss, inspect_input, inspect_labels, inspect_leakage, inspect_linearity,
 inspect_match, inspect_modes, inspect_one_batch, inspect_optimizer, inspect_outputs, inspect_shuffled_labels) = (
    CHAPTER[f"inspect_{name}"] for name in (
        "all", "gradients", "initial_loss", "input", "labels", "leakage", "linearity", "match", "modes", "one_batch", "optimizer", "outputs",
        "shuffled_labels"))
L = keras.layers
CrossEntropy = keras.losses.SparseCategoricalCrossentropy


# --- the museum ------------------------------------------------------------------------------------------------------------

EXHIBITS = ["calm", "share", "switch", "knob", "judge", "count", "report", "choice", "cut", "levels", "start", "head", "loss",
            "checker", "size"]


def exhibit(name):
    """Return (test, broken, fixed) of the exhibit with that name."""
    kinds = ("BROKEN_SIZE", "FIXED_SIZE") if name == "size" else (f"broken_{name}", f"fixed_{name}")
    return CHAPTER[f"test_{name}"], *(CHAPTER[kind] for kind in kinds)


def test_every_exhibit_is_tested_here():
    found = {name.removeprefix("test_") for name in CHAPTER if name.startswith("test_")}
    assert found == set(EXHIBITS) | {"standardise"}  # the reader's own test, in an exercise


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibits_test_fails_on_the_bug_and_passes_on_the_repair(name, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    test, broken, fixed = exhibit(name)
    with pytest.raises(AssertionError) as caught:
        test(broken)
    assert len(str(caught.value)) > 10  # it says what is wrong
    test(fixed)


def test_the_museum_admits_no_test_that_cannot_fail():
    def refuse(thing):
        raise AssertionError("no good")

    with pytest.raises(AssertionError, match="accepts the bug"):
        CHAPTER["exhibit"]("deaf", lambda thing: None, 1, 2)
    with pytest.raises(AssertionError, match="no good"):
        CHAPTER["exhibit"]("strict", refuse, 1, 2)


# --- data and networks -----------------------------------------------------------------------------------------------------

@functools.cache
def digits():
    """MNIST's first 600 and 300 images in 0..1, (N, 28, 28, 1), and their labels."""
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        return (file["x_train"][:600, :, :, None] / np.float32(255), file["y_train"][:600],
                file["x_test"][:300, :, :, None] / np.float32(255), file["y_test"][:300])


@functools.cache
def clouds(K=4, features=12):
    """K clouds of points, 400 and 200 of them."""
    rng = np.random.default_rng(0)
    centres, y = rng.normal(0, 1.5, (K, features)), rng.integers(0, K, 600)
    x = (centres[y] + rng.normal(size=(600, features))).astype(np.float32)
    return x[:400], y[:400], x[400:], y[400:]


@functools.cache
def words():
    """Sentences of 12 words out of 60; the label says which of two words is in it."""
    rng = np.random.default_rng(0)
    y, x = rng.integers(0, 2, 600), rng.integers(3, 60, (600, 12))
    x[np.arange(600), rng.integers(0, 12, 600)] = y + 1
    return x[:400], y[:400], x[400:], y[400:]


def stack(*layers, shape=(28, 28, 1), loss=None):
    model = keras.Sequential([keras.Input(shape), *layers])
    if loss is not None:
        model.compile("adam", loss)
    return model


def dense(*middle, units=24, activation="relu", last=None, K=10, **options):
    """A small network for digits: a hidden layer, `middle`, the scores."""
    return stack(L.Flatten(), L.Dense(units, activation=activation, **options), *middle, last or L.Dense(K))


def convolutional():
    return stack(L.Conv2D(6, 5, strides=2, activation="relu"), L.MaxPooling2D(2), L.Conv2D(12, 3, activation="relu"), L.Flatten(),
                 L.Dense(32, activation="relu"), L.Dropout(0.3), L.Dense(10), loss=CrossEntropy(from_logits=True))


def residual():
    """Functional, with batch norm and a shortcut, ending in softmax."""
    inputs = keras.Input((28, 28, 1))
    h = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 5, strides=3, use_bias=False)(inputs)))
    h = L.Add()([h, L.Conv2D(8, 3, padding="same", activation="relu")(h)])
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(h)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


class Own(keras.Model):
    """Subclassed, not compiled, and not to be cloned: its arguments are layers. It scales bytes and drops by itself."""

    def __init__(self, hidden, last, scale=1 / 255):
        super().__init__()
        self.flat, self.hidden, self.last, self.scale = L.Flatten(), hidden, last, scale

    def call(self, x, training=False):
        h = self.hidden(self.flat(tf.cast(x, tf.float32) * self.scale))
        return self.last(tf.nn.dropout(h, 0.2) if training else h)


def as_bytes(x, y, x_test, y_test):
    return (x * 255).astype(np.uint8), y, (x_test * 255).astype(np.uint8), y_test


def one_hot(x, y, x_test, y_test):
    return x, np.eye(10, dtype=np.float32)[y], x_test, np.eye(10, dtype=np.float32)[y_test]


SOUND = {
    "convolutional": (convolutional, digits),
    "residual, batch norm, softmax": (residual, lambda: one_hot(*digits())),
    "subclassed, bytes": (lambda: Own(L.Dense(24, activation="relu"), L.Dense(10)), lambda: as_bytes(*digits())),
    "clouds, one output": (lambda: stack(L.Dense(24, activation="tanh"), L.Dense(1, activation="sigmoid"), shape=(12,),
                                         loss="binary_crossentropy"), lambda: clouds(K=2)),
    "words": (lambda: stack(L.Embedding(60, 8), L.GlobalAveragePooling1D(), L.Dense(16, activation="relu"), L.Dense(2),
                            shape=(12,)), words),
    "softmax regression": (lambda: stack(L.Dense(4), shape=(12,)), clouds),
    "regularized": (lambda: dense(kernel_regularizer=keras.regularizers.L2(1e-3)), digits),
}


def snapshot(model):
    return {id(v): v.numpy() for v in model.variables}


def untouched(model, before):
    return all(np.array_equal(v.numpy(), before[id(v)], equal_nan=True) for v in model.variables)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_network_gets_ok_throughout(name, capsys):
    make, data = SOUND[name]
    keras.utils.set_random_seed(1)
    model, (x, y, x_test, y_test) = make(), data()
    model(x[:2])
    before = snapshot(model)
    report = inspect_all(model, x, y, x_test, y_test)
    assert [sentence for sentence in report.values() if not sentence.startswith("OK: ")] == []
    assert len(report) == 12 == len(capsys.readouterr().out.strip().splitlines())
    assert all(sentence.endswith(".") for sentence in report.values())
    assert untouched(model, before), "weights, statistics and random states are as before"


class Stubborn(Own):
    """It cannot be run in train mode."""

    def call(self, x, training=False):
        if training:
            raise RuntimeError("no training")
        return super().call(x)


@pytest.mark.parametrize("kind", [Own, Stubborn])
def test_a_compiled_network_is_given_back_whole_also_after_an_error(kind, capsys):
    x, y, x_test, y_test = digits()
    keras.utils.set_random_seed(1)
    model = kind(L.Dense(24, activation="relu"), L.Dense(10), scale=1.0)
    model.compile("adam", CrossEntropy(from_logits=True), metrics=["accuracy"])
    model(x[:2])
    model.optimizer.build(model.trainable_variables)
    model.evaluate(x, y, verbose=0)
    parts = model, model.optimizer, *model.metrics
    before = [snapshot(part) for part in parts]
    report = inspect_all(model, x, y, x_test, y_test)
    assert kind is Own or report["gradients"].startswith("Look: RuntimeError")
    assert [len(values) for values in before] == [len(part.variables) for part in parts] and all(before)
    assert all(untouched(part, values) for part, values in zip(parts, before))
    assert not any("call" in vars(layer) for layer in (model.flat, model.hidden, model.last)), "no layer is watched any more"


def test_a_trained_network_gets_ok_and_stays_trained():
    x, y, x_test, y_test = clouds()
    keras.utils.set_random_seed(1)
    model = stack(L.Dense(24, activation="relu"), L.Dropout(0.2), L.Dense(4), shape=(12,), loss=CrossEntropy(from_logits=True))
    model.fit(x, y, epochs=20, verbose=0)
    before = snapshot(model)
    for sentence in [inspect_initial_loss(model, x, y), inspect_gradients(model, x, y), inspect_modes(model, x),
                     inspect_linearity(model, x), inspect_one_batch(model, x, y),
                     inspect_shuffled_labels(model, x, y, x_test, y_test)]:
        assert sentence.startswith("OK: "), sentence
    assert untouched(model, before)


def test_the_same_question_gets_the_same_answer():
    x, y, x_test, y_test = clouds()
    model = stack(L.Dense(8, activation="relu"), L.Dropout(0.2), L.Dense(4), shape=(12,))
    for inspect in [inspect_initial_loss, inspect_one_batch, inspect_gradients]:
        assert inspect(model, x, y) == inspect(model, x, y)


# --- planted bugs ------------------------------------------------------------------------------------------------------------

class Planted(keras.Model):
    """A subclassed network for digits; `how` names its bug."""

    def __init__(self, how):
        super().__init__()
        self.how, self.flat, self.hidden, self.last = how, L.Flatten(), L.Dense(24), L.Dense(10)
        self.norm = L.BatchNormalization() if "batch norm" in how else None
        self.drop = L.Dropout(0.3) if how == "dropout off" else None

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
        return {"sigmoid": tf.sigmoid, "softmax twice": lambda a: tf.nn.softmax(tf.nn.softmax(a)),
                "wrong axis": lambda a: tf.nn.softmax(a, axis=0)}.get(self.how, tf.identity)(z)


def frozen(index):
    model = convolutional()
    model.layers[index].trainable = False
    return model


def binary(units, activation, loss):
    return stack(L.Flatten(), L.Dense(24, activation="relu"), L.Dense(units, activation=activation), loss=loss)


def with_weights(model, draw):
    model.set_weights([draw(w.shape) for w in model.get_weights()])
    return model


def switched_on():
    inputs = keras.Input((28, 28, 1))
    h = L.Dropout(0.4)(L.Dense(24, activation="relu")(L.Flatten()(inputs)), training=True)
    return keras.Model(inputs, L.Dense(10)(h))


def std1():
    return keras.initializers.TruncatedNormal(stddev=1.0)


def x_only(inspect):
    return lambda model, x, y, x_test, y_test: inspect(model, x)


def xy(inspect):
    return lambda model, x, y, x_test, y_test: inspect(model, x, y)


BUGS = {
    "std-1 initialisers": (xy(inspect_initial_loss), lambda: dense(last=L.Dense(10, kernel_initializer=std1()),
                                                                   kernel_initializer=std1()), "initial|fresh|as it is"),
    "std-1 weights": (xy(inspect_initial_loss), lambda: with_weights(dense(), np.random.default_rng(0).standard_normal), "as it is"),
    "std-1 and softmax": (xy(inspect_initial_loss), lambda: dense(last=L.Dense(10, activation="softmax", kernel_initializer=std1()),
                                                                  kernel_initializer=std1()), "too large"),
    "NaN weights": (xy(inspect_initial_loss), lambda: with_weights(dense(), lambda s: np.full(s, np.nan)), "nan"),
    "all zeros": (xy(inspect_gradients), lambda: with_weights(dense(), np.zeros), "exactly 0"),
    "zeros in a hidden layer": (xy(inspect_gradients), lambda: dense(kernel_initializer="zeros"), "exactly 0"),
    "equal units": (xy(inspect_gradients), lambda: dense(last=L.Dense(10, kernel_initializer="ones"), activation="tanh",
                                                         kernel_initializer=keras.initializers.Constant(0.001)), "equal"),
    "dead ReLUs": (xy(inspect_gradients), lambda: dense(bias_initializer=keras.initializers.Constant(-50.0)), "exactly 0"),
    "dead ReLUs, one batch": (xy(inspect_one_batch), lambda: dense(bias_initializer=keras.initializers.Constant(-50.0)), "by heart"),
    "a penalty that forbids learning": (xy(inspect_one_batch), lambda: dense(
        last=L.Dense(10, kernel_regularizer=keras.regularizers.L2(10.0)), kernel_regularizer=keras.regularizers.L2(10.0)), r"by heart\. Its penalties: "),
    "a frozen convolution": (xy(inspect_gradients), lambda: frozen(0), "frozen.*conv2d"),
    "a frozen dense layer": (xy(inspect_gradients), lambda: frozen(4), "frozen.*dense"),
    "gradient cut off": (xy(inspect_gradients), lambda: Planted("cut off"), "no gradient"),
    "softmax and from_logits": (x_only(inspect_outputs), lambda: stack(L.Flatten(), L.Dense(10, activation="softmax"),
                                                                       loss=CrossEntropy(from_logits=True)), "must be False"),
    "logits and a string": (x_only(inspect_outputs), lambda: stack(L.Flatten(), L.Dense(10), loss="sparse_categorical_crossentropy"),
                            "must be True"),
    "two softmax layers": (x_only(inspect_outputs), lambda: dense(L.Dense(10, activation="softmax"), last=L.Softmax()), "twice"),
    "two softmaxes in code": (x_only(inspect_outputs), lambda: Planted("softmax twice"), "twice"),
    "sigmoid, then softmax": (x_only(inspect_outputs), lambda: dense(L.Dense(10, activation="sigmoid"), last=L.Softmax()), "never get"),
    "tanh, then softmax": (x_only(inspect_outputs), lambda: dense(L.Dense(10, activation="tanh"), last=L.Softmax()), "never get sure"),
    "words, two softmax layers": (lambda m, *data: inspect_outputs(m, words()[0]), lambda: stack(
        L.Embedding(60, 8), L.GlobalAveragePooling1D(), L.Dense(2, activation="softmax"), L.Softmax(), shape=(12,)), "twice"),
    "sigmoid layer": (x_only(inspect_outputs), lambda: dense(last=L.Dense(10, activation="sigmoid")), "sigmoid"),
    "sigmoid in code": (x_only(inspect_outputs), lambda: Planted("sigmoid"), "sigmoid"),
    "softmax over the batch": (x_only(inspect_outputs), lambda: Planted("wrong axis"), "wrong axis"),
    "ReLU at the end": (x_only(inspect_outputs), lambda: dense(last=L.Dense(10, activation="relu")), "ReLU"),
    "ReLU6 at the end": (x_only(inspect_outputs), lambda: dense(last=L.Dense(10, activation="relu6")), "ReLU"),
    "softplus at the end": (x_only(inspect_outputs), lambda: dense(last=L.Dense(10, activation="softplus")), "no score is negative"),
    "dropout at the end": (x_only(inspect_outputs), lambda: dense(L.Dense(10), last=L.Dropout(0.3)), "dropout after the last"),
    "one output, categorical loss": (x_only(inspect_outputs), lambda: binary(1, "sigmoid", "categorical_crossentropy"),
                                     "single output.*categoricalcrossentropy"),
    "one logit, categorical loss": (x_only(inspect_outputs), lambda: binary(1, None, CrossEntropy(from_logits=True)),
                                    "single output.*sparsecategoricalcrossentropy"),
    "ten outputs, binary loss": (x_only(inspect_outputs), lambda: binary(10, "softmax", "binary_crossentropy"), "binarycrossentropy"),
    "softmax of one": (x_only(inspect_outputs), lambda: dense(last=L.Dense(1, activation="softmax")), "always 1"),
    "divergence of logits": (x_only(inspect_outputs), lambda: stack(L.Flatten(), L.Dense(10), loss="kl_divergence"),
                             "logits, and kldivergence expects"),
    "Poisson's loss": (x_only(inspect_outputs), lambda: stack(L.Flatten(), L.Dense(10, activation="softmax"), loss="poisson"), "no cross-entropy"),
    "squared error": (x_only(inspect_outputs), lambda: stack(L.Flatten(), L.Dense(10), loss="mse"), "cross-entropy"),
    "dropout with training=True": (x_only(inspect_modes), switched_on, "training=True"),
    "dropout in code": (x_only(inspect_modes), lambda: Planted("dropout on"), "differ"),
    "dropout that never drops": (x_only(inspect_modes), lambda: Planted("dropout off"), "never acts"),
    "a share to keep as rate": (x_only(inspect_modes), lambda: dense(L.Dropout(0.75)), "60 %"),
    "batch norm always on": (x_only(inspect_modes), lambda: Planted("batch norm on"), "batch"),
    "batch norm never on": (x_only(inspect_modes), lambda: Planted("batch norm off"), "never acts"),
    "batch norm without memory": (x_only(inspect_modes), lambda: dense(L.BatchNormalization(momentum=0.0)), "last batches"),
    "another library's momentum": (x_only(inspect_modes), lambda: dense(L.BatchNormalization(momentum=0.1)), "0.9 in Keras"),
    "the first row for all": (x_only(inspect_modes), lambda: Planted("first row only"), "depend on the others"),
    "scaled in training only": (x_only(inspect_modes), lambda: Planted("scaled in training"), "no layer says why"),
    "no activation": (x_only(inspect_linearity), lambda: dense(activation=None), "no activation"),
    "no activation, softmax": (x_only(inspect_linearity), lambda: dense(L.Dropout(0.2), activation=None,
                                                                        last=L.Dense(10, activation="softmax")), "no activation"),
    "linear in code": (x_only(inspect_linearity), lambda: Planted("linear"), "no activation"),
    "linear with pooling": (x_only(inspect_linearity), lambda: stack(
        L.Conv2D(4, 5, strides=2), L.BatchNormalization(), L.AveragePooling2D(2), L.Flatten(), L.Dense(10)), "linear in x"),
    "one linear layer of three": (x_only(inspect_linearity), lambda: dense(L.Dense(32), L.Dropout(0.2)), "no activation"),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_in_a_network_is_found(name):
    inspect, make, message = BUGS[name]
    keras.utils.set_random_seed(2)
    model, data = make(), digits()
    if not model.built:
        model(data[0][:2])
    before = snapshot(model)
    sentence = inspect(model, *data)
    assert sentence.startswith("Look: ") and re.search(message, sentence), sentence
    assert untouched(model, before)


def rolled(y):
    return np.roll(y, 1)


SICK_DATA = {
    "bytes": (lambda m, x, y, u, v: inspect_input(x * 255, m), "0 to 255"),
    "bytes, no model": (lambda m, x, y, u, v: inspect_input((x * 255).astype(np.uint8)), "0 to 255"),
    "divided twice": (lambda m, x, y, u, v: inspect_input(x / 255, m), "twice"),
    "NaN": (lambda m, x, y, u, v: inspect_input(np.where(np.arange(600)[:, None, None, None] == 5, np.nan, x), m), "NaN"),
    "black": (lambda m, x, y, u, v: inspect_input(0 * x, m), "the same"),
    "some black": (lambda m, x, y, u, v: inspect_input(x * (np.arange(600) % 4 > 0)[:, None, None, None], m), "blank"),
    "NaN, counted": (lambda m, x, y, u, v: inspect_input(np.where(np.arange(x.size).reshape(x.shape) == 5, np.nan, x), m),
                     ": 1 of 470,400 "),
    "NaN in the test set": (lambda m, x, y, u, v: inspect_match(x, np.where(np.arange(u.size).reshape(u.shape) == 5, np.nan, u)), "nan"),
    "infinity in the test set": (lambda m, x, y, u, v: inspect_match(
        x, np.where(np.arange(u.size).reshape(u.shape) == 5, np.inf, u)), "inf"),
    "twelve outputs": (lambda m, x, y, u, v: inspect_labels(dense(last=L.Dense(12)), x, y, u, v), "12 outputs, and no label is above 9"),
    "words": (lambda m, x, y, u, v: inspect_input(np.array(["a", "b"])), "no numbers"),
    "channels first": (lambda m, x, y, u, v: inspect_input(np.moveaxis(x, 3, 1)), "channels first"),
    "test in bytes": (lambda m, x, y, u, v: inspect_match(x, u * 255), "alike"),
    "test inverted": (lambda m, x, y, u, v: inspect_match(x, 1 - u), "alike"),
    "test of another shape": (lambda m, x, y, u, v: inspect_match(x, u[..., 0]), "shape"),
    "training labels shuffled": (lambda m, x, y, u, v: inspect_labels(m, x, np.random.default_rng(0).permutation(y), u, v),
                                 "training labels tell nothing"),
    "test labels shuffled": (lambda m, x, y, u, v: inspect_labels(m, x, y, u, np.random.default_rng(0).permutation(v)),
                             "test labels tell nothing"),
    "all slid by one": (lambda m, x, y, u, v: inspect_labels(m, x, rolled(y), u, rolled(v)), "tell nothing"),
    "half of the training labels shuffled": (lambda m, x, y, u, v: inspect_labels(m, x, np.where(np.arange(600) % 10 < 6, rolled(y), y), u, v),
                                             "are some training labels wrong"),
    "test images transposed": (lambda m, x, y, u, v: inspect_labels(m, x, y, u.transpose(0, 2, 1, 3), v), "prepared in two ways"),
    "sorted": (lambda m, x, y, u, v: inspect_labels(m, x[np.argsort(y)], np.sort(y), u, v), "sorted: shuffle"),
    "test twice as bright": (lambda m, x, y, u, v: inspect_match(x, 2 * u), "alike"),
    "test labels renumbered": (lambda m, x, y, u, v: inspect_labels(m, x, y, u, (v + 1) % 10), "wrong in the test set"),
    "counted from 1": (lambda m, x, y, u, v: inspect_labels(m, x, y + 1, u, v + 1), "label 10, and 10 outputs"),
    "one label": (lambda m, x, y, u, v: inspect_labels(m, x, 0 * y, u, v), "every training label is 0"),
    "an unknown label": (lambda m, x, y, u, v: inspect_labels(m, x, np.where(y == 7, 1, y), u, v), "7 never occurs"),
    "copies": (lambda m, x, y, u, v: inspect_leakage(np.concatenate([x, u[10:15]]), u), "5 of 300 .* test row 10 is training row 600"),
    "validation in training": (lambda m, x, y, u, v: inspect_shuffled_labels(m, np.concatenate([x, u]), np.concatenate([y, v]), u, v),
                               "has met"),
}


@pytest.mark.parametrize("name", SICK_DATA)
def test_a_planted_bug_in_the_data_is_found(name):
    inspect, message = SICK_DATA[name]
    keras.utils.set_random_seed(2)
    sentence = inspect(dense(units=48), *digits())
    assert sentence.startswith("Look: ") and re.search(message, sentence), sentence


def test_luck_with_whole_classes_does_not_hide_shuffled_labels(monkeypatch):
    """A network that learned nothing gives like images one guess: whole digits are right by luck, and no label is."""
    x, y, u, v = digits()
    digit_of = {image.tobytes(): digit for image, digit in zip([*x, *u], [*y, *v])}
    guess = np.array([0, 1, 2, 4, 5, 6, 7, 8, 9, 3])  # three of ten digits are as they should be
    monkeypatch.setitem(CHAPTER, "trained_classes", lambda model, x, y, new, rate=0: guess[[digit_of[image.tobytes()] for image in new]])
    assert CHAPTER["knows"](guess[v], v) and not CHAPTER["knows"](guess[v], v, alike=True)
    for seed in range(20):
        shuffled = np.random.default_rng(seed).permutation(y)
        assert "training labels tell nothing" in inspect_labels(dense(), x, shuffled, u, v)
    assert inspect_labels(dense(), x, y, u, v).startswith("OK")


def test_a_model_that_scales_its_inputs_may_have_bytes():
    x, *_ = as_bytes(*digits())
    assert inspect_input(x, stack(L.Rescaling(1 / 255), L.Flatten(), L.Dense(10))).startswith("OK")
    normal = L.Normalization(axis=None)
    normal.adapt(x)
    model = stack(normal, L.Flatten(), L.Dense(10))
    assert inspect_input(x, model).startswith("OK")
    assert inspect_initial_loss(model, x, digits()[1]).startswith("OK"), "what adapt has learned is not redrawn"


def test_augmentation_and_zeros_in_the_last_layer_are_no_bugs():
    x, y, *_ = digits()
    assert inspect_modes(stack(L.RandomTranslation(0.1, 0.1), L.Flatten(), L.Dense(10)), x).startswith("OK")
    assert inspect_gradients(dense(last=L.Dense(10, kernel_initializer="zeros")), x, y).startswith("OK")
    assert inspect_linearity(dense(last=L.Dense(10, kernel_initializer="zeros")), x).startswith("OK")


@pytest.mark.parametrize("name", ["words", "bounded", "zeros"])
def test_probabilities_that_are_not_sure_yet_are_no_softmax_twice(name):
    zeros = keras.initializers.Zeros()
    model, x = {
        "words": (stack(L.Embedding(60, 8), L.GlobalAveragePooling1D(), L.Dense(2, activation="softmax"), shape=(12,)), words()[0]),
        "bounded": (stack(L.Dense(6, activation="tanh"), L.Dense(4, activation="softmax", kernel_initializer=keras.initializers.
                                                                 RandomNormal(stddev=0.02)), shape=(12,)), clouds()[0]),
        "zeros": (dense(last=L.Dense(10, activation="softmax", kernel_initializer=zeros)), digits()[0]),
    }[name]
    before = snapshot(model)
    assert inspect_outputs(model, x, "sparse_categorical_crossentropy").startswith("OK")
    assert untouched(model, before)


def test_two_inputs():
    (x, y, x_test, y_test), K = clouds(), 4
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    model = keras.Model({"a": a, "b": b}, L.Dense(K)(L.Dense(24, activation="relu")(L.Concatenate()([a, b]))))
    train, test = ({"a": part[:, :6], "b": part[:, 6:]} for part in (x, x_test))
    report = inspect_all(model, train, y, test, y_test)
    assert all(sentence.startswith("OK") for sentence in report.values()), report
    leaked = {"a": np.concatenate([x[:, :6], x_test[:1, :6]]), "b": np.concatenate([x[:, 6:], x_test[:1, 6:]])}
    assert inspect_leakage(leaked, test).startswith("Look: 1 of 200")


# --- leakage, by drawing -------------------------------------------------------------------------------------------------------

@examples(200)
@given(dtype=st.sampled_from(["u1", "i8", "f4", "f8", "?", "U3"]), other=st.sampled_from(["same", "f4", "f8"]),
       shape=st.lists(st.integers(1, 4), max_size=3), copies=st.integers(0, 6), seed=st.integers(0, 999))
def test_leakage_counts_exactly_the_copies(dtype, other, shape, copies, seed):
    rng = np.random.default_rng(seed)
    rows = rng.permutation(40)
    codes = np.stack([(rows >> bit) & 1 for bit in range(6)], axis=1)  # 40 different rows
    x = np.broadcast_to(codes.reshape(40, 6, *[1] * len(shape)), (40, 6, *shape)).astype(dtype)
    test = np.concatenate([x[20:40 - copies], x[:copies]])
    if other != "same" and dtype != "U3":
        test = test.astype(other)
    if test.dtype.kind == "f":
        test = np.where(test == 0, -test, test)  # -0.0 is 0.0
    sentence = inspect_leakage(x[:20], test)
    assert sentence.startswith(f"Look: {copies} of 20 " if copies else "OK: none of 20 "), sentence


def test_a_third_is_a_third_in_both_precisions():
    x = np.full((3, 2), 1 / 3)
    assert inspect_leakage(x, x.astype(np.float32)).startswith("Look: 3 of 3")
    assert inspect_leakage(x.astype(np.float32), np.nextafter(x.astype(np.float32), 1)).startswith("OK")


# --- bad arguments ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("y, message", [
    (np.arange(5), "4 inputs and 5 labels"), (np.array(list("abcd")), "<U1"), (np.array([0.5, 1, 1, 0]), "0.0 to 1.0 of float64"),
    (np.array([-1, 0, 1, 2]), "-1 to 2"), (np.full((4, 3), 0.4), r"\(4, 3\) are not one-hot"), (np.zeros((4, 2, 2)), r"\(4, 2, 2\)"),
])
def test_labels_that_are_none_are_refused(y, message):
    model, x = stack(L.Dense(3), shape=(2,)), np.eye(4, 2, dtype=np.float32)
    for inspect in [inspect_initial_loss, inspect_one_batch, inspect_gradients]:
        with pytest.raises(ValueError, match=message):
            inspect(model, x, y)
    with pytest.raises(ValueError, match=message):
        inspect_all(model, x, y, x, y)


def test_inputs_that_are_none_are_refused():
    with pytest.raises(ValueError, match="no Dataset"):
        inspect_input(tf.data.Dataset.from_tensor_slices(np.eye(2)))
    for x in [3.0, np.zeros((0, 2)), {"a": np.zeros((2, 1)), "b": np.zeros((3, 1))}]:
        with pytest.raises(ValueError, match="needs rows"):
            inspect_input(x)


def test_a_model_that_cannot_run_is_reported(capsys):
    x, y, x_test, y_test = clouds()
    report = inspect_all(dense(), x, y, x_test, y_test)  # a network for images
    assert report["modes"].startswith("Look: ValueError") and report["leakage"].startswith("OK")
    maps = stack(L.Conv2D(10, 3))
    with pytest.raises(ValueError, match=r"one row of scores an input, got \(2, 26, 26, 10\)|one row of scores"):
        inspect_gradients(maps, digits()[0], digits()[1])


def test_integers_may_come_as_one_hot_or_column():
    x, y, *_ = clouds()
    model = stack(L.Dense(8, activation="relu"), L.Dense(4), shape=(12,))
    one = inspect_initial_loss(model, x, y)
    assert one == inspect_initial_loss(model, x, np.eye(4)[y]) == inspect_initial_loss(model, x, y[:, None].astype(float))

@pytest.mark.parametrize("optimizer, found", [
    ("adam", "OK"), ("sgd", "OK"), ("rmsprop", "OK"), ("adagrad", "OK"), (lambda: keras.optimizers.SGD(0.001), "OK"),
    (lambda: keras.optimizers.SGD(0.05, momentum=0.9), "OK"), (lambda: keras.optimizers.Adam(0.01), "OK"),
    (lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.001, 100, 0.95)), "OK"),
    (lambda: keras.optimizers.Adam(10.0), "too high"), (lambda: keras.optimizers.SGD(10.0), "too high"),
    (lambda: keras.optimizers.Adam(1e-9), "too low"), (lambda: keras.optimizers.SGD(1e-7), "too low"),
    (lambda: keras.optimizers.SGD(0.0), "too low")])
def test_the_optimizer_is_tried(optimizer, found):
    x, y, _, _ = digits()
    model = dense(L.Dropout(0.3), L.BatchNormalization()) if found == "OK" else dense()
    model.compile(optimizer if isinstance(optimizer, str) else optimizer(), CrossEntropy(from_logits=True))
    before = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    sentence = inspect_optimizer(model, x, y)
    assert sentence.startswith("OK") if found == "OK" else sentence.startswith("Look") and found in sentence, sentence
    after = [v.numpy() for v in [*model.variables, *model.optimizer.variables]]
    assert all(map(np.array_equal, before, after))


def test_a_model_without_an_optimizer_is_not_blamed():
    x, y, _, _ = digits()
    assert "not compiled" in inspect_optimizer(dense(), x, y)
    frozen_model = dense()
    frozen_model.compile("adam", CrossEntropy(from_logits=True))
    frozen_model.trainable = False
    assert inspect_optimizer(frozen_model, x, y).startswith("OK")
