"""The figures' layers and the way back through them, in V8, against TensorFlow's own gradients."""

import numpy as np
import pytest
import tensorflow as tf
from figure_models import evaluate

BENDS = {"relu": tf.nn.relu, "sigmoid": tf.nn.sigmoid, "none": tf.identity}
BACK = "shared/gradients.js"  # V8 has convolution.js beside it: TOOLS
LAYERS = "shared/convolution.js"
TOOLS = """
const floats = (values) => Float32Array.from(values);
const map = (x) => ({ ...x, values: floats(x.values) });
const zeros = (tensor) => new Float32Array(tensor.values.length);
"""


def tensor(array):
    """Return an array as the figures have one: {shape, values}."""
    return {"shape": list(array.shape), "values": np.float32(array).ravel().tolist()}


def maps(x):
    """Return maps (size, size, channels) as the figures have them."""
    return {"size": x.shape[0], "channels": x.shape[2], "values": np.float32(x).ravel().tolist()}


def in_javascript(body, module=BACK, **values):
    """Return what the body of a function returns that sees `model`, TOOLS and values."""
    return evaluate(module, f"(() => {{ {TOOLS} {body} }})()", **values)


def close(got, expected, atol=1e-5):
    np.testing.assert_allclose(np.ravel(got), np.ravel(expected), rtol=1e-5, atol=atol)


def draw(*shape, seed=0, scale=1.0):
    return np.random.default_rng([seed, *shape]).normal(0, scale, shape).astype(np.float32)


@pytest.mark.parametrize("bend", BENDS)
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("size, channels, F, K", [(7, 3, 3, 4), (9, 1, 5, 8), (4, 2, 4, 3), (5, 6, 1, 1)])
def test_a_convolution_and_its_gradients_are_tensorflows(bend, with_bias, size, channels, F, K):
    x, w = draw(size, size, channels), draw(F, F, channels, K, scale=0.3)
    b = draw(K, seed=1) if with_bias else np.zeros(K, np.float32)
    out = size - F + 1
    dy = draw(out, out, K, seed=2)
    tx, tw, tb = (tf.Variable(each) for each in (x, w, b))
    with tf.GradientTape() as tape:
        y = BENDS[bend](tf.nn.conv2d(tx[None], tw, 1, "VALID")[0] + tb)
    dx, dw, db = tape.gradient(y, [tx, tw, tb], dy)
    values = dict(x=maps(x), w=tensor(w), b=tensor(b) if with_bias else None, bend=bend)
    got_y = in_javascript("return model.convolve(map(x), w, b, bend).values;", LAYERS, **values)
    close(got_y, y)
    got = in_javascript("""
        const sums = { kernel: zeros(w), ...(b && { bias: zeros(b) }) };
        const dz = model.bendGradient(floats(y), floats(dy), bend);
        const alone = model.convolveGradient(map(x), w, dz); // no sums: the input's only
        return { dx: model.convolveGradient(map(x), w, dz, sums), alone, ...sums };
    """, y=got_y, dy=dy.ravel().tolist(), **values)
    close(got["dx"], dx)
    close(got["kernel"], dw)
    assert got["alone"] == got["dx"] and ("bias" in got) == with_bias
    if with_bias:
        close(got["bias"], db)


@pytest.mark.parametrize("bend", BENDS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_dense_layer_and_its_gradients_are_tensorflows(bend, with_bias):
    x, w, dy = tf.nn.relu(draw(12)).numpy(), draw(12, 5), draw(5, seed=2)  # some inputs are 0
    b = draw(5, seed=1) if with_bias else np.zeros(5, np.float32)
    tx, tw, tb = (tf.Variable(each) for each in (x, w, b))
    with tf.GradientTape() as tape:
        y = BENDS[bend](tf.linalg.matvec(tw, tx, transpose_a=True) + tb)
    dx, dw, db = tape.gradient(y, [tx, tw, tb], dy)
    values = dict(x=x.tolist(), w=tensor(w), b=tensor(b) if with_bias else None, bend=bend)
    got_y = in_javascript("return model.dense(floats(x), w, b, bend);", LAYERS, **values)
    close(got_y, y)
    got = in_javascript("""
        const sums = { kernel: zeros(w), ...(b && { bias: zeros(b) }) };
        const dz = model.bendGradient(floats(y), floats(dy), bend);
        return { dx: model.denseGradient(floats(x), w, dz, sums), ...sums };
    """, y=got_y, dy=dy.tolist(), **values)
    close(got["dx"], dx)
    close(got["kernel"], dw)
    if with_bias:
        close(got["bias"], db)


@pytest.mark.parametrize("size", [6, 7])  # of 7, the last row and column are in no block
def test_a_poolings_gradient_is_tensorflows_where_numbers_are_equal_too(size):
    x = np.random.default_rng(size).integers(0, 3, (size, size, 5)).astype(np.float32)
    dy = draw(size // 2, size // 2, 5)
    tx = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(tx[None], 2, 2, "VALID")[0]
    got_y = in_javascript("return model.pool(map(x));", LAYERS, x=maps(x))
    close(got_y["values"], y)
    got = in_javascript("return model.poolGradient(map(x), map(y), floats(dy));",
                        x=maps(x), y=got_y, dy=dy.ravel().tolist())
    close(got, tape.gradient(y, tx, dy))


def test_sums_add_up_over_a_batch():
    got = in_javascript("""
        const sums = { kernel: zeros(w), bias: new Float32Array(1) };
        for (const value of [1, 10]) {
          model.convolveGradient(map(x), w, floats([value]), sums);
          model.denseGradient(floats([1, 2, 3, 4]), { ...w, shape: [4, 1] }, [value], sums);
        }
        return sums;
    """, x=maps(np.arange(1, 5).reshape(2, 2, 1)), w=tensor(np.zeros((2, 2, 1, 1))))
    assert got == {"kernel": [22, 44, 66, 88], "bias": [22]}


@pytest.mark.parametrize("scale", [1, 300])  # exp(300) is too large for a float32
def test_cross_entropys_gradient_is_tensorflows(scale):
    logits = draw(10, scale=scale)
    t = tf.Variable(logits)
    for label in (0, 7):
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits([label], t[None])[0]
        got = in_javascript("return model.crossEntropy(floats(logits), label);",
                            logits=logits.tolist(), label=label)
        close(got["loss"], loss, atol=1e-5 * scale)
        close(got["gradient"], tape.gradient(loss, t))
