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
from tools.make.data import as_input, load_mnist

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
        name = f"{kind}, {depth} layers"
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
    assert "20 plain layers read {:.3f}, 20 mended ones {:.3f}, and 2 layers {:.3f}".format(
        epoch["plain, 20 layers"], epoch["shortcut, zero, 20 layers"], epoch["plain, 2 layers"]) in text
    after = {name: np.mean(right) for name, (_, right) in CHAPTER["AFTER_EPOCH"].items()}
    flat, means = ([after[f"{thin}, {head}"] for thin in CHAPTER["THIN"]] for head in ("flatten", "global"))
    assert "after an epoch the three read {:.3f}, {:.3f} and {:.3f}".format(*flat) in text
    assert "the full layers read {:.3f} with it, the split ones {:.3f}, the narrow ones {:.3f} (flattened: all 0.98)".format(*means) in text
    more = {arm: np.mean(values) for arm, (_, values) in CHAPTER["MORE"].items()}
    assert "with a shortcut and a cure, {:.2f} (*scale*), {:.2f} (*zero*) and {:.2f} (*BN*)".format(
        more["shortcut, scaled"], top["shortcut, zero"], more["shortcut, BN"]) in text
    read = {key: max(means) for key, means in CHAPTER["SHUFFLED"].items()}
    assert "The dense network reads {:.3f} before and {:.3f} after. The convolutional one falls from {:.3f} to {:.3f}".format(
        *(read[name, kind] for name in ("dense", "convolution") for kind in ("as is", "shuffled"))) in text


def test_what_the_sentences_claim_holds_in_the_whole_store():
    glorot = stored("steps", "plain, Glorot, 20 layers", "loss").values()  # it guesses at every rate
    assert min(map(min, glorot)) > 2.29 and max(map(np.mean, stored("steps", "plain, Glorot, 20 layers", "accuracy").values())) < 0.15
    rate = best("steps", "shortcut, 20 layers", "accuracy")  # one seed of three ends at guessing at the best rate
    assert [value < 0.12 for value in stored("steps", "shortcut, 20 layers", "accuracy")[rate]].count(True) == 1
    assert best("epoch", "plain, 2 layers", "accuracy") == STORED["epoch"]["rates"][-1]  # as the text admits
    full, split, narrow = (np.mean(stored("few", f"{name}, flatten", "accuracy")[0.3]) for name in CHAPTER["THIN"])
    assert 0.01 < full - narrow < 0.02 and 0.01 < full - split < 0.02 and abs(split - narrow) < 0.01
    dense, convolution = (stored("shuffled", f"{name}, as is", "accuracy")[0.3] for name in ("dense", "convolution"))
    assert min(np.subtract(convolution, dense)) > 0 and np.mean(np.subtract(convolution, dense)) < 0.02


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


def lower(x):
    return x - 0.1


def normalised(x):
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    return (x - mean) / tf.sqrt(variance + 1e-3)


NORMS = {"": (keras.layers.Identity, tf.identity), "lower": (lambda: keras.layers.Lambda(lower), lower),
         "BN": (keras.layers.BatchNormalization, normalised)}


@pytest.mark.parametrize("shortcut", [True, False])
@pytest.mark.parametrize(("scale", "norm"), [(1.0, ""), (0.3, ""), (1.0, "lower"), (0.3, "BN")])
def test_look_is_the_signal_and_the_gradient_of_each_block(shortcut, scale, norm):
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 28, 28, 1)).astype(np.float32), rng.integers(0, 10, 6)
    keras.utils.set_random_seed(0)
    make, by_hand = NORMS[norm]
    model = tower(2, shortcut, scale=scale, norm=make)
    signal, gradient, alike = look(model, x, y)
    stem, *convolutions, dense = [a for a in model.layers if isinstance(a, keras.layers.Conv2D | keras.layers.Dense)]
    h = stem(x)
    for block, (one, two) in enumerate(zip(convolutions[::2], convolutions[1::2], strict=True)):
        f = h
        for layer in one, two:  # normalise, then the ReLU, then the layer
            f = layer(tf.nn.relu(by_hand(f)))
        h = shortcut * h + scale * f
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


def test_towers_at_their_start_do_what_the_text_says():
    (images, labels), _ = load_mnist()
    x, y, seen = as_input(images[:64]), labels[:64].astype(np.int32), {}
    for arm in "plain", "shortcut", "shortcut, scaled", "shortcut, BN":
        for seed in range(3):
            keras.utils.set_random_seed(seed)
            seen[arm, seed] = look(tower(10, **ARMS[arm]), x, y)
    drift = {arm: np.mean([seen[arm, seed][2][-1] - seen[arm, seed][2][0] for seed in range(3)]) for arm, _ in seen}
    assert drift["shortcut, scaled"] < 0.8 * drift["plain"]  # a cured one drifts less
    assert drift["shortcut, BN"] < 0.8 * drift["plain"]
    assert drift["shortcut"] > 0.8 * drift["plain"]  # the bare one as much
    for seed in range(3):  # with BN a block adds about 1 to the mean square
        squares = seen["shortcut, BN", seed][0] ** 2
        assert abs(np.mean(np.diff(squares)) - 1) < 0.4 and 8 < squares[-1] < 14


# --- small functions -----------------------------------------------------------------------------------------------

def test_relu_drops_what_is_negative():
    assert CHAPTER["relu"](np.array([-2.0, 0, 3])).tolist() == [0, 0, 3]


