"""Chapter 23: stored tables, integers against other programs and in JavaScript, files that are opened, cut or hostile."""

import http.client
import json
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile

import keras
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tools.book.files import ROOT, find_notebook
from tools.make.data import load_mnist
from tools.make.ship import BITS, CUT_BITS, CUTS, SEEDS

CHAPTER = definitions("23")
affine, quantise, run_integers = (CHAPTER[n] for n in ("affine", "quantise", "run_integers"))
read_tensors, write_tensors = CHAPTER["read_tensors"], CHAPTER["write_tensors"]
STORED = json.loads((ROOT / "data" / "ship.json").read_text())
TEXT = "".join("".join(cell["source"]) for cell in json.loads(find_notebook("23").read_text())["cells"])
PAGE = "draw-doodle/model.js"  # the figure that reads such a network


# --- what the script wrote -----------------------------------------------------------------------------------------

WAYS = ["channel", "tensor"]


def of_bits(bits, way, half):
    """Return (10, cuts): what the ten seeds read of a half, for each share that the weights were cut to."""
    return np.array([STORED["bits"]["runs"][f"{bits} bits, {way}, seed {seed}"][half] for seed in SEEDS])


def uncut(bits, way):
    """Return what the ten seeds read of all 5,000 images, uncut."""
    return (of_bits(bits, way, "choose")[:, 0] + of_bits(bits, way, "judge")[:, 0]) / 2


def test_every_run_is_stored():
    assert [*range(10)] == SEEDS and {table: about["seeds"] for table, about in STORED.items()} == {"bits": SEEDS, "inputs": SEEDS}
    assert {about["judge"] for about in STORED.values()} == {"validation"} and STORED["bits"]["cuts"] == CUTS and CUTS[0] == 1
    assert STORED["bits"]["runs"].keys() == {f"{b} bits, {way}, seed {s}" for b in BITS for way in WAYS for s in SEEDS}
    assert all(of_bits(b, way, half).shape == (10, len(CUTS) if b in CUT_BITS else 1) for b in BITS for way in WAYS for half in ("choose", "judge"))
    assert STORED["inputs"]["runs"].keys() == {f"{name}, seed {s}" for name in CHAPTER["INPUTS"] for s in SEEDS}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bits", BITS)
def test_the_notebook_has_what_the_script_wrote(bits, way):
    lost = uncut(8, way) - uncut(bits, way)
    if bits < 8:
        assert CHAPTER["LOST"][bits, way] == (round(lost.min(), 4), round(lost.max(), 4))
    wanted = [of_bits(bits, way, "judge")[:, 0].mean()]
    if bits in CUT_BITS:
        best = of_bits(bits, way, "choose").argmax(axis=1)  # each network's own limit, chosen on the other half
        judged = of_bits(bits, way, "judge")[range(10), best]
        wanted += [judged.mean(), judged.min(), judged.max()]
        assert (best > 0).all() and (best < len(CUTS) - 1).all()  # not at the end of the sweep
    assert CHAPTER["JUDGED"][bits, way] == tuple(round(value, 4) for value in wanted)


def test_the_sentences_on_few_bits_have_the_tables_numbers():
    lost, judged = CHAPTER["LOST"], CHAPTER["JUDGED"]
    for way, words in [("channel", "a scale for each channel loses {:.1f} to {:.1f} points"), ("tensor", "one for the layer {:.1f} to {:.1f};")]:
        assert words.format(*(100 * value for value in lost[3, way])) in TEXT
    assert "2 bits read {:.3f} to {:.3f} of the judging half".format(*judged[2, "channel"][2:]) in TEXT
    assert "and {:.3f} to {:.3f} with one for the layer".format(*judged[2, "tensor"][2:]) in TEXT
    assert f"uncut, {judged[2, 'channel'][0]:.2f} and {judged[2, 'tensor'][0]:.2f} on average" in TEXT
    assert all(3 < (1 - judged[2, way][1]) / (1 - judged[8, way][0]) < 4 for way in WAYS)  # three to four times as many are wrong


