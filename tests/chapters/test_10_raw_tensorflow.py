"""Chapter 10's network from eight arrays, against Keras, SciPy and chapter 04, without any long training."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
from conftest import definitions, examples
from hypothesis import given, settings
from hypothesis import strategies as st

chapter = definitions("10")
init_parameters, forward, feature_maps = (chapter[name] for name in ("init_parameters", "forward", "feature_maps"))
many = examples(200)
seeds = st.integers(0, 2**32 - 1)
WEIGHTS = ["wc1", "wc2", "wd1", "out_w"]


def digits(count, seed=0):
    """Return `count` random images as the network takes them."""
    return np.random.default_rng(seed).random((count, 28, 28, 1), np.float32)


@pytest.fixture(scope="module")
def twin():
    """The same network, written with Keras' layers by someone who has not read the chapter's forward."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 5, padding="same", activation="relu"), keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 5, padding="same", activation="relu"), keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(), keras.layers.Dense(1024, activation="relu"), keras.layers.Dense(10),
    ])


@pytest.fixture(scope="module", params=[0, 1, 123])
def parameters(request):
    """Parameters with biases that are not 0, so that a forgotten bias is seen."""
    parameters = init_parameters(request.param)
    rng = np.random.default_rng(request.param)
    for name, value in parameters.items():
        if name not in WEIGHTS:
            value.assign(rng.normal(size=value.shape, scale=0.1))
    return parameters


def test_shapes_order_type_and_count():
    parameters = init_parameters(0)
    assert {name: tuple(value.shape) for name, value in parameters.items()} == {
        "wc1": (5, 5, 1, 32), "bc1": (32,), "wc2": (5, 5, 32, 64), "bc2": (64,),
        "wd1": (3136, 1024), "bd1": (1024,), "out_w": (1024, 10), "out_b": (10,)}
    assert list(parameters) == ["wc1", "bc1", "wc2", "bc2", "wd1", "bd1", "out_w", "out_b"]
    assert all(isinstance(value, tf.Variable) and value.dtype == tf.float32 and value.trainable for value in parameters.values())
    assert sum(np.prod(value.shape) for value in parameters.values()) == 3_274_634


@settings(many, max_examples=6)
@given(seeds)
def test_weights_are_glorot_uniform_and_biases_zero(seed):
    parameters, again, other = init_parameters(seed), init_parameters(seed), init_parameters(seed + 1)
    for name, value in parameters.items():
        value = value.numpy()
        assert np.array_equal(value, again[name])
        if name not in WEIGHTS:
            assert not value.any()
            continue
        *window, fan_in, fan_out = value.shape
        limit = np.sqrt(6 / (np.prod(window) * (fan_in + fan_out)))
        assert 0.97 * limit < np.abs(value).max() <= limit * (1 + 1e-6)
        assert np.isclose(value.std(), limit / np.sqrt(3), rtol=0.1)
        assert abs(value.mean()) < 5 * limit / np.sqrt(3 * value.size)
        assert not np.array_equal(value, other[name])


def test_changing_one_copy_leaves_the_next_alone():
    one, two = init_parameters(5), init_parameters(5)
    one["wd1"].assign_add(tf.ones_like(one["wd1"]))
    assert np.array_equal(two["wd1"], init_parameters(5)["wd1"])


@pytest.mark.parametrize("count", [1, 2, 7, 49, 128])
def test_forward_is_the_keras_network_with_the_same_weights(parameters, twin, count):
    twin.set_weights([value.numpy() for value in parameters.values()])
    x = digits(count)
    logits = forward(parameters, x)
    assert logits.shape == (count, 10) and logits.dtype == tf.float32
    np.testing.assert_allclose(logits, twin(x), rtol=0, atol=1e-4)
    np.testing.assert_allclose(logits, tf.function(forward)(parameters, tf.constant(x)), rtol=0, atol=1e-4)


def test_forward_is_the_numpy_network(parameters):
    x = digits(5)
    logits = chapter["forward_numpy"](parameters, x)
    assert isinstance(logits, np.ndarray) and logits.shape == (5, 10)
    np.testing.assert_allclose(logits, forward(parameters, x), rtol=0, atol=1e-4)


def test_an_image_does_not_mind_its_neighbours(parameters):
    x = digits(49)
    together = forward(parameters, x).numpy()
    for rows in [0], [48], [3, 1, 2], range(10, 30):
        np.testing.assert_allclose(forward(parameters, x[list(rows)]), together[list(rows)], rtol=0, atol=1e-4)
    batched = chapter["predict_logits"](parameters, (255 * x[..., 0]).round().astype(np.uint8), batch=20)
    np.testing.assert_allclose(batched, forward(parameters, (255 * x).round() / np.float32(255)), rtol=0, atol=1e-4)


