"""Chapter 03's convolve1d, correlate2d and convolve2d against SciPy and TensorFlow, over random shapes and numbers."""

import numpy as np
import pytest
import scipy.signal
from conftest import definitions, examples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

chapter = definitions("03")
convolve1d, correlate2d, convolve2d = (chapter[name] for name in ("convolve1d", "correlate2d", "convolve2d"))
FUNCTIONS = {"convolve1d": 1, "correlate2d": 2, "convolve2d": 2}
many = examples(300)

NUMBERS = {
    np.float64: st.floats(-1e6, 1e6, allow_subnormal=False),
    np.float32: st.floats(-1e6, 1e6, width=32, allow_subnormal=False),
    np.int64: st.integers(-10**6, 10**6),
    np.uint8: st.integers(0, 255),
    bool: st.booleans(),
}


@st.composite
def pair(draw, rank, fits=False):
    """Draw x and w of that rank, of any of NUMBERS' types; with `fits`, w is nowhere larger than x."""
    shape_x = draw(array_shapes(min_dims=rank, max_dims=rank, max_side=12 if rank == 2 else 40))
    if fits:
        shape_w = tuple(draw(st.integers(1, side)) for side in shape_x)
    else:
        shape_w = draw(array_shapes(min_dims=rank, max_dims=rank, max_side=9))
    x, w = (draw(arrays(kind, shape, elements=NUMBERS[kind])) for kind, shape in
            zip(draw(st.tuples(*2 * [st.sampled_from(list(NUMBERS))])), (shape_x, shape_w)))
    return x, w


def assert_equal_in_float64(y, reference, magnitude, terms):
    """Require float64, one shape, and no more error than adding `terms` products in float64 can make.

    magnitude: the same operation on the absolute values; the bound is the textbook one for a sum of products.
    """
    assert y.dtype == np.float64 and type(y) is np.ndarray
    assert y.shape == reference.shape
    np.testing.assert_array_less(np.abs(y - reference), 2 * (terms + 1) * np.finfo(float).eps * magnitude + 1e-300)


def as_float(*values):
    return [np.asarray(value).astype(float) for value in values]


@many
@given(pair(1))
def test_convolve1d_is_scipys_full_convolution(xw):
    x, w = as_float(*xw)
    assert_equal_in_float64(convolve1d(*xw), scipy.signal.convolve(x, w, "full", "direct"),
                            scipy.signal.convolve(abs(x), abs(w), "full", "direct"), min(len(x), len(w)))


@many
@given(pair(2, fits=True))
def test_correlate2d_is_scipys_valid_correlation(xw):
    x, w = as_float(*xw)
    assert_equal_in_float64(correlate2d(*xw), scipy.signal.correlate2d(x, w, "valid"),
                            scipy.signal.correlate2d(abs(x), abs(w), "valid"), w.size)


@many
@given(pair(2, fits=True))
def test_convolve2d_is_scipys_valid_convolution(xw):
    x, w = as_float(*xw)
    magnitude = scipy.signal.convolve2d(abs(x), abs(w), "valid")
    for reference in scipy.signal.convolve2d(x, w, "valid"), scipy.signal.convolve(x, w, "valid", "direct"):
        assert_equal_in_float64(convolve2d(*xw), reference, magnitude, w.size)


@settings(many, max_examples=100)
@given(pair(2, fits=True))
def test_tensorflow_correlates_and_convolves_with_the_flipped_kernel(xw):
    import tensorflow as tf

    x, w = as_float(*xw)
    for ours, kernel in [(correlate2d(x, w), w), (convolve2d(x, w), w[::-1, ::-1])]:
        theirs = tf.nn.conv2d(x[None, :, :, None], kernel[:, :, None, None], 1, "VALID")[0, :, :, 0].numpy()
        assert_equal_in_float64(ours, theirs, scipy.signal.correlate2d(abs(x), abs(kernel), "valid"), w.size)


@settings(many, max_examples=100)
@given(pair(2, fits=True))
def test_loops_and_views_agree(xw):
    x, w = as_float(*xw)
    assert_equal_in_float64(correlate2d(x, w), chapter["correlate2d_loops"](x, w),
                            scipy.signal.correlate2d(abs(x), abs(w), "valid"), w.size)


@many
@given(pair(1))
def test_convolution_commutes_and_correlation_turns_round(xw):
    x, w = as_float(*xw)
    magnitude, terms = np.convolve(abs(x), abs(w)), min(len(x), len(w))
    assert_equal_in_float64(convolve1d(x, w), convolve1d(w, x), magnitude, terms)
    turned = convolve1d(x, w[::-1])
    assert_equal_in_float64(turned, convolve1d(w, x[::-1])[::-1], np.convolve(abs(x), abs(w)[::-1]), terms)