@pytest.mark.parametrize("bits, way, cut", [(2, "channel", 0.3), (2, "tensor", 0.3), (3, "tensor", 0.6)])
def test_rounded_weights_are_the_formulas(bits, way, cut):
    rng = np.random.default_rng(bits)
    w, bias = rng.normal(size=(3, 3, 2, 5)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    found, same = CHAPTER["with_bits"]([w, bias], bits, way == "channel", cut)
    axes = (0, 1, 2) if way == "channel" else None
    most = cut * np.abs(w).max(axis=axes, keepdims=True)
    step = most / (2 ** (bits - 1) - 1)
    assert np.array_equal(same, bias) and np.allclose(found, np.round(np.clip(w, -most, most) / step) * step, atol=1e-5)
    assert found.min() < 0 < found.max() and np.allclose(np.abs(found).max(axis=axes), most.squeeze(), atol=1e-5)


def test_the_changed_inputs_are_what_the_script_wrote():
    for name, row in CHAPTER["WATCHED"].items():
        runs = [STORED["inputs"]["runs"][f"{name}, seed {seed}"] for seed in SEEDS]
        assert row == [(min(run[key] for run in runs), max(run[key] for run in runs)) for key in ("ink", "unsure", "right", "sure and wrong")]
    assert CHAPTER["WATCHED"].keys() == CHAPTER["INPUTS"].keys()


def test_unsure_is_below_nine_tenths():
    """Logits with largest probabilities .85 and .95: one of two is unsure; softmax takes off the largest logit, for large ones too."""
    class Fixed:
        output_shape = (None, 2)

        def __call__(self, x, training):
            return np.log([[0.85, 0.15], [0.05, 0.95]]) + 1000

    ink, unsure, right, sure_and_wrong = CHAPTER["watch"](Fixed(), np.full((2, 1, 1, 1), 0.25), np.array([0, 0]))
    assert (ink, unsure, right, sure_and_wrong) == (0.25, 0.5, 0.5, 0.5)
    assert np.allclose(CHAPTER["softmax"](np.array([[5000.0, 4000, -4000]])), [[1, 0, 0]])


# --- scale and zero point --------------------------------------------------------------------------------------------

RANGES = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(RANGES, RANGES)
@examples(200)
def test_a_value_within_the_range_comes_back_within_half_a_step(low, high):
    low, high = sorted((low, high))
    if min(low, 0) == max(high, 0):
        with pytest.raises(ValueError, match="no scale"):
            affine(low, high)
        return
    scale, zero = affine(low, high)
    assert -128 <= zero <= 127 and quantise(np.zeros(1), scale, zero)[0] == zero  # 0.0 is exact
    values = np.linspace(min(low, 0), max(high, 0), 100)
    q = quantise(values, scale, zero)
    assert q.dtype == np.int8
    back = scale * (q.astype(float) - zero)
    assert np.all(np.abs(back - values) < 1.01 * scale)  # the ends may lie half a step outside, since 0.0 is exact
    inside = (q > -128) & (q < 127)
    assert np.all(np.abs(back - values)[inside] < 0.501 * scale)


@pytest.mark.parametrize("low, high", [(0, 0), (0, np.inf), (-np.inf, 0), (0, np.nan), (np.nan, 1), (5, -5), (0, 1e-45), (-1e300, 1e300)])
def test_no_scale_covers_nothing_or_everything(low, high):
    with pytest.raises(ValueError, match="no scale covers"):
        affine(low, high)


def test_bytes_are_the_inputs_of_the_network():
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    scale, zero = affine(0, 1)
    assert np.array_equal(quantise(CHAPTER["prepare"](every), scale, zero)[0, ..., 0], every[0].astype(int) - 128)


WEIGHTS = arrays.arrays(np.float32, st.sampled_from([(3, 3, 1, 2), (5, 5, 2, 3), (7, 4)]), elements=st.floats(-8, 8, width=32))


@given(WEIGHTS, st.integers(2, 8), st.booleans())
@examples(100)
def test_weights_come_back_within_half_a_step_and_the_largest_fills_the_range(w, bits, per_channel):
    q, scales = CHAPTER["quantise_weights"](w, bits, per_channel)
    top = 2 ** (bits - 1) - 1
    assert q.dtype == np.int8 and q.shape == w.shape and scales.dtype == np.float32 and scales.shape == w.shape[-1:]
    assert np.abs(q.astype(int)).max() <= top and np.all(np.abs(q * scales - w) <= 0.501 * scales)
    axes = tuple(range(w.ndim - 1)) if per_channel else None
    largest = np.abs(q.astype(int)).max(axis=axes)
    assert np.all((largest == top) | (np.abs(w).max(axis=axes) < 1e-30))
    if not per_channel:
        assert np.all(scales == scales[0])


@pytest.mark.parametrize("bits", [0, 1, 9, 4.0, "8"])
def test_other_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be 2 to 8"):
        CHAPTER["quantise_weights"](np.ones((2, 2)), bits)


def test_a_channel_of_zeros_stays_zero():
    q, scales = CHAPTER["quantise_weights"](np.array([[0, 0.5], [0, -1]], np.float32))
    assert np.array_equal(q, [[0, 64], [0, -127]]) and np.allclose(scales, [1, 1 / 127])


def test_exact_halves_go_upwards():
    acc = np.array([-5, -3, -1, 1, 3, 5], np.int32)
    assert CHAPTER["requantise"](acc, 0.5, 0, False).tolist() == [-2, -1, 0, 1, 2, 3]
    assert CHAPTER["requantise"](acc, 0.5, -7, True).tolist() == [-7, -7, -7, -6, -5, -4]


def test_weights_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="1 weights are not finite"):
        CHAPTER["quantise_weights"](np.array([[np.nan, 1]]))


