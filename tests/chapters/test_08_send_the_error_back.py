"""Chapter 08's conv2d_gradients against TensorFlow's tape and against central differences.

TensorFlow gets explicit padding as zeros that tf.pad adds, so that its tape has to cut them off too.
"""

import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = definitions("08")
conv2d_gradients, conv2d = NAMES["conv2d_gradients"], NAMES["conv2d"]

small = st.integers(0, 3)
paddings = st.one_of(st.just("VALID"), st.just("SAME"), st.tuples(st.tuples(small, small), st.tuples(small, small)))
many = examples(200)


@st.composite
def layers(draw):
    """Return (x, w, dy, stride, padding) of one layer whose window fits; sizes, strides and sides all differ."""
    N, C, K = (draw(st.integers(1, 3)) for _ in range(3))
    F = [draw(st.integers(1, 4)) for _ in range(2)]
    stride = draw(st.one_of(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4))))
    padding = draw(paddings)
    least = F if padding == "VALID" else [1, 1] if padding == "SAME" else [max(1, f - sum(p)) for f, p in zip(F, padding)]
    size = [draw(st.integers(low, low + 7)) for low in least]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, w = rng.normal(size=(N, *size, C)), rng.normal(size=(*F, C, K))
    return x, w, rng.normal(size=forward(x, w, stride, padding).shape), stride, padding


def forward(x, w, stride, padding):
    """Return TensorFlow's convolution."""
    if padding not in ("VALID", "SAME"):
        x, padding = tf.pad(x, [(0, 0), *padding, (0, 0)]), "VALID"
    return tf.nn.conv2d(x, w, stride, padding)


def tape_gradients(x, w, dy, stride, padding):
    """Return TensorFlow's (dx, dw) of sum(dy * output)."""
    variables = tf.Variable(x), tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(forward(*variables, stride, padding) * dy)
    return [gradient.numpy() for gradient in tape.gradient(loss, variables)]


def differences(loss, a, h=1e-3):
    """Return the central differences of `loss` by each number of a."""
    gradient = np.zeros(a.size)
    for index, step in enumerate(np.eye(a.size) * h):
        step = step.reshape(a.shape)
        gradient[index] = (loss(a + step) - loss(a - step)) / (2 * h)
    return gradient.reshape(a.shape)


def relative_error(ours, reference):
    """Return the largest difference as a share of the largest reference; two arrays of zeros agree."""
    return np.abs(ours - reference).max() / max(np.abs(reference).max(), 1e-300)


@many
@given(layers())
def test_equals_tensorflows_tape(layer):
    x, w = layer[:2]
    ours = conv2d_gradients(*layer)
    for mine, reference, like in zip(ours, tape_gradients(*layer), (x, w)):
        assert mine.shape == like.shape and mine.dtype == np.float64
        assert relative_error(mine, reference) < 1e-10


@settings(many, max_examples=15)
@given(layers())
def test_equals_central_differences(layer):
    x, w, goal, stride, padding = layer

    def loss(x, w):  # not linear: 4th powers
        return float(tf.reduce_sum((forward(x, w, stride, padding) - goal) ** 4))

    dy = 4 * (forward(x, w, stride, padding).numpy() - goal) ** 3
    dx, dw = conv2d_gradients(x, w, dy, stride, padding)
    h = 1e-4
    assert relative_error(dx, differences(lambda a: loss(a, w), x, h)) < 1e-6
    assert relative_error(dw, differences(lambda a: loss(x, a), w, h)) < 1e-6


@settings(many, max_examples=100)
@given(layers())
def test_is_the_adjoint_of_the_forward_pass(layer):
    """The forward pass is linear in x and in w, so <dy, conv(x, w)> = <dx, x> = <dw, w>."""
    x, w, dy, stride, padding = layer
    dx, dw = conv2d_gradients(*layer)
    inner = np.sum(dy * conv2d(x, w, stride, padding))
    scale = np.sum(np.abs(dy)) * np.abs(x).max() * np.abs(w).max() * w[..., 0].size
    assert abs(np.sum(dx * x) - inner) <= 1e-12 * scale
    assert abs(np.sum(dw * w) - inner) <= 1e-12 * scale


@settings(many, max_examples=100)
@given(layers(), st.integers(0, 3), st.sampled_from([-1, 1, 2]))
def test_a_dy_of_another_shape_is_named(layer, axis, change):
    x, w, dy, stride, padding = layer
    shape = list(dy.shape)
    shape[axis] = max(0, shape[axis] + change)
    with pytest.raises(ValueError) as error:
        conv2d_gradients(x, w, np.ones(shape), stride, padding)
    assert str(dy.shape) in str(error.value) and str(tuple(shape)) in str(error.value)


@pytest.mark.parametrize("x, w, dy, how, named", [
    ((5, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {}, ["(5, 5, 1)"]),
    ((1, 5, 5, 1), (3, 3, 1), (1, 3, 3, 1), {}, ["(3, 3, 1)"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (3, 3), {}, ["(1, 3, 3, 1)", "(3, 3)"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (), {}, ["(1, 3, 3, 1)", "()"]),
    ((1, 5, 5, 4), (3, 3, 2, 1), (1, 3, 3, 1), {}, ["4 channels", "2"]),
    ((1, 2, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {}, ["3 pixels", "W=2"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {"stride": 0}, ["stride", "0"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {"stride": (1, 2, 3)}, ["(1, 2, 3)"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {"padding": "same"}, ["'same'"]),
    ((1, 5, 5, 1), (3, 3, 1, 1), (1, 3, 3, 1), {"padding": ((0, 0), (0, -1))}, ["right", "-1"]),
])
def test_errors_name_the_numbers(x, w, dy, how, named):
    with pytest.raises(ValueError) as error:
        conv2d_gradients(np.ones(x), np.ones(w), np.ones(dy), **how)
    assert all(text in str(error.value) for text in named)


def test_integers_become_float64_and_arguments_stay_as_they_are():
    x, w, dy = np.arange(25).reshape(1, 5, 5, 1), np.ones((2, 2, 1, 1), int), np.ones((1, 2, 2, 1), int)
    copies = x.copy(), w.copy(), dy.copy()
    dx, dw = conv2d_gradients(x, w, dy, stride=2)
    assert dx.dtype == dw.dtype == np.float64
    assert dx[0, 4].sum() == dx[0, :, 4].sum() == 0  # no window sees the last row and column
    assert all(np.array_equal(a, b) for a, b in zip((x, w, dy), copies))


def test_float32_stays_float32():
    x, w, dy = (np.ones(shape, np.float32) for shape in [(1, 5, 5, 1), (2, 2, 1, 1), (1, 4, 4, 1)])
    assert {gradient.dtype for gradient in conv2d_gradients(x, w, dy)} == {np.dtype(np.float32)}