@pytest.mark.parametrize(("step", "rate"), [(0, 0.3), (30, 0.15), (60, 0)])
def test_the_rate_falls_along_half_a_cosine(step, rate):
    optimizer = CHAPTER["falling"](0.3)
    assert isinstance(optimizer, keras.optimizers.SGD)
    optimizer.build([keras.Variable(0.0)])
    optimizer.iterations.assign(step)
    assert np.isclose(float(optimizer.learning_rate), rate, atol=1e-6)


def test_the_share_read_is_of_all_images_and_not_in_training():
    calls = []

    def model(images, training=None):
        calls.append((len(images), training))
        return np.eye(10)[images]

    images = np.arange(2500) % 10
    labels = np.where(np.arange(2500) < 2100, images, (images + 1) % 10)
    assert np.isclose(CHAPTER["share_read"](model, images, labels), 2100 / 2500)
    assert calls == [(1000, False), (1000, False), (500, False)]


def test_training_is_one_pass_of_batches_of_64():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(10)])
    trained = CHAPTER["trained_on"](model, keras.optimizers.SGD(0.1), np.ones((150, 2), np.float32), np.zeros(150, np.int32))
    assert trained is model and int(model.optimizer.iterations) == 3


@pytest.mark.parametrize(("name", "hidden"), [("dense", [1]), ("convolution", [0, 1])])
def test_the_two_networks_have_a_relu_behind_each_hidden_layer(name, hidden):
    keras.utils.set_random_seed(0)
    model = CHAPTER["two_networks"]()[name]
    probe = keras.Model(model.inputs, [layer.output for layer in model.layers])
    found = probe.predict_on_batch(np.random.default_rng(0).normal(size=(20, 28, 28, 1)))
    assert all(found[i].min() == 0 < found[i].max() for i in hidden)
    assert found[-1].min() < 0 and found[-1].shape == (20, 10)


def test_the_old_ones_are_what_keras_builds():
    layers = keras.layers
    lenet = keras.Sequential([
        keras.Input((32, 32, 1)), layers.Conv2D(6, 5), layers.AveragePooling2D(2), layers.Conv2D(16, 5), layers.AveragePooling2D(2),
        layers.Conv2D(120, 5), layers.Flatten(), layers.Dense(84), layers.Dense(10)])
    assert CHAPTER["famous"]("LeNet-5") == (5, *totals(counted_layers(lenet))) == (5, lenet.count_params(), 416_520)
    alexnet = keras.Sequential([
        keras.Input((227, 227, 3)), layers.Conv2D(96, 11, 4), layers.MaxPooling2D(3, 2), layers.Conv2D(256, 5, padding="same", groups=2),
        layers.MaxPooling2D(3, 2), layers.Conv2D(384, 3, padding="same"), layers.Conv2D(384, 3, padding="same", groups=2),
        layers.Conv2D(256, 3, padding="same", groups=2), layers.MaxPooling2D(3, 2), layers.Flatten()])
    trunk, top = CHAPTER["ALEXNET"][:5], CHAPTER["ALEXNET"][5:]
    assert totals(trunk) == totals(counted_layers(alexnet)) and totals(trunk)[0] == alexnet.count_params()
    assert alexnet.layers[-1].output.shape == (None, 9216) and totals(top)[1] == 9216 * 4096 + 4096 * 4096 + 4096 * 1000
    assert totals(trunk + top)[0] == 60_965_224  # "60 million parameters", says the paper


def test_vgg16_has_16_layers_with_its_dense_ones():
    assert CHAPTER["famous"]("VGG16")[:2] == (16, 138_357_544)


# --- cosines and shuffles ------------------------------------------------------------------------------------------

@examples(30)
@given(c=st.floats(-1, 1))
def test_the_cosine_behind_a_layer_is_an_integral(c):
    # z1, z2 normal with correlation c: E relu(z1) relu(z2) over E relu(z)^2 = 1/2; by quadrature over the angle
    angles = (np.arange(200_000) + 0.5) / 200_000 * 2 * np.pi
    product = np.maximum(np.cos(angles), 0) * np.maximum(np.cos(angles - np.arccos(c)), 0)
    assert np.isclose(next_cosine(c), 2 * np.mean(product) * 2, atol=1e-6)


def test_the_cosine_survives_rounding():
    assert np.isclose(next_cosine(1 + 1e-9), 1) and np.isclose(next_cosine(-1 - 1e-9), 0)


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


# --- checkers ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("checker", "answer"), [
    ("check_bill", [784, 78_400]), ("check_bill", np.array([784, 78_400])), ("check_bill", (784.0, np.float32(78_400))),
    ("check_tower_order", list("ABDEC")), ("check_tower_order", np.array("ABDEC")), ("check_tower_order", np.array(list("ABDEC"))),
    *(("check_as_full", lambda d, p, dtype=dtype: (d[..., None] * p).astype(dtype)) for dtype in ("float16", "float32", "float64")),
    ("check_residual", lambda x, w1, w2: tf.nn.relu(tf.nn.relu(x) @ w1) @ w2 + x),
    ("check_evidence", lambda maps, w, b: tf.tensordot(maps, w, 1) + b),
    ("check_evidence", lambda maps, w, b: (maps @ w + b).astype(np.float32)),
])
def test_other_right_answers_are_accepted(checker, answer):
    assert CHAPTER[checker](answer).startswith("Correct")


@pytest.mark.parametrize(("name", "size"), [("InceptionV3", 299), ("MobileNetV2", 224)])
def test_the_sizes_of_the_bills(name, size):
    assert getattr(keras.applications, name)(weights=None).inputs[0].shape == (None, size, size, 3)
    assert "InceptionV3 is billed for 299 by 299 pixels, its neighbours for 224 by 224" in find_notebook("15").read_text()
