"""Chapter 05 against TensorFlow, SciPy and Keras: windows, im2col, conv2d, and the counts of parameters and multiply-adds."""

import re

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

FEW = examples(150)
MANY = examples(300)


@pytest.fixture(scope="module")
def book():
    return definitions("05")


def pairs(low, high):
    """An integer, or a pair of them in a tuple or a list."""
    one = st.integers(low, high)
    return st.one_of(one, st.tuples(one, one), st.lists(one, min_size=2, max_size=2))


def two(value):
    return list(value) if isinstance(value, (tuple, list)) else [value, value]


SIDES = st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2)
LAYERS = st.fixed_dictionaries({
    "x_shape": st.tuples(st.integers(1, 3), st.integers(1, 13), st.integers(1, 13), st.integers(1, 4)),
    "F": pairs(1, 4), "K": st.integers(1, 4), "stride": pairs(1, 4), "dilation": pairs(1, 3),
    "padding": st.one_of(st.sampled_from(["VALID", "SAME"]), SIDES), "seed": st.integers(0, 999),
})


def draw(layer):
    rng = np.random.default_rng(layer["seed"])
    return rng.normal(size=layer["x_shape"]), rng.normal(size=(*two(layer["F"]), layer["x_shape"][3], layer["K"]))


def fits(layer):
    """Say whether the dilated kernel fits into the padded input."""
    if layer["padding"] == "SAME":
        return True
    sides = ((0, 0), (0, 0)) if layer["padding"] == "VALID" else layer["padding"]
    sizes = zip(layer["x_shape"][1:3], sides, two(layer["F"]), two(layer["dilation"]))
    return all(D * (F - 1) + 1 <= size + sum(side) for size, side, F, D in sizes)


@MANY
@given(LAYERS)
def test_conv2d_is_tensorflows(book, layer):
    x, w = draw(layer)
    settings_ = [layer[name] for name in ("stride", "padding", "dilation")]
    if not fits(layer):
        with pytest.raises(ValueError, match=r"does not fit into \d+"):
            book["conv2d"](x, w, *settings_)
        return
    stride, padding, dilation = settings_
    sides = padding if isinstance(padding, str) else [(0, 0), *padding, (0, 0)]
    expected = tf.nn.conv2d(x, w, two(stride), sides, dilations=two(dilation)).numpy()
    before = x.copy(), w.copy()
    y = book["conv2d"](x, w, *settings_)
    assert y.dtype == np.float64 and y.shape == expected.shape
    assert_allclose(y, expected, rtol=0, atol=1e-11)
    assert_array_equal(x, before[0])
    assert_array_equal(w, before[1])


@FEW
@given(LAYERS)
def test_one_channel_is_scipys_correlation(book, layer):
    """SciPy knows neither stride nor dilation: stuff the kernel with zeros, and keep every S-th output."""
    layer = {**layer, "x_shape": (1, *layer["x_shape"][1:3], 1), "K": 1}
    if layer["padding"] == "SAME" or not fits(layer):
        return
    x, w = draw(layer)
    D, S = two(layer["dilation"]), two(layer["stride"])
    kernel = np.zeros([d * (f - 1) + 1 for d, f in zip(D, w.shape[:2])])
    kernel[::D[0], ::D[1]] = w[:, :, 0, 0]
    sides = ((0, 0), (0, 0)) if layer["padding"] == "VALID" else layer["padding"]
    image = np.pad(x[0, :, :, 0], sides)
    # correlate2d swaps its arguments where the second is larger in all axes; here it never is
    expected = scipy.signal.correlate2d(image, kernel, mode="valid")[::S[0], ::S[1]]
    y = book["conv2d"](x, w, layer["stride"], layer["padding"], layer["dilation"])
    assert_allclose(y[0, :, :, 0], expected, rtol=0, atol=1e-12)


@FEW
@given(LAYERS)
def test_im2col_is_tensorflows_extract_patches(book, layer):
    if not isinstance(layer["padding"], str) or not fits(layer):
        return
    x, _ = draw(layer)
    F, S, D = two(layer["F"]), two(layer["stride"]), two(layer["dilation"])
    patches = tf.image.extract_patches(x, [1, *F, 1], [1, *S, 1], [1, *D, 1], layer["padding"]).numpy()
    matrix = book["im2col"](x, layer["F"], layer["stride"], layer["padding"], layer["dilation"])
    assert matrix.shape == (np.prod(patches.shape[:3]), F[0] * F[1] * x.shape[3])
    assert_array_equal(matrix, patches.reshape(matrix.shape))


