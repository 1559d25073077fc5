"""Chapter 04's functions against TensorFlow, on settings drawn at random, and their refusals."""

import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import assume, given
from hypothesis import strategies as st

CHAPTER = definitions("04")
output_size, same_padding, receptive_field = (CHAPTER[n] for n in ("output_size", "same_padding", "receptive_field"))
MANY = examples(400)
sizes, windows, strides, dilations = st.integers(1, 40), st.integers(1, 9), st.integers(1, 6), st.integers(1, 3)


def conv(x, w, S, D, padding):
    """Return tf.nn.conv2d along one axis of float64 vectors x and w."""
    y = tf.nn.conv2d(x.reshape(1, -1, 1, 1), w.reshape(-1, 1, 1, 1), [1, S, 1, 1], padding, dilations=[1, D, 1, 1])
    return y.numpy().ravel()


@MANY
@given(W=sizes, F=windows, P=st.integers(0, 5), S=strides, D=dilations)
def test_output_size_is_tensorflows(W, F, P, S, D):
    assume(D * (F - 1) + 1 <= W + 2 * P)
    size = output_size(W, F, P, S, D)
    assert type(size) is int
    assert size == conv(np.ones(W + 2 * P), np.ones(F), S, D, "VALID").size


@MANY
@given(W=sizes, F=windows, S=strides, D=dilations, seed=st.integers(0, 99))
def test_same_padding_gives_tensorflows_values(W, F, S, D, seed):
    before, after = same_padding(W, F, S, D)
    assert type(before) is int and type(after) is int
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=W), rng.normal(size=F)
    expected = conv(x, w, S, D, "SAME")
    assert expected.size == -(-W // S)
    np.testing.assert_allclose(conv(np.pad(x, (before, after)), w, S, D, "VALID"), expected, rtol=0, atol=1e-12)
    # and along the other axis, for non-square images
    y = tf.nn.conv2d(x.reshape(1, 1, -1, 1), w.reshape(1, -1, 1, 1), [1, 1, S, 1], "SAME", dilations=[1, 1, D, 1])
    np.testing.assert_allclose(y.numpy().ravel(), expected, rtol=0, atol=1e-12)


@MANY
@given(W=sizes, F=windows, S=strides)
def test_same_padding_is_the_poolings_too(W, F, S):
    x = np.random.default_rng(W).normal(size=W)
    expected = tf.nn.max_pool2d(tf.constant(x.reshape(1, -1, 1, 1)), [F, 1], [S, 1], "SAME").numpy().ravel()
    padded = np.pad(x, same_padding(W, F, S), constant_values=-np.inf)
    assert len(expected) == output_size(len(padded), F, S=S)
    assert [padded[i * S:i * S + F].max() for i in range(len(expected))] == list(expected)


@examples(60)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=4))
def test_receptive_field_is_what_poking_pixels_finds(layers):
    size, jump = receptive_field(layers)
    y = np.eye(size + jump).reshape(size + jump, -1, 1, 1)  # as many rows as pixels, each with one that is lit
    for F, S, D in layers:
        y = tf.nn.conv2d(y, np.ones((F, 1, 1, 1)), [1, S, 1, 1], "VALID", dilations=[1, D, 1, 1])
    first, second = (np.flatnonzero(y[:, i, 0, 0]) for i in (0, 1))
    assert first.min() == 0 and first.max() + 1 == size
    assert second.min() == jump and second.max() + 1 == size + jump


@pytest.mark.parametrize("arguments, numbers", [
    (dict(W=0, F=1), ["W", "0"]), (dict(W=5, F=-3), ["F", "-3"]), (dict(W=5, F=3, S=0), ["S", "0"]),
    (dict(W=5, F=3, D=0), ["D", "0"]), (dict(W=5, F=3, P=-1), ["P", "-1"]), (dict(W=5.0, F=3), ["W", "5.0"]),
    (dict(W=5, F="3"), ["F", "3"]), (dict(W=5, F=3, S=None), ["S", "None"]), (dict(W=5, F=True), ["F", "True"]),
    (dict(W=5, F=6), ["5", "6"]), (dict(W=5, F=3, D=3), ["5", "7"]), (dict(W=2, F=7, P=2), ["2", "6", "7"]),
    (dict(W=5, F=3, P=1.5), ["P", "1.5"]), (dict(W=float("nan"), F=1), ["W", "nan"]),
])
def test_output_size_refuses_with_the_numbers(arguments, numbers):
    with pytest.raises(ValueError) as caught:
        output_size(**arguments)
    assert all(number in str(caught.value) for number in numbers)


@pytest.mark.parametrize("arguments", [(0, 1), (5, 0), (5, 3, 0), (5, 3, 1, 0), (5.5, 3), (5, 3, -2), ("5", 3)])
def test_same_padding_refuses_what_is_no_size(arguments):
    with pytest.raises(ValueError, match="must be an integer"):
        same_padding(*arguments)


def test_numpy_integers_are_integers():
    assert output_size(np.int64(13), np.int32(6), S=np.uint8(5)) == 2
    assert same_padding(np.int64(13), np.uint8(6), np.int16(5)) == (1, 2)


def test_a_window_may_be_larger_than_the_input_with_same():
    assert same_padding(2, 7) == (3, 3)
    assert receptive_field([]) == (1, 1)


@MANY
@given(H=st.integers(3, 25), W=st.integers(3, 25), S=st.integers(1, 4))
def test_a_stride_drops_rows_and_columns(H, W, S):
    image, kernel = np.random.default_rng(H * W).normal(size=(H, W)), CHAPTER["EDGE"]
    before = [CHAPTER["same_padding"](size, 3, S)[0] for size in (H, W)]
    whole = scipy.signal.correlate2d(image, kernel)  # full: its [2 - p] is the first output with p zeros before
    expected = whole[2 - before[0]::S, 2 - before[1]::S][:-(-H // S), :-(-W // S)]
    np.testing.assert_allclose(CHAPTER["outline"](image, S), expected, rtol=0, atol=1e-12)
