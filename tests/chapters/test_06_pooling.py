"""Chapter 06: pool2d against TensorFlow, SciPy and a plain loop that never pads; the stored answers under shift."""

import json
import re

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from conftest import definitions, examples, find_notebook
from hypothesis import given
from hypothesis import strategies as st

from tools.make import shift
from tools.make.data import load_mnist

CHAPTER = definitions("06")
pool2d = CHAPTER["pool2d"]
KINDS = ["max", "average", "l2", "min"]
many = examples(200)
sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))


@st.composite
def maps(draw, least=1):
    """Draw maps (N, H, W, C): normal numbers around -3, 0 or 3, at times whole, so that there are ties."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(least, 12)), draw(st.integers(least, 12)), draw(st.integers(1, 4)))
    x = np.random.default_rng(draw(st.integers(0, 10**6))).normal(size=shape) + draw(st.sampled_from([-3, 0, 3]))
    return np.round(x) if draw(st.booleans()) else x


@st.composite
def explicit(draw, size):
    """Draw ((top, bottom), (left, right)), each below the size of the window."""
    return tuple((draw(st.integers(0, side - 1)), draw(st.integers(0, side - 1))) for side in size)


def loop(x, size, stride, sides, kind):
    """Pool x with plain loops; sides: the padding, ((top, bottom), (left, right))."""
    combine = {"max": np.max, "min": np.min, "average": np.mean, "l2": lambda cells: np.sqrt(np.sum(cells**2))}[kind]
    starts = [range(-before, side + after - F + 1, S)
              for side, F, S, (before, after) in zip(x.shape[1:3], size, stride, sides)]
    y = np.zeros((x.shape[0], len(starts[0]), len(starts[1]), x.shape[3]))
    for n, i, j, c in np.ndindex(y.shape):
        top, left = starts[0][i], starts[1][j]
        cells = x[n, max(top, 0):top + size[0], max(left, 0):left + size[1], c]
        assert cells.size
        y[n, i, j, c] = combine(cells)
    return y


def fits(x, size, sides=((0, 0), (0, 0))):
    return all(F <= side + sum(zeros) for F, side, zeros in zip(size, x.shape[1:3], sides))


def agree(ours, theirs, kind):
    """Compare to the last bit where nothing is computed, else to 1e-12."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0 if kind in ("max", "min") else 1e-12)


@many
@given(x=maps(), size=sizes, stride=sizes, padding=st.sampled_from(["SAME", "VALID"]))
def test_max_and_average_are_tensorflows(x, size, stride, padding):
    tensor = tf.constant(x)  # max_pool2d makes float32 of a NumPy array
    for kind, theirs in ("max", tf.nn.max_pool2d), ("average", tf.nn.avg_pool2d):
        if padding == "VALID" and not fits(x, size):
            with pytest.raises(ValueError, match="does not fit"):
                pool2d(x, size, stride, padding, kind)
        else:
            agree(pool2d(x, size, stride, padding, kind), theirs(tensor, size, stride, padding), kind)


@many
@given(x=maps(), size=sizes, stride=sizes)
def test_min_and_l2_with_same_agree_with_tensorflow_and_signs(x, size, stride):
    agree(pool2d(x, size, stride, "SAME", "min"), -tf.nn.max_pool2d(tf.constant(-x), size, stride, "SAME"), "min")
    squares = pool2d(x**2, size, stride, "SAME", "average") * pool2d(np.ones_like(x), size, stride, "SAME", "l2") ** 2
    agree(pool2d(x, size, stride, "SAME", "l2"), np.sqrt(squares), "l2")


@many
@given(data=st.data(), x=maps(), size=sizes, stride=sizes, kind=st.sampled_from(KINDS))
def test_explicit_padding_is_the_loop_over_real_cells(data, x, size, stride, kind):
    sides = data.draw(explicit(size))
    if fits(x, size, sides):
        y = pool2d(x, size, stride, sides, kind)
        agree(y, loop(x, size, stride, sides, kind), kind)
        assert np.all(np.isfinite(y))
        if kind == "max":
            agree(y, tf.nn.max_pool2d(tf.constant(x), size, stride, [[0, 0], *map(list, sides), [0, 0]]), kind)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            pool2d(x, size, stride, sides, kind)


@many
@given(x=maps(least=5), size=sizes, stride=sizes, kind=st.sampled_from(KINDS))
def test_valid_is_the_loop(x, size, stride, kind):
    agree(pool2d(x, size, stride, kind=kind), loop(x, size, stride, ((0, 0), (0, 0)), kind), kind)