@FEW
@given(LAYERS, st.sampled_from([-np.inf, 0.0, 7.5]))
def test_windows_pads_with_fill(book, layer, fill):
    if isinstance(layer["padding"], str) or not fits(layer):
        return
    x, _ = draw(layer)
    F, S, D = two(layer["F"]), two(layer["stride"]), two(layer["dilation"])
    view = book["windows"](x, layer["F"], layer["stride"], layer["padding"], layer["dilation"], fill)
    (top, _), (left, _) = layer["padding"]
    N, OH, OW, FH, FW, C = view.shape
    assert (N, FH, FW, C) == (x.shape[0], *F, x.shape[3])
    rng = np.random.default_rng(layer["seed"])
    for n, i, j, u, v, c in rng.integers(0, view.shape, size=(40, 6)):
        row, column = i * S[0] + u * D[0] - top, j * S[1] + v * D[1] - left
        inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
        assert view[n, i, j, u, v, c] == (x[n, row, column, c] if inside else fill)


@FEW
@given(LAYERS)
def test_the_loops_and_the_five_lines_agree(book, layer):
    layer = {**layer, "padding": "VALID", "dilation": 1}
    x, w = draw(layer)
    x = x[:, :8, :8]
    if w.shape[0] > x.shape[1] or w.shape[1] > x.shape[2]:
        with pytest.raises(ValueError, match=r"does not fit into \d+"):
            book["conv2d_loops"](x, w)
        return
    expected = tf.nn.conv2d(x, w, 1, "VALID")
    assert_allclose(book["conv2d_loops"](x, w), expected, rtol=0, atol=1e-12)
    assert_allclose(book["layer_as_product"](x, w), expected, rtol=0, atol=1e-12)


def test_the_loops_refuse_other_channels(book):
    with pytest.raises(ValueError, match="x has 1 channels, w expects 3"):
        book["conv2d_loops"](np.zeros((1, 4, 4, 1)), np.zeros((2, 2, 3, 2)))


@pytest.mark.parametrize("x, w, out", [
    ("f8", "f8", "f8"), ("f4", "f4", "f4"), ("f4", "f8", "f8"), ("u1", "f4", "f8"), ("i8", "i8", "f8"), ("?", "f8", "f8"),
])
def test_dtypes(book, x, w, out):
    rng = np.random.default_rng(0)
    x, w = rng.integers(0, 2, (2, 5, 6, 3)).astype(x), rng.integers(0, 9, (3, 2, 3, 2)).astype(w)
    y = book["conv2d"](x, w)
    assert y.dtype == out
    assert_array_equal(y, tf.nn.conv2d(x.astype("f8"), w.astype("f8"), 1, "VALID"))


def test_bytes_do_not_wrap(book):
    white = np.full((1, 3, 3, 1), 200, dtype=np.uint8)
    assert book["conv2d"](white, np.ones((3, 3, 1, 1), dtype=np.uint8)).item() == 1800


def test_no_images_and_lists(book):
    assert book["conv2d"](np.zeros((0, 5, 5, 2)), np.zeros((3, 3, 2, 4))).shape == (0, 3, 3, 4)
    assert book["conv2d"]([[[[2.0]]]], [[[[3.0]]]]).item() == 6


@pytest.mark.parametrize("x_shape, w_shape, arguments, numbers", [
    ((1, 8, 8, 3), (3, 3, 4, 2), {}, "x has 3 channels, w expects 4"),
    ((1, 8, 8, 3), (3, 3, 1, 2), {}, "x has 3 channels, w expects 1"),  # would broadcast
    ((1, 8, 8, 1), (3, 3, 3, 2), {}, "x has 1 channels, w expects 3"),
    ((8, 8, 3), (3, 3, 3, 2), {}, r"\(8, 8, 3\)"),
    ((1, 1, 8, 8, 3), (3, 3, 3, 2), {}, r"\(1, 1, 8, 8, 3\)"),
    ((1, 8, 8, 3), (3, 3, 3), {}, r"\(3, 3, 3\)"),
    ((1, 8, 8, 3), (0, 3, 3, 2), {}, "got 0"),
    ((1, 4, 8, 3), (5, 3, 3, 2), {}, "a window of 5 .* into 4"),
    ((1, 8, 4, 3), (3, 5, 3, 2), {}, "a window of 5 .* into 4"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"dilation": 4}, "a window of 9 .* into 8"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"stride": 0}, "got 0"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"stride": (1, -2)}, "got -2"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"stride": 1.5}, "got 1.5"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"stride": True}, "got True"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"stride": (1, 2, 2, 1)}, r"\(1, 2, 2, 1\)"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"dilation": 0}, "got 0"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"padding": "same"}, "'same'"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"padding": 1}, "got 1"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"padding": (1, 2)}, r"\(1, 2\)"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"padding": ((1, -1), (0, 0))}, "got -1"),
    ((1, 8, 8, 3), (3, 3, 3, 2), {"padding": ((1, 0.5), (0, 0))}, "got 0.5"),
    ((1, 0, 8, 3), (1, 1, 3, 2), {}, "got 0"),
])
def test_errors_name_the_numbers(book, x_shape, w_shape, arguments, numbers):
    with pytest.raises(ValueError, match=numbers):
        book["conv2d"](np.zeros(x_shape), np.zeros(w_shape), **arguments)


