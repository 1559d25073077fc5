"""Chapter 16: each exhibit's test fails on its bug, and the twelve checks find planted bugs and pass sound networks.

The hardened checks are checkup.py's, and so are their tests; here stand the short ones that the page shows.
"""

import functools
import json

import keras
import numpy as np
import pytest
from conftest import ROOT, definitions, find_notebook

from tests.checkup.patients import Planted

CHAPTER = definitions("16")
L = keras.layers
CrossEntropy = keras.losses.SparseCategoricalCrossentropy


def require(name):
    return CHAPTER[f"require_{name}"]


# --- the museum ------------------------------------------------------------------------------------------------------------

EXHIBITS = ["calm", "report", "split", "start", "loss", "head", "judge", "switch", "size",
            "share", "knob", "count", "choice", "cut", "levels", "checker"]


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


def test_the_points_that_the_lecture_loses_are_the_stored_ones():
    epoch = json.loads((ROOT / "data" / "curves.json").read_text())["one_epoch"]["summary"]
    bad, good = (epoch[f"{start}, rate 0.001"] for start in ("std 1", "Glorot"))
    text = find_notebook("16").read_text()
    switch, start = (100 * (better["mean"] - worse["mean"]) for better, worse in
                     [(bad["off"], bad["on"]), (good["off"], bad["off"])])
    assert f"network reads {switch:.1f} points less" in text
    assert f"with its dropout mended, the lecture's network is {start:.1f} points behind a good start" in text


def refuse(thing):
    raise AssertionError("no good")


def test_the_museum_admits_no_test_that_cannot_fail():
    with pytest.raises(AssertionError, match="accepts the bug"):
        CHAPTER["exhibit"]("deaf", lambda thing: None, 1, 2)
    with pytest.raises(AssertionError, match="no good"):
        CHAPTER["exhibit"]("strict", refuse, 1, 2)


def test_a_check_is_seen_to_pass_and_to_fail(capsys):
    def require_one(number):
        assert number == 1, f"it is {number}"

    CHAPTER["see"](require_one, [1], [2])
    assert "patient: it is 2" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="accepts the patient"):
        CHAPTER["see"](require_one, [1], [1])
    with pytest.raises(AssertionError, match="no good"):
        CHAPTER["see"](refuse, [1], [2])


# --- sound networks and data -----------------------------------------------------------------------------------------------

@functools.cache
def digits():
    """MNIST's first 2,000 images and 1,000 of the last of the training set, in 0..1, and their labels."""
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as file:
        x, y = file["x_train"][..., None], file["y_train"]
    x, x_new = (part / np.float32(255) for part in (x[:2000], x[-1000:]))
    return x, y[:2000], x_new, y[-1000:]


def dense(*middle, last=None, loss=None, optimizer="adam", **options):
    """Return a build of a small network for digits: a hidden layer, `middle`, the scores."""
    def build():
        hidden = L.Dense(24, **{"activation": "relu"} | options)
        model = keras.Sequential([keras.Input((28, 28, 1)), L.Flatten(), hidden, *(make() for make in middle), (last or (lambda: L.Dense(10)))()])
        model.compile(optimizer, loss or CrossEntropy(from_logits=True))
        return model
    return build


def normalised():
    """Functional, with batch norm and a shortcut, ending in softmax."""
    inputs = keras.Input((28, 28, 1))
    h = L.ReLU()(L.BatchNormalization(momentum=0.9)(L.Conv2D(8, 5, strides=3, use_bias=False)(inputs)))
    h = L.Add()([h, L.Conv2D(8, 3, padding="same", activation="relu")(h)])
    model = keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(h)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


SOUND = {"of the page": CHAPTER["build"], "batch norm, softmax": normalised, "dense, dropout": dense(lambda: L.Dropout(0.3)),
         "softmax, named loss": dense(last=lambda: L.Dense(10, activation="softmax"), loss="sparse_categorical_crossentropy")}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_network_passes_all_checks(name):
    keras.utils.set_random_seed(1)
    build = SOUND[name]
    found = CHAPTER["complaints"](build, *digits(), CHAPTER["by_heart"](build, *digits()[:2]))
    assert len(found) == 12 and not any(found.values()), found


# --- planted bugs ----------------------------------------------------------------------------------------------------------

def planted(how):
    def build():
        model = Planted(how, optimizer=keras.optimizers.Adam(0.003))
        model(np.zeros((2, 28, 28, 1), "float32"))
        return model
    return build


def switched_on():
    inputs = keras.Input((28, 28, 1))
    h = L.Dropout(0.4)(L.Dense(24, activation="relu")(L.Flatten()(inputs)), training=True)
    model = keras.Model(inputs, L.Dense(10)(h))
    model.compile("adam", CrossEntropy(from_logits=True))
    return model


def frozen():
    model = normalised()
    next(layer for layer in model.layers if isinstance(layer, L.Conv2D)).trainable = False
    return model