@pytest.mark.parametrize("bad", [
    np.zeros((2, 28, 28), np.float32), np.zeros((28, 28, 1), np.float32), np.zeros((2, 28, 28, 3), np.float32),
    np.zeros((49, 32, 32, 1), np.float32), np.zeros((2, 1, 28, 28), np.float32), np.zeros((2, 784), np.float32),
    np.zeros((2, 28, 28, 1)), np.zeros((2, 28, 28, 1), np.uint8), np.float32(0),
], ids=lambda bad: f"{bad.dtype}{bad.shape}")
def test_forward_refuses_another_shape_or_type_and_names_it(parameters, bad):
    for function in forward, tf.function(forward):
        with pytest.raises(ValueError) as error:
            function(parameters, bad)
        assert str(bad.shape) in str(error.value) and str(bad.dtype) in str(error.value)


def test_a_wrong_number_of_rows_is_an_error_for_every_batch(parameters):
    for rows in 4 * 4 * 64, 7 * 7 * 32, 1:
        for count in 1, 16, 128:
            with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
                forward(dict(parameters, wd1=tf.zeros([rows, 1024])), digits(count))


@settings(many, max_examples=60)
@given(H=st.integers(16, 40), W=st.integers(16, 40), N=st.integers(1, 3), padding=st.sampled_from(["SAME", "VALID"]))
def test_map_sizes_are_chapter_04s(H, W, N, padding):
    sizes, same = definitions("04")["output_size"], definitions("04")["same_padding"]
    sides, expected = [H, W], []
    for K in 32, 64:
        sides = [sizes(side + (sum(same(side, 5)) if padding == "SAME" else 0), 5) for side in sides]
        expected.append((N, *sides, K))
        sides = [sizes(side, 2, S=2) for side in sides]
        expected.append((N, *sides, K))
    maps = feature_maps(FRESH, tf.zeros([N, H, W, 1]), padding)
    assert list(maps) == ["conv1", "pool1", "conv2", "pool2"]
    assert [tuple(h.shape) for h in maps.values()] == expected


def test_maps_are_after_relu_and_pools_are_their_largest_numbers(parameters):
    maps, x = feature_maps(parameters, digits(3)), digits(3)
    for i in "12":
        w, b = (parameters[kind + i].numpy().astype(float) for kind in ("wc", "bc"))
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)]), (5, 5), axis=(1, 2))
        z = np.tensordot(windows, w, [(4, 5, 3), (0, 1, 2)]) + b
        np.testing.assert_allclose(maps["conv" + i], np.maximum(z, 0), rtol=0, atol=1e-4)
        N, H, W, C = z.shape
        x = maps["conv" + i].numpy().reshape(N, H // 2, 2, W // 2, 2, C).max(axis=(2, 4))
        assert np.array_equal(maps["pool" + i], x)


FRESH = init_parameters(0)


@many
@given(seed=seeds, N=st.integers(1, 20), C=st.integers(2, 12), size=st.sampled_from([0.1, 1, 30, 1000]),
       kind=st.sampled_from([np.uint8, np.int32, np.int64]))
def test_loss_and_accuracy_are_scipys(seed, N, C, size, kind):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(N, C), scale=size).astype(np.float32), rng.integers(0, C, N).astype(kind)
    loss, accuracy = chapter["loss_and_accuracy"](logits, labels)
    expected = -scipy.special.log_softmax(logits.astype(float), axis=1)[np.arange(N), labels].mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(accuracy, np.mean(logits.argmax(axis=1) == labels), atol=1e-6)
    assert loss.shape == accuracy.shape == () and loss.dtype == accuracy.dtype == tf.float32


@settings(many, max_examples=50)
@given(seed=seeds, steps=st.integers(1, 12), rate=st.floats(1e-4, 0.1), size=st.sampled_from([0.01, 1, 1e3]))
def test_adam_is_keras_adam(seed, steps, rate, size):
    rng = np.random.default_rng(seed)
    start = rng.normal(size=(3, 4)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    mean, square = tf.Variable(tf.zeros((3, 4))), tf.Variable(tf.zeros((3, 4)))
    adam = keras.optimizers.Adam(rate, beta_2=0.95)
    for count in range(1, steps + 1):
        gradient = tf.constant(rng.uniform(0.1, 1, (3, 4)) * rng.choice([-size, size], (3, 4)), tf.float32)
        chapter["adam_update"](ours, gradient, mean, square, tf.constant(float(count)), rate)
        adam.apply([gradient], [theirs])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=3e-3 * rate * count)  # they place epsilon differently


@many
@given(steps=st.integers(1, 1000), peak=st.floats(1e-5, 1), data=st.data())
def test_the_rate_climbs_to_its_peak_and_falls_to_nothing(steps, peak, data):
    rate = chapter["scheduled_rate"]
    warm = data.draw(st.integers(1, steps))
    rates = np.array([rate(step, steps, peak, warm) for step in range(1, steps + 1)])
    assert np.isclose(rates[warm - 1], peak) and np.isclose(rates.max(), peak) and rates.min() > 0
    assert np.all(np.diff(rates[:warm]) > 0) and np.all(np.diff(rates[warm - 1:]) < 0)
    assert np.allclose(np.diff(rates, 2)[:max(warm - 2, 0)], 0) and np.allclose(np.diff(rates[warm - 1:], 2), 0)
    np.testing.assert_allclose(rates, np.interp(np.arange(1, steps + 1), [0, warm, steps + 1], [0, peak, 0]), rtol=1e-9)
    for step in 0, steps + 1, -3:
        with pytest.raises(ValueError, match=str(step)):
            rate(step, steps, peak, warm)
    for bad in 0, steps + 1:
        with pytest.raises(ValueError, match=str(bad)):
            rate(1, steps, peak, bad)