@many
@given(x=maps(), size=st.sampled_from([(1, 1), (1, 3), (3, 1), (3, 3), (5, 3), (5, 5)]))
def test_stride_1_is_scipys_filter(x, size):
    window = (1, *size, 1)
    for kind, theirs, beyond in ("max", scipy.ndimage.maximum_filter, -np.inf), ("min", scipy.ndimage.minimum_filter, np.inf):
        agree(pool2d(x, size, 1, "SAME", kind), theirs(x, window, mode="constant", cval=beyond), kind)
    total = scipy.ndimage.correlate(x**2, np.ones(window), mode="constant")
    agree(pool2d(x, size, 1, "SAME", "l2"), np.sqrt(total), "l2")


@many
@given(x=maps(least=5), size=st.integers(1, 5), stride=st.integers(1, 5), kind=st.sampled_from(KINDS))
def test_arguments_mean_what_they_say(x, size, stride, kind):
    before = x.copy()
    y = pool2d(x, size, stride, "SAME", kind)
    assert np.array_equal(y, pool2d(x, (size, size), [stride, stride], padding="SAME", kind=kind))
    assert np.array_equal(pool2d(x, size, kind=kind), pool2d(x, size, size, "VALID", kind))
    assert np.array_equal(pool2d(x, (size, 2), kind=kind), pool2d(x, (size, 2), (size, 2), "VALID", kind))
    assert np.array_equal(pool2d(x, size), pool2d(x, size, kind="max"))
    assert np.array_equal(x, before), "the input is left alone"
    y[:] = 0  # and the output is no view of it
    assert np.array_equal(x, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (2, 1))])
def test_the_type_stays_or_becomes_float64(kind, padding):
    x = np.random.default_rng(0).normal(size=(2, 7, 8, 3)) * 9
    exact = pool2d(x.astype(np.float32).astype(np.float64), 3, 2, padding, kind)
    single = pool2d(x.astype(np.float32), 3, 2, padding, kind)
    assert exact.dtype == np.float64 and single.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-5)
    bytes_ = np.random.default_rng(0).integers(0, 256, (2, 7, 8, 3), dtype=np.uint8)
    for whole in bytes_, bytes_.astype(np.int64) - 128, bytes_ > 99:
        y = pool2d(whole, 3, 2, padding, kind)
        assert y.dtype == np.float64 and np.array_equal(y, pool2d(whole.astype(np.float64), 3, 2, padding, kind))


def test_negative_maps_stay_negative():
    x = -1 - np.random.default_rng(0).random((2, 7, 9, 3))
    for padding in "SAME", "VALID", ((2, 2), (2, 2)):
        for kind in "max", "min", "average":
            y = pool2d(x, 3, 2, padding, kind)
            assert -2 <= y.min() and y.max() <= -1


def test_no_images_give_no_outputs():
    for kind in KINDS:
        assert pool2d(np.zeros((0, 6, 6, 2)), 2, kind=kind).shape == (0, 3, 3, 2)


