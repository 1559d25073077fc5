"""Wrong answers to the exercises of chapter 16, by words of the sentence that each must get."""

import numpy as np

from tools.book.definitions import definitions

CAUSES = definitions("16")["CAUSES"]


def batches(y, y_hat, size):
    return [np.mean(y[i:i + size] == y_hat[i:i + size]) for i in range(0, len(y), size)]


def only_full_batches(y, y_hat, size=128):
    count = len(y) // size
    full = slice(count * size)
    return np.sum(y[full] == y_hat[full]) / max(1, count * size)


def full_batches_of_all(y, y_hat, size=128):
    count = len(y) // size
    return np.sum(y[:count * size] == y_hat[:count * size]) / len(y)


def weighed_by_rounding_up(y, y_hat, size=128):
    right = sum(size * share for share in batches(y, y_hat, size))
    return right / len(y)


def all_at_once_in_a_loop(y, y_hat, size=128):
    right = y == y_hat
    return sum(np.sum(right[i:i + size]) for i in range(0, len(y), size)) / len(y)


def says(condition, message="wrong"):
    if not condition:
        raise AssertionError(message)


x22 = [[1.0, 2.0], [3.0, 10.0]]


def test_mean_and_std(f):
    z = f(np.array(x22))
    # lets the shape and the input change
    says(np.isclose(np.mean(z), 0) and np.isclose(np.std(z), 1))


def test_all_but_the_input(f):
    z = f(np.array(x22))
    says(z.shape == (2, 2) and np.allclose(z, (np.array(x22) - 4) / np.std(x22)))


def test_all_but_the_shape(f):
    x = np.array(x22)
    z = f(x)
    says(np.array_equal(x, x22) and np.isclose(np.mean(z), 0) and np.isclose(np.std(z), 1)
         and np.allclose(np.ravel(z), np.ravel((x - 4) / np.std(x))))


def test_compares_with_itself(f):
    x = np.array(x22)
    says(np.array_equal(f(x.copy()), f(x.copy())))


def test_one_row_only(f):
    x = np.array([1.0, 2.0, 6.0])  # one row: rows alone cannot be told
    z = f(x)
    says(np.array_equal(x, [1, 2, 6]) and z.shape == (3,) and np.allclose(z, (x - 3) / np.std(x)))


def test_with_spread_one(f):
    x = np.array([[1.0, -1.0], [-1.0, 1.0]]) + 5  # its variance is its standard deviation
    kept = x.copy()
    z = f(x)
    says(np.array_equal(x, kept) and z.shape == x.shape and np.allclose(z, kept - 5))


def test_refuses_all(f):
    raise AssertionError("no")


def test_raises_another_error(f):
    if not np.isclose(f(np.array(x22)).mean(), 0):
        raise ValueError("wrong")  # a test refuses by an AssertionError


def test_wants_another_deviation(f):
    x = np.array(x22)
    says(np.allclose(f(x), (x - x.mean()) / np.std(x, ddof=1)))


def test_breaks_down(f):
    f(np.array(x22))[1, 1] + (f(np.array(x22)) * 1)[0, 0]
    says(np.isclose(f(np.array(x22)).mean(), 0))


solution = {"unnormalised inputs", "outputs and loss do not fit"}
right_order = ["calm", "pairs", "no leak", "heart", "moves", "match"]


def passes(model, mode, x):
    return np.array(model(x, training=mode))


def noise_looks_for_a_layer(build, x):
    says(any("Dropout" in type(layer).__name__ for layer in build().layers))


def noise_looks_at_the_rate(build, x):
    says(build().layers[-1].rate > 0)


def noise_with_a_coarse_limit(build, x):
    model = build()
    says(np.abs(passes(model, True, x) - passes(model, False, x)).max() > 0.01)


def noise_with_a_fixed_limit(build, x):
    model = build()
    says(np.abs(passes(model, True, x) - passes(model, False, x)).max() > 1e-3)


def noise_between_two_train_passes(build, x):
    model = build()
    says(not np.array_equal(passes(model, True, x), passes(model, True, x)))


def noise_looks_for_zeros(build, x):
    says((passes(build(), True, x) == 0).any())


def noise_the_wrong_way_round(build, x):
    model = build()
    says(np.array_equal(passes(model, True, x), passes(model, False, x)))


def noise_raises_another_error(build, x):
    model = build()
    if np.array_equal(passes(model, True, x), passes(model, False, x)):
        raise ValueError("nothing acts")