# --- the integer network ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def digits():
    """A network of the chapter that has seen 20,000 images, and the test images: (model, integer network, bytes, labels)."""
    (x, y), (x_test, y_test) = load_mnist()
    keras.utils.set_random_seed(3)
    model = CHAPTER["pocket_reader"]()
    model.compile(keras.optimizers.Adam(0.01), CHAPTER["COST"])
    model.fit(CHAPTER["prepare"](x[:20_000]), y[:20_000].astype(np.int32), 100, verbose=0)
    return model, CHAPTER["integer_network"](model, CHAPTER["prepare"](x[:200])), x_test[:2000], y_test[:2000]


def as_input(images):
    """Return bytes (N, 28, 28) as the int8 images of an integer network."""
    return (images[..., None].astype(int) - 128).astype(np.int8)


def by_loops(net, q):
    """Compute one image (H, W, C) by the formulas, number by number, in Python's own integers."""
    _, zero = net["input"]
    values = q.astype(object)
    for kind, w, bias, multiplier, _, after in net["layers"]:
        def out(acc, k, low, multiplier=multiplier, after=after):
            return int(np.clip(np.floor(acc * multiplier[k] + 0.5) + after, low, 127))

        if kind == "Dense":
            flat = values.reshape(-1)
            values = np.array([out(sum((int(v) - zero) * int(m) for v, m in zip(flat, w[:, k], strict=True)) + int(bias[k]), k, -128)
                               for k in range(w.shape[-1])], object)
        else:
            (H, W, C), F = values.shape, len(w)
            maps = np.empty((H // 2 * 2, W // 2 * 2, w.shape[-1]), object)
            for i, j, k in np.ndindex(maps.shape):
                maps[i, j, k] = out(int(bias[k]) + sum(
                    (int(values[i + a - F // 2, j + b - F // 2, c]) - zero) * int(w[a, b, c, k])
                    for a, b, c in np.ndindex(F, F, C) if 0 <= i + a - F // 2 < H and 0 <= j + b - F // 2 < W), k, after)
            values = maps.reshape(H // 2, 2, W // 2, 2, -1).max(axis=(1, 3))
        zero = after
    return values.astype(int)


@pytest.mark.parametrize("F, size", [(3, 8), (5, 8), (3, 7), (5, 9)])
def test_the_integers_are_those_of_plain_loops(F, size):
    rng, layers = np.random.default_rng(F * size), keras.layers
    keras.utils.set_random_seed(F * size)
    bend = dict(padding="same", activation="relu", bias_initializer=keras.initializers.Constant(0.1))
    model = keras.Sequential([keras.Input((size, size, 1)), layers.Conv2D(3, F, **bend), layers.MaxPooling2D(2),
                              layers.Conv2D(2, F, **bend), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(4)])
    images = rng.random((20, size, size, 1), np.float32)
    net = CHAPTER["integer_network"](model, images)
    q = quantise(images, *net["input"])
    found = run_integers(net, q)
    assert found.shape == (20, 4) and found.dtype == np.int8
    assert all(np.array_equal(by_loops(net, q[n]), found[n]) for n in range(5))
    exact = CHAPTER["answers"](model, images)
    *_, scale, zero = net["layers"][-1]
    assert np.abs(scale * (found.astype(int) - zero) - exact).max() < 0.1 * (exact.max() - exact.min())


def test_many_images_are_read_as_one_by_one(digits):
    _, net, images, _ = digits
    q = as_input(images[:1100])
    found = run_integers(net, q)
    assert np.array_equal(found[::50], np.concatenate([run_integers(net, each[None]) for each in q[::50]]))


def test_the_converter_makes_the_same_network(digits, tmp_path):
    model, net, images, labels = digits
    bare = CHAPTER["pocket_reader"]()
    bare.set_weights(model.get_weights())
    bare.export(tmp_path / "saved", verbose=False)
    (x, _), _ = load_mnist()
    (tmp_path / "int8.tflite").write_bytes(CHAPTER["litert"](tmp_path / "saved", "int8", CHAPTER["prepare"](x[:200])))
    interpreter, theirs = CHAPTER["litert_tensors"](tmp_path / "int8.tflite")
    for _, w, bias, *_ in net["layers"]:
        for array in (np.moveaxis(w, -1, 0), bias):
            [tensor] = [other for other in theirs if other.shape == array.shape]
            apart = np.abs(array.astype(np.int64) - tensor)  # the converter divides in another order: a few in a million
            assert apart.max() <= 1 and np.sum(apart) <= max(1, array.size // 1000)
    ours, other = run_integers(net, as_input(images)), CHAPTER["through_litert"](interpreter, as_input(images))
    assert np.abs(ours.astype(int) - other).max() <= 1 and np.mean(ours == other) > 0.995
    right = np.mean(ours.argmax(axis=1) == labels)
    assert right > 0.95 and abs(right - CHAPTER["hits"](CHAPTER["answers"](model, CHAPTER["prepare"](images)), labels)) < 0.01


def test_a_border_of_int8_zeros_reads_worse(digits):
    """The pad has the zero point: a pad of q = 0 would be a grey frame."""
    _, net, images, labels = digits
    q, (_, zero) = as_input(images), net["input"]
    for kind, w, bias, m, _, after in net["layers"]:
        if kind == "Conv2D":
            framed = np.pad(q, ((0, 0), (1, 1), (1, 1), (0, 0)))  # int8 0 is 128 steps above the zero point
            q = CHAPTER["pool_integers"](CHAPTER["requantise"](CHAPTER["sums"](framed, zero, kind, w, bias)[:, 1:-1, 1:-1], m, after, True))
        else:
            q = CHAPTER["requantise"](CHAPTER["sums"](q, zero, kind, w, bias), m, after, False)
        zero = after
    assert CHAPTER["hits"](q, labels) < CHAPTER["hits"](run_integers(net, as_input(images)), labels) - 0.02


def reader_of(*first, size=28, last=None):
    """Return a Sequential of `first`, then Flatten and Dense."""
    return keras.Sequential([keras.Input((size, size, 1)), *first, keras.layers.Flatten(), *(last or [keras.layers.Dense(10)])])


def conv(filters=2, F=3, **changes):
    return keras.layers.Conv2D(filters, F, **{"padding": "same", "activation": "relu", **changes})


def pool(size=2, **changes):
    return keras.layers.MaxPooling2D(size, **changes)


L = keras.layers


@pytest.mark.parametrize("layers, last, words", [
    ([L.AveragePooling2D(2)], None, "no rule for a layer .*AveragePooling2D"), ([conv(activation=None), pool()], None, "activation linear"),
    ([conv(activation="tanh"), pool()], None, "activation tanh"), ([conv(F=4), pool()], None, "windows 4 x 4"),
    ([conv(F=(3, 5)), pool()], None, "windows 3 x 5"), ([conv(strides=2)], None, "strides"), ([conv(strides=2), pool()], None, "strides"),
    ([conv(padding="valid"), pool()], None, "padding valid"), ([conv(dilation_rate=2), pool()], None, "dilation_rate"),
    ([conv(), pool(), conv(groups=2), pool()], None, "groups 2"), ([conv(), pool(3)], None, "pool_size"), ([conv(), pool(strides=1)], None, "strides"),
    ([conv(), pool(padding="same")], None, "padding same"), ([conv(), conv(), pool()], None, "order"), ([pool(), conv()], None, "order"),
    ([conv(), pool(), pool()], None, "order"), ([conv()], None, "order"), ([], [L.Dense(10, activation="softmax")], "activation softmax"),
    ([], [L.Dense(5, activation="tanh"), L.Dense(10)], "activation tanh")])
def test_what_the_integers_do_not_compute_is_refused(layers, last, words):
    with pytest.raises(ValueError, match=words):
        CHAPTER["integer_network"](reader_of(*layers, last=last), np.ones((1, 28, 28, 1), np.float32))


@pytest.mark.parametrize("images", [np.full((1, 8, 8, 1), 255), -np.ones((1, 8, 8, 1)), np.full((1, 8, 8, 1), np.nan), np.ones((0, 8, 8, 1))])
def test_images_that_are_not_0_to_1_are_refused(images):
    with pytest.raises(ValueError, match="0 to 1 are wanted"):
        CHAPTER["integer_network"](reader_of(size=8), images)


def test_a_layer_without_bias_is_computed_and_dead_or_overflowing_ones_are_refused():
    images = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    model = reader_of(conv(use_bias=False), pool(), size=8)
    net = CHAPTER["integer_network"](model, images)
    assert np.array_equal(net["layers"][0][2], [0, 0])
    found, exact = run_integers(net, quantise(images, *net["input"])), CHAPTER["answers"](model, images)
    *_, scale, zero = net["layers"][-1]
    assert np.abs(scale * (found.astype(int) - zero) - exact).max() < 0.1 * np.ptp(exact)
    assert run_integers(net, np.zeros((0, 8, 8, 1), np.int8)).shape == (0, 10)
    with pytest.raises(ValueError, match="dead: .*maps of 0.0 to 0.0"):
        CHAPTER["integer_network"](reader_of(conv(bias_initializer=keras.initializers.Constant(-99), name="dead"), pool(), size=8), images)
    small = keras.initializers.Constant(1e-8)
    with pytest.raises(ValueError, match="huge: a bias of"):
        CHAPTER["integer_network"](reader_of(conv(kernel_initializer=small, bias_initializer=keras.initializers.Constant(0.5), name="huge"), pool(), size=8), images)


@pytest.mark.parametrize("q", [np.zeros((1, 28, 28, 1), np.uint8), np.zeros((28, 28, 1), np.int8)])
def test_images_that_are_not_int8_are_refused(digits, q):
    with pytest.raises(ValueError, match="int8"):
        run_integers(digits[1], q)


# --- the page computes the same --------------------------------------------------------------------------------------

def test_20000_of_20000_integers_are_those_of_the_page(digits, tmp_path):
    _, net, images, _ = digits
    sys.path.insert(0, str(ROOT / "tests" / "figures"))
    import figure_models

    path = tmp_path / "digits.safetensors"
    CHAPTER["save_integers"](path, net, names=json.dumps([*"0123456789"]))
    theirs = []
    for part in np.split(images, 10):
        theirs += figure_models.evaluate(PAGE, """(() => {
            const net = model.readNetwork(Uint8Array.from(file).buffer);
            return images.map((bytes) => Array.from(model.forward(net, Uint8Array.from(bytes)).logits)); })()""",
            file=list(path.read_bytes()), images=part.reshape(len(part), -1).tolist())
    ours = run_integers(net, as_input(images))
    assert ours.size == 20_000 and np.sum(np.array(theirs) == ours) == 20_000
    assert len(np.unique(ours)) > 150  # and not one number 20,000 times


def test_the_pages_line_is_the_one_that_is_shown():
    for text in (TEXT, (ROOT / "book" / "figures" / PAGE).read_text()):  # the page breaks the line for phones
        assert "returnclamp(Math.floor(sum*multiplier+0.5)+zero,low,127);" in "".join(text.split())


# --- files -----------------------------------------------------------------------------------------------------------

def test_the_library_reads_what_is_written_by_hand_and_the_other_way(tmp_path):
    rng = np.random.default_rng(0)
    given_ = {"a": rng.random((3, 4), np.float32), "b/c": rng.integers(-9, 9, (2, 2), np.int32), "empty": np.zeros((0, 3), np.int8),
              "one": np.array(2.5), "half": np.ones(5, np.float16), "bytes": np.arange(7, dtype=np.uint8)}
    write_tensors(tmp_path / "ours", given_, made="by hand", ü="ä")
    for read in (safetensors.numpy.load_file(tmp_path / "ours"), read_tensors((tmp_path / "ours").read_bytes())[0]):
        assert read.keys() == given_.keys()
        assert all(np.array_equal(read[k], given_[k]) and read[k].dtype == given_[k].dtype for k in given_)
    assert read_tensors((tmp_path / "ours").read_bytes())[1] == {"made": "by hand", "ü": "ä"}
    safetensors.numpy.save_file(given_, tmp_path / "theirs", {"made": "by the library"})
    read, about = read_tensors((tmp_path / "theirs").read_bytes())
    assert about == {"made": "by the library"} and all(np.array_equal(read[k], given_[k]) for k in given_)


WHOLE = {"a": np.arange(6, dtype=np.int8).reshape(2, 3), "b": np.arange(4, dtype=np.float32)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("tensors") / "whole"
    write_tensors(path, WHOLE, about="it")
    return path.read_bytes()


def test_a_file_cut_anywhere_is_refused_as_the_library_refuses_it(whole):
    for end in range(len(whole)):
        with pytest.raises(ValueError):
            read_tensors(whole[:end])
        with pytest.raises(Exception):  # noqa: B017
            safetensors.numpy.load(whole[:end])


@given(st.data())
@examples(300)
def test_bytes_that_were_changed_are_read_or_refused_with_a_sentence(whole, data):
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] = data.draw(st.integers(0, 255))
    check_reader(bytes(changed))


@given(st.binary(max_size=60) | st.builds(
    lambda text: struct.pack("<Q", len(text.encode("utf-8", "replace"))) + text.encode("utf-8", "replace"),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text("data_ofseUI8[]", max_size=4),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                     st.sampled_from(["a", "dtype", "shape", "data_offsets", "__metadata__"]), inner)).map(json.dumps)))
@examples(300)
def test_nonsense_is_refused_with_a_sentence(data):
    check_reader(data)


def check_reader(data):
    try:
        read, about = read_tensors(data)
    except ValueError as error:
        assert 5 < len(str(error)) < 300
    else:
        assert all(isinstance(array, np.ndarray) for array in read.values()) and isinstance(about, dict)


def entry(**changes):
    return {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]} | changes


@pytest.mark.parametrize("header, size", [
    ({"a": entry(data_offsets=[0, 2**70])}, 2), ({"a": entry(shape=[-1, -2])}, 2), ({"a": entry(shape=[2.0])}, 2),
    ({"a": entry(shape=[True, 2])}, 2), ({"a": entry(dtype="O")}, 2), ({"a": entry(dtype=["I8"])}, 2), ({"a": entry(shape=2)}, 2),
    ({"a": entry(data_offsets=[2, 0])}, 2), ({"a": entry(data_offsets=[0])}, 2), ({"a": entry(), "b": entry()}, 2),
    ({"a": entry(), "b": entry(data_offsets=[3, 5])}, 5), ({"a": entry()}, 3), ({"a": entry(shape=[2**40, 2**40])}, 2),
    ({"__metadata__": {"a": 1}}, 0), ({"__metadata__": "words"}, 0), ([], 0), ("a", 0), (None, 0), ({"a": None}, 0), ({"a": entry(shape="22")}, 2),
    ({"a": {"dtype": "I8", "shape": [2]}}, 2),
    (b'{"a": 1, "a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2]}}', 2), (json.dumps({"a": entry()}).encode("utf-16"), 2),
    (b"\xef\xbb\xbf" + json.dumps({"a": entry()}).encode(), 2), (b'{"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2], "x": NaN}}', 2)])
def test_a_hostile_header_is_refused_by_us_and_by_the_library(header, size):
    text = header if type(header) is bytes else json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + bytes(size)
    with pytest.raises(ValueError):
        read_tensors(data)
    with pytest.raises(Exception):  # noqa: B017
        safetensors.numpy.load(data)


def test_a_type_that_is_unknown_is_named_and_what_has_no_place_is_not_written(tmp_path):
    text = json.dumps({"a": entry(dtype="I64", shape=[1], data_offsets=[0, 8])}).encode()
    with pytest.raises(ValueError, match="of type I64, which this reader does not know"):
        read_tensors(struct.pack("<Q", len(text)) + text + bytes(8))
    for arrays_, about in [({"a": np.arange(3)}, {}), ({"a": np.ones(3, bool)}, {}), ({"__metadata__": np.ones(3)}, {}), ({}, {"a": 3})]:
        with pytest.raises(ValueError, match="place|sentences"):
            write_tensors(tmp_path / "none", arrays_, **about)
    assert not (tmp_path / "none").exists()


def test_the_numbers_begin_at_a_multiple_of_eight(whole):
    assert struct.unpack("<Q", whole[:8])[0] % 8 == 0


def test_a_header_that_is_deep_or_announced_large_is_refused_at_once():
    deep = b"[" * 200_000
    for data in (struct.pack("<Q", len(deep)) + deep, struct.pack("<Q", 2**63) + b"{}", b""):
        with pytest.raises(ValueError):
            read_tensors(data)


def test_a_network_read_back_computes_the_same_and_nonsense_is_none(digits, tmp_path):
    _, net, images, _ = digits
    path = tmp_path / "net"
    CHAPTER["save_integers"](path, net, names=json.dumps([*"0123456789"]))
    again, words = CHAPTER["load_integers"](path)
    q = as_input(images[:100])
    assert np.array_equal(run_integers(again, q), run_integers(net, q)) and json.loads(words["names"]) == [*"0123456789"]
    assert np.isclose(again["layers"][-1][4], net["layers"][-1][4])
    tensors, about = read_tensors(path.read_bytes())
    for changes in ({"layers": "[]]"}, {"layers": "3"}, {"output": "{}"}, {"layers": json.dumps([{"name": "x", "kind": "Dense", "zero": 0}])},
                    {"layers": about["layers"].replace("Conv2D", "Lambda")}, {"layers": about["layers"].replace('"kind": "Dense"', '"kind": "Conv2D"')}):
        write_tensors(path, tensors, **about | changes)
        with pytest.raises(ValueError, match="no integer network"):
            CHAPTER["load_integers"](path)
    layers, scale = json.loads(about["layers"]), json.loads(about["output"])["scale"]
    last = layers[-1]["zero"]
    wrong = [layers[::-1], [layers[0], *layers], layers[:-1], [], {}, [[]] * 3, [layers[0], layers[2], layers[1]]]
    wrong += [[layers[0] | {"zero": zero}, *layers[1:]] for zero in (-129, 300, 1e9, 0.5, "7", True, None)]
    words = [{"layers": json.dumps(each)} for each in wrong]
    words += [{"output": json.dumps({"scale": scale, "zero": last} | change)} for change in (
        {"scale": None}, {"scale": -1}, {"scale": 0}, {"scale": float("nan")}, {"zero": last - 1})]
    words += [{"layers": about["layers"].replace(f'"zero": {last}', '"zero": 1e400')}, {"layers": "[" * 100_000}, {"output": "[" * 100_000},
              {"output": f'{{"scale": 1e400, "zero": {last}}}'}]
    multiplier = next(array for name, array in tensors.items() if name.endswith("multiplier"))
    for change, more in [*((each, {}) for each in words), ({}, {"extra": np.ones(2)}),
                         *(({}, {"conv2d0/multiplier": multiplier * bad}) for bad in (np.nan, np.inf, -1, 0)),
                         *(({}, {"conv2d0/weights": np.ones(shape, np.int8)}) for shape in ((4, 4, 1, 8), (3, 5, 1, 8))),
                         ({}, {"conv2d2/weights": np.ones((3, 3, 4, 16), np.int8)}), ({}, {"dense4/weights": np.ones((783, 10), np.int8)})]:
        more = {name.replace("conv2d2", layers[1]["name"]).replace("dense4", layers[2]["name"]): array for name, array in more.items()}
        assert "extra" in more or more.keys() <= tensors.keys()
        write_tensors(path, tensors | more, **about | change)
        with pytest.raises(ValueError, match="no integer network"):
            CHAPTER["load_integers"](path)
    for name, array in tensors.items():
        write_tensors(path, tensors | {name: array.astype(np.float32)}, **about)
        with pytest.raises(ValueError, match="no integer network"):
            CHAPTER["load_integers"](path)
    write_tensors(path, WHOLE)
    with pytest.raises(ValueError, match="no integer network"):
        CHAPTER["load_integers"](path)


def test_the_doodle_network_is_one():
    net, words = CHAPTER["load_integers"](ROOT / "book" / "figures" / "draw-doodle" / "network.safetensors")
    assert len(json.loads(words["names"])) == net["layers"][-1][1].shape[-1]


def test_a_saved_model_can_write_a_file_when_it_is_asked(tmp_path):
    class Program(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([])])
        def serve(self, x):
            tf.io.write_file(str(tmp_path / "written"), "by the graph")
            return x

    tf.saved_model.save(Program(), str(tmp_path / "program"))
    opened = tf.saved_model.load(str(tmp_path / "program"))
    assert not (tmp_path / "written").exists()  # opening alone does not run it
    opened.serve(tf.constant(1.0))
    assert (tmp_path / "written").read_text() == "by the graph"


def test_a_fresh_python_opens_the_keras_file_with_keras_alone(digits, tmp_path):
    model, _, images, _ = digits
    model.save(tmp_path / "trained.keras")
    x = CHAPTER["prepare"](images[:100])
    np.save(tmp_path / "x.npy", x)
    code = ("import keras, numpy as np; m = keras.models.load_model('trained.keras'); "
            "np.save('y.npy', np.array(m(np.load('x.npy')))); print(type(m.optimizer).__name__)")
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=True)
    assert done.stdout.split()[-1] == "Adam"  # it can go on training
    assert np.abs(np.load(tmp_path / "y.npy") - CHAPTER["answers"](model, x)).max() < 1e-4
    with zipfile.ZipFile(tmp_path / "trained.keras") as file:
        assert {"config.json", "model.weights.h5"} <= {*file.namelist()}


# --- the server ------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def port(digits):
    with CHAPTER["server_for"](digits[1]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.server_address[0] == "127.0.0.1"  # nobody else can ask
        yield server.server_address[1]
        server.shutdown()


def test_the_server_reads_digits(digits, port):
    _, net, images, _ = digits
    expected = run_integers(net, as_input(images[:1000])).argmax(axis=1).tolist()
    assert CHAPTER["ask"](port, images[:1000].tobytes()) == (200, {"digits": expected})
    assert CHAPTER["ask"](port, images[3].tobytes()) == (200, {"digits": expected[3:4]})


@pytest.mark.parametrize("body, path, words", [
    (b"", "/read", "0 bytes"), (b"x" * 783, "/read", "783 bytes"), (b"x" * 784 * 1001, "/read", "1 to 1,000"), (b"x" * 784_000, "/", "there is no /")])
def test_a_bad_request_gets_a_sentence(port, body, path, words):
    status, answer = CHAPTER["ask"](port, body, path)
    assert status == 400 and words in answer["error"]


@pytest.mark.parametrize("length", ["-784", "many", "1e3", "", "9" * 30, "٧٨٤"])
def test_a_length_that_is_none_gets_a_sentence(port, length):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest("POST", "/read")
    client.putheader("Content-Length", length.encode())
    client.endheaders()
    reply = client.getresponse()
    assert reply.status == 400 and "error" in json.loads(reply.read())
    client.close()


def test_whoever_sends_less_than_announced_keeps_nobody_waiting(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest("POST", "/read")
    client.putheader("Content-Length", "784")
    client.endheaders()
    client.send(b"short")
    assert CHAPTER["ask"](port, bytes(784))[0] == 200  # another is answered meanwhile
    client.sock.shutdown(socket.SHUT_WR)  # and now it says that nothing follows
    reply = client.getresponse()
    assert reply.status == 400 and json.loads(reply.read())["error"] == "5 bytes came, 784 were announced"
    client.close()


def test_whoever_stops_sending_is_told_so(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest("POST", "/read")
    client.putheader("Content-Length", "784")
    client.endheaders()
    client.send(b"short")
    reply = client.getresponse()
    assert reply.status == 408 and json.loads(reply.read())["error"] == "nothing came for 5 seconds"
    client.close()


@pytest.mark.parametrize("method, headers, status", [("GET", {}, 501), ("PUT", {}, 501), ("POST", {"Transfer-Encoding": "chunked", "Content-Length": "784"}, 400)])
def test_another_method_or_pieces_get_a_sentence(port, method, headers, status):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.putrequest(method, "/read")
    for name, value in headers.items():
        client.putheader(name, value)
    client.endheaders()
    reply = client.getresponse()
    assert reply.status == status and json.loads(reply.read())["error"]
    client.close()


def test_whoever_hangs_up_leaves_no_traceback(port, capfd):
    for _ in range(3):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        client.sendall(b"POST /read HTTP/1.1\r\nContent-Length: 784\r\n\r\nshort")
        client.close()
    assert CHAPTER["ask"](port, bytes(784))[0] == 200
    time.sleep(0.5)
    assert "Traceback" not in capfd.readouterr().err
