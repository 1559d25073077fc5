"""Chapter 15: the stored tables and their sentences, bills of random models, towers at their start, cosines, shuffles."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st

from tools.book.files import ROOT, find_notebook

CHAPTER = definitions("15")
ARMS, RATES, tower, look, chain, counted_layers, totals, next_cosine, shuffle_pixels, identity_kernel = (CHAPTER[n] for n in (
    "ARMS", "RATES", "tower", "look", "chain", "counted_layers", "totals", "next_cosine", "shuffle_pixels", "identity_kernel"))
STORED = json.loads((ROOT / "data" / "deeper.json").read_text())
seeds = st.integers(0, 9999)


# --- what the script wrote -----------------------------------------------------------------------------------------

def stored(table, name, what):
    """Return {rate: three values} of a row of a stored table; a loss that is not finite as infinity."""
    runs = STORED[table]["runs"]
    return {rate: tuple(np.inf if (value := runs[f"{name}, rate {rate:g}, seed {seed}"][what]) is None else value for seed in range(3))
            for rate in STORED[table]["rates"]}


def best(table, name, what):
    """Return the rate at which the mean over the seeds is best."""
    row = stored(table, name, what)
    return (min if what == "loss" else max)(row, key=lambda rate: np.mean(row[rate]))


def test_how_the_script_measured():
    assert {name: table["images"] for name, table in STORED.items()} == {
        "steps": 3840, "few": 3840, "shuffled": 3840, "epoch": 55_000, "layers": 55_000}
    assert all(table["judge"] == "validation" and table["batch"] == 64 and table["seeds"] == [0, 1, 2] for table in STORED.values())
    assert STORED["steps"]["rates"] == RATES


def test_the_losses_by_depth_are_what_the_script_wrote():
    for (kind, depth), (rate, losses) in CHAPTER["BY_DEPTH"].items():
        name = f"{dict(plain='plain', shortcut='shortcut, zero')[kind]}, {depth} layers"
        assert rate == best("steps", name, "loss") and losses == stored("steps", name, "loss")[rate]


def test_the_sweep_of_towers_is_what_the_script_wrote():
    assert {*CHAPTER["TWENTY"], *CHAPTER["MORE"]} == set(ARMS)
    for arm, rows in CHAPTER["TWENTY"].items():
        assert rows == tuple(stored("steps", f"{arm}, 20 layers", "accuracy").values())
    for arm, (rate, values) in CHAPTER["MORE"].items():
        name = f"{arm}, 20 layers"
        assert rate == best("steps", name, "accuracy") and values == stored("steps", name, "accuracy")[rate]


def test_no_tower_that_learns_is_best_at_the_end_of_its_sweep():
    for arm in set(ARMS) - {"plain, Glorot"}:
        assert best("steps", f"{arm}, 20 layers", "accuracy") in RATES[1:-1]


def test_the_epochs_are_what_the_script_wrote():
    for name, (rate, losses, right) in CHAPTER["EPOCH"].items():
        assert rate == best("epoch", name, "accuracy")
        assert losses == stored("epoch", name, "loss")[rate] and right == stored("epoch", name, "accuracy")[rate]
    for name, (rate, right) in CHAPTER["AFTER_EPOCH"].items():
        assert rate == best("layers", name, "accuracy") and right == stored("layers", name, "accuracy")[rate]


def test_each_network_that_the_notebook_trains_has_its_best_rate():
    text = find_notebook("15").read_text()
    for arm in "plain", "shortcut, zero":
        assert f'(\\"{arm}\\", {best("steps", f"{arm}, 20 layers", "accuracy"):g})' in text
    for name in CHAPTER["THIN"]:
        assert f'(\\"{name}\\", {best("few", f"{name}, flatten", "accuracy"):g})' in text
    for (name, kind), means in CHAPTER["SHUFFLED"].items():
        row = stored("shuffled", f"{name}, {kind}", "accuracy")
        assert means == tuple(round(np.mean(row[rate]), 3) for rate in STORED["shuffled"]["rates"])
        assert best("shuffled", f"{name}, {kind}", "accuracy") == 0.3


def test_the_sentences_have_the_stored_numbers():
    text = find_notebook("15").read_text()
    by_depth = {key: np.mean(losses) for key, (_, losses) in CHAPTER["BY_DEPTH"].items()}
    assert "a loss of {:.2f} with 2 layers, {:.2f} with 6 and {:.2f} with 20".format(
        *(by_depth["plain", n] for n in (2, 6, 20))) in text
    top = {arm: max(np.mean(rows, axis=1)) for arm, rows in CHAPTER["TWENTY"].items()}
    assert "{:.2f} plain, {:.2f} with a bare shortcut, {:.2f} with batch normalisation alone".format(
        top["plain"], top["shortcut"], top["plain, BN"]) in text
    epoch = {name: np.mean(right) for name, (_, _, right) in CHAPTER["EPOCH"].items()}
    assert "20 plain layers read {:.3f}, 20 with shortcuts {:.3f}, and 2 layers {:.3f}".format(
        epoch["plain, 20 layers"], epoch["shortcut, zero, 20 layers"], epoch["plain, 2 layers"]) in text
    after = {name: np.mean(right) for name, (_, right) in CHAPTER["AFTER_EPOCH"].items()}
    for head in "flatten", "global":
        assert "{:.3f}, {:.3f} and {:.3f}".format(*(after[f"{thin}, {head}"] for thin in CHAPTER["THIN"])) in text


# --- bills ---------------------------------------------------------------------------------------------------------

size = st.integers(1, 5)


@examples(40)
@given(kinds=st.lists(st.sampled_from(["full", "depthwise", "separable", "pixel"]), min_size=1, max_size=4), F=st.integers(1, 3),
       S=st.integers(1, 2), K=size, H=st.integers(8, 12), bias=st.booleans())
def test_bills_agree_with_keras_and_with_counting_products(kinds, F, S, K, H, bias):
    layers = keras.layers
    make = {"full": lambda: layers.Conv2D(K, F, S, "same", use_bias=bias),
            "depthwise": lambda: layers.DepthwiseConv2D(F, S, "same", depth_multiplier=2, use_bias=bias),
            "separable": lambda: layers.SeparableConv2D(K, F, S, "same", use_bias=bias),
            "pixel": lambda: layers.Dense(K, use_bias=bias)}
    inner = keras.Sequential([keras.Input((H, H + 1, 3)), make[kinds[0]]()])
    model = keras.Sequential([keras.Input((H, H + 1, 3)), inner, *(make[kind]() for kind in kinds[1:]), layers.Flatten(), layers.Dense(2)])
    parameters, macs = totals(counted_layers(model))
    assert parameters == model.count_params()
    shape, products = (H, H + 1, 3), 0
    for kind in kinds:
        h, w, C = shape
        if kind != "pixel":
            h, w = -(-h // S), -(-w // S)
        each = {"full": F * F * C * K, "depthwise": F * F * 2 * C, "separable": F * F * C + C * K, "pixel": C * K}[kind]
        products += h * w * each
        shape = h, w, 2 * C if kind == "depthwise" else K
    assert macs == products + int(np.prod(shape)) * 2


def test_the_chain_takes_the_longest_way():
    layers = keras.layers
    image = keras.Input((8, 8, 4))
    h = layers.Conv2D(4, 3, padding="same")(image)
    long = h
    for _ in range(3):
        long = layers.SeparableConv2D(4, 3, padding="same")(layers.ReLU()(long))
    short = layers.DepthwiseConv2D(3, padding="same")(h)
    h = layers.Add()([short, long])
    h = keras.Sequential([keras.Input((8, 8, 4)), layers.ReLU(), layers.Conv2D(2, 1)])(h)
    model = keras.Model(image, layers.Dense(3)(layers.Flatten()(h)))
    assert chain(model) == 1 + 3 * 2 + 1 + 1
    assert chain(tower(3, True)) == chain(tower(3, False)) == 1 + 6 + 1


# --- towers --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arm", ARMS)
def test_a_tower_has_its_layers(arm):
    model = tower(2, **ARMS[arm])
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 5 and model.output.shape == (None, 10)
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.Add)]) == 2 * ARMS[arm]["shortcut"]
    norms = 4 if "BN" in arm else 0
    assert model.count_params() == 26 * 16 + 4 * (9 * 16 * 16 + 16) + 784 * 10 + 10 + norms * 4 * 16


@pytest.mark.parametrize("seed", range(3))
def test_three_towers_say_the_same_at_the_start(seed):
    x = np.random.default_rng(seed).random((3, 28, 28, 1)).astype(np.float32)
    answers = []
    for arm, blocks in ("shortcut, zero", 3), ("plain, identity", 3), ("plain", 0):
        model = tower(blocks, **ARMS[arm])
        ends = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
        rng = np.random.default_rng(seed)
        for layer in ends[0], ends[-1]:
            layer.kernel.assign(rng.normal(size=layer.kernel.shape))
        answers.append(model.predict_on_batch(x))
    np.testing.assert_allclose(answers[0], answers[2], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers[1], answers[2], rtol=1e-4, atol=1e-4)


def test_look_is_the_signal_and_the_gradient_of_each_block():
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 28, 28, 1)).astype(np.float32), rng.integers(0, 10, 6)
    keras.utils.set_random_seed(0)
    model = tower(2, shortcut=True)
    signal, gradient, alike = look(model, x, y)
    stem, *convolutions, dense = [a for a in model.layers if isinstance(a, keras.layers.Conv2D | keras.layers.Dense)]
    h = stem(x)
    for block, (one, two) in enumerate(zip(convolutions[::2], convolutions[1::2], strict=True)):
        h = h + two(tf.nn.relu(one(tf.nn.relu(h))))
        assert np.isclose(signal[block], np.sqrt(np.mean(h.numpy() ** 2)), rtol=1e-4)
        rows = [row.ravel() for row in np.maximum(h, 0)]
        cosines = [a @ b / np.sqrt(a @ a * (b @ b)) for i, a in enumerate(rows) for b in rows[:i]]
        assert np.isclose(alike[block], np.mean(cosines), rtol=1e-4)
    with tf.GradientTape() as tape:
        tape.watch(h)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, dense(tf.reshape(tf.nn.relu(h), (6, -1))))
    assert np.isclose(gradient[1], np.sqrt(np.mean(tape.gradient(losses, h).numpy() ** 2)), rtol=1e-4)


@given(C=st.integers(1, 6), F=st.sampled_from([1, 3, 5]))
@examples(20)
def test_the_identity_kernel_changes_nothing(C, F):
    x = np.random.default_rng(C).normal(size=(2, 6, 7, C)).astype(np.float32)
    np.testing.assert_array_equal(tf.nn.conv2d(x, identity_kernel((F, F, C, C)), 1, "SAME"), x)


# --- cosines and shuffles ------------------------------------------------------------------------------------------

@examples(30)
@given(c=st.floats(-1, 1))
def test_the_cosine_behind_a_layer_is_an_integral(c):
    # z1, z2 normal with correlation c: E relu(z1) relu(z2) over E relu(z)^2 = 1/2; by quadrature over the angle
    angles = (np.arange(200_000) + 0.5) / 200_000 * 2 * np.pi
    product = np.maximum(np.cos(angles), 0) * np.maximum(np.cos(angles - np.arccos(c)), 0)
    assert np.isclose(next_cosine(c), 2 * np.mean(product) * 2, atol=1e-6)


@examples(30)
@given(seed=seeds, N=st.integers(1, 4), H=st.integers(1, 6), W=st.integers(1, 6))
def test_a_shuffle_moves_every_pixel_of_all_images_alike(seed, N, H, W):
    rng = np.random.default_rng(seed)
    x, order = rng.random((N, H, W, 1)), rng.permutation(H * W)
    y = shuffle_pixels(x, order)
    assert y.shape == x.shape
    for n, place in np.ndindex(N, H * W):
        assert y[n].ravel()[place] == x[n].ravel()[order[place]]
    assert np.array_equal(shuffle_pixels(y, np.argsort(order)), x)