@settings(many, max_examples=25)
@given(count=st.integers(1, 90), batch=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_the_feed_gives_every_image_once_an_epoch_with_its_label(count, batch, seed):
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 14, 14] = np.arange(count)
    labels = np.arange(count, dtype=np.uint8)
    feed = chapter["make_feed"](images, labels, batch, seed)
    batches = [(x.numpy(), y.numpy()) for x, y in feed.take(-(-2 * count // batch))]
    assert all(x.shape == (batch, 28, 28, 1) and x.dtype == np.float32 and len(y) == batch for x, y in batches)
    x, y = (np.concatenate(part) for part in zip(*batches))
    np.testing.assert_allclose(x[:, 14, 14, 0] * 255, y, atol=1e-4)
    assert np.array_equal(x, chapter["prepare"](images)[y])
    for epoch in y[:count], y[count:2 * count]:
        assert np.array_equal(np.sort(epoch), labels)


def test_the_feed_shuffles_by_its_seed_and_mixes_far_images():
    count, labels = 200, np.arange(200)

    def epochs(seed):
        feed = chapter["make_feed"](np.zeros((count, 28, 28), np.uint8), labels, 10, seed)
        return np.concatenate([y for _, y in feed.take(2 * count // 10)]).reshape(2, count)

    one, again, other = epochs(0), epochs(0), epochs(1)
    assert np.array_equal(one, again) and not np.array_equal(one, other) and not np.array_equal(one[0], one[1])
    for epoch in *one, *other:
        assert abs(scipy.stats.spearmanr(epoch, labels).statistic) < 5 / np.sqrt(count - 1)  # in order: 1
        assert epoch[:20].max() > count // 2 > epoch[-20:].min()  # a small buffer starts with the first rows


def test_the_step_measures_the_batch_before_it_moves():
    x, y = tf.constant(digits(8)), tf.constant(np.arange(8))
    parameters = init_parameters(7)
    expected, _ = chapter["loss_and_accuracy"](forward(parameters, x), y)
    step = chapter["make_train_step"](parameters)
    one, two = (float(step(x, y, tf.constant(1.0), tf.constant(0.0))[0]) for _ in range(2))
    assert np.allclose([one, two], expected, rtol=1e-5, atol=0)  # rate 0: nothing moves, nothing is random


def test_a_step_is_keras_adam_on_the_keras_network(twin):
    parameters, rate = init_parameters(0), 1e-3
    twin.set_weights([value.numpy() for value in parameters.values()])
    adam, price = keras.optimizers.Adam(rate, beta_2=0.95), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    step, x, y = chapter["make_train_step"](parameters), tf.constant(digits(16)), tf.constant(np.arange(16) % 10)
    for count in 1, 2, 3:
        with tf.GradientTape() as tape:
            logits = twin(x, training=False)
            loss = price(y, logits)
        adam.apply(tape.gradient(loss, twin.trainable_variables), twin.trainable_variables)
        ours, accuracy = step(x, y, tf.constant(float(count)), tf.constant(rate))
        np.testing.assert_allclose(ours, loss, rtol=1e-3)  # of the batch before the step
        assert np.isclose(accuracy, np.mean(np.argmax(logits, axis=1) == y), atol=1 / 16 + 1e-6)  # a tie may fall otherwise
        for value, theirs in zip(parameters.values(), twin.trainable_variables):
            assert np.mean(np.abs(value - theirs)) < 0.02 * rate * count, value.name  # a gradient near 0 may be rounded


def test_a_few_steps_fit_one_batch_and_trace_once():
    keras.utils.set_random_seed(0)
    parameters = init_parameters(0)
    before = {name: value.numpy() for name, value in parameters.items()}
    step = chapter["make_train_step"](parameters)
    x, y = tf.constant(digits(16)), tf.constant(np.arange(16) % 10)
    losses = [float(step(x, y, tf.constant(float(count)), tf.constant(1e-3))[0]) for count in range(1, 41)]
    assert abs(losses[0] - np.log(10)) < 0.3 and np.mean(losses[-3:]) < 0.5
    assert step.experimental_get_tracing_count() == 1
    assert all(not np.array_equal(before[name], value) for name, value in parameters.items())


@pytest.mark.parametrize("i", [0, 2, 3, 6])
def test_a_number_sees_its_sixteen_pixels_and_no_others(i):
    x = digits(30)
    seen = chapter["seen_pixels"](FRESH, x, i).any(axis=0)
    first = 4 * i - 6
    expected = np.zeros((28, 28), bool)
    expected[max(first, 0):first + 16, max(first, 0):first + 16] = True
    assert np.array_equal(seen, expected)
    one = chapter["seen_pixels"](FRESH, x, i, 7)
    assert one.shape == (30, 28, 28) and one.sum(axis=(1, 2)).max() <= 14 * 14 and not one[:, ~expected].any()