WRONG = {
    "check_floor": {
        "replace None by a number": ["0.313"],
        "0 is the floor with one softmax": [0, 0.0],
        "that is the floor of ten classes": [1.461],
        "that is the price of guessing": [float(np.log(2)), 0.693],
        "The first softmax gives 1 and 0": [
            0.269, 0.731, 1.313, -0.313, 0.5, 0.3, True, float("nan"), float("inf"),
        ],
    },
    "check_mean_accuracy": {
        "images in batches of 128": [
            lambda y, y_hat, size=128: np.mean(batches(y, y_hat, size)),
            only_full_batches, full_batches_of_all, weighed_by_rounding_up,
            lambda y, y_hat, size=128: np.sum(y == y_hat) / (size * -(-len(y) // size)),
            lambda y, y_hat, size=128: np.sum(y == y_hat),
            lambda y, y_hat, size=128: 1 - np.mean(y == y_hat),
            lambda y, y_hat, size=128: np.mean(y == y_hat).round(2),
            lambda y, y_hat, size=128: np.mean(y[:-1] == y_hat[:-1]) if len(y) > 1 else 0.0,
            lambda y, y_hat, size=128: np.median(batches(y, y_hat, size)),
        ],
        "the number is right, but your function raises MemoryError: more than a batch at once": [
            lambda y, y_hat, size=128: np.mean(y == y_hat),
            lambda y, y_hat, size=128: 1 - np.count_nonzero(y - y_hat) / len(y),
            all_at_once_in_a_loop,
        ],
        "gives [": [lambda y, y_hat, size=128: batches(y, y_hat, size)],
    },
    "check_test": {
        "accepts one that forgets the mean": [
            lambda f: says(np.isclose(np.std(f(np.array(x22))), 1)),
            test_compares_with_itself,
            lambda f: False,  # returns in place of raising
        ],
        "accepts one that divides by the variance": [
            lambda f: says(np.isclose(f(np.array(x22)).mean(), 0)),
            test_with_spread_one, test_breaks_down,
        ],
        "accepts one that treats each row alone": [test_mean_and_std, test_one_row_only],
        "accepts one that changes its input": [test_all_but_the_input],
        "accepts one that loses the shape": [test_all_but_the_shape],
        "it breaks down": [test_raises_another_error],
        "it refuses a right one": [test_refuses_all, test_wants_another_deviation],
    },
    "check_six": {
        "bug A gets past heart": [["heart", "calm", "match", "moves", "no leak", "pairs"]],
        "bug A gets past match": [right_order[::-1]],
        "use each of": [
            right_order[:5], right_order + ["scale"], "calm", 6,
            ["calm", "pairs", "no leak", "scale", "moves", "match"],
        ],
        "bug B gets past no leak": [["calm", "no leak", "pairs", "heart", "moves", "match"]],
        "bug E gets past match": [["calm", "pairs", "no leak", "heart", "match", "moves"]],
    },
    "check_require_noise": {
        "it refuses a network whose dropout acts.": [
            noise_the_wrong_way_round, lambda build, x: says(False),
        ],
        "it refuses a network whose dropout acts, with scores of a thousandth": [noise_with_a_coarse_limit],
        "it refuses a network whose scores are a millionth": [noise_with_a_fixed_limit],
        "it refuses a network with batch normalisation alone": [noise_between_two_train_passes, noise_looks_for_zeros],
        "it accepts a network whose switch is frozen": [
            lambda build, x: None, lambda build, x: False, noise_looks_for_a_layer, noise_looks_at_the_rate,
        ],
        "it breaks down (ValueError: nothing acts) on one whose switch is frozen": [noise_raises_another_error],
        "it accepts a network whose rate is 0": [
            lambda build, x: says(type(build().layers[-1]).__name__ == "Dropout"),
        ],
    },
    "check_causes": {
        "both causes are": [{"no activation", "leakage"}],
        "name two of": [
            {"unnormalised inputs"}, {"outputs and loss do not fit"}, set(), 2, set(CAUSES),
            "unnormalised inputs", ["unnormalised inputs", "unnormalised inputs"],
            {"unnormalised inputs", "softmax"}, solution | {"weights too large"},
        ],
        "the loss starts high": [
            {"unnormalised inputs", "weights too large"},
            {"outputs and loss do not fit", "weights too large"},
        ],
        "one of the two causes is": [{"unnormalised inputs", "dropout in test mode"}],
    },
}