BUGS = {
    "std-1 start": (["start"], dense(kernel_initializer=keras.initializers.TruncatedNormal(stddev=1.0, seed=0),
                                     last=lambda: L.Dense(10, kernel_initializer=keras.initializers.TruncatedNormal(stddev=1.0, seed=1)))),
    "NaN": (["start", "heart"], dense(kernel_initializer=keras.initializers.Constant(np.nan))),
    "logits, and a loss of probabilities": (["heart"], dense(loss="sparse_categorical_crossentropy", optimizer="sgd")),
    "dropout in code": (["calm"], planted("dropout on")),
    "dropout with training=True": (["calm"], switched_on),
    "batch norm always on": (["calm"], planted("batch norm on")),
    "the first row for all": (["calm"], planted("first row only")),
    "linear in code": (["bend"], planted("linear")),
    "no activation": (["bend"], dense(activation=None)),
    "a frozen convolution": (["moves"], frozen),
    "gradient cut off": (["moves"], planted("cut off")),
    "dead ReLUs": (["moves", "heart"], dense(bias_initializer=keras.initializers.Constant(-50.0))),
    "softmax twice": (["heart"], planted("softmax")),
    "softmax over the batch": (["calm"], planted("wrong axis")),
    "blind": (["heart"], planted("blind")),
    "rate far too high": (["steps", "heart"], dense(optimizer="sgd")),
    "rate far too low": (["steps", "heart"], dense(optimizer="sgd")),
    "a penalty that forbids learning": (["heart"], dense(kernel_regularizer=keras.regularizers.L2(10.0))),
}
RATES = {"rate far too high": 30.0, "rate far too low": 1e-7}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_in_a_network_is_found(name):
    checks, build = BUGS[name]
    if name in RATES:
        def build():
            return dense(optimizer=keras.optimizers.SGD(RATES[name]))()
    keras.utils.set_random_seed(2)
    x, y, *_ = digits()
    inputs = {"start": (build, x, y, 10), "calm": (build, x), "bend": (build, x)}
    if set(checks) - set(inputs):
        inputs |= dict.fromkeys(["moves", "steps", "heart"], CHAPTER["by_heart"](build, x, y))
    for check in checks:
        with pytest.raises(AssertionError):
            require(check)(*inputs[check])


def test_a_network_that_learns_only_by_heart_has_no_sight():
    x, y, x_new, y_new = digits()
    keras.utils.set_random_seed(2)
    require("sight")(CHAPTER["build"], x, y, x_new, y_new)
    for labels in np.random.default_rng(0).permutation(y), np.roll(y, 1):
        with pytest.raises(AssertionError, match="blank inputs 2.30"):
            require("sight")(CHAPTER["build"], x, labels, x_new, y_new)


def test_labels_of_which_four_in_five_are_guessed_meet_only_sight():
    x, y, x_new, y_new = digits()
    rng = np.random.default_rng(0)
    guessed = np.where(rng.random(len(y)) < 0.8, rng.integers(0, 10, len(y)), y)
    keras.utils.set_random_seed(2)
    found = CHAPTER["complaints"](CHAPTER["build"], x, guessed, x_new, y_new)
    assert [name for name, words in found.items() if words] == ["sight"]


def some(x, value, every=5):
    return np.where(np.arange(len(x))[:, None, None, None] % every == 0, np.float32(value), x)


SICK_DATA = {
    "bytes": ("scale", lambda x, y, u, v: [(x * 255).astype(np.uint8)]),
    "divided twice": ("scale", lambda x, y, u, v: [x / 255]),
    "NaN": ("scale", lambda x, y, u, v: [some(x, np.nan, 500)]),
    "infinity": ("scale", lambda x, y, u, v: [some(x, np.inf, 500)]),
    "black": ("scale", lambda x, y, u, v: [0 * x]),
    "some black": ("scale", lambda x, y, u, v: [some(x, 0)]),
    "test in bytes": ("match", lambda x, y, u, v: [x, 255 * u]),
    "test twice as bright": ("match", lambda x, y, u, v: [x, 2 * u]),
    "NaN in the test set": ("match", lambda x, y, u, v: [x, some(u, np.nan)]),
    "copies": ("no_leak", lambda x, y, u, v: [np.concatenate([x, u[10:15]]), u]),
    "sorted": ("labels", lambda x, y, u, v: [np.sort(y), v, 10]),
    "sorted downwards": ("labels", lambda x, y, u, v: [np.sort(y)[::-1], v, 10]),
    "sorted, the test too": ("labels", lambda x, y, u, v: [np.sort(y), np.sort(v), 10]),
    "counted from 1": ("labels", lambda x, y, u, v: [y + 1, v + 1, 10]),
    "a digit is missing": ("labels", lambda x, y, u, v: [np.where(y == 7, 1, y), v, 10]),
    "a digit is missing in the test": ("labels", lambda x, y, u, v: [y, np.where(v == 7, 1, v), 10]),
    "shuffled": ("pairs", lambda x, y, u, v: [x, np.random.default_rng(0).permutation(y), u, v]),
    "slid": ("pairs", lambda x, y, u, v: [x, np.roll(y, 1), u, v]),
    "test labels shuffled": ("pairs", lambda x, y, u, v: [x, y, u, np.random.default_rng(0).permutation(v)]),
}


@pytest.mark.parametrize("name", SICK_DATA)
def test_a_planted_bug_in_the_data_is_found(name):
    check, make = SICK_DATA[name]
    with pytest.raises(AssertionError) as caught:
        require(check)(*make(*digits()))
    assert len(str(caught.value)) > 10


@pytest.mark.parametrize("copies", [0, 1, 7, 1000])
def test_leakage_counts_exactly_the_copies(copies):
    x, _, new, _ = digits()
    leaky = np.concatenate([new[copies:], x[:copies]])
    if not copies:
        require("no_leak")(x, leaky)
        return
    with pytest.raises(AssertionError, match=f"^{copies} of 1000 "):
        require("no_leak")(x, leaky)