@many
@given(pair(1), st.integers(0, 9))
def test_a_delayed_input_gives_the_delayed_output(xw, delay):
    x, w = xw
    later = convolve1d(np.concatenate([np.zeros(delay), x]), w)
    assert np.array_equal(later, np.concatenate([np.zeros(delay), convolve1d(x, w)]))


@many
@given(pair(2, fits=True), st.data())
def test_a_kernel_that_does_not_fit_is_refused_with_the_numbers(xw, data):
    x, w = xw
    axis = data.draw(st.integers(0, 1))
    repeats = x.shape[axis] // w.shape[axis] + 1
    w = np.concatenate([w] * repeats, axis=axis)
    assert w.shape[axis] > x.shape[axis]
    for function in correlate2d, convolve2d:
        with pytest.raises(ValueError) as error:
            function(x, w)
        assert str(x.shape) in str(error.value) and str(w.shape) in str(error.value)


@pytest.mark.parametrize("name, rank", FUNCTIONS.items())
def test_wrong_ranks_and_empty_arrays_are_refused_with_the_shape(name, rank):
    right = np.ones((3,) * rank)
    for bad in [np.ones(()), np.ones((5,) * (rank + 1)), np.ones((4,) * (3 - rank)), np.ones((0,) * rank), np.ones((7,) * rank)[:0]]:
        for position, arguments in enumerate([(bad, right), (right, bad)]):
            with pytest.raises(ValueError) as error:
                chapter[name](*arguments)
            assert str(bad.shape) in str(error.value) and f"{'xw'[position]} must" in str(error.value)


@pytest.mark.parametrize("name, rank", FUNCTIONS.items())
def test_lists_integers_and_strides_are_accepted_and_nothing_is_changed(name, rank):
    function, rng = chapter[name], np.random.default_rng(0)
    x, w = rng.integers(-9, 10, (8,) * rank), rng.integers(-9, 10, (3,) * rank)
    before = x.copy(), w.copy()
    y = function(x, w)
    assert y.dtype == np.float64 and np.array_equal(y, np.round(y))
    assert np.array_equal(function(x.tolist(), w.tolist()), y)
    assert np.array_equal(function(np.asfortranarray(x), np.repeat(w, 2, axis=0)[::2]), y)
    x.setflags(write=False), w.setflags(write=False)
    assert np.array_equal(function(x, w), y)
    assert np.array_equal(x, before[0]) and np.array_equal(w, before[1])
    one = np.ones((1,) * rank)
    x = x.astype(float)
    y = function(x, one)
    assert np.array_equal(y, x) and not np.shares_memory(x, y)


@pytest.mark.parametrize("name, rank", FUNCTIONS.items())
def test_complex_numbers_and_text_are_refused(name, rank):
    right = np.ones((2,) * rank)
    for bad in right * 1j, right.astype(str):
        for arguments in (bad, right), (right, bad):
            with pytest.raises(TypeError):
                chapter[name](*arguments)


@many
@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=NUMBERS[np.float64]))
def test_a_dot_stamps_the_kernel_and_slides_into_the_turned_one(w):
    dot = np.zeros([2 * side - 1 for side in w.shape])
    dot[tuple(side - 1 for side in w.shape)] = 1
    assert np.array_equal(convolve2d(dot, w), w)
    assert np.array_equal(correlate2d(dot, w), w[::-1, ::-1])


@given(arrays(np.int64, 6, elements=st.integers(0, 9)), arrays(np.int64, 6, elements=st.integers(0, 9)))
def test_loaded_dice_add_and_subtract(x, w):
    sums, differences = np.zeros(11), np.zeros(11)
    for first in range(6):
        for second in range(6):
            sums[first + second] += x[first] * w[second]
            differences[first - second + 5] += x[first] * w[second]
    assert np.array_equal(convolve1d(x, w), sums)
    assert np.array_equal(convolve1d(x, w[::-1]), differences) and np.array_equal(np.correlate(x, w, "full"), differences)


def test_tensorflow_issue_11864_to_the_digit():
    x, w = np.pad(np.arange(1, 17).reshape(4, 4), 1), np.arange(1, 10).reshape(3, 3)
    assert (3 * correlate2d(x, w))[0].tolist() == [333, 534, 651, 435]
    assert (3 * convolve2d(x, w)).tolist() == [[87, 186, 249, 225], [297, 576, 711, 594], [621, 1116, 1251, 990], [789, 1338, 1455, 1095]]


def test_the_running_average_the_dice_and_the_pills():
    assert np.allclose(convolve1d([3, 6, 9, 0, 0, 3], [1 / 3] * 3)[2:-2], [6, 5, 3, 1])
    die = [0] + [1] * 6
    assert convolve1d(die, die)[2:].tolist() == [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]
    assert convolve1d([1] * 6, [1] * 5 + [5]).tolist() == [1, 2, 3, 4, 5, 10, 9, 8, 7, 6, 5]
    assert convolve1d([1, 2, 0, 1], [4, 2, 1]).tolist() == [4, 10, 5, 6, 2, 1]