@pytest.mark.parametrize("shape, arguments, told", [
    ((4, 4), dict(size=2), ["(4, 4)"]),
    ((4, 4, 3), dict(size=2), ["(4, 4, 3)"]),
    ((1, 1, 4, 4, 3), dict(size=2), ["(1, 1, 4, 4, 3)"]),
    ((1, 0, 4, 1), dict(size=2, padding=((1, 1), (0, 0))), ["0"]),
    ((1, 4, 4, 1), dict(size=0), ["size", "0"]),
    ((1, 4, 4, 1), dict(size=-2), ["size", "-2"]),
    ((1, 4, 4, 1), dict(size=2.5), ["size", "2.5"]),
    ((1, 4, 4, 1), dict(size=True), ["size", "True"]),
    ((1, 4, 4, 1), dict(size="2"), ["size", "'2'"]),
    ((1, 4, 4, 1), dict(size=None), ["size", "None"]),
    ((1, 4, 4, 1), dict(size=(2, 0)), ["size", "0"]),
    ((1, 4, 4, 1), dict(size=(1, 2, 2, 1)), ["size", "(1, 2, 2, 1)"]),
    ((1, 4, 4, 1), dict(size=2, stride=0), ["stride", "0"]),
    ((1, 4, 4, 1), dict(size=2, stride=-1), ["stride", "-1"]),
    ((1, 4, 4, 1), dict(size=2, stride=1.5), ["stride", "1.5"]),
    ((1, 4, 4, 1), dict(size=2, stride=(1, 2, 3)), ["stride", "(1, 2, 3)"]),
    ((1, 4, 4, 1), dict(size=2, padding="same"), ["padding", "'same'", "SAME", "VALID"]),
    ((1, 4, 4, 1), dict(size=2, padding=1), ["padding", "1"]),
    ((1, 4, 4, 1), dict(size=3, padding=((1, -1), (0, 0))), ["bottom", "-1"]),
    ((1, 4, 4, 1), dict(size=3, padding=((1, 1), (0.5, 0))), ["left", "0.5"]),
    ((1, 4, 4, 1), dict(size=2, padding=((2, 0), (0, 0))), ["padding", "2, 0", "[2, 2]"]),
    ((1, 4, 4, 1), dict(size=2, padding=((0, 2), (0, 0))), ["padding", "0, 2", "[2, 2]"]),
    ((1, 4, 4, 1), dict(size=(3, 2), padding=((0, 0), (0, 2))), ["padding", "0, 2", "[3, 2]"]),
    ((1, 4, 4, 1), dict(size=(2, 3), padding=((1, 5), (0, 0))), ["padding", "1, 5", "[2, 3]"]),
    ((1, 4, 4, 1), dict(size=5), ["5", "4"]),
    ((1, 6, 4, 1), dict(size=(2, 7), padding=((0, 0), (1, 1))), ["7", "6"]),
    ((1, 4, 4, 1), dict(size=2, kind="mean"), ["'mean'", *KINDS]),
    ((1, 4, 4, 1), dict(size=2, kind="MAX"), ["'MAX'", *KINDS]),
    ((1, 4, 4, 1), dict(size=2, kind=None), ["None", *KINDS]),
    ((1, 4, 4, 1), dict(size=2, kind=["max"]), ["['max']", *KINDS]),
])
def test_errors_name_the_numbers(shape, arguments, told):
    with pytest.raises(ValueError) as caught:
        pool2d(np.zeros(shape), **arguments)
    for part in told:
        assert re.search(rf"(?<![\d.]){re.escape(part)}(?![\d.])", str(caught.value)), f"{caught.value} does not name {part}"


@many
@given(data=st.data(), kind=st.sampled_from(["max", "average"]))
def test_blocks_are_windows_without_overlap(data, kind):
    F, rows, columns = (data.draw(st.integers(1, 4)) for _ in range(3))
    x = np.random.default_rng(data.draw(st.integers(0, 10**6))).normal(size=(2, F * rows, F * columns, 3))
    ours = CHAPTER["pool_blocks"](x, F, {"max": np.max, "average": np.mean}[kind])
    agree(ours, pool2d(x, F, kind=kind), kind)


@pytest.fixture(scope="module")
def stored():
    return json.loads(shift.OUTPUT.read_text())


def test_the_answers_under_shift_are_what_the_script_wrote(stored):
    assert CHAPTER["SHIFTS"] == stored["shifts"]
    for table, key in ("READ", "accuracy"), ("CHANGED", "changed"):
        assert CHAPTER[table] == {name: [run[key] for run in network["seeds"]]
                                  for name, network in stored["networks"].items()}
    text = find_notebook("06").read_text()
    outputs = 7 * 7 * stored["filters"][1]
    for told in f"those {stored['digits']:,} of 10,000", f"all {outputs:,} numbers in a row", f"same {shift.TRAINING:,} images":
        assert told in text
    assert stored["pooling"] == "max" and stored["filters"] == [8, 24]


def test_each_network_has_its_own_best_rate(stored):
    for name, head in ("flatten", "flatten"), ("global", stored["pooling"]):
        runs = {run["rate"]: run["held_back"] for run in stored["sweep"] if run["head"] == head}
        best = stored["networks"][name]["rate"]
        assert runs[best] == max(runs.values()) and min(runs) < best < max(runs), "inside the sweep, not at its end"
    best = {head: max(run["held_back"] for run in stored["sweep"] if run["head"] == head) for head in ("max", "mean")}
    assert stored["pooling"] == max(best, key=best.get)


def test_the_weights_for_the_page_answer_as_stored(stored):
    _, (x, y) = load_mnist()
    models, samples, positions = shift.read_networks()
    assert np.array_equal(samples, x[positions]) and list(y[positions]) == list(range(10)) and np.all(shift.movable(samples))
    moves = shift.movable(x)
    assert moves.sum() == stored["digits"]
    for name, model in models.items():
        assert model.count_params() == stored["networks"][name]["weights"]
        said = shift.answers(model, np.roll(x[moves], 4, axis=2))
        run = stored["networks"][name]["seeds"][0]
        assert abs(np.mean(said == y[moves]) - run["accuracy"][9]) < 0.002  # float16
    assert shift.WEIGHTS.stat().st_size < 60_000