SIZES = st.integers(1, 9)


@FEW
@given(FH=SIZES, FW=SIZES, C=SIZES, K=SIZES, bias=st.booleans(), OH=SIZES, OW=SIZES)
def test_counts_are_those_of_keras_and_of_the_matrices(book, FH, FW, C, K, bias, OH, OW):
    layer = keras.layers.Conv2D(K, (FH, FW), use_bias=bias)
    layer.build((None, FH + OH - 1, FW + OW - 1, C))
    parameters = book["count_parameters"]((FH, FW, C, K), bias)
    assert type(parameters) is int and parameters == layer.count_params()
    macs = book["count_macs"]([OH, OW], layer.kernel.shape)
    rows, columns = book["im2col"](np.zeros((1, FH + OH - 1, FW + OW - 1, C)), (FH, FW)).shape
    assert type(macs) is int and macs == rows * columns * K


def test_a_dense_layer_is_one_by_one(book):
    layer = keras.layers.Dense(7)
    layer.build((None, 12))
    assert book["count_parameters"]((1, 1, 12, 7)) == layer.count_params()
    assert book["count_macs"]((1, 1), (1, 1, 12, 7)) == 12 * 7


def test_tensorflows_profiler_counts_two_operations_for_each_multiply_add(book):
    def network(x, w1, w2, w3):
        h = tf.nn.conv2d(x, w1, 1, "SAME")
        h = tf.nn.conv2d(h, w2, (2, 3), "VALID")
        return tf.matmul(tf.reshape(h, (1, -1)), w3)

    shapes = [(1, 28, 20, 1), (5, 3, 1, 8), (3, 4, 8, 6), (13 * 6 * 6, 10)]
    graph = tf.function(network).get_concrete_function(*map(tf.TensorSpec, shapes)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    counted = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    count = book["count_macs"]
    ours = [count((28, 20), shapes[1]), count((13, 6), shapes[2]), count((1, 1), (1, 1, *shapes[3]))]
    assert counted == 2 * sum(ours)


@pytest.mark.parametrize("output_hw, w_shape, numbers", [
    ((4, 4), (3, 3, 4), r"\(3, 3, 4\)"), ((4, 4), (3, 3, 4, 4, 1), r"\(3, 3, 4, 4, 1\)"), ((4, 4), 9, r"\(9,\)"),
    ((4, 4), (3, 3, 0, 2), "C must .* got 0"), ((4, 4), (3, -3, 1, 2), "FW must .* got -3"),
    ((4, 4), (3, 3, 1, 2.0), "K must .* got 2.0"), ((4, 4), (None, 3, 1, 2), "FH must .* got None"),
    ((4,), (3, 3, 1, 2), r"\(4,\)"), ((1, 4, 4, 2), (3, 3, 1, 2), r"\(1, 4, 4, 2\)"), (4, (3, 3, 1, 2), r"\(4,\)"),
    ((0, 4), (3, 3, 1, 2), "OH must .* got 0"), ((4, True), (3, 3, 1, 2), "OW must .* got True"),
])
def test_counts_refuse_what_is_no_shape(book, output_hw, w_shape, numbers):
    with pytest.raises(ValueError, match=numbers):
        book["count_macs"](output_hw, w_shape)
    if tuple(np.atleast_1d(output_hw)) == (4, 4):
        with pytest.raises(ValueError, match=numbers):
            book["count_parameters"](w_shape)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float32"])
def test_filter_rgb_counts_whole_numbers_as_floats(dtype):
    image = np.full((3, 3, 3), 1 if dtype == "bool" else 100, dtype)
    assert_array_equal(definitions("05")["filter_rgb"](image, np.eye(3)[None, None] / 2), image / 2)


@pytest.mark.parametrize("image, w", [((5, 5), (3, 3, 3, 3)), ((5, 5, 4), (3, 3, 3, 3)), ((5, 5, 4), (3, 3, 4, 4)), ((0, 5, 3), (3, 3, 3, 3)), ((5, 5, 3), (3, 3)), ((5, 5, 3), (3, 3, 3, 1))])
def test_filter_rgb_refuses_what_does_not_fit_with_its_numbers(image, w):
    with pytest.raises(ValueError, match=re.escape(f"image {image} and w {w} do not fit")):
        definitions("05")["filter_rgb"](np.ones(image), np.ones(w))
