"""Chapter 12's LRN and batch normalisation against TensorFlow, Keras and plain loops, over random shapes and numbers."""

import numpy as np
import pytest
from conftest import definitions, examples
from hypothesis import given, settings
from hypothesis import strategies as st

chapter = definitions("12")
lrn, lrn_onnx, batch_normalize = (
    chapter[name] for name in ("local_response_normalization", "lrn_onnx", "batch_normalize"))
many = examples(300)


@st.composite
def maps(draw, most_channels=20):
    """Draw x (N, H, W, C), float64, with numbers of a drawn size."""
    shape = [draw(st.integers(1, most)) for most in (3, 4, 4)] + [draw(st.integers(1, most_channels))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.normal(draw(st.floats(-2, 2)), draw(st.sampled_from([0.01, 1, 30])), size=shape)


CONSTANTS = st.tuples(st.floats(0.5, 3), st.floats(0, 2), st.floats(0, 1.5))


def window_loops(x, before, after, bias, alpha, beta):
    """Return LRN by four loops, from the formula; channels from c - before to c + after."""
    y = np.empty(x.shape)
    for n, i, j, c in np.ndindex(x.shape):
        total = 0.0
        for d in range(c - before, c + after + 1):
            if 0 <= d < x.shape[3]:
                total += x[n, i, j, d] * x[n, i, j, d]
        y[n, i, j, c] = x[n, i, j, c] / (bias + alpha * total) ** beta
    return y


@many
@given(maps(), st.integers(0, 7), CONSTANTS)
def test_lrn_is_tensorflows(x, radius, constants):
    import tensorflow as tf

    bias, alpha, beta = constants
    y = lrn(x, radius, bias, alpha, beta)
    assert y.dtype == np.float64 and y.shape == x.shape
    theirs = tf.nn.local_response_normalization(x.astype(np.float32), radius, bias, alpha, beta)
    np.testing.assert_allclose(y, theirs, rtol=2e-5, atol=1e-6 * abs(x).max())


@settings(many, max_examples=150)
@given(maps(), st.integers(0, 7), CONSTANTS)
def test_lrn_is_the_loops(x, radius, constants):
    before = x.copy()
    np.testing.assert_allclose(lrn(x, radius, *constants), window_loops(x, radius, radius, *constants), rtol=1e-12)
    assert np.array_equal(x, before)


@settings(many, max_examples=150)
@given(maps(), st.integers(1, 15), CONSTANTS)
def test_onnx_window_and_alpha(x, size, constants):
    bias, alpha, beta = constants
    before, after = int(np.floor((size - 1) / 2)), int(np.ceil((size - 1) / 2))
    y = lrn_onnx(x, size, alpha, beta, bias)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, window_loops(x, before, after, bias, alpha / size, beta), rtol=1e-12)


@many
@given(maps(), st.integers(0, 7), CONSTANTS)
def test_odd_onnx_is_tensorflows_with_another_alpha(x, radius, constants):
    bias, alpha, beta = constants
    size = 2 * radius + 1
    np.testing.assert_allclose(
        lrn_onnx(x, size, alpha * size, beta, bias), lrn(x, radius, bias, alpha, beta), rtol=1e-12)


def test_defaults_are_tensorflows_and_onnxs():
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(2, 3, 3, 9))
    np.testing.assert_allclose(lrn(x), tf.nn.local_response_normalization(x.astype(np.float32)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lrn_onnx(x, 3), window_loops(x, 1, 1, 1.0, 1e-4 / 3, 0.75), rtol=1e-12)


def test_lrn_takes_integers_and_a_huge_radius():
    x = np.arange(12).reshape(1, 2, 2, 3)
    assert lrn(x).dtype == np.float64
    np.testing.assert_allclose(lrn(x, 10**12), lrn(x, 3), rtol=1e-12)
    np.testing.assert_allclose(lrn_onnx(x, np.int64(3)), window_loops(x, 1, 1, 1.0, 1e-4 / 3, 0.75), rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (5, 4, 3), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("function", [lrn, lambda x: lrn_onnx(x, 3)])
def test_another_rank_is_refused_with_its_shape(function, shape):
    with pytest.raises(ValueError) as error:
        function(np.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("radius", [-1, -7, 2.0, 1.5, "5", None, True, np.nan])
def test_a_bad_radius_is_refused_by_name(radius):
    with pytest.raises(ValueError) as error:
        lrn(np.zeros((1, 1, 1, 3)), radius)
    assert "depth_radius" in str(error.value) and repr(radius) in str(error.value)


@pytest.mark.parametrize("size", [0, -3, 3.0, "3", None, False])
def test_a_bad_size_is_refused_by_name(size):
    with pytest.raises(ValueError) as error:
        lrn_onnx(np.zeros((1, 1, 1, 3)), size)
    assert "size" in str(error.value) and repr(size) in str(error.value)


@settings(many, max_examples=100)
@given(st.sampled_from([(7,), (3, 4, 4), (2, 1, 5), (5, 3)]), st.integers(1, 12), st.integers(0, 2**32 - 1),
       st.sampled_from([1e-3, 1e-5, 0.1]))
def test_batch_normalize_is_keras(sides, channels, seed, epsilon):
    import keras

    rng = np.random.default_rng(seed)
    x = rng.normal(rng.normal(), rng.uniform(0.1, 5), size=(*sides, channels))
    gamma, beta = rng.normal(size=(2, channels))
    layer = keras.layers.BatchNormalization(epsilon=epsilon)
    layer.build(x.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    y = batch_normalize(x, gamma, beta, epsilon)
    assert y.dtype == np.float64 and y.shape == x.shape
    np.testing.assert_allclose(y, layer(x.astype(np.float32), training=True), rtol=1e-3, atol=2e-3)


@settings(many, max_examples=100)
@given(maps())
def test_batch_normalize_has_mean_beta_and_deviation_gamma(x):
    x = np.concatenate([x, x + np.arange(1, 1 + x.size).reshape(x.shape)])  # never constant
    gamma, beta = np.full(x.shape[3], 3.0), np.full(x.shape[3], -2.0)
    y = batch_normalize(x, gamma, beta, 0.0)
    np.testing.assert_allclose(y.mean((0, 1, 2)), beta, atol=1e-9)
    np.testing.assert_allclose(y.std((0, 1, 2)), gamma, rtol=1e-9)
    np.testing.assert_allclose(batch_normalize(10 * x + 4, gamma, beta, 0.0), y, atol=1e-8)


@pytest.mark.parametrize("shape, wrong", [((4, 3), (4,)), ((4, 3), (1, 3)), ((2, 5, 5, 3), (2,)), ((3,), (3,))])
def test_batch_normalize_refuses_shapes_that_do_not_fit(shape, wrong):
    right = np.ones(shape[-1])
    for name, gamma, beta in [("gamma", np.ones(wrong), right), ("beta", right, np.ones(wrong))]:
        with pytest.raises(ValueError) as error:
            batch_normalize(np.zeros(shape), gamma, beta, 1e-3)
        assert str(shape) in str(error.value)
        assert name in str(error.value) or len(shape) == 1
