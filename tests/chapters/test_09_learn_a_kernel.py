"""Chapter 09's gradient descent against TensorFlow's, and the rate up to which it converges."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import definitions

NAMES = definitions("09")
descend, window_rows, pairs, curvatures, curvature_along = (
    NAMES[name] for name in ("descend", "window_rows", "pairs", "curvatures", "curvature_along"))


def forward(x, w):
    """Return TensorFlow's convolution of x (N, H, W) by w (F, F): (N, OH, OW)."""
    return tf.nn.conv2d(x[..., None], w[..., None, None], 1, "VALID")[..., 0]


@pytest.mark.parametrize("shape, F", [((1, 3, 3), 3), ((2, 5, 7), 3), ((3, 6, 4), 2), ((2, 4, 5), 1)])
def test_rows_of_windows_are_the_convolution(shape, F):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=shape), rng.normal(size=(F, F))
    np.testing.assert_allclose(window_rows(x, F) @ w.ravel(), np.ravel(forward(x, w)), rtol=0, atol=1e-12)


def test_pairs_are_a_pixel_and_its_right_neighbour():
    assert np.array_equal(pairs(np.arange(6).reshape(2, 3)), [[0, 1], [1, 2], [3, 4], [4, 5]])


@pytest.mark.parametrize("seed", range(3))
def test_steps_are_those_of_a_tape(seed):
    rng = np.random.default_rng(seed)
    x, w, target = rng.normal(size=(2, 8, 6)), rng.normal(size=(3, 3)), rng.normal(size=(2, 6, 4))
    path, losses = descend(window_rows(x), target.ravel(), w.ravel(), 0.1, 5)
    w = tf.Variable(w)
    for step in range(6):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((forward(x, w) - target) ** 2)
        np.testing.assert_allclose(path[step], np.ravel(w), rtol=0, atol=1e-12)
        assert losses[step] == pytest.approx(float(loss), rel=1e-12)
        w.assign_sub(0.1 * tape.gradient(loss, w))


@pytest.mark.parametrize("seed", range(3))
def test_descent_converges_below_two_over_the_largest_curvature_and_not_above(seed):
    rng = np.random.default_rng(seed)
    x, kernel, start = rng.normal(size=(2, 20, 15)), rng.normal(size=9), rng.normal(size=9)
    target, largest = np.ravel(forward(x, kernel.reshape(3, 3))), curvatures(x)[0][-1]
    path, losses = descend(window_rows(x), target, start, 1.9 / largest, 400)
    assert path.shape == (401, 9) and losses.shape == (401,) and np.array_equal(path[0], start)
    assert np.abs(path[-1] - kernel).max() < 1e-9 and losses[-1] < 1e-18
    assert descend(window_rows(x), target, start, 2.1 / largest, 400)[1][-1] > 1e9


@pytest.mark.parametrize("seed", range(3))
def test_curvature_along_a_direction(seed):
    """Of any length; along an eigenvector its eigenvalue; between the smallest and the largest for all others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 9, 8))
    values, directions = curvatures(x)
    for value, direction in zip(values, directions.T):
        assert curvature_along(window_rows(x), 3 * direction) == pytest.approx(value)
    assert values[0] < curvature_along(window_rows(x), rng.normal(size=9)) < values[-1]
